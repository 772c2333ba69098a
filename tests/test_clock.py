"""Clocks tell the time, and their alarms wake whoever asked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.clock import ScaledClock, SystemClock
from tests.made import DAY

TICK = timedelta(milliseconds=20)


@pytest.fixture
async def clock() -> AsyncIterator[SystemClock]:
    async with SystemClock.running() as running:
        yield running


class Woken:
    """Counts how often it was woken, and knows who waits for it."""

    def __init__(self) -> None:
        self.times = 0
        self._event = asyncio.Event()

    def __call__(self) -> None:
        self.times += 1
        self._event.set()

    async def wait(self) -> None:
        async with asyncio.timeout(5):
            await self._event.wait()
        self._event.clear()


async def test_the_time_is_that_of_the_machine_in_utc(clock: SystemClock) -> None:
    before, now, after = datetime.now(UTC), clock.now(), datetime.now(UTC)
    assert before <= now <= after
    assert now.tzinfo is UTC


async def test_a_sleep_lasts_as_long_as_asked(clock: SystemClock) -> None:
    before = clock.now()
    await clock.sleep(TICK)
    assert clock.now() - before >= TICK * 0.9
    async with asyncio.timeout(0.2):
        await clock.sleep(timedelta())
        await clock.sleep(timedelta(hours=-1))


async def test_an_alarm_rings_once_an_interval_until_it_is_ended(clock: SystemClock) -> None:
    woken = Woken()
    end = clock.every(TICK, woken)
    for _ in range(3):
        await woken.wait()
    end()
    rung = woken.times
    await asyncio.sleep(3 * TICK.total_seconds())
    assert woken.times == rung
    end()


async def test_an_alarm_rings_once_at_a_moment(clock: SystemClock) -> None:
    woken = Woken()
    moment = clock.now() + TICK
    end = clock.at(moment, woken)
    await woken.wait()
    assert clock.now() >= moment
    end()  # nothing, for it has rung
    assert woken.times == 1


async def test_a_moment_that_is_long_past_rings_at_once(clock: SystemClock) -> None:
    woken = Woken()
    clock.at(clock.now() - timedelta(days=3), woken)
    await woken.wait()


async def test_an_alarm_that_was_called_off_does_not_ring(clock: SystemClock) -> None:
    called_off, rings = Woken(), Woken()
    clock.at(clock.now() + TICK, called_off)()
    clock.at(clock.now() + 2 * TICK, rings)
    await rings.wait()
    assert called_off.times == 0


async def test_what_was_missed_while_the_loop_was_busy_rings_once(clock: SystemClock) -> None:
    woken = Woken()
    clock.every(TICK, woken)
    busy_until = clock.now() + 6 * TICK
    while clock.now() < busy_until:
        pass
    await woken.wait()
    assert woken.times == 1


async def test_alarms_run_in_the_loop_and_not_in_a_thread(clock: SystemClock) -> None:
    woken = Woken()
    threads: list[int] = []

    def wake() -> None:
        threads.append(threading.get_ident())
        woken()

    clock.at(clock.now(), wake)
    await woken.wait()
    assert threads == [threading.get_ident()]


async def test_nothing_rings_when_the_clock_has_stopped() -> None:
    woken = Woken()
    async with SystemClock.running() as clock:
        clock.every(TICK, woken)
    await asyncio.sleep(2 * TICK.total_seconds())
    assert woken.times == 0


async def test_time_on_a_scaled_clock_runs_faster() -> None:
    clock = ScaledClock(DAY, 3600)
    assert DAY <= clock.now() < DAY + timedelta(hours=1)
    async with asyncio.timeout(5):
        await clock.sleep(timedelta(minutes=3))
    assert clock.now() >= DAY + timedelta(minutes=2.9)


async def test_a_scaled_clock_wakes_too_until_that_is_ended() -> None:
    woken = Woken()
    clock = ScaledClock(DAY, 3600)
    end = clock.every(timedelta(minutes=1), woken)
    await woken.wait()
    end()
    await asyncio.sleep(0)
    times = woken.times
    await clock.sleep(timedelta(minutes=5))
    assert woken.times == times
