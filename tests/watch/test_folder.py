"""A folder of the reader's Telegram: its channels are taken up and dropped, and what changes is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from telethon.tl import types

from bot.clock import ScaledClock
from bot.cursor import began_at
from bot.errors import NotSignedInError, StorageError
from bot.model import ChannelRef, ChatId, Notice, Peer, Username
from bot.ports import Clock
from bot.storage import addresses, channels, notices
from bot.storage.database import Connection, Database
from bot.telegram import folders
from bot.telegram.account import Account
from bot.watch.folder import Folder, held
from tests.made import at
from tests.telegram.reading import READER, peer_of, reader_at, until
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

NAME = "War bloggers"
FILTERS = "messages.getDialogFilters"
CHANNELS = "channels.getChannels"
DIALOGS = "messages.getDialogs"


class Pauses:
    """Time goes by when somebody sleeps, and hardly any of ours does. ``taken``: the pauses."""

    def __init__(self) -> None:
        self.taken: list[timedelta] = []

    def now(self) -> datetime:
        return at() + sum(self.taken, timedelta())

    async def sleep(self, pause: timedelta) -> None:
        await asyncio.sleep(0.005)
        self.taken.append(pause)


@dataclass(slots=True)
class Desk:
    """What a folder is given, and what it does with it: as the watch would, and noted."""

    world: World
    server: TelegramServer
    account: Account
    database: Database
    pauses: Pauses = field(default_factory=Pauses)
    clock: Clock | None = None
    refs: list[ChannelRef] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    begun: bool = True  # else what is taken up is remembered, and refused before its name is kept
    running: asyncio.Task[None] | None = None

    def channel(self, title: str, *, megagroup: bool = False, username: str | None = None) -> WorldChannel:
        number = 1001 + len(self.world.channels)
        return self.world.add_channel(number, title=title, members=[READER], megagroup=megagroup, username=username)

    def put(self, *channels: WorldChannel, title: str = NAME, **more: object) -> None:
        """The reader's only folder, from now on."""
        self.world.people[READER].folders.clear()
        self.world.add_folder(READER, title, [channel.number for channel in channels], **more)

    def push_a_change(self) -> None:
        changed = types.Updates([types.UpdateDialogFilter(2)], [], [], datetime.now(UTC), 0)
        self.server.push_to(READER, changed)

    def made(self, name: str = NAME) -> Folder:
        clock = self.clock or self.pauses
        return Folder(self.account, name, self.database, clock, self.include, self.drop, self.tell)

    @asynccontextmanager
    async def watching(self, name: str = NAME) -> AsyncIterator[None]:
        folder = self.made(name)
        folders.listen(self.account, folder.stirred)
        self.running = asyncio.create_task(folder.run())
        try:
            yield
            if self.running.done():
                self.running.result()
        finally:
            self.running.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self.running

    async def looked(self, times: int = 2) -> None:
        """Returns when the folder has been looked at so often from now on, and what came of it is done."""
        before = self.server.count(FILTERS)
        await until(lambda: self.server.count(FILTERS) > before + times)

    async def include(self, found: Mapping[ChannelRef, Peer]) -> None:
        def work(c: Connection) -> None:
            for ref, peer in found.items():
                addresses.remember(c, self.account.id, ref, peer)
                if self.begun:
                    channels.put(c, self.account.id, peer, began_at(0, 1))

        await self.database.write(work)
        self.refs += found
        self.taken += [peer.channel.shown for peer in found.values()]

    async def drop(self, channel: int) -> None:
        self.dropped.append(channel)

    async def tell(self, subject: str, notice: Notice) -> None:
        now = at()
        await self.database.write(lambda c: notices.tell(c, subject, notice, now))

    async def told(self) -> Sequence[str]:
        return [one.notice.what for one in await notices.untold(self.database)]

    async def until_told(self, number: int) -> str:
        """The notice of this number."""
        async with asyncio.timeout(2):
            while len(told := await self.told()) < number:  # noqa: ASYNC110 - the database knows nothing of tests
                await asyncio.sleep(0.005)
        assert len(told) == number, told
        return told[-1]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    world = World()
    world.add_person(READER)
    async with (
        TelegramServer(world) as server,
        Database.opened(tmp_path) as database,
        reader_at(server, tmp_path) as account,
    ):
        yield Desk(world, server, account, database)


# --- what is in it ---------------------------------------------------------------------------------------------


async def test_the_channels_of_a_folder_are_taken_up_once_and_told(desk: Desk) -> None:
    lantern, harbour = desk.channel("Lantern", username="lantern_demo"), desk.channel("Harbour", megagroup=True)
    desk.put(lantern, harbour)
    async with desk.watching():
        assert await desk.until_told(1) == "The folder War bloggers holds 2 channels: Lantern, Harbour."
        await desk.looked()
    assert desk.taken == ["Lantern", "Harbour"]
    assert desk.refs == [ChatId(lantern.marked), ChatId(harbour.marked)]
    assert desk.server.count(CHANNELS) == 1
    assert len(await desk.told()) == 1


