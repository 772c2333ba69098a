"""What is held, to be told in one message when it is due: of each destination and reason at most one open bundle."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from sqlite3 import Connection
from typing import Any, NamedTuple

from bot.model import Destination, PostId, Reason
from bot.storage.database import Database
from bot.storage.places import destination, post_id, written
from bot.storage.times import from_integer, to_integer
from bot.untold import Told


class Hold(NamedTuple):
    """A post that is held, seen at ``seen``; ``channel`` is a marked id, ``due`` when it is to be told."""

    destination: Destination
    reason: Reason
    due: datetime
    channel: int
    number: int
    seen: datetime


class OpenBundle(NamedTuple):
    """What waits for ``due``: ``posts`` of them, the first one held at ``since``."""

    id: int
    destination: Destination
    reason: Reason
    since: datetime
    due: datetime
    posts: int


def hold(c: Connection, rows: Iterable[Hold]) -> None:
    """Puts posts into the open bundles of their destinations and reasons; of a bundle the earliest moment stands."""
    for row in rows:
        [(bundle,)] = c.execute(
            """
            INSERT INTO bundle (destination, reason, since, due) VALUES (?, ?, ?, ?)
            ON CONFLICT (destination, reason) WHERE told IS NULL
                DO UPDATE SET since = min(since, excluded.since), due = min(due, excluded.due)
            RETURNING id
            """,
            (written(row.destination), row.reason.value, to_integer(row.seen), to_integer(row.due)),
        )
        c.execute(
            "INSERT OR IGNORE INTO held (bundle, channel, number, seen) VALUES (?, ?, ?, ?)",
            (bundle, row.channel, row.number, to_integer(row.seen)),
        )


async def open_bundles(database: Database) -> list[OpenBundle]:
    """What waits, the first to be due first."""
    rows = await database.rows(
        """
        SELECT id, destination, reason, since, due, (SELECT count(*) FROM held WHERE bundle = bundle.id)
        FROM bundle WHERE told IS NULL ORDER BY due, id
        """
    )
    return [
        OpenBundle(id_, destination(place), Reason(reason), from_integer(since), from_integer(due), posts)
        for id_, place, reason, since, due, posts in rows
    ]


class Basis(NamedTuple):
    """What a bundle is made of. Two are equal as long as the same message would be made of them.

    ``held``: the posts, in the order in which they came, the last one seen at ``until``; ``told``: what messages to its
    destination say of their stories. ``versions`` changes with each of these posts and with each post that joins one of
    their stories.
    """

    held: tuple[PostId, ...]
    until: datetime
    told: frozenset[Told]
    versions: tuple[Any, ...]


async def basis(database: Database, bundle: int) -> Basis:
    """Of an open bundle, as it is committed."""
    return _basis(*[await database.rows(sql, (bundle,)) for sql in _BASIS])


async def holds(database: Database, bundle: int, topics: Iterable[str]) -> bool:
    """Whether something waits in a bundle for being of one of these topics (names)."""
    [(found,)] = await database.rows(_HOLDS, (bundle, json.dumps([*topics])))
    return bool(found)


def close(  # noqa: PLR0913 - what becomes of a bundle
    c: Connection, bundle: int, made_of: Basis, now: datetime, until: datetime, *, more: int = 0
) -> bool:
    """Marks an open bundle as told, at ``now``, of the time up to ``until``, but for ``more`` stories.

    False, and nothing is done, where it was told already, or would not be made of the same any more.
    """
    return made_of == _read(c, bundle) and _mark(c, bundle, now, until, more)


def cut(  # noqa: PLR0913 - as above
    c: Connection, bundle: int, made_of: Basis, now: datetime, until: datetime, *, more: int = 0
) -> set[PostId] | None:
    """The same where posts keep coming: those that came since it was composed are held on, in a bundle of their own.

    The stories of which something has changed meanwhile, so that the message has to be looked at again. None, and
    nothing is done, where it was told already, where another message tells some of it by now, and where a post is
    called otherwise.
    """
    found = _read(c, bundle)
    before, here = ({row[:2]: row for row in one.versions} for one in (made_of, found))
    if any(at not in here or here[at][_STORY] != row[_STORY] for at, row in before.items()):
        return None
    stories = {row[_STORY] for row in made_of.versions}
    if made_of.told != {one for one in found.told if str(one.story) in stories}:
        return None
    if not _mark(c, bundle, now, until, more):
        return None
    _hold_on(c, bundle, [row for at, row in here.items() if at not in before])
    return {post_id(row[_STORY]) for at, row in before.items() if here[at] != row}


def _read(c: Connection, bundle: int) -> Basis:
    return _basis(*[c.execute(sql, (bundle,)).fetchall() for sql in _BASIS])


def _mark(c: Connection, bundle: int, now: datetime, until: datetime, more: int) -> bool:
    told = "UPDATE bundle SET told = ?, due = ?, more = ? WHERE id = ? AND told IS NULL"
    return c.execute(told, (to_integer(now), to_integer(until), more, bundle)).rowcount == 1


def _hold_on(c: Connection, bundle: int, rows: list[tuple[Any, ...]]) -> None:
    """Puts what waits in a bundle that was told into the next one."""
    if not rows:
        return
    since = min(seen for _, _, seen, *_ in rows)
    [(another,)] = c.execute(
        "INSERT INTO bundle (destination, reason, since, due) SELECT destination, reason, ?1, ?1 FROM bundle "
        "WHERE id = ?2 RETURNING id",
        (since, bundle),
    )
    c.executemany(
        "UPDATE held SET bundle = ? WHERE bundle = ? AND channel = ? AND number = ?",
        [(another, bundle, channel, number) for channel, number, *_ in rows],
    )


#: Where in a row of `_HELD` the story stands.
_STORY = 5
_HELD = """
    SELECT h.channel, h.number, h.seen, p.deleted, max(x.edited), x.story,
        (SELECT count(*) FROM member WHERE story = x.story)
    FROM bundle AS b CROSS JOIN held AS h ON h.bundle = b.id
    CROSS JOIN match AS x ON x.channel = h.channel AND x.number = h.number AND x.destination = b.destination
    LEFT JOIN message AS p ON p.channel = h.channel AND p.number = h.number
    WHERE b.id = ? AND b.told IS NULL
    GROUP BY h.channel, h.number ORDER BY max(CASE WHEN x.reason = b.reason THEN x.id END), h.channel, h.number
