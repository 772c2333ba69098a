"""That a service tells what a replay of the same posts tells, over random streams and the recordings that are shipped.

Messages of a replay are edited in memory (`bot.desk`), those of a service out of its tables (`bot.retelling`). After
each thing that happens, all that was sent has to read the same. A stream is made from a seed, which a failure prints.
"""

# ruff: noqa: S311 - seeded, not secret

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cli.config import rules_from
from bot.desk import Desk, Telling
from bot.digests.coverage import coverage
from bot.digests.edition import Gap, edition
from bot.ingest import Ingest
from bot.model import (
    Alert,
    Bundle,
    Channel,
    Digest,
    Entity,
    Happening,
    Haul,
    Media,
    Origin,
    Peer,
    Post,
    Revision,
)
from bot.ports import Lane
from bot.query.lexicon import Lexicon
from bot.recording.albums import join
from bot.recording.reader import read
from bot.render.alert import alert
from bot.render.bundle import bundle
from bot.render.digest import digest
from bot.render.richtext import Message
from bot.replay import Replay
from bot.retelling import Retelling
from bot.rules import ChannelRule, Rules
from bot.schedule import Daily, QuietHours
from bot.storage import bundles, matches, outbox
from bot.storage.database import Database
from bot.storage.digests import Made
from bot.storage.outbox import Saying
from bot.text.footers import Footers
from tests.clocks import HandClock
from tests.ingesting import ALFA, BEGUN, LONG, PEERS, begin, running, said, shows
from tests.made import DESK, at, rule, rules

