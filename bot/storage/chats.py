"""Chats as an account addresses them: what a name or an id was found to be, so that Telegram is asked once."""

from __future__ import annotations

from sqlite3 import Connection
from typing import NamedTuple

from bot.storage.database import Database


class Address(NamedTuple):
    """A chat by its marked id; ``access_hash`` is one account's own, 0 where none is needed."""

    chat: int
    access_hash: int = 0


async def address(db: Database, account: int, written: str) -> Address | None:
    """What this account has found behind ``written`` (``str`` of a destination's chat, or ``@name``)."""
    rows = await db.rows("SELECT chat, access_hash FROM chat WHERE account = ? AND written = ?", (account, written))
    return Address(*rows[0]) if rows else None


async def watched(db: Database, account: int, channel: int) -> Address | None:
    """A channel that this account watches, or once watched, by its marked id."""
    rows = await db.rows("SELECT access_hash FROM peer WHERE account = ? AND channel = ?", (account, channel))
    return Address(channel, rows[0][0]) if rows else None


def put(c: Connection, account: int, written: str, found: Address) -> None:
    """This account has found this behind ``written``."""
    c.execute(
        "INSERT OR REPLACE INTO chat (account, written, chat, access_hash) VALUES (?, ?, ?, ?)",
        (account, written, *found),
    )


def forget(c: Connection, account: int, written: str) -> None:
    """It is to be asked for anew."""
    c.execute("DELETE FROM chat WHERE account = ? AND written = ?", (account, written))
