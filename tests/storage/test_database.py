"""The database as it opens, refuses, writes and breaks off."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from bot.errors import StorageError
from bot.storage.database import NAME, Connection, Database
from bot.storage.migrations import APPLICATION, STEPS

ROOT = Path(__file__).parent.parent.parent
NOBODY = 65534


async def note(database: Database, key: str, value: object = 1) -> None:
    def work(c: Connection) -> None:
        c.execute("INSERT INTO fact VALUES (?, ?)", (key, value))

    await database.write(work)


async def noted(database: Database) -> list[str]:
    return [key for (key,) in await database.rows("SELECT key FROM fact ORDER BY key")]


async def refused(folder: Path, *, writable: bool = True) -> str:
    """Why the database of this folder is not opened."""
    with pytest.raises(StorageError) as caught:
        async with Database.opened(folder, writable=writable):
            pass
    text = str(caught.value)
    assert "\n" not in text
    return text


def modes(folder: Path) -> dict[str, int]:
    """Of the files there are."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def allow(path: Path, mode: int) -> None:
    path.chmod(mode)


def alone(folder: Path) -> bytes:
    """What stands in the database's file, which is the only one there."""
    assert [path.name for path in folder.iterdir()] == [NAME]
    return (folder / NAME).read_bytes()


# --- opening ----------------------------------------------------------------------------------------------


async def test_a_new_database_is_nobody_elses_to_read(tmp_path: Path) -> None:
    async with Database.opened(tmp_path) as database:
        await note(database, "a")
        open_modes = modes(tmp_path)
    assert open_modes == {NAME: 0o600, f"{NAME}-wal": 0o600, f"{NAME}-shm": 0o600}


async def test_what_was_written_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    async with Database.opened(tmp_path) as database:
        await note(database, "a")
    async with Database.opened(tmp_path) as database:
        assert await noted(database) == ["a"]
        assert await database.rows("PRAGMA application_id") == [(APPLICATION,)]


