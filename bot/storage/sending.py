"""How far the messages of digests are on their way, for whoever has asked for one and looks on."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from bot.model import Destination
from bot.storage.database import Database
from bot.storage.places import destination
from bot.storage.times import from_integer


class Part(NamedTuple):
    """A message of a digest: its ``state`` in the outbox, and why it was not sent when it was tried last.

    ``not_before``: when it is tried again.
    """

    destination: Destination
    state: str
    why: str | None
    not_before: datetime


async def newest(db: Database) -> int:
    """The id of the digest that was made last; 0 where none was."""
    [(id_,)] = await db.rows("SELECT ifnull(max(id), 0) FROM digest")
    return int(id_)


async def parts(db: Database, after: int) -> list[Part]:
    """All messages of the digests that were made after that one, in their order."""
    # A digest's messages have keys that begin with its own and a blank; behind the blank comes "!".
    rows = await db.rows(
        """
        SELECT o.destination, o.state, o.why, o.not_before FROM digest AS d CROSS JOIN outbox AS o
        WHERE d.id > ? AND o.key >= 'digest ' || d.id || ' ' AND o.key < 'digest ' || d.id || '!'
        ORDER BY o.id
        """,
        (after,),
    )
    return [Part(destination(place), state, why, from_integer(at)) for place, state, why, at in rows]
