"""What the operators are told, once a change: of each subject the last notice says how things stand."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from sqlite3 import Connection
from typing import NamedTuple

from bot.model import Notice
from bot.storage.database import Database
from bot.storage.times import from_integer, to_integer

#: What stands in place of a notice where a trouble has ended and nobody need be told.
_SETTLED = ""


class Noted(NamedTuple):
    """A notice as it is stored; ``told`` is when the operators were told of it."""

    id: int
    subject: str
    notice: Notice
    made: datetime
    told: datetime | None


def tell(c: Connection, subject: str, notice: Notice, now: datetime) -> bool:
    """Takes down what the operators have to be told of a subject; not if that was the last thing said of it."""
    if _last(c, subject) == notice.what:
        return False
    c.execute(
        "INSERT INTO notice (subject, what, details, made) VALUES (?, ?, ?, ?)",
        (subject, notice.what, json.dumps(notice.details, ensure_ascii=False), to_integer(now)),
    )
    return True


def settle(c: Connection, subject: str, now: datetime) -> None:
    """A trouble has ended: nobody is told, but if it comes back they are."""
    if _last(c, subject) not in (None, _SETTLED):
        c.execute(
            "INSERT INTO notice (subject, what, details, made, told) VALUES (?, ?, '[]', ?, ?)",
            (subject, _SETTLED, to_integer(now), to_integer(now)),
        )


def _last(c: Connection, subject: str) -> str | None:
    for (what,) in c.execute("SELECT what FROM notice WHERE subject = ? ORDER BY id DESC LIMIT 1", (subject,)):
        return str(what)
    return None


async def untold(database: Database) -> list[Noted]:
    """What the operators have not been told yet, oldest first."""
    return [_noted(row) for row in await database.rows(f"{_SELECT} WHERE told IS NULL ORDER BY id")]


def mark_told(c: Connection, ids: Iterable[int], now: datetime) -> None:
    """The operators have been told of these."""
    c.executemany("UPDATE notice SET told = ? WHERE id = ?", [(to_integer(now), id_) for id_ in ids])


async def recent(database: Database, limit: int) -> list[Noted]:
    """The newest notices, told or not, newest first."""
    rows = await database.rows(f"{_SELECT} WHERE what != ? ORDER BY id DESC LIMIT ?", (_SETTLED, limit))
    return [_noted(row) for row in rows]


_SELECT = "SELECT id, subject, what, details, made, told FROM notice"


def _noted(row: tuple[int, str, str, str, int, int | None]) -> Noted:
    id_, subject, what, details, made, told = row
    notice = Notice(what, tuple(json.loads(details)))
    return Noted(id_, subject, notice, from_integer(made), None if told is None else from_integer(told))
