"""The clocks that `bot.ports` asks for, and alarms that wake loops.

APScheduler is the alarm clock, and nothing else: what is due is in our tables, and a wake-up only says "look". So one
that comes late does no harm, and several that were missed are one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.asyncio import AsyncIOScheduler

#: Alarms are looked at this often even if none is due, so that a clock that was set, or a machine that slept,
#: delays none by more.
_LOOK = timedelta(minutes=1)


class SystemClock:
    """The time of the machine."""

    def __init__(self, alarms: AsyncIOScheduler) -> None:
        self._alarms = alarms

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator[SystemClock]:
        """A clock whose alarms go off until this ends."""
        defaults = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        alarms = AsyncIOScheduler(timezone=UTC, job_defaults=defaults)
        alarms.add_job(_ring, "interval", seconds=_LOOK.total_seconds(), timezone=UTC, args=[_nothing])
        alarms.start()
        try:
            yield cls(alarms)
        finally:
            alarms.shutdown(wait=False)

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, pause: timedelta) -> None:
        await asyncio.sleep(max(pause.total_seconds(), 0))

    def every(self, interval: timedelta, wake: Callable[[], None]) -> Callable[[], None]:
        """Calls ``wake``, which must not wait, once an interval, the first time after one. Returns what ends it."""
        seconds = interval.total_seconds()
        job = self._alarms.add_job(_ring, "interval", seconds=seconds, timezone=UTC, args=[wake])
        return lambda: _end(job.remove)

    def at(self, moment: datetime, wake: Callable[[], None]) -> Callable[[], None]:
        """Calls ``wake`` once at an aware moment, soon if it is past. Returns what calls it off."""
        job = self._alarms.add_job(_ring, "date", run_date=moment, timezone=UTC, args=[wake])
        return lambda: _end(job.remove)


async def _ring(wake: Callable[[], None]) -> None:
    """A coroutine, for APScheduler runs any other function in a thread."""
    wake()


def _nothing() -> None:
    pass


def _end(remove: Callable[[], object]) -> None:
    with suppress(JobLookupError):  # it has rung
        remove()


class ScaledClock:
    """Time that starts at ``start`` and runs ``factor`` times as fast as it does, for tests and trials."""

    def __init__(self, start: datetime, factor: float) -> None:
        self._start = start
        self._factor = factor
        self._began = time.monotonic()
        #: What nobody else holds would be collected.
        self._alarms: set[asyncio.Task[None]] = set()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=(time.monotonic() - self._began) * self._factor)

    async def sleep(self, pause: timedelta) -> None:
        await asyncio.sleep(max(pause.total_seconds(), 0) / self._factor)

    def every(self, interval: timedelta, wake: Callable[[], None]) -> Callable[[], None]:
        """As `SystemClock.every`, within a running loop."""

        async def ring() -> None:
            while True:
                await self.sleep(interval)
                wake()

        alarm = asyncio.get_running_loop().create_task(ring())
        self._alarms.add(alarm)
        alarm.add_done_callback(self._alarms.discard)
        return lambda: _end(alarm.cancel)
