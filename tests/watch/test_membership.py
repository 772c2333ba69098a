"""How channels come to be watched: found by whatever they are called, joined where that is wanted."""

from __future__ import annotations

from datetime import timedelta

from bot.clock import ScaledClock
from bot.model import ChatId, Invite, Username
from tests.watch.station import READER, Station, say


async def test_a_name_that_nobody_has_is_told_of_and_holds_up_no_other(station: Station) -> None:
    station.channel("nobody_demo").rename(None)
    alfa = station.channel("alfa_demo")
    await station.start()
    say(alfa, "Первый")
    await station.all_stored(alfa)
    assert [what.partition(":")[0] for what in await station.told()] == ["@nobody_demo cannot be watched"]


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
    station.server.faults.refuse("channels.joinChannel", 400, "CHANNELS_TOO_MUCH", times=None)
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
