"""That nothing is missed, whatever Telegram loses: the real client, a loopback server, a real database."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest

from bot.clock import ScaledClock
from bot.errors import NotSignedInError, UnreachableError
from tests.telegram_server.channel import WorldChannel
from tests.watch.station import DIALOGS, DIFFERENCE, HISTORY, READER, Station, say

# --- what is new ------------------------------------------------------------------------------------------


async def test_a_push_is_stored_without_a_page_being_read(station: Station) -> None:
    alfa = station.channel()
    say(alfa, "Первый")
    await station.start()
    say(alfa, "Второй", "Третий")
    await station.all_stored(alfa, above=2)
    assert station.server.count(HISTORY) == 0


async def test_a_lost_push_is_found_by_the_sweep(station: Station) -> None:
    alfa = station.channel()
    await station.start()
    station.server.faults.silent(alfa.number)
    say(alfa, "Первый", "Второй")
    await station.all_stored(alfa)


async def test_a_push_that_leaves_a_number_out_has_the_rest_read_at_once(station: Station) -> None:
    station.sweep_every = timedelta(hours=10)
    alfa = station.channel()
    say(alfa, "Первый")
    await station.start()
    lost = station.server.faults.silent(alfa.number)
    say(alfa, "Второй", "Третий")
    lost.stop()
    say(alfa, "Четвёртый")
    await station.all_stored(alfa, above=2)


async def test_duplicates_and_pushes_out_of_order_are_stored_once(station: Station) -> None:
    alfa = station.channel()
    await station.start()
    station.server.faults.duplicate()
    station.server.faults.reorder(within=0.1)
    say(alfa, *(f"Пост номер {number}" for number in range(1, 21)))
    await station.all_stored(alfa)


async def test_what_was_posted_while_nothing_ran_is_read_at_the_next_start(station: Station) -> None:
    alfa = station.channel()
    await station.start()
    await station.stop()
    say(alfa, *(f"Пост номер {number}" for number in range(1, 251)))
    await station.start()
    assert len(await station.stored(alfa)) == 250
    await station.all_stored(alfa)


async def test_a_start_after_which_nothing_is_new_asks_for_no_name_again(station: Station) -> None:
    station.channel()
    await station.start()
    await station.stop()
    await station.start()
    assert station.server.count("contacts.resolveUsername") == 1


async def test_after_a_reconnection_what_was_missed_is_read_at_once(station: Station) -> None:
    station.sweep_every = timedelta(hours=10)
    alfa = station.channel()
    await station.start()
    station.server.cut()
    say(alfa, "Первый", "Второй")
    await station.all_stored(alfa)


async def test_too_much_to_be_pushed_is_read(station: Station) -> None:
    """The library keeps updateChannelTooLong to itself, and may drop what it then asks for: the sweep finds it."""
    alfa = station.channel()
    await station.start()
    station.server.faults.channel_too_long()
    say(alfa, *(f"Пост номер {number}" for number in range(1, 131)))
    await station.all_stored(alfa)


async def test_numbers_that_nothing_stands_under_hold_nobody_up(station: Station) -> None:
    alfa = station.channel()
    await station.start()
    say(alfa, "Первый")
    alfa.burn()
    alfa.service()
    alfa.burn()
    say(alfa, "Пятый")
    await station.all_stored(alfa)
    await station.until_read(alfa, 6)
    assert station.cursor(alfa).top == 6


async def test_a_newest_post_that_is_deleted_is_not_read_for_again_and_again(station: Station) -> None:
    alfa = station.channel()
    say(alfa, "Первый")
    await station.start()
    # Two posts are lost, and the newest is gone again before anybody reads.
    station.server.faults.silent(alfa.number)
    slow = station.server.faults.slow(HISTORY, 0.3)
    say(alfa, "Второй")
    await station.until(lambda: station.server.count(HISTORY) == 1)
    alfa.delete(3)
    slow.stop()
    await station.until(lambda: not station.behind(alfa))
    pages, sweeps = station.server.count(HISTORY), station.server.count(DIALOGS)
    await station.until(lambda: station.server.count(DIALOGS) > sweeps + 2)
    # The deletion is an event that nothing explains: one check at most.
    assert station.server.count(HISTORY) <= pages + 1
    assert await station.stored(alfa) == {}


async def test_a_message_of_an_unknown_kind_becomes_a_stub_and_blocks_nothing(station: Station) -> None:
    alfa = station.channel()
    await station.start()
    station.server.faults.silent(alfa.number)
    say(alfa, "Первый", "Второй")
    alfa.unknown()
    say(alfa, "Четвёртый", "Пятый")
    await station.all_stored(alfa)
    rows = await station.database.rows("SELECT number, stands FROM message WHERE stands = 'unreadable'")
    assert rows == [(4, "unreadable")]


async def test_a_channel_that_is_never_answered_for_is_read_page_by_page(station: Station) -> None:
    alfa = station.channel()
    station.server.faults.omit_dialogs(alfa.number)
    station.server.faults.silent(alfa.number)
    say(alfa, "Первый")
    await station.start()
    say(alfa, *(f"Пост номер {number}" for number in range(2, 252)))
    await station.known_by_now()
    assert len(await station.stored(alfa)) == 250


async def test_what_cannot_be_read_ends_no_reading_early(station: Station) -> None:
    alfa = station.channel()
    station.server.faults.omit_dialogs(alfa.number)
    station.server.faults.silent(alfa.number)
    await station.start()
    say(alfa, *(f"Пост номер {number}" for number in range(2, 12)))
    alfa.unknown()
    say(alfa, *(f"Пост номер {number}" for number in range(13, 21)))
    await station.known_by_now()
    assert len(await station.stored(alfa)) == 18


async def test_a_gap_that_is_found_while_a_channel_is_checked_is_read(station: Station) -> None:
    station.sweep_every = timedelta(hours=10)
    alfa = station.channel()
    await station.start()
    say(alfa, "Первый")
    await station.all_stored(alfa)
    await station.stop()
    pages = station.server.count(HISTORY)
    slow = station.server.faults.slow(HISTORY, 0.2)
    await station.start()
    await station.until(lambda: station.server.count(HISTORY) > pages)
    slow.stop()
    lost = station.server.faults.silent(alfa.number)
    say(alfa, *(f"Пост номер {number}" for number in range(2, 132)))
    lost.stop()
    await station.all_stored(alfa)


@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_is_missed_of_many_channels_whatever_goes_wrong(station: Station, seed: int) -> None:
    chance, faults = random.Random(seed), station.server.faults  # noqa: S311 - seeded, not secret
    channels = [station.channel(f"channel_{number}_demo", joined=number % 3 != 0) for number in range(8)]
    station.join = False
    await station.start()
    faults.drop(0.4)
    faults.duplicate(0.2)
    faults.reorder(0.3, within=0.05)
    faults.channel_too_long(0.1)
    faults.too_long(0.5)
    faults.silent(channels[1].number)
    faults.omit_dialogs(channels[2].number)
    faults.flood_wait(HISTORY, 3, times=2)
    faults.cut_after(HISTORY, share=0.05, times=2)
    for step in range(150):
        channel = chance.choice(channels)
        happening = chance.random()
        if happening < 0.1:
            channel.burn()
        elif happening < 0.2 and channel.newest > 1:
            channel.edit(channel.newest, f"Исправлено, шаг {step}")
        else:
            say(channel, *(f"Шаг {step}, пост {number}" for number in range(chance.choice([1, 1, 2, 30]))))
        if step in {40, 110}:
            station.server.cut()
        if step == 75:
            await station.stop()
            await station.start()
        await asyncio.sleep(0.002)
    for channel in channels:
        await station.until_known(channel)
        assert set(await station.stored(channel)) == set(channel.truth()), f"seed {seed}: {channel.username}"


# --- trouble ----------------------------------------------------------------------------------------------


async def leave_a_gap(station: Station) -> WorldChannel:
    """A channel of which one push is lost and the next one comes, and no sweep for long."""
    station.sweep_every = timedelta(hours=10)
    alfa = station.channel()
    await station.start()
    say(alfa, "Первый")
    await station.all_stored(alfa)
    station.server.faults.too_long()
    lost = station.server.faults.silent(alfa.number)
    say(alfa, "Второй")
    lost.stop()
    return alfa


async def test_a_wait_that_telegram_asks_for_is_waited_for(station: Station) -> None:
    alfa = await leave_a_gap(station)
    station.server.faults.flood_wait(HISTORY, 1)
    station.stir(alfa)
    await station.all_stored(alfa)
    assert station.server.count(HISTORY) == 2


async def test_a_page_without_an_answer_is_asked_for_again(station: Station) -> None:
    alfa = await leave_a_gap(station)
    station.server.faults.refuse(HISTORY, 500, "INTERNAL")
    station.stir(alfa)
    await station.all_stored(alfa)


async def test_a_sweep_without_an_answer_is_made_again(station: Station) -> None:
    station.sweep_every = timedelta(hours=10)
    station.channel()
    await station.start()
    await station.stop()
    station.server.faults.refuse(DIALOGS, 500, "INTERNAL")
    await station.start()


@pytest.mark.parametrize(("channels", "asked"), [(2, True), (31, False)])
async def test_after_a_reconnection_the_library_catches_up_where_that_costs_little(
    station: Station, channels: int, *, asked: bool
) -> None:
    station.sweep_every = timedelta(hours=10)
    for number in range(channels):
        station.channel(f"channel_{number}_demo")
    await station.start()
    await station.until(lambda: station.server.count(DIFFERENCE) > 0)
    before, sweeps = station.server.count(DIFFERENCE), station.server.count(DIALOGS)
    station.server.cut()
    await station.until(lambda: station.server.count(DIALOGS) > sweeps)
    await asyncio.sleep(0.05)
    assert (station.server.count(DIFFERENCE) > before) is asked


async def test_a_session_that_is_revoked_ends_the_watch(station: Station) -> None:
    station.channel()
    await station.start()
    station.server.revoke(READER)
    assert station.running is not None
    with pytest.raises(NotSignedInError):
        await asyncio.wait_for(station.running, 5)


async def test_a_connection_that_is_lost_for_good_ends_the_watch(station: Station) -> None:
    station.channel()
    await station.start()
    await station.server.stop_listening()
    station.server.cut()
    assert station.running is not None
    with pytest.raises(UnreachableError):
        await asyncio.wait_for(station.running, 10)


async def test_one_odd_refusal_of_a_page_refuses_no_channel(station: Station) -> None:
    alfa = station.channel()
    watch = await station.start()
    station.server.faults.silent(alfa.number)
    station.server.faults.refuse(HISTORY, 400, "TIMEOUT_X", times=1)
    say(alfa, "Первый")
    await station.all_stored(alfa)
    assert watch.refused(alfa.marked) is None
    assert await station.told() == []


async def test_a_page_that_is_refused_again_and_again_is_told_of_and_so_is_the_end_of_it(station: Station) -> None:
    station.clock = ScaledClock(station.clock.now(), 1000)
    alfa, bravo = station.channel(), station.channel("bravo_demo")
    await station.start()
    station.server.faults.silent(alfa.number)
    station.server.faults.refuse(HISTORY, 400, "TIMEOUT_X", times=6)
    say(alfa, "Первый")
    await station.until_told(1)
    say(bravo, "Первый")
    await station.all_stored(bravo, alfa)
    await station.until_told(2)
    assert await station.told() == [
        "alfa_demo cannot be read (Telegram refuses it (TIMEOUT_X)); it is tried again.",
        "alfa_demo can be read again.",
    ]


async def test_a_newest_message_that_cannot_be_read_costs_one_call_a_sweep(station: Station) -> None:
    """It fails the question for all channels, and is asked for by itself from then on."""
    channels = [station.channel(f"many_{number:02}_demo") for number in range(12)]
    alfa = channels[5]
    await station.start()
    say(alfa, "Первый")
    alfa.unknown()
    await station.until_read(alfa, 3)
    await station.known_by_now()
    before, sweeps = len(station.server.calls), station.server.count(DIALOGS)
    await station.until(lambda: station.server.count(DIALOGS) >= sweeps + 4)
    assert len(station.server.calls) - before <= 4 * 2 + 4
    say(alfa, "Четвёртый", push=False)
    await station.all_stored(alfa)


async def test_what_stands_above_deleted_numbers_is_found_below_what_cannot_be_read(station: Station) -> None:
    alfa = station.channel()
    await station.start()
    say(alfa, "Первый")
    await station.until_known(alfa)
    station.server.faults.drop()
    for _ in range(5):
        alfa.burn()
    say(alfa, "Второй")
    alfa.unknown(push=False)
    await station.all_stored(alfa)


async def test_a_channel_that_has_to_wait_holds_up_no_other(station: Station) -> None:
    """Only numbers tell of a channel whose newest message cannot be read, and Telegram takes none for an hour."""
    alfa, bravo = station.channel(), station.channel("bravo_demo")
    watch = await station.start()
    alfa.unknown(push=False)
    await station.until(lambda: watch._roster[alfa.marked].blind)
    station.server.faults.flood_wait("channels.getMessages", 3600, times=None)
    station.server.faults.drop()
    for number in range(1, 4):
        sweeps = station.server.count(DIALOGS)
        say(bravo, f"Пост номер {number}")
        await station.all_stored(bravo)
        await station.until(lambda sweeps=sweeps: station.server.count(DIALOGS) > sweeps)  # type: ignore[misc]


async def test_a_channel_of_which_no_page_can_be_read_may_go_private(station: Station) -> None:
    alfa = station.channel()
    watch = await station.start()
    alfa.unknown(push=False)
    await station.until(lambda: watch._roster[alfa.marked].blind)
    alfa.forbid(READER)
    await station.until(lambda: watch._roster[alfa.marked].refused is not None)
    station.check()


async def test_a_channel_of_which_no_page_ever_comes_is_told_of_and_holds_up_no_pass(station: Station) -> None:
    alfa = station.channel()
    watch = await station.start()
    broken = station.server.faults.refuse(HISTORY, 500, "INTERNAL", times=None)
    say(alfa, "Первый", push=False)
    await station.until_told(1)
    now = station.clock.now()
    await station.until(lambda: watch.last_pass is not None and watch.last_pass >= now)
    broken.stop()
    await station.all_stored(alfa)
    await station.until_told(2)
    first, second = await station.told()
    assert "cannot be read" in first
    assert "can be read again" in second
