"""Turns of Telegram's methods over a real database, on a clock that runs as fast as it is asked to."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.budget import QUIET
from bot.quota import Quota
from bot.storage.database import Database

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
HISTORY = "messages.getHistory"


class Leaping:
    """A clock on which a pause is over when everybody else has had a turn."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time

    async def sleep(self, pause: timedelta) -> None:
        over = self.time + pause
        await asyncio.sleep(0)
        self.time = max(self.time, over)

    def seconds(self) -> float:
        return (self.time - NOON).total_seconds()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.opened(tmp_path) as database:
        yield database


@pytest.fixture
def clock() -> Leaping:
    return Leaping()


async def opened(database: Database, clock: Leaping) -> Quota:
    return await Quota.opened(database, clock, random.Random(1))  # noqa: S311 - it spreads waits


async def turns(quota: Quota, method: str, count: int) -> None:
    for _ in range(count):
        await quota.turn(method)


async def test_turns_are_free_until_the_window_is_full(database: Database, clock: Leaping) -> None:
    quota = await opened(database, clock)
    await turns(quota, HISTORY, 26)
    assert clock.seconds() == 0
    await quota.turn(HISTORY)
    assert clock.seconds() == 31


async def test_a_turn_is_written_down_before_it_is_given(database: Database, clock: Leaping) -> None:
    quota = await opened(database, clock)
    await turns(quota, HISTORY, 2)
    assert await database.rows("SELECT count(*) FROM call WHERE method = ?", (HISTORY,)) == [(2,)]


async def test_a_restart_goes_on_with_the_same_window(database: Database, clock: Leaping) -> None:
    await turns(await opened(database, clock), HISTORY, 26)
    clock.time += timedelta(seconds=10)
    await (await opened(database, clock)).turn(HISTORY)
    assert clock.seconds() == 31


async def test_what_needs_no_keeping_costs_no_write(database: Database, clock: Leaping) -> None:
    await turns(await opened(database, clock), "messages.getPeerDialogs", 5)
    assert await database.rows("SELECT count(*) FROM call") == [(0,)]


async def test_who_came_first_goes_first(database: Database, clock: Leaping) -> None:
    quota, gone = await opened(database, clock), list[int]()

    async def caller(name: int) -> None:
        await quota.turn(HISTORY)
        gone.append(name)

    await asyncio.gather(*(caller(name) for name in range(60)))
    assert gone == list(range(60))
    assert clock.seconds() == 62


async def test_a_method_does_not_wait_for_another(database: Database, clock: Leaping) -> None:
    quota = await opened(database, clock)
    quota.refused(HISTORY, 1000)
    waits = asyncio.create_task(quota.turn("channels.getMessages"))
    await waits
    assert clock.seconds() == 0


async def test_whoever_gives_up_leaves_the_line(database: Database, clock: Leaping) -> None:
    quota = await opened(database, clock)
    quota.refused(HISTORY, 10**6)
    first, second = (asyncio.create_task(quota.turn(HISTORY)) for _ in range(2))
    await asyncio.sleep(0)
    second.cancel()
    first.cancel()
    await asyncio.wait((first, second))
    assert second.cancelled()
    assert await database.rows("SELECT count(*) FROM call") == [(0,)]


async def test_a_wait_is_obeyed_and_a_little_more(database: Database, clock: Leaping) -> None:
    quota = await opened(database, clock)
    await quota.turn(HISTORY)
    quota.refused(HISTORY, 30)
    await quota.turn(HISTORY)
    assert 31 < clock.seconds() < 34.5


async def test_a_wait_that_comes_while_others_wait_holds_them_up_too(database: Database, clock: Leaping) -> None:
    quota = await opened(database, clock)
    await turns(quota, HISTORY, 26)
    waits = asyncio.create_task(quota.turn(HISTORY))
    await asyncio.sleep(0)
    quota.refused(HISTORY, 500)
    await waits
    assert clock.seconds() > 500


async def test_a_restart_obeys_the_wait_and_keeps_the_pace(database: Database, clock: Leaping) -> None:
    quota = await opened(database, clock)
    quota.refused(HISTORY, 300)
    until = quota.waiting(clock.now())[HISTORY]
    await quota.settled()
    again = await opened(database, clock)
    assert again.waiting(clock.now()) == {HISTORY: until}
    await turns(again, HISTORY, 15)
    assert clock.time == until + timedelta(seconds=31)


async def test_the_pace_recovers_while_all_is_quiet(database: Database, clock: Leaping) -> None:
    quota = await opened(database, clock)
    quota.refused(HISTORY, 1)
    clock.time += 6 * QUIET
    before = clock.time
    await turns(quota, HISTORY, 26)
    assert clock.time == before