@pytest.mark.parametrize("answered", [True, False])
async def test_it_counts_as_tried_once_telegram_was_asked_and_the_channels_taken_up(
    desk: Desk, *, answered: bool
) -> None:
    desk.put(desk.channel("Lantern"))
    if not answered:
        desk.server.faults.refuse(FILTERS, 400, "FROZEN_METHOD_INVALID", times=None)
    before = []

    async def include(found: Mapping[ChannelRef, Peer]) -> None:
        before.append(folder.tried)
        await desk.include(found)

    folder = Folder(desk.account, NAME, desk.database, desk.pauses, include, desk.drop, desk.tell)
    running = asyncio.create_task(folder.run())
    assert not folder.tried
    await until(lambda: folder.tried)
    running.cancel()
    assert before == ([False] if answered else [])


async def test_channels_that_come_and_go_are_told_in_one_notice(desk: Desk) -> None:
    lantern, harbour, ferry = desk.channel("Lantern"), desk.channel("Harbour"), desk.channel("Ferry")
    desk.put(lantern, harbour)
    async with desk.watching():
        await desk.until_told(1)
        desk.put(lantern, ferry)
        what = await desk.until_told(2)
        desk.put(ferry)
        last = await desk.until_told(3)
    assert what == "The folder War bloggers now also holds: Ferry, and no longer holds: Harbour."
    assert last == "The folder War bloggers no longer holds: Lantern."
    assert desk.taken == ["Lantern", "Harbour", "Ferry"]
    assert desk.dropped == [harbour.marked, lantern.marked]


async def test_a_channel_that_comes_back_is_taken_up_again(desk: Desk) -> None:
    lantern, harbour = desk.channel("Lantern"), desk.channel("Harbour")
    async with desk.watching():
        for channels in ((lantern, harbour), (lantern,), (lantern, harbour)):
            desk.put(*channels)
            await desk.looked()
    assert desk.taken == ["Lantern", "Harbour", "Harbour"]
    assert desk.dropped == [harbour.marked]
    assert len(await desk.told()) == 3


async def test_a_channel_that_is_known_already_is_not_asked_for(desk: Desk) -> None:
    lantern = desk.channel("Lantern", username="lantern_demo")
    desk.put(lantern)
    peer = peer_of(desk.world, lantern)
    await desk.include({Username("lantern_demo"): replace(peer, title="Lantern")})
    async with desk.watching():
        await desk.until_told(1)
    assert desk.taken == ["Lantern", "Lantern"]
    assert desk.server.count(CHANNELS) == 0


async def test_the_name_of_a_channel_that_cannot_be_taken_up_is_not_lost(desk: Desk) -> None:
    lantern, desk.begun = desk.channel("Lantern"), False
    await desk.include({Username("lantern_demo"): peer_of(desk.world, lantern)})
    desk.put(lantern)
    for _ in range(2):
        async with desk.watching():
            assert await desk.until_told(1) == "The folder War bloggers holds 1 channel: Lantern."
            await desk.looked()
        assert await held(desk.database, NAME) == {lantern.marked: "Lantern"}
    assert desk.server.count(CHANNELS) == 2  # once a start


async def test_of_many_channels_some_are_named_and_the_others_counted(desk: Desk) -> None:
    desk.put(*[desk.channel(f"Lantern {number}") for number in range(23)])
    async with desk.watching():
        what = await desk.until_told(1)
    assert what.startswith("The folder War bloggers holds 23 channels: Lantern 0, Lantern 1, ")
    assert what.endswith(", Lantern 19 and 3 more.")


async def test_the_account_was_thrown_out_of_a_channel_and_others_are_none_the_worse(desk: Desk) -> None:
    lantern, harbour = desk.channel("Lantern"), desk.channel("Harbour")
    desk.put(lantern, harbour)
    lantern.forbid(READER)
    async with desk.watching():
        what = await desk.until_told(1)
    # Whoever takes it up tells why it cannot be read.
    assert desk.taken == [str(lantern.marked), "Harbour"]
    assert what == f"The folder War bloggers holds 2 channels: {lantern.marked}, Harbour."


async def test_an_empty_folder_is_told_as_one(desk: Desk) -> None:
    desk.put()
    async with desk.watching():
        assert await desk.until_told(1) == "The folder War bloggers holds 0 channels."


