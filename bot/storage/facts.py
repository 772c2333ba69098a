"""Facts of this installation, one a key: the secret from which random ids are made, who is signed in."""

from __future__ import annotations

import aiosqlite

from bot.storage.database import Database

Fact = str | int | float | bytes

_SECRET = "secret"  # noqa: S105 - the name of it


async def get(db: Database, key: str) -> Fact | None:
    found: list[tuple[Fact]] = await db.rows("SELECT value FROM fact WHERE key = ?", (key,))
    return found[0][0] if found else None


async def put(c: aiosqlite.Connection, key: str, value: Fact) -> None:
    await c.execute("INSERT OR REPLACE INTO fact (key, value) VALUES (?, ?)", (key, value))


async def secret(c: aiosqlite.Connection, fresh: bytes) -> bytes:
    """The installation's secret: 32 ``fresh`` random bytes the first time, and the same ever after."""
    await c.execute("INSERT OR IGNORE INTO fact (key, value) VALUES (?, ?)", (_SECRET, fresh))
    [(kept,)] = await c.execute_fetchall("SELECT value FROM fact WHERE key = ?", (_SECRET,))
    return bytes(kept)
