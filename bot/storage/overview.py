"""How things stand, counted over the tables: for whoever looks from outside, beside a service that runs."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from bot.model import Channel
from bot.standing import Standing
from bot.storage import addresses
from bot.storage.addresses import Sought
from bot.storage.database import Database
from bot.storage.times import from_integer_if


class ChannelState(NamedTuple):
    """How far a channel was read. ``references``: what configurations have called it so far.

    Everything up to ``verified`` is stored, ``top`` was heard of; ``read_at``: when it was last known that there is
    no more; ``refused``: why it cannot be read; ``joined``: some account that reads is a member; ``standing``: how the
    account that reads stands with it.
    """

    channel: Channel
    joined: bool
    verified: int
    top: int
    history_read: bool
    read_at: datetime | None
    refused: str | None
    references: frozenset[str]
    standing: Standing

    @property
    def behind(self) -> int:
        """Numbers not read yet; under some of them nothing may stand."""
        return max(self.top - self.verified, 0)


async def channels(database: Database) -> list[ChannelState]:
    """All that were ever read, in the order of their ids."""
    references: dict[int, set[str]] = {}
    for written, id_ in await database.rows("SELECT written, channel FROM reference"):
        references.setdefault(id_, set()).add(written)
    rows = await database.rows(
        "SELECT id, username, title, EXISTS (SELECT 1 FROM peer WHERE channel = channel.id AND joined), "
        "verified, top, history_read, read_at, refused, standing FROM channel ORDER BY id DESC"
    )
    return [
        ChannelState(
            Channel(id=id_, username=username, title=title),
            bool(joined),
            verified,
            top,
            bool(history_read),
            from_integer_if(read_at),
            refused,
            frozenset(references.get(id_, ())),
            Standing(standing),
        )
        for id_, username, title, joined, verified, top, history_read, read_at, refused, standing in rows
    ]


async def sought(database: Database) -> list[Sought]:
    """References that lead to no channel that can be watched: how that stands, why, and since when."""
    return await addresses.sought(database)


async def matches(database: Database) -> int:
    """How many matches are stored: a post and a topic are one."""
    [(found,)] = await database.rows("SELECT count(*) FROM match")
    return int(found)
