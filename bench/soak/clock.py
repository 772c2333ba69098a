"""A clock that leaps whenever the event loop has nothing to do, and so needs no time of ours to find that out.

`tests.promises.leaping` looks twice, half a millisecond apart, before each leap: too long for three months. Here the
loop itself says it: where it is about to wait for input and there is none, and nobody is at work, the clock leaps to
the next moment that somebody waits for. Timers of the machine that are near (pauses of some milliseconds) are waited
for; those that are far (time limits of calls, pings) are no reason to stand still, as calls stop the clock anyway.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")
#: Timers of the machine that ring within so many seconds belong to what is being done.
_NEAR = 0.06
_START = datetime(2027, 1, 1, tzinfo=UTC)


class SoakClock:
    """`bot.ports.Alarms`. ``busy``: how many are at work; ``at_work`` says whether anybody else is.

    Alarms of `every` ring at whole multiples of ``grid`` and not more often: nearly eight million seconds of ninety
    days would be looked at one by one.
    """

    def __init__(self, grid: timedelta, start: datetime = _START) -> None:
        self.began = self._now = start
        self.busy = 0
        self.leaps = 0
        self.at_work: Callable[[], bool] = lambda: False
        self._grid = grid
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._count = itertools.count()
        self._ringing: set[asyncio.Task[None]] = set()

    def now(self) -> datetime:
        return self._now

    def seconds(self) -> float:
        """Since it began."""
        return (self._now - self.began).total_seconds()

    async def sleep(self, pause: timedelta) -> None:
        if pause <= timedelta():
            await asyncio.sleep(0)
            return
        awake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + pause, next(self._count), awake))
        await awake

    def every(self, interval: timedelta, wake: Callable[[], None]) -> Callable[[], None]:
        async def ring() -> None:
            while True:
                await self.sleep(pause - (self._now - self.began) % pause)
                wake()

        pause = max(interval, self._grid)
        ringing = asyncio.get_running_loop().create_task(ring())
        self._ringing.add(ringing)
        ringing.add_done_callback(self._ringing.discard)

        def end() -> None:
            ringing.cancel()

        return end

    @contextmanager
    def working(self) -> Iterator[None]:
        """A block in which the clock stands still."""
        self.busy += 1
        try:
            yield
        finally:
            self.busy -= 1

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SoakClock]:
        """It, as the service asks for one; alarms end with the block."""
        try:
            yield self
        finally:
            for ringing in self._ringing:
                ringing.cancel()

    def leap(self) -> bool:
        """Goes to the next moment that somebody waits for, if nobody is at work; whether it did."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        if self.busy or not self._sleepers or self.at_work():
            return False
        moment, _, awake = heapq.heappop(self._sleepers)
        self._now = max(self._now, moment)
        self.leaps += 1
        awake.set_result(None)
        return True

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs it to its end, in an event loop that leaps."""
        with asyncio.Runner(loop_factory=lambda: _Loop(self)) as runner:
            return runner.run(work)


class _Loop(asyncio.SelectorEventLoop):
    """Work on other threads stops the clock."""

    def __init__(self, clock: SoakClock) -> None:
        super().__init__(_Selector(clock))
        self._clock = clock

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override] # noqa: ANN401
        working = ExitStack()
        working.enter_context(self._clock.working())
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(lambda _: working.close())
        return future


class _Selector(selectors.DefaultSelector):
    """Is asked for input by the loop, with how long it may wait: not at all where there is something to do."""

    def __init__(self, clock: SoakClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if found or (timeout is not None and timeout <= 0):
            return found
        if (timeout is None or timeout > _NEAR) and self._clock.leap():
            return []
        return super().select(timeout)
