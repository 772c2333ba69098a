"""The soak, small: some days of the whole service; and it notices what it is there to notice.

``make soak`` plays the whole of it: ninety days of a hundred channels.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from bench.soak.clock import SoakClock
from bench.soak.ledger import Ledger
from bench.soak.report import Plan
from bench.soak.run import soak, somewhere
from bench.soak.world import DAY, Outside
from bot.storage.database import Database

#: So many posts that some of a channel are removed: its newest hundred stay, whatever their age.
SMALL = Plan(days=3, channels=6, keep=3 * DAY, seed=1, posts=80, look=timedelta(minutes=1))


@pytest.mark.timeout(300)
def test_days_of_the_whole_service_keep_every_promise() -> None:
    said: list[str] = []
    with somewhere() as folder:
        assert soak(SMALL, folder, said.append), "\n".join(said)


def test_a_service_that_does_nothing_keeps_none(tmp_path: Path) -> None:
    clock = SoakClock(SMALL.look)
    outside = Outside(SMALL.seed, SMALL.channels, clock, SMALL.posts)
    ledger = Ledger(outside, tmp_path, SMALL.keep, (DAY / 3,))

    async def days() -> None:
        async with Database.opened(tmp_path):
            speaking = asyncio.create_task(outside.speak())
            await clock.sleep(3 * DAY)
            speaking.cancel()
            await ledger.check_day()

    clock.run(days())
    assert set(ledger.wrong) == {"lost", "not told once", "no digest"}


def test_the_clock_leaps_to_whatever_is_waited_for_and_stands_still_meanwhile() -> None:
    clock = SoakClock(timedelta(seconds=30))
    rung: list[float] = []

    async def wait() -> float:
        end = clock.every(timedelta(seconds=1), lambda: rung.append(clock.seconds()))
        await clock.sleep(timedelta(seconds=70))
        end()
        with clock.working():
            sleeping = asyncio.create_task(clock.sleep(DAY))
            await asyncio.sleep(0.1)
            assert not sleeping.done()
        await asyncio.to_thread(rung.append, clock.seconds())
        await sleeping
        return clock.seconds()

    assert clock.run(wait()) == timedelta(seconds=70, days=1).total_seconds()
    assert rung == [30, 60, 70]