async def test_what_waits_is_told_until_it_is_over(database: Database, clock: Leaping) -> None:
    quota = await opened(database, clock)
    assert quota.waiting(NOON) == {}
    quota.refused("contacts.resolveUsername", 60)
    [(method, until)] = quota.waiting(NOON).items()
    assert method == "contacts.resolveUsername"
    assert until >= NOON + timedelta(seconds=60)
    assert quota.waiting(until) == {}


async def test_invitations_and_joins_are_counted_together(database: Database, clock: Leaping) -> None:
    quota = await opened(database, clock)
    await turns(quota, "channels.joinChannel", 3)
    await turns(quota, "messages.importChatInvite", 2)
    assert clock.seconds() == 0
    await quota.turn("channels.joinChannel")
    assert clock.seconds() == 180


async def test_a_restart_does_not_begin_the_day_anew(database: Database, clock: Leaping) -> None:
    await turns(await opened(database, clock), "channels.joinChannel", 20)
    clock.time += timedelta(hours=1)
    quota = await opened(database, clock)
    await quota.turn(HISTORY)
    await (await opened(database, clock)).turn("channels.joinChannel")
    assert clock.seconds() == 86_400


async def test_a_clock_that_is_put_back_stops_nothing(database: Database, clock: Leaping) -> None:
    quota = await opened(database, clock)
    await turns(quota, HISTORY, 26)
    quota.refused("users.getUsers", 10)
    clock.time -= timedelta(days=300)
    await quota.turn(HISTORY)
    await quota.turn("users.getUsers")
    assert clock.seconds() < -299 * 86_400


async def test_all_methods_together_have_twenty_calls_a_minute_once_the_burst_is_used_up(
    database: Database, clock: Leaping
) -> None:
    quota = await opened(database, clock)
    methods = [HISTORY, "channels.getMessages", "users.getFullUser", "channels.getChannels", "messages.getDialogs"]
    for _ in range(300):
        await asyncio.gather(*(quota.turn(method) for method in methods))
    used_up = clock.seconds()
    for _ in range(100):
        await asyncio.gather(*(quota.turn(method) for method in methods))
    assert clock.seconds() - used_up >= 500 * 3 - 60


async def test_the_sweep_is_not_held_up_by_what_is_read(database: Database, clock: Leaping) -> None:
    quota = await opened(database, clock)
    reading = asyncio.create_task(turns(quota, HISTORY, 900))
    while clock.seconds() < 3_000:
        before = clock.seconds()
        await quota.turn("messages.getPeerDialogs")
        assert clock.seconds() - before < 1
        await clock.sleep(timedelta(seconds=60))
    reading.cancel()


async def test_a_restart_does_not_fill_the_budget_for_all(database: Database, clock: Leaping) -> None:
    quota = await opened(database, clock)
    await turns(quota, HISTORY, 1_100)
    again = await opened(database, clock)
    before = clock.seconds()
    await turns(again, "channels.getMessages", 2)
    assert clock.seconds() - before == pytest.approx(6, abs=1)


async def test_what_the_library_asks_by_itself_is_counted_and_then_held_back(
    database: Database, clock: Leaping
) -> None:
    quota = await opened(database, clock)
    for _ in range(30):
        assert quota.unasked("updates.getChannelDifference") == timedelta(0)
    assert quota.unasked("updates.getChannelDifference") == timedelta(seconds=30)


async def test_what_the_library_asks_by_itself_leaves_calls_to_what_we_ask(database: Database, clock: Leaping) -> None:
    quota = await opened(database, clock)
    await turns(quota, HISTORY, 900)
    assert quota.unasked("updates.getDifference") > timedelta(0)
    assert quota.unasked("users.getUsers") == timedelta(0)


async def test_a_wait_that_is_told_again_is_not_made_longer(database: Database, clock: Leaping) -> None:
    quota = await opened(database, clock)
    quota.refused(HISTORY, 100)
    until = quota.waiting(NOON)[HISTORY]
    for second in range(1, 50):
        clock.time = NOON + timedelta(seconds=second)
        quota.refused(HISTORY, 100 - second)
    assert quota.waiting(NOON)[HISTORY] == until
    await quota.settled()


async def test_a_clock_that_is_put_back_does_not_stop_the_budget_for_all(database: Database, clock: Leaping) -> None:
    quota = await opened(database, clock)
    await turns(quota, HISTORY, 1_100)
    clock.time -= timedelta(days=300)
    before = clock.seconds()
    await turns(await opened(database, clock), "channels.getMessages", 20)
    assert clock.seconds() - before < 20 * 3 + 5


async def test_what_connecting_costs_is_not_forgotten_by_a_process_that_ends_soon(
    database: Database, clock: Leaping
) -> None:
    for _ in range(200):
        quota = await opened(database, clock)
        for method in ("help.getConfig", "updates.getState", "users.getUsers"):
            quota.unasked(method)
        await quota.settled()
    await turns(await opened(database, clock), "messages.getPeerDialogs", 1)
    assert clock.seconds() == pytest.approx(3, abs=0.1)
