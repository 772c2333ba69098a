"""Digests that were made, from when on the next one of each destination tells, and what it is made of: slight rows.

A digest may hold a hundred thousand matches of which it shows a few, so what is counted is read a page at a time and
without what the posts say.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Iterable
from datetime import datetime, timedelta
from itertools import islice
from sqlite3 import Connection
from typing import NamedTuple

from bot.model import Destination, Reason
from bot.storage import facts
from bot.storage.database import Database
from bot.storage.places import destination, written
from bot.storage.times import from_integer, to_integer

#: The fact by which a digest is asked for now; its value is when.
ASKED = "digest asked"
#: Rows that are read at once, so that nobody else waits for long.
_PAGE = 5_000
#: A period that begins so far in the future was begun by a clock that was wrong.
AHEAD = timedelta(hours=1)


class Line(NamedTuple):
    """A match as it is counted. Times are integers as the tables have them; ``story`` is "channel/number".

    ``edited``: whether its post was edited since; ``date`` and ``gone``: when the post was posted, and whether it was
    deleted; an album is when all of it is.
    """

    id: int
    channel: int
    number: int
    topic: str
    title: str
    story: str
    seen: int
    edited: int
    date: int
    gone: int


class Ran(NamedTuple):
    """A post of a story; ``date`` is an integer as the tables have it, ``gone``: whether it was deleted."""

    channel: int
    number: int
    date: int
    gone: int


class Made(NamedTuple):
    """A digest. ``since`` is exclusive, ``until`` inclusive; ``history``: of what first readings brought.

    ``id`` is 0 until it is made.
    """

    destination: Destination
    since: datetime
    until: datetime
    history: bool = False
    id: int = 0


_GONE = """
    CASE WHEN p.deleted IS NULL THEN 0 WHEN p.album IS NULL THEN 1 ELSE NOT EXISTS (
        SELECT 1 FROM message AS a INDEXED BY message_album
        WHERE a.channel = p.channel AND a.album = p.album AND a.deleted IS NULL
    ) END
"""
_LINES = f"""
    SELECT x.id, x.channel, x.number, x.topic, x.title, x.story, x.seen, x.edited IS NOT NULL,
        ifnull(p.date, x.seen), ifnull({_GONE}, 0)
    FROM match AS x LEFT JOIN message AS p ON p.channel = x.channel AND p.number = x.number
"""  # noqa: S608 - made of constants
_UNDIGESTED = (
    f"{_LINES} WHERE x.digest IS NULL AND x.destination = ? AND (x.reason = '{Reason.HISTORY}') = ? AND x.id > ? "
    "ORDER BY x.id LIMIT ?"
)
_OF_DIGEST = f"{_LINES} WHERE x.digest = ? AND x.id > ? ORDER BY x.id LIMIT ?"


async def undigested(db: Database, to: Destination, *, history: bool) -> list[Line]:
    """What no digest of a destination has told yet, in the order of commit: of first readings, or all but that."""
    return [line async for line in _paged(db, _UNDIGESTED, (written(to), history))]


async def of_digest(db: Database, digest: int) -> list[Line]:
    """What a digest has told, in the order of commit."""
    return [line async for line in _paged(db, _OF_DIGEST, (digest,))]


async def _paged(db: Database, sql: str, parameters: tuple[object, ...]) -> AsyncIterator[Line]:
    last = 0
    while page := await db.rows(sql, (*parameters, last, _PAGE)):
        for row in page:
            yield Line(*row)
        last = page[-1][0]


async def ran(db: Database, stories: Iterable[str]) -> dict[str, list[Ran]]:
    """The posts of each of these stories, in order of joining."""
    found: dict[str, list[Ran]] = {}
    rest = iter(stories)
    while some := list(islice(rest, _PAGE)):
        for story, *row in await db.rows(_RAN, (json.dumps(some),)):
            found.setdefault(story, []).append(Ran(*row))
    return found


_RAN = f"""
    SELECT m.story, p.channel, p.number, p.date, {_GONE} FROM json_each(?) AS w
    CROSS JOIN member AS m ON m.story = w.value
    CROSS JOIN message AS p ON p.channel = CAST(substr(m.post, 1, instr(m.post, '/') - 1) AS INT)
        AND p.number = CAST(substr(m.post, instr(m.post, '/') + 1) AS INT)
    WHERE p.date IS NOT NULL ORDER BY m.id