async def test_a_folder_of_all_channels_is_listed_once_an_hour(desk: Desk) -> None:
    desk.channel("Lantern")
    desk.put(broadcasts=True)
    async with desk.watching():
        assert await desk.until_told(1) == "The folder War bloggers holds 1 channel: Lantern."
        desk.channel("Harbour")
        desk.channel("Ferry", megagroup=True)
        assert await desk.until_told(2) == "The folder War bloggers now also holds: Harbour."
        await desk.looked(20)
        looks, listings = desk.server.count(FILTERS), desk.server.count(DIALOGS)
    assert looks / 6 - 1 <= listings <= looks / 6 + 1


async def test_a_channel_of_which_telegram_says_nothing_for_a_while_stays_in_a_folder_of_all(desk: Desk) -> None:
    lantern = desk.channel("Lantern")
    desk.put(broadcasts=True)
    async with desk.watching():
        await desk.until_told(1)
        desk.server.faults.omit_dialogs(lantern.number)
        await desk.looked(10)
    assert desk.server.count(DIALOGS) > 1
    assert desk.dropped == []


async def test_a_change_that_is_pushed_is_seen_within_seconds(desk: Desk) -> None:
    desk.clock = ScaledClock(at(), 60)  # ten minutes are ten seconds
    lantern, harbour = desk.channel("Lantern"), desk.channel("Harbour")
    desk.put(lantern)
    async with desk.watching():
        await desk.until_told(1)
        desk.put(lantern, harbour)
        for _ in range(3):
            desk.push_a_change()
        assert await desk.until_told(2) == "The folder War bloggers now also holds: Harbour."
    assert desk.server.count(FILTERS) <= 3


async def test_a_folder_that_holds_other_kinds_than_before_is_listed_at_once(desk: Desk) -> None:
    desk.clock = ScaledClock(at(), 60)
    desk.channel("Lantern")
    desk.put(broadcasts=True)
    async with desk.watching():
        await desk.until_told(1)
        desk.channel("Harbour", megagroup=True)
        desk.push_a_change()
        await desk.looked(0)
        desk.put(broadcasts=True, groups=True)
        desk.push_a_change()
        assert await desk.until_told(2) == "The folder War bloggers now also holds: Harbour."
    assert desk.server.count(DIALOGS) == 2


# --- over a restart ----------------------------------------------------------------------------------------------


async def test_after_a_restart_the_channels_are_taken_up_without_an_answer(desk: Desk) -> None:
    desk.put(desk.channel("Lantern"), desk.channel("Harbour"))
    async with desk.watching():
        await desk.until_told(1)
        await desk.looked()
    desk.taken.clear()
    desk.server.faults.refuse(FILTERS, 500, "INTERNAL", times=None)
    async with desk.watching():
        await until(lambda: len(desk.taken) == 2)
    assert desk.dropped == []
    assert len(await desk.told()) == 1


async def test_what_changed_while_nobody_looked_is_told(desk: Desk) -> None:
    lantern, harbour = desk.channel("Lantern"), desk.channel("Harbour")
    desk.put(lantern)
    async with desk.watching():
        await desk.until_told(1)
        await desk.looked()
    desk.put(harbour)
    async with desk.watching():
        what = await desk.until_told(2)
    assert what == "The folder War bloggers now also holds: Harbour, and no longer holds: Lantern."
    assert desk.dropped == [lantern.marked]


async def test_a_crash_after_telling_tells_nothing_twice(desk: Desk) -> None:
    lantern, harbour = desk.channel("Lantern"), desk.channel("Harbour")
    desk.put(lantern)
    async with desk.watching():
        await desk.until_told(1)
        await desk.looked()
    desk.put(lantern, harbour)

    async def tell_and_die(subject: str, notice: Notice) -> None:
        await desk.tell(subject, notice)
        raise StorageError("the power is gone")

    dying = Folder(desk.account, NAME, desk.database, desk.pauses, desk.include, desk.drop, tell_and_die)
    with pytest.raises(StorageError):
        await dying.run()
    assert await held(desk.database, NAME) == {lantern.marked: "Lantern"}
    async with desk.watching():
        await desk.looked()
    assert await held(desk.database, NAME) == {lantern.marked: "Lantern", harbour.marked: "Harbour"}
    assert len(await desk.told()) == 2


async def test_the_channels_of_another_folder_are_not_taken_up(desk: Desk) -> None:
    desk.put(desk.channel("Lantern"))
    async with desk.watching():
        await desk.until_told(1)
        await desk.looked()
    desk.taken.clear()
    async with desk.watching("Weather"):
        assert (await desk.until_told(2)).startswith("There is no folder Weather")
    assert desk.taken == []


# --- troubles ------------------------------------------------------------------------------------------------------


