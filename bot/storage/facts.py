"""Facts of this installation, one a key: the secret from which random ids are made, who is signed in."""

from __future__ import annotations

from sqlite3 import Connection

from bot.storage.database import Database

Fact = str | int | float | bytes

_SECRET = "secret"  # noqa: S105 - the name of it


async def get(db: Database, key: str) -> Fact | None:
    found: list[tuple[Fact]] = await db.rows("SELECT value FROM fact WHERE key = ?", (key,))
    return found[0][0] if found else None


def put(c: Connection, key: str, value: Fact) -> None:
    c.execute("INSERT OR REPLACE INTO fact (key, value) VALUES (?, ?)", (key, value))


def take(c: Connection, key: str) -> Fact | None:
    """What stands there; from now on nothing does."""
    found: list[tuple[Fact]] = c.execute("DELETE FROM fact WHERE key = ? RETURNING value", (key,)).fetchall()
    return found[0][0] if found else None


def secret(c: Connection, fresh: bytes) -> bytes:
    """The installation's secret: 32 ``fresh`` random bytes the first time, and the same ever after."""
    c.execute("INSERT OR IGNORE INTO fact (key, value) VALUES (?, ?)", (_SECRET, fresh))
    [(kept,)] = c.execute("SELECT value FROM fact WHERE key = ?", (_SECRET,))
    return bytes(kept)
