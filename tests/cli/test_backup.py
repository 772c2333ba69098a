"""``vedette backup``: a copy beside a service that runs; one sentence and an exit code where there is none."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.folder import held
from bot.storage import facts
from bot.storage.database import Database
from tests.cli.conftest import Vedette

CONFIG = """\
[watch]
channels = ["@alfa_demo"]
[digest]
chat = "@desk_demo"
[topics.syria]
keywords = ["Сирия"]
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_text(CONFIG, "utf-8")
    (tmp_path / "data").mkdir()
    return tmp_path


async def _fill(folder: Path) -> None:
    async with Database.opened(folder) as database:
        await database.write(lambda c: facts.put(c, "reader", 11))


@pytest.fixture
def filled(home: Path) -> Path:
    asyncio.run(_fill(home / "data"))
    return home


def test_a_copy_is_made_while_a_service_runs(filled: Path, vedette: Vedette) -> None:
    (filled / "data" / "reader.session").write_bytes(b"the session")
    with held(filled / "data"):
        ran = vedette("backup", "copy.db")
    assert (ran.code, ran.out) == (0, "")
    assert re.fullmatch(r"copy\.db: 0\.\d MB, read once more and found whole\n", ran.err)
    with closing(sqlite3.connect(filled / "copy.db")) as c:
        assert c.execute("SELECT value FROM fact WHERE key = 'reader'").fetchone() == (11,)
    assert b"the session" not in (filled / "copy.db").read_bytes()


def test_a_file_that_is_there_is_left_alone(filled: Path, vedette: Vedette) -> None:
    (filled / "copy.db").write_text("mine")
    ran = vedette("backup", "copy.db")
    assert ran.code == 1
    assert ran.err == "vedette: copy.db is there already; name a file that is not, or move it away.\n"
    assert (filled / "copy.db").read_text() == "mine"


def test_without_a_database_there_is_nothing_to_copy(home: Path, vedette: Vedette) -> None:
    ran = vedette("backup", "copy.db")
    assert (ran.code, ran.err) == (1, "vedette: there is no database in data yet; vedette run makes it.\n")
    assert not (home / "copy.db").exists()


def test_a_file_has_to_be_named(filled: Path, vedette: Vedette) -> None:
    assert vedette("backup").code == 2
    assert not list(filled.glob("*.db"))


def test_without_a_configuration_it_is_not_known_where_the_database_is(filled: Path, vedette: Vedette) -> None:
    assert vedette("backup", "--config", str(filled / "none.toml"), "copy.db").code == 2
