"""A week of many channels with all that goes wrong in one: nothing missed, nothing twice, memory and calls in bounds.

A day of a few channels by default; the whole week of a hundred with ``VEDETTE_WEEK=1``, of as many seeds as
``VEDETTE_SEEDS`` asks for. With ``-s`` the figures are shown.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple, NoReturn

import pytest

from bot.config.load import parse_settings
from bot.query.lexicon import Lexicon
from tests.promises.leaping import LeapingClock, Life, living
from tests.promises.service import READER, Service
from tests.promises.traffic import Traffic
from tests.telegram_server.faults import Faults, Rule
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

HISTORY = "messages.getHistory"
TOPS = "messages.getPeerDialogs"
DIFFERENCE = "updates.getChannelDifference"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
#: Of what each channel posts a day, and what a step of the traffic is worth in posts.
_POSTS, _WORTH = 20, 1.45


class Size(NamedTuple):
    channels: int
    days: int


FULL = bool(os.environ.get("VEDETTE_WEEK"))
SIZE = Size(100, 7) if FULL else Size(20, 1)
_FIRST = int(os.environ.get("VEDETTE_FIRST_SEED", "1"))
SEEDS = range(_FIRST, _FIRST + int(os.environ.get("VEDETTE_SEEDS", "1")))


def trouble(seed: int, clock: LeapingClock, channels: list[int]) -> tuple[Faults, Rule]:
    """What goes wrong all the time, and the limit that must never be met."""
    faults = Faults(seed, seconds_now=clock.seconds)
    faults.drop(0.3)
    faults.silent(*channels[::7])
    faults.duplicate(0.05)
    faults.unknown_in_push(0.005)
    faults.channel_too_long(0.02)
    faults.too_long(0.3)
    faults.cut_before(HISTORY, share=0.01, times=None)
    faults.cut_after(TOPS, share=0.002, times=None)
    return faults, faults.limit(HISTORY, 30, 30)


@dataclass(slots=True)
class Week:
    """A server and its channels, and what is measured of the service: calls an hour, memory at the end of each day."""

    server: TelegramServer
    traffic: Traffic
    clock: LeapingClock
    chance: Random
    hours: Counter[int] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)
    memory: list[float] = field(default_factory=list)
    posts: list[int] = field(default_factory=list)

    async def speak(self) -> NoReturn:
        steps_a_second = len(self.traffic.channels) * _POSTS / _WORTH / DAY.total_seconds()
        while True:
            await self.clock.sleep(timedelta(seconds=self.chance.expovariate(steps_a_second)))
            self.traffic.step()

    async def harm(self) -> NoReturn:
        """Every few hours something goes wrong that is not of every day."""
        while True:
            await self.clock.sleep(3 * HOUR * self.chance.expovariate(1))
            match self.chance.randrange(4):
                case 0:
                    self.server.cut()
                case 1:
                    self.server.faults.flood_wait(HISTORY, self.chance.randint(20, 400))
                case 2:
                    self.server.faults.flood_wait(TOPS, self.chance.randint(5, 90))
                case _:
                    self.server.faults.flood_wait(DIFFERENCE, self.chance.randint(20, 400))

    async def measure(self) -> NoReturn:
        while True:
            await self.clock.sleep(HOUR)
            self.count()
            if self.clock.seconds() // 3600 % 24 == 0:
                self.memory.append(resident())
                self.posts.append(self.traffic.posted)

    def count(self) -> None:
        """Calls are counted and let go, since they would be what takes memory."""
        self.hours.update(int(call.at // 3600) for call in self.server.calls)
        self.methods.update(call.method for call in self.server.calls)
        self.server.calls.clear()
        rules = self.server.faults.rules
        rules[:] = [rule for rule in rules if rule.times is None or rule.hits < rule.times]

    def figures(self, began: float) -> str:
        calls = ", ".join(f"{count} {method}" for method, count in self.methods.most_common())
        hours = self.clock.seconds() / 3600
        rate = f"{self.mean():.1f} a minute, in the worst hour {self.worst():.1f}"
        memory = ", ".join(f"{megabytes:.0f}" for megabytes in self.memory)
        return (
            f"{self.traffic.posted} posts in {len(self.traffic.channels)} channels in {hours:.0f} h; calls: {rate} "
            f"({calls}); memory at the end of each day in MB: {memory}; {time.monotonic() - began:.0f} s of ours"
        )

    def mean(self) -> float:
        return sum(self.hours.values()) / (self.clock.seconds() / 60)

    def worst(self) -> float:
        return max(self.hours.values()) / 60


#: What the test itself keeps of each post, in MB: measured where nothing else is.
_WEIGH = """
from tests.promises import test_a_week as week
world = week.World(1)
traffic = week.Traffic(world, 100, 1, 1)
traffic.begin(20)
before, posted = week.resident(), traffic.posted
while traffic.posted < 9_000:
    traffic.step()
