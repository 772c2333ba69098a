"""All that is stored, read to the end a page at a time: posts as they read over time, and matches."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from bot.model import Channel, ChannelRef, ChatId, Post, Reason, Username
from bot.recording.jsonl import post_of
from bot.storage.database import Database
from bot.storage.times import from_integer, to_integer_if

_PAGE = 500


class Selection(NamedTuple):
    """Of which channel (marked id), and posts of which dates: since inclusive, until exclusive. None: all."""

    channel: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def parameters(self) -> dict[str, int | None]:
        return {"channel": self.channel, "since": to_integer_if(self.since), "until": to_integer_if(self.until)}


#: Every channel, every date.
ALL = Selection()


class ArchivedMatch(NamedTuple):
    """A match as it is told: where, when posted, what was found (``hits`` as the match object has them), and why."""

    id: int
    channel: Channel
    number: int
    date: datetime
    topic: str
    keywords: list[str]
    hits: list[dict[str, str | int]]
    reason: Reason


# One row for each thing that a recording tells of a message: that it was posted, each edit, that it is gone. `until`
# says which version it is, NULL the one that stands now. An edit took place at its own date, or, where that is no later
# than what was read before (a link preview arrived, which has no date), when it was seen: `edited`.
_LINES = """
    CREATE TEMP TABLE line AS
    WITH wanted AS (
        SELECT * FROM main.message
        WHERE stands = 'post' AND body IS NOT NULL AND channel = ifnull(:channel, channel)
            AND date >= ifnull(:since, date) AND (:until IS NULL OR date < :until)
    ),
    edit AS (
        SELECT v.channel, v.number, v.until AS came, v.body AS before, ifnull(n.body, w.body) AS body, n.until,
            ifnull((SELECT max(until) FROM main.version WHERE channel = v.channel AND number = v.number
                AND until < v.until), w.date) AS since
        FROM wanted AS w JOIN main.version AS v ON v.channel = w.channel AND v.number = w.number
        LEFT JOIN main.version AS n ON n.channel = v.channel AND n.number = v.number AND n.until =
            (SELECT min(until) FROM main.version WHERE channel = v.channel AND number = v.number AND until > v.until)
    ),
    dated AS (
        SELECT *, strftime('%s', json_extract(body, '$.edit_date')) * 1000000 AS said,
            ifnull(strftime('%s', json_extract(before, '$.edit_date')) * 1000000, 0) AS said_before
        FROM edit
    ),
    told AS (
        SELECT channel, number, date AS moment, 0 AS turn, NULL AS edited, NULL AS deleted,
            (SELECT min(until) FROM main.version WHERE channel = w.channel AND number = w.number) AS until
        FROM wanted AS w
        UNION ALL
        SELECT channel, number, said, 1, NULL, NULL, until FROM dated
        WHERE said > max(since, said_before) AND said <= came
        UNION ALL
        SELECT channel, number, came, 1, came, NULL, until FROM dated
        WHERE NOT ifnull(said > max(since, said_before) AND said <= came, 0)
        UNION ALL
        SELECT channel, number, deleted, 2, NULL, deleted, NULL FROM wanted WHERE deleted IS NOT NULL
    )
    SELECT * FROM told WHERE :until IS NULL OR moment < :until ORDER BY moment, channel, number, turn
"""
_PAGE_OF_LINES = """
    SELECT l.rowid, l.channel, c.username, c.title, ifnull(v.body, m.body), l.edited, l.deleted
    FROM temp.line AS l
    JOIN main.message AS m ON m.channel = l.channel AND m.number = l.number
    LEFT JOIN main.version AS v ON v.channel = l.channel AND v.number = l.number AND v.until = l.until
    LEFT JOIN main.channel AS c ON c.id = l.channel
    WHERE l.rowid > ? ORDER BY l.rowid LIMIT ?
