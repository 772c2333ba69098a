"""The sign of life of the service as it is kept, and what in the tables shows whether it gets on with its work."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from sqlite3 import Connection
from typing import TypeVar

from bot.storage import facts, notices
from bot.storage.database import Database
from bot.storage.outbox import NEVER
from bot.storage.routes import OPERATOR
from bot.storage.times import from_integer, from_integer_if, to_integer
from bot.vitals import Link, Vitals

T = TypeVar("T")

#: The file beside the database that a process holds locked once what stands there is its own, until its end.
ALIVE = "alive"
_KEY = "vitals"
#: What the operators are told of a destination to which messages have no answer (`bot.delivery.outcomes`).
NO_ANSWER = "has given no answer for ten minutes"
#: A message that was tried so often is not merely waiting for a moment that Telegram has named.
_TRIES = 5


def put(c: Connection, vitals: Vitals) -> None:
    """In place of what was written before; as JSON, times in ISO 8601, lengths of time in seconds."""
    facts.put(c, _KEY, json.dumps({name: _plain(value) for name, value in asdict(vitals).items()}))


async def last(database: Database) -> Vitals | None:
    """What was written last, by whatever process; None where nothing was, or by another version of this program."""
    return _read(await facts.get(database, _KEY))


async def due(database: Database, now: datetime, patience: timedelta) -> datetime | None:
    """Since when the message that waits longest might have gone; None where none might.

    One that is tried again and again without an answer is put off each time, and counts from when it was made, once
    that is longer ago than ``patience``. What stands behind another in its lane to its destination has to wait, be
    that one refused for now; nothing might go while Telegram asks an account that sends to rest.
    """
    return from_integer_if(min((await _due(database, now, patience)).values(), default=None))


async def _due(database: Database, now: datetime, patience: timedelta) -> dict[str, int]:
    """The same of each destination of which something might go."""
    # Of each group SQLite takes the other columns from the row of its least id: sqlite.org/lang_select.html#bareagg
    found = await database.rows(
        """
        SELECT destination, min(CASE WHEN tries >= ? AND made <= ? THEN made ELSE not_before END) FROM (
            SELECT min(id), destination, not_before, made, tries, state, voice, account FROM (
                SELECT * FROM outbox WHERE state IN ('waits', 'tried')
                UNION ALL SELECT * FROM outbox WHERE state = 'refused' AND not_before < ?
            ) GROUP BY lane, destination
        ) AS o WHERE state != 'refused' AND (not_before <= ? OR tries >= ? AND made <= ?)
            AND NOT EXISTS (SELECT 1 FROM rest WHERE until > ? AND noted <= ? AND account = coalesce(
                o.account,
                (SELECT account FROM outbox WHERE voice = o.voice AND account NOT NULL ORDER BY id DESC LIMIT 1),
                rest.account
            ))
        GROUP BY destination
        """,
        (
            *(_TRIES, long_ago := to_integer(now - patience), NEVER),
            *(at := to_integer(now), _TRIES, long_ago, at, at),
        ),
    )
    return dict(found)


async def stuck(database: Database, now: datetime, patience: timedelta) -> datetime | None:
    """Since when a destination has taken nothing though something might have gone there; of several the earliest.

    Reads the whole table where something waits for longer than ``patience``.
    """
    waits = await _due(database, now, patience)
    if not waits or min(waits.values()) > to_integer(now - patience):
        return from_integer_if(min(waits.values(), default=None))
    sent = dict(
        await database.rows("SELECT destination, max(sent) FROM outbox WHERE sent NOT NULL GROUP BY destination")
    )
    return from_integer(min(max(moment, sent.get(place, moment)) for place, moment in waits.items()))


async def silent(database: Database) -> dict[int, datetime]:
    """The channels that are silent for longer than usual, as `bot.watch.silence` keeps them: when they last posted."""
    known = await facts.get(database, "silent channels")
    return {int(channel): from_integer(last) for channel, last in json.loads(str(known or "{}")).items()}


async def refusing(database: Database) -> dict[str, str]:
    """Of each destination that takes no messages what the operators were told; the last notice says how it stands.

    An operator who cannot be told in private is "operator 12345".
    """
    told = await notices.standing(database, "destination ")
    operators = await notices.standing(database, OPERATOR)
    refused = {place: what for place, what in told.items() if " refuses messages: " in what or NO_ANSWER in what}
    return refused | {f"{OPERATOR}{chat}": what for chat, what in operators.items()}


async def folder(database: Database, name: str) -> str | None:
    """What the operators were told of a folder that cannot be found or looked at (`bot.watch.folder`)."""
    return (await notices.standing(database, "finding the folder ")).get(name)


async def configuration(database: Database) -> str | None:
    """What the operators were told of a configuration that was not taken over, its first error with it (`bot.reload`).

    Where it was mended since, None.
    """
    told = await notices.last(database, notices.CONFIGURATION_ERROR)
    return None if told is None else ": ".join([told.what.rstrip("."), *told.details[:1]])


async def session(database: Database) -> str | None:
    """What the operators were told of the reader's session that has ended, and what to do (`bot.supervise`)."""
    return (await notices.standing(database, "session")).get("")


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case _:
            return value


def _read(text: object) -> Vitals | None:
    if not isinstance(text, str):
        return None
    try:
        return _of(json.loads(text))
    except (ValueError, TypeError, KeyError):
        return None


def _of(raw: Mapping[str, str | float | None]) -> Vitals:
    return Vitals(
        started=_moment(raw["started"]),
        written=_moment(raw["written"]),
        link=_link(raw["link"]),
        answered=_if(_moment, raw["answered"]),
        passed=_if(_moment, raw["passed"]),
        behind=int(str(raw["behind"])),
        waiting=int(str(raw["waiting"])),
        skew=_if(_span, raw["skew"]),
        sweep_every=_span(raw["sweep_every"]),
        stepped=_if(_moment, raw["stepped"]),
        stored_at=_if(_moment, raw["stored_at"]),
        speaker=_if(_link, raw["speaker"]),
        speaker_answered=_if(_moment, raw["speaker_answered"]),
    )


def _link(raw: object) -> Link:
    return Link(str(raw))


def _moment(raw: object) -> datetime:
    return datetime.fromisoformat(str(raw))


def _span(raw: object) -> timedelta:
    return timedelta(seconds=float(str(raw)))


def _if(made: Callable[[object], T], raw: object) -> T | None:
    return None if raw is None else made(raw)
