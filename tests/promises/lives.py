"""The watch and what keeps it up, over the real client and a server: minutes go by in a blink, and calls give up soon.

The service's other loops are left out but for the one that stores; what the operators would be told is in the tables.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.clock import ScaledClock
from bot.config.ruling import rules_of
from bot.folder import READER as SESSION
from bot.lives import Probe
from bot.parts import Parts
from bot.query.lexicon import Lexicon
from bot.storage import notices
from bot.storage.database import Database
from bot.supervise import Supervise
from bot.telegram.account import Account
from bot.telegram.session import ByItself, client_for
from bot.vitals import Link
from tests.promises.inside import READER, WORD, Inside, configured
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

MINUTE = timedelta(minutes=1)
#: The service's time runs so much faster than ours.
FACTOR = 240
#: How long a call may take, in our time.
_PATIENCE = timedelta(seconds=0.4)


@dataclass(slots=True)
class Lives:
    """A service as it lives; ``pushed``: of each life so far, whether it asked for pushes."""

    inside: Inside
    server: TelegramServer
    channel: WorldChannel
    clock: ScaledClock
    supervise: Supervise
    session: Path
    pushed: list[bool]
    count: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def say(self, posts: int = 1) -> None:
        for _ in range(posts):
            self.channel.post(f"{WORD} № {next(self.count)}")

    def lose(self, posts: int = 1) -> None:
        """Posts of which no push comes."""
        drop = self.server.faults.drop()
        self.say(posts)
        drop.stop()

    async def up(self, link: Link = Link.UP, within: float = 8) -> None:
        """Returns when it stands with Telegram like this."""
        await self.inside.until(lambda: self.supervise.link is link, within)

    async def caught_up(self, within: float = 8) -> None:
        """Returns when all that was posted is stored."""
        await self.inside.caught_up(within=within)

    async def gone(self) -> None:
        """Takes the server off the net, and returns when the client has given up."""
        account = self.account
        await self.server.stop_listening()
        self.server.cut()
        await asyncio.wait_for(account.closed(), 8)

    def skew(self) -> timedelta | None:
        return self.supervise.skew

    @property
    def account(self) -> Account:
        """That of this life, which has to be up."""
        assert self.supervise.watch is not None
        return self.supervise.watch._account

    async def told(self) -> list[str]:
        """What the operators have to be told, whatever has become of it since."""
        return [noted.notice.what for noted in await notices.untold(self.inside.database)]

    async def until_told(self, within: float = 12) -> str:
        """The one thing that the operators are told."""
        async with asyncio.timeout(within):
            while not (told := await self.told()):
                self.inside.check()
                await asyncio.sleep(0.02)
        [what] = told
        return what

    async def standing(self) -> set[str]:
        """The subjects of troubles that are not settled."""
        last = dict(await self.inside.database.rows("SELECT subject, what FROM notice ORDER BY id"))
        return {subject for subject, what in last.items() if what}

    async def settled(self, within: float = 8) -> None:
        """Returns when no trouble is left."""
        async with asyncio.timeout(within):
            while await self.standing():  # noqa: ASYNC110 - a condition is in the database
                await asyncio.sleep(0.02)


@asynccontextmanager
async def lives(
    folder: Path,
    lexicon: Lexicon,
    *,
    sweep_every: timedelta = MINUTE,
    factor: float = FACTOR,
    before: Callable[[TelegramServer], object] | None = None,
) -> AsyncIterator[Lives]:
    """A service over a channel in which there is something; it is up if ``before`` does nothing to the server."""
    clock, chance = ScaledClock(datetime.now(UTC), factor), random.Random(1)  # noqa: S311 - seeded, not secret
    world = World(1, now=clock.now)
    world.add_person(READER)
    channel = world.add_channel(2001, username="life_demo", members=[READER])
    async with TelegramServer(world) as server, Database.opened(folder) as database:
        settings = configured(folder, server, ["@life_demo"], sweep_every=sweep_every)
        parts = await Parts.made(settings, rules_of(settings, lexicon), database, clock, chance)
        quota, ingest = parts.quota, parts.ingest
        asked: list[bool] = []

        def account_for(connected: Callable[[], None], *, pushed: bool) -> Account:
            asked.append(pushed)
            client = client_for(
                *(settings.telegram, folder / SESSION),
                on_connect=connected,
                by_itself=ByItself(quota.unasked, quota.refused),
                updates=pushed,
                pause=timedelta(seconds=0.02),
            )
            return Account(client, turn=quota.turn, refused=quota.refused, timeout=_PATIENCE, pushed=pushed)

        supervise = Supervise(
            account_for=account_for,
            watch_for=parts.watch,
            database=database,
            clock=clock,
            random=chance,
            probe=Probe(patience=_PATIENCE),
        )
        if before is not None:
            before(server)
        loops = [asyncio.create_task(supervise.run()), asyncio.create_task(ingest.run())]
        living = Lives(
            Inside(world, database, [], loops[0]), server, channel, clock, supervise, folder / SESSION, asked
        )
        try:
            living.say(2)
            if before is None:
                await living.caught_up()
            yield living
        finally:
            await _ended(loops)
            await quota.settled()


async def _ended(loops: Iterable[asyncio.Task[None]]) -> None:
    for loop in loops:
        loop.cancel()
    await asyncio.wait(loops)
