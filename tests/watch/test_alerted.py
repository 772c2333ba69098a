"""What was alerted is looked at first, wherever it stands, when something may have happened that was not pushed."""

from __future__ import annotations

from datetime import timedelta

from bot.storage import tellings
from tests.telegram_server.channel import WorldChannel
from tests.watch.station import HISTORY, Station, say

BY_NUMBER = "channels.getMessages"


async def alerts(station: Station) -> int:
    """How many there are."""
    [(count,)] = await station.database.rows("SELECT count(*) FROM says")
    return int(count)


async def until_alerted(station: Station, count: int = 1) -> None:
    """Returns when so much was alerted."""
    for _ in range(2000):
        if await alerts(station) == count:
            return
        station.check()
        await station.clock.sleep(timedelta(seconds=1))
    raise AssertionError("it was never alerted")


async def in_order_of_notice(station: Station, channels: list[WorldChannel]) -> list[int]:
    """The channels of which something is known to be deleted, once that is so of all."""
    found: list[tuple[int]] = []
    for _ in range(3000):
        found = await station.database.rows("SELECT channel FROM message WHERE deleted IS NOT NULL ORDER BY deleted")
        if len(found) == len(channels):
            break
        station.check()
        await station.clock.sleep(timedelta(seconds=1))
    return [channel for (channel,) in found]


async def test_what_was_alerted_is_checked_before_all_else_after_a_start(station: Station) -> None:
    station.keywords = "Сирия"
    channels = [station.channel(f"c{number}_demo") for number in range(6)]
    await station.start()
    for one in channels:
        say(one, "Погода")
        await station.all_stored(one)
    say(channels[4], "Сирия, утро: дорога на север закрыта до вечера, объезд через деревню")
    say(channels[5], "В порту на юге ждут гостей, сообщает министр: Сирия подпишет договор о зерне")
    await until_alerted(station, 2)
    await station.stop()
    for one in channels[:4]:
        one.delete(2)
    for one in channels[4:]:
        one.delete(3)
    pages = station.server.count(HISTORY)
    await station.start()
    order = await in_order_of_notice(station, channels)
    assert set(order[:2]) == {one.marked for one in channels[4:]}
    assert len(order) == 6
    assert station.server.count(HISTORY) == pages + 6
    assert station.server.count(BY_NUMBER) <= 6
    assert await alerts(station) == 2


async def test_what_was_alerted_is_found_gone_however_much_stands_above_it(station: Station) -> None:
    station.keywords = "Сирия"
    alfa = station.channel()
    await station.start()
    say(alfa, "Первый", "Сирия, алерт", "Третий")
    await until_alerted(station)
    await station.stop()
    alfa.delete(3)
    say(alfa, *(f"Погода номер {number}" for number in range(230)), push=False)
    asked = station.server.count(BY_NUMBER)
    await station.start()
    await station.all_stored(alfa)
    assert station.server.count(BY_NUMBER) == asked + 1
    assert await alerts(station) == 1


async def test_what_was_alerted_is_found_edited_however_much_stands_above_it(station: Station) -> None:
    station.keywords = "Сирия"
    alfa = station.channel()
    await station.start()
    say(alfa, "Сирия, алерт")
    await until_alerted(station)
    await station.stop()
    alfa.edit(2, "Сирия, исправлено")
    say(alfa, *(f"Погода номер {number}" for number in range(150)), push=False)
    await station.start()
    await station.all_stored(alfa)
    assert await alerts(station) == 1


async def test_a_part_of_an_alerted_album_is_looked_at_too(station: Station) -> None:
    station.keywords = "Сирия"
    alfa = station.channel()
    await station.start()
    for text in ("Сирия, снимки", "", ""):
        alfa.post(text, album=77)
    await until_alerted(station)
    assert await tellings.alerted(station.database, station.clock.now()) == {alfa.marked: {2, 3, 4}}


async def test_an_alert_that_cannot_be_edited_any_more_is_looked_after_no_more(station: Station) -> None:
    station.keywords = "Сирия"
    alfa = station.channel()
    await station.start()
    say(alfa, "Сирия, алерт")
    await until_alerted(station)
    now = station.clock.now()
    sent = int((now - timedelta(hours=47)).timestamp() * 1_000_000)
    await station.database.write(lambda c: c.execute("UPDATE outbox SET state = 'sent', sent = ?", (sent,)).rowcount)
    assert await tellings.alerted(station.database, now - timedelta(minutes=1)) == {alfa.marked: {2}}
    assert await tellings.alerted(station.database, now + timedelta(minutes=1)) == {}


async def test_what_was_alerted_is_checked_at_once_after_a_reconnection(station: Station) -> None:
    station.keywords, station.sweep_every = "Сирия", timedelta(hours=10)
    alfa, bravo = station.channel(), station.channel("bravo_demo")
    watch = await station.start()
    say(alfa, "Сирия, алерт")
    say(bravo, "Погода")
    await until_alerted(station)
    await station.all_stored(alfa, bravo)
    alfa.delete(2, push=False)
    pages = station.server.count(HISTORY)
    began = station.clock.now()
    watch.connected()
    await station.all_stored(alfa)
    assert station.clock.now() - began < timedelta(minutes=9)  # as long as others wait for the next check
    # Where nothing has happened, nothing is asked.
    watch.connected()
    await station.until(lambda: watch._swept_at is not None and watch._swept_at > began + timedelta(seconds=1))
    assert station.server.count(HISTORY) == pages + 1
