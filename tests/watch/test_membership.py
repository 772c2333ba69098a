"""How channels come to be watched: found by whatever they are called, joined where that is wanted."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.clock import ScaledClock
from bot.model import ChatId, Invite, Username
from tests.telegram_server.channel import WorldChannel
from tests.watch.station import DIALOGS, HISTORY, READER, Station, say


async def test_a_name_that_nobody_has_is_told_of_and_holds_up_no_other(station: Station) -> None:
    station.channel("nobody_demo").rename(None)
    alfa = station.channel("alfa_demo")
    await station.start()
    say(alfa, "Первый")
    await station.all_stored(alfa)
    await station.until_told(1)
    [what] = await station.told()
    assert what.startswith("@nobody_demo cannot be watched: there is nobody of this name in Telegram; look ")


async def test_a_public_channel_is_joined(station: Station) -> None:
    alfa = station.channel(joined=False)
    await station.start()
    await station.until(lambda: READER in alfa.members)
    say(alfa, "Первый")
    await station.all_stored(alfa)


async def test_a_channel_that_is_not_to_be_joined_is_polled(station: Station) -> None:
    station.join = False
    alfa = station.channel(joined=False)
    await station.start()
    say(alfa, "Первый")
    await station.all_stored(alfa)
    assert READER not in alfa.members
    assert station.server.count("channels.joinChannel") == 0


async def test_a_channel_that_lets_nobody_in_stays_polled_and_is_told_of(station: Station) -> None:
    station.server.faults.refuse("channels.joinChannel", 400, "USERS_TOO_MUCH", times=None)
    alfa = station.channel(joined=False)
    await station.start()
    say(alfa, "Первый")
    await station.all_stored(alfa)
    assert [what.partition(",")[0] for what in await station.told()] == ["alfa_demo could not be joined"]
    assert station.server.count("channels.joinChannel") == 1


async def test_a_channel_may_be_named_twice(station: Station) -> None:
    alfa = station.channel()
    station.refs = [Username("alfa_demo"), ChatId(alfa.marked)]
    await station.start()
    say(alfa, "Первый")
    await station.all_stored(alfa)
    assert await station.database.rows("SELECT written FROM reference ORDER BY written") == [
        (str(alfa.marked),),
        ("@alfa_demo",),
    ]


async def test_a_channel_that_is_named_twice_and_left_out_of_an_answer_is_taken_up_once(station: Station) -> None:
    station.sweep_every = timedelta(hours=10)
    alfa, *_ = (station.channel(name) for name in ("alfa_demo", "beta_demo", "gamma_demo"))
    station.refs = [*station.refs, ChatId(alfa.marked)]  # so many that all are found at once
    station.server.faults.omit_dialogs(alfa.number)
    await station.start()
    assert station.server.count(HISTORY) == 1
    assert len(await station.database.rows("SELECT written FROM reference WHERE channel = ?", (alfa.marked,))) == 2
    say(alfa, "Первый")
    await station.all_stored(alfa)


async def test_a_channel_is_found_by_its_id_among_the_accounts_own(station: Station) -> None:
    alfa = station.world.add_channel(1001, members=[READER])
    alfa.post("Первый")
    station.refs = [ChatId(alfa.marked)]
    await station.start()
    say(alfa, "Второй")
    await station.all_stored(alfa, above=1)


async def test_the_accounts_own_channels_are_listed_once_for_all_ids(station: Station) -> None:
    station.refs = [ChatId(-1001234500000 - number) for number in range(5)]
    await station.start()
    await station.until_told(5)
    assert station.server.count("messages.getDialogs") == 1


async def test_a_private_channel_is_joined_by_its_invite(station: Station) -> None:
    alfa = station.world.add_channel(1001, invite="AbCdEfGhIjKlMnOp")
    station.refs = [Invite("AbCdEfGhIjKlMnOp")]
    await station.start()
    assert READER in alfa.members
    say(alfa, "Первый")
    await station.all_stored(alfa)


async def test_of_an_invite_that_leads_nowhere_no_more_is_told_than_shows_which_it_is(
    station: Station, caplog: pytest.LogCaptureFixture
) -> None:
    station.refs = [Invite("AbCdEfGhIjKlMnOp")]
    await station.start()
    await station.until_told(1)
    [what] = await station.told()
    assert what.startswith("t.me/+AbCd… cannot be watched: ")
    assert "GhIj" not in what
    await station.until(lambda: any(one.name == "bot.watch.finding" for one in caplog.records))
    # Of what is no plain value the log tells nothing but the kind.
    [logged] = [one.msg for one in caplog.records if one.name == "bot.watch.finding"]
    assert isinstance(logged, dict)
    assert [key for key, value in logged.items() if "GhIj" in str(value)] == ["ref"]
    assert isinstance(logged["ref"], Invite)


async def test_a_name_that_failed_is_asked_for_again_after_an_hour(station: Station) -> None:
    station.clock, station.sweep_every = ScaledClock(station.clock.now(), 6000), timedelta(minutes=5)
    alfa = station.channel()
    alfa.rename(None)
    await station.begin()
    await station.until_told(1)
    alfa.rename("alfa_demo")
    await station.until(lambda: station.watch is not None and station.watch.channel(alfa.marked) is not None)
    assert station.server.count("contacts.resolveUsername") == 2


async def test_the_first_pass_waits_until_all_channels_were_asked_for(station: Station) -> None:
    station.channel()
    slow = station.server.faults.slow("contacts.resolveUsername", 0.2)
    watch = await station.begin()
    await station.until(lambda: station.server.count("contacts.resolveUsername") == 1)
    assert watch.last_pass is None
    slow.stop()
    await station.until(lambda: watch.last_pass is not None)
    assert station.watch is watch


async def test_what_another_account_had_read_is_read_on_from_there(station: Station) -> None:
    alfa = station.channel()
    await station.start()
    say(alfa, "Первый")
    await station.all_stored(alfa)
    await station.stop()
    say(alfa, "Второй")
    station.world.add_person(7002)
    alfa.members.add(7002)
    station.server.sign_in_session(station.folder / "reader.session", 7002)
    await station.start()
    await station.all_stored(alfa)
    assert station.cursor(alfa).began == 1


# --- many at once -----------------------------------------------------------------------------------------

RESOLVE, LIST = "contacts.resolveUsername", "messages.getDialogs"


def many(station: Station, count: int, *, joined: bool) -> list[WorldChannel]:
    # How long is waited for a list, and gathered, is short in the watch's time, and a machine may be busy.
    station.clock, station.sweep_every = ScaledClock(station.clock.now(), 3), timedelta(hours=10)
    return [station.channel(f"number{number}_demo", joined=joined) for number in range(count)]


async def until_watched(station: Station, channels: list[WorldChannel]) -> None:
    watch = station.watch
    assert watch is not None
    await station.until(lambda: all(watch.channel(one.marked) for one in channels))


async def test_forty_channels_that_are_joined_are_watched_after_two_calls(station: Station) -> None:
    channels = many(station, 40, joined=True)
    await station.begin()
    await until_watched(station, channels)
    assert [station.server.count(method) for method in (RESOLVE, LIST, DIALOGS)] == [0, 1, 1]
    say(channels[39], "Первый")
    await station.all_stored(channels[39])


async def test_channels_that_are_not_joined_cost_a_call_each_and_one_more_for_many(station: Station) -> None:
    station.join = False
    channels = many(station, 10, joined=False)
    await station.begin()
    await until_watched(station, channels)
    assert [station.server.count(method) for method in (RESOLVE, LIST)] == [10, 1]
    assert station.server.count(DIALOGS) < 10


async def test_joined_channels_wait_for_none_that_has_to_be_looked_up(station: Station) -> None:
    station.join = False
    alfa = station.channel()
    many(station, 5, joined=False)
    station.server.faults.slow(RESOLVE, 0.9)
    await station.begin()
    await until_watched(station, [alfa])
    assert station.server.count(RESOLVE) <= 1


async def test_names_that_nobody_has_hold_up_none_of_many(station: Station) -> None:
    inside, outside = many(station, 5, joined=True), [station.channel("outside_demo", joined=False)]
    for number in range(3):
        station.channel(f"nobody{number}_demo").rename(None)
    await station.begin()
    await until_watched(station, [*inside, *outside])
    await station.until_told(3)
    assert [station.server.count(method) for method in (RESOLVE, LIST)] == [4, 1]


async def test_what_was_looked_up_before_a_crash_is_not_looked_up_again(station: Station) -> None:
    station.join = False
    channels = many(station, 10, joined=False)
    held = station.server.faults.slow(DIALOGS, 5)
    await station.begin()
    await station.until(lambda: station.server.count(RESOLVE) == 10)
    await asyncio.sleep(0.1)
    await station.stop()
    held.stop()
    assert await station.database.rows("SELECT id FROM channel") == []
    watch = await station.begin()
    await until_watched(station, channels)
    assert station.server.count(RESOLVE) == 10
    known = [watch.channel(one.marked) for one in channels]
    assert [one and one.username for one in known] == [one.username for one in channels]


@pytest.mark.parametrize(("code", "message"), [(400, "METHOD_INVALID"), (420, "FLOOD_WAIT_900"), (500, "INTERNAL")])
async def test_where_the_accounts_own_are_not_to_be_had_names_are_looked_up(
    station: Station, code: int, message: str
) -> None:
    channels = many(station, 5, joined=True)
    station.clock = ScaledClock(station.clock.now(), 60)  # it does not wait for the list for ever
    station.server.faults.refuse(LIST, code, message, times=None)
    await station.begin()
    await until_watched(station, channels)
    assert station.server.count(RESOLVE) == 5


async def test_where_newest_numbers_are_not_to_be_had_a_page_of_each_shows_them(station: Station) -> None:
    channels = many(station, 5, joined=True)
    station.server.faults.refuse(DIALOGS, 400, "METHOD_INVALID", times=None)
    await station.begin()
    await until_watched(station, channels)
    assert station.cursor(channels[0]).began == 1


async def test_a_channel_that_refuses_is_told_of_and_holds_up_none_of_many(station: Station) -> None:
    station.join = False
    channels = many(station, 5, joined=False)
    station.server.faults.slow(DIALOGS, 0.3)
    await station.begin()
    await station.until(lambda: station.server.count(DIALOGS) == 1)
    channels[0].rename(None)
    await until_watched(station, channels[1:])
    await station.until_told(1)
    assert await station.told() == [
        "@number0_demo cannot be watched: it is private, and this account is not in it, or not any more"
    ]


async def test_an_account_that_is_in_a_channel_under_another_letter_case_finds_it(station: Station) -> None:
    channels = many(station, 4, joined=True)
    channels[0].rename("Number0_Demo")
    await station.begin()
    await until_watched(station, channels)
    assert station.server.count(RESOLVE) == 0
