"""Makes digests of what is stored: counts over all that belongs into one, and the few posts that are shown, whole."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from operator import attrgetter
from typing import NamedTuple

from bot.digest import compose, filled, in_order
from bot.digests.coverage import Coverage
from bot.model import Channel, Destination, Digest, Found, Hit, Match, PartKind, Post, PostId
from bot.ports import Lane
from bot.render.digest import digest as rendered
from bot.render.richtext import Message
from bot.rules import Rules
from bot.storage import digests, matches, outbox, tellings
from bot.storage.database import Connection, Database
from bot.storage.digests import Line, Made, Ran
from bot.storage.outbox import Row
from bot.storage.places import post_id
from bot.storage.times import from_integer, to_integer

#: Posts that are loaded at once.
_AT_ONCE = 500
_ID = attrgetter("id")


class Gap(NamedTuple):
    """What a digest says that it does not hold: channels that are behind or lost, and what was not found."""

    behind: tuple[str, ...]
    lost: tuple[str, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """A digest that is ready to be written down, and the ids of the matches that it tells."""

    made: Made
    digest: Digest
    messages: tuple[Message, ...]
    matches: tuple[int, ...]


async def edition(  # noqa: PLR0913 - the facts of a digest
    database: Database, rules: Rules, made: Made, seen: Coverage, gap: Gap, *, max_stories: int | None = None
) -> Edition:
    """What no digest has told yet, or, of one that was made, what it told. Raises StorageError.

    Of a history the period that is told begins with the first post. ``max_stories``: of a topic, in place of what the
    rules say.
    """
    found = await (digests.of_digest(database, made.id) if made.id else _untold(database, rules, made))
    if made.history and not made.id and found:
        made = made._replace(since=min(made.until, from_integer(min(line.date for line in found))))
    ran = await digests.ran(database, dict.fromkeys(line.story for line in found))
    source = _Source(found, ran, rules, made, seen, gap, rules.max_stories if max_stories is None else max_stories)
    # A hundred thousand of them take a while, in which others have to get on.
    bare, names = await asyncio.to_thread(source.composed)
    whole = await _filled(database, rules, bare, names, found)
    messages = await asyncio.to_thread(rendered, whole, rules.zone)
    return Edition(made=made, digest=whole, messages=tuple(messages), matches=tuple(line.id for line in found))


async def places(database: Database, rules: Rules) -> list[Destination]:
    """Every destination that gets digests: those of the topics, and others for which something of no topic waits."""
    others = [
        place
        for place in await digests.waiting(database)
        if place not in rules.destinations and await digests.holds_others(database, place, rules.topics)
    ]
    return [*rules.destinations, *others]


async def _untold(database: Database, rules: Rules, made: Made) -> list[Line]:
    """What no digest has told, and this one does.

    What waits for a destination that no topic has any more goes where its topic is told now, if it is still there: the
    destination may have been misspelt.
    """
    found = await digests.undigested(database, made.destination, history=made.history)
    if made.history:
        return found
    if made.destination not in rules.destinations:
        return [line for line in found if line.topic not in rules.topics]
    here = {topic.name for topic in rules.topics_of(made.destination)}
    for place in await digests.waiting(database):
        if place not in rules.destinations:
            lines = await digests.undigested(database, place, history=False)
            found += [line for line in lines if line.topic in here]
    return sorted(found, key=_ID)


def put(  # noqa: PLR0913 - each a fact of what is written
    c: Connection, one: Edition, now: datetime, secret: bytes, *, silent: bool, empty: bool
) -> bool:
    """Writes a digest down, within a transaction: what it tells is told, and the next one tells what comes after it.

    ``empty``: also one of a period that had nothing. Whether there is something to be sent.
    """
    made = one.made
    if not made.history and not digests.move(c, made.destination, made.since, made.until):
        return False
    if not (one.matches or empty):
        return False
    id_ = digests.add(c, made, now)
    matches.mark_digested(c, one.matches, id_)
    outbox.add(c, _rows(f"digest {id_}", one, now, secret, silent=silent))
    return True


def _rows(key: str, one: Edition, now: datetime, secret: bytes, *, silent: bool) -> Iterator[Row]:
    for number, message in enumerate(one.messages, start=1):
        part = f"{key} {number}"
        yield Row(
            key=part,
            destination=one.made.destination,
            lane=Lane.DIGEST,
            message=message,
            made=now,
            # Telegram never forgets one, and a database that was restored from a backup counts anew.
            random_id=outbox.random_id(secret, f"{part} {to_integer(now)}"),
            silent=silent,
        )


async def _filled(
    database: Database, rules: Rules, bare: Digest, names: Sequence[str], found: Sequence[Line]
) -> Digest:
    """A digest with what its stories' posts say."""
    shown = {(story.post.id, name) for topic, name in zip(bare.topics, names, strict=True) for story in topic.stories}
    ids = {line.id: one for line in found if (one := (PostId(str(line.channel), line.number), line.topic)) in shown}
    hits = {ids[id_]: _hits(raw) for id_, raw in (await digests.hits(database, ids)).items()}
    wanted = list(dict.fromkeys(post for post, _ in shown))
    posts: dict[PostId, Post] = {}
    for at in range(0, len(wanted), _AT_ONCE):
        posts |= await tellings.posts(database, wanted[at : at + _AT_ONCE])
    labelled = {id_: replace(post, channel=rules.labelled(post.channel)) for id_, post in posts.items()}
    return filled(bare, names, labelled, hits)


