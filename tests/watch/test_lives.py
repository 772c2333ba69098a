"""Channels that are looked after: how often, and what is made of an answer that is none."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.clock import ScaledClock
from bot.errors import UnreachableError
from bot.model import Peer
from bot.telegram import peers
from bot.telegram.account import Account
from bot.telegram.peers import Look
from tests.watch.station import DIALOGS, READER, Station, say

LOOK = "channels.getChannels"


async def test_a_channel_that_changes_all_the_time_is_asked_about_once_a_minute(station: Station) -> None:
    station.clock, station.sweep_every = ScaledClock(station.clock.now(), 1), timedelta(hours=10)
    alfa = station.channel()
    await station.start()
    for _ in range(20):
        alfa.restrict(None)
    await station.until(lambda: station.server.count(LOOK) == 1)
    for _ in range(20):
        alfa.restrict(None)
    say(alfa, "Первый")
    await station.all_stored(alfa)
    assert station.server.count(LOOK) == 1


async def test_that_something_happened_before_the_minute_was_over_is_seen_after_it(station: Station) -> None:
    station.sweep_every = timedelta(hours=10)
    alfa = station.channel()
    await station.start()
    alfa.restrict(None)
    await station.until(lambda: station.server.count(LOOK) == 1)
    alfa.restrict("Not here")
    await station.until_told(1)
    assert station.server.count(LOOK) == 2


@pytest.mark.parametrize(
    ("code", "message", "times"), [(500, "INTERNAL", 1), (420, "FLOOD_WAIT_1", 1), (400, "METHOD_INVALID", None)]
)
async def test_a_refusal_is_told_whatever_becomes_of_the_question_why(
    station: Station, code: int, message: str, times: int | None
) -> None:
    alfa = station.channel()
    await station.start()
    station.server.faults.refuse(LOOK, code, message, times=times)
    station.server.faults.refuse(DIALOGS, 400, "CHANNEL_PRIVATE", times=1)
    await station.until_told(1)
    [what] = await station.told()
    assert what.startswith("alfa_demo cannot be read (it is private, and this account is not in it, or not any more); ")
    assert station.watch is not None
    assert station.watch.refused(alfa.marked) is not None


async def test_a_channel_that_is_dropped_while_it_is_asked_about_is_left_alone(station: Station) -> None:
    alfa = station.channel()
    watch = await station.start()
    slow = station.server.faults.slow(LOOK, 0.2)
    alfa.forbid(7001)
    await station.until(lambda: station.server.count(LOOK) == 1)
    station.watch = watch
    watch._roster._configured = frozenset()
    await watch._roster.drop(alfa.marked)
    slow.stop()
    await station.clock.sleep(timedelta(seconds=15))
    station.check()
    assert await station.told() == []


async def test_a_channel_about_which_nothing_is_answered_holds_up_no_other(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    alfa, bravo = station.channel(), station.channel("bravo_demo")
    watch = await station.start()
    look, asked = peers.look, []

    async def broken_of_alfa(account: Account, peer: Peer) -> Look:
        asked.append(peer.id)
        if peer.id == alfa.marked:
            raise UnreachableError("Telegram cannot be reached (channels.getChannels: INTERNAL)")
        return await look(account, peer)

    # The server's faults are of methods, and this one is of a channel.
    monkeypatch.setattr(peers, "look", broken_of_alfa)
    watch._lives.refused(alfa.marked, "CHANNEL_PRIVATE")
    await station.until(lambda: alfa.marked in asked)
    bravo.forbid(READER)
    await station.until_told(1)
    assert (await station.told())[0].startswith("bravo_demo cannot be read")
    await station.clock.sleep(timedelta(minutes=3))
    assert asked.count(alfa.marked) <= 3  # after 30 s, then a minute, then two


async def test_a_channel_that_seems_open_and_refuses_to_be_read_is_tried_less_and_less_often(station: Station) -> None:
    alfa = station.channel()
    watch = await station.start()
    watch._lives._opened = lambda: None
    one, pauses = watch._roster[alfa.marked], []
    for _ in range(4):
        await watch._roster.refuse(alfa.marked, "CHANNEL_PRIVATE")
        assert one.look_at is not None
        pauses.append(round((one.look_at - station.clock.now()) / timedelta(hours=1)))
        await watch._lives._take_note(one, Look(one.peer), None)
    assert pauses == [1, 2, 4, 8]