async def test_a_folder_that_is_not_there_is_told_once_with_those_that_are(desk: Desk) -> None:
    for title in ("Погода ☔️", "News", "War blogers"):
        desk.world.add_folder(READER, title)
    async with desk.watching():
        assert await desk.until_told(1) == (
            "There is no folder War bloggers in the reader's Telegram, only War blogers, News, Погода ☔️."
            " Correct [watch] folder, or make it in a Telegram app; it is looked for again."
        )
        desk.world.add_folder(READER, "Trains")
        await desk.looked()
        assert len(await desk.told()) == 1
        desk.put(desk.channel("Lantern"))
        assert await desk.until_told(2) == "The folder War bloggers holds 1 channel: Lantern."


async def test_that_telegram_cannot_be_reached_is_told_by_others(desk: Desk) -> None:
    desk.account = Account(desk.account.client, timeout=timedelta(milliseconds=50))
    desk.server.faults.swallow(FILTERS, times=None)
    async with desk.watching():
        await until(lambda: len(desk.pauses.taken) >= 2)
    assert desk.pauses.taken[:2] == [timedelta(seconds=30), timedelta(seconds=60)]
    assert await desk.told() == []


async def test_an_account_without_folders_is_told_of(desk: Desk) -> None:
    async with desk.watching():
        what = await desk.until_told(1)
    assert what == (
        "There is no folder War bloggers in the reader's Telegram, nor any other."
        " Correct [watch] folder, or make it in a Telegram app; it is looked for again."
    )


async def test_what_a_folder_that_vanished_held_stays_watched(desk: Desk) -> None:
    lantern = desk.channel("Lantern")
    desk.put(lantern)
    async with desk.watching():
        await desk.until_told(1)
        desk.put(lantern, title="War")
        assert await desk.until_told(2) == (
            "The folder War bloggers is not in the reader's Telegram any more, only War;"
            " the 1 channel that it held stays watched."
        )
        await desk.looked()
        desk.put(lantern)
        await desk.looked()
        assert len(await desk.told()) == 2
        desk.put(lantern, title="War")
        await desk.until_told(3)
    desk.taken.clear()
    async with desk.watching():  # and after a restart too
        await desk.looked()
    assert (desk.taken, desk.dropped) == (["Lantern"], [])
    assert len(await desk.told()) == 3


async def test_a_refusal_is_told_once_and_tried_again(desk: Desk) -> None:
    desk.put(desk.channel("Lantern"))
    desk.server.faults.refuse(FILTERS, 400, "FROZEN_METHOD_INVALID", times=3)
    async with desk.watching():
        frozen = "Telegram has frozen this account; a Telegram app shows why"
        assert await desk.until_told(1) == f"The folder War bloggers cannot be looked at: {frozen}; it is tried again."
        assert await desk.until_told(2) == "The folder War bloggers holds 1 channel: Lantern."
    assert desk.server.count(FILTERS) >= 4


async def test_calls_that_fail_are_tried_again_after_ever_longer_pauses(desk: Desk) -> None:
    desk.server.faults.refuse(FILTERS, 400, "TAKEOUT_REQUIRED", times=None)
    async with desk.watching():
        await until(lambda: len(desk.pauses.taken) >= 7)
    assert [pause.total_seconds() for pause in desk.pauses.taken[:7]] == [30, 60, 120, 240, 480, 600, 600]
    assert len(await desk.told()) == 1


async def test_after_one_that_goes_well_pauses_are_short_again(desk: Desk) -> None:
    desk.put(desk.channel("Lantern"))
    desk.server.faults.refuse(FILTERS, 400, "TAKEOUT_REQUIRED", times=2)
    async with desk.watching():
        await desk.looked(4)
        desk.server.faults.refuse(FILTERS, 400, "TAKEOUT_REQUIRED", times=2)
        await desk.looked(4)
    seconds = [pause.total_seconds() for pause in desk.pauses.taken]
    assert [pause for pause in seconds if pause not in (5, 600)] == [30, 60, 30, 60]


async def test_a_wait_that_telegram_asks_for_is_waited_for(desk: Desk) -> None:
    desk.server.faults.flood_wait(FILTERS, 300)
    async with desk.watching():
        await until(lambda: desk.pauses.taken)
    assert desk.pauses.taken[0] == timedelta(seconds=300)


async def test_a_session_that_is_refused_ends_it(desk: Desk) -> None:
    desk.put(desk.channel("Lantern"))
    desk.server.revoke(READER)
    with pytest.raises(NotSignedInError):
        async with asyncio.timeout(2):
            await desk.made().run()


async def test_a_database_that_fails_ends_it(desk: Desk) -> None:
    desk.put(desk.channel("Lantern"))

    async def full(_found: Mapping[ChannelRef, Peer]) -> None:
        raise StorageError("the disk is full")

    folder = Folder(desk.account, NAME, desk.database, desk.pauses, full, desk.drop, desk.tell)
    with pytest.raises(StorageError):
        async with asyncio.timeout(2):
            await folder.run()
