"""What is told to many chats while everything goes wrong: who is to get what, who got it, and what kills the service.

Nothing folds: every post is a story of its own, says a word of one topic or of two, and carries a number by which it is
known again in whatever message tells of it.
"""

from __future__ import annotations

import asyncio
import re
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.promises.forked import Lives, Scale
from tests.promises.service import API_HASH, READER
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.faults import Faults, Rule
from tests.telegram_server.sending import Sent
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World
from tests.telegram_server.writes import Stage, Write

#: The service's time runs so much faster than ours: what it paces in a minute takes six seconds.
FACTOR = 10.0
ORIGIN = datetime(2026, 11, 23, 12, tzinfo=UTC)
BOT, TOKEN = 900_001, "900001:AAEhBOweik9ai2o01abcdefghijklmnopqr"
SEND, EDIT = "messages.sendMessage", "messages.editMessage"
_SOURCES = 4
_BURST = 28
_DIGESTS_EVERY = 4
#: What follows a post's number once it was edited for the last time.
CORRECTED = "corrected at last"
_NUMBER = re.compile(r"№ (\d+)")
#: A word of each topic, of which no other word of a post is made.
_WORDS = (
    "amber basil cedar delta ember fjord grove harbour indigo jasper kernel lagoon meadow nectar opal pepper".split()
)
_FILLER = (
    "quiet road before the second bridge market square opened again after heavy rain in late autumn lamps lit along "
    "narrow street by seven old men carrying yellow boxes toward northern station where nobody waited for any train"
).split()
_CONFIG = """
timezone = "UTC"
data_dir = "{folder}/data"

[telegram]
api_id = 12345
api_hash = "{api_hash}"
bot_token = "{token}"

[telegram.server]
address = "{host}:{port}"
public_key = "{folder}/server.pem"

[watch]
channels = [{channels}]
history = "0s"
sweep_every = "10s"

[digest]
chat = "{digest}"
at = [{at}]
max_stories = 1000

[alerts]
fold_window = "0s"
late_after = "12h"
max_per_minute = 0

[log]
level = "debug"
"""


class Size(NamedTuple):
    alerts: int
    chats: int
    kills: int


SMALL, FULL = Size(60, 6, 6), Size(300, 15, 50)


class Place(NamedTuple):
    """A destination: as a configuration calls it, the chat's marked id, and the topic in it."""

    written: str
    chat: int
    thread: int | None = None


def places(world: World, chats: int) -> list[Place]:
    """So many chats of every kind in which a bot can write: one of them is a forum with two topics."""
    return [place for at in range(chats) for place in _chat(world, at)]


def _chat(world: World, at: int) -> Iterator[Place]:
    number, name = 3001 + at, f"told_{at:02}_demo"
    kind = "channel group person me forum channel group person channel group channel group person channel group".split()
    match kind[at % 15]:
        case "channel":
            yield Place(f"@{name}", world.add_channel(number, username=name, admins=[BOT]).marked)
        case "group":
            group = world.add_channel(number, megagroup=True, members=[BOT])
            yield Place(str(group.marked), group.marked)
        case "person":
            world.add_person(number).started.add(BOT)
            yield Place(str(number), number)
        case "me":
            yield Place("me", READER)
        case _:
            forum = world.add_channel(number, username=name, megagroup=True, members=[BOT])
            for topic in ("Alerts", "More alerts"):
                thread = forum.add_topic(topic)
                yield Place(f"@{name}/{thread}", forum.marked, thread)


def trouble(seed: int, scale: Scale) -> Faults:
    """All that can happen to a request that writes, again and again."""
    faults = Faults(seed, seconds_now=scale.seconds)
    for method in (SEND, EDIT):
        faults.cut_before(method, share=0.04, times=None)
        faults.cut_after(method, share=0.04, times=None)
        faults.swallow(method, share=0.02, times=None)
        faults.floods(method, 3, 30, share=0.03)
    # Of half of the ids; a repeat of the others brings the first message at once.
    faults.still_executing(8, share=0.5)
    return faults


