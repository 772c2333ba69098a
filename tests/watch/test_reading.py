"""First histories as far back as was asked for, and checks that find what was never pushed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

import bot.ingest
from bot.clock import ScaledClock
from bot.model import Channel, Haul, Post, Sighting, Stands
from bot.telegram.account import Account
from bot.watch.reading import Reader
from tests.watch.station import HISTORY, Station, say

# --- first history ----------------------------------------------------------------------------------------


async def test_a_new_channel_is_read_as_far_back_as_was_asked_for(station: Station) -> None:
    station.history = timedelta(hours=24)
    alfa, now = station.channel(), station.clock.now()
    for hours in range(300, 0, -1):
        alfa.post(f"Пост от {hours} часов", date=now - timedelta(minutes=10 * hours))
    await station.start()
    await station.all_stored(alfa, above=301 - 24 * 6 + 1)
    await station.until(lambda: station.cursor(alfa).history_read)
    assert station.cursor(alfa).began == 301


async def test_no_history_is_read_where_none_is_wanted(station: Station) -> None:
    alfa = station.channel()
    say(alfa, "Первый")
    await station.start()
    assert station.cursor(alfa).history_read
    assert await station.stored(alfa) == {}
    assert station.server.count(HISTORY) == 0


async def test_a_history_that_was_broken_off_is_read_on(station: Station) -> None:
    station.history = timedelta(hours=24)
    alfa = station.channel()
    say(alfa, *(f"Пост номер {number}" for number in range(1, 251)))
    slow = station.server.faults.slow(HISTORY, 0.1)
    await station.begin()
    await station.until(lambda: station.server.count(HISTORY) >= 2)
    await station.stop()
    slow.stop()
    before = station.server.count(HISTORY)
    assert before < 3
    await station.start()
    await station.until(lambda: station.cursor(alfa).history_read)
    await station.all_stored(alfa)
    # A page that was stored is not read again; the check at the start is the one page more.
    assert station.server.count(HISTORY) <= before + 3


async def test_an_album_at_the_edge_of_two_pages_is_read_whole(station: Station) -> None:
    station.history = timedelta(hours=24)
    alfa = station.channel()
    say(alfa, *(f"Пост номер {number}" for number in range(2, 99)))
    first = alfa.newest + 1
    for number in range(4):
        alfa.post(f"Снимок {number}", album=77)
    say(alfa, *(f"Пост номер {number}" for number in range(98)))
    once = station.server.faults.limit(HISTORY, 1, 900)
    await station.begin()
    await station.until(lambda: station.server.count(HISTORY) == 2)
    # Of its two halves the upper one would be told under a number that is not the post's.
    assert sorted(await station.stored(alfa)) == list(range(first + 4, alfa.newest + 1))
    await station.stop()
    once.stop()
    await station.start()
    await station.until(lambda: station.cursor(alfa).history_read)
    await station.all_stored(alfa)


# --- what is new ------------------------------------------------------------------------------------------


class _Late(Account):
    """The same account, whose answers arrive late: something happens before each."""

    def __init__(self, account: Account, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__(account.client)
        self._meanwhile = meanwhile

    async def call(self, request: Any, *, timeout: timedelta | None = None) -> Any:  # noqa: ASYNC109 - as its own
        answer = await super().call(request, timeout=timeout)
        await self._meanwhile()
        return answer


async def test_an_empty_page_that_a_push_overtook_is_read_again_and_only_once(station: Station) -> None:
    station.sweep_every = timedelta(hours=10)
    alfa = station.channel()
    watch = await station.start()
    ingest = station.ingest
    assert ingest is not None
    ingest.behind = lambda _channel: None  # as for a channel that is being read
    post = Post(channel=Channel(id=alfa.marked), number=3, date=station.clock.now(), text="Второй")

    async def pushed() -> None:
        if ingest.highest(alfa.marked) < 3:
            ingest.take(Haul(channel=alfa.marked, sightings=(Sighting(3, Stands.POST, post),)))
            await ingest.store(Haul(channel=alfa.marked))  # what was pushed is stored by then

    late, known = _Late(watch._account, pushed), (station.database, station.clock)
    reader = Reader(late, watch._roster, ingest, *known, back=timedelta(), ignored=frozenset())
    assert await reader.news(alfa.marked)
    # Nothing has come since, and the page is empty as before.
    assert not await reader.news(alfa.marked)
    for text in ("Первый", "Второй"):
        alfa.post(text, push=False)
    assert not await reader.news(alfa.marked)
    assert await station.stored(alfa) == {2: "Первый", 3: "Второй"}


# --- the deep check ---------------------------------------------------------------------------------------


async def test_an_edit_and_a_deletion_while_nothing_ran_are_found(station: Station) -> None:
    alfa = station.channel()
    await station.start()
    say(alfa, "Первый", "Второй", "Третий", "Четвёртый")
    await station.all_stored(alfa)
    await station.stop()
    alfa.edit(4, "Третий, исправлено")
    alfa.delete(2, 5)
    await station.start()
    await station.all_stored(alfa)
    gone = await station.database.rows("SELECT number FROM message WHERE deleted IS NOT NULL")
    assert gone == [(2,), (5,)]


async def test_an_edit_that_is_not_pushed_is_found_soon(station: Station) -> None:
    station.clock, station.sweep_every = ScaledClock(station.clock.now(), 2000), timedelta(minutes=3)
    alfa = station.channel()
    await station.start()
    say(alfa, "Первый")
    await station.all_stored(alfa)
    station.server.faults.silent(alfa.number)
    alfa.edit(2, "Первый, исправлено")
    await station.all_stored(alfa)


async def test_an_edit_whose_push_was_lost_is_found_soon_though_later_pushes_came(station: Station) -> None:
    """Of what it asks for after a gap the library tells new posts, and neither edits nor deletions."""
    station.clock, station.sweep_every = ScaledClock(station.clock.now(), 2000), timedelta(minutes=20)
    alfa = station.channel()
    await station.start()
    say(alfa, "Первый")
    await station.all_stored(alfa)
    alfa.edit(2, "Первый, исправлено", push=False)
    for number, text in enumerate(["Второй", "Третий", "Четвёртый"], 3):
        say(alfa, text)
        await station.until_read(alfa, number)
    await station.all_stored(alfa)


async def test_an_edit_whose_push_was_dropped_is_found_soon_though_later_pushes_came(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.clock, station.sweep_every = ScaledClock(station.clock.now(), 2000), timedelta(minutes=20)
    alfa = station.channel()
    watch = await station.start()
    say(alfa, "Первый")
    await station.all_stored(alfa)
    monkeypatch.setattr(bot.ingest, "_MOST_WAITING", 0)
    alfa.edit(2, "Первый, исправлено")
    await station.until(lambda: watch._roster[alfa.marked].pts == alfa.pts)
    monkeypatch.undo()
    say(alfa, "Второй")
    await station.until_read(alfa, 3)
    await station.all_stored(alfa)


async def test_a_number_that_comes_to_light_late_is_found_by_the_check(station: Station) -> None:
    alfa = station.channel()
    await station.start()
    alfa.post("Третий", number=4)
    await station.until_read(alfa, 4)
    await station.stop()
    alfa.post("Второй", number=3, push=False)
    await station.start()
    await station.all_stored(alfa)


async def test_what_stands_below_the_page_is_not_taken_for_deleted(station: Station) -> None:
    alfa = station.channel()
    await station.start()
    say(alfa, *(f"Пост номер {number}" for number in range(150)))
    await station.all_stored(alfa)
    await station.stop()
    alfa.edit(100, "Исправлено")
    await station.start()
    await station.all_stored(alfa)
    assert len(await station.stored(alfa)) == 150


async def test_an_answer_from_before_what_is_known_changes_nothing(station: Station) -> None:
    station.sweep_every = timedelta(hours=10)
    alfa = station.channel()
    watch = await station.start()
    say(alfa, "Первый")
    await station.all_stored(alfa)
    assert station.ingest is not None
    station.ingest.heard(alfa.marked, alfa.newest, alfa.pts + 10)
    alfa.delete(2, push=False)
    await watch._reader.check(alfa.marked)
    assert await station.stored(alfa) == {2: "Первый"}
    for _ in range(10):
        alfa.react(1, push=False)
    await watch._reader.check(alfa.marked)
    assert await station.stored(alfa) == {}


async def test_a_count_of_events_that_has_gone_back_is_believed_after_a_while(station: Station) -> None:
    alfa = station.channel()
    await station.start()
    say(alfa, "Первый", "Второй")
    await station.all_stored(alfa)
    await station.stop()
    alfa.events.clear()
    alfa.pts = 1
    alfa.edit(3, "Второй, исправлено", push=False)
    pages = station.server.count(HISTORY)
    watch = await station.start()
    await station.all_stored(alfa)
    assert station.server.count(HISTORY) == pages + 3
    assert station.cursor(alfa).pts == alfa.pts
    assert watch._roster[alfa.marked].stale == 0


async def test_how_far_back_is_read_is_counted_from_the_first_moment(station: Station) -> None:
    station.history = timedelta(hours=24)
    alfa, now = station.channel(), station.clock.now()
    alfa.post("Вчерашний", date=now - timedelta(hours=23))
    down = station.server.faults.refuse(HISTORY, 420, "FLOOD_WAIT_900", times=None)
    await station.start()
    await station.stop()
    down.stop()
    station.clock = ScaledClock(now + timedelta(hours=6), 60)
    await station.start()
    await station.all_stored(alfa)


async def test_an_edit_below_what_cannot_be_read_is_found_by_the_check(station: Station) -> None:
    alfa = station.channel()
    watch = await station.start()
    say(alfa, "Первый", "Второй")
    alfa.unknown()
    say(alfa, "Четвёртый")
    await station.all_stored(alfa)
    alfa.edit(2, "Первый, исправлено", push=False)
    alfa.delete(3, push=False)
    await watch._reader.check(alfa.marked)
    await station.all_stored(alfa)


async def test_that_the_oldest_posts_were_deleted_is_found_by_the_check(station: Station) -> None:
    alfa = station.channel()
    watch = await station.start()
    say(alfa, "Первый", "Второй", "Третий")
    await station.all_stored(alfa)
    alfa.delete(2, 3, push=False)
    await watch._reader.check(alfa.marked)
    await station.all_stored(alfa)
