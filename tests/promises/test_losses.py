"""Where the Telegram library loses or delays posts, and that nothing is lost here: one test a case.

Each says what a program hears that leaves it to Telethon 1.45 alone, and what it is that mends it. Unless a test says
otherwise no sweep comes to help: what is stored was brought by pushes, and by what a push that leaves a gap sets off.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from telethon._updates import messagebox

from bot.clock import ScaledClock
from bot.config.ruling import rules_of
from bot.cursor import began_at
from bot.model import Peer
from bot.parts import Parts
from bot.query.lexicon import Lexicon
from bot.storage import channels, notices
from bot.storage.database import Database
from bot.supervise import Supervise
from bot.telegram.account import Account
from tests.promises.inside import NEVER, READER, WORD, Inside, configured, inside
from tests.promises.service import Service
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

SECOND = timedelta(seconds=1)
DIFFERENCE = "updates.getChannelDifference"
_FIRST = 2001


@dataclass(frozen=True, slots=True)
class Scene:
    """A server, the folder of a service, and its channels."""

    folder: Path
    world: World
    server: TelegramServer
    count: itertools.count[int]

    def channel(self, *, joined: bool = True, posts: int = 1) -> WorldChannel:
        """A new channel, in which there is something already."""
        at = len(self.world.channels)
        channel = self.world.add_channel(_FIRST + at, username=f"loss_{at}_demo", members=[READER] if joined else [])
        self.say(channel, posts)
        return channel

    def say(self, channel: WorldChannel, posts: int = 1) -> None:
        for _ in range(posts):
            channel.post(f"{WORD} № {next(self.count)}")

    def lose(self, channel: WorldChannel, posts: int = 3) -> None:
        """Posts of which no push comes."""
        drop = self.server.faults.drop()
        self.say(channel, posts)
        drop.stop()

    @asynccontextmanager
    async def watched(
        self, *, join: bool = True, sweep_every: timedelta = NEVER, by_id: bool = False
    ) -> AsyncIterator[Inside]:
        """The service, once it has read what stands in all channels."""
        them = self.world.channels.values()
        names = [str(channel.marked) if by_id else f"@{channel.username}" for channel in them]
        settings = configured(self.folder, self.server, names, join=join, sweep_every=sweep_every)
        async with inside(self.world, settings) as service:
            await service.caught_up(within=10)
            yield service


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    world = World(1)
    world.add_person(READER)
    async with TelegramServer(world) as server:
        yield Scene(tmp_path, world, server, itertools.count(1))


async def test_a_a_channel_that_is_not_joined_is_polled(scene: Scene) -> None:
    """Nothing is ever pushed of a channel that the account has not joined; the sweep asks for it."""
    known, unknown = scene.channel(joined=False), scene.channel(joined=False)
    scene.server.faults.omit_dialogs(unknown.number)
    async with scene.watched(join=False, sweep_every=SECOND) as service:
        scene.say(known, 3)
        scene.say(unknown, 3)
        await service.caught_up()
    assert scene.server.count("channels.joinChannel") == 0


async def test_b_a_late_push_is_not_waited_for_and_not_taken_twice(scene: Scene) -> None:
    """Pushes of a big channel come seconds or minutes late to a quiet account; the sweep comes sooner."""
    channel, late = scene.channel(), 3.0
    async with scene.watched(sweep_every=SECOND) as service:
        delay = scene.server.faults.delay(late)
        scene.say(channel, 3)
        took = await service.caught_up(within=late - 0.5)
        assert delay.hits == 3
        await asyncio.sleep(late - took + 0.2)
        await service.caught_up()


async def test_c_a_channel_of_which_an_old_library_is_told_nothing_is_swept(scene: Scene) -> None:
    """The server stops pushing some channels to an old client; the sweep does not need pushes."""
    silent, other = scene.channel(), scene.channel()
    async with scene.watched(sweep_every=SECOND) as service:
        scene.server.faults.silent(silent.number)
        scene.say(silent, 3)
        scene.say(other, 3)
        await service.caught_up()


async def test_d_a_difference_that_is_too_long_loses_nothing(scene: Scene) -> None:
    """Telethon jumps to the newest count of events and tells nothing of what lay between, nor of the jump."""
    channel = scene.channel()
    async with scene.watched(sweep_every=SECOND) as service:
        scene.say(channel)
        await service.caught_up()
        scene.lose(channel, 150)
        too_long = scene.server.faults.too_long()
        scene.say(channel)
        await service.caught_up(within=5)
        await service.until(lambda: too_long.hits > 0)


async def test_e_channel_too_long_of_an_unknown_channel_loses_nothing(scene: Scene) -> None:
    """Telethon ignores updateChannelTooLong of a channel of which nothing was pushed since the start."""
    channel = scene.channel()
    async with scene.watched(sweep_every=SECOND) as service:
        too_long = scene.server.faults.channel_too_long()
        scene.say(channel, 3)
        await service.caught_up()
    assert too_long.hits == 3


async def test_f_a_gap_in_a_channel_without_access_hash_loses_nothing(scene: Scene) -> None:
    """Telethon forgets a channel that it saw only in short form, with the updates that wait for the gap to close."""
    channel = scene.channel()
    async with scene.watched() as service:
        few = scene.server.faults.min_channel()
        scene.say(channel)
        await service.caught_up()
        scene.lose(channel)
        scene.say(channel)
        # Telethon waits half a second for the gap to close.
        await asyncio.sleep(0.8)
        scene.say(channel)
        await service.caught_up()
    assert few.hits == 6
    assert scene.server.count(DIFFERENCE) == 0


async def test_g_a_gap_before_the_first_push_after_a_start_is_seen(scene: Scene) -> None:
    """Telethon takes the first push of a channel for the beginning, whatever was lost before it."""
    channel = scene.channel()
    async with scene.watched() as service:
        scene.lose(channel)
        scene.say(channel)
        await service.caught_up()


async def test_h_what_was_posted_while_the_connection_was_lost_is_read_after_it(scene: Scene) -> None:
    """Telethon connects anew and asks for nothing that it missed."""
    channel = scene.channel()
    async with scene.watched() as service:
        scene.say(channel)
        await service.caught_up()
        await scene.server.stop_listening()
        scene.server.cut()
        await asyncio.sleep(0.1)
        scene.say(channel, 3)
        await scene.server.listen_again()
        await service.caught_up(within=8)


async def test_i_a_push_that_cannot_be_read_loses_nothing(scene: Scene) -> None:
    """Telethon drops the packet, and only a later push of the same channel shows that something is missing."""
    channel = scene.channel()
    async with scene.watched() as service:
        unknown = scene.server.faults.unknown_in_push(times=2)
        scene.say(channel, 3)
        await service.caught_up()
    assert unknown.hits == 2


async def test_j_a_difference_that_cannot_be_read_is_no_crash_loop(scene: Scene) -> None:
    """Telethon's client dies of it, and of the same difference after each start that catches up."""
    channel = scene.channel()
    async with scene.watched() as service:
        scene.say(channel)
        await service.caught_up()
        unknown = scene.server.faults.unknown_in_difference()
        scene.lose(channel)
        scene.say(channel)
        await service.until(lambda: unknown.hits > 0)
        await service.caught_up(within=8)
        sessions = len(scene.server.sessions)
        await asyncio.sleep(1)
        scene.say(channel)
        await service.caught_up()
        assert len(scene.server.sessions) == sessions


