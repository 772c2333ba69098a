"""A database that any version wrote is brought to the newest, whole."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bot.cursor import began_at
from bot.model import Reason
from bot.ports import Voice
from bot.standing import Standing
from bot.storage import (
    addresses,
    attempts,
    channels,
    chats,
    digests,
    facts,
    matches,
    outbox,
    posts,
    stories,
    tellings,
)
from bot.storage.channels import Stored
from bot.storage.chats import Address
from bot.storage.database import NAME, Database
from bot.storage.migrations import STEPS
from bot.storage.tellings import Part, Said
from tests.made import DESK, at
from tests.storage.stored import (
    ALFA,
    DATABASES,
    DIGEST,
    MATCH,
    MEMBER,
    MESSAGE,
    POST,
    READER,
    SAYING,
    SOUGHT,
    load,
)

VERSIONS = range(1, len(STEPS) + 1)


async def schema(database: Database) -> list[tuple[str, ...]]:
    found = await database.rows("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name")
    return [(kind, name, table, " ".join((sql or "").split())) for kind, name, table, sql in found]


def test_a_database_of_every_version_is_stored() -> None:
    assert sorted(int(path.stem) for path in DATABASES.glob("*.sql")) == list(VERSIONS)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_stored_database_becomes_one_like_a_new_one(version: int, tmp_path: Path) -> None:
    """With the newest version this says too that a step was not changed after its database was stored."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    load(DATABASES / f"{version}.sql", old)
    async with Database.opened(old) as brought, Database.opened(new) as made:
        assert await brought.rows("PRAGMA user_version") == [(len(STEPS),)]
        assert await schema(brought) == await schema(made)
        assert await brought.rows("PRAGMA foreign_key_check") == []


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_a_stored_database_holds_is_still_there(version: int, tmp_path: Path) -> None:
    load(DATABASES / f"{version}.sql", tmp_path)
    async with Database.opened(tmp_path) as database:
        assert await facts.get(database, "secret") == b"\x00" * 32
        alfa = Stored(ALFA, began_at(7, 3), None, None, None, at(2), Standing.JOINED)
        assert await channels.all(database, READER) == {ALFA.id: alfa}
        assert await addresses.sought(database) == ([SOUGHT] if version > 1 else [])
        assert await channels.references(database) == {"@alfa_demo": ALFA.id}
        assert await posts.known(database, {ALFA.id: [MESSAGE.number]}, {}) == [MESSAGE]
        assert await matches.after(database, 0, 10) == [MATCH]
        assert await stories.members(database, at(0)) == [MEMBER]
        assert await stories.told(database, 9) == [(POST, DESK, "syria", True)]


@pytest.mark.parametrize("version", range(3, len(STEPS) + 1))
async def test_what_a_stored_database_was_to_tell_is_still_there(version: int, tmp_path: Path) -> None:
    load(DATABASES / f"{version}.sql", tmp_path)
    async with Database.opened(tmp_path) as database:
        alert, part = await outbox.waiting(database)
        assert (alert.destination, alert.voice, alert.weight) == (DESK, Voice.READER, 2)
        assert await tellings.said(database, alert.id) == Said(DESK, forward=True, sayings=(SAYING,))
        bundle = Part(Reason.QUIET, at(2), at(600), stories=1, first=True)
        assert await tellings.said(database, part.id) == Said(DESK, forward=False, sayings=(SAYING,), bundle=bundle)
        assert list(await attempts.attempts(database)) == [-7]
        assert (await attempts.rests(database))[READER].until == at(3)
        assert await chats.address(database, READER, "@desk_demo") == Address(-1001000000009, 8)
        assert await digests.periods(database) == {DESK: at(-600)}
        assert await digests.last(database) == [DIGEST]


async def test_the_number_of_a_match_that_was_removed_is_not_given_again(tmp_path: Path) -> None:
    """It says up to where matches were printed, and by which digest they were told."""
    load(DATABASES / "3.sql", tmp_path)
    with closing(sqlite3.connect(tmp_path / NAME)) as old:
        old.execute("DELETE FROM match")
        old.commit()
    async with Database.opened(tmp_path) as database:
        await database.write(lambda c: matches.add(c, [MATCH]))
        assert [match.id for match in await matches.after(database, 0, 10)] == [MATCH.id + 1]


#: In a mount namespace of its own: where temporary files lie there is a megabyte.
_LITTLE_ROOM = """
mount -t tmpfs -o size=1m tmpfs "$1" && SQLITE_TMPDIR="$1" exec "$2" -c '
import asyncio, sys
from pathlib import Path
from bot.storage.database import Database
async def main():
    async with Database.opened(Path(sys.argv[1])):
        pass
asyncio.run(main())
' "$3"
"""


def test_a_step_needs_no_room_for_temporary_files(tmp_path: Path) -> None:
    """In a container that is read-only there is little."""
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:  # noqa: S607 - of the system
        pytest.skip("this user may not mount anything in a namespace of its own (root may)")
    (small := tmp_path / "small").mkdir()
    load(DATABASES / "3.sql", tmp_path)
    with closing(sqlite3.connect(tmp_path / NAME)) as old:
        body = "x" * 2_000
        rows = [(number, number, body) for number in range(1_000, 3_000)]
        old.executemany("INSERT INTO message VALUES (1, ?, 'post', NULL, ?, 1, 1, NULL, NULL, ?)", rows)
        old.executemany("INSERT INTO version VALUES (1, ?, ?, ?)", rows)
        old.commit()
    command = ["unshare", "--mount", "sh", "-c", _LITTLE_ROOM, "sh", str(small), sys.executable, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
