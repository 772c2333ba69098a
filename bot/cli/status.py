"""``vedette status``: what the service looks like, read from its database, beside it and without credentials."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple
from zoneinfo import ZoneInfo

import typer

from bot.budget import Curb, rule_of, share_of
from bot.cli.asked import asked_of
from bot.cli.config import Config
from bot.render.times import Times
from bot.schedule import next_moment

if TYPE_CHECKING:
    from bot.cli.asked import Asked
    from bot.cli.beside import Seen
    from bot.config.settings import Settings
    from bot.storage.addresses import Sought
    from bot.storage.bundles import OpenBundle
    from bot.storage.database import Database
    from bot.storage.notices import Noted
    from bot.storage.outbox import Letter
    from bot.storage.overview import ChannelState

_NOTICES = 10
#: Messages that no chat took, of which more are only counted.
_LETTERS = 50
_INVITE = "t.me/+"
_OF_AN_INVITE = 4
#: Of longer ago no call matters.
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How things stand. ``stored`` is None where there is no database yet.

    ``missing``: channels of the configuration that Telegram has not been asked for, or does not know.
    """

    folder: Path
    seen: Seen
    watched: tuple[ChannelState, ...] = ()
    dropped: tuple[ChannelState, ...] = ()
    missing: tuple[str, ...] = ()
    stored: Stored | None = None


class Stored(NamedTuple):
    """What stands in the other tables.

    ``outbox``, ``letters``: without notices that were refused and have taken another way. ``waits``: what Telegram
    asked not to be called before a moment; ``silent``: channels that are so for longer than usual, and when they posted
    last. ``letters``: messages that were refused, newest first; ``digests``: when the next one of each destination is
    due, which may be past.
    """

    posts: int
    matches: int
    outbox: dict[str, int]
    next_message: datetime | None
    held: list[OpenBundle]
    waits: dict[str, datetime]
    notices: list[Noted]
    sought: list[Sought]
    budgets: list[Used]
    silent: dict[int, datetime]
    letters: list[Letter]
    digests: dict[str, datetime]


class Used(NamedTuple):
    """Of a budget: ``used`` of the ``most`` calls of a method that are made within ``span``, at a ``share`` of that."""

    method: str
    used: int
    most: int
    span: timedelta
    share: float


def status(
    config: Config = None, *, as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False
) -> None:
    """What the service looks like: channels, posts, messages, and what the operators were told. Connects to nothing."""
    asked = asked_of(config)
    found = asyncio.run(_found(asked, datetime.now(UTC)))
    if as_json:
        sys.stdout.write(json.dumps(as_object(found)) + "\n")
        return
    from bot.cli.glance import as_lines

    zone = asked.settings.timezone if asked.settings else ZoneInfo("UTC")
    for line in as_lines(found, Times(zone, found.seen.now, found.seen.now)):
        sys.stdout.write(f"{line}\n")


async def _found(asked: Asked, now: datetime) -> Status:
    from bot.cli import beside
    from bot.storage import overview
    from bot.storage.database import NAME, Database

    written = asked.known.channels if asked.known else ()
    if not (asked.folder / NAME).exists():
        return Status(folder=asked.folder, seen=beside.unread(asked, now), missing=written)
    async with Database.opened(asked.folder, writable=False) as database:
        channels = await overview.channels(database)
        watched = await beside.watched(asked, database, channels)
        seen = await beside.seen(asked, database, watched, now)
        stored = await _stored(asked.settings, database, now)
    wanted = {one.channel.id for one in watched}
    known = frozenset[str]().union(*map(beside.names, channels))
    return Status(
        folder=asked.folder,
        seen=seen,
        watched=tuple(sorted(watched, key=_by_need)),
        dropped=tuple(one for one in channels if one.channel.id not in wanted),
        missing=tuple(one for one in written if one not in known),
        stored=stored,
    )


async def _stored(settings: Settings | None, database: Database, now: datetime) -> Stored:
    from bot.cli import beside
    from bot.ports import Lane
    from bot.storage import bundles, notices, outbox, overview, posts, quotas, routes, vitals

    curbs = await quotas.quotas(database)
    calls = await quotas.calls(database, now - _DAY)
    depth = await outbox.depth(database)
    return Stored(
        posts=await posts.count(database),
        matches=await overview.matches(database),
        outbox=depth | {"refused": depth["refused"] - await routes.refused(database)},
        next_message=await outbox.next_moment(database),
        held=await bundles.open_bundles(database),
        waits={name: one.until for name, one in (curbs | await beside.rests(database)).items() if one.until > now},
        notices=await notices.recent(database, _NOTICES),
        sought=await overview.sought(database),
        budgets=list(_budgets(calls, {name: Curb(*one) for name, one in curbs.items()}, now)),
        silent=await vitals.silent(database),
        letters=[one for one in await outbox.refused(database, _LETTERS) if one.lane is not Lane.NOTICE],
        digests=await _digests(settings, database, now) if settings else {},
    )


