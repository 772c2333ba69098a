"""A service of which only the taking in and what is told together run, on a clock that a test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from bot.digests.digests import Digests
from bot.model import Destination, Haul, Peer
from bot.query.lexicon import Lexicon
from bot.rules import ChannelRule, Rules
from bot.storage import channels
from bot.storage.database import Database
from tests.clocks import HandClock
from tests.ingesting import ALFA, BEGUN, BETA, GAMMA, SECRET, begin, push, running
from tests.made import at, rule, rules

#: Of a channel of which the first reading is over.
READ = replace(BEGUN, history_read=True)


@dataclass
class House:
    """A service of which only this loop and the taking in run. ``passed``: as the sweeps have it."""

    database: Database
    clock: HandClock
    rules: Rules
    passed: datetime | None = None
    woken: int = 0
    folder: str | None = None

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """A process begins."""
        self.digests = Digests(
            self.database,
            self.clock,
            rules=lambda: self.rules,
            secret=SECRET,
            passed=lambda: self.passed,
            wake=self._woken,
            folder=lambda: self.folder,
        )

    def _woken(self) -> None:
        self.woken += 1

    async def store(self, *hauls: Haul, minutes: float = 0) -> None:
        """What is pushed so many minutes after noon."""
        self.clock.set(at(minutes))
        async with running(self.database, self.clock, self.rules) as ingest:
            await push(ingest, *hauls)

    async def read(self, minutes: float, *peers: Peer) -> None:
        """A sweep has shown at this time all that stood in these channels."""
        ids = [peer.id for peer in peers or (ALFA, BETA, GAMMA)]
        await self.database.write(lambda c: channels.set_read(c, ids, at(minutes)))
        if not peers:
            self.passed = at(minutes)

    async def look(self, minutes: float) -> None:
        """One look, so many minutes after noon."""
        self.clock.set(at(minutes))
        await self.digests.look()

    async def evening(self, *, late: float = 0.5) -> None:
        """The digest's moment, and the sweep after it."""
        await self.look(480)
        await self.read(480 + late)
        await self.look(480 + late)

    async def texts(self, lane: str = "digest", to: Destination | None = None) -> list[str]:
        rows = await self.database.rows("SELECT text, destination FROM outbox WHERE lane = ? ORDER BY id", (lane,))
        return [text for text, place in rows if to is None or place == str(to)]


WATCHED = {"alfa_demo": ChannelRule(), "beta_demo": ChannelRule(), "gamma_demo": ChannelRule(label="Gamma")}
#: Rules of these topics, or of one that digests tell, with these settings.
Made = Callable[..., Rules]


def rules_of(lexicon: Lexicon) -> Made:
    """Rules under which three channels are watched and empty digests are told."""

    def made(*topics: object, **settings: object) -> Rules:
        defaults = {"channels": WATCHED, "empty_digests": True, **settings}
        chosen = topics or (rule("syria", "Сирия", "digest"),)
        return rules(*chosen, lexicon=lexicon, **defaults)  # type: ignore[arg-type]

    return made


@asynccontextmanager
async def settled(folder: Path, by: Made) -> AsyncIterator[House]:
    """One that knows its destination since noon, and whose channels were read then."""
    async with Database.opened(folder) as database:
        await begin(database, cursor=READ)
        house = House(database, HandClock(), by())
        await house.look(0)
        await house.read(0)
        yield house


async def another(house: House, by: Rules) -> House:
    """The same under other rules, which it knows since noon."""
    house.rules = by
    await house.look(0)
    return house
