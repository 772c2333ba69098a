"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from tests.made import at


class HandClock:
    """What `bot.ports.Clock` asks for; who sleeps wakes when the hand has passed their moment."""

    def __init__(self, now: datetime | None = None) -> None:
        self._now = now or at()
        self._sleeping: list[tuple[datetime, asyncio.Event]] = []

    def now(self) -> datetime:
        return self._now

    async def sleep(self, pause: timedelta) -> None:
        if pause <= timedelta():
            return
        sleeper = self._now + pause, asyncio.Event()
        self._sleeping.append(sleeper)
        try:
            await sleeper[1].wait()
        finally:
            self._sleeping.remove(sleeper)

    def set(self, now: datetime) -> None:
        """Moves the hand, back too, and wakes whose moment has come."""
        self._now = now
        for moment, awake in self._sleeping:
            if moment <= now:
                awake.set()

    async def advance(self, pause: timedelta) -> None:
        """Moves the hand on and lets those who wake, and those who had not gone to sleep yet, have a turn."""
        await _a_turn()
        self.set(self._now + pause)
        await _a_turn()


async def _a_turn() -> None:
    for _ in range(10):
        await asyncio.sleep(0)
