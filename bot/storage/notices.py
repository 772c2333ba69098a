"""What the operators are told, once a change: of each subject the last notice says how things stand."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from sqlite3 import Connection
from typing import NamedTuple

from bot.model import Notice
from bot.storage import facts
from bot.storage.database import Database
from bot.storage.times import from_integer, to_integer

#: What stands in place of a notice where a trouble has ended and nobody need be told.
_SETTLED = ""
#: The same trouble of the same subject is told so many times within so long.
_OFTEN, _LATE = 3, timedelta(hours=1)
_COMES_AND_GOES = "It comes and goes: it is told again when it has stayed away. vedette status says how it stands."


class Noted(NamedTuple):
    """A notice as it is stored; ``told`` is when the operators were told of it."""

    id: int
    subject: str
    notice: Notice
    made: datetime
    told: datetime | None


def tell(c: Connection, subject: str, notice: Notice, now: datetime) -> bool:
    """Takes down what the operators have to be told of a subject; not if that was the last thing said of it.

    What comes and goes is told a few times an hour, the last time with a word about it; after that it is taken down as
    if it had been told. False where they hear nothing of it.
    """
    if _last(c, subject) == notice.what:
        return False
    before = _times(c, subject, notice.what, now)
    if before == _OFTEN - 1:
        notice = Notice(notice.what, (*notice.details, _COMES_AND_GOES))
    _put(c, subject, notice, now, told=before >= _OFTEN)
    return before < _OFTEN


def say(c: Connection, subject: str, notice: Notice, now: datetime) -> None:
    """Takes down what the operators have to be told whatever was said before: what somebody did, and no trouble."""
    _put(c, subject, notice, now, told=False)


def settle(c: Connection, subject: str, now: datetime) -> None:
    """A trouble has ended: nobody is told, but if it comes back they are."""
    if _last(c, subject) not in (None, _SETTLED):
        _put(c, subject, Notice(_SETTLED), now, told=True)


def mend(c: Connection, subject: str, notice: Notice, now: datetime) -> bool:
    """A trouble has ended, and the operators, who have heard of it, hear of that too; False where they do not.

    If it comes back it is told again. Of what comes and goes too often they keep what they heard last, the trouble.
    """
    trouble = _last(c, subject)
    if trouble in (None, _SETTLED):
        return False
    heard = _times(c, subject, str(trouble), now) < _OFTEN
    if heard:
        _put(c, subject, notice, now, told=False)
    _put(c, subject, Notice(_SETTLED), now, told=True)
    return heard


def _put(c: Connection, subject: str, notice: Notice, now: datetime, *, told: bool) -> None:
    details = json.dumps(notice.details, ensure_ascii=False)
    c.execute(
        "INSERT INTO notice (subject, what, details, made, told) VALUES (?, ?, ?, ?, ?)",
        (subject, notice.what, details, to_integer(now), to_integer(now) if told else None),
    )


def _times(c: Connection, subject: str, what: str, now: datetime) -> int:
    """How often that was said of the subject of late."""
    since = to_integer(now - _LATE)
    [(times,)] = c.execute(
        "SELECT count(*) FROM notice WHERE subject = ? AND what = ? AND made > ?", (subject, what, since)
    )
    return int(times)


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


async def standing(database: Database, kind: str) -> dict[str, str]:
    """What was said last of each subject that begins so, where that is not settled; by the rest of its name."""
    rows = await database.rows(
        "SELECT subject, what FROM notice WHERE what != ? AND id IN "
        "(SELECT max(id) FROM notice WHERE subject >= ? AND subject < ? || char(1114111) GROUP BY subject) ORDER BY id",
        (_SETTLED, kind, kind),
    )
    return {subject.removeprefix(kind): what for subject, what in rows}


def owe(c: Connection, ids: Iterable[int], *, to_urls: bool) -> None:
    """These are to be sent to the notification URLs, where there are any (``to_urls``); each is asked for once."""
    upto, owed = _owed(_kept(c))
    fresh = sorted(id_ for id_ in ids if id_ > upto)
    if fresh:
        facts.put(c, _OWED, json.dumps({"upto": fresh[-1], "owed": [*owed, *fresh] if to_urls else owed}))


async def owed(database: Database) -> list[Noted]:
    """What the notification URLs are still to get, oldest first."""
    _, ids = _owed(await facts.get(database, _OWED))
    return [_noted(row) for id_ in ids for row in await database.rows(f"{_SELECT} WHERE id = ?", (id_,))]


def paid(c: Connection, ids: Iterable[int]) -> None:
    """The notification URLs have got these, or will not get them."""
    upto, owed = _owed(_kept(c))
    done = set(ids)
    facts.put(c, _OWED, json.dumps({"upto": upto, "owed": [id_ for id_ in owed if id_ not in done]}))


#: The fact that says up to which notice it was seen to, and what is not sent yet: ``{"upto": 12, "owed": [11, 12]}``.
_OWED = "notices owed"


def _kept(c: Connection) -> object:
    for (value,) in c.execute("SELECT value FROM fact WHERE key = ?", (_OWED,)):
        return value
    return None


def _owed(kept: object) -> tuple[int, list[int]]:
    found = json.loads(kept) if isinstance(kept, str) else {}
    return int(found.get("upto", 0)), [*map(int, found.get("owed", ()))]


async def recent(database: Database, limit: int) -> list[Noted]:
    """The newest notices, told or not, newest first."""
    rows = await database.rows(f"{_SELECT} WHERE what != ? ORDER BY id DESC LIMIT ?", (_SETTLED, limit))
    return [_noted(row) for row in rows]


_SELECT = "SELECT id, subject, what, details, made, told FROM notice"


def _noted(row: tuple[int, str, str, str, int, int | None]) -> Noted:
    id_, subject, what, details, made, told = row
    notice = Notice(what, tuple(json.loads(details)))
    return Noted(id_, subject, notice, from_integer(made), None if told is None else from_integer(told))
