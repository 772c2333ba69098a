"""What was sent to each chat of late, and which accounts have to wait: what has to outlive a restart.

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
    """Before ``until`` this account sends nothing, for Telegram has asked it to wait."""

    account: int
    until: datetime
    why: str


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


def rest(c: Connection, account: int, until: datetime, why: str) -> None:
    """An account is asked to wait; of several times the latest counts."""
    c.execute(
        """
        INSERT INTO rest (account, until, why) VALUES (?, ?, ?)
        ON CONFLICT (account) DO UPDATE SET until = excluded.until, why = excluded.why WHERE until < excluded.until
        """,
        (account, to_integer(until), why),
    )


async def rests(database: Database) -> dict[int, Rest]:
    """Until when accounts wait, or have waited, by account."""
    found = await database.rows("SELECT account, until, why FROM rest")
    return {account: Rest(account, from_integer(until), why) for account, until, why in found}