"""  # noqa: S608 - made of constants


async def hits(db: Database, ids: Collection[int]) -> dict[int, str]:
    """Of these matches what was found, as JSON, where it still stands in their posts."""
    asked = json.dumps([*ids])
    sql = "SELECT id, hits FROM match WHERE NOT stale AND id IN (SELECT value FROM json_each(?))"
    return dict(await db.rows(sql, (asked,)))


# --- whose digest is to be made ---------------------------------------------------------------------------


async def waiting(db: Database) -> list[Destination]:
    """Every destination for which there is something that no digest has told, without looking at all of it."""
    return [destination(place) for (place,) in await db.rows(_WAITING)]


_WAITING = """
    WITH RECURSIVE d (place) AS (
        SELECT min(destination) FROM match WHERE digest IS NULL
        UNION ALL
        SELECT (SELECT min(destination) FROM match WHERE digest IS NULL AND destination > d.place)
        FROM d WHERE d.place IS NOT NULL
    )
    SELECT place FROM d WHERE place IS NOT NULL
"""


async def holds_others(db: Database, to: Destination, topics: Iterable[str]) -> bool:
    """Whether something but first readings waits for a digest of a destination that is of none of these topics."""
    [(found,)] = await db.rows(_OTHERS, (written(to), json.dumps([*topics])))
    return bool(found)


_OTHERS = f"""
    SELECT EXISTS (
        SELECT 1 FROM match WHERE digest IS NULL AND destination = ? AND reason != '{Reason.HISTORY}'
        AND topic NOT IN (SELECT value FROM json_each(?))
    )
"""  # noqa: S608 - made of constants


async def histories(db: Database, after: int) -> tuple[dict[Destination, datetime], int]:
    """Since when what first readings brought waits for a digest, in matches behind this id; and the last id."""
    [(last,)] = await db.rows("SELECT ifnull(max(id), 0) FROM match")
    # All that waits is few of all that there is, and what is new is few of all that waits.
    by = "NOT INDEXED" if after else "INDEXED BY match_untold"
    rows = await db.rows(
        f"SELECT destination, min(seen) FROM match {by} WHERE id > ? AND id <= ? AND digest IS NULL AND reason = ? "  # noqa: S608
        "GROUP BY destination ORDER BY min(id)",
        (after, last, Reason.HISTORY.value),
    )
    return {destination(place): from_integer(seen) for place, seen in rows}, int(last)


async def periods(db: Database) -> dict[Destination, datetime]:
    """From when on, exclusive, the next digest of each destination tells."""
    rows = await db.rows("SELECT destination, since FROM period")
    return {destination(place): from_integer(since) for place, since in rows}


def keep(c: Connection, places: Iterable[Destination], now: datetime) -> None:
    """These have periods, and no others: a new one begins now, and so does one that a wrong clock began after now."""
    wanted = [written(place) for place in places]
    c.execute("DELETE FROM period WHERE destination NOT IN (SELECT value FROM json_each(?))", (json.dumps(wanted),))
    c.executemany(
        "INSERT INTO period (destination, since) VALUES (?, ?) "
        "ON CONFLICT (destination) DO UPDATE SET since = excluded.since WHERE since > excluded.since + ?",
        [(place, to_integer(now), AHEAD // timedelta(microseconds=1)) for place in wanted],
    )


def move(c: Connection, to: Destination, before: datetime, since: datetime) -> bool:
    """Lets the next digest tell from ``since`` on. False, and nothing is done, if that is no more as it was before."""
    changed = c.execute(
        "UPDATE period SET since = ? WHERE destination = ? AND since = ?",
        (to_integer(since), written(to), to_integer(before)),
    )
    return changed.rowcount == 1


async def is_asked(db: Database) -> bool:
    """Whether somebody wants a digest now."""
    return await facts.get(db, ASKED) is not None


def answer(c: Connection) -> None:
    """Nobody waits for a digest any more."""
    c.execute("DELETE FROM fact WHERE key = ?", (ASKED,))


# --- digests that were made -------------------------------------------------------------------------------


def add(c: Connection, one: Made, now: datetime) -> int:
    """The id of a new digest."""
    [(id_,)] = c.execute(
        "INSERT INTO digest (destination, since, until, made, history) VALUES (?, ?, ?, ?, ?) RETURNING id",
        (written(one.destination), to_integer(one.since), to_integer(one.until), to_integer(now), one.history),
    )
    return int(id_)


async def last(db: Database) -> list[Made]:
    """The last digest of each destination, in the order in which they were made."""
    rows = await db.rows(
        "SELECT id, destination, since, until, history FROM digest "
        "WHERE id IN (SELECT max(id) FROM digest GROUP BY destination) ORDER BY id"
    )
    return [
        Made(destination(place), from_integer(since), from_integer(until), bool(history), id_)
        for id_, place, since, until, history in rows
    ]
