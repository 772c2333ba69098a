"""What happens in the channels of the soak, and all that goes wrong: seeded, and forgotten once it was checked."""

from __future__ import annotations

import itertools
import re
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple, NoReturn

from bench.soak.clock import SoakClock
from tests.promises.traffic import SAID, Traffic
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.faults import Faults, Rule, Treatment
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HISTORY, TOPS = "messages.getHistory", "messages.getPeerDialogs"
DIFFERENCE = "updates.getChannelDifference"
SEND, EDIT = "messages.sendMessage", "messages.editMessage"
READER, BOT, TOKEN = 7001, 900_001, "900001:AAEhBOweik9ai2o01abcdefghijklmnopqr"
#: What a step of the traffic is worth in posts.
_WORTH = 1.45
#: A text has so many words: with what is stored around it, some 970 bytes, as real posts have.
_WORDS = (40, 92)
_MATCHING = 0.03
_FLOOD = "FLOOD_WAIT_"
#: What is older is not edited or deleted any more: told messages are edited up to 47 hours.
_SETTLED = timedelta(hours=40)
#: So many of a channel's numbers stay, whatever was checked. The deep check compares the newest hundred posts, and asks
#: for as many below a page that something unreadable has cut: what is forgotten here it would take for deleted.
_KEPT = 400
#: What a message tells is known by this number.
NUMBER = re.compile(r"№ (\d+)")


class Item(NamedTuple):
    """A message of a channel (marked id), what it says at last (None: it was deleted), what is to be told of it.

    ``topic`` is there for a post that is of one, with ``told``, the number by which it is known in what tells of it.
    """

    channel: int
    number: int
    at: datetime
    text: str | None
    topic: str | None
    told: int | None


class SoakTraffic(Traffic):
    """As the week's, of texts as long as real ones are, a few in a hundred of them of a topic."""

    def __init__(self, world: World, channels: int, seed: int, clock: SoakClock) -> None:
        super().__init__(world, channels, seed, READER)
        self._clock = clock
        self._said = Texts(seed)
        self._dated: dict[tuple[int, int], datetime] = {}
        #: By which number a post is known that is of a topic.
        self._told: dict[tuple[int, int], int] = {}

    def __len__(self) -> int:
        """How many posts it still knows of."""
        return len(self._dated)

    def settled(self, before: datetime) -> list[Item]:
        """What was posted before that, to be checked; from now on nobody remembers it here."""
        found = []
        for place, at in self._dated.items():
            if at >= before:
                break
            found.append(place)
        return [self._let_go(place) for place in found]

    def _let_go(self, place: tuple[int, int]) -> Item:
        at, text = self._dated.pop(place), self._texts.pop(place)
        topic = next(iter(self._topics.pop(place, ())), None)
        gone = place in self._deleted
        self._deleted.discard(place)
        told = self._told.pop(place, None)
        return Item(-1_000_000_000_000 - place[0], place[1], at, None if gone else text, topic, told)

    def _text(self) -> tuple[str, set[str]]:
        return self._said.another()

    def _note(self, channel: WorldChannel, post: int, text: str, topics: set[str]) -> None:
        super()._note(channel, post, text, topics)
        self._dated[channel.number, post] = self._clock.now()
        if topics:
            self._told[channel.number, post] = number_of(text)

    def _album(self, channel: WorldChannel) -> None:
        known, posted = len(self._topics), self.posted
        super()._album(channel)
        if len(self._topics) > known:
            post = next(reversed(self._topics))
            members = itertools.islice(reversed(self._texts), self.posted - posted)
            [text] = [text for member in members if (text := self._texts[member])]
            self._told[post] = number_of(text)

    def _some_single(self, channel: WorldChannel) -> int | None:
        singles = self._singles.get(channel.number, [])
        del singles[:-20]
        post = super()._some_single(channel)
        at = None if post is None else self._dated.get((channel.number, post))
        return None if at is None or self._clock.now() - at > _SETTLED else post


def number_of(text: str) -> int:
    """By which a text is known."""
    found = NUMBER.search(text)
    assert found is not None
    return int(found[1])


class Texts:
    """Invented, as long as real ones, each with a number of its own; none is like another."""

    def __init__(self, seed: int) -> None:
        self._chance = chance = Random(f"texts {seed}")
        self._count = itertools.count(1)
        syllables = [one + two for one in "бвгдзклмнпрст" for two in "аеиоуыя"]
        words = {"".join(chance.choices(syllables, k=chance.randint(2, 5))) for _ in range(4000)}
        # None may be a form of what is looked for.
        self._words = sorted(word for word in words if not word.startswith(("сири", "асад", "баз", "воен")))

    def another(self) -> tuple[str, set[str]]:
        """A text, and the topics that it is of."""
        chance, number = self._chance, next(self._count)
        words = " ".join(chance.choices(self._words, k=chance.randint(*_WORDS)))
        if chance.random() >= _MATCHING:
            return f"{words}. № {number}", set()
        topic = chance.choice(sorted(SAID))
        return f"{chance.choice(SAID[topic])} № {number}. {words}", {topic}