@dataclass(slots=True)
class Desk:
    """The channels that are watched, and the chats that are told; ``wanted``: which post is to be told where."""

    seed: int
    size: Size
    scale: Scale
    world: World = field(init=False)
    places: list[Place] = field(init=False)
    sources: list[WorldChannel] = field(init=False)
    wanted: dict[int, set[Place]] = field(default_factory=dict)
    edited: set[int] = field(default_factory=set)
    _posts: dict[int, tuple[WorldChannel, int, str]] = field(default_factory=dict)
    _chance: Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = Random(f"desk {self.seed}")  # noqa: S311 - seeded, not secret
        self.world = world = World(self.seed, now=self.scale.now)
        world.add_person(READER)
        world.add_bot(BOT, token=TOKEN, username="told_demo_bot", started_by=[READER])
        self.places = places(world, self.size.chats)
        self.sources = [
            world.add_channel(2001 + at, username=f"source_{at}_demo", title=f"Source {at}", members=[READER])
            for at in range(_SOURCES)
        ]
        for source in self.sources:
            source.post("Nothing to see here")

    def configured(self, folder: Path, server: TelegramServer) -> Path:
        """Writes the configuration, and the reader's session; of the bot there is only the token."""
        (folder / "server.pem").write_text(server.public_key)
        (folder / "data").mkdir(mode=0o700)
        server.sign_in_session(folder / "data" / "reader.session", READER)
        times = [f'"{hour:02}:{minute:02}"' for hour in (12, 13) for minute in range(0, 60, _DIGESTS_EVERY)][1:]
        text = _CONFIG.format(
            folder=folder,
            api_hash=API_HASH,
            token=TOKEN,
            host=server.host,
            port=server.port,
            channels=", ".join(f'"@{source.username}"' for source in self.sources),
            digest=self.places[0].written,
            at=", ".join(times),
        )
        for word, place in zip(_WORDS, self.places, strict=False):
            text += f'\n[topics.{word}]\nkeywords = ["={word}"]\ndeliver = "alert"\nchat = "{place.written}"\n'
        path = folder / "config.toml"
        path.write_text(text, "utf-8")
        return path

    def burst(self) -> None:
        """More for one chat than it may be told in a minute."""
        place = self._chance.randrange(len(self.places))
        for _ in range(_BURST):
            self.say(place)

    def say(self, place: int | None = None) -> None:
        """A post that is to be told in this chat or the next one's turn, and now and then in another too."""
        number, chance = len(self._posts) + 1, self._chance
        first = number % len(self.places) if place is None else place
        told = {first, chance.randrange(len(self.places))} if chance.random() < 0.05 else {first}
        words = " and ".join(_WORDS[one] for one in sorted(told))
        text = f"{words} № {number} {' '.join(chance.sample(_FILLER, 9))}"
        source = chance.choice(self.sources)
        self._posts[number] = source, source.post(text), text
        self.wanted[number] = {self.places[one] for one in told}

    def edit(self) -> None:
        """One of the newest posts says something else, of the same topics."""
        newest = [number for number in self._posts if number > len(self._posts) - 20]
        if newest:
            number = self._chance.choice(newest)
            source, post, text = self._posts[number]
            source.edit(post, f"{text}, corrected {self._chance.random():.6f}")
            self.edited.add(number)

    def edit_for_good(self) -> None:
        """Once more, all that was edited: who has not heard of it while he was dead hears of it now."""
        for number in sorted(self.edited):
            source, post, text = self._posts[number]
            source.edit(post, f"{text}, {CORRECTED}")

    @property
    def alerts(self) -> int:
        return sum(map(len, self.wanted.values()))


class Killer:
    """Kills the service at moments that a seed chooses: at any, or at a stage of a request that it has just sent."""

    def __init__(self, lives: Lives, seed: int) -> None:
        self._lives = lives
        self._chance = Random(f"killer {seed}")  # noqa: S311 - seeded, not secret
        self._stage: Stage | None = None
        self._left = 0
        self.moments: Counter[str] = Counter()

    def wrote(self, write: Write, stage: Stage) -> None:
        """To be told of each request that writes."""
        if stage is not self._stage or write.person != BOT:
            return
        self._left -= 1
        if self._left > 0:
            return
        self._stage = None
        # A request that a dead process has sent is carried out, or was never read.
        write.lost = stage is Stage.ARRIVED and self._chance.random() < 0.5
        self.moments[f"{stage.value}, lost" if write.lost else stage.value] += 1
        if stage is Stage.ANSWERED:
            pause = self._chance.choice((0.0, 0.0005, 0.002, 0.01))
            asyncio.get_running_loop().call_later(pause, self._lives.kill)
        else:
            self._lives.kill()

    async def one_life(self) -> None:
        """From a start to its end."""
        await self._lives.start()
        chosen = self._chance.choice((None, *Stage))
        if chosen is None:
            await asyncio.sleep(self._chance.uniform(0.2, 2.5))
            self._lives.check()
            self.moments["any"] += 1
            self._lives.kill()
            await self._lives.ended()
            return
        self._left, self._stage = self._chance.randint(1, 6), chosen
        ending = asyncio.create_task(self._lives.ended())
        try:
            code = await asyncio.wait_for(asyncio.shield(ending), 5)
        except TimeoutError:
            self._stage = None
            self.moments["nothing was sent"] += 1
            self._lives.kill()
            code = await ending
        assert code == -signal.SIGKILL, self._lives.said()


