"""Removes what is older than is wanted, a little at a time, and never what something still waits for.

Of a channel the oldest numbers go, up to one below which nothing is needed any more, so that its `floor` says which: no
number at or below it is ever taken for new. Nothing is looked for by its age alone, so no index is kept for it.
"""

from __future__ import annotations

import time
from datetime import datetime
from sqlite3 import Connection
from typing import NamedTuple

from bot.storage import posts
from bot.storage.database import Database
from bot.storage.outbox import NEVER
from bot.storage.times import to_integer

#: Rows of one table that one transaction removes at most: some five milliseconds.
MOST = 100
#: Of each channel so many numbers stay, whatever their age: deep checks compare a hundred, footers are learnt of sixty.
NEWEST = 100
#: Of a hundred pages so many may be free: what comes next needs them. Of more the file is rid, for so many seconds at a
#: time: one page takes from microseconds to milliseconds, for SQLite looks for it among all that are free.
_SPARE, _SHORTLY = 10, 0.005
#: So far apart may the numbers of one album be.
_ALBUM = 50


class Bounds(NamedTuple):
    """What is older than that goes: posts; what is known of stories; messages that were sent, and all that they tell.

    ``editable``: messages made since may still be edited. ``digests``: they are made, so what none has told is needed.
    """

    posts: datetime
    stories: datetime
    letters: datetime
    editable: datetime
    digests: bool


async def newest(db: Database) -> datetime | None:
    """The latest date of a post, as Telegram tells it; None where there is none."""
    dates = await posts.newest(db, [channel for (channel,) in await db.rows("SELECT id FROM channel")])
    return max(dates.values(), default=None)


async def channels(db: Database, before: datetime) -> list[int]:
    """Those whose oldest post is older than that, and whose first reading has come to its end."""
    sql = """
        SELECT id FROM channel WHERE history_read AND ? > (
            SELECT date FROM message WHERE channel = channel.id AND date IS NOT NULL ORDER BY number LIMIT 1
        )
    """
    return [channel for (channel,) in await db.rows(sql, (to_integer(before),))]


def upto(c: Connection, channel: int, bounds: Bounds) -> int | None:
    """The highest number of a channel that can be removed now with all below it, of its oldest `MOST`; None: none."""
    asked = {
        "channel": channel,
        "most": MOST,
        "newest": NEWEST - 1,
        "before": to_integer(bounds.posts),
        "editable": to_integer(bounds.editable),
        "digests": bounds.digests,
    }
    [(lowest, last)] = c.execute(_OLDEST, asked)
    if lowest is None:
        return None
    asked["last"] = last
    edge = min([last + 1, *(number for (number,) in c.execute(_STAYS, asked) if number is not None)])
    # An album goes whole or stays whole, and is known by its lowest number.
    while (found := c.execute(_ACROSS, (channel, edge, edge + _ALBUM, edge)).fetchone()[0]) is not None:
        edge = found
    return edge - 1 if edge > lowest else None


_OLDEST = """
    SELECT min(number), max(number) FROM (
        SELECT number FROM message WHERE channel = :channel ORDER BY number LIMIT :most
    )
"""
#: Of each thing that keeps posts the lowest number that has to stay, up to `:last`.
_STAYS = f"""
    SELECT min(number) FROM message WHERE channel = :channel AND number <= :last AND date >= :before
    UNION ALL SELECT ifnull(
        (SELECT number FROM message WHERE channel = :channel ORDER BY number DESC LIMIT 1 OFFSET :newest), 0
    )
    UNION ALL SELECT verified + 1 FROM channel WHERE id = :channel
    UNION ALL SELECT min(number) FROM match
        WHERE channel = :channel AND number <= :last AND digest IS NULL AND :digests
    UNION ALL SELECT min(h.number) FROM bundle AS b CROSS JOIN held AS h ON h.bundle = b.id
        WHERE b.told IS NULL AND h.channel = :channel
    UNION ALL SELECT min(s.number) FROM says AS s CROSS JOIN outbox AS o ON o.id = s.message
        WHERE s.channel = :channel AND s.number <= :last AND (
            o.made > :editable OR o.state IN ('waits', 'tried') OR o.state = 'refused' AND o.not_before < {NEVER}
        )
"""  # noqa: S608 - made of constants
_ACROSS = "SELECT min(post) FROM message WHERE channel = ? AND number >= ? AND number < ? AND post < ?"


