"""A backup is whole or is not there; what was restored from one goes on where it was made."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bot.digests import bundling
from bot.errors import StorageError
from bot.query.lexicon import Lexicon
from bot.rules import Rules
from bot.storage import bundles, facts
from bot.storage.backups import copy
from bot.storage.database import NAME, Connection, Database
from bot.storage.migrations import STEPS
from tests.clocks import HandClock
from tests.ingesting import BEGUN, alerted, begin, found, held, page, read, running, said, stored_numbers
from tests.made import at, rule, rules
from tests.storage.stored import DATABASES, load


def listen(_done: int, _total: int) -> None:
    """Nobody looks how far it is."""


async def put(database: Database, at: int) -> None:
    def work(c: Connection) -> None:
        for half in ("left", "right"):
            facts.put(c, f"{half} {at}", "x" * 9_000)

    await database.write(work)


def facts_in(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as c:
        return [key for (key,) in c.execute("SELECT key FROM fact ORDER BY key")]


async def made(folder: Path, facts: int = 300) -> None:
    async with Database.opened(folder) as database:
        for number in range(facts):
            await put(database, number)


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {NAME, f"{NAME}-wal", f"{NAME}-shm"}


# --- made -------------------------------------------------------------------------------------------------


async def test_a_backup_is_one_moment_of_a_database_that_is_written_to(tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    async with Database.opened(tmp_path) as database:
        for number in range(300):
            await put(database, number)
        copying = asyncio.create_task(asyncio.to_thread(copy, tmp_path, target, listen))
        number = 300
        while not copying.done():
            await put(database, number)
            number += 1
        size = await copying
    assert target.stat().st_size == size
    keys = facts_in(target)
    assert len(keys) >= 600
    assert {key.split()[1] for key in keys if key.startswith("left")} == {
        key.split()[1] for key in keys if key.startswith("right")
    }


async def test_a_backup_is_its_users_alone_and_one_file(tmp_path: Path) -> None:
    await made(tmp_path, 3)
    copy(tmp_path, tmp_path / "copy.db", listen)
    assert left(tmp_path) == {"copy.db"}
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600


async def test_a_backup_can_be_opened_as_the_database_that_it_is(tmp_path: Path) -> None:
    """Numbers that are never to be given again are not, in the copy either."""
    await made(tmp_path, 3)
    (tmp_path / "other").mkdir()
    async with Database.opened(tmp_path) as database:
        await database.write(lambda c: c.execute("INSERT INTO digest VALUES (7, 'me', 1, 2, 3, 0)"))
        await database.write(lambda c: c.execute("DELETE FROM digest"))
    copy(tmp_path, tmp_path / "other" / NAME, listen)
    async with Database.opened(tmp_path / "other") as database:
        assert await facts.get(database, "left 2") is not None
        assert await database.rows("PRAGMA user_version") == [(len(STEPS),)]
        await database.write(lambda c: c.execute("INSERT INTO digest VALUES (NULL, 'me', 1, 2, 3, 0)"))
        assert await database.rows("SELECT id FROM digest") == [(8,)]


async def test_a_backup_leaves_out_the_room_that_is_free(tmp_path: Path) -> None:
    async with Database.opened(tmp_path) as database:
        for number in range(300):
            await put(database, number)
        await database.write(lambda c: c.execute("DELETE FROM fact"))
    whole = (tmp_path / NAME).stat().st_size
    assert copy(tmp_path, tmp_path / "copy.db", listen) < whole / 10


async def test_a_database_restored_from_a_backup_gives_back_free_room(tmp_path: Path) -> None:
    """Whatever the one was that was copied."""
    load(DATABASES / "3.sql", tmp_path)
    copy(tmp_path, tmp_path / "copy.db", listen)
    with closing(sqlite3.connect(tmp_path / "copy.db")) as c:
        assert c.execute("PRAGMA auto_vacuum").fetchone() == (2,)


@pytest.mark.parametrize("version", range(1, len(STEPS) + 1))
def test_a_database_that_no_service_has_brought_forward_yet_is_copied_as_it_is(version: int, tmp_path: Path) -> None:
    """Before an upgrade is when a backup is made."""
    load(DATABASES / f"{version}.sql", tmp_path)
    copy(tmp_path, tmp_path / "copy.db", listen)
    with closing(sqlite3.connect(tmp_path / "copy.db")) as c:
        assert c.execute("PRAGMA user_version").fetchone() == (version,)


async def test_it_is_told_how_far_it_is(tmp_path: Path) -> None:
    await made(tmp_path, 600)
    told: list[tuple[int, int]] = []
    size = copy(tmp_path, tmp_path / "copy.db", lambda done, total: told.append((done, total)))
    assert told
    assert all(0 <= done <= total for done, total in told)
    assert 0.8 < told[0][1] / size < 1.2


# --- not made ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("link", [False, True])
async def test_nothing_that_is_there_is_overwritten(tmp_path: Path, *, link: bool) -> None:
    await made(tmp_path, 3)
    target = tmp_path / "copy.db"
    if link:
        target.symlink_to("nowhere")
    else:
        target.write_text("mine")
    with pytest.raises(StorageError, match="is there already; name a file that is not, or move it away"):
        copy(tmp_path, target, listen)
    assert target.is_symlink() if link else target.read_text() == "mine"


def test_where_there_is_no_database_it_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"there is no database in .* yet; vedette run makes it"):
        copy(tmp_path, tmp_path / "copy.db", listen)
    assert left(tmp_path) == set()


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    await made(tmp_path, 3)
    with pytest.raises(StorageError, match=r"nowhere/copy.db cannot be written: No such file or directory"):
        copy(tmp_path, tmp_path / "nowhere" / "copy.db", listen)


async def test_another_programs_database_is_not_taken_for_ours(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / NAME)) as c:
        c.execute("CREATE TABLE theirs (x)")
    with pytest.raises(StorageError, match="is no database of this vedette"):
        copy(tmp_path, tmp_path / "copy.db", listen)
    assert left(tmp_path) == set()


async def test_what_is_damaged_makes_no_backup(tmp_path: Path) -> None:
    await made(tmp_path)
    raw = bytearray((tmp_path / NAME).read_bytes())
    raw[200_000:900_000] = b"\xff" * 700_000
    (tmp_path / NAME).write_bytes(raw)
    with pytest.raises(StorageError, match=r"is damaged .*; restore the last good backup"):
        copy(tmp_path, tmp_path / "copy.db", listen)
    assert left(tmp_path) == set()


@contextmanager
def full(size: int) -> Iterator[None]:
    """No file grows beyond this, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_disk_that_fills_up_leaves_no_half_file(tmp_path: Path) -> None:
    await made(tmp_path)
    with (
        full(1_000_000),
        pytest.raises(StorageError, match=r"the disk of .* is full or failing; nothing is left there"),
    ):
        copy(tmp_path, tmp_path / "copy.db", listen)
    assert left(tmp_path) == set()


