"""Posts: one row for each number under which something stands, and how messages read before they were edited."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from sqlite3 import Connection
from typing import Any, NamedTuple

from bot.model import Stands
from bot.storage.database import Database
from bot.storage.times import from_integer, from_integer_if, to_integer, to_integer_if


class Message(NamedTuple):
    """What stands under a number of a channel (marked id); a member of an album is a row of its own.

    ``post``: the number of the post that it belongs to. ``date``: when it was posted, ``seen`` when it was first
    committed here. ``body``: a recording's line without its channel; ``digest``: what an edit changes. What is no
    post has neither.
    """

    channel: int
    number: int
    stands: Stands
    album: int | None
    post: int
    date: datetime | None
    seen: datetime
    deleted: datetime | None
    digest: bytes | None
    body: str | None


_COLUMNS = "channel, number, stands, album, post, date, seen, deleted, digest, body"
_FIELDS = ", ".join(f"json_extract(value, '$[{at}]')" for at in range(len(_COLUMNS.split(", "))))
_PUT = (
    f"INSERT INTO message ({_COLUMNS}) SELECT {_FIELDS} FROM json_each(?) WHERE true "  # noqa: S608 - names of ours
    "ON CONFLICT (channel, number) DO UPDATE SET stands = excluded.stands, album = excluded.album, "
    "post = excluded.post, date = excluded.date, seen = excluded.seen, deleted = excluded.deleted, "
    "digest = excluded.digest, body = excluded.body"
)
_OF_M = ", ".join(f"m.{column}" for column in _COLUMNS.split(", "))
#: One statement for any number of channels and numbers: ``{"-100…": [1, 2]}``. What is asked for leads (CROSS JOIN).
_ASKED = f"SELECT {_OF_M} FROM json_each(?) AS c CROSS JOIN json_each(c.value) AS n CROSS JOIN message AS m "  # noqa: S608 - names of ours
_NUMBERS = f"{_ASKED} ON m.channel = CAST(c.key AS INT) AND m.number = n.value"
_ALBUMS = f"{_ASKED} INDEXED BY message_album ON m.channel = CAST(c.key AS INT) AND m.album = n.value"


def packed(messages: Iterable[Message]) -> str:
    """Rows as `put` wants them. To be made beforehand: a transaction that needs Python's lock for long waits for it."""
    return f"[{','.join(map(_row, messages))}]"


def put(c: Connection, rows: str) -> None:
    """Inserts rows, or replaces them as a whole.

    One statement for all: with one for each, the thread would have to ask for Python's lock after every row, and gets
    it late while pushes are read. Not REPLACE, which would take a row out of every index and put it back.
    """
    c.execute(_PUT, (rows,))


def _row(one: Message) -> str:
    """The columns as JSON. A body is JSON itself, and SQLite gives it back as it is: nothing needs escaping."""
    date, deleted = to_integer_if(one.date), to_integer_if(one.deleted)
    digest = "null" if one.digest is None else f'"{one.digest.hex()}"'
    return (
        f'[{one.channel},{one.number},"{one.stands.value}",{_number(one.album)},{one.post},{_number(date)},'
        f"{to_integer(one.seen)},{_number(deleted)},{digest},"
        f"{one.body or 'null'}]"
    )


def _number(number: int | None) -> str:
    return "null" if number is None else str(number)


def keep_versions(c: Connection, versions: Iterable[tuple[int, int, datetime, str]]) -> None:
    """Keeps bodies as they read until then: channel, number, until, body."""
    c.executemany(
        "INSERT OR IGNORE INTO version (channel, number, until, body) VALUES (?, ?, ?, ?)",
        [(channel, number, to_integer(until), body) for channel, number, until, body in versions],
    )


def move(c: Connection, moves: Iterable[tuple[int, int, int]]) -> None:
    """Gives posts another number: channel, old, new. An album gets a lower one when an earlier part of it arrives.

    The rows of the album, what was found in it, what is held of it and what messages say of it go along; its row in a
    story is renamed by `bot.storage.stories.rename`.
    """
    known = [{"channel": channel, "old": old, "new": new} for channel, old, new in moves]
    c.executemany(
        "UPDATE message INDEXED BY message_album SET post = :new WHERE channel = :channel AND album = "
        "(SELECT album FROM message WHERE channel = :channel AND number = :old)",
        known,
    )
    for table in ("match", "held", "says"):
        c.executemany(
            f"UPDATE OR REPLACE {table} SET number = :new WHERE channel = :channel AND number = :old",  # noqa: S608 - names of ours
            known,
        )