pytestmark = pytest.mark.fuzz
#: Each is some dozens of transactions.
cases = settings(max_examples=max(1, int(os.environ.get("VEDETTE_CASES", "1500")) // 100), deadline=None)
ROOT = Path(__file__).parent.parent

TEXTS = (
    LONG,
    "Колонна техники вышла из Тартуса в сторону Латакии, дорога из Сирии перекрыта с утра для всех машин",
    "Сирия: тревога",
    "Погода на завтра",
)
ADDED = ("", "", "!", " Хмеймим", " и переговоры", " флаг", " погода")
FOOTER = "\n\nПодписаться на флаг"


class Step(NamedTuple):
    """Something that happens, as Telegram shows it and as a recording has it."""

    at: datetime
    haul: Haul
    revision: Revision


# --- what happens -----------------------------------------------------------------------------------------


@dataclass
class World:
    """Three channels in which things happen by chance. A post is known by its lowest number."""

    chance: random.Random
    footers: bool
    minutes: float = 0.0
    next: dict[Peer, int] = field(default_factory=lambda: dict.fromkeys(PEERS, 11))
    posts: dict[tuple[Peer, int], dict[int, Post]] = field(default_factory=dict)
    #: Albums of which a part is gone: such a one is not deleted, for then it would read as it last did as a whole.
    torn: set[tuple[Peer, int]] = field(default_factory=set)

    def steps(self, length: int) -> Iterator[Step]:
        for _ in range(length):
            self.minutes += self.chance.choice((0.05, 0.05, 0.3, 1, 1, 20, 20, 200, 1500)) + 0.001
            yield self._step()

    def _step(self) -> Step:
        move = self.chance.choice((self._post, self._post, self._post, self._album, self._edit, self._grow, self._lose))
        return (move() if self.posts else None) or self._post()

    def _text(self, peer: Peer) -> str:
        text = self.chance.choice(TEXTS) + self.chance.choice(ADDED)
        return text + FOOTER if self.footers and peer == ALFA and self.chance.random() < 0.7 else text

    def _post(self) -> Step:
        peer = self.chance.choice(PEERS)
        return self._new(peer, [self._origin(said(self._number(peer), self._text(peer), peer, minutes=self.minutes))])

    def _origin(self, post: Post) -> Post:
        if not self.posts or self.chance.random() > 0.2:
            return post
        peer, number = self.chance.choice(list(self.posts))
        return replace(post, origin=Origin(channel=peer.username, post=number, date=at()))

    def _album(self) -> Step:
        peer = self.chance.choice(PEERS)
        numbers = [self._number(peer) for _ in range(self.chance.choice((2, 3)))]
        # What is learnt of footers is lost with a process: captions that are joined by a newline could be some.
        spoken = self.chance.choice(numbers)
        parts = [self._part(peer, number, numbers[0], silent=number != spoken) for number in numbers]
        return self._new(peer, parts)

    def _part(self, peer: Peer, number: int, lead: int, *, silent: bool = False) -> Post:
        text = "" if silent or self.chance.random() < 0.3 else self._text(peer)
        return replace(said(number, text, peer, minutes=self.minutes), album=lead * 100, media=(Media(kind="photo"),))

    def _number(self, peer: Peer) -> int:
        self.next[peer] += 1
        return self.next[peer] - 1

    def _new(self, peer: Peer, parts: Sequence[Post]) -> Step:
        lead = parts[0].number
        self.posts[peer, lead] = {part.number: part for part in parts}
        return self._told(Happening.POSTED, (peer, lead), shows(*parts))

    def _edit(self) -> Step:
        place = self.chance.choice(list(self.posts))
        number = self.chance.choice(list(self.posts[place]))
        part = self.posts[place][number]
        text = part.text if self.chance.random() < 0.1 else self._text(place[0])
        self.posts[place][number] = part = replace(part, text=text, edited=at(self.minutes))
        return self._told(Happening.EDITED, place, shows(part))

    def _grow(self) -> Step | None:
        albums = [place for place, parts in self.posts.items() if next(iter(parts.values())).album]
        if not albums:
            return None
        place = self.chance.choice(albums)
        part = self._part(place[0], self._number(place[0]), place[1])
        self.posts[place][part.number] = part
        return self._told(Happening.GREW, place, shows(part))

    def _lose(self) -> Step | None:
        place = self.chance.choice(list(self.posts))
        parts = self.posts[place]
        if len(parts) > 1 and self.chance.random() < 0.5:
            number = self.chance.choice(list(parts)[1:])
            del parts[number]
            self.torn.add(place)
            return self._told(Happening.EDITED, place, Haul(channel=place[0].id, gone=(number,)))
        if place in self.torn:
            return None
        step = self._told(Happening.DELETED, place, Haul(channel=place[0].id, gone=tuple(parts)))
        del self.posts[place]
        return step

    def _told(self, happening: Happening, place: tuple[Peer, int], haul: Haul) -> Step:
        parts = self.posts[place].values()
        post, now = join(parts, shown=parts), at(self.minutes)
        if happening is Happening.DELETED:
            post = replace(post, deleted=now)
        return Step(now, haul, Revision(happening, now, post))


# --- what a replay tells ----------------------------------------------------------------------------------


@dataclass
class Standing:
    """What stands in the chats of a replay, message after message, each as it reads now."""

    messages: list[Alert | Bundle] = field(default_factory=list)

    def take(self, telling: Telling) -> None:
        if isinstance(telling.message, Digest):
            return
        if telling.instead_of is None:
            self.messages.append(telling.message)
        else:
            places = (at for at, message in enumerate(self.messages) if message == telling.instead_of)
            self.messages[next(places)] = telling.message

    def texts(self, by: Rules) -> list[Message]:
        return [text for message in self.messages for text in _texts(message, by)]


def _texts(message: Alert | Bundle, by: Rules) -> list[Message]:
    if isinstance(message, Alert):
        return [alert(message, by.zone)]
    return [part.message for part in bundle(message, by.zone)]


# --- what a service tells ---------------------------------------------------------------------------------


class Service:
    """Takes in, closes bundles, makes digests when a replay does, and edits what it has sent."""

    def __init__(self, database: Database, by: Rules) -> None:
        self.clock = HandClock()
        self._database = database
        self._by = by
        self._ingest: Ingest | None = None
        self._process = AsyncExitStack()
        self._retelling = Retelling(database, lambda: by)

    async def start(self) -> None:
        """A process begins; that before it, if any, ends."""
        await self._process.aclose()
        self._ingest = await self._process.enter_async_context(running(self._database, self.clock, self._by))

    async def stop(self) -> None:
        await self._process.aclose()

    async def take(self, now: datetime, haul: Haul) -> None:
        assert self._ingest
        self.clock.set(now)
        await self._ingest.store(haul)
        await self._deliver(now)

    async def bundle(self, told: Bundle, now: datetime) -> None:
        """What a replay tells in one message: of which topics a post was when it was held is known there only."""
        held = await bundles.open_bundles(self._database)
        [id_] = [one.id for one in held if (one.destination, one.reason) == (told.destination, told.reason)]
        rows = [
            outbox.Row(
                *(f"bundle {id_} {number}", told.destination, Lane.ALERT, message, now, number),
                says=tuple(map(_saying, alerts)),
                bundle=id_,
            )
            for number, (message, alerts) in enumerate(bundle(told, self._by.zone), 1)
        ]
        await self._database.write(lambda c: outbox.add(c, rows))
        await self._deliver(now)

    async def close(self, now: datetime) -> None:
        """All bundles that were due by then are told, or there was nothing left to be."""
        due = [(one.id,) for one in await bundles.open_bundles(self._database) if one.due <= now]
        await self._database.write(lambda c: c.executemany("UPDATE bundle SET told = due WHERE id = ?", due))
        await self._deliver(now)

    async def digest(self, told: Digest) -> list[Message]:
        """The digest of what none has told yet; from now on it is told."""
        seen = await coverage(self._database, self._by, None)
        made = Made(told.destination, told.since, told.until)
        one = await edition(self._database, self._by, made, seen, Gap((), ()))
        await self._database.write(lambda c: matches.mark_digested(c, one.matches, 1))
        return digest(replace(one.digest, channels=told.channels), self._by.zone)

    async def texts(self) -> list[Message]:
        found = await self._database.rows("SELECT text, entities FROM outbox ORDER BY id")
        return [Message(text, tuple(Entity(*each) for each in json.loads(entities))) for text, entities in found]

    async def _deliver(self, now: datetime) -> None:
        """Sends what waits and edits what has changed, at once."""
        waiting = await outbox.waiting(self._database)
        for one in waiting:
            await self._database.write(lambda c, one=one: outbox.confirm(c, one.id, one.id, 1, now))  # type: ignore[misc]
        for edit in await outbox.edits(self._database):
            standing = await outbox.standing(self._database, edit.id)
            message = await self._retelling.as_now(edit.id)
            assert standing
            assert message
            await self._database.write(
                lambda c, edit=edit, standing=standing, message=message: outbox.edited(  # type: ignore[misc]
                    c, edit.id, standing.changes, now, message
                )
            )


# --- that it is the same ----------------------------------------------------------------------------------


async def compared(  # noqa: PLR0913 - all by their names
    folder: Path,
    steps: Iterable[Step],
    by: Rules,
    chance: random.Random,
    *,
    restarts: bool,
    alike: bool,
    peers: Sequence[Peer] = PEERS,
) -> int:
    """Both of them, side by side; how many messages they have sent.

    ``restarts``: the service is started anew at times, and learns footers from what is stored, which is another thing.
    ``alike``: digests are too. A replay shows in one a vanished post with the footer that was known before it vanished.
    """
    footers, standing = Footers(), Standing()
    replay, desk = Replay(by, footers), Desk(by)
    async with Database.opened(folder) as database:
        await begin(database, *peers, cursor=replace(BEGUN, began=0))
        service = Service(database, by)
        await service.start()
        for now, haul, revision in steps:
            for telling in desk.advance(now):
                standing.take(telling)
                if isinstance(telling.message, Bundle):
                    await service.bundle(telling.message, telling.at)
                elif isinstance(telling.message, Digest):
                    made, expected = await service.digest(telling.message), digest(telling.message, by.zone)
                    assert _links(made) == _links(expected) or not alike, (telling.at, made, expected)
            await service.close(now)
            desk.read(revision)
            if revision.happening is Happening.POSTED:
                footers.learn(revision.post.channel.key, revision.post.text)
            for judgement in replay.take(revision):
                for telling in desk.take(judgement):
                    standing.take(telling)
            if restarts and chance.random() < 0.1:
                await service.start()
            await service.take(now, haul)
            read, stands = await service.texts(), standing.texts(by)
            assert read == stands, (now, revision)
        await service.stop()
    return len(standing.messages)


def _saying(told: Alert) -> Saying:
    id_ = told.post.id
    return Saying(told.story, int(id_.channel), id_.number, told.names, told.urgent, told.edited)


def _links(messages: Iterable[Message]) -> list[tuple[str, list[Entity]]]:
    """All but what is bold: a service shows no hits of a topic that an edit has taken from the post."""
    return [(message.text, [each for each in message.entities if each.url]) for message in messages]


@pytest.fixture(scope="session")
def strict(lexicon: Lexicon) -> Rules:
    """Rules under which everything happens: bursts, quiet hours, stories of several topics and destinations."""
    return rules(
        rule("syria", "Сирия"),
        rule("bases", "Тартус; Хмеймим", "urgent"),
        rule("talks", "переговоры", "digest"),
        rule("desk", "флаг -погода; тревога", destination=DESK),
        lexicon=lexicon,
        channels={"beta_demo": ChannelRule(label="Бета")},
        quiet=QuietHours(time(23), time(7)),
        max_per_minute=2,
        digests=Daily((time(20),)),
        late_after=timedelta.max,  # as a replay has it, which takes everything at its date
        empty_digests=True,
    )


@cases
@given(seed=st.integers(0, 1 << 32))
def test_what_a_service_has_sent_reads_as_a_replay_has_it(strict: Rules, seed: int) -> None:
    alone(seed, strict, footers=seed % 2 == 1)


def alone(seed: int, by: Rules, *, footers: bool) -> None:
    chance = random.Random(seed)
    steps = list(World(chance, footers=footers).steps(40))
    with TemporaryDirectory() as folder:
        asyncio.run(compared(Path(folder), steps, by, chance, restarts=not footers, alike=not footers))


# --- recordings -------------------------------------------------------------------------------------------


def played(*files: Path) -> list[Step]:
    """What recordings hold, each channel with an id, as a service would be shown it; an album as one message."""
    ids: dict[str, int] = {}
    steps: list[Step] = []
    for revision in read(files, lambda _: None):
        channel = revision.post.channel
        id_ = ids.setdefault(channel.key, channel.id or ALFA.id - len(ids) - 1)
        now = max(revision.at, steps[-1].at) if steps else revision.at
        title = channel.title or channel.own
        post = replace(revision.post, channel=Channel(id=id_, username=channel.username, title=title), deleted=None)
        edited = revision.happening is Happening.EDITED
        post = replace(post, edited=revision.at) if edited else post
        gone = revision.happening is Happening.DELETED
        haul = Haul(channel=id_, gone=(post.number,)) if gone else shows(post)
        steps.append(Step(now, haul, replace(revision, post=replace(post, deleted=now) if gone else post)))
    return steps


async def both(folder: Path, files: Iterable[Path], by: Rules) -> int:
    steps = played(*files)
    channels = {step.haul.channel: step.revision.post.channel for step in steps}
    peers = [Peer(id=id_, access_hash=1, username=one.username, title=one.title) for id_, one in channels.items()]
    by = replace(by, late_after=timedelta.max)
    return await compared(folder, steps, by, random.Random(0), restarts=False, alike=True, peers=peers)


async def test_the_demo_reads_the_same_by_a_service(tmp_path: Path) -> None:
    by = rules_from(ROOT / "bot" / "demo" / "config.toml", {})
    assert await both(tmp_path, sorted((ROOT / "bot" / "demo").glob("*.jsonl")), by) > 20


@pytest.mark.parametrize("name", ["edits.jsonl", "zastava_export/result.json"])
async def test_a_recording_reads_the_same_by_a_service(name: str, tmp_path: Path, strict: Rules) -> None:
    assert await both(tmp_path, [ROOT / "tests" / "recordings" / name], strict)
