"""What was sent to each chat of late, and who has to wait, or for which chat: what has to outlive a restart.

A call is written down before it is made, with the latest moment at which it can be over; after it, that moment is put
right (`bot.pacing`).
"""

from __future__ import annotations

from datetime import datetime
from sqlite3 import Connection
from typing import NamedTuple

from bot.pacing import CALL, SPAN, Attempt
from bot.storage.database import Database
from bot.storage.times import from_integer, to_integer


class Rest(NamedTuple):
    """Before ``until`` this account sends nothing, for Telegram has asked it, at ``noted``, to wait."""

    account: int
    until: datetime
    why: str
    noted: datetime


class Hold(NamedTuple):
    """Before ``until`` a chat takes nothing (``place``: its marked id), or a destination is not looked for."""

    place: str
    until: datetime
    noted: datetime


def begin(c: Connection, chat: int, messages: int, now: datetime) -> int:
    """A call that puts so many messages into a chat is about to be made. Returns its number; old ones are forgotten."""
    c.execute("DELETE FROM attempt WHERE chat = ? AND at <= ?", (chat, to_integer(now - SPAN)))
    done = c.execute(
        "INSERT INTO attempt (chat, at, messages) VALUES (?, ?, ?)", (chat, to_integer(now + CALL), messages)
    )
    return int(done.lastrowid or 0)


def end(c: Connection, attempt: int, ended: datetime) -> None:
    """It is over, or will be by then."""
    c.execute("UPDATE attempt SET at = ? WHERE id = ?", (to_integer(ended), attempt))


async def attempts(database: Database) -> dict[int, dict[int, Attempt]]:
    """Those that are remembered, by chat and number."""
    found: dict[int, dict[int, Attempt]] = {}
    for id_, chat, at, messages in await database.rows("SELECT id, chat, at, messages FROM attempt ORDER BY id"):
        found.setdefault(chat, {})[id_] = Attempt(from_integer(at), messages)
    return found


def rest(c: Connection, account: int, until: datetime, why: str, now: datetime) -> None:
    """An account is asked to wait; of several times the latest counts."""
    c.execute(
        """
        INSERT INTO rest (account, until, why, noted) VALUES (?, ?, ?, ?)
        ON CONFLICT (account) DO UPDATE SET until = excluded.until, why = excluded.why, noted = excluded.noted
            WHERE until < excluded.until OR noted > excluded.noted
        """,
        (account, to_integer(until), why, to_integer(now)),
    )


async def rests(database: Database) -> dict[int, Rest]:
    """Until when accounts wait, or have waited, by account."""
    found = await database.rows("SELECT account, until, why, noted FROM rest")
    return {
        account: Rest(account, from_integer(until), why, from_integer(noted)) for account, until, why, noted in found
    }


def hold(c: Connection, place: str, until: datetime, now: datetime) -> None:
    """A chat, or a destination, is to be left alone until then; what is over is forgotten."""
    c.execute("DELETE FROM hold WHERE until <= ?", (to_integer(now),))
    c.execute(
        "INSERT OR REPLACE INTO hold (place, until, noted) VALUES (?, ?, ?)",
        (place, to_integer(until), to_integer(now)),
    )


async def holds(database: Database) -> list[Hold]:
    """What is to be left alone, or was."""
    found = await database.rows("SELECT place, until, noted FROM hold")
    return [Hold(place, from_integer(until), from_integer(noted)) for place, until, noted in found]
