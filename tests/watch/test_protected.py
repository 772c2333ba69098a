"""Channels of which nothing can be forwarded: what is pushed of them is stored so, and no check takes it for edits."""

from __future__ import annotations

from tests.telegram_server.channel import WorldChannel
from tests.watch.station import Station, say

_PROTECTED = "SELECT number FROM message WHERE channel = ? AND json_extract(body, '$.protected') ORDER BY number"
_VERSIONS = "SELECT count(*) FROM version"


async def protected(station: Station, channel: WorldChannel) -> list[int]:
    """The numbers of the posts that are stored as protected."""
    return [number for (number,) in await station.database.rows(_PROTECTED, (channel.marked,))]


async def checked(station: Station, channel: WorldChannel) -> None:
    """Returns when another process has compared what is stored with the channel; nothing in it was an edit."""
    await station.stop()
    watch = await station.start()
    await station.until(lambda: watch._roster[channel.marked].checked)
    assert await station.database.rows(_VERSIONS) == [(0,)]


async def test_what_is_pushed_of_a_protected_channel_is_stored_as_such_and_no_check_changes_it(
    station: Station,
) -> None:
    alfa = station.channel()
    alfa.protected = True
    await station.start()
    numbers = [alfa.post(f"Сирия {each}") for each in range(3)]
    await station.all_stored(alfa)
    assert await protected(station, alfa) == numbers
    await checked(station, alfa)
    assert await protected(station, alfa) == numbers


async def test_protection_that_is_switched_on_makes_no_edits_and_holds_for_what_comes_then(station: Station) -> None:
    alfa = station.channel()
    await station.start()
    say(alfa, "Первый")
    await station.all_stored(alfa)
    alfa.protected, alfa.version = True, alfa.version + 1
    await station.until(lambda: station.watch is not None and station.watch._roster[alfa.marked].peer.protected)
    number = alfa.post("Сирия")
    await station.all_stored(alfa)
    assert await protected(station, alfa) == [number]
    await checked(station, alfa)
