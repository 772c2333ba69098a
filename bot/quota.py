"""The budget of Telegram's methods, kept: whoever calls waits for a turn, and a restart forgets nothing.

What is allowed is `bot.budget`'s to say; here are the clock, the queue and the tables.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from bot.budget import (
    BURST,
    QUIET,
    Bucket,
    Curb,
    Rule,
    account_of,
    affords,
    curbed,
    drawn,
    filled,
    full,
    opens,
    rebased,
    remembered,
    rule_of,
    share_of,
)
from bot.ports import Clock
from bot.storage.database import Connection, Database
from bot.storage.quotas import calls, note_call, quotas, set_quota
from bot.telemetry.log import logger

#: Nothing that is kept matters for longer.
_MEMORY = timedelta(days=1)
#: A wait that is shorter than this, beyond one that is known, is the same one told again.
_SAME = timedelta(seconds=1)
#: In seconds.
_GOODBYE = 5.0
#: In the place of a method: the budget for all.
_ALL = "*"
_log = logger(__name__)


class Quota:
    """The turns of one account. Made by `opened`, which reads what was kept. ``chance`` spreads waits."""

    def __init__(self, database: Database, clock: Clock, chance: random.Random) -> None:
        self._database = database
        self._clock = clock
        self._chance = chance
        self._calls: defaultdict[str, list[datetime]] = defaultdict(list)
        self._curbs: dict[str, Curb] = {}
        self._bucket = full(clock.now())
        self._lines: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._writes: set[asyncio.Task[None]] = set()
        #: Writes what was counted since the last one; it looks when it is carried out.
        self._noting: asyncio.Task[None] | None = None

    @classmethod
    async def opened(cls, database: Database, clock: Clock, chance: random.Random) -> Quota:
        """Goes on from where the last one stopped. Raises `StorageError`."""
        quota = cls(database, clock, chance)
        for method, at in await calls(database, clock.now() - _MEMORY):
            quota._calls[method].append(at)
        kept = await quotas(database)
        if (all_of_them := kept.pop(_ALL, None)) is not None:
            quota._bucket = Bucket(all_of_them.share * BURST, all_of_them.changed)
        quota._curbs.update({method: Curb(*curb) for method, curb in kept.items()})
        return quota

    async def turn(self, method: str) -> None:
        """Returns when a call of ``method`` may be made: first come, first served.

        It is written down by then, so that not even a crash makes it forgotten. Raises `StorageError`.
        """
        method, rule = account_of(method), rule_of(method)
        # A lock is handed on in the order in which it was asked for.
        async with self._lines[method]:
            while (pause := self._pause(method, rule)) > timedelta(0):
                # A share grows while one waits.
                await self._clock.sleep(min(pause, QUIET))
            now = self._clock.now()
            self._count(method, rule, now)
            if rule.leaves is not None:
                await self._database.write(partial(_note, method=method, rule=rule, now=now, bucket=self._bucket))

    def unasked(self, method: str) -> timedelta:
        """For how long a call may not be made that the library makes by itself, and that cannot wait here.

        If it may be, it is counted, and that is written in the background (`settled`), of many calls at once. What
        nothing works without is held up only by waits that Telegram asked for.
        """
        now, rule = self._clock.now(), rule_of(method)
        pause = max(self._pause(method, rule), timedelta(0))
        if not pause:
            self._count(method, rule, now)
            if self._noting is None or self._noting.done():
                self._noting = self._write_soon(lambda c: _note_bucket(c, self._bucket, self._clock.now()))
        return pause

    def refused(self, method: str, seconds: int) -> None:
        """Takes note that Telegram asks to wait so long before the next call of ``method``; it is obeyed from now on.

        It is written in the background (`settled`).
        """
        method, now = account_of(method), self._clock.now()
        known = self._curb(method, now)
        if known is not None and now + timedelta(seconds=seconds) <= known.until + _SAME:
            return
        # Not all that wait for the same second come at once then.
        wait = timedelta(seconds=1 + seconds * self._chance.uniform(1, 1.1))
        curb = self._curbs[method] = curbed(known, wait, now)
        _log.warning("telegram asks to wait", method=method, seconds=seconds, share=round(curb.share, 2))
        self._write_soon(partial(set_quota, method=method, **curb._asdict()))

    def waiting(self, now: datetime) -> Mapping[str, datetime]:
        """The methods that Telegram asked not to call, and until when."""
        return {method: curb.until for method, curb in sorted(self._curbs.items()) if curb.until > now}

    async def settled(self) -> None:
        """Returns when all that was noted is written, as far as it can be within 5 s."""
        if self._writes:
            _, late = await asyncio.wait(self._writes, timeout=_GOODBYE)
            for write in late:
                write.cancel()

    def _pause(self, method: str, rule: Rule) -> timedelta:
        """How long it is until a call is allowed, as things stand; none or less: now."""
        now = self._clock.now()
        curb = self._curb(method, now)
        made = self._calls[method] = remembered(self._calls[method], rule, now)
        self._bucket = filled(self._bucket, now)
        opening = max(opens(rule, made, share_of(curb, now), now), affords(self._bucket, rule, now))
        return (opening if curb is None else max(opening, curb.until)) - now

    def _count(self, method: str, rule: Rule, now: datetime) -> None:
        self._calls[method].append(now)
        self._bucket = drawn(self._bucket, rule, now)

    def _curb(self, method: str, now: datetime) -> Curb | None:
        curb = self._curbs.get(method)
        if curb is not None:
            curb = self._curbs[method] = rebased(curb, now)
        return curb

    def _write_soon(self, work: Callable[[Connection], None]) -> asyncio.Task[None]:
        write = asyncio.create_task(self._database.write(work))
        self._writes.add(write)
        write.add_done_callback(self._written)
        return write

    def _written(self, write: asyncio.Task[None]) -> None:
        self._writes.discard(write)
        if not write.cancelled() and (error := write.exception()):
            _log.error("budget not written down", why=str(error))


def _note(c: Connection, method: str, rule: Rule, now: datetime, bucket: Bucket) -> None:
    """One call more, and what that leaves for all."""
    if rule.kept:
        note_call(c, method=method, at=now, forget=now - rule.memory)
    _note_bucket(c, bucket, now)


def _note_bucket(c: Connection, bucket: Bucket, now: datetime) -> None:
    # Long over, so that nobody takes it for a wait.
    set_quota(c, _ALL, until=now - _MEMORY, share=bucket.level / BURST, changed=bucket.at)
