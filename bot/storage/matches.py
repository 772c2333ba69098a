"""Matches: what was found in posts, what was decided, and when it was committed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import datetime
from sqlite3 import Connection
from typing import Any, NamedTuple

from bot.model import Destination, PostId, Reason
from bot.storage.database import Database
from bot.storage.places import destination, post_id, written
from bot.storage.times import from_integer, from_integer_if, to_integer, to_integer_if


class StoredMatch(NamedTuple):
    """A post and a topic. ``keywords`` and ``hits`` are JSON, as the match object has them.

    ``due``: when what is held is told with its like; ``seen``: when it was committed; ``id`` rises with it and is 0
    until then.
    """

    channel: int
    number: int
    topic: str
    title: str
    keywords: str
    hits: str
    story: PostId
    destination: Destination
    reason: Reason
    due: datetime | None
    seen: datetime
    id: int = 0


def add(c: Connection, matches: Iterable[StoredMatch]) -> None:
    """Those of a post and a topic that are known stay as they are."""
    c.executemany(
        "INSERT OR IGNORE INTO match "
        "(channel, number, topic, title, keywords, hits, story, destination, reason, due, seen) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                *(one.channel, one.number, one.topic, one.title, one.keywords, one.hits, str(one.story)),
                *(written(one.destination), one.reason.value, to_integer_if(one.due), to_integer(one.seen)),
            )
            for one in matches
        ],
    )


def renew(c: Connection, matches: Iterable[StoredMatch]) -> None:
    """Gives known matches the keywords and hits that an edit has left them; all else stays."""
    c.executemany(
        "UPDATE match SET keywords = ?, hits = ? WHERE channel = ? AND number = ? AND topic = ?",
        [(one.keywords, one.hits, one.channel, one.number, one.topic) for one in matches],
    )


async def topics(
    db: Database, posts: Collection[tuple[int, int]]
) -> dict[tuple[int, int], tuple[frozenset[str], PostId]]:
    """Of those posts (channel, number) that have matches: the topics' names, and the story."""
    if not posts:
        return {}
    names: dict[tuple[int, int], set[str]] = {}
    stories: dict[tuple[int, int], str] = {}
    for channel, number, topic, story in await db.rows(
        "SELECT m.channel, m.number, m.topic, m.story FROM json_each(?) AS w CROSS JOIN match AS m "
        "ON m.channel = json_extract(w.value, '$[0]') AND m.number = json_extract(w.value, '$[1]')",
        (json.dumps(list(posts)),),
    ):
        names.setdefault((channel, number), set()).add(topic)
        stories[channel, number] = story
    return {post: (frozenset(found), post_id(stories[post])) for post, found in names.items()}


async def after(db: Database, id: int, limit: int) -> list[StoredMatch]:  # noqa: A002 - it is an id
    """The next matches behind this id, in the order in which they were committed; 0: the first."""
    found = await db.rows(
        "SELECT channel, number, topic, title, keywords, hits, story, destination, reason, due, seen, id "
        "FROM match WHERE id > ? ORDER BY id LIMIT ?",
        (id, limit),
    )
    return [_match(row) for row in found]


async def last_id(db: Database) -> int:
    """0 when there is none."""
    [(found,)] = await db.rows("SELECT coalesce(max(id), 0) FROM match")
    return int(found)


def _match(row: tuple[Any, ...]) -> StoredMatch:
    channel, number, topic, title, keywords, hits, story, place, reason, due, seen, id_ = row
    return StoredMatch(
        *(channel, number, topic, title, keywords, hits, post_id(story), destination(place), Reason(reason)),
        *(from_integer_if(due), from_integer(seen), id_),
    )
