"""What is older than `[storage] keep` is removed while the service runs, and never taken for new after that."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.config.load import load
from bot.config.settings import Settings
from bot.ingest import Ingest
from bot.query.lexicon import Lexicon
from bot.retention import Retention
from bot.rules import Rules
from bot.storage import channels, matches
from bot.storage.database import Database
from bot.storage.retention import NEWEST
from tests.clocks import HandClock
from tests.ingesting import (
    ALFA,
    BEGUN,
    BETA,
    alerted,
    begin,
    found,
    page,
    push,
    read,
    running,
    said,
    shows,
    stored_numbers,
)
from tests.made import at, rule, rules
from tests.watch.station import Station
from tests.watch.station import station as opened

CONFIG = """\
[watch]
channels = ["@alfa_demo"]
[digest]
chat = "me"
{digest}
[storage]
keep = "{keep}"
[topics.syria]
keywords = ["Сирия"]
"""
#: In minutes.
DAY = 24 * 60
#: All of it was read long ago.
READ = replace(BEGUN, floor=10, history_read=True)


def settings(folder: Path, keep: str, digest: str = "") -> Settings:
    path = folder / "config.toml"
    path.write_text(CONFIG.format(keep=keep, digest=digest), "utf-8")
    return load(path, {})


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.opened(tmp_path) as opened:
        yield opened


@pytest.fixture
def by(lexicon: Lexicon) -> Rules:
    return rules(rule("syria", "Сирия"), lexicon=lexicon)


@asynccontextmanager
async def grown(database: Database, clock: HandClock, by: Rules) -> AsyncIterator[Ingest]:
    """A process that has read a channel of ten days, twenty posts a day, of which every tenth is of the topic."""
    await begin(database, cursor=READ)
    async with running(database, clock, by) as ingest:
        for day in range(10):
            clock.set(at(day * DAY))
            numbers = range(11 + 20 * day, 31 + 20 * day)
            await read(ingest, [page(*(said(n, text(n), minutes=day * DAY) for n in numbers))])
        await database.write(lambda c: matches.mark_digested(c, range(1, 100), 1))
        await database.write(lambda c: c.execute("UPDATE outbox SET state = 'sent'"))
        yield ingest


def text(number: int) -> str:
    return f"Сирия, новость номер {number}" if number % 10 == 0 else f"Погода номер {number}"


def retention(ingest: Ingest, database: Database, clock: HandClock, now: Callable[[], Settings]) -> Retention:
    return Retention(ingest, database, clock, settings=now)


async def floors(ingest: Ingest, database: Database) -> tuple[int, int]:
    """Of the first channel, as the process has it and as it is stored."""
    return ingest.cursors[ALFA.id].floor, (await channels.cursors(database))[ALFA.id].floor


async def test_what_is_too_old_goes_with_all_that_was_found_in_it(
    database: Database, by: Rules, tmp_path: Path
) -> None:
    clock = HandClock()
    async with grown(database, clock, by) as ingest:
        clock.set(at(9.5 * DAY))
        gone = await retention(ingest, database, clock, lambda: settings(tmp_path, "4d")).look()
        assert gone["messages"] == 100  # those of six days but for the newest hundred, which stay
        assert await stored_numbers(database) == [*range(111, 211)]
        assert await found(database) == [f"alfa/{n} syria new" for n in range(120, 211, 10)]
        assert await floors(ingest, database) == (110, 110)
        assert await retention(ingest, database, clock, lambda: settings(tmp_path, "4d")).look() == {}


async def test_stories_and_messages_go_after_the_posts(database: Database, by: Rules, tmp_path: Path) -> None:
    clock = HandClock()
    async with grown(database, clock, by) as ingest:
        clock.set(at(9.5 * DAY))
        looking = retention(ingest, database, clock, lambda: settings(tmp_path, "1d"))
        await looking.look()
        # Twice the fold window is four days: those of six days go, of which the posts are gone.
        assert len(await database.rows("SELECT 1 FROM member")) == 10
        assert len(await database.rows("SELECT 1 FROM told")) == 10
        assert len(await alerted(database)) == 8


async def test_what_was_removed_is_never_taken_for_new(database: Database, by: Rules, tmp_path: Path) -> None:
    """An edit, a deletion and a page that shows it again, in this process and in the next."""
    clock = HandClock()
    async with grown(database, clock, by) as ingest:
        clock.set(at(9.5 * DAY))
        await retention(ingest, database, clock, lambda: settings(tmp_path, "4d")).look()
        before, told = await found(database), await alerted(database)
        await show_again(ingest)
        assert await stored_numbers(database) == [*range(111, 211)]
    async with running(database, clock, by) as ingest:
        await show_again(ingest)
        assert await stored_numbers(database) == [*range(111, 211)]
        assert (await found(database), await alerted(database)) == (before, told)
        assert await floors(ingest, database) == (110, 110)


async def show_again(ingest: Ingest) -> None:
    """What is below the floor as it was, edited to be of the topic, and gone."""
    await push(ingest, shows(said(21, "Сирия: правка", minutes=DAY, edited=9 * DAY)))
    await read(ingest, [page(*(said(n, text(n), minutes=DAY) for n in range(90, 111)), verified=210)])
    await push(ingest, replace(shows(said(22)), sightings=(), gone=(22, 23)))


async def test_what_no_digest_has_told_stays_until_one_does(database: Database, by: Rules, tmp_path: Path) -> None:
    clock = HandClock()
    async with grown(database, clock, by) as ingest:
        await database.write(lambda c: c.execute("UPDATE match SET digest = NULL WHERE number = 60"))
        clock.set(at(9.5 * DAY))
        await retention(ingest, database, clock, lambda: settings(tmp_path, "4d")).look()
        assert (await stored_numbers(database))[0] == 60
        none_ever = settings(tmp_path, "4d", digest="at = []")
        await retention(ingest, database, clock, lambda: none_ever).look()
        assert (await stored_numbers(database))[0] == 111


async def test_a_reload_counts_from_the_next_time_on(database: Database, by: Rules, tmp_path: Path) -> None:
    clock = HandClock()
    async with grown(database, clock, by) as ingest:
        clock.set(at(9.5 * DAY))
        now = settings(tmp_path, "forever")
        looking = retention(ingest, database, clock, lambda: now)
        assert await looking.look() == {}
        now = settings(tmp_path, "8d")
        assert (await looking.look())["messages"] == 40


async def test_a_clock_that_is_wrong_by_years_removes_nothing(database: Database, by: Rules, tmp_path: Path) -> None:
    clock = HandClock()
    async with grown(database, clock, by) as ingest:
        clock.set(at(4_000 * DAY))
        assert await retention(ingest, database, clock, lambda: settings(tmp_path, "180d")).look() == {}
        assert len(await stored_numbers(database)) == 200


async def test_a_channel_that_is_not_watched_any_more_is_cleared_too(
    database: Database, by: Rules, tmp_path: Path
) -> None:
    clock = HandClock()
    async with grown(database, clock, by):
        pass
    ingest = Ingest(database, clock, by, b"secret")
    clock.set(at(9.5 * DAY))
    gone = await retention(ingest, database, clock, lambda: settings(tmp_path, "4d")).look()
    assert gone["messages"] == 100
    assert (await channels.cursors(database))[ALFA.id].floor == 110


async def test_it_looks_every_hour_when_nothing_is_being_read(database: Database, by: Rules, tmp_path: Path) -> None:
    clock = HandClock()
    async with grown(database, clock, by) as ingest:
        clock.set(at(9.5 * DAY))
        loop = asyncio.create_task(retention(ingest, database, clock, lambda: settings(tmp_path, "4d")).run())
        await clock.advance(timedelta(minutes=59))
        assert len(await stored_numbers(database)) == 200
        ingest.heard(BETA.id, 99)
        await clock.advance(timedelta(minutes=1))
        await clock.advance(timedelta(minutes=1))
        assert len(await stored_numbers(database)) == 200
        ingest.cursors[BETA.id] = READ
        await clock.advance(timedelta(minutes=1))
        async with asyncio.timeout(9):
            while len(await stored_numbers(database)) > NEWEST:  # noqa: ASYNC110 - nothing says that it has ended
                await asyncio.sleep(0.01)
        loop.cancel()


async def test_a_batch_that_had_begun_before_puts_the_floor_back_and_nothing_goes(
    database: Database, by: Rules, tmp_path: Path
) -> None:
    clock, go = HandClock(), threading.Event()
    async with grown(database, clock, by) as ingest:
        clock.set(at(9.5 * DAY))
        looking = retention(ingest, database, clock, lambda: settings(tmp_path, "4d"))
        bounds = await looking._bounds()
        assert bounds is not None
        # Its turn to write comes after that of the look, and it knows the floor as it was before.
        writes = [asyncio.create_task(database.write(lambda _: go.wait()))]
        removing = asyncio.create_task(looking._forget(ALFA.id, bounds))
        await asyncio.sleep(0.01)
        ingest.take(shows(said(211, text(211), minutes=9.5 * DAY)))
        await asyncio.sleep(0.1)
        go.set()
        await asyncio.gather(*writes)
        assert await removing == (0, 0)
        assert await floors(ingest, database) == (10, 10)
        assert await looking._forget(ALFA.id, bounds) == (100, 10)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_comes_meanwhile_the_floor_is_above_all_that_is_gone(
    database: Database, by: Rules, tmp_path: Path, seed: int
) -> None:
    chance, clock, keep = random.Random(seed), HandClock(), settings(tmp_path, "1d", digest="at = []")  # noqa: S311 - seeded
    async with grown(database, clock, by) as ingest:
        clock.set(at(9.5 * DAY))
        looking = retention(ingest, database, clock, lambda: keep)

        async def come() -> None:
            for number in range(211, 411):
                edited = said(chance.randrange(11, 211), "Погода: правка", minutes=DAY, edited=9.4 * DAY)
                await ingest.store(page(said(number, text(number), minutes=9.5 * DAY)))
                ingest.take(shows(edited))

        coming = asyncio.create_task(come())
        while not coming.done():
            await looking.look()
            await asyncio.sleep(0)
        await coming
        while (await looking.look())["messages"]:
            pass
        here, stored = await floors(ingest, database)
        assert here == stored
        assert await stored_numbers(database) == [*range(here + 1, 411)]
        assert here == 179  # 180 was told less than 47 hours ago


async def test_once_less_is_kept_the_file_shrinks(database: Database, by: Rules, tmp_path: Path) -> None:
    clock = HandClock()
    async with grown(database, clock, by) as ingest:
        await database.write(lambda c: c.execute("UPDATE message SET body = body || printf('%4000s', '')"))
        [[before]] = await database.rows("PRAGMA page_count")
        clock.set(at(9.5 * DAY))
        await retention(ingest, database, clock, lambda: settings(tmp_path, "4d")).look()
        [[after]] = await database.rows("PRAGMA page_count")
        assert after < 0.7 * before


async def test_room_that_is_free_is_given_back_also_where_all_is_kept(
    database: Database, by: Rules, tmp_path: Path
) -> None:
    """As after a step of the database that has made a table anew."""
    clock = HandClock()
    async with grown(database, clock, by) as ingest:
        await database.write(lambda c: c.execute("CREATE TABLE before (text TEXT)"))
        await database.write(lambda c: c.executemany("INSERT INTO before VALUES (?)", [("x" * 4_000,)] * 500))
        await database.write(lambda c: c.execute("DROP TABLE before"))
        await retention(ingest, database, clock, lambda: settings(tmp_path, "forever")).look()
        [[free]], [[pages]] = await database.rows("PRAGMA freelist_count"), await database.rows("PRAGMA page_count")
        assert free <= pages / 10


# --- with a watch -----------------------------------------------------------------------------------------


@pytest.fixture
async def station(tmp_path: Path, lexicon: Lexicon) -> AsyncIterator[Station]:
    async with opened(tmp_path, lexicon) as made:
        yield made


async def test_a_deep_check_and_a_late_edit_bring_nothing_back(station: Station, by: Rules, tmp_path: Path) -> None:
    """With so many of the newest gone, a page of the newest reaches below what is stored."""
    station.history = timedelta(days=400)
    alfa, now = station.channel(), station.clock.now()
    for number in range(180):
        alfa.post(f"Сирия, давно: {number}", date=now - timedelta(days=300))
    kept = [alfa.post(f"Сирия, недавно: {number}", date=now - timedelta(days=1)) for number in range(NEWEST)]
    await station.start()
    await station.until(lambda: station.cursor(alfa).history_read)
    assert station.ingest is not None
    keep = settings(tmp_path, "180d")
    gone = await Retention(station.ingest, station.database, station.clock, settings=lambda: keep).look()
    assert gone["messages"] == 181  # with the one that says that the channel was made
    assert len(await station.stored(alfa)) == len(kept)

    station.ingest.obey(by)
    alfa.edit(50, "Сирия: правка того, чего нет")
    alfa.delete(*range(alfa.newest - 60, alfa.newest), push=False)
    alfa.post("Сирия, только что")
    await station.until_known(alfa)
    await station.stop()
    await station.start()
    station.ingest.obey(by)
    await station.until(lambda: (one := station.watch._roster[alfa.marked]).checked if station.watch else False)  # noqa: F841
    await station.all_stored(alfa, above=181)
    assert [one.number for one in await matches.after(station.database, 0, 999)] == [alfa.newest]
