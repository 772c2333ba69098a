"""Messages that are to be sent, frozen: written down with what caused them, claimed, and confirmed when they stand.

A message is marked before it is sent. One that was tried when the process was killed may have been sent, and is
claimed again with the same ``random_id``, by which Telegram knows a repeat:
https://core.telegram.org/method/messages.sendMessage
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import datetime
from sqlite3 import Connection
from typing import NamedTuple

from bot.model import Destination, Entity, PostId
from bot.ports import Lane, Outgoing
from bot.render.richtext import Message
from bot.storage.database import Database
from bot.storage.places import destination, written
from bot.storage.times import from_integer, to_integer


class Row(NamedTuple):
    """A message to be sent; ``key`` says what it tells, and the same key is the same message.

    ``story`` and ``post`` are what it tells of, where that is one.
    """

    key: str
    destination: Destination
    lane: Lane
    random_id: int
    text: str
    entities: tuple[Entity, ...]
    story: PostId | None
    post: PostId | None
    made: datetime


def random_id(secret: bytes, key: str) -> int:
    """The number by which Telegram knows a repeat, made of a message's key: 64 bits with a sign, never 0."""
    digest = hmac.new(secret, key.encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big", signed=True) or 1


def add(c: Connection, rows: Iterable[Row]) -> None:
    """Puts messages into the outbox; one whose key is there already is left out."""
    c.executemany(
        """
        INSERT OR IGNORE INTO outbox
            (key, destination, lane, random_id, text, entities, story, post, made, not_before, state, tries)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waits', 0)
        """,
        [
            (
                row.key,
                written(row.destination),
                row.lane.value,
                row.random_id,
                row.text,
                json.dumps(row.entities, ensure_ascii=False, separators=(",", ":")),
                row.story and str(row.story),
                row.post and str(row.post),
                to_integer(row.made),
                to_integer(row.made),
            )
            for row in rows
        ],
    )


def claim(c: Connection, now: datetime) -> Outgoing | None:
    """The message that goes next, marked as tried: of the most urgent lane that has one, the oldest that may go.

    What stands before it in its lane to its destination has to go first.
    """
    for lane in Lane:
        found = c.execute(_FIRST, (lane.value, to_integer(now))).fetchall()
        for id_, place, number, text, entities in found:
            c.execute("UPDATE outbox SET state = 'tried', tries = tries + 1 WHERE id = ?", (id_,))
            return Outgoing(
                id=id_,
                destination=destination(place),
                lane=lane,
                random_id=number,
                message=Message(text, tuple(Entity(*entity) for entity in json.loads(entities))),
            )
    return None


#: Whether no older message of the same lane and destination still waits.
_IS_FIRST = """
    NOT EXISTS (
        SELECT 1 FROM outbox AS older
        WHERE older.state IN ('waits', 'tried') AND older.lane = outbox.lane AND older.id < outbox.id
            AND older.destination = outbox.destination
    )
"""
_FIRST = f"""
    SELECT id, destination, random_id, text, entities FROM outbox
    WHERE state IN ('waits', 'tried') AND lane = ? AND not_before <= ? AND {_IS_FIRST}
    ORDER BY id LIMIT 1
"""  # noqa: S608 - made of constants


def confirm(c: Connection, id_: int, number: int | None, now: datetime) -> None:
    """It stands in the chat, under this number where the chat has numbers."""
    c.execute(
        "UPDATE outbox SET state = 'sent', sent = ?, number = ?, why = NULL WHERE id = ?",
        (to_integer(now), number, id_),
    )


def postpone(c: Connection, id_: int, until: datetime, why: str) -> None:
    """It is not to be tried before this moment."""
    c.execute("UPDATE outbox SET not_before = ?, why = ? WHERE id = ?", (to_integer(until), why, id_))


def refuse(c: Connection, id_: int, why: str) -> None:
    """It will never be sent, and those behind it need not wait for it."""
    c.execute("UPDATE outbox SET state = 'refused', why = ? WHERE id = ?", (why, id_))


async def next_moment(database: Database) -> datetime | None:
    """When the next message may go, which may be past; None when nothing waits."""
    [(moment,)] = await database.rows(
        f"SELECT min(not_before) FROM outbox WHERE state IN ('waits', 'tried') AND {_IS_FIRST}"  # noqa: S608 - likewise
    )
    return None if moment is None else from_integer(moment)


async def depth(database: Database) -> dict[str, int]:
    """How many messages are in each state: waits, tried (it may have been sent), sent, refused."""
    counts = dict(await database.rows("SELECT state, count(*) FROM outbox GROUP BY state"))
    return {state: counts.get(state, 0) for state in ("waits", "tried", "sent", "refused")}


async def told_since(database: Database, since: datetime) -> list[tuple[Destination, datetime]]:
    """Where and when alerts were made from that moment on, oldest first; urgent ones too."""
    rows = await database.rows(
        "SELECT destination, made FROM outbox WHERE made >= ? AND lane IN (?, ?) ORDER BY made, id",
        (to_integer(since), Lane.ALERT.value, Lane.URGENT.value),
    )
    return [(destination(place), from_integer(made)) for place, made in rows]