async def test_it_is_written_so_that_a_power_cut_costs_nothing(database: Database) -> None:
    def pragmas(c: Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return [next(iter(c.execute(f"PRAGMA {name}")))[0] for name in names]

    assert await database.write(pragmas) == ["wal", 2, 1, 5000]


async def test_its_log_gives_back_what_it_needed_while_somebody_read(database: Database) -> None:
    [limit] = await database.write(lambda c: c.execute("PRAGMA journal_size_limit").fetchone())
    assert limit == 64 * 1024 * 1024


async def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    """A start that broke off leaves one."""
    (tmp_path / NAME).touch()
    async with Database.opened(tmp_path) as database:
        await note(database, "a")


async def test_a_reader_sees_what_a_running_service_has_committed(tmp_path: Path) -> None:
    async with Database.opened(tmp_path) as service, Database.opened(tmp_path, writable=False) as reader:
        await note(service, "a")
        assert await noted(reader) == ["a"]
        with pytest.raises(RuntimeError):
            await note(reader, "b")


async def test_a_reader_opens_what_a_stopped_service_has_left(tmp_path: Path) -> None:
    async with Database.opened(tmp_path) as service:
        await note(service, "a")
    async with Database.opened(tmp_path, writable=False) as reader:
        assert await noted(reader) == ["a"]


@pytest.mark.parametrize("name", ["Данные наши", "a?b#c%20d", "-"])
async def test_a_folder_may_have_any_name(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    async with Database.opened(folder) as database:
        await note(database, "a")
    assert (folder / NAME).exists()


# --- refusing, and never harming --------------------------------------------------------------------------


async def test_there_is_nothing_to_read_before_the_service_has_run(tmp_path: Path) -> None:
    assert "there is no database" in await refused(tmp_path, writable=False)
    assert modes(tmp_path) == {}
    (tmp_path / NAME).touch()
    assert "there is no database" in await refused(tmp_path, writable=False)


async def test_a_folder_has_to_be_there(tmp_path: Path) -> None:
    assert f"{tmp_path / 'none'} is no directory" in await refused(tmp_path / "none")
    (tmp_path / "file").touch()
    assert "is no directory" in await refused(tmp_path / "file")


@pytest.mark.parametrize("writable", [True, False])
@pytest.mark.parametrize(
    "content",
    [b"not a database", b"x" * 5000, b"SQLite format 3\x00" + b"\xff" * 5000],
    ids=["short", "long", "header"],
)
async def test_a_file_that_is_no_database_is_left_as_it_is(content: bytes, writable: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a case
    (tmp_path / NAME).write_bytes(content)
    assert "is damaged (file is not a database); restore a backup" in await refused(tmp_path, writable=writable)
    assert alone(tmp_path) == content


@pytest.mark.parametrize("writable", [True, False])
async def test_a_database_of_another_program_is_left_as_it_is(writable: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a case
    with closing(sqlite3.connect(tmp_path / NAME)) as other:
        other.executescript("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)")
    before = alone(tmp_path)
    assert "is a database of another program" in await refused(tmp_path, writable=writable)
    assert alone(tmp_path) == before


@pytest.mark.parametrize("writable", [True, False])
async def test_a_database_of_a_newer_version_is_left_as_it_is(writable: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a case
    with closing(sqlite3.connect(tmp_path / NAME)) as newer:
        newer.executescript(f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = 999; CREATE TABLE later (a)")
    before = alone(tmp_path)
    told = await refused(tmp_path, writable=writable)
    assert "has version 999 and was written by a newer vedette" in told
    assert f"up to {len(STEPS)}" in told
    assert alone(tmp_path) == before


def spoil(path: Path) -> None:
    """Overwrites the middle of a database."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xa5" * 20_000)


async def spoilt(folder: Path) -> bytes:
    rows = [(f"{number}", "x" * 100) for number in range(3000)]
    async with Database.opened(folder) as database:
        await database.write(lambda c: c.executemany("INSERT INTO fact VALUES (?, ?)", rows))
    spoil(folder / NAME)
    return alone(folder)


async def test_a_damaged_database_is_not_opened_for_writing(tmp_path: Path) -> None:
    before = await spoilt(tmp_path)
    told = await refused(tmp_path)
    assert "is damaged (" in told
    assert "***" not in told  # the heading that SQLite puts above what it found
    assert alone(tmp_path) == before


async def test_damage_that_is_met_later_is_told_as_well(tmp_path: Path) -> None:
    await spoilt(tmp_path)
    async with Database.opened(tmp_path, writable=False) as database:
        with pytest.raises(StorageError, match=r"is damaged .* restore a backup"):
            await database.rows("SELECT value FROM fact")


async def test_a_step_that_breaks_off_leaves_the_version_before(tmp_path: Path) -> None:
    """A table stands in the way of the last statements of the first step."""
    with closing(sqlite3.connect(tmp_path / NAME)) as database:
        database.executescript(f"PRAGMA application_id = {APPLICATION}; CREATE TABLE quota (a)")
    assert "table quota already exists" in await refused(tmp_path)
    with closing(sqlite3.connect(tmp_path / NAME)) as database:
        assert database.execute("SELECT name FROM sqlite_schema").fetchall() == [("quota",)]
        assert database.execute("PRAGMA user_version").fetchone() == (0,)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that any user may enter, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@contextmanager
def without_roots_rights() -> Iterator[None]:
    """No mode of a file stops root."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


async def test_a_folder_that_cannot_be_written_to_is_named(open_folder: Path) -> None:
    allow(open_folder, 0o555)
    with without_roots_rights():
        assert f"{open_folder} cannot be written to by user {os.geteuid()}" in await refused(open_folder)
    assert modes(open_folder) == {}


async def test_a_database_in_a_folder_that_became_read_only_is_left_as_it_is(open_folder: Path) -> None:
    async with Database.opened(open_folder) as database:
        await note(database, "a")
    (open_folder / NAME).chmod(0o666)
    before = alone(open_folder)
    allow(open_folder, 0o555)
    with without_roots_rights():
        assert f"{open_folder} cannot be written to" in await refused(open_folder)
    assert alone(open_folder) == before


@pytest.mark.parametrize("writable", [True, False])
async def test_a_database_that_belongs_to_somebody_else_is_named(writable: bool, open_folder: Path) -> None:  # noqa: FBT001 - a case
    async with Database.opened(open_folder) as database:
        await note(database, "a")
    (open_folder / NAME).chmod(0)
    allow(open_folder, 0o777)
    with without_roots_rights():
        told = await refused(open_folder, writable=writable)
    assert f"{open_folder / NAME} cannot be" in told
    assert "belongs to user" in told


async def test_a_database_cannot_be_a_folder_or_a_link_to_nowhere(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    assert "is no file" in await refused(tmp_path)
    (tmp_path / NAME).rmdir()
    (tmp_path / NAME).symlink_to(tmp_path / "none")
    assert "leads nowhere" in await refused(tmp_path)


# --- writing ----------------------------------------------------------------------------------------------


async def test_a_write_hands_back_what_its_work_returns(database: Database) -> None:
    def work(c: Connection) -> int:
        c.execute("INSERT INTO fact VALUES ('a', 1)")
        return 7

    assert await database.write(work) == 7


async def test_of_a_failed_write_nothing_is_there(database: Database) -> None:
    def work(c: Connection) -> None:
        c.execute("INSERT INTO fact VALUES ('a', 1)")
        raise ValueError("what went wrong")

    with pytest.raises(ValueError, match="what went wrong"):
        await database.write(work)
    await note(database, "b")
    assert await noted(database) == ["b"]


async def test_a_broken_constraint_is_a_defect_and_no_storage_error(database: Database) -> None:
    await note(database, "a")
    with pytest.raises(sqlite3.IntegrityError):
        await note(database, "a")
    await note(database, "b")
    assert await noted(database) == ["a", "b"]


async def test_writes_at_the_same_time_do_not_share_a_transaction(database: Database) -> None:
    def failing(c: Connection) -> None:
        c.execute("INSERT INTO fact VALUES ('failed', 1)")
        time.sleep(0.01)
        raise ValueError

    results = await asyncio.gather(
        *(note(database, f"{number}") for number in range(5)),
        database.write(failing),
        *(note(database, f"{number}") for number in range(5, 9)),
        return_exceptions=True,
    )
    assert [type(result) for result in results if result] == [ValueError]
    assert await noted(database) == [f"{number}" for number in range(9)]


async def test_a_full_disk_is_told_and_nothing_of_the_write_is_there(database: Database) -> None:
    def limit(c: Connection) -> None:
        [(pages,)] = c.execute("PRAGMA page_count")
        c.execute(f"PRAGMA max_page_count = {pages + 2}")

    await note(database, "a")
    await database.write(limit)
    with pytest.raises(StorageError, match="the disk is full"):
        await note(database, "b", "x" * 100_000)
    await note(database, "c")
    assert await noted(database) == ["a", "c"]


def hurry(c: Connection) -> None:
    c.execute("PRAGMA busy_timeout = 1")


async def test_a_lock_of_another_process_is_told_when_it_is_not_over_soon(tmp_path: Path) -> None:
    async with Database.opened(tmp_path, locked_for=timedelta(0)) as database:
        await database.write(hurry)
        with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageError, match="locked by another process"):
                await note(database, "a")
            other.execute("ROLLBACK")
        await note(database, "b")
        assert await noted(database) == ["b"]


async def test_a_lock_of_another_process_is_waited_for_longer_than_sqlite_does(database: Database) -> None:
    await database.write(hurry)
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waits, given_up = (asyncio.create_task(note(database, key)) for key in ("a", "b"))
        await asyncio.sleep(0.1)
        assert not waits.done()
        given_up.cancel()
        other.execute("ROLLBACK")
    async with asyncio.timeout(5):
        await asyncio.wait([waits, given_up])
    assert await noted(database) == ["a"]


async def test_a_defect_that_no_future_takes_holds_nobody_up(database: Database) -> None:
    def ends_early(c: Connection) -> None:
        c.execute("INSERT INTO fact VALUES ('a', 1)")
        raise StopIteration

    async with asyncio.timeout(5):
        with pytest.raises(RuntimeError, match="StopIteration"):
            await database.write(ends_early)
        await note(database, "b")
    assert await noted(database) == ["b"]


# --- breaking off -----------------------------------------------------------------------------------------


class Halves:
    """A write that stops half-way until it is let go on."""

    def __init__(self, *, fails: bool = False) -> None:
        self.begun = asyncio.Event()
        self.go_on = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._fails = fails

    def __call__(self, c: Connection) -> None:
        c.execute("INSERT INTO fact VALUES ('first', 1)")
        self._loop.call_soon_threadsafe(self.begun.set)
        assert self.go_on.wait(5)
        if self._fails:
            raise ValueError
        c.execute("INSERT INTO fact VALUES ('second', 1)")


@pytest.mark.parametrize(("fails", "left"), [(False, ["first", "second"]), (True, [])])
async def test_a_write_whose_caller_is_cancelled_is_whole(fails: bool, left: list[str], database: Database) -> None:  # noqa: FBT001 - a case
    halves = Halves(fails=fails)
    caller = asyncio.create_task(database.write(halves))
    await halves.begun.wait()
    for _ in range(3):
        caller.cancel()
        await asyncio.sleep(0)
        assert not caller.done()
    halves.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await note(database, "zeta")
    assert await noted(database) == [*left, "zeta"]


async def test_a_caller_that_is_cancelled_before_its_turn_has_written_nothing(database: Database) -> None:
    halves = Halves()
    first = asyncio.create_task(database.write(halves))
    await halves.begun.wait()
    waiting = asyncio.create_task(note(database, "waiting"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    halves.go_on.set()
    await first
    assert await noted(database) == ["first", "second"]


async def test_a_write_that_times_out_is_whole_and_the_next_one_goes_on(database: Database) -> None:
    halves = Halves()
    asyncio.get_running_loop().call_later(0.03, halves.go_on.set)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await database.write(halves)
    await note(database, "third")
    assert await noted(database) == ["first", "second", "third"]


async def test_closing_waits_for_a_write_under_way(tmp_path: Path) -> None:
    halves = Halves()
    async with Database.opened(tmp_path) as database:
        writing = asyncio.create_task(database.write(halves))
        await halves.begun.wait()
        asyncio.get_running_loop().call_later(0.03, halves.go_on.set)
    await writing
    async with Database.opened(tmp_path) as database:
        assert await noted(database) == ["first", "second"]


async def test_no_thread_is_left_wherever_an_opening_is_cancelled(tmp_path: Path) -> None:
    """One that is left would keep the program from ending."""
    before = set(threading.enumerate())
    finished = False
    steps = 0
    while not finished:
        opening = asyncio.create_task(refuse_nothing(tmp_path))
        for _ in range(steps):
            await asyncio.sleep(0.0002)
        finished = opening.done()
        opening.cancel()
        with suppress(asyncio.CancelledError):
            await opening
        steps += 1
    for thread in set(threading.enumerate()) - before:
        thread.join(1)
    assert set(threading.enumerate()) <= before
    async with Database.opened(tmp_path) as database:
        await note(database, "a")


async def refuse_nothing(folder: Path) -> None:
    async with Database.opened(folder):
        pass


PROGRAM = """
import asyncio, sys
from pathlib import Path
from bot.storage.database import Connection, Database

async def main():
    async with Database.opened(Path(sys.argv[1])) as database:
        {}

asyncio.run(main())
"""
FAILING = PROGRAM.format("sys.exit(7)")


def test_a_program_that_fails_with_an_open_database_ends(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", FAILING, str(tmp_path)], cwd=ROOT, timeout=20, check=False)
    assert ended.returncode == 7


WRITER = PROGRAM.format("""
        [(first,)] = await database.rows("SELECT coalesce(max(at), 0) + 1 FROM call")
        for number in range(first, first + 10_000):
            def work(c):
                c.executemany("INSERT INTO call (method, at) VALUES (?, ?)", [("one", number), ("two", number)])
                c.execute("INSERT INTO call (method, at) VALUES ('three', ?)", (number,))
            await database.write(work)
            print(number, flush=True)
""")


def test_what_was_acknowledged_outlives_twenty_kills(tmp_path: Path) -> None:
    """Killed anywhere in its writes, it has all that it said it had, and no half of a write."""
    chance = Random(4)  # noqa: S311 - seeded, not secret
    acknowledged = 0
    for _ in range(20):
        acknowledged = killed(tmp_path, lines=chance.randint(1, 12), pause=chance.random() * 0.002) or acknowledged
        written = asyncio.run(calls(tmp_path))
        assert written == [(number, 3) for number in range(1, len(written) + 1)]
        assert len(written) >= acknowledged
    assert acknowledged > 20


def killed(folder: Path, *, lines: int, pause: float) -> int | None:
    """The last write that a writer said was done before it was killed."""
    command = [sys.executable, "-c", WRITER, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline() for _ in range(lines)]
        time.sleep(pause)
        writer.kill()
        said += writer.stdout.readlines()
    whole = [int(line) for line in said if line.endswith("\n")]
    return whole[-1] if whole else None


async def calls(folder: Path) -> list[tuple[int, int]]:
    async with Database.opened(folder) as database:
        return [(at, many) for at, many in await database.rows("SELECT at, count(*) FROM call GROUP BY at ORDER BY at")]
