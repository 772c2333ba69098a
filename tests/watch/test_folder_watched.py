"""What stands in the channels of a folder is stored, as that of any others: over the real watch."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from telethon.tl import types

from bot.model import ChatId, Peer, Username
from bot.storage import overview
from tests.telegram_server.channel import WorldChannel
from tests.watch.station import DIALOGS, READER, Station, eventually, say

NAME = "War bloggers"
FILTERS = "messages.getDialogFilters"
RESOLVE = "contacts.resolveUsername"
TRIES = "SELECT standing, refused, tries, look_at FROM channel"


def put(station: Station, *channels: WorldChannel) -> None:
    """The reader's only folder, from now on, and those of his apps that run are told so."""
    folders = station.world.people[READER].folders
    folders.clear()
    station.world.add_folder(READER, NAME, [channel.number for channel in channels])
    changed = types.UpdateDialogFilter(folders[0].id, folders[0])
    station.server.push_to(READER, types.Updates([changed], [], [], station.clock.now(), 0))


def unnamed(station: Station, name: str, *, joined: bool = True) -> WorldChannel:
    """A channel that the configuration does not name."""
    channel = station.channel(name, joined=joined)
    station.refs = [ref for ref in station.refs if ref != Username(name)]
    return channel


@asynccontextmanager
async def watching(station: Station) -> AsyncIterator[None]:
    station.chat_folder = NAME
    await station.start()
    try:
        yield
    finally:
        await station.stop()


async def taken_up(station: Station, *channels: WorldChannel) -> None:
    watch = station.watch
    assert watch is not None
    await eventually(lambda: all(watch.channel(channel.marked) for channel in channels))


async def test_the_channels_of_a_folder_are_watched_beside_those_that_are_named(station: Station) -> None:
    alfa, bravo, charlie = station.channel(), unnamed(station, "bravo_demo"), unnamed(station, "charlie_demo")
    put(station, alfa, bravo)
    async with watching(station):
        await taken_up(station, alfa, bravo)
        say(alfa, "Первый")
        say(bravo, "Второй")
        say(bravo, "Третий", push=False)  # which the sweep finds
        await station.all_stored(alfa, bravo)
        put(station, alfa, bravo, charlie)
        await taken_up(station, charlie)
        say(charlie, "Четвёртый")
        await station.all_stored(charlie)
    assert station.server.count(RESOLVE) == 1  # of the one that is named
    assert await station.told() == [
        "The folder War bloggers holds 2 channels: alfa_demo, bravo_demo.",
        "The folder War bloggers now also holds: charlie_demo.",
    ]


async def test_a_public_channel_that_stands_in_a_folder_without_being_joined_is_joined(station: Station) -> None:
    bravo = unnamed(station, "bravo_demo", joined=False)
    put(station, bravo)
    async with watching(station):
        await station.until(lambda: READER in bravo.members)
        say(bravo, "Первый")
        await station.all_stored(bravo)


async def test_after_a_restart_a_folder_is_watched_though_telegram_does_not_show_it(station: Station) -> None:
    bravo = unnamed(station, "bravo_demo")
    put(station, bravo)
    async with watching(station):
        await taken_up(station, bravo)
        say(bravo, "Первый")
        await station.all_stored(bravo)
        await eventually(lambda: station.server.count(FILTERS) > 0)
    say(bravo, "Второй")  # while nobody watches
    station.server.faults.refuse(FILTERS, 400, "FROZEN_METHOD_INVALID", times=None)
    async with watching(station):
        await taken_up(station, bravo)
        say(bravo, "Третий")
        await station.all_stored(bravo)


async def test_what_a_channel_posts_that_has_left_the_folder_is_not_taken(station: Station) -> None:
    bravo, charlie = unnamed(station, "bravo_demo"), unnamed(station, "charlie_demo")
    put(station, bravo, charlie)
    async with watching(station):
        await taken_up(station, bravo, charlie)
        put(station, charlie)
        await eventually(lambda: station.watch is not None and station.watch.channel(bravo.marked) is None)
        say(bravo, "Первый")
        say(charlie, "Второй")
        await station.all_stored(charlie)
        rows = await station.database.rows("SELECT number FROM message WHERE channel = ?", (bravo.marked,))
        assert rows == []


async def test_a_channel_of_a_folder_that_is_closed_to_the_account_is_told_of(station: Station) -> None:
    bravo, charlie = unnamed(station, "bravo_demo"), unnamed(station, "charlie_demo")
    bravo.forbid(READER)
    put(station, bravo, charlie)
    async with watching(station):
        await taken_up(station, charlie)
        await station.until_told(2)
    told = [what for what in await station.told() if "cannot be watched" in what]
    assert [what.partition(" cannot")[0] for what in told] == [str(bravo.marked)]


