"""Messages as they come into the outbox, and the posts that they tell of: for the log, which follows posts."""

from __future__ import annotations

import json
from typing import NamedTuple

from bot.model import Destination
from bot.ports import Lane
from bot.storage.database import Database
from bot.storage.places import destination

_DIGEST = "digest"


class Made(NamedTuple):
    """A message that came into the outbox.

    ``posts``: those that it tells of, as ``name/number``, or ``-100…/number`` where the channel has no name; a digest's
    are asked for by `told`. ``of``: the digest, bundle or notice that it is of, as "digest 7". ``instead_of``: the
    message whose words it repeats without anything else, since the chat refused that one.
    """

    id: int
    lane: Lane
    destination: Destination
    posts: tuple[str, ...]
    of: str | None
    instead_of: int | None

    @property
    def digest(self) -> int | None:
        """The number of the digest that it is of, or of which it is a part."""
        kind, _, number = (self.of or "").partition(" ")
        return int(number) if kind == _DIGEST else None


async def messages(db: Database, after: int) -> list[Made]:
    """Those that came after that one, in the order of their numbers."""
    rows = await db.rows(
        """
        SELECT o.id, o.lane, o.destination, o.key, refused.id, (
            SELECT json_group_array(name) FROM (
                SELECT ifnull(c.username, s.channel) || '/' || s.number AS name
                FROM says AS s LEFT JOIN channel AS c ON c.id = s.channel WHERE s.message = o.id ORDER BY s.place
            )
        ) FROM outbox AS o LEFT JOIN outbox AS refused ON refused.key = substr(o.key, 1, instr(o.key, ' plain ') - 1)
        WHERE o.id > ? ORDER BY o.id
        """,
        (after,),
    )
    return [
        Made(id_, Lane(lane), destination(place), tuple(json.loads(posts)), _of(key), refused)
        for id_, lane, place, key, refused, posts in rows
    ]


def _of(key: str) -> str | None:
    """What its key begins with; of an alert that is its post."""
    kind, number, *_ = key.split(" ")
    return None if kind == "alert" else f"{kind} {number}"


async def told(db: Database, digest: int) -> list[str]:
    """The posts that a digest tells of, be it only in its counts; as `Made.posts` are, in the order of matching."""
    rows = await db.rows(
        """
        SELECT ifnull(c.username, m.channel) || '/' || m.number
        FROM match AS m LEFT JOIN channel AS c ON c.id = m.channel
        WHERE m.digest = ? GROUP BY m.channel, m.number ORDER BY min(m.id)
        """,
        (digest,),
    )
    return [name for (name,) in rows]
