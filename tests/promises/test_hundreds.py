"""Promise 7 with as many channels as an account may be in: how many calls it takes to know, to watch, to catch up.

With ``-s`` the figures are shown.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from bot.config.settings import Settings
from bot.query.lexicon import Lexicon
from tests.promises.inside import READER, WORD, configured
from tests.promises.leaping import LeapingClock, Life, living
from tests.telegram_server.faults import Faults
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

HISTORY = "messages.getHistory"
CHANNELS = 500
MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Hundreds:
    """Channels that an earlier life of the service has found, each with one post that it has read."""

    world: World
    server: TelegramServer
    settings: Settings
    clock: LeapingClock
    lexicon: Lexicon

    def methods(self, since: float = 0) -> Counter[str]:
        return Counter(call.method for call in self.server.calls if call.at >= since)

    def figures(self, what: str, began: float) -> None:
        calls = ", ".join(f"{count} {method}" for method, count in self.methods().most_common())
        print(f"\n{what}: {len(self.server.calls)} calls ({calls}); {time.monotonic() - began:.1f} s of ours")  # noqa: T201 - asked for with -s

    @asynccontextmanager
    async def life(self) -> AsyncIterator[Life]:
        async with living(self.world, self.settings, self.clock, self.lexicon) as life:
            yield life


@asynccontextmanager
async def known(folder: Path, lexicon: Lexicon, channels: int) -> AsyncIterator[Hundreds]:
    clock = LeapingClock()
    world = World(1, now=clock.now)
    world.add_person(READER)
    names = [f"hundred_{number:03}_demo" for number in range(channels)]
    for number, name in enumerate(names, 1001):
        world.add_channel(number, username=name, members=[READER]).post("В начале")
    async with TelegramServer(world, Faults(1, seconds_now=clock.seconds)) as server, clock.running():
        settings = configured(folder, server, [f"@{name}" for name in names], sweep_every=MINUTE)
        watch = settings.watch.model_copy(update={"history": timedelta()})
        hundreds = Hundreds(world, server, settings.model_copy(update={"watch": watch}), clock, lexicon)
        async with hundreds.life() as life:
            await life.watching(channels)
        server.calls.clear()
        yield hundreds


def stored_as_posted(hundreds: Hundreds, stored: dict[int, dict[int, str]]) -> None:
    """Nothing that was posted after the first reading is missing."""
    for channel in hundreds.world.channels.values():
        wanted = {number: text for number, text in channel.truth().items() if number > 1}
        found = {number: text for number, text in stored[channel.marked].items() if number > 1}
        assert found == wanted, channel.username


async def test_500_known_channels_are_watched_again_with_20_calls(tmp_path: Path, lexicon: Lexicon) -> None:
    async with known(tmp_path, lexicon, CHANNELS) as hundreds:
        began, start = time.monotonic(), hundreds.clock.now()
        async with hundreds.life() as life:
            await life.watching(CHANNELS)
            hundreds.figures(f"watching {hundreds.clock.now() - start} after the start", began)
            assert len(hundreds.server.calls) <= 20
            assert hundreds.methods()["contacts.resolveUsername"] == 0


@pytest.mark.timeout(300)
async def test_a_steady_state_takes_at_most_20_calls_a_minute(tmp_path: Path, lexicon: Lexicon) -> None:
    """Each channel posts 20 times a day, and half of the pushes are lost.

    It begins with what makes a start dear: something was missed in each channel, and each is to be checked.
    """
    minutes, chance = 90, random.Random(1)  # noqa: S311 - seeded, not secret
    async with known(tmp_path, lexicon, CHANNELS) as hundreds:
        hundreds.server.faults.drop(0.5)
        began, clock = time.monotonic(), hundreds.clock
        channels = [*hundreds.world.channels.values()]
        for channel in channels:
            channel.post("Пропущено", push=False)
        async with hundreds.life() as life:
            await life.watching(CHANNELS)
            await life.caught_up(timedelta(minutes=20))
            first, posted = clock.seconds(), 0
            end = clock.now() + minutes * MINUTE
            while clock.now() < end:
                await clock.sleep(timedelta(seconds=chance.expovariate(CHANNELS * 20 / 86_400)))
                chance.choice(channels).post(f"{WORD} № {posted}")
                posted += 1
                life.check()
            tens = [call // 600 for call in (one.at - first for one in hundreds.server.calls) if call >= 0]
            rates = [tens.count(ten) / 10 for ten in range(minutes // 10)]
            hundreds.figures(f"{posted} posts in {minutes} minutes, calls a minute: {rates}", began)
            assert max(rates) <= 20
            await life.caught_up(timedelta(minutes=5))
            stored_as_posted(hundreds, await life.stored())


@pytest.mark.timeout(300)
async def test_40_missed_posts_in_each_of_500_channels_are_caught_up_within_12_minutes(
    tmp_path: Path, lexicon: Lexicon
) -> None:
    async with known(tmp_path, lexicon, CHANNELS) as hundreds:
        limit = hundreds.server.faults.limit(HISTORY, 30, 30)
        for channel in hundreds.world.channels.values():
            for number in range(40):
                channel.post(f"Пропущено {number}", push=False)
        began, start = time.monotonic(), hundreds.clock.now()
        async with hundreds.life() as life:
            await life.until(lambda: life.supervise.watch is not None, MINUTE)
            await life.caught_up(timedelta(minutes=20))
            took = hundreds.clock.now() - start
            hundreds.figures(f"caught up after {took}, {limit.hits} times told to wait", began)
            assert took <= 12 * MINUTE
            assert limit.hits == 0
            stored_as_posted(hundreds, await life.stored())


async def test_a_restart_obeys_the_rest_of_a_wait(tmp_path: Path, lexicon: Lexicon) -> None:
    async with known(tmp_path, lexicon, 3) as hundreds:
        clock, server = hundreds.clock, hundreds.server
        [channel, *_] = hundreds.world.channels.values()
        wait = server.faults.flood_wait(HISTORY, 300)
        async with hundreds.life() as life:
            await life.watching(3)
            channel.post("Пропущено", push=False)
            await life.until(lambda: bool(life.quota.waiting(clock.now())))
        told = clock.now()
        assert wait.hits == 1
        await clock.sleep(timedelta(seconds=60))
        since = clock.seconds()
        async with hundreds.life() as life:
            await life.caught_up(timedelta(minutes=20))
            stored_as_posted(hundreds, await life.stored())
        first = min(call.at for call in server.calls if call.method == HISTORY and call.at >= since)
        over = (told - clock.began).total_seconds() + 300
        hundreds.figures(f"read {first - over:.0f} s after the wait was over", time.monotonic())
        assert over <= first <= over + 60