def forget(c: Connection, channel: int, number: int) -> tuple[int, int]:
    """Removes a channel up to this number, with what was found there; how many messages and matches that were."""
    place = (channel, number)
    [(date,)] = c.execute("SELECT max(date) FROM message WHERE channel = ? AND number <= ?", place)
    c.execute("DELETE FROM version WHERE channel = ? AND number <= ?", place)
    matches = c.execute("DELETE FROM match WHERE channel = ? AND number <= ?", place).rowcount
    messages = c.execute("DELETE FROM message WHERE channel = ? AND number <= ?", place).rowcount
    c.execute("UPDATE channel SET floor = max(floor, ?) WHERE id = ?", (number, channel))
    # What `bot.backfill` knows to be stored begins later now.
    c.execute(
        "UPDATE fact SET value = max(value, ?) WHERE key = ?",
        (0 if date is None else date + 1, f"backfilled {channel}"),
    )
    return messages, matches


def forget_stories(c: Connection, before: datetime) -> int:
    """Members of stories whose posts are that old and stored no more; with the last of a story what was told of it."""
    gone = c.execute(_MEMBERS, (to_integer(before), MOST)).fetchall()
    c.executemany(
        "DELETE FROM told WHERE story = ? AND NOT EXISTS (SELECT 1 FROM member WHERE story = told.story)",
        sorted(set(gone)),
    )
    return len(gone)


_MEMBERS = """
    DELETE FROM member WHERE id IN (
        SELECT id FROM member AS m WHERE date < ? AND NOT EXISTS (
            SELECT 1 FROM message WHERE channel = CAST(substr(m.post, 1, instr(m.post, '/') - 1) AS INT)
                AND number = CAST(substr(m.post, instr(m.post, '/') + 1) AS INT)
        ) ORDER BY date LIMIT ?
    ) RETURNING story
"""


def forget_letters(c: Connection, before: datetime) -> int:
    """Messages that were sent, or given up, before that, with what they said."""
    return c.execute(_LETTERS, (MOST, to_integer(before))).rowcount


#: The newest row of a table stays where its number is never to be given again: keys are made of it.
_LETTERS = f"""
    DELETE FROM outbox WHERE id < (SELECT max(id) FROM outbox) AND id IN (
        SELECT id FROM (SELECT id, made, state, not_before FROM outbox ORDER BY id LIMIT ?)
        WHERE made < ? AND (state = 'sent' OR state = 'refused' AND not_before >= {NEVER})
    )
"""  # noqa: S608 - made of constants


def forget_rest(c: Connection, before: datetime) -> int:
    """Bundles and digests that were told before that, notices, and what was noted of calls."""
    return sum(c.execute(sql, (to_integer(before), MOST)).rowcount for sql in _REST)


_REST = (
    """
    DELETE FROM bundle WHERE id < (SELECT max(id) FROM bundle)
        AND id IN (SELECT id FROM (SELECT id, told FROM bundle ORDER BY id LIMIT ?2 / 10) WHERE told < ?1)
        AND NOT EXISTS (SELECT 1 FROM outbox WHERE bundle = bundle.id)
    """,
    """
    DELETE FROM digest WHERE id IN (
        SELECT id FROM digest WHERE made < ?1 AND id NOT IN (SELECT max(id) FROM digest GROUP BY destination) LIMIT ?2
    )
    """,
    # The last notice of each subject says how things stand.
    """
    DELETE FROM notice WHERE id IN (
        SELECT id FROM notice AS n WHERE made < ?1 AND told IS NOT NULL
            AND EXISTS (SELECT 1 FROM notice WHERE subject = n.subject AND id > n.id) LIMIT ?2
    )
    """,
    "DELETE FROM call WHERE id IN (SELECT id FROM call WHERE at < ?1 LIMIT ?2)",
    "DELETE FROM attempt WHERE id IN (SELECT id FROM attempt WHERE at < ?1 LIMIT ?2)",
)


def compact(c: Connection) -> int:
    """Gives room that is free back to the disk, where much is: how many pages of the file, 0 when it is done.

    A database that was made before this was known of gives nothing back; a backup of it does, once it is restored.
    """
    [(pages,)], [(free,)] = (c.execute(f"PRAGMA {what}").fetchall() for what in ("page_count", "freelist_count"))
    much, end = free - pages * _SPARE // 100, time.perf_counter() + _SHORTLY
    # A page at a time: SQLite frees one each time that it is asked for a row, and Python asks for none.
    while much > 0 and time.perf_counter() < end:
        c.execute("PRAGMA incremental_vacuum(1)")
        much -= 1
    [(left,)] = c.execute("PRAGMA page_count")
    return int(pages - left)