for channel in world.channels.values():
    for standing in channel.standing.values():
        standing.raw(1)
print((week.resident() - before) / (traffic.posted - posted))
"""


def weight_of_a_post() -> float:
    return float(subprocess.run([sys.executable, "-c", _WEIGH], capture_output=True, check=True, text=True).stdout)


def resident() -> float:
    """What this process takes of memory, in MB."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Of a week's warnings pytest would keep each, with the frames and sockets of its traceback."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.timeout(3600 if FULL else 240)
@pytest.mark.parametrize("luck", SEEDS)
async def test_nothing_is_missed_or_told_twice_and_nothing_grows(luck: int, tmp_path: Path, lexicon: Lexicon) -> None:
    began, clock = time.monotonic(), LeapingClock()
    world = World(luck, now=clock.now)
    world.add_person(READER)
    traffic = Traffic(world, SIZE.channels, luck, READER)
    for channel in traffic.channels:
        channel.service()  # as everywhere: number 1 says that it was made
    traffic.begin(3)
    faults, limit = trouble(luck, clock, [channel.number for channel in traffic.channels])
    async with TelegramServer(world, faults) as server, clock.running():
        week = Week(server, traffic, clock, Random(f"week {luck}"))  # noqa: S311 - seeded, not secret
        names = [f"@{name}" for name in traffic.names]
        config = Service.configured(tmp_path, server, names, sweep_every="60s").folder / "config.toml"
        settings = parse_settings(config.read_text("utf-8"), "config.toml", {}, _no_file)
        outside = [asyncio.create_task(loop) for loop in (week.speak(), week.harm(), week.measure())]
        # Three lives, and an hour or two between them in which nobody watches.
        for _ in range(3):
            async with living(world, settings, clock, lexicon) as life:
                await clock.sleep(SIZE.days * DAY / 3 - HOUR)
                life.check()
            await clock.sleep(HOUR * week.chance.uniform(0.5, 1.5))
        for loop in outside[:2]:
            await _ended(loop)
        try:
            async with living(world, settings, clock, lexicon) as life:
                await _compare(life, traffic, luck)
        finally:
            await _ended(outside[2])
            week.count()
            print(f"\nseed {luck}: {week.figures(began)}")  # noqa: T201 - asked for with -s
    assert limit.hits == 0, luck
    # Twenty a minute in the long run, and a burst now and then.
    assert week.mean() <= 20, luck
    assert week.worst() <= 20, luck
    if FULL:
        # The world is in this process too, and grows by what is posted.
        world_has_grown = weight_of_a_post() * (week.posts[6] - week.posts[1])
        assert week.memory[6] - world_has_grown <= 1.1 * week.memory[1], (luck, world_has_grown)


async def _compare(life: Life, traffic: Traffic, luck: int) -> None:
    """All is stored as it stands at last, edits and deletions too, and each match is there once."""
    names = {channel.marked: name for channel, name in zip(traffic.channels, traffic.names, strict=True)}
    wanted, found = traffic.texts(), dict[tuple[str, int], str]()
    # What was edited or deleted while nobody was told is found by the check of a channel's newest posts.
    for _ in range(8):
        await life.clock.sleep(HOUR)
        life.check()
        stored = await life.stored()
        found = {(names[at], number): text for at, posts in stored.items() for number, text in posts.items()}
        if found == wanted:
            break
    said = f"seed {luck}"
    assert sorted(set(wanted) - set(found)) == [], said
    assert sorted(set(found) - set(wanted)) == [], said
    assert [place for place in wanted if found[place] != wanted[place]] == [], said
    rows = await life.database.rows("SELECT channel, number, topic FROM match")
    matches = Counter((names[channel], number, topic) for channel, number, topic in rows)
    expected, gone = set(traffic.topics()), traffic.deleted()
    assert [match for match, count in matches.items() if count > 1] == [], said
    assert {match for match in matches if match[:2] not in gone} == expected, said


def _no_file(path: str) -> NoReturn:
    raise FileNotFoundError(path)


async def _ended(task: asyncio.Task[NoReturn]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