def _hits(raw: str) -> tuple[Hit, ...]:
    return tuple(Hit(PartKind(hit["in"]), hit["start"], hit["end"], hit["text"]) for hit in json.loads(raw))


class _Source(NamedTuple):
    """All that a digest is counted from."""

    found: Sequence[Line]
    ran: Mapping[str, Sequence[Ran]]
    rules: Rules
    made: Made
    seen: Coverage
    gap: Gap
    max_stories: int

    def composed(self) -> tuple[Digest, list[str]]:
        """The digest of posts that say nothing yet, and the names of its topics."""
        topics = self._topics()
        stories = {story: post_id(story) for story in {line.story for line in self.found}}
        read = self.seen.total - sum(map(len, self.gap))
        digest = compose(
            [
                Found(self._post(line), Match(line.topic, (), ()), stories[line.story], from_integer(line.seen))
                for line in self.found
            ],
            destination=self.made.destination,
            topics=topics,
            since=self.made.since,
            until=self.made.until,
            channels=max(read, 0),
            max_stories=self.max_stories,
            behind=self.gap.behind,
            lost=self.gap.lost,
            missing=self.gap.missing,
            carriers={stories[story]: [self._post(one) for one in posts] for story, posts in self.ran.items()},
            edited={PostId(str(line.channel), line.number) for line in self.found if line.edited},
            deleted=self._gone(),
            history=self.made.history,
        )
        return digest, in_order(topics, {line.topic for line in self.found})

    def _gone(self) -> set[PostId]:
        found: Iterator[Line | Ran] = chain(self.found, *self.ran.values())
        return {PostId(str(one.channel), one.number) for one in found if one.gone}

    def _topics(self) -> list[tuple[str, str]]:
        """Names and titles: those of the destination in order, then those that it has no more, as they were called."""
        here = {topic.name: topic.title for topic in self.rules.topics_of(self.made.destination)}
        stored = {line.topic: line.title for line in self.found}
        gone = sorted(stored.keys() - here.keys())
        return [*here.items(), *((name, self._title(name, stored[name])) for name in gone)]

    def _title(self, name: str, stored: str) -> str:
        topic = self.rules.topics.get(name)
        return stored if topic is None else topic.title

    def _post(self, at: Line | Ran) -> Post:
        channel = self.seen.channels.get(at.channel) or Channel(id=at.channel)
        return Post(channel=channel, number=at.number, date=from_integer(at.date), text="")