async def _digests(settings: Settings, database: Database, now: datetime) -> dict[str, datetime]:
    """Of every chat of the configuration; the first one of a new chat counts from now."""
    from bot.storage import digests

    periods = {str(chat): since for chat, since in (await digests.periods(database)).items()}
    chats = dict.fromkeys(str(settings.destination_of(topic)) for topic in settings.topics)
    following = {
        chat: next_moment(settings.digest.policy, settings.timezone, min(periods.get(chat, now), now)) for chat in chats
    }
    return {chat: moment for chat, moment in following.items() if moment is not None}


def _budgets(calls: Sequence[tuple[str, datetime]], curbs: Mapping[str, Curb], now: datetime) -> Iterator[Used]:
    """What is used of the longest window of each method that was called of late, or is called less than it might."""
    for method in sorted({name for name, _ in calls} | set(curbs)):
        if "." not in method:
            continue  # what is kept under another name is of no method
        window = max(rule_of(method).windows, key=lambda one: one.span, default=None)
        if window is not None:
            used = sum(name == method and at > now - window.span for name, at in calls)
            yield Used(method, used, window.most, window.span, share_of(curbs.get(method), now))


def _by_need(one: ChannelState) -> tuple[bool, int, float, str]:
    """Refused ones first, then those that are behind most, then those of which that has not been known for longest."""
    at = 0 if one.read_at is None else one.read_at.timestamp()
    return one.refused is None, -one.behind, at, one.channel.name.casefold()


def as_object(found: Status) -> dict[str, object]:
    """The form of ``--json``: all keys are always there; times are ISO 8601 in UTC (docs/running.md)."""
    from bot.cli import checkup

    stored = found.stored or Stored(
        0, 0, dict.fromkeys(("waits", "tried", "sent", "refused"), 0), None, [], {}, [], [], [], {}, [], {}
    )
    return {
        "now": found.seen.now.isoformat(),
        "data_dir": str(found.folder),
        "running": found.seen.running,
        "database": found.stored is not None,
        "channels": [
            *(_channel(one, stored, found.seen.now, watched=True) for one in found.watched),
            *(_channel(one, stored, found.seen.now, watched=False) for one in found.dropped),
        ],
        "missing": [shown(one) for one in found.missing],
        "posts": stored.posts,
        "matches": stored.matches,
        "outbox": stored.outbox,
        "next_message": _iso(stored.next_message),
        "held": [
            {
                "destination": str(one.destination),
                "reason": one.reason.value,
                "posts": one.posts,
                "since": _iso(one.since),
                "due": _iso(one.due),
            }
            for one in stored.held
        ],
        "waits": [{"method": method, "until": _iso(until)} for method, until in stored.waits.items()],
        "notices": [
            {"at": _iso(one.made), "what": one.notice.what, "details": one.notice.details, "told": _iso(one.told)}
            for one in stored.notices
        ],
        "health": checkup.as_object(found.seen),
        "sought": [_sought(one) for one in stored.sought],
        "speaker": None if found.seen.vitals is None else found.seen.vitals.speaker,
        "digests": [{"destination": chat, "next": _iso(moment)} for chat, moment in stored.digests.items()],
        "dead_letters": [_letter(one) for one in stored.letters],
        "budgets": [{**one._asdict(), "span": one.span.total_seconds()} for one in stored.budgets],
    }


def _channel(one: ChannelState, stored: Stored, now: datetime, *, watched: bool) -> dict[str, object]:
    return {
        "id": str(one.channel.id),
        "username": one.channel.username,
        "title": one.channel.title,
        "watched": watched,
        "joined": one.joined,
        "verified": one.verified,
        "top": one.top,
        "behind": one.behind,
        "read_at": _iso(one.read_at),
        "history_read": one.history_read,
        "refused": one.refused,
        "standing": one.standing.name.lower(),
        "lag": None if one.read_at is None else max((now - one.read_at).total_seconds(), 0),
        "silent_since": _iso(stored.silent.get(one.channel.id or 0)),
    }


def _letter(one: Letter) -> dict[str, object]:
    return {
        "destination": str(one.destination),
        "lane": one.lane.value,
        "made": _iso(one.made),
        "why": one.why,
        "again": _iso(one.again),
    }


def _sought(one: Sought) -> dict[str, object]:
    return {
        "reference": shown(one.written),
        "standing": one.standing.name.lower(),
        "why": one.why,
        "since": _iso(one.since),
        "tries": one.tries,
        "not_before": _iso(one.not_before),
    }


def shown(written: str) -> str:
    """A reference as it may be passed on: of an invite link only its beginning, for whoever has it all may join."""
    head, invite, code = written.partition(_INVITE)
    return f"{head}{invite}{code[:_OF_AN_INVITE]}…" if invite else written


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
