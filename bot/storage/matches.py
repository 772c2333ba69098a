"""Matches: what was found in posts, what was decided, and when it was committed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import datetime
from sqlite3 import Connection
from typing import Any, NamedTuple

from bot.model import Destination, Hit, Match, PartKind, PostId, Reason
from bot.storage.database import Database
from bot.storage.places import destination, places, post_id, written
from bot.storage.times import from_integer, from_integer_if, to_integer, to_integer_if


class StoredMatch(NamedTuple):
    """A post and a topic. ``keywords`` and ``hits`` are JSON, as the match object has them.

    ``due``: when what is held is told with its like; ``seen``: when it was committed; ``id`` rises with it and is 0
    until then. ``edited``: when its post was last seen to be edited since; ``footer``: the code point of the post's
    text at which its footer begins, as far as it was known. ``stale``: an edit has left the post of other topics only.
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
    edited: datetime | None = None
    footer: int | None = None
    stale: bool = False


class Revised(NamedTuple):
    """What became of a post of which matches are known.

    ``edited``: when it was seen to be edited, if it was; ``topics``: the names of those that it is of now, None where
    that says nothing.
    """

    channel: int
    number: int
    edited: datetime | None
    footer: int | None
    topics: tuple[str, ...] | None


def match_of(match: StoredMatch) -> Match:
    """The match as it was made."""
    return Match(match.topic, tuple(json.loads(match.keywords)), hits_of(match))


def hits_of(match: StoredMatch) -> tuple[Hit, ...]:
    """What made the match, in reading order."""
    return tuple(Hit(PartKind(hit["in"]), hit["start"], hit["end"], hit["text"]) for hit in json.loads(match.hits))


def add(c: Connection, matches: Iterable[StoredMatch]) -> None:
    """Those of a post and a topic that are known stay as they are."""
    c.executemany(
        "INSERT OR IGNORE INTO match "
        "(channel, number, topic, title, keywords, hits, story, destination, reason, due, seen, footer) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                *(one.channel, one.number, one.topic, one.title, one.keywords, one.hits, str(one.story)),
                *(written(one.destination), one.reason.value, to_integer_if(one.due), to_integer(one.seen), one.footer),
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


def revise(c: Connection, posts: Iterable[Revised]) -> None:
    """Takes note of what became of posts, with all matches that they have."""
    c.executemany(
        "UPDATE match SET footer = ?3, stale = CASE WHEN ?5 IS NULL THEN stale ELSE topic NOT IN "
        "(SELECT value FROM json_each(?5)) END, edited = ifnull(?4, (SELECT max(edited) FROM match AS m "
        "WHERE m.channel = ?1 AND m.number = ?2)) WHERE channel = ?1 AND number = ?2",
        [
            (
                *(one.channel, one.number, one.footer, to_integer_if(one.edited)),
                None if one.topics is None else json.dumps(one.topics),
            )
            for one in posts
        ],
    )


def find_again(c: Connection, posts: Iterable[tuple[int, int]], before: datetime) -> None:
    """Of posts (channel, number) of which a message tells that was sent by this moment, the next digest tells again.

    A message can be edited for so long only, and another one has to say what became of the post since. What a first
    reading brought keeps the digest that told it, and gets no second one.
    """
    c.executemany(
        "UPDATE match SET digest = NULL WHERE channel = ?1 AND number = ?2 AND NOT stale AND digest IS NOT NULL "
        "AND reason != ?4 AND destination IN (SELECT o.destination FROM says AS s JOIN outbox AS o ON o.id = s.message "
        "WHERE s.channel = ?1 AND s.number = ?2 AND coalesce(o.sent, o.made) <= ?3)",
        [(channel, number, to_integer(before), Reason.HISTORY.value) for channel, number in posts],
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
    found = await db.rows(f"SELECT {_COLUMNS} FROM match WHERE id > ? ORDER BY id LIMIT ?", (id, limit))  # noqa: S608
    return [_match(row) for row in found]


async def matches_of(db: Database, posts: Collection[PostId], to: Destination | None = None) -> list[StoredMatch]:
    """What was found in these posts, for one destination or for all, in the order of commit."""
    if not posts:
        return []
    found = await db.rows(
        f"SELECT {_COLUMNS} FROM json_each(?1) AS w CROSS JOIN match ON channel = json_extract(w.value, '$[0]') "  # noqa: S608
        "AND number = json_extract(w.value, '$[1]') WHERE ?2 IS NULL OR destination = ?2 ORDER BY match.id",
        (places(posts), None if to is None else written(to)),
    )
    return [_match(row) for row in found]


def mark_digested(c: Connection, ids: Iterable[int], digest: int) -> None:
    """These matches are told by this digest."""
    c.execute("UPDATE match SET digest = ? WHERE id IN (SELECT value FROM json_each(?))", (digest, json.dumps([*ids])))


async def last_id(db: Database) -> int:
    """0 when there is none."""
    [(found,)] = await db.rows("SELECT coalesce(max(id), 0) FROM match")
    return int(found)


_COLUMNS = (
    "channel, number, topic, title, keywords, hits, story, destination, reason, due, seen, match.id, "
    "edited, footer, stale"
)


def _match(row: tuple[Any, ...]) -> StoredMatch:
    channel, number, topic, title, keywords, hits, story, place, reason, due, seen, id_, edited, footer, stale = row
    return StoredMatch(
        *(channel, number, topic, title, keywords, hits, post_id(story), destination(place), Reason(reason)),
        *(from_integer_if(due), from_integer(seen), id_, from_integer_if(edited), footer, bool(stale)),
    )