"""
_PAGE_OF_MATCHES = """
    SELECT x.id, x.channel, c.username, c.title, x.number, ifnull(m.date, x.seen), x.topic, x.keywords, x.hits, x.reason
    FROM match AS x
    LEFT JOIN message AS m ON m.channel = x.channel AND m.number = x.number
    LEFT JOIN channel AS c ON c.id = x.channel
    WHERE x.id > :after AND x.channel = ifnull(:channel, x.channel)
        AND (:since IS NULL OR ifnull(m.date, x.seen) >= :since) AND (:until IS NULL OR ifnull(m.date, x.seen) < :until)
    ORDER BY x.id LIMIT :limit
"""


class Readings:
    """The selected messages as they read over time, in the order in which it happened; ``total`` of them.

    Each is a post as a line of a recording: as it was posted, then once for each edit with its date of edit, then once
    more, without one, if it is gone. Members of an album are posts of their own. ``unreadable``: how many numbers of
    the channel could not be read; these, and service messages, are left out.
    """

    def __init__(self, database: Database, total: int, unreadable: int) -> None:
        self.total = total
        self.unreadable = unreadable
        self._database = database

    async def __aiter__(self) -> AsyncIterator[Post]:
        last = 0
        while page := await self._database.rows(_PAGE_OF_LINES, (last, _PAGE)):
            for row in page:
                yield _post(row)
            last = page[-1][0]


@asynccontextmanager
async def readings(database: Database, selection: Selection) -> AsyncIterator[Readings]:
    """What is selected, as it all stood at this moment, whatever a service commits meanwhile.

    The database is not to be read by anybody else until this ends. Memory does not grow with what is selected.
    """
    await database.rows("BEGIN")
    try:
        # A table of this connection's alone, which SQLite puts outside the database, on disk when it is large.
        await database.rows(_LINES, selection.parameters)  # type: ignore[arg-type] # SQLite takes named ones too
        [(total,)] = await database.rows("SELECT count(*) FROM temp.line")
        [(unreadable,)] = await database.rows(
            "SELECT count(*) FROM message WHERE stands = 'unreadable' AND channel = ifnull(?, channel)",
            (selection.channel,),
        )
        yield Readings(database, total, unreadable)
    finally:
        await database.rows("ROLLBACK")


async def matches(database: Database, selection: Selection = ALL, *, after: int = 0) -> AsyncIterator[ArchivedMatch]:
    """Matches in the order in which they were committed, from the one after this id on."""
    while True:
        asked = {**selection.parameters, "after": after, "limit": _PAGE}
        page = await database.rows(_PAGE_OF_MATCHES, asked)  # type: ignore[arg-type] # as above
        for row in page:
            yield _match(row)
        if len(page) < _PAGE:
            return
        after = page[-1][0]


async def find(database: Database, ref: ChannelRef) -> int | None:
    """The stored channel that is meant: by the id, the name that it has, or what a configuration once called it."""
    match ref:
        case ChatId(id=number):
            found = await database.rows("SELECT id FROM channel WHERE id = ?", (number,))
        case Username(name=name):
            found = await database.rows("SELECT id FROM channel WHERE lower(username) = ?", (name,))
        case _:
            found = []
    found = found or await database.rows("SELECT channel FROM reference WHERE written = ?", (str(ref),))
    return int(found[0][0]) if found else None


def _post(row: tuple[Any, ...]) -> Post:
    _, number, username, title, body, edited, deleted = row
    post = post_of(body, Channel(id=number, username=username, title=title))
    if deleted is not None:
        # When it was last edited a line before has said, and what this one says may be another moment.
        return replace(post, edited=None, deleted=from_integer(deleted))
    return post if edited is None else replace(post, edited=from_integer(edited))


def _match(row: tuple[Any, ...]) -> ArchivedMatch:
    id_, channel, username, title, number, date, topic, keywords, hits, reason = row
    return ArchivedMatch(
        *(id_, Channel(id=channel, username=username, title=title), number, from_integer(date), topic),
        *(json.loads(keywords), json.loads(hits), Reason(reason)),
    )
