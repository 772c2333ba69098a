"""In which form a forwarded post was begun to be told: repeated is only what may stand in the chat already.

Written down before the request, since nobody may be left to write it down after, and taken back where Telegram has
answered that it does not stand there.
"""

from __future__ import annotations

from sqlite3 import Connection

from bot.storage.database import Database

#: The post may stand there; it does, and its header may.
POST, HEADER = "post", "header"
_EXCERPT = "excerpt"


def excerpt(code: str) -> str:
    """The excerpt may stand there, since the post was refused with this code."""
    return f"{_EXCERPT} {code}"


def refusal(form: str | None) -> str | None:
    """The code with which the post was refused; None where not the excerpt was begun."""
    kind, _, code = (form or "").partition(" ")
    return code if kind == _EXCERPT else None


async def begun(db: Database, message: int) -> str | None:
    """What may stand in the chat of a message of the outbox, by its number there; None: nothing."""
    rows = await db.rows("SELECT begun FROM outbox WHERE id = ?", (message,))
    return rows[0][0] if rows else None


def begin(c: Connection, message: int, form: str | None) -> None:
    """From now on that may stand there; None: nothing does."""
    c.execute("UPDATE outbox SET begun = ? WHERE id = ?", (form, message))
