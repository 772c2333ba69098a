"""What is held, to be told in one message when it is due: of each destination and reason at most one open bundle."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from sqlite3 import Connection
from typing import NamedTuple

from bot.model import Destination, Reason
from bot.storage.database import Database
from bot.storage.places import destination, written
from bot.storage.times import from_integer, to_integer


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
