"""Removes what is older than `[storage] keep`: every hour, a little at a time, so that nobody waits for it.

A number at or below its channel's floor is never taken for new (`bot.cursor`), so the floor is raised before anything
goes: first in memory, then by a batch of the ingest's own. One that had begun before that may have put the floor back,
which the answer shows; then the channel has its turn an hour later.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import NoReturn

from bot.config.settings import Settings
from bot.ingest import Ingest
from bot.model import Haul
from bot.pacing import EDITABLE
from bot.ports import Clock
from bot.schedule import next_moment
from bot.storage import retention
from bot.storage.database import Connection, Database
from bot.storage.retention import Bounds
from bot.telemetry.log import logger

_log = logger(__name__)

_EVERY = timedelta(hours=1)
#: While channels are read that are behind, it waits; but no longer than another hour.
_BUSY = timedelta(minutes=1)
#: Between two transactions, in seconds of the machine's time: whoever wants to write has room.
_PAUSE = 0.05
#: So many transactions give room back to the disk, at most, of a few milliseconds each.
_COMPACTED = 10_000
#: So far may the clock be ahead of the newest post. If it is wrong by years, nothing is lost.
_AHEAD = timedelta(days=1)
#: Messages that were sent, and what is noted of calls, stay at least so long.
_LEAST = timedelta(days=3)


class Retention:
    """The loop is `run`; ``settings`` are those in force."""

    def __init__(self, ingest: Ingest, database: Database, clock: Clock, *, settings: Callable[[], Settings]) -> None:
        self._ingest = ingest
        self._database = database
        self._clock = clock
        self._settings = settings

    async def run(self) -> NoReturn:
        """Until it is cancelled. What goes wrong is logged, and tried again: nothing else depends on it."""
        while True:
            await self._clock.sleep(_EVERY)
            await self._quiet()
            try:
                await self.look()
            except Exception:  # noqa: BLE001 - as above
                _log.exception("old data not removed")

    async def _quiet(self) -> None:
        until = self._clock.now() + _EVERY
        while self._clock.now() < until and any(cursor.behind for cursor in self._ingest.cursors.values()):
            await self._clock.sleep(_BUSY)

    async def look(self) -> Counter[str]:
        """Removes all that is too old now; how many rows of each kind that were. Raises StorageError."""
        bounds = await self._bounds()
        gone = Counter[str]() if bounds is None else await self._removed(bounds)
        # What is left of it has its turn an hour later.
        for _ in range(_COMPACTED):
            if not await self._database.write(retention.compact):
                break
            await asyncio.sleep(_PAUSE)
        return gone

    async def _removed(self, bounds: Bounds) -> Counter[str]:
        gone = Counter[str]()
        for channel in await retention.channels(self._database, bounds.posts):
            while (rows := await self._forget(channel, bounds)) != (0, 0):
                gone.update(messages=rows[0], matches=rows[1])
                await asyncio.sleep(_PAUSE)
        gone.update(
            members=await self._all(lambda c: retention.forget_stories(c, bounds.stories)),
            letters=await self._all(lambda c: retention.forget_letters(c, bounds.letters)),
            others=await self._all(lambda c: retention.forget_rest(c, bounds.letters)),
        )
        if gone := +gone:
            _log.info("old data removed", before=bounds.posts, **gone)
        return gone

    async def _all(self, some: Callable[[Connection], int]) -> int:
        """Does ``some`` of a work, until none is left; how much that was."""
        total = 0
        while done := await self._database.write(some):
            total += done
            await asyncio.sleep(_PAUSE)
        return total

    async def _bounds(self) -> Bounds | None:
        """None where all is kept, or there is nothing yet."""
        settings = self._settings()
        keep, window = settings.storage.keep, settings.alerts.fold_window
        newest = await retention.newest(self._database)
        if keep is None or newest is None:
            return None
        now = min(self._clock.now(), newest + _AHEAD)
        return Bounds(
            posts=now - keep,
            stories=now - max(keep, 2 * window),
            letters=now - max(keep, 2 * window, _LEAST),
            editable=now - EDITABLE,
            digests=next_moment(settings.digest.policy, settings.timezone, now) is not None,
        )

    async def _forget(self, channel: int, bounds: Bounds) -> tuple[int, int]:
        """Removes some of a channel's oldest: how many messages and matches that were."""
        number = await self._database.write(lambda c: retention.upto(c, channel, bounds))
        if number is None or not await self._raised(channel, number):
            return 0, 0

        def work(c: Connection) -> tuple[int, int]:
            # Once more: something may need some of it since.
            least = retention.upto(c, channel, bounds)
            return (0, 0) if least is None else retention.forget(c, channel, min(number, least))

        return await self._database.write(work)

    async def _raised(self, channel: int, floor: int) -> bool:
        """Whether nothing of a channel up to this number is taken for new from now on."""
        cursor = self._ingest.cursors.get(channel)
        if cursor is None or cursor.floor >= floor:
            return True
        self._ingest.cursors[channel] = replace(cursor, floor=floor)
        return (await self._ingest.store(Haul(channel=channel))).floor >= floor