# --- what became of it ------------------------------------------------------------------------------------


class Row(NamedTuple):
    """A message as the service has written it down."""

    id: int
    lane: str
    destination: str
    random_id: int
    state: str
    changed: int | None


@dataclass(frozen=True, slots=True)
class Ledger:
    """The service's own books, read beside it."""

    path: Path

    def rows(self) -> list[Row]:
        sql = "SELECT id, lane, destination, random_id, state, changed FROM outbox ORDER BY id"
        return [Row(*row) for row in self._read(sql)]

    def watching(self, channels: int) -> bool:
        """Whether it has come to the end of all channels' history."""
        return self._count("SELECT count(*) FROM channel WHERE history_read AND standing = 'joined'") == channels

    def matched(self) -> int:
        return self._count("SELECT count(*) FROM match")

    def at_rest(self) -> bool:
        """Whether nothing is left to be sent or edited."""
        waiting = "SELECT count(*) FROM outbox WHERE state IN ('waits', 'tried') OR changed IS NOT NULL"
        return self._count(waiting) == 0

    def digested(self) -> bool:
        """Whether every match was told in a digest."""
        return self._count("SELECT count(*) FROM match WHERE digest IS NULL") == 0

    def _count(self, sql: str) -> int:
        rows = self._read(sql)
        return int(rows[0][0]) if rows else -1

    def _read(self, sql: str) -> list[tuple[Any, ...]]:
        try:
            with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=5)) as connection:
                return list(connection.execute(sql))
        except sqlite3.OperationalError:  # it is not there yet
            return []


@dataclass(frozen=True, slots=True)
class Outcome:
    """What stands in the chats, beside what the service believes: ``said`` names the trial in each failure."""

    desk: Desk
    server: TelegramServer
    rows: list[Row]
    said: str

    def check(self) -> None:
        self._each_row_once()
        self._each_alert_once()
        self._each_match_in_one_digest()
        self._in_order()
        self._edited()

    def _mine(self) -> list[Sent]:
        return [sent for sent in self.server.sent if sent.person == BOT]

    def _each_row_once(self) -> None:
        """Every message that was meant to be sent stands there once, and none besides."""
        states = Counter(row.state for row in self.rows)
        assert set(states) == {"sent"}, (self.said, states)
        stands = Counter(sent.random_id for sent in self._mine())
        assert stands == Counter(row.random_id for row in self.rows), self.said

    def _of(self, *lanes: str) -> list[Sent]:
        ids = {row.random_id for row in self.rows if row.lane in lanes}
        return [sent for sent in self._mine() if sent.random_id in ids]

    def _each_alert_once(self) -> None:
        told = Counter((sent.peer, sent.thread, number) for sent in self._of("alert") for number in numbers([sent]))
        assert told == self._wanted(), self.said

    def _each_match_in_one_digest(self) -> None:
        told = Counter((sent.peer, sent.thread, number) for sent in self._of("digest") for number in numbers([sent]))
        assert told == self._wanted(), self.said

    def _wanted(self) -> Counter[tuple[int, int | None, int]]:
        return Counter(
            (place.chat, place.thread, number) for number, wanted in self.desk.wanted.items() for place in wanted
        )

    def _in_order(self) -> None:
        """Within a lane, messages stand in a chat, or a topic of it, in the order in which they were written down."""
        written = {row.random_id: (row.lane, row.id) for row in self.rows}
        stands: dict[tuple[int, int | None, str], list[int]] = {}
        for sent in sorted(self._mine(), key=lambda sent: (sent.peer, sent.number)):
            lane, id_ = written[sent.random_id]
            stands.setdefault((sent.peer, sent.thread, lane), []).append(id_)
        assert {chat: ids for chat, ids in stands.items() if ids != sorted(ids)} == {}, self.said

    def _edited(self) -> None:
        """An alert of a post that was edited says so, with what it says now; the others are as they were sent."""
        for sent in self._of("alert"):
            [number] = numbers([sent])
            corrected = number in self.desk.edited
            assert (CORRECTED in sent.reads) == corrected, (self.said, sent.reads)
            assert ("edited" in sent.reads) == corrected, (self.said, sent.reads)


def numbers(messages: Iterable[Sent]) -> list[int]:
    """The posts of which messages tell, as they were sent."""
    return [int(found) for sent in messages for found in _NUMBER.findall(sent.text)]


def harmless(faults: Faults) -> list[Rule]:
    """Lets connections live from now on; waits and ids that were used go on."""
    calm = [rule for rule in faults.rules if rule.fault in ("cut_before", "cut_after", "swallow")]
    for rule in calm:
        rule.stop()
    return calm
