"""What the operators are told, once a change: of each subject the last notice says how things stand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from sqlite3 import Connection
from typing import NamedTuple

from bot.model import Notice
from bot.storage import facts
from bot.storage.database import Database
from bot.storage.times import from_integer, to_integer

#: Of what a service has done about the file of its configuration, and of one that it cannot use (`bot.reload`).
CONFIGURATION, CONFIGURATION_ERROR = "configuration", "configuration error"
#: What stands in place of a notice where a trouble has ended and nobody need be told.
_SETTLED = ""
#: How the fact begins that says what was announced of a subject: ``["of", "what", "detail", …]``.
_ANNOUNCED = "announced "
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


def announce(c: Connection, subject: str, notice: Notice, of: str) -> None:
    """Takes down what is about to be done: it is said once it is (`say_announced`), be it by the next process.

    ``of`` tells it from what may be found to be done then.
    """
    kept = [of, notice.what, *notice.details]
    facts.put(c, f"{_ANNOUNCED}{subject}", json.dumps(kept, ensure_ascii=False))


def say_announced(c: Connection, subject: str, of: str, now: datetime) -> None:
    """Says what was announced, if anything was, and this it is that was done."""
    if isinstance(kept := facts.take(c, f"{_ANNOUNCED}{subject}"), str):
        announced, what, *details = json.loads(kept)
        if announced == of:
            say(c, subject, Notice(what, tuple(details)), now)


def withdraw(c: Connection, subject: str) -> None:
    """What was announced is not done."""
    facts.take(c, f"{_ANNOUNCED}{subject}")


def settle(c: Connection, subject: str, now: datetime) -> None:
    """A trouble has ended: nobody is told, but if it comes back they are."""
    if stands(c, subject):
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


def stands(c: Connection, subject: str) -> bool:
    """Whether the operators were told of a trouble of this subject that has not ended."""
    return _last(c, subject) not in (None, _SETTLED)


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


async def overtaken(database: Database, untold: Iterable[Noted]) -> frozenset[int]:
    """Which of these (by id), which somebody has not been told yet, need not be told any more.

    Of a configuration that cannot be used the last word counts: not a trouble that has ended, nor its end where nothing
    of the trouble was told.
    """
    late = {one.id for one in untold if one.subject == CONFIGURATION_ERROR}
    if not late:
        return frozenset()
    sql = "SELECT id, what, made FROM notice WHERE subject = ? ORDER BY id"
    counts: int | None = None
    said: list[tuple[int, int]] = []
    for id_, what, made in await database.rows(sql, (CONFIGURATION_ERROR,)):
        if what != _SETTLED:
            said.append((id_, made))
            counts = id_
            continue
        # Its end, where that is told, was written at the same moment.
        ended = bool(said) and said[-1][1] == made and any(one not in late for one, _ in said[:-1])
        counts, said = counts if ended else None, []
    return frozenset(late - {counts})


def by_kind(several: Iterable[Noted]) -> tuple[list[Noted], list[Noted]]:
    """What is of the configuration, and so of what somebody does; and the others."""
    found: tuple[list[Noted], list[Noted]] = [], []
    for one in several:
        found[one.subject not in (CONFIGURATION, CONFIGURATION_ERROR)].append(one)
    return found


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


async def last(database: Database, subject: str) -> Notice | None:
    """What was said last of a subject; None where that is settled, or nothing was."""
    rows = await database.rows(f"{_SELECT} WHERE subject = ? ORDER BY id DESC LIMIT 1", (subject,))
    return next((_noted(row).notice for row in rows if row[2] != _SETTLED), None)


def mark_of(url: str) -> str:
    """By which a notification URL, a credential, is known here."""
    return hashlib.sha256(url.encode()).hexdigest()[:16]


def owe(c: Connection, ids: Iterable[int], marks: Iterable[str]) -> None:
    """These are to be sent to the notification URLs, by their marks; each is asked for once.

    Of others than these nothing is kept.
    """
    upto, owed = _owed(_kept(c))
    fresh = sorted(id_ for id_ in ids if id_ > upto)
    if fresh:
        facts.put(c, _OWED, _owing(fresh[-1], {mark: [*owed.get(mark, ()), *fresh][-_MOST_OWED:] for mark in marks}))


async def owed(database: Database) -> dict[str, list[Noted]]:
    """What the notification URLs are still to get, by their marks, oldest first."""
    _, owed = _owed(await facts.get(database, _OWED))
    wanted = json.dumps(sorted({id_ for ids in owed.values() for id_ in ids}))
    sql = f"{_SELECT} WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608 - made of constants
    found = {row[0]: _noted(row) for row in await database.rows(sql, (wanted,))}
    return {mark: [found[id_] for id_ in ids if id_ in found] for mark, ids in owed.items() if ids}


def paid(c: Connection, mark: str, ids: Iterable[int]) -> None:
    """A notification URL has got these, or will not get them."""
    upto, owed = _owed(_kept(c))
    done = set(ids)
    facts.put(c, _OWED, _owing(upto, owed | {mark: [id_ for id_ in owed.get(mark, ()) if id_ not in done]}))


#: The fact that says up to which notice it was seen to, and of each URL what it is not sent yet:
#: ``{"upto": 12, "owed": {"5f0a…": [11, 12]}}``.
_OWED = "notices owed"
#: A URL that takes nothing for hours gets the newest.
_MOST_OWED = 200


def _kept(c: Connection) -> object:
    for (value,) in c.execute("SELECT value FROM fact WHERE key = ?", (_OWED,)):
        return value
    return None


def _owed(kept: object) -> tuple[int, dict[str, list[int]]]:
    if not isinstance(kept, str):
        return 0, {}
    found = json.loads(kept)
    return found["upto"], found["owed"]


def _owing(upto: int, owed: dict[str, list[int]]) -> str:
    return json.dumps({"upto": upto, "owed": owed})


async def recent(database: Database, limit: int) -> list[Noted]:
    """The newest notices, told or not, newest first."""
    rows = await database.rows(f"{_SELECT} WHERE what != ? ORDER BY id DESC LIMIT ?", (_SETTLED, limit))
    return [_noted(row) for row in rows]


_SELECT = "SELECT id, subject, what, details, made, told FROM notice"


def _noted(row: tuple[int, str, str, str, int, int | None]) -> Noted:
    id_, subject, what, details, made, told = row
    notice = Notice(what, tuple(json.loads(details)))
    return Noted(id_, subject, notice, from_integer(made), None if told is None else from_integer(told))
