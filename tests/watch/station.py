"""A watch with everything that it needs, over the real client, a loopback server and a real database."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr
from telethon.tl import types

from bot.clock import ScaledClock
from bot.config.settings import Server, Telegram
from bot.config.values import Address
from bot.cursor import Cursor
from bot.ingest import Ingest
from bot.model import ChannelRef, Username
from bot.query.lexicon import Lexicon
from bot.recording.jsonl import post_of
from bot.storage import notices
from bot.storage.database import Database
from bot.telegram.account import Account
from bot.telegram.session import client_for
from bot.watch.watch import Watch
from tests.made import rule, rules
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

READER = 7001
HISTORY = "messages.getHistory"
DIALOGS = "messages.getPeerDialogs"
DIFFERENCE = "updates.getDifference"
#: The watch's time runs so much faster than ours.
FACTOR = 60


@dataclass(slots=True)
class Station:
    """A watch as it stands: started and stopped by the tests, any number of times over the same database."""

    folder: Path
    world: World
    server: TelegramServer
    database: Database
    clock: ScaledClock
    lexicon: Lexicon
    refs: Sequence[ChannelRef] = ()
    destinations: frozenset[ChannelRef] = frozenset()
    chat_folder: str | None = None
    #: Keywords of which posts are alerted.
    keywords: str | None = None
    join: bool = True
    history: timedelta = timedelta()
    sweep_every: timedelta = timedelta(seconds=10)
    watch: Watch | None = None
    ingest: Ingest | None = None
    running: asyncio.Task[None] | None = None
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)

    def channel(self, name: str = "alfa_demo", *, joined: bool = True) -> WorldChannel:
        """A new channel, that is watched from the next start on. As everywhere, number 1 says that it was made."""
        number = 1001 + len(self.world.channels)
        self.refs = [*self.refs, Username(name)]
        made = self.world.add_channel(number, username=name, members=[READER] if joined else [])
        made.service()
        return made

    async def start(self) -> Watch:
        """Begins to watch, and returns when the first sweep has passed and every channel was asked for."""
        watch = await self.begin()
        await eventually(lambda: watch.last_pass is not None and not watch._membership.untried)
        return watch

    async def begin(self) -> Watch:
        topics = [] if self.keywords is None else [rule("syria", self.keywords)]
        self.ingest = ingest = Ingest(self.database, self.clock, rules(*topics, lexicon=self.lexicon), b"secret")
        await ingest.resume()
        storing = asyncio.create_task(ingest.run())
        self._open.push_async_callback(_ended, storing)
        client = client_for(
            self.telegram,
            self.folder / "reader.session",
            on_connect=lambda: self.watch.connected() if self.watch else None,
            pause=timedelta(seconds=0.1),
        )
        account = Account(client, timeout=timedelta(seconds=1))
        await account.open()
        self._open.push_async_callback(account.close)
        self.watch = Watch(
            account=account,
            ingest=ingest,
            database=self.database,
            clock=self.clock,
            refs=self.refs,
            join=self.join,
            history=self.history,
            sweep_every=self.sweep_every,
            destinations=self.destinations,
            folder=self.chat_folder,
            random=random.Random(1),  # noqa: S311 - seeded, not secret
        )
        self.running = asyncio.create_task(self.watch.run())
        self._open.push_async_callback(_ended, self.running)
        return self.watch

    async def reconfigured(self) -> None:
        """The watch goes on with the configuration as it stands here now."""
        assert self.watch is not None
        await self.watch.reconfigure(
            refs=self.refs,
            join=self.join,
            history=self.history,
            sweep_every=self.sweep_every,
            destinations=self.destinations,
            folder=self.chat_folder,
        )

    async def stop(self) -> None:
        """Ends the process as a crash would: what was not stored is lost."""
        await self._open.aclose()
        self.watch = self.ingest = self.running = None

    @property
    def telegram(self) -> Telegram:
        key = self.folder / "server.pem"
        key.write_text(self.server.public_key)
        address = Address(self.server.host, self.server.port)
        return Telegram.model_construct(
            api_id=1,
            api_hash=SecretStr("0123456789abcdef0123456789abcdef"),
            server=Server.model_construct(address=address, dc_id=self.server.dc, public_key=key),
            proxy=None,
        )

    async def stored(self, channel: WorldChannel) -> dict[int, str]:
        """What the posts of a channel say, as they are stored and were not seen to be deleted."""
        sql = "SELECT number, body FROM message WHERE channel = ? AND body IS NOT NULL AND deleted IS NULL"
        found = await self.database.rows(sql, (channel.marked,))
        known = self.watch.channel(channel.marked) if self.watch else None
        assert known is not None
        return {number: post_of(body, known).text for number, body in found}

    def watches(self, *channels: WorldChannel) -> bool:
        """Whether all of these are watched."""
        return self.watch is not None and all(self.watch.channel(channel.marked) for channel in channels)

    async def all_stored(self, *channels: WorldChannel, above: int = 0) -> None:
        """Returns when all that stands in these channels above a number is stored as it stands, and nothing else is."""
        for channel in channels:
            truth = {number: text for number, text in channel.truth().items() if number > above}
            found: dict[int, str] = {}
            for _ in range(500):
                found = await self.stored(channel)
                if found == truth:
                    break
                self.check()
                await asyncio.sleep(0.01)
            assert found == truth

    def cursor(self, channel: WorldChannel) -> Cursor:
        assert self.ingest is not None
        return self.ingest.cursors[channel.marked]

    def behind(self, channel: WorldChannel) -> bool:
        return self.cursor(channel).behind

    async def until_read(self, channel: WorldChannel, number: int) -> None:
        await self.until(lambda: self.cursor(channel).verified == number)

    async def until_known(self, channel: WorldChannel) -> None:
        """Returns when the newest of a channel has been read, and whatever stands below it."""
        await self.until(lambda: self.cursor(channel).verified >= channel.newest and not self.behind(channel))

    async def known_by_now(self) -> None:
        """Returns when the watch says that all is stored that stands in the channels now."""
        watch, now = self.watch, self.clock.now()
        assert watch is not None
        await self.until(lambda: not watch.behind(now))

    def stir(self, channel: WorldChannel) -> None:
        """Pushes that something has happened to a channel, and not what."""
        self.server.push_raw(types.Updates([types.UpdateChannel(channel.number)], [], [], self.clock.now(), 0), READER)

    async def until_told(self, notices: int) -> None:
        """Returns when the operators are told of so many things."""
        for _ in range(2000):
            if len(await self.told()) >= notices:
                return
            self.check()
            await asyncio.sleep(0.01)
        raise AssertionError(await self.told())

    async def told(self) -> list[str]:
        """What the operators are told."""
        return [noted.notice.what for noted in await notices.untold(self.database)]

    def check(self) -> None:
        """The watch goes on."""
        assert self.running is not None
        if self.running.done():
            self.running.result()
            raise AssertionError("the watch has ended")

    async def until(self, condition: Callable[[], bool]) -> None:
        await eventually(condition, self.check)


def say(channel: WorldChannel, *texts: str, push: bool = True) -> None:
    for text in texts:
        channel.post(text, push=push)


@asynccontextmanager
async def station(folder: Path, lexicon: Lexicon) -> AsyncIterator[Station]:
    """With a server and nothing in it but the reader's account."""
    clock = ScaledClock(datetime.now(UTC), FACTOR)
    world = World(1, now=clock.now)
    world.add_person(READER)
    async with TelegramServer(world) as server, Database.opened(folder) as database:
        server.sign_in_session(folder / "reader.session", READER)
        made = Station(folder, world, server, database, clock, lexicon)
        try:
            yield made
        finally:
            await made.stop()


async def eventually(condition: Callable[[], bool], check: Callable[[], None] = lambda: None) -> None:
    """Returns when it is so; within 20 s, since the machine may be busy."""
    for _ in range(2000):
        if condition():
            return
        check()
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await task
