"""A database that an earlier version of this program wrote for real is taken up by this one: the history says which.

Each version is taken out of git as it was just before the tables were changed, and takes in posts by its own code.
"""

from __future__ import annotations

import asyncio
import io
import re
import subprocess
import sys
import tarfile
from functools import cache
from pathlib import Path

import pytest

from bot.cursor import Cursor
from bot.model import PostId
from bot.query.lexicon import Lexicon
from bot.storage import channels, digests, matches, stories
from bot.storage.database import Database
from bot.storage.migrations import STEPS
from tests.clocks import HandClock
from tests.ingesting import ALFA, begin, found, page, read, running, said, stored_numbers
from tests.made import ME, at, rule, rules
from tests.storage.test_migrations import schema

ROOT = Path(__file__).parent.parent.parent
TABLES = "bot/storage/migrations.py"
#: What a version is asked to do: with what it had then to test itself.
WRITES = """
import asyncio, sys
from pathlib import Path
from bot.query.lexicon import Lexicon
from bot.storage.database import Database
from bot.text.morphology.languages import Morphology
from tests.clocks import HandClock
from tests.ingesting import begin, page, push, read, running, said, shows
from tests.made import at, rule, rules

async def main():
    clock, by = HandClock(), rules(rule("syria", "Сирия"), lexicon=Lexicon(Morphology()))
    async with Database.opened(Path(sys.argv[1])) as database:
        await begin(database)
        async with running(database, clock, by) as ingest:
            await read(ingest, [page(said(11), said(12, "Погода", minutes=1))])
            clock.set(at(5))
            await push(ingest, shows(said(12, "Погода: правка", minutes=1, edited=5)))

asyncio.run(main())
"""


def git(*arguments: str) -> bytes:
    """Nothing where there is no git, or no history."""
    try:
        return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=True).stdout  # noqa: S607
    except (OSError, subprocess.CalledProcessError):
        return b""


@cache
def versions() -> list[str]:
    """The last commits before the tables were changed, oldest first, and the newest; where posts could be taken in."""
    changed = git("log", "--reverse", "--format=%H", "--", TABLES).decode().split()
    last = [*(f"{commit}~1" for commit in changed[1:]), "HEAD"] if changed else []
    return [one for one in last if git("ls-tree", one, "tests/ingesting.py")]


def taken_out(commit: str, folder: Path) -> Path:
    with tarfile.open(fileobj=io.BytesIO(git("archive", commit, "bot", "tests"))) as tar:
        tar.extractall(folder, filter="data")
    return folder


def steps_of(tree: Path) -> int:
    """How many steps it knows."""
    [names] = re.findall(r"^STEPS:.* = \((.*)\)", (tree / TABLES).read_text("utf-8"), re.MULTILINE)
    return len([name for name in names.split(",") if name])


async def test_what_every_version_of_the_history_has_written_is_taken_up(tmp_path: Path, lexicon: Lexicon) -> None:
    if not versions():
        pytest.skip("there is no history to take earlier versions from")
    seen = set()
    for number, commit in enumerate(versions()):
        tree = taken_out(commit, tmp_path / f"tree{number}")
        data = tmp_path / f"data{number}"
        data.mkdir()
        write = [sys.executable, "-c", WRITES, str(data)]
        done = await asyncio.to_thread(subprocess.run, write, cwd=tree, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{commit}: {done.stderr}"
        seen.add(steps_of(tree))
        await goes_on(data, tmp_path, lexicon)
    assert seen >= set(range(1, len(STEPS)))


async def goes_on(data: Path, folder: Path, lexicon: Lexicon) -> None:
    """All that was written is there, and a process of today reads on."""
    clock = HandClock(at(10))
    (new := folder / f"new {data.name}").mkdir()
    async with Database.opened(data) as database, Database.opened(new) as made:
        assert await schema(database) == await schema(made)
        assert await database.rows("PRAGMA foreign_key_check") == []
        cursor = (await channels.cursors(database))[ALFA.id]
        assert cursor == Cursor(floor=0, began=10, verified=12, top=12, pts=100)
        [match] = await matches.after(database, 0, 9)
        assert (match.number, match.story, match.destination) == (11, PostId(str(ALFA.id), 11), ME)
        assert [one.post.number for one in await stories.members(database, at())] == [11]
        assert len(await database.rows("SELECT 1 FROM version")) == 1
        # What no digest of that time has told, the next one tells.
        assert [line.number for line in await digests.undigested(database, ME, history=False)] == [11]
        by = rules(rule("syria", "Сирия"), lexicon=lexicon)
        await begin(database)
        async with running(database, clock, by) as ingest:
            await read(ingest, [page(said(11), said(12, "Погода: правка", minutes=1, edited=5), said(13, minutes=9))])
        assert await stored_numbers(database) == [11, 12, 13]
        assert [line.rpartition(" ")[0] for line in await found(database)] == ["alfa/11 syria", "alfa/13 syria"]
