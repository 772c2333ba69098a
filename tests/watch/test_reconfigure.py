"""What is watched changes while the watch runs: what is new is taken up, what is gone stops, all else goes on."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from telethon.tl import types

from bot.model import ChatId, Haul, Invite, Sighting, Stands, Username
from bot.storage import overview
from tests.telegram_server.channel import WorldChannel
from tests.watch.station import DIALOGS, HISTORY, READER, Station, eventually, say

RESOLVE, JOIN, LIST = "contacts.resolveUsername", "channels.joinChannel", "messages.getDialogs"
LOOK = "channels.getChannels"
NEVER = timedelta(hours=10)


def without(station: Station, *channels: WorldChannel) -> None:
    """The configuration names these no more."""
    names = {Username(channel.username or "") for channel in channels}
    station.refs = [ref for ref in station.refs if ref not in names]


async def several_sweeps(station: Station) -> None:
    sweeps = station.server.count(DIALOGS)
    await station.until(lambda: station.server.count(DIALOGS) > sweeps + 2)


async def numbers(station: Station, channel: WorldChannel) -> list[int]:
    rows = await station.database.rows("SELECT number FROM message WHERE channel = ? ORDER BY 1", (channel.marked,))
    return [number for (number,) in rows]


# --- channels that come ---------------------------------------------------------------------------------------


async def test_a_channel_that_is_added_is_found_joined_and_read_back(station: Station) -> None:
    station.history = timedelta(hours=24)
    alfa = station.channel()
    await station.start()
    bravo = station.channel("bravo_demo", joined=False)
    say(bravo, "Первый", "Второй")  # before it is watched
    await station.reconfigured()
    await station.until(lambda: READER in bravo.members)
    say(bravo, "Третий")
    say(alfa, "Первый")
    await station.all_stored(alfa, bravo)
    assert station.server.count(RESOLVE) == 2


async def test_channels_that_stay_are_neither_looked_up_nor_compared_again(station: Station) -> None:
    alfa = station.channel()
    say(alfa, "Первый")
    station.history = timedelta(hours=24)
    await station.start()
    await station.all_stored(alfa)
    await several_sweeps(station)
    pages, logins = station.server.count(HISTORY), station.server.count("updates.getState")
    bravo = station.channel("bravo_demo")
    await station.reconfigured()
    await station.until(lambda: station.watches(bravo))
    await several_sweeps(station)
    assert station.server.count(RESOLVE) == 2
    assert station.server.count(HISTORY) == pages + 1  # the history of the one that is new
    assert station.server.count("updates.getState") == logins


async def test_many_channels_that_are_added_at_once_are_found_in_the_list_of_the_accounts_own(
    station: Station,
) -> None:
    station.channel()
    await station.start()
    asked = station.server.count(RESOLVE)
    added = [station.channel(f"added_{number}_demo") for number in range(8)]
    await station.reconfigured()
    await station.until(lambda: station.watches(*added))
    assert station.server.count(RESOLVE) == asked
    assert station.server.count(LIST) == 1


async def test_a_second_name_for_a_watched_channel_costs_nothing_and_keeps_it_when_the_first_goes(
    station: Station,
) -> None:
    alfa = station.channel()
    await station.start()
    station.refs = [Username("alfa_demo"), ChatId(alfa.marked)]
    await station.reconfigured()
    assert station.watch is not None
    assert len(station.watch._roster[alfa.marked].refs) == 2
    station.refs = [ChatId(alfa.marked)]
    await station.reconfigured()
    say(alfa, "Первый")
    await station.all_stored(alfa)
    assert (station.server.count(RESOLVE), station.server.count(LIST)) == (1, 0)


async def test_who_writes_the_later_name_of_a_channel_keeps_it_watched_without_a_gap(station: Station) -> None:
    alfa = station.channel()
    watch = await station.start()
    alfa.rename("omega_demo")
    await station.until(lambda: station.server.count(RESOLVE) == 2)  # who has the name that it had
    station.refs = [Username("omega_demo")]
    changing = asyncio.create_task(station.reconfigured())
    while not changing.done():
        assert station.watches(alfa)
        await asyncio.sleep(0)
    assert watch._roster[alfa.marked].refs == {Username("omega_demo")}
    say(alfa, "Первый")
    await station.all_stored(alfa)
    assert station.server.count(RESOLVE) == 2


# --- channels that go, and come back --------------------------------------------------------------------------


async def test_of_a_channel_that_is_removed_nothing_is_taken_or_asked_and_what_is_stored_stays(
    station: Station,
) -> None:
    alfa, bravo = station.channel(), station.channel("bravo_demo")
    watch = await station.start()
    say(alfa, "Первый")
    say(bravo, "Первый")
    await station.all_stored(alfa, bravo)
    without(station, bravo)
    await station.reconfigured()
    assert watch.channel(bravo.marked) is None
    kept = await numbers(station, bravo)
    say(bravo, "Второй")
    say(alfa, "Второй")
    await station.all_stored(alfa)
    await several_sweeps(station)
    assert await numbers(station, bravo) == kept != []
    assert READER in bravo.members


async def test_a_channel_that_comes_back_is_read_on_from_where_it_was_left(station: Station) -> None:
    alfa, bravo = station.channel(), station.channel("bravo_demo")
    await station.start()
    say(bravo, "Первый")
    await station.all_stored(bravo)
    refs = station.refs
    without(station, bravo)
    await station.reconfigured()
    say(bravo, "Второй", "Третий")
    station.refs = refs
    await station.reconfigured()
    assert station.watches(alfa, bravo)
    assert station.watch is not None
    assert station.watch.last_pass is not None  # and not as if nothing had been read yet
    say(bravo, "Четвёртый")
    await station.all_stored(bravo)
    assert station.server.count(RESOLVE) == 2


async def test_a_channel_that_comes_and_goes_under_load_loses_nothing(station: Station) -> None:
    alfa, bravo = station.channel(), station.channel("bravo_demo")
    await station.start()
    refs = station.refs
    for time in range(20):
        say(bravo, f"Первый {time}")
        say(alfa, f"Второй {time}", push=time % 2 == 0)
        if time % 2:
            station.refs = refs
        else:
            without(station, bravo)
        await asyncio.gather(station.reconfigured(), asyncio.sleep(0.005))
    await station.all_stored(alfa, bravo)


async def test_what_waits_to_be_stored_of_a_channel_that_is_removed_is_stored(station: Station) -> None:
    bravo = station.channel("bravo_demo")
    watch = await station.start()
    say(bravo, "Первый")
    await station.all_stored(bravo)
    assert station.ingest is not None
    assert watch.channel(bravo.marked) is not None
    station.ingest.take(Haul(channel=bravo.marked, sightings=(Sighting(number=99, stands=Stands.SERVICE),)))
    without(station, bravo)
    await station.reconfigured()
    await eventually(lambda: station.ingest is not None and station.ingest.highest(bravo.marked) == 99)
    station.check()


async def test_a_closed_channel_that_is_named_again_is_looked_after_at_once(station: Station) -> None:
    alfa, bravo = station.channel(), station.channel("bravo_demo")
    await station.start()
    station.server.faults.silent(bravo.number)  # nothing of it is pushed, so that nothing but the name is a sign
    bravo.forbid(READER)
    await station.until_told(1)
    refs = station.refs
    without(station, bravo)
    await station.reconfigured()
    bravo.allow(READER)
    bravo.join(READER)
    say(bravo, "Первый")
    station.refs = refs
    await station.reconfigured()
    assert station.watches(alfa)
    await station.all_stored(bravo)


# --- what is sought -------------------------------------------------------------------------------------------


async def test_what_cannot_be_found_and_is_removed_is_sought_no_more(station: Station) -> None:
    station.channel()
    station.refs = [*station.refs, Username("nobody_demo")]
    await station.start()
    await station.until_told(1)
    assert [one.written for one in await overview.sought(station.database)] == ["@nobody_demo"]
    station.refs = [Username("alfa_demo")]
    await station.reconfigured()
    assert await overview.sought(station.database) == []
    last = await station.database.rows("SELECT what FROM notice WHERE subject = 'channel @nobody_demo' ORDER BY id")
    assert last[-1] == ("",)
    asked = station.server.count(RESOLVE)
    station.refs = [Username("alfa_demo"), Username("nobody_demo")]
    await station.reconfigured()
    await station.until_told(2)
    assert station.server.count(RESOLVE) == asked + 1


async def test_a_channel_that_is_removed_while_it_is_looked_up_is_not_watched(station: Station) -> None:
    alfa = station.channel()
    watch = await station.start()
    slow = station.server.faults.slow(RESOLVE, 0.2)
    bravo = station.channel("bravo_demo")
    await station.reconfigured()
    await station.until(lambda: station.server.count(RESOLVE) == 2)
    without(station, bravo)
    await station.reconfigured()
    slow.stop()
    say(alfa, "Первый")
    await station.all_stored(alfa)
    await station.clock.sleep(timedelta(seconds=30))
    assert watch.channel(bravo.marked) is None
    assert await overview.sought(station.database) == []


async def test_a_channel_that_is_removed_while_its_first_number_is_asked_for_is_not_watched(station: Station) -> None:
    station.channel()
    watch = await station.start()
    slow, asked = station.server.faults.slow(DIALOGS, 0.2), station.server.count(DIALOGS)
    bravo = station.channel("bravo_demo")
    await station.reconfigured()
    await station.until(lambda: bool(watch._membership._found) and station.server.count(DIALOGS) > asked)
    without(station, bravo)
    await station.reconfigured()
    slow.stop()
    await station.clock.sleep(timedelta(seconds=30))
    assert watch.channel(bravo.marked) is None


# --- the other settings ---------------------------------------------------------------------------------------


async def test_whether_channels_are_joined_is_followed_at_once(station: Station) -> None:
    station.join = False
    alfa = station.channel(joined=False)
    await station.start()
    await several_sweeps(station)
    assert station.server.count(JOIN) == 0
    station.join = True
    await station.reconfigured()
    await station.until(lambda: READER in alfa.members)
    station.join = False
    await station.reconfigured()
    bravo = station.channel("bravo_demo", joined=False)
    await station.reconfigured()
    await station.until(lambda: station.watches(bravo))
    await several_sweeps(station)
    assert READER not in bravo.members


async def test_an_invite_that_was_not_to_be_followed_is_when_channels_are_joined(station: Station) -> None:
    station.join = False
    closed = station.world.add_channel(2001, title="Закрытый", invite="AbCdEfGhIjKlMnOp")
    closed.service()
    station.refs = [Invite("AbCdEfGhIjKlMnOp")]
    await station.start()
    await station.until_told(1)
    assert not station.watches(closed)
    station.join = True
    await station.reconfigured()
    await station.until(lambda: station.watches(closed))


async def test_sweeps_come_more_often_at_once(station: Station) -> None:
    station.sweep_every = NEVER
    alfa = station.channel()
    await station.start()
    say(alfa, "Первый", push=False)
    station.sweep_every = timedelta(seconds=10)
    await station.reconfigured()
    await station.all_stored(alfa)
    await several_sweeps(station)


async def test_a_watched_chat_that_is_told_from_now_on_is_dropped_and_watched_again_when_it_is_not(
    station: Station,
) -> None:
    alfa, desk = station.channel(), station.channel("desk_demo")
    station.refs = [Username("alfa_demo"), ChatId(desk.marked)]
    await station.start()
    station.destinations = frozenset({Username("desk_demo")})
    await station.reconfigured()
    assert not station.watches(desk)
    assert [what.partition(":")[0] for what in await station.told()] == ["desk_demo is not watched"]
    say(desk, "Первый")
    say(alfa, "Первый")
    await station.all_stored(alfa)
    assert not station.watches(desk)
    station.destinations = frozenset()
    await station.reconfigured()
    assert station.watches(desk)
    await station.all_stored(desk)


# --- folders --------------------------------------------------------------------------------------------------


def unnamed(station: Station, name: str) -> WorldChannel:
    """A channel that the configuration does not name."""
    channel = station.channel(name)
    without(station, channel)
    return channel


async def test_another_folder_takes_the_place_of_the_one_before(station: Station) -> None:
    alfa, old, both, new = station.channel(), *(unnamed(station, f"{one}_demo") for one in ("old", "both", "new"))
    station.world.add_folder(READER, "Old", [alfa.number, old.number, both.number])
    station.world.add_folder(READER, "New", [both.number, new.number])
    station.chat_folder = "Old"
    await station.start()
    await station.until(lambda: station.watches(alfa, old, both))
    station.chat_folder = "New"
    await station.reconfigured()
    say(both, "Первый")
    await station.until(lambda: station.watches(new) and not station.watches(old))
    assert station.watches(alfa, both)
    await station.all_stored(both)
    station.chat_folder = None
    await station.reconfigured()
    await station.until(lambda: not station.watches(both) and not station.watches(new))
    assert station.watches(alfa)
    station.chat_folder = "Old"
    await station.reconfigured()
    await station.until(lambda: station.watches(alfa, old, both))


async def test_a_folder_that_is_not_there_leaves_nothing_of_the_one_before(station: Station) -> None:
    alfa, old = station.channel(), unnamed(station, "old_demo")
    station.world.add_folder(READER, "Old", [old.number])
    station.chat_folder = "Old"
    await station.start()
    await station.until(lambda: station.watches(old))
    station.chat_folder = "Nowhere"
    await station.reconfigured()
    await station.until(lambda: not station.watches(old))
    assert station.watches(alfa)
    assert any(what.startswith("There is no folder Nowhere") for what in await station.told())


async def test_what_changes_in_a_folder_that_came_later_is_noticed(station: Station) -> None:
    alfa, bravo = station.channel(), unnamed(station, "bravo_demo")
    await station.start()
    folder = station.world.add_folder(READER, "New", [alfa.number])
    station.chat_folder = "New"
    await station.reconfigured()
    await station.until_told(1)
    station.world.people[READER].folders.clear()
    station.world.add_folder(READER, "New", [alfa.number, bravo.number])
    changed = types.UpdateDialogFilter(folder.id, folder)
    station.server.push_to(READER, types.Updates([changed], [], [], station.clock.now(), 0))
    await station.until(lambda: station.watches(bravo))


async def test_a_channel_that_a_folder_holds_too_stays_when_it_is_no_longer_named(station: Station) -> None:
    alfa, bravo = station.channel(), station.channel("bravo_demo")
    station.world.add_folder(READER, "Old", [bravo.number])
    station.chat_folder = "Old"
    await station.start()
    await station.until_told(1)
    await station.until(lambda: station.watch is not None and ChatId(bravo.marked) in station.watch._roster.included)
    without(station, bravo)
    await station.reconfigured()
    say(bravo, "Первый")
    await station.all_stored(bravo)
    assert station.watches(alfa)


# --- before it runs -------------------------------------------------------------------------------------------


async def test_a_watch_that_has_not_begun_begins_with_what_it_was_told_last(station: Station) -> None:
    alfa, bravo = station.channel(), station.channel("bravo_demo")
    refs = station.refs
    without(station, bravo)
    watch = await station.begin()
    station.refs = refs
    await station.reconfigured()
    await station.until(lambda: station.watches(alfa, bravo))
    assert station.watch is watch


async def test_changes_that_come_at_once_are_made_one_after_another(station: Station) -> None:
    alfa, bravo, charlie = (station.channel(f"{name}_demo") for name in ("alfa", "bravo", "charlie"))
    every = station.refs
    await station.start()
    changes = []
    for refs in (every[:1], every, every[1:], every[:2]):
        station.refs = refs
        changes.append(station.reconfigured())
    await asyncio.gather(*changes)
    say(alfa, "Первый")
    say(bravo, "Первый")
    say(charlie, "Первый")
    await station.all_stored(alfa, bravo)
    assert not station.watches(charlie)
