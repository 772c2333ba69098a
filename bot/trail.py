"""The way of a post through the service, as the log tells it: one search for the post's id, one for the message's.

A post's id in the log is ``name/number`` as in its link, or ``-100…/number`` where its channel has no name. Of a post
that no topic matched there is one line a batch, and only at the level debug. No line holds a word of a post.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import NoReturn

from bot.errors import StorageError
from bot.judge import Arrival, Judgement
from bot.model import Channel, Happening, PostId
from bot.storage import made, outbox
from bot.storage.database import Database
from bot.telemetry.log import logger

_log = logger(__name__)

#: Posts of a digest that one line names.
_A_LINE = 100


def came(arrivals: Iterable[Arrival]) -> None:
    """These were stored as one batch."""
    if not _log.isEnabledFor(logging.DEBUG):
        return
    posts: dict[Happening, list[str]] = {}
    for arrival in arrivals:
        post = arrival.revision.post
        posts.setdefault(arrival.revision.happening, []).append(f"{post.channel.name}/{post.number}")
    for happening, them in posts.items():
        _log.debug("posts stored", happening=happening, posts=them)


def judged(judgements: Iterable[Judgement], channels: Mapping[int, Channel]) -> None:
    """These were stored too. ``channels``: by their marked ids."""
    if not _log.isEnabledFor(logging.INFO):
        return
    for one in judgements:
        post, story = _name(one.revision.post.id, channels), _name(one.story, channels)
        if one.revision.happening is not Happening.POSTED:
            formerly = {} if one.formerly is None else {"formerly": _name(one.formerly, channels)}
            _log.info("post changed", post=post, happening=one.revision.happening, story=story, **formerly)
        for decision in one.decisions:
            due = {} if decision.due is None else {"due": decision.due}
            _log.info(
                "post matched",
                post=post,
                topic=decision.match.topic,
                to=decision.destination,
                decision=decision.reason.verdict,
                reason=decision.reason,
                story=story,
                **due,
            )


def _name(post: PostId, channels: Mapping[int, Channel]) -> str:
    channel = channels.get(int(post.channel))
    return str(post) if channel is None else f"{channel.name}/{post.number}"


class Trail:
    """The loop that tells which messages were made, and of which posts they tell: alerts, bundles and digests."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """There may be new ones."""
        self._awake.set()

    async def run(self) -> NoReturn:
        """Until it is cancelled. Raises StorageError only where even the first look fails."""
        newest = await outbox.newest(self._database)
        while True:
            await self._awake.wait()
            self._awake.clear()
            try:
                newest = await self._tell(newest)
            except StorageError as error:
                _log.warning("messages not followed", error=error)

    async def _tell(self, after: int) -> int:
        """Returns the number of the newest message."""
        if not _log.isEnabledFor(logging.INFO):
            return await outbox.newest(self._database)
        digests: dict[int, None] = {}
        for one in await made.messages(self._database, after):
            known = {"posts": one.posts, "of": one.of, "instead_of": one.instead_of}
            told = {key: value for key, value in known.items() if value}
            _log.info("message made", message=one.id, lane=one.lane, to=one.destination, **told)
            after = one.id
            if one.digest is not None:
                digests[one.digest] = None
        if digests and _log.isEnabledFor(logging.DEBUG):
            for digest in digests:
                await self._name_posts(digest)
        return after

    async def _name_posts(self, digest: int) -> None:
        posts = await made.told(self._database, digest)
        for first in range(0, len(posts), _A_LINE):
            _log.debug("digest tells", of=f"digest {digest}", posts=posts[first : first + _A_LINE])
