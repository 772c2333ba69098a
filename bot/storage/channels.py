"""Channels: how an account addresses them, how far they were read, and what a configuration calls them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from sqlite3 import Connection
from typing import Any, NamedTuple

from bot.cursor import Cursor
from bot.model import Peer
from bot.standing import Standing
from bot.storage.database import Database
from bot.storage.times import from_integer_if, to_integer, to_integer_if


class Stored(NamedTuple):
    """A channel as one account knows it.

    ``read_at``: when a sweep or a page last showed all that there is; ``checked_at``: when its newest posts were last
    compared with what is stored; ``refused``: why it cannot be read, where that is so; ``since``: when it was first
    read, from which it is counted how far back its history goes. ``tries``: how often it was looked after in vain since
    it was refused, ``look_at`` when it is looked after next; ``join_after``: before then it is not to be joined.
    """

    peer: Peer
    cursor: Cursor
    read_at: datetime | None
    checked_at: datetime | None
    refused: str | None
    since: datetime | None = None
    standing: Standing = Standing.POLLED
    tries: int = 0
    look_at: datetime | None = None
    join_after: datetime | None = None

    def anew(self) -> Stored:
        """As it is for an account, after another one has read: what was refused to that one need not be to this."""
        standing = self.standing if self.standing.lost else well(self.peer)
        return self._replace(standing=standing, tries=0, look_at=None)

    def is_well(self, peer: Peer) -> bool:
        """Whether nothing but the membership, as it is now, says how the account stands with it."""
        return self.refused is None and (peer.joined or self.standing is Standing.JOINED)


def put(c: Connection, account: int, peer: Peer, cursor: Cursor | None, *, since: datetime | None = None) -> None:
    """Takes note of what an account sees of a channel.

    Without a cursor a channel that has none is no more than addressed. A cursor is the first one: where one is stored
    it stays, and so does a ``since``; only `set_cursors` moves them on. A peer without any name comes from an answer
    that tells none, and takes away none.
    """
    c.execute(
        "INSERT INTO peer (account, channel, access_hash, joined) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET access_hash = excluded.access_hash, joined = excluded.joined",
        (account, peer.id, peer.access_hash, peer.joined),
    )
    if cursor is None:
        if (peer.username, peer.title) != (None, None):
            c.execute("UPDATE channel SET username = ?, title = ? WHERE id = ?", (peer.username, peer.title, peer.id))
        return
    c.execute(
        "INSERT INTO channel (id, username, title, standing, since, floor, began, verified, top, pts, history_read) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
        "username = excluded.username, title = excluded.title, since = ifnull(since, excluded.since)",
        (peer.id, peer.username, peer.title, well(peer), to_integer_if(since), *_numbers(cursor)),
    )


def well(peer: Peer) -> Standing:
    """How an account stands with a channel that it can read."""
    return Standing.JOINED if peer.joined else Standing.POLLED


def set_cursors(c: Connection, cursors: Mapping[int, Cursor]) -> None:
    """Of channels that are known; others are left out. One statement, as `bot.storage.posts.put` is."""
    rows = [(channel, *_numbers(cursor)) for channel, cursor in cursors.items()]
    c.execute(_SET_CURSORS, (json.dumps(rows),))


_SET_CURSORS = """
    UPDATE channel SET floor = json_extract(value, '$[1]'), began = json_extract(value, '$[2]'),
        verified = json_extract(value, '$[3]'), top = json_extract(value, '$[4]'), pts = json_extract(value, '$[5]'),
        history_read = json_extract(value, '$[6]')
    FROM json_each(?) WHERE channel.id = json_extract(value, '$[0]')
"""


def set_read(c: Connection, channels: Iterable[int], at: datetime) -> None:
    rows = [(to_integer(at), channel) for channel in channels]
    c.executemany("UPDATE channel SET read_at = ? WHERE id = ?", rows)


def set_checked(c: Connection, channel: int, at: datetime) -> None:
    c.execute("UPDATE channel SET checked_at = ? WHERE id = ?", (to_integer(at), channel))


def set_refused(c: Connection, channel: int, why: str | None) -> None:
    c.execute("UPDATE channel SET refused = ? WHERE id = ?", (why, channel))


def set_standing(
    c: Connection, channel: int, standing: Standing, *, tries: int = 0, look_at: datetime | None = None
) -> None:
    c.execute(
        "UPDATE channel SET standing = ?, tries = ?, look_at = ? WHERE id = ?",
        (standing.value, tries, to_integer_if(look_at), channel),
    )


def set_join_after(c: Connection, account: int, channel: int, at: datetime | None) -> None:
    """Before then this account is not to try to join the channel; None: it may now."""
    c.execute("UPDATE peer SET join_after = ? WHERE account = ? AND channel = ?", (to_integer_if(at), account, channel))


async def all(db: Database, account: int) -> dict[int, Stored]:  # noqa: A001 - read as channels.all
    """The channels that this account can address and that have a cursor, by their marked ids."""
    found = await db.rows(
        "SELECT c.id, p.access_hash, c.username, c.title, p.joined, c.read_at, c.checked_at, c.refused, c.since, "
        "c.standing, c.tries, c.look_at, p.join_after, c.floor, c.began, c.verified, c.top, c.pts, c.history_read "
        "FROM channel AS c JOIN peer AS p ON p.channel = c.id AND p.account = ? ORDER BY c.id",
        (account,),
    )
    return {row[0]: _stored(row) for row in found}


def _stored(row: tuple[Any, ...]) -> Stored:
    id_, access_hash, username, title, joined, read_at, checked_at, refused, since, *rest = row
    standing, tries, look_at, join_after, *numbers = rest
    return Stored(
        Peer(id=id_, access_hash=access_hash, username=username, title=title, joined=bool(joined)),
        _cursor(numbers),
        from_integer_if(read_at),
        from_integer_if(checked_at),
        refused,
        from_integer_if(since),
        Standing(standing),
        tries,
        from_integer_if(look_at),
        from_integer_if(join_after),
    )


async def cursors(db: Database) -> dict[int, Cursor]:
    """How far each channel was read, by whatever account: another one goes on from there."""
    found = await db.rows("SELECT id, floor, began, verified, top, pts, history_read FROM channel")
    return {channel: _cursor(numbers) for channel, *numbers in found}


def refer(c: Connection, written: str, channel: int) -> None:
    """What a configuration writes (``@name``, ``t.me/+code``, ``-100…``) means this channel from now on."""
    c.execute(
        "INSERT INTO reference (written, channel) VALUES (?, ?) "
        "ON CONFLICT (written) DO UPDATE SET channel = excluded.channel, checked = NULL "
        "WHERE channel != excluded.channel",
        (written, channel),
    )


async def references(db: Database) -> dict[str, int]:
    return dict(await db.rows("SELECT written, channel FROM reference"))


def _numbers(cursor: Cursor) -> tuple[int, ...]:
    return cursor.floor, cursor.began, cursor.verified, cursor.top, cursor.pts, int(cursor.history_read)


def _cursor(numbers: Sequence[int]) -> Cursor:
    """Of what `_numbers` made."""
    floor, began, verified, top, pts, history_read = numbers
    return Cursor(floor=floor, began=began, verified=verified, top=top, pts=pts, history_read=bool(history_read))
