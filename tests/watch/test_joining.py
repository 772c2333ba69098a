"""The queue of channels to be joined: one after another, and what could not be joined later, over restarts too."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.model import Username
from bot.watch.door import Door
from tests.watch.station import READER, Station

JOIN, LIST = "channels.joinChannel", "messages.getDialogs"


@pytest.mark.parametrize(("code", "message"), [(420, "FLOOD_WAIT_2"), (500, "INTERNAL")])
async def test_what_brought_no_answer_is_tried_again(station: Station, code: int, message: str) -> None:
    alfa = station.channel(joined=False)
    station.server.faults.refuse(JOIN, code, message)
    await station.start()
    await station.until(lambda: READER in alfa.members)
    assert await station.told() == []


async def test_who_let_nobody_in_is_not_asked_again_because_of_a_restart(station: Station) -> None:
    full, alfa = station.channel("full_demo", joined=False), station.channel("alfa_demo", joined=False)
    station.refs = [Username("full_demo")]
    station.server.faults.refuse(JOIN, 400, "USERS_TOO_MUCH")
    await station.start()
    await station.until_told(1)
    await station.stop()
    station.refs = [Username("full_demo"), Username("alfa_demo")]
    await station.start()
    await station.until(lambda: READER in alfa.members)
    await station.clock.sleep(timedelta(seconds=15))
    assert READER not in full.members
    assert station.server.count(JOIN) == 2


async def test_places_are_counted_once_a_day_and_not_at_each_start(station: Station) -> None:
    station.channel(joined=False)
    station.server.faults.refuse(JOIN, 400, "USERS_TOO_MUCH")
    for _ in range(2):
        await station.start()
        await station.until_told(1)  # that it could not be joined, which is written down by then
        await station.stop()
    assert (station.server.count(JOIN), station.server.count(LIST)) == (1, 1)


async def test_where_nothing_is_to_be_joined_no_place_is_counted(station: Station) -> None:
    station.channel()
    await station.start()
    await station.clock.sleep(timedelta(seconds=15))
    assert station.server.count(LIST) == 0


async def test_that_places_cannot_be_counted_holds_up_no_joining(station: Station) -> None:
    alfa = station.channel(joined=False)
    station.server.faults.refuse(LIST, 400, "METHOD_INVALID", times=None)
    await station.start()
    await station.until(lambda: READER in alfa.members)


async def test_that_one_account_may_join_nothing_is_told_again_of_another(station: Station) -> None:
    station.channel()
    watch = await station.start()
    first = watch._membership._door
    await first.shut("CHANNELS_TOO_MUCH")
    second = Door(Another(), watch._roster, station.database, station.clock, first._own)  # type: ignore[arg-type]
    await second.load()
    await second.shut("CHANNELS_TOO_MUCH")
    assert len(await station.told()) == 2


class Another:
    """As much of an account as a door needs to be shut."""

    id = 7999