"""
_TOLD = """
    SELECT DISTINCT s.story, s.topics FROM bundle AS b CROSS JOIN held AS h ON h.bundle = b.id
    CROSS JOIN match AS x ON x.channel = h.channel AND x.number = h.number AND x.destination = b.destination
    CROSS JOIN says AS s ON s.story = x.story
    CROSS JOIN outbox AS o ON o.id = s.message AND o.destination = b.destination
    WHERE b.id = ?
"""
_BASIS = (_HELD, _TOLD)
_HOLDS = """
    SELECT EXISTS (
        SELECT 1 FROM bundle AS b CROSS JOIN held AS h ON h.bundle = b.id
        CROSS JOIN match AS x ON x.channel = h.channel AND x.number = h.number AND x.destination = b.destination
        WHERE b.id = ? AND x.reason = b.reason AND x.topic IN (SELECT value FROM json_each(?))
    )
"""


def _basis(held: list[tuple[Any, ...]], told: list[tuple[str, str]]) -> Basis:
    return Basis(
        tuple(PostId(str(channel), number) for channel, number, *_ in held),
        from_integer(max((seen for _, _, seen, *_ in held), default=0)),
        frozenset(Told(post_id(story), frozenset(json.loads(topics))) for story, topics in told),
        tuple(held),
    )
