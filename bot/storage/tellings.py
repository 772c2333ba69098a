"""What is told and can be told: what messages say, how posts read now, an album as one, which posts a story has."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from bot.model import Channel, Destination, Post, PostId, Reason
from bot.pacing import EDITABLE
from bot.recording.albums import join
from bot.recording.jsonl import post_of
from bot.storage.database import Database
from bot.storage.outbox import Saying
from bot.storage.places import destination, places, post_id
from bot.storage.times import from_integer, to_integer

#: Posts that are read at once.
_PAGE = 500
# The rows of which posts are made, those of an album by its own index. What is asked for leads (CROSS JOIN).
_ROW = """
    SELECT w.key, m.post, m.number, m.deleted, m.body, m.channel, c.username, c.title,
        (SELECT footer FROM match WHERE channel = m.channel AND number = m.post LIMIT 1)
    FROM json_each(?1) AS w CROSS JOIN message AS lead
        ON lead.channel = json_extract(w.value, '$[0]') AND lead.number = json_extract(w.value, '$[1]')
"""
_POSTS = f"""
    {_ROW}
    CROSS JOIN message AS m ON lead.album IS NULL AND m.channel = lead.channel AND m.number = lead.number
    LEFT JOIN channel AS c ON c.id = m.channel WHERE m.body IS NOT NULL
    UNION ALL
    {_ROW}
    CROSS JOIN message AS m INDEXED BY message_album
        ON m.channel = lead.channel AND m.album = lead.album
    LEFT JOIN channel AS c ON c.id = m.channel WHERE m.body IS NOT NULL
"""


class Said(NamedTuple):
    """What a message of the outbox tells. ``forward``: it stands under the forwarded post that it tells of."""

    destination: Destination
    forward: bool
    sayings: tuple[Saying, ...]
    bundle: Part | None = None


class Part(NamedTuple):
    """The bundle of which a message is a part: why and since when it waited until when, and of how many stories.

    ``more``: so many waited besides, which only the digest tells.
    """

    reason: Reason
    since: datetime
    due: datetime
    stories: int
    first: bool
    more: int = 0


_SAID = """
    SELECT o.destination, o.forward IS NOT NULL, s.story, s.channel, s.number, s.topics, s.urgent, s.edited,
        b.reason, b.since, b.due, (SELECT count(*) FROM outbox AS p JOIN says ON message = p.id WHERE p.bundle = b.id),
        o.id = (SELECT min(id) FROM outbox WHERE bundle = b.id), b.more
    FROM outbox AS o JOIN says AS s ON s.message = o.id LEFT JOIN bundle AS b ON b.id = o.bundle
    WHERE o.id = ? ORDER BY s.place
"""


async def said(db: Database, message: int) -> Said | None:
    """What this message of the outbox tells of stories; None where it tells of none."""
    found = await db.rows(_SAID, (message,))
    if not found:
        return None
    place, forward, *_, reason, since, due, stories, first, more = found[0]
    sayings = tuple(
        Saying(post_id(story), channel, number, tuple(json.loads(topics)), bool(urgent), bool(edited))
        for _, _, story, channel, number, topics, urgent, edited, *_ in found
    )
    part = None
    if reason is not None:
        part = Part(Reason(reason), from_integer(since), from_integer(due), stories, bool(first), more)
    return Said(destination(place), bool(forward), sayings, part)


#: A message that has waited for longer before it was sent is not looked for.
_OLDEST = EDITABLE + timedelta(days=7)
# All messages of the posts that are told, an album's by its own index. Ids of the outbox go up with the time.
_TOLD = """
    SELECT DISTINCT s.channel, s.number FROM outbox AS o CROSS JOIN says AS s ON s.message = o.id
    WHERE o.id > ifnull((SELECT id FROM outbox WHERE made < ? ORDER BY id DESC LIMIT 1), 0)
        AND o.state != 'refused' AND (o.sent IS NULL OR o.sent > ?)
"""
_ALERTED = f"""
    WITH told AS MATERIALIZED ({_TOLD})
    SELECT channel, number FROM told
    UNION SELECT m.channel, m.number FROM told CROSS JOIN message AS lead
        ON lead.channel = told.channel AND lead.number = told.number
    CROSS JOIN message AS m INDEXED BY message_album
        ON m.channel = lead.channel AND m.album = lead.album
"""  # noqa: S608 - made of constants


async def alerted(db: Database, now: datetime) -> dict[int, set[int]]:
    """Of each channel that has some, the numbers of posts whose alert can be edited, or is still to be sent.

    An album's are those of all its messages. Some may be gone, or not be stored any more.
    """
    found: dict[int, set[int]] = {}
    for channel, number in await db.rows(_ALERTED, (to_integer(now - _OLDEST), to_integer(now - EDITABLE))):
        found.setdefault(channel, set()).add(number)
    return found


async def posts(db: Database, ids: Collection[PostId]) -> dict[PostId, Post]:
    """Those of these posts that are stored, whole and as they read now.

    A deleted one reads as it last did, with ``deleted`` set; a part of an album that is gone is left out of it. A
    channel is called what it is called today, without a label. The footer is there where the post is of some topic.
    """
    asked, made = list(ids), dict[PostId, Post]()
    # So many at a time, for others have to get on.
    for start in range(0, len(asked), _PAGE):
        page = asked[start : start + _PAGE]
        found: dict[int, list[tuple[Any, ...]]] = {}
        for at, *row in await db.rows(_POSTS, (places(page),)):
            found.setdefault(at, []).append(tuple(row))
        made |= {page[at]: _post(rows) for at, rows in found.items()}
    return made


def _post(rows: list[tuple[Any, ...]]) -> Post:
    """The post that these messages are, joined as `bot.intake` does."""
    lead, _, _, _, channel, username, title, footer = rows[0]
    where = Channel(id=channel, username=username, title=title)
    members = [(post_of(body, where), deleted) for _, _, deleted, body, *_ in rows]
    living = [post for post, deleted in members if deleted is None]
    whole = join([post for post, _ in members], shown=living or [post for post, _ in members])
    gone = None if living else from_integer(max(deleted for _, deleted in members))
    return replace(whole, number=lead, deleted=gone, footer=footer)


async def members(db: Database, stories: Collection[PostId]) -> dict[PostId, list[PostId]]:
    """The posts of each of these stories, in order of joining; a story that has none is left out."""
    found: dict[PostId, list[PostId]] = {}
    if stories:
        for story, post in await db.rows(
            "SELECT m.story, m.post FROM json_each(?) AS w CROSS JOIN member AS m ON m.story = w.value ORDER BY m.id",
            (_named(stories),),
        ):
            found.setdefault(post_id(story), []).append(post_id(post))
    return found


def _named(ids: Iterable[PostId]) -> str:
    return json.dumps([str(one) for one in ids])
