"""The whole service in the test's own process, over a clock that leaps: hours of its time in seconds of ours.

The clock stands still while anybody is at work, and leaps to the next moment that somebody waits for. So a slow machine
makes a test last longer, and no call of the service later.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, TypeVar

from telethon import TelegramClient
from telethon._updates import messagebox

from bot.config.ruling import rules_of
from bot.config.settings import Settings
from bot.delivery.deliver import Deliver
from bot.folder import READER as SESSION
from bot.ingest import Ingest
from bot.model import Channel, Destination
from bot.ports import Outcome, Outgoing, Sent, Voice
from bot.query.lexicon import Lexicon
from bot.quota import Quota
from bot.recording.jsonl import post_of
from bot.retelling import Retelling
from bot.storage.database import Connection, Database
from bot.supervise import Supervise
from bot.telegram.account import Account
from bot.telegram.session import ByItself, client_for
from bot.voices import Voices
from bot.watch.watch import Watch
from tests.telegram_server.world import World

T = TypeVar("T")
#: Nobody is at work when so long nothing was done; it is looked at twice.
_NAP = 0.0005
#: A call that brings no answer is given up after this much of our time.
_PATIENCE = timedelta(seconds=3)
#: In seconds of ours, instead of half of one.
_GAP = 0.01


class LeapingClock:
    """Time for whoever asks `bot.ports.Clock`. ``busy``: how many are at work; ``at_work`` says whether anybody is."""

    def __init__(self, start: datetime | None = None) -> None:
        self.began = self._now = start or datetime.now(UTC)
        self.busy = 0
        self.at_work: Callable[[], bool] = lambda: False
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._count = itertools.count()

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

    @contextmanager
    def working(self) -> Iterator[None]:
        """A block in which the clock stands still."""
        self.busy += 1
        try:
            yield
        finally:
            self.busy -= 1

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        leaping = asyncio.create_task(self._leap_on())
        try:
            yield
        finally:
            await _ended(leaping)

    async def until(self, condition: Callable[[], bool], within: timedelta, check: Callable[[], None]) -> None:
        """Returns when it is so; looks each second of this clock."""
        end = self._now + within
        while not condition():
            check()
            assert self._now < end, "it never came true"
            await self.sleep(timedelta(seconds=1))

    async def _leap_on(self) -> None:
        while True:
            await self._rest()
            while self._sleepers and self._sleepers[0][2].done():
                heapq.heappop(self._sleepers)
            if self._sleepers:
                moment, _, awake = heapq.heappop(self._sleepers)
                self._now = max(self._now, moment)
                awake.set_result(None)

    async def _rest(self) -> None:
        """Returns when nobody is at work any more."""
        loop, quiet = asyncio.get_running_loop(), 0
        while quiet < 2:
            began = loop.time()
            await asyncio.sleep(_NAP)
            late = loop.time() - began > 3 * _NAP
            quiet = 0 if late or self.busy or self.at_work() else quiet + 1


class _Database(Database):
    """One whose work stops the clock."""

    clock: LeapingClock

    async def write(self, work: Callable[[Connection], T]) -> T:
        with self.clock.working():
            return await super().write(work)

    async def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self.clock.working():
            return await super().rows(sql, parameters)


class _Account(Account):
    """One whose calls, once they have had their turn, stop the clock until they are answered."""

    clock: LeapingClock

    @asynccontextmanager
    async def answering(self, method: str, timeout: timedelta | None = None) -> AsyncIterator[None]:  # noqa: ASYNC109
        with self.clock.working():
            async with super().answering(method, timeout):
                yield


@dataclass(slots=True)
class Life:
    """The service from a start to a stop, which sends through it. ``sent``: how many messages."""

    world: World
    database: Database
    clock: LeapingClock
    supervise: Supervise
    ingest: Ingest
    quota: Quota
    sent: int = 0
    account: int = 1
    loops: list[asyncio.Task[Any]] = field(default_factory=list)

    def check(self) -> None:
        """The service goes on."""
        for loop in self.loops:
            if loop.done():
                loop.result()
                raise AssertionError("the service has ended")

    async def until(self, condition: Callable[[], bool], within: timedelta = timedelta(minutes=10)) -> None:
        await self.clock.until(condition, within, self.check)

    async def watching(self, channels: int) -> None:
        """Returns when the first pass over all channels has ended."""
        await self.until(lambda: self._watching(channels))

    def _watching(self, channels: int) -> bool:
        watch = self.supervise.watch
        return watch is not None and watch.last_pass is not None and len(self.ingest.cursors) == channels

    async def caught_up(self, within: timedelta) -> None:
        """Returns when all is stored that stands in the channels now, as the watch says."""
        now = self.clock.now()
        await self.until(lambda: self.supervise.watch is not None and not self.supervise.watch.behind(now), within)

    async def stored(self) -> dict[int, dict[int, str]]:
        """What the posts say, by channel and number, as they are stored and were not seen to be deleted."""
        found: dict[int, dict[int, str]] = {channel.marked: {} for channel in self.world.channels.values()}
        sql = "SELECT channel, number, body FROM message WHERE stands = 'post' AND deleted IS NULL"
        for channel, number, body in await self.database.rows(sql):
            found[channel][number] = post_of(body, Channel(id=channel)).text
        return found

    async def chat(self, destination: Destination) -> int:
        return zlib.crc32(str(destination).encode())

    async def send(self, _: Outgoing) -> Outcome:
        """Says of every message that it stands there."""
        self.sent += 1
        return Sent(self.sent)


@asynccontextmanager
async def living(world: World, settings: Settings, clock: LeapingClock, lexicon: Lexicon) -> AsyncIterator[Life]:
    """The service, from its start to its stop, which comes as a crash would: what was not stored is lost."""
    chance = Random(world.seed)  # noqa: S311 - seeded, not secret
    clocked: type[_Database] = type("_Clocked", (_Database,), {"clock": clock})
    async with _hasty(), clocked.opened(settings.data_dir) as database:
        ingest = Ingest(database, clock, rules_of(settings, lexicon), b"secret")
        await ingest.resume()
        quota = await Quota.opened(database, clock, chance)
        clients: list[TelegramClient] = []

        def refused(method: str, seconds: int) -> None:
            quota.refused(method, seconds)
            # The library would refuse the next ones by itself until so much real time has gone by.
            for client in clients:
                client._flood_waited_requests.clear()

        def account_for(connected: Callable[[], None], *, pushed: bool) -> Account:
            client = client_for(
                settings.telegram,
                settings.data_dir / SESSION,
                on_connect=connected,
                by_itself=ByItself(quota.unasked, refused),
                updates=pushed,
                pause=timedelta(seconds=0.05),
            )
            clients[:] = [client]
            clocked: type[_Account] = type("_Clocked", (_Account,), {"clock": clock})
            return clocked(client, turn=quota.turn, refused=refused, timeout=_PATIENCE, pushed=pushed)

        def watch_for(account: Account) -> Watch:
            watch = settings.watch
            return Watch(
                account=account,
                ingest=ingest,
                database=database,
                clock=clock,
                refs=[one.channel for one in watch.channels],
                join=watch.join,
                history=watch.history,
                sweep_every=watch.sweep_every,
                ignored=frozenset({account.id}),
                random=chance,
            )

        clock.at_work = lambda: any(
            client._message_box.possible_gaps or client._message_box.getting_diff_for for client in clients
        )
        supervise = Supervise(
            account_for=account_for, watch_for=watch_for, database=database, clock=clock, random=chance
        )
        life = Life(world, database, clock, supervise, ingest, quota)
        voices = Voices(bot=False)
        voices.speaks(Voice.READER, life)
        deliver = Deliver(
            database, voices, clock, secret=b"secret", retell=Retelling(database, lambda: ingest.rules).as_now
        )
        ingest.committed = deliver.wake
        parts: list[Awaitable[None]] = [supervise.run(), ingest.run(), deliver.run()]
        life.loops = [asyncio.ensure_future(part) for part in parts]
        try:
            yield life
        finally:
            for loop in life.loops:
                await _ended(loop)
            clock.at_work = lambda: False
            await quota.settled()


@asynccontextmanager
async def _hasty() -> AsyncIterator[None]:
    """What the library waits after a gap, it waits for in real time, and stops the clock meanwhile."""
    before = messagebox.POSSIBLE_GAP_TIMEOUT
    messagebox.POSSIBLE_GAP_TIMEOUT = _GAP
    try:
        yield
    finally:
        messagebox.POSSIBLE_GAP_TIMEOUT = before


async def _ended(task: asyncio.Future[Any]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await task