async def test_that_a_channel_of_a_folder_cannot_be_read_is_told_once_over_restarts(station: Station) -> None:
    bravo, charlie = unnamed(station, "bravo_demo"), unnamed(station, "charlie_demo")
    put(station, bravo, charlie)
    async with watching(station):
        await taken_up(station, bravo, charlie)
        bravo.forbid(READER)
        await station.until_told(2)
    told, [tries] = await station.told(), await station.database.rows(f"{TRIES} WHERE id = {bravo.marked}")
    assert "bravo_demo cannot be read" in told[1]
    async with watching(station):
        await taken_up(station, bravo, charlie)
        say(charlie, "Первый")
        await station.all_stored(charlie)
        await station.clock.sleep(timedelta(seconds=15))
    assert await station.told() == told
    assert await station.database.rows(f"{TRIES} WHERE id = {bravo.marked}") == [tries]
    assert station.server.count("channels.joinChannel") == 0


async def test_a_channel_that_leaves_the_folder_while_its_first_number_is_asked_for_is_not_watched(
    station: Station,
) -> None:
    charlie, bravo = unnamed(station, "charlie_demo"), unnamed(station, "bravo_demo")
    put(station, charlie)
    async with watching(station):
        await taken_up(station, charlie)
        assert station.watch is not None
        slow, asked = station.server.faults.slow(DIALOGS, 0.3), station.server.count(DIALOGS)
        access_hash = station.world.access_hash(READER, bravo.number)
        shown = Peer(id=bravo.marked, access_hash=access_hash, username="bravo_demo", joined=True)
        await station.watch._membership.include({ChatId(bravo.marked): shown})
        await station.until(lambda: station.server.count(DIALOGS) > asked)
        await station.watch._membership.drop(bravo.marked)
        slow.stop()
        await station.until(lambda: not station.watch._membership._found)  # type: ignore[union-attr]
        await station.clock.sleep(timedelta(seconds=30))
        assert station.watch.channel(bravo.marked) is None


async def test_a_channel_that_could_not_be_taken_up_is_not_sought_after_it_has_left_the_folder(
    station: Station,
) -> None:
    bravo, charlie = unnamed(station, "bravo_demo"), unnamed(station, "charlie_demo")
    bravo.forbid(READER)
    put(station, bravo, charlie)
    async with watching(station):
        await taken_up(station, charlie)
        await station.until_told(2)
        put(station, charlie)
        await station.until_told(3)
        await eventually(lambda: not station.watch._membership._finder._due)  # type: ignore[union-attr]
        bravo.allow(READER)
        bravo.join(READER)
        await station.clock.sleep(timedelta(seconds=60))
        assert station.watch is not None
        assert station.watch.channel(bravo.marked) is None
    assert await overview.sought(station.database) == []


async def test_after_a_restart_no_channel_of_a_folder_waits_for_one_that_was_never_read(station: Station) -> None:
    bravo, charlie = unnamed(station, "bravo_demo"), unnamed(station, "charlie_demo")
    bravo.forbid(READER)
    put(station, bravo, charlie)
    async with watching(station):
        await taken_up(station, charlie)
        await station.until_told(2)
        await station.clock.sleep(timedelta(seconds=15))
    station.server.faults.refuse(DIALOGS, 420, "FLOOD_WAIT_600", times=None)
    watch = await station.begin()
    await taken_up(station, charlie)
    await station.clock.sleep(timedelta(seconds=15))
    assert watch.last_pass is None
    await station.stop()


async def test_what_the_folder_of_another_account_held_is_not_said_to_stay_watched(station: Station) -> None:
    bravo = unnamed(station, "bravo_demo")
    put(station, bravo)
    async with watching(station):
        await taken_up(station, bravo)
        await station.clock.sleep(timedelta(seconds=15))
    station.world.add_person(7009)
    (station.folder / "reader.session").unlink()
    station.server.sign_in_session(station.folder / "reader.session", 7009)
    async with watching(station):
        await station.until_told(2)
    assert (await station.told())[1].startswith("There is no folder War bloggers in the reader's Telegram, ")


async def test_a_destination_in_the_folder_is_not_watched_after_a_restart_either(station: Station) -> None:
    bravo, desk = unnamed(station, "bravo_demo"), unnamed(station, "desk_demo")
    station.destinations = frozenset({Username("desk_demo")})
    put(station, bravo, desk)
    for _ in range(3):
        async with watching(station):
            await taken_up(station, bravo)
            await eventually(lambda: station.watch is not None and station.watch.last_pass is not None)
            assert station.watch is not None
            assert station.watch.channel(desk.marked) is None
    [told] = [what for what in await station.told() if "vedette writes there" in what]
    assert told.startswith("desk_demo is not watched")
