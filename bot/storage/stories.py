"""Stories: their members in the order in which they joined, and what each destination was told of them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import datetime
from sqlite3 import Connection

from bot.model import Destination, PostId
from bot.storage.database import Database
from bot.storage.places import destination, post_id, written
from bot.storage.times import from_integer, to_integer
from bot.stories.member import Member


def add(c: Connection, members: Iterable[Member]) -> None:
    """In order of joining. One that is known is renewed and keeps its place."""
    c.executemany(
        "INSERT INTO member (post, story, date, fingerprint, words, origins) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (post) DO UPDATE SET story = excluded.story, date = excluded.date, "
        "fingerprint = excluded.fingerprint, words = excluded.words, origins = excluded.origins",
        [
            (
                *(str(one.post), str(one.story), to_integer(one.date), one.fingerprint, one.words),
                json.dumps(one.origins, ensure_ascii=False),
            )
            for one in members
        ],
    )


def rename(c: Connection, renamed: Iterable[tuple[PostId, PostId]]) -> None:
    """Old and new ids of posts. As in memory: nothing happens when the old one is no member or the new one is.

    A story keeps the name that it got from its first post.
    """
    c.executemany("UPDATE OR IGNORE member SET post = ? WHERE post = ?", [(str(new), str(old)) for old, new in renamed])


def tell(c: Connection, told: Iterable[tuple[PostId, Destination, str, bool, datetime]]) -> None:
    """Story, destination, topic's name, whether as urgent, and when. What was urgent once stays so."""
    c.executemany(
        "INSERT INTO told (story, destination, topic, urgent, seen) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (story, destination, topic) DO UPDATE SET urgent = max(urgent, excluded.urgent), "
        "seen = excluded.seen",
        [(str(story), written(place), topic, urgent, to_integer(seen)) for story, place, topic, urgent, seen in told],
    )


async def members(db: Database, since: datetime) -> list[Member]:
    """Those whose posts' dates are not before ``since``, in order of joining."""
    found = await db.rows(
        "SELECT post, story, date, fingerprint, words, origins FROM member WHERE date >= ? ORDER BY id",
        (to_integer(since),),
    )
    return [
        Member(post_id(post), post_id(story), from_integer(date), fingerprint, words, tuple(json.loads(origins)))
        for post, story, date, fingerprint, words, origins in found
    ]


async def told(db: Database, most: int) -> list[tuple[PostId, Destination, str, bool]]:
    """What was told of so many stories, those of which something was told last; what was told last at the end."""
    found = await db.rows(
        "SELECT story, destination, topic, urgent FROM told WHERE story IN "
        "(SELECT story FROM told GROUP BY story ORDER BY max(seen) DESC LIMIT ?) "
        "ORDER BY seen, story, destination, topic",
        (most,),
    )
    return [(post_id(story), destination(place), topic, bool(urgent)) for story, place, topic, urgent in found]


async def story_of(db: Database, posts: Collection[PostId]) -> dict[PostId, PostId]:
    """The stories of those of these posts that are members."""
    if not posts:
        return {}
    found = await db.rows(
        "SELECT m.post, m.story FROM json_each(?) AS w CROSS JOIN member AS m ON m.post = w.value",
        (json.dumps([str(post) for post in posts]),),
    )
    return {post_id(post): post_id(story) for post, story in found}


def forget(c: Connection, before: datetime) -> None:
    """Drops members whose posts are older than that, and what was told before it."""
    c.execute("DELETE FROM member WHERE date < ?", (to_integer(before),))
    c.execute("DELETE FROM told WHERE seen < ?", (to_integer(before),))