@pytest.mark.parametrize("at_the_end", [False, True])
async def test_one_that_is_broken_off_leaves_nothing(tmp_path: Path, *, at_the_end: bool) -> None:
    """While it is written, and while it is read once more."""
    await made(tmp_path, 600)

    def interrupt(done: int, total: int) -> None:
        if (done == total) is at_the_end:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(tmp_path, tmp_path / "copy.db", interrupt)
    assert left(tmp_path) == set()


# --- restored ---------------------------------------------------------------------------------------------


def restore(backup: Path, folder: Path) -> None:
    """As docs/data.md says, with the service stopped."""
    for name in (f"{NAME}-wal", f"{NAME}-shm"):
        (folder / name).unlink(missing_ok=True)
    (folder / NAME).write_bytes(backup.read_bytes())


@pytest.fixture
def by(lexicon: Lexicon) -> Rules:
    return rules(rule("syria", "Сирия"), lexicon=lexicon)


async def sent(database: Database) -> dict[str, int]:
    """The random ids of all messages that were ever to be sent, by their keys."""
    return dict(await database.rows("SELECT key, random_id FROM outbox"))


async def test_after_a_restore_nothing_is_lost_and_what_waited_is_the_same_message(tmp_path: Path, by: Rules) -> None:
    """What waited when the backup was made goes out under the id that Telegram knows, and so stands there once."""
    clock, backup = HandClock(), tmp_path / "copy.db"
    async with Database.opened(tmp_path) as database:
        await begin(database, cursor=BEGUN)
        async with running(database, clock, by) as ingest:
            await read(ingest, [page(said(11, "Сирия: до копии"))])
            copy(tmp_path, backup, listen)
            clock.set(at(4 * 60))
            await read(ingest, [page(said(12, "Сирия: после копии", minutes=5), verified=12)])
            await read(ingest, [page(said(13, "Сирия: ещё позже", minutes=239), verified=13)])
        before, whole = await sent(database), await found(database)
    restore(backup, tmp_path)
    async with Database.opened(tmp_path) as database:
        assert await stored_numbers(database) == [11]
        # Of what was in the outbox, the very same is there.
        kept = await sent(database)
        assert kept == {key: before[key] for key in kept}
        assert len(kept) == 1
        clock.set(at(4 * 60 + 10))
        async with running(database, clock, by) as ingest:
            posts = (said(12, "Сирия: после копии", minutes=5), said(13, "Сирия: ещё позже", minutes=239))
            await read(ingest, [page(*posts, verified=13)])
        assert await stored_numbers(database) == [11, 12, 13]
        assert [one.rpartition(" ")[0] for one in await found(database)] == [one.rpartition(" ")[0] for one in whole]
        # What is less than half an hour old is told again at once, as another message; what is older, together.
        assert await alerted(database) == ["me alert alfa/11", "me alert alfa/13"]
        assert await held(database) == ["me late alfa/12"]
        fresh = {key: number for key, number in (await sent(database)).items() if key not in kept}
        assert not set(fresh.values()) & set(before.values())


async def test_a_number_that_is_given_anew_is_another_message(tmp_path: Path, by: Rules) -> None:
    """Bundles count on from where the backup was made, and Telegram would take the same id for a repeat."""
    clock, backup = HandClock(), tmp_path / "copy.db"
    sent_before = dict[str, int]()
    for minutes in (90, 100):
        async with Database.opened(tmp_path) as database:
            if not backup.exists():
                await begin(database, cursor=BEGUN)
                clock.set(at(60))
                async with running(database, clock, by) as ingest:
                    await read(ingest, [page(said(11, "Сирия: поздно"))])
                copy(tmp_path, backup, listen)
            [waiting] = await bundles.open_bundles(database)
            assert await bundling.close(database, waiting, by, at(minutes), b"s" * 32) == 1
            messages = await sent(database)
        assert messages.keys() == {"bundle 1 1"}
        assert messages != sent_before
        sent_before = messages
        restore(backup, tmp_path)
