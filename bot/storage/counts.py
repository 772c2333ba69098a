"""What was added to the tables, and what became of messages, since somebody last looked: at no cost that grows."""

from __future__ import annotations

import json
from collections.abc import Collection
from enum import StrEnum, auto
from typing import NamedTuple

from bot.ports import Lane
from bot.storage.database import Database
from bot.storage.outbox import NEVER
from bot.storage.routes import TAKEN_BACK


class Fate(StrEnum):
    """How a message stands. The first three are still to be sent, be it after a refusal; the others are settled."""

    WAITS = auto()
    TRIED = auto()
    REFUSED = auto()
    SENT = auto()
    GIVEN_UP = auto()
    TAKEN_BACK = auto()

    @property
    def open(self) -> bool:
        return self in (Fate.WAITS, Fate.TRIED, Fate.REFUSED)


class Message(NamedTuple):
    """A message of the outbox, and how it stands now."""

    id: int
    lane: Lane
    fate: Fate


async def open_messages(db: Database) -> list[int]:
    """The numbers of all that are still to be sent."""
    # Two statements, for each has an index of its own.
    waiting = await db.rows("SELECT id FROM outbox WHERE state IN ('waits', 'tried')")
    refused = await db.rows("SELECT id FROM outbox WHERE state = 'refused' AND not_before < ?", (NEVER,))
    return [id_ for (id_,) in (*waiting, *refused)]


async def messages(db: Database, after: int, known: Collection[int]) -> list[Message]:
    """These, as far as they are still there, and all that came after that one, by their numbers."""
    rows = await db.rows(
        "SELECT id, lane, state, not_before, why FROM outbox WHERE id IN "
        "(SELECT id FROM outbox WHERE id > ? UNION SELECT value FROM json_each(?)) ORDER BY id",
        (after, json.dumps([*known])),
    )
    return [Message(id_, Lane(lane), _fate(state, not_before, why)) for id_, lane, state, not_before, why in rows]


def _fate(state: str, not_before: int, why: str | None) -> Fate:
    if state != "refused" or not_before < NEVER:
        return Fate(state)
    return Fate.TAKEN_BACK if why == TAKEN_BACK else Fate.GIVEN_UP


async def edits(db: Database) -> int:
    """How many sent messages may have to say something else by now."""
    [(count,)] = await db.rows("SELECT count(*) FROM outbox WHERE changed IS NOT NULL AND state = 'sent'")
    return int(count)


async def newest_match(db: Database) -> int:
    """The number of the match that was stored last; 0 where none was."""
    [(id_,)] = await db.rows("SELECT coalesce(max(id), 0) FROM match")
    return int(id_)


async def matches(db: Database, after: int) -> tuple[dict[str, int], int]:
    """How many matches of each topic came after that one, and the number of the last of them."""
    rows = await db.rows("SELECT topic, count(*), max(id) FROM match WHERE id > ? GROUP BY topic", (after,))
    return {topic: count for topic, count, _ in rows}, max((last for *_, last in rows), default=after)


async def newest_notice(db: Database) -> int:
    """The number of the notice that was taken down last; 0 where none was."""
    [(id_,)] = await db.rows("SELECT coalesce(max(id), 0) FROM notice")
    return int(id_)


async def notices(db: Database, after: int) -> tuple[int, int]:
    """How many notices with something to say came after that one, and the number of the last of all."""
    # What has no words says only that a trouble is over.
    [(count, last)] = await db.rows("SELECT count(nullif(what, '')), max(id) FROM notice WHERE id > ?", (after,))
    return int(count), after if last is None else int(last)