async def test_k_a_difference_that_the_server_cannot_tell_delays_no_other_channel(scene: Scene) -> None:
    """Telethon asks six times in twelve seconds and handles no push meanwhile; the channel itself waits 15 minutes."""
    broken, healthy = scene.channel(), scene.channel()
    async with scene.watched() as service:
        scene.say(broken)
        await service.caught_up()
        outdated = scene.server.faults.pts_outdated(times=None)
        scene.lose(broken)
        scene.say(broken)
        await service.until(lambda: outdated.hits > 0)
        scene.say(healthy)
        await service.caught_up(healthy, within=8)
        # Telethon keeps the pushes of the channel to itself until it is told; what finds them is the next sweep.
        scene.server.cut()
        await service.caught_up()


async def test_l_a_channel_whose_difference_is_refused_is_read_on(scene: Scene) -> None:
    """Telethon forgets the channel without a word, and what was missing with it."""
    channel = scene.channel()
    async with scene.watched() as service:
        scene.say(channel)
        await service.caught_up()
        refused = scene.server.faults.refuse(DIFFERENCE, 400, "CHANNEL_PRIVATE", times=None)
        scene.lose(channel)
        scene.say(channel)
        await service.until(lambda: refused.hits > 0)
        scene.say(channel)
        await service.caught_up()


