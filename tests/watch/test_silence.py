"""Channels that have become silent: told once, and once when they post again, whatever restarts in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.ingest import Ingest
from bot.model import Peer, Stands, Username
from bot.query.lexicon import Lexicon
from bot.storage import channels, notices, posts
from bot.storage.database import Database
from bot.storage.posts import Message
from bot.watch.roster import Roster
from bot.watch.silence import Silence, silent_channels
from tests.clocks import HandClock
from tests.ingesting import ACCOUNT, ALFA, BEGUN, BETA, GAMMA, PEERS
from tests.made import at, rules

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: For so many days before noon every channel posts once an hour, by day.
DAYS = 12


async def post(database: Database, peer: Peer, moments: Iterable[datetime], first: int = 1) -> None:
    rows = [
        Message(peer.id, number, Stands.POST, None, number, moment, moment, None, b"12345678", '{"text":"Да"}')
        for number, moment in enumerate(moments, first)
    ]
    await database.write(lambda c: posts.put(c, posts.packed(rows)))


def hourly(days: int = DAYS) -> list[datetime]:
    moments = (at() - HOUR * ago for ago in reversed(range(days * 24)))
    return [moment for moment in moments if moment.hour >= 8]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.opened(tmp_path) as database:
        for peer in PEERS:
            await database.write(lambda c, peer=peer: channels.put(c, ACCOUNT, peer, BEGUN))  # type: ignore[misc]
            await database.write(lambda c, peer=peer: channels.refer(c, f"@{peer.username}", peer.id))  # type: ignore[misc]
        yield database


def silent(since: str, longest: str) -> str:
    return (
        f"@alfa_demo has said nothing for {since}; its longest pause in the 30 days before was {longest}. Perhaps it "
        "moved, or Telegram hides it from this account: look at it in an app."
    )


class Post:
    """A roster with its silence as a process has them, and the clock."""

    def __init__(self, database: Database, lexicon: Lexicon) -> None:
        self.clock = HandClock(at())
        self._database = database
        self._lexicon = lexicon

    async def start(self, *watched: Peer) -> None:
        ingest = Ingest(self._database, self.clock, rules(lexicon=self._lexicon), b"secret")
        self.roster = Roster(ACCOUNT, ingest, self._database, self.clock)
        await self.roster.load([Username(peer.username or "") for peer in watched or PEERS])
        self.silence = Silence(self.roster, self._database, self.clock)

    async def look(self, after: timedelta = timedelta(), *, unread: Iterable[Peer] = ()) -> list[str]:
        """What there is to tell when so much time has passed and all that can be read is read."""
        self.clock.set(self.clock.now() + after)
        without = {peer.id for peer in unread}
        read = [one.peer.id for one in self.roster.all() if one.peer.id not in without and one.refused is None]
        await self.roster.read(read, self.clock.now())
        await self.silence.look()
        fresh = await notices.untold(self._database)
        await self._database.write(lambda c: notices.mark_told(c, [one.id for one in fresh], self.clock.now()))
        return [one.notice.what for one in fresh]


@pytest.fixture
async def here(database: Database, lexicon: Lexicon) -> Post:
    made = Post(database, lexicon)
    await made.start()
    return made


async def test_a_silent_channel_is_told_once_and_once_when_it_posts_again(here: Post, database: Database) -> None:
    await post(database, ALFA, hourly())
    assert await here.look() == []
    assert await here.look(22 * HOUR) == []
    assert await here.look(2 * HOUR) == [silent("24 h", "9 h")]
    assert await silent_channels(database) == {ALFA.id: hourly()[-1]}
    assert await here.look(HOUR) == []
    assert await here.look(3 * DAY) == []
    await post(database, ALFA, [here.clock.now()], first=1_000)
    assert await here.look(HOUR) == ["@alfa_demo posts again."]
    assert await silent_channels(database) == {}
    assert await here.look(HOUR) == []


async def test_a_channel_that_falls_silent_again_is_told_again(here: Post, database: Database) -> None:
    await post(database, ALFA, hourly())
    await here.look(3 * DAY)
    await post(database, ALFA, [here.clock.now()], first=1_000)
    assert await here.look(9 * DAY) == [silent("9 days", "3 days")]


async def test_a_restart_tells_nothing_again(here: Post, database: Database) -> None:
    await post(database, ALFA, hourly())
    assert len(await here.look(2 * DAY)) == 1
    await here.start()
    assert await here.look(DAY) == []
    await post(database, ALFA, [here.clock.now()], first=1_000)
    await here.start()
    assert await here.look(HOUR) == ["@alfa_demo posts again."]


async def test_each_channel_is_measured_by_its_own_rhythm(here: Post, database: Database) -> None:
    await post(database, ALFA, [moment for moment in hourly() if moment.hour % 2])
    await post(database, BETA, [at() - DAY * ago for ago in reversed(range(25))])
    await post(database, GAMMA, hourly(1))
    assert [what.split()[0] for what in await here.look(40 * HOUR)] == ["@alfa_demo"]
    assert [what.split()[0] for what in await here.look(26 * HOUR)] == ["@beta_demo"]
    assert await here.look(9 * DAY) == []  # fifteen posts show no rhythm


async def test_what_was_not_read_cannot_be_called_silent(here: Post, database: Database) -> None:
    await post(database, ALFA, hourly())
    await post(database, BETA, hourly())
    await here.look()
    assert [what.split()[0] for what in await here.look(5 * DAY, unread=[ALFA])] == ["@beta_demo"]


async def test_of_a_channel_that_is_refused_something_else_is_said(here: Post, database: Database) -> None:
    await post(database, ALFA, hourly())
    here.clock.set(at() + 5 * DAY)
    await here.roster.read([ALFA.id], here.clock.now())
    await here.roster.refuse(ALFA.id, "CHANNEL_PRIVATE")
    [told] = await here.look()
    assert "cannot be read" in told


async def test_nothing_is_said_of_channels_without_posts_or_that_are_watched_no_more(
    here: Post, database: Database
) -> None:
    await post(database, ALFA, hourly())
    assert len(await here.look(2 * DAY)) == 1
    await here.start(BETA)
    assert await here.look(5 * DAY) == []
    assert await database.rows("SELECT what FROM notice ORDER BY id DESC LIMIT 1") == [("",)]
    await here.start()
    assert len(await here.look(DAY)) == 1


async def test_it_looks_each_hour(here: Post, database: Database) -> None:
    await post(database, ALFA, hourly())
    await here.look(-HOUR)
    loop = asyncio.create_task(here.silence.run())
    for _ in range(3):
        await here.clock.advance(HOUR)
    await here.roster.read([ALFA.id], at() + 2 * DAY)
    assert not await notices.untold(database)
    await here.clock.advance(HOUR)
    for _ in range(100):
        if await notices.untold(database):
            break
        await asyncio.sleep(0.01)
    assert len(await notices.untold(database)) == 1
    loop.cancel()
