"""A bell that wakes one loop out of its sleep."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.ports import Clock


class Bell:
    """Rung while nobody listens, it ends the next sleep at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def sleep(self, pause: timedelta | None) -> None:
        """Returns when it is rung, or after the pause; without one, only when it is rung."""
        if pause is None:
            await self._rung.wait()
        elif not self._rung.is_set():
            waits = [asyncio.ensure_future(self._clock.sleep(pause)), asyncio.ensure_future(self._rung.wait())]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
        self._rung.clear()
