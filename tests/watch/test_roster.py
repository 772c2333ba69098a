"""What is known of the watched channels, and what the operators are told of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from bot.clock import ScaledClock
from bot.model import ChatId, Notice, Peer, Username
from bot.standing import Standing
from bot.storage import channels, facts
from bot.storage.database import Connection
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
    await station.until_told(1)
    [what] = await station.told()
    assert what == (
        "alfa_demo cannot be read (this account was thrown out of it); only its administrators can undo that; "
        "otherwise remove it; it is tried again, less and less often."
    )


async def test_another_name_is_told_of_and_the_channel_stays_watched(station: Station) -> None:
    alfa = station.channel()
    await station.start()
    alfa.rename("omega_demo")
    say(alfa, "Первый")
    await station.all_stored(alfa)
    await station.until(lambda: station.watch is not None and _name(station, alfa) == "omega_demo")
    async with asyncio.timeout(5):
        while not (told := await station.told()):  # noqa: ASYNC110 - it is written down a moment later
            await asyncio.sleep(0.01)
    assert told == ["@alfa_demo is called @omega_demo now."]


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
    # At such a pace it may be asked twice why it cannot be read, and be told of both answers.
    await station.until_told(2)
    for _ in range(200):
        if (await station.told())[-1] == "alfa_demo can be read again.":
            return
        await asyncio.sleep(0.02)
    raise AssertionError(await station.told())


async def test_a_refusal_is_remembered_over_a_restart_and_not_told_again(station: Station) -> None:
    alfa = station.channel()
    await station.start()
    alfa.forbid(READER)
    await station.until_told(1)
    await station.stop()
    watch = await station.begin()
    await station.until(lambda: watch.last_pass is not None)
    assert watch.refused(alfa.marked) == "this account was thrown out of it"
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
    channels = [station.channel(), station.channel("bravo_demo")]
    watch = await station.start()
    asked_first = min(watch.behind(station.clock.now()), key=lambda one: (one.read_at, one.peer.id)).peer.id
    station.server.faults.slow(HISTORY, 0.4)
    station.server.faults.delay(0.1)
    station.server.faults.silent(*(one.number for one in channels if one.marked == asked_first))
    station.server.faults.too_long()
    for channel in channels:
        say(channel, "Первый")
    watch.connected()
    await station.known_by_now()
    await station.all_stored(*channels)
    assert station.server.count(HISTORY) == 1


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


async def test_the_ingest_knows_by_which_references_a_channel_was_found_after_a_restart_too(station: Station) -> None:
    alfa = station.channel()
    station.refs = [Username("alfa_demo"), ChatId(alfa.marked)]
    for _ in range(2):
        await station.start()
        assert station.ingest is not None
        assert set(station.ingest.rules.found[alfa.marked]) == set(station.refs)
        await station.stop()


async def test_a_new_channel_counts_as_read_in_the_tables_too(station: Station) -> None:
    station.sweep_every = timedelta(hours=10)
    station.channel()
    await station.start()
    [(read_at, since)] = await station.database.rows("SELECT read_at, since FROM channel")
    assert read_at == since is not None


async def test_another_title_is_told_of_where_it_is_all_the_name_there_is(station: Station) -> None:
    alfa = station.channel()
    closed = station.world.add_channel(2001, title="Закрытый", members=[READER])
    closed.service()
    station.refs = [Username("alfa_demo"), ChatId(closed.marked)]
    await station.start()
    for channel in (alfa, closed):
        channel.title = f"{channel.title}, новый"
        channel.restrict(None)
    await station.until_told(1)
    watch = station.watch
    assert watch is not None
    await station.until(lambda: getattr(watch.channel(alfa.marked), "title", None) == "alfa_demo, новый")
    assert await station.told() == ["Закрытый is called Закрытый, новый now."]


async def test_a_channel_that_is_dropped_while_a_page_of_it_is_read_breaks_nothing(station: Station) -> None:
    alfa, bravo = station.channel(), station.channel("bravo_demo")
    watch = await station.start()
    watch._roster._configured = frozenset()
    station.server.faults.silent(alfa.number)
    slow = station.server.faults.slow(HISTORY, 0.2)
    say(alfa, "Первый")
    await station.until(lambda: station.server.count(HISTORY) == 1)
    await watch._roster.drop(alfa.marked)
    slow.stop()
    say(bravo, "Первый", push=False)
    await station.all_stored(bravo)
    assert watch.channel(alfa.marked) is None


async def test_a_destination_that_is_found_elsewhere_is_told_by_its_title(station: Station) -> None:
    desk = station.world.add_channel(2001, title="Стол", username="desk_demo", members=[READER])
    station.destinations = frozenset({Username("desk_demo")})
    watch = await station.start()
    for title in ("Стол", None):
        shown = Peer(id=desk.marked, access_hash=1, username="desk_demo", title=title)
        await watch._membership.include({ChatId(desk.marked): shown})
    assert [what.partition(":")[0] for what in await station.told()] == ["Стол is not watched"]
    assert watch.channel(desk.marked) is None


async def test_a_channel_that_is_dropped_while_it_turns_into_a_destination_breaks_nothing(station: Station) -> None:
    alfa = station.channel()
    station.destinations = frozenset({Username("desk_demo")})
    roster = (await station.start())._roster
    roster._configured = frozenset()
    seeing = asyncio.create_task(roster.seen(replace(roster[alfa.marked].peer, username="desk_demo")))
    await asyncio.sleep(0)
    await roster.drop(alfa.marked)
    await seeing
    assert alfa.marked not in roster


async def test_how_another_account_stood_with_a_channel_says_nothing_about_this_one(station: Station) -> None:
    alfa = station.channel()
    await station.start()
    await station.stop()

    def leave(c: Connection) -> None:
        channels.set_standing(c, alfa.marked, Standing.ASKED, tries=3)
        facts.put(c, "account that reads", 7999)

    await station.database.write(leave)
    one = (await station.start())._roster[alfa.marked]
    assert one.standing is Standing.JOINED
    assert await station.database.rows("SELECT standing, tries FROM channel") == [("joined", 0)]


async def test_that_a_refused_channel_cannot_be_joined_either_does_not_begin_its_tries_anew(station: Station) -> None:
    alfa = station.channel()
    roster = (await station.start())._roster
    await roster.refuse(alfa.marked, "CHANNEL_PRIVATE")
    day_after = station.clock.now() + timedelta(days=1)
    notice = Notice("alfa_demo could not be joined")
    await roster.not_joined(alfa.marked, roster[alfa.marked].standing, day_after, notice)
    [(tries, look_at)] = await station.database.rows("SELECT tries, look_at FROM channel")
    assert (tries, look_at is None) == (1, False)
