"""`bot.inforce`: what is kept of the configuration in force, and when it is believed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot import inforce
from bot.config.load import load
from bot.inforce import InForce
from bot.storage import facts
from bot.storage.database import Database

CONFIG = """
[watch]
channels = ["@alfa_demo", { channel = "-1001000000002", label = "Bravo" }]
folder = "News"
[digest]
chat = "me"
[operators]
users = [42]
[topics.syria]
keywords = ["Сирия"]
chat = "@desk_demo/12"
[topics.bases]
keywords = ["база"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(CONFIG, "utf-8")
    return file


async def kept(folder: Path, file: Path | None) -> None:
    async with Database.opened(folder) as database:
        settings = load(folder / "config.toml", {})
        await database.write(lambda c: inforce.put(c, settings, file))


async def found(folder: Path, file: Path) -> InForce | None:
    async with Database.opened(folder, writable=False) as database:
        return await inforce.get(database, file)


async def test_what_is_read_is_what_was_put(file: Path) -> None:
    await kept(file.parent, file)
    assert await found(file.parent, file) == InForce(
        channels=("@alfa_demo", "-1001000000002"),
        chats=frozenset({"me", "@desk_demo/12", "operator me", "operator 42"}),
        folder="News",
    )


def write_over(file: Path) -> None:
    file.write_text(CONFIG.replace("alfa_demo", "beta_demo"), "utf-8")


def put_in_its_place(file: Path) -> None:
    new = file.with_suffix(".new")
    new.write_text(CONFIG, "utf-8")
    new.rename(file)


def remove(file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize("change", [write_over, put_in_its_place, remove])
async def test_a_file_that_was_changed_since_has_to_be_read(file: Path, change: Callable[[Path], None]) -> None:
    await kept(file.parent, file)
    change(file)
    assert await found(file.parent, file) is None


async def test_what_is_from_no_file_or_from_another_is_not_taken_for_this_one(file: Path) -> None:
    other = file.with_name("other.toml")
    other.write_text(CONFIG, "utf-8")
    await kept(file.parent, other)
    assert await found(file.parent, file) is None
    await kept(file.parent, None)
    assert await found(file.parent, file) is None


@pytest.mark.parametrize("value", ["[]", "{", '{"file": [1]}', '{"channels": [], "chats": [], "folder": null}', 7])
async def test_what_another_version_has_kept_is_passed_over(file: Path, value: str | int) -> None:
    async with Database.opened(file.parent) as database:
        await database.write(lambda c: facts.put(c, "configuration in force", value))
        assert await inforce.get(database, file) is None