async def known(
    db: Database, wanted: Mapping[int, Collection[int]], albums: Mapping[int, Collection[int]]
) -> list[Message]:
    """The stored rows of these numbers of channels, and all rows of these albums, each once, in no order."""
    found: dict[tuple[int, int], Message] = {}
    for asked, sql in ((wanted, _NUMBERS), (albums, _ALBUMS)):
        if any(asked.values()):
            for row in await db.rows(sql, (json.dumps({channel: list(of) for channel, of in asked.items()}),)):
                found[row[0], row[1]] = _message(row)
    return list(found.values())


async def above(db: Database) -> dict[int, set[int]]:
    """Of each channel that has some, the numbers that are stored above its cursor."""
    found: dict[int, set[int]] = {}
    for channel, number in await db.rows(
        "SELECT c.id, m.number FROM channel AS c CROSS JOIN message AS m ON m.channel = c.id AND m.number > c.verified"
    ):
        found.setdefault(channel, set()).add(number)
    return found


async def numbers(db: Database, channel: int, low: int, high: int) -> set[int]:
    """From low to high, both included, the numbers under which a post stands that was not seen to be deleted."""
    sql = (
        "SELECT number FROM message WHERE channel = ? AND number BETWEEN ? AND ? AND stands = 'post' "
        "AND deleted IS NULL"
    )
    return {number for (number,) in await db.rows(sql, (channel, low, high))}


async def unreadable(db: Database, channel: int, above: int) -> set[int]:
    """The numbers above this one under which something stands that could not be read."""
    sql = "SELECT number FROM message WHERE channel = ? AND number > ? AND stands = 'unreadable'"
    return {number for (number,) in await db.rows(sql, (channel, above))}


async def bodies(db: Database, channel: int, limit: int) -> list[str]:
    """What a channel's newest posts say, the oldest of them first: its footers are learnt from them."""
    sql = "SELECT body FROM message WHERE channel = ? AND body IS NOT NULL ORDER BY number DESC LIMIT ?"
    return [body for (body,) in reversed(await db.rows(sql, (channel, limit)))]


async def newest(db: Database, channels: Iterable[int]) -> dict[int, datetime]:
    """When the newest post of each of these channels was posted, of those that have one."""
    sql = (
        "SELECT c.value, (SELECT date FROM message WHERE channel = c.value AND stands = 'post' "
        "ORDER BY number DESC LIMIT 1) AS date FROM json_each(?) AS c WHERE date IS NOT NULL"
    )
    return {channel: from_integer(date) for channel, date in await db.rows(sql, (json.dumps([*channels]),))}


async def dates(db: Database, channels: Iterable[int]) -> dict[int, list[datetime]]:
    """When the newest posts of these channels were posted, in the order of their numbers: of the last `MOST_DATED`."""
    sql = (
        "SELECT m.channel, m.date FROM json_each(?) AS c CROSS JOIN message AS m ON m.channel = c.value "
        "AND m.number > (SELECT max(number) FROM message WHERE channel = c.value) - ? WHERE m.stands = 'post' "
        "ORDER BY m.channel, m.number"
    )
    found: dict[int, list[datetime]] = {}
    for channel, date in await db.rows(sql, (json.dumps([*channels]), MOST_DATED)):
        found.setdefault(channel, []).append(from_integer(date))
    return found


#: Numbers of a channel that are looked at for its dates: a month of a hundred a day.
MOST_DATED = 3_000


async def count(db: Database) -> int:
    """How many posts are stored, deleted ones too; an album is one."""
    [(found,)] = await db.rows("SELECT count(*) FROM message WHERE number = post AND stands = 'post'")
    return int(found)


def _message(row: tuple[Any, ...]) -> Message:
    channel, number, stands, album, post, date, seen, deleted, digest, body = row
    return Message(
        *(channel, number, _STANDS[stands], album, post, from_integer_if(date)),
        *(from_integer(seen), from_integer_if(deleted), None if digest is None else bytes.fromhex(digest), body),
    )


_STANDS = {stands.value: stands for stands in Stands}
