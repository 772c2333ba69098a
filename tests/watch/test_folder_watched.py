"""What stands in the channels of a folder is stored, as that of any others: over the real watch."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from telethon.tl import types

from bot.model import Username
from tests.telegram_server.channel import WorldChannel
from tests.watch.station import READER, Station, eventually, say

NAME = "War bloggers"
FILTERS = "messages.getDialogFilters"
RESOLVE = "contacts.resolveUsername"


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
