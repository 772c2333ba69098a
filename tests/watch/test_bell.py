"""A bell ends a sleep."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

from bot.clock import ScaledClock
from bot.watch.bell import Bell

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def bell(factor: float = 1) -> Bell:
    return Bell(ScaledClock(NOON, factor))


async def test_a_sleep_ends_by_itself() -> None:
    began = time.monotonic()
    await bell(1000).sleep(timedelta(seconds=20))
    assert 0.015 < time.monotonic() - began < 5


async def test_a_ring_ends_the_sleep() -> None:
    made = bell()
    sleeper = asyncio.create_task(made.sleep(timedelta(hours=1)))
    await asyncio.sleep(0)
    made.ring()
    await asyncio.wait_for(sleeper, 5)


async def test_a_ring_that_nobody_heard_ends_the_next_sleep_and_no_other() -> None:
    made = bell()
    made.ring()
    made.ring()
    await asyncio.wait_for(made.sleep(timedelta(hours=1)), 5)
    sleeper = asyncio.create_task(made.sleep(None))
    await asyncio.sleep(0.01)
    assert not sleeper.done()
    made.ring()
    await asyncio.wait_for(sleeper, 5)
