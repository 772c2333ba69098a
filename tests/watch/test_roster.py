"""What is known of the watched channels, and what the operators are told of them."""

from __future__ import annotations

from datetime import timedelta

from bot.clock import ScaledClock
from tests.telegram_server.channel import WorldChannel
from tests.watch.station import DIALOGS, HISTORY, READER, Station, say


async def test_a_channel_that_turns_private_is_told_of_once_and_holds_up_no_other(station: Station) -> None:
    alfa, bravo = station.channel(), station.channel("bravo_demo")
    await station.start()
    station.server.faults.silent(alfa.number)
    alfa.forbid(READER)
    say(bravo, "Первый", push=False)
    await station.all_stored(bravo)
    await station.until(lambda: station.watch is not None and station.watch.refused(alfa.marked) is not None)
    sweeps = station.server.count(DIALOGS)
    await station.until(lambda: station.server.count(DIALOGS) > sweeps + 3)
    assert [what for what in await station.told() if "cannot be read" in what] == [
        "alfa_demo cannot be read (CHANNEL_PRIVATE); it is tried again each hour."
    ]


async def test_another_name_is_told_of_and_the_channel_stays_watched(station: Station) -> None:
    alfa = station.channel()
    await station.start()
    alfa.rename("omega_demo")
    say(alfa, "Первый")
    await station.all_stored(alfa)
    await station.until(lambda: station.watch is not None and _name(station, alfa) == "omega_demo")
    assert await station.told() == ["@alfa_demo is called @omega_demo now."]


def _name(station: Station, channel: WorldChannel) -> str | None:
    known = station.watch.channel(channel.marked) if station.watch else None
    return known.username if known else None


async def test_a_channel_that_can_be_read_again_is_told_of_and_read_to_the_end(station: Station) -> None:
    station.clock, station.sweep_every = ScaledClock(station.clock.now(), 6000), timedelta(minutes=5)
    alfa = station.channel()
    await station.start()
    alfa.forbid(READER)
    await station.until_told(1)
    say(alfa, "Первый")
    alfa.allow(READER)
    await station.all_stored(alfa)
    await station.until_told(2)
    assert (await station.told())[1] == "alfa_demo can be read again."


async def test_a_refusal_is_remembered_over_a_restart_and_not_told_again(station: Station) -> None:
    alfa = station.channel()
    await station.start()
    alfa.forbid(READER)
    await station.until_told(1)
    await station.stop()
    watch = await station.begin()
    await station.until(lambda: watch.last_pass is not None)
    assert watch.refused(alfa.marked) == "CHANNEL_PRIVATE"
    assert len(await station.told()) == 1


async def test_it_is_known_up_to_when_each_channel_was_read(station: Station) -> None:
    alfa, bravo = station.channel(), station.channel("bravo_demo")
    watch = await station.start()
    station.server.faults.silent(alfa.number, bravo.number)
    slow = station.server.faults.slow("messages.getHistory", 0.3)
    say(alfa, "Первый")
    moment = station.clock.now()
    assert {one.peer.username for one in watch.behind(moment)} == {"alfa_demo", "bravo_demo"}
    await station.until(lambda: [one.peer.username for one in watch.behind(moment)] == ["alfa_demo"])
    assert watch.last_pass is not None
    assert watch.last_pass < moment
    slow.stop()
    await station.until(lambda: watch.last_pass is not None and watch.last_pass >= moment)
    await station.all_stored(alfa)
    assert watch.behind(moment) == []


async def test_what_was_pushed_before_its_turn_came_counts_as_read(station: Station) -> None:
    station.sweep_every = timedelta(hours=10)
    alfa, bravo = station.channel(), station.channel("bravo_demo")
    watch = await station.start()
    pages = station.server.count(HISTORY)
    station.server.faults.slow(HISTORY, 0.4)
    station.server.faults.delay(0.1)
    station.server.faults.silent(alfa.number)
    station.server.faults.too_long()
    say(alfa, "Первый")
    say(bravo, "Первый")
    watch.connected()
    await station.known_by_now()
    await station.all_stored(alfa, bravo)
    assert station.server.count(HISTORY) == pages + 1


async def test_a_sweep_that_is_refused_as_such_leaves_every_channel_to_be_polled(station: Station) -> None:
    alfa = station.channel()
    station.server.faults.silent(alfa.number)
    await station.start()
    station.server.faults.refuse(DIALOGS, 400, "METHOD_INVALID", times=None)
    say(alfa, "Первый")
    await station.known_by_now()
    await station.all_stored(alfa)


async def test_when_a_channel_was_read_is_kept(station: Station) -> None:
    station.channel()
    watch = await station.start()
    first = watch.last_pass
    assert first is not None
    await station.until(lambda: watch.last_pass is not None and watch.last_pass > first)
    [(kept,)] = await station.database.rows("SELECT read_at FROM channel")
    assert kept > first.timestamp() * 1_000_000