async def test_m_what_dies_with_the_process_before_it_is_stored_is_read_again(scene: Scene) -> None:
    """Telethon has moved on when a handler begins: what it, or the process, does not finish never comes again."""
    channel = scene.channel()
    service = Service.configured(scene.folder, scene.server, [f"@{channel.username}"])
    await service.start()
    await _stored(service, channel)
    # Somebody else writes, so that what is pushed cannot be stored yet.
    with sqlite3.connect(scene.folder / "data" / "vedette.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        scene.say(channel, 3)
        await asyncio.sleep(0.5)
        await service.kill()
        (count,) = other.execute("SELECT count(*) FROM message").fetchone()
        other.execute("ROLLBACK")
    other.close()
    assert count == 1
    await service.start()
    await _stored(service, channel)
    assert await service.stop() == 0


async def _stored(service: Service, channel: WorldChannel) -> None:
    """Returns when every post is stored, and matched and printed once."""
    wanted = sorted(channel.truth())
    for _ in range(100):
        if sorted(line["id"] for line in map(json.loads, service.lines)) == wanted:
            break
        await asyncio.sleep(0.1)
    assert sorted(line["id"] for line in map(json.loads, service.lines)) == wanted, service.log[-5:]
    assert sorted(line["id"] for line in await service.exported()) == wanted
    assert sorted(line["id"] for line in await service.exported("--matches")) == wanted


async def test_n_many_channels_are_not_asked_for_all_at_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """After 15 minutes Telethon asks for the differences of all channels at once, and handles no push meanwhile."""
    them = [scene.channel(posts=0) for _ in range(120)]
    await _known(scene, them)
    async with scene.watched() as service:
        await service.until(lambda: scene.server.count("messages.getPeerDialogs") == 2)
        for channel in them:
            scene.say(channel)
        await service.caught_up()
        assert timedelta(seconds=messagebox.NO_UPDATES_TIMEOUT) == timedelta(hours=12)
        loop = asyncio.get_running_loop()
        time = loop.time
        monkeypatch.setattr(loop, "time", lambda: time() + 16 * 60)
        for channel in them:
            scene.say(channel)
        await service.caught_up()
        await asyncio.sleep(0.5)
    assert scene.server.count(DIFFERENCE) == 0


async def _known(scene: Scene, them: list[WorldChannel]) -> None:
    """As if an earlier process had found these channels and read what stands in them."""
    now, cursor = scene.world.now(), replace(began_at(0, 1), history_read=True)
    async with Database.opened(scene.folder) as database:
        for channel in them:
            hash_ = scene.world.access_hash(READER, channel.number)
            peer = Peer(id=channel.marked, access_hash=hash_, username=channel.username, joined=True)
            await database.write(partial(channels.put, account=READER, peer=peer, cursor=cursor, since=now))
            await database.write(partial(channels.refer, written=f"@{channel.username}", channel=peer.id))


async def test_o_a_wait_before_a_difference_holds_up_no_push(scene: Scene) -> None:
    """Telethon sleeps through the wait where it handles updates: no channel is heard meanwhile."""
    waiting, other = scene.channel(), scene.channel()
    async with scene.watched() as service:
        scene.say(waiting)
        await service.caught_up()
        wait = scene.server.faults.flood_wait(DIFFERENCE, 30, times=None)
        scene.lose(waiting)
        scene.say(waiting)
        await service.until(lambda: wait.hits > 0)
        scene.say(other)
        await service.caught_up(other)
        scene.server.cut()
        await service.caught_up()


async def test_p_a_community_among_the_dialogs_hides_no_channel(scene: Scene) -> None:
    """Telethon's list of dialogs breaks off with an AttributeError at a community."""
    channel = scene.channel()
    scene.server.faults.community()
    async with scene.watched(by_id=True) as service:
        scene.say(channel, 3)
        await service.caught_up()
    assert scene.server.count("messages.getDialogs") > 0


async def test_q_a_clock_that_is_behind_is_told_and_survived(scene: Scene, lexicon: Lexicon) -> None:
    """Telethon rejects all that the server says as too new, and connecting never ends."""
    channel = scene.channel(posts=3)
    skew = scene.server.faults.clock_skew(120)
    async with _hasty(scene, lexicon) as service:
        told: list[str] = []
        for _ in range(200):
            if told := [noted.notice.what for noted in await notices.untold(service.database)]:
                break
            await asyncio.sleep(0.05)
        assert told == ["This machine's clock is 2 min behind Telegram's; set it, e.g. run an NTP service."]
        skew.stop()
        await service.caught_up(within=8)
        scene.say(channel)
        await service.caught_up()


@asynccontextmanager
async def _hasty(scene: Scene, lexicon: Lexicon) -> AsyncIterator[Inside]:
    """The service without its sending, whose calls give up after half a second and whose pauses are short."""
    settings = configured(scene.folder, scene.server, [f"@{name.username}" for name in scene.world.channels.values()])
    clock, chance = ScaledClock(datetime.now(UTC), 20), random.Random(1)  # noqa: S311 - seeded, not secret
    async with Database.opened(scene.folder) as database:
        parts = await Parts.made(settings, rules_of(settings, lexicon), database, clock, chance)
        ingest = parts.ingest

        def account_for(connected: Callable[[], None], *, pushed: bool) -> Account:
            client = parts.account(connected, pushed=pushed).client
            return Account(client, timeout=timedelta(seconds=0.5), pushed=pushed)

        supervise = Supervise(
            account_for=account_for,
            watch_for=parts.watch,
            database=database,
            clock=clock,
            random=chance,
        )
        loops = [asyncio.create_task(supervise.run()), asyncio.create_task(ingest.run())]
        try:
            yield Inside(scene.world, database, [], loops[0])
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.wait(loops)
