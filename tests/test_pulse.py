"""The sign of life: written at once, then again and again, and true on a clock that is set."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import StorageError
from bot.pulse import Pulse
from bot.storage import facts, vitals
from bot.storage.database import Database
from bot.vitals import Link, Vitals
from tests.clocks import HandClock
from tests.made import at

SECOND = timedelta(seconds=1)
FIRST = Vitals(
    started=at(0),
    written=at(0),
    link=Link.CONNECTING,
    answered=None,
    passed=None,
    behind=3,
    waiting=5,
    skew=None,
    sweep_every=timedelta(minutes=1),
)
PASSED = replace(FIRST, passed=at(-1))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.opened(tmp_path) as database:
        yield database


@asynccontextmanager
async def beating(database: Database, clock: HandClock, seen: Vitals) -> AsyncIterator[None]:
    pulse = Pulse(database, clock, lambda: replace(seen, written=clock.now()))
    running = asyncio.create_task(pulse.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()


async def written(database: Database, clock: HandClock) -> Vitals:
    """What stands there once it was written at this moment of the clock."""
    async with asyncio.timeout(5):
        while (found := await vitals.last(database)) is None or found.written != clock.now():  # noqa: ASYNC110 - another task
            await asyncio.sleep(0.01)
    return found


async def test_what_an_earlier_process_wrote_is_replaced_at_once(database: Database) -> None:
    before = replace(FIRST, started=at(-600), written=at(-1), passed=at(-2), link=Link.UP)
    await database.write(lambda c: vitals.put(c, before))
    clock = HandClock()
    async with beating(database, clock, FIRST):
        assert await written(database, clock) == FIRST


def is_ours(folder: Path) -> bool:
    with (folder / "alive").open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


async def test_that_it_is_ours_shows_once_it_is_and_no_longer_than_we_live(tmp_path: Path, database: Database) -> None:
    clock = HandClock()
    async with beating(database, clock, FIRST):
        await written(database, clock)
        async with asyncio.timeout(5):
            while not is_ours(tmp_path):  # noqa: ASYNC110 - another task
                await asyncio.sleep(0.01)
    assert not is_ours(tmp_path)


async def test_what_an_earlier_process_wrote_is_not_ours_while_nothing_can_be_written(
    tmp_path: Path, database: Database
) -> None:
    clock = HandClock()
    await database.write(lambda c: c.execute("ALTER TABLE fact RENAME TO hidden"))
    async with beating(database, clock, FIRST):
        await asyncio.sleep(0.1)
        assert not is_ours(tmp_path)
        await database.write(lambda c: c.execute("ALTER TABLE hidden RENAME TO fact"))
        await clock.advance(SECOND)
        async with asyncio.timeout(5):
            while not is_ours(tmp_path):  # noqa: ASYNC110 - another task
                await asyncio.sleep(0.01)
        assert (await written(database, clock)).written == clock.now()


async def test_whoever_looks_just_then_does_not_end_it(tmp_path: Path, database: Database) -> None:
    clock = HandClock()
    with (tmp_path / "alive").open("a") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        async with beating(database, clock, FIRST):
            await written(database, clock)
            await asyncio.sleep(0.01)
            fcntl.flock(looking, fcntl.LOCK_UN)
            await clock.advance(SECOND)
            await written(database, clock)
            await asyncio.sleep(0.05)
            assert is_ours(tmp_path)


@pytest.mark.parametrize(("seen", "seconds"), [(FIRST, 1), (PASSED, 10)])
async def test_it_is_written_each_second_until_the_first_pass_and_each_ten_from_then_on(
    database: Database, seen: Vitals, seconds: int
) -> None:
    clock = HandClock()
    async with beating(database, clock, seen):
        for _ in range(3):
            await written(database, clock)
            await asyncio.sleep(0.01)
            await clock.advance(seconds * SECOND - SECOND / 10)
            assert (found := await vitals.last(database))
            assert found.written < clock.now()
            await clock.advance(SECOND / 10)
        assert await written(database, clock) == replace(seen, written=at(seconds / 20))


@pytest.mark.parametrize("set_by", [timedelta(hours=1), timedelta(hours=-1)])
async def test_a_clock_that_is_set_or_a_machine_that_slept_is_noticed(database: Database, set_by: timedelta) -> None:
    clock = HandClock()
    async with beating(database, clock, PASSED):
        await written(database, clock)
        await asyncio.sleep(0.01)
        moment = clock.now() + set_by
        if set_by > timedelta(0):
            await clock.advance(set_by)
        else:
            clock.set(clock.now() + 10 * SECOND)
            clock.set(moment)
        assert (await written(database, clock)).stepped == moment


async def test_a_pass_is_remembered_while_a_new_connection_has_none_yet(database: Database) -> None:
    looks = [FIRST, replace(FIRST, passed=at(4)), FIRST, replace(FIRST, passed=at(3))]
    left = iter(looks)
    pulse, passed = Pulse(database, HandClock(), lambda: next(left)), []
    for _ in looks:
        await pulse.beat()
        found = await vitals.last(database)
        passed.append(found and found.passed)
    assert passed == [None, at(4), at(4), at(3)]


async def test_a_folder_that_takes_no_file_is_told_as_that(tmp_path: Path, database: Database) -> None:
    (tmp_path / "alive").mkdir()
    with pytest.raises(StorageError, match="alive cannot be opened: Is a directory"):
        await Pulse(database, HandClock(), lambda: FIRST).run()


async def filled(database: Database, size: int) -> None:
    """Writes facts of so many bytes until no more of them fit."""
    for number in range(2000):
        await database.write(lambda c, key=f"{size} {number}": facts.put(c, key, b"." * size))  # type: ignore[misc]


async def test_a_disk_that_is_full_does_not_end_the_service(database: Database) -> None:
    await database.write(lambda c: c.execute("PRAGMA max_page_count = 1"))  # no page more than there are
    for size in (2000, 50):
        with pytest.raises(StorageError, match="disk is full"):
            await filled(database, size)
    await Pulse(database, HandClock(), lambda: FIRST).beat()
    assert await vitals.last(database) is None


async def test_a_beat_costs_next_to_nothing(database: Database) -> None:
    """One in ten seconds, so 20 ms of a core would be 0.2 %."""
    pulse = Pulse(database, HandClock(), lambda: FIRST)
    before = os.times()
    for _ in range(20):
        await pulse.beat()
    after = os.times()
    assert (after.user + after.system - before.user - before.system) / 20 < 0.02