class SoakFaults(Faults):
    """``waits``: when somebody was told to wait, in seconds of the faults' time, with the method and for how long."""

    def __init__(self, seed: int, clock: SoakClock) -> None:
        super().__init__(seed, seconds_now=clock.seconds)
        self.waits: list[tuple[float, str, int]] = []

    def treatment(self, method: str, person: int | None) -> Treatment:
        found = super().treatment(method, person)
        if found.refusal is not None and found.refusal.message.startswith(_FLOOD):
            self.waits.append((self.seconds_now(), method, int(found.refusal.message.removeprefix(_FLOOD))))
        return found


def trouble(seed: int, clock: SoakClock, channels: list[int]) -> tuple[SoakFaults, Rule]:
    """What goes wrong all the time, and the limit that must never be met."""
    faults = SoakFaults(seed, clock)
    faults.drop(0.3)
    faults.silent(*channels[::7])
    faults.duplicate(0.05)
    faults.unknown_in_push(0.001)
    faults.channel_too_long(0.02)
    faults.too_long(0.3)
    faults.cut_before(HISTORY, share=0.01, times=None)
    faults.cut_after(TOPS, share=0.002, times=None)
    for method in (SEND, EDIT):
        faults.cut_before(method, share=0.01, times=None)
        faults.cut_after(method, share=0.01, times=None)
        faults.swallow(method, share=0.005, times=None)
    faults.still_executing(8, share=0.5)
    return faults, faults.limit(HISTORY, 30, 30)


class Outside:
    """A server with its channels, each of so many posts a day, and two chats that a bot tells: alerts and desk."""

    def __init__(self, seed: int, channels: int, clock: SoakClock, posts: int) -> None:
        self.clock = clock
        self._a_day = channels * posts / _WORTH
        self.world = world = World(seed, now=clock.now)
        world.add_person(READER)
        world.add_bot(BOT, token=TOKEN, username="soak_demo_bot", started_by=[READER])
        self.traffic = SoakTraffic(world, channels, seed, clock)
        self.chats = [
            world.add_channel(3001 + at, username=f"{name}_demo", admins=[BOT])
            for at, name in enumerate(("alerts", "desk"))
        ]
        for channel in (*self.traffic.channels, *self.chats):
            channel.service()  # as everywhere: number 1 says that it was made
        self.traffic.begin(3)
        self.faults, self.limit = trouble(seed, clock, [channel.number for channel in self.traffic.channels])
        self.server = TelegramServer(world, self.faults)
        self._chance = Random(f"outside {seed}")

    async def speak(self) -> NoReturn:
        """Posts, at night as by day."""
        a_second = self._a_day / DAY.total_seconds()
        while True:
            await self.clock.sleep(timedelta(seconds=self._chance.expovariate(a_second)))
            self.traffic.step()

    async def harm(self) -> NoReturn:
        """Every few hours something goes wrong that is not of every day."""
        chance, faults = self._chance, self.faults
        while True:
            await self.clock.sleep(3 * HOUR * chance.expovariate(1))
            match chance.randrange(6):
                case 0 | 1:
                    self.server.cut()
                case 2:
                    faults.flood_wait(HISTORY, chance.randint(20, 400))
                case 3:
                    faults.flood_wait(TOPS, chance.randint(5, 90))
                case 4:
                    faults.flood_wait(DIFFERENCE, chance.randint(20, 400))
                case _:
                    faults.flood_wait(SEND, chance.randint(5, 200))

    def forget(self) -> None:
        """What nobody will ask for any more: it would be what takes memory."""
        server, before = self.server, self.clock.now() - 3 * DAY
        for channel in (*self.traffic.channels, *self.chats):
            channel.forget(channel.top - _KEPT, before)
        old = (before - self.clock.began).total_seconds()
        server.sent[:] = [sent for sent in server.sent if sent.at >= old]
        server.by_random_id = {(sent.person, sent.peer, sent.random_id): sent for sent in server.sent}
        for person in self.world.people.values():
            person.forget(50)
        rules = self.faults.rules
        rules[:] = [rule for rule in rules if rule.times is None or rule.hits < rule.times]

    def sizes(self) -> dict[str, int]:
        """How much is remembered here."""
        channels = self.world.channels.values()
        return {
            "standing": sum(len(channel.standing) for channel in channels),
            "events": sum(len(channel.events) for channel in channels),
            "unchecked": len(self.traffic),
            "sent": len(self.server.sent),
        }
