"""Telegram's quotas, as they have to outlive a restart: calls of late, waits that were asked for, the pace."""

from __future__ import annotations

from datetime import datetime
from sqlite3 import Connection
from typing import NamedTuple

from bot.storage.database import Database
from bot.storage.times import from_integer, to_integer


class StoredQuota(NamedTuple):
    """``until``: before then the method is not to be called. ``share``: of the pace, what is used since ``changed``."""

    until: datetime
    share: float
    changed: datetime


async def calls(db: Database, since: datetime) -> list[tuple[str, datetime]]:
    """Method and time of each call noted at ``since`` or later, in the order in which they were noted."""
    found = await db.rows("SELECT method, at FROM call WHERE at >= ? ORDER BY id", (to_integer(since),))
    return [(method, from_integer(at)) for method, at in found]


def note_call(c: Connection, method: str, at: datetime, forget: datetime) -> None:
    """Those of the method before ``forget`` are forgotten."""
    c.execute("DELETE FROM call WHERE method = ? AND at < ?", (method, to_integer(forget)))
    c.execute("INSERT INTO call (method, at) VALUES (?, ?)", (method, to_integer(at)))


async def quotas(db: Database) -> dict[str, StoredQuota]:
    found = await db.rows("SELECT method, until, share, changed FROM quota")
    return {
        method: StoredQuota(from_integer(until), share, from_integer(changed))
        for method, until, share, changed in found
    }


def set_quota(c: Connection, method: str, until: datetime, share: float, changed: datetime) -> None:
    c.execute(
        "INSERT OR REPLACE INTO quota (method, until, share, changed) VALUES (?, ?, ?, ?)",
        (method, to_integer(until), share, to_integer(changed)),
    )
