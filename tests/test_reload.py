"""The file is edited while the service runs: what is applied, what is told, and what changes nothing."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from bot.config.diff import RESTART
from bot.config.load import load
from bot.config.settings import LogLevel, Settings
from bot.errors import StorageError
from bot.model import Notice
from bot.query.lexicon import Lexicon
from bot.query.nodes import Query
from bot.query.plan import Plan
from bot.reload import Reload, in_force
from bot.rules import Rules
from bot.storage import notices
from bot.storage.database import Database
from bot.text.morphology.languages import Morphology
from tests.clocks import HandClock
from tests.made import post

CONFIG = """
[telegram]
api_id = 12345
bot_token = "12345:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
[watch]
channels = ["@alfa_demo"]
[digest]
chat = "me"
[topics.syria]
keywords = ["Сирия"]
"""
MORE = CONFIG.replace('"Сирия"', '"Сирия", "Дамаск"')
BROKEN = CONFIG.replace('"Сирия"', '"(Сирия"')
AGAIN = "The configuration can be read again; nothing has changed in it."
REFUSED = "The configuration has errors and was not taken over; the former configuration stays in force."


@dataclass(slots=True)
class Desk:
    """A reload of a file, and what it has applied."""

    path: Path
    database: Database
    lexicon: Lexicon
    settings: Settings
    clock: HandClock = field(default_factory=HandClock)
    applied: list[tuple[Settings, Rules]] = field(default_factory=list)
    broken: Exception | None = None

    def reload(self) -> Reload:
        return Reload(
            *(self.path, {}, self.lexicon, self.clock, self.database),
            settings=lambda: self.settings,
            apply=self.apply,
        )

    async def apply(self, settings: Settings, rules: Rules) -> None:
        if self.broken is not None:
            raise self.broken
        self.settings = settings
        self.applied.append((settings, rules))

    async def notices(self) -> list[Notice]:
        return [noted.notice for noted in await notices.untold(self.database)]

    async def told(self) -> list[str]:
        return [notice.what for notice in await self.notices()]


@pytest.fixture
async def desk(tmp_path: Path, lexicon: Lexicon) -> AsyncIterator[Desk]:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    async with Database.opened(tmp_path) as database:
        yield Desk(path, database, lexicon, load(path, {}))


async def rest(reload: Reload) -> None:
    """So many looks as a file has to rest."""
    for _ in range(3):
        await reload.look()


async def test_a_change_is_applied_with_its_rules_and_told_in_one_message(desk: Desk) -> None:
    reload = desk.reload()
    await rest(reload)
    assert desk.applied == []
    desk.path.write_text(MORE)
    await rest(reload)
    [(settings, rules)] = desk.applied
    assert [keyword.text for keyword in settings.topics[0].keywords] == ["Сирия", "Дамаск"]
    assert [match.topic for match in rules.matcher.match(post("Утро в Дамаске"))] == ["syria"]
    assert await desk.notices() == [
        Notice("The configuration was changed.", ('topic syria: 1 keyword added: "Дамаск"',))
    ]


async def test_a_change_of_which_a_kill_kept_the_operators_from_hearing_is_told_by_the_next_process(
    desk: Desk,
) -> None:
    await rest(reload := desk.reload())
    desk.path.write_text(MORE)
    desk.broken = StorageError("as if killed: nothing is written any more")
    with pytest.raises(StorageError):
        await rest(reload)
    assert await desk.told() == []
    desk.settings, desk.broken = load(desk.path, {}), None
    for _ in range(2):
        await rest(desk.reload())
        assert await desk.notices() == [
            Notice("The configuration was changed.", ('topic syria: 1 keyword added: "Дамаск"',))
        ]
    assert desk.applied == []


async def test_a_change_that_was_taken_back_before_the_next_start_is_told_by_nobody(desk: Desk) -> None:
    await rest(reload := desk.reload())
    desk.path.write_text(MORE)
    desk.broken = StorageError("as if killed: nothing is written any more")
    with pytest.raises(StorageError):
        await rest(reload)
    desk.path.write_text(CONFIG)
    desk.broken = None
    await rest(desk.reload())
    assert await desk.told() == []


async def test_what_was_edited_before_the_first_look_is_seen_too(desk: Desk) -> None:
    reload = desk.reload()
    desk.path.write_text(MORE)
    await rest(reload)
    assert len(desk.applied) == 1


async def test_a_comment_is_no_change(desk: Desk) -> None:
    reload = desk.reload()
    await rest(reload)
    desk.path.write_text(f"# for the night shift\n\n{CONFIG}")
    await rest(reload)
    assert (desk.applied, await desk.told()) == ([], [])


async def test_a_file_that_is_being_written_is_left_alone(desk: Desk) -> None:
    reload = desk.reload()
    await rest(reload)
    for end in range(0, len(MORE), 10):
        desk.path.write_text(MORE[:end])
        await reload.look()
        await reload.look()
    desk.path.write_text(MORE)
    await reload.look()
    await reload.look()
    assert (desk.applied, await desk.told()) == ([], [])
    await reload.look()
    assert len(desk.applied) == 1


def replaced(path: Path, text: str) -> None:
    """As an editor saves that writes beside the file and renames."""
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.rename(path)


def another_link(path: Path, text: str) -> None:
    """As a mounted folder is exchanged: the file is a link, and leads elsewhere now."""
    target, link = path.with_name(f"version {len(text)}.toml"), path.with_suffix(".link")
    target.write_text(text)
    link.symlink_to(target.name)
    link.rename(path)


def as_old_as_before(path: Path, _: str) -> None:
    """As a copy that keeps the time of what it copies, of a file as large as the one before."""
    before = path.stat()
    replaced(path, path.read_text().replace("Сирия", "Ливан"))
    assert path.stat().st_size == before.st_size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("save", [replaced, another_link, as_old_as_before])
async def test_however_a_file_is_saved_it_is_seen(desk: Desk, save: Callable[[Path, str], None]) -> None:
    reload = desk.reload()
    await rest(reload)
    save(desk.path, MORE)
    await rest(reload)
    assert len(desk.applied) == 1
    replaced(desk.path, CONFIG)
    await rest(reload)
    assert len(desk.applied) == 2


async def test_an_invalid_file_is_refused_whole_and_told_once(desk: Desk) -> None:
    reload = desk.reload()
    desk.path.write_text(BROKEN.replace("[watch]", "[wath]"))
    await rest(reload)
    await rest(reload)
    replaced(desk.path, desk.path.read_text())
    await rest(reload)
    assert desk.applied == []
    [notice] = await desk.notices()
    assert notice.what == REFUSED
    assert len(notice.details) == 2
    assert all("\n" not in error and str(desk.path) in error for error in notice.details)
    assert "12345" not in str(notice.details)


async def test_who_mends_one_of_two_errors_is_told_that_the_other_is_left(desk: Desk) -> None:
    reload = desk.reload()
    for text in (BROKEN.replace("@alfa_demo", "@!"), BROKEN):
        desk.path.write_text(text)
        await rest(reload)
    assert [len(notice.details) for notice in await desk.notices()] == [2, 1]


async def test_a_file_that_is_mended_as_it_was_is_told_of_and_may_break_again(desk: Desk) -> None:
    reload = desk.reload()
    for text in (BROKEN, CONFIG, BROKEN):
        desk.path.write_text(text)
        await rest(reload)
    assert desk.applied == []
    assert await desk.told() == [REFUSED, AGAIN, REFUSED]


async def test_a_trouble_of_the_process_before_is_settled(desk: Desk) -> None:
    now = desk.clock.now()
    await desk.database.write(lambda c: notices.tell(c, "configuration error", Notice(REFUSED), now))
    await rest(desk.reload())
    # What it said before that process nobody knows here, so it is not said that nothing has changed.
    assert (await desk.told())[-1] == "The configuration has no errors any more."
    assert await desk.database.rows("SELECT what FROM notice ORDER BY id DESC LIMIT 1") == [("",)]


@pytest.mark.parametrize("empty", ["", " \n\n"])
async def test_an_empty_file_changes_nothing_and_is_told(desk: Desk, empty: str) -> None:
    reload = desk.reload()
    desk.path.write_text(empty)
    await rest(reload)
    desk.path.write_text(CONFIG)
    await rest(reload)
    assert desk.applied == []
    assert await desk.told() == ["config.toml is empty; the former configuration stays in force.", AGAIN]


async def test_a_vanished_file_changes_nothing_and_what_comes_back_is_taken(desk: Desk) -> None:
    reload = desk.reload()
    await rest(reload)
    desk.path.unlink()
    await rest(reload)
    await rest(reload)
    assert desk.applied == []
    assert await desk.told() == ["config.toml is gone; the former configuration stays in force."]
    desk.path.write_text(MORE)
    await rest(reload)
    assert len(desk.applied) == 1


async def test_what_cannot_be_read_is_told_as_an_error(desk: Desk) -> None:
    reload = desk.reload()
    desk.path.unlink()
    desk.path.mkdir()
    await rest(reload)
    [notice] = await desk.notices()
    assert notice.details == (f"{desk.path}:1: file: this is a folder; name a file in it",)


async def test_a_pipe_in_the_place_of_the_file_is_not_waited_for(desk: Desk) -> None:
    reload = desk.reload()
    desk.path.unlink()
    os.mkfifo(desk.path)
    await rest(reload)
    [notice] = await desk.notices()
    assert notice.details == (f"{desk.path}:1: file: this is a pipe; put the configuration in its place",)


async def test_what_needs_a_restart_stays_and_is_said_once(desk: Desk) -> None:
    reload = desk.reload()
    changed = MORE.replace("12345", "54321") + '\n[log]\nformat = "json"\nlevel = "debug"\n'
    desk.path.write_text(changed)
    await rest(reload)
    desk.path.write_text(f"{changed}[storage]\nkeep = '90d'\n")
    await rest(reload)
    desk.path.write_text(desk.path.read_text().replace('format = "json"\n', ""))
    await rest(reload)
    first, second, third = await desk.notices()
    assert first.details[-1] == "takes effect after a restart: telegram.api_id, telegram.bot_token, log.format"
    assert second.details == ('storage.keep: "180d" → "90d"',)
    assert third.details == ('log.format: "json" → "console"',)  # as it is in force
    assert "54321" not in str(first)
    assert desk.settings.telegram == load(desk.path.with_name("config.toml"), {}).telegram.model_copy(
        update={"api_id": 12345, "bot_token": desk.applied[0][0].telegram.bot_token}
    )
    assert desk.settings.log.level is LogLevel.DEBUG


@pytest.mark.parametrize("path", RESTART)
def test_nothing_that_needs_a_restart_is_taken_over(tmp_path: Path, path: str) -> None:
    before, after = tmp_path / "before.toml", tmp_path / "after.toml"
    before.write_text(CONFIG)
    more = '\n[log]\nformat = "json"\n[metrics]\nlisten = "127.0.0.1:1234"\n'
    after.write_text('data_dir = "elsewhere"\n' + CONFIG.replace("12345", "54321") + more)
    old, new = load(before, {}), load(after, {})

    def value(settings: Settings) -> object:
        found: object = settings
        for key in path.split("."):
            found = getattr(found, key)
        return found

    assert value(in_force(old, new)) == value(old) != value(new)


async def test_a_defect_while_a_change_is_applied_is_told_and_the_next_edit_is_tried(desk: Desk) -> None:
    reload = desk.reload()
    desk.broken = RuntimeError("a defect")
    desk.path.write_text(MORE)
    await rest(reload)
    assert await desk.told() == [REFUSED]
    desk.broken = None
    desk.path.write_text(f"{MORE}\n# again")
    await rest(reload)
    assert len(desk.applied) == 1


async def test_only_a_database_that_cannot_be_used_ends_it(desk: Desk) -> None:
    reload = desk.reload()
    desk.broken = StorageError("The disk is full.")
    desk.path.write_text(MORE)
    with pytest.raises(StorageError):
        await rest(reload)


class SlowLexicon(Lexicon):
    """Takes its time over each keyword, and counts them."""

    planned = 0

    def plan(self, query: Query) -> Plan:
        self.planned += 1
        time.sleep(0.002)
        return super().plan(query)


async def test_what_is_being_made_ready_is_given_up_when_the_service_stops(desk: Desk) -> None:
    desk.lexicon = slow = SlowLexicon(Morphology())
    reload = desk.reload()
    words = ", ".join(f'"={word}"' for word in range(1000, 3000))
    desk.path.write_text(CONFIG.replace('"Сирия"', words))
    running = asyncio.create_task(reload.run())
    while not slow.planned:
        await desk.clock.advance(timedelta(seconds=0.25))
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait([running])
    await asyncio.sleep(0.05)
    planned = slow.planned
    await asyncio.sleep(0.05)
    assert slow.planned == planned < 2000


async def test_the_loop_looks_again_and_again_until_it_is_cancelled(desk: Desk) -> None:
    running = asyncio.create_task(desk.reload().run())
    desk.path.write_text(MORE)
    for _ in range(1000):
        await desk.clock.advance(timedelta(seconds=0.25))
        await asyncio.sleep(0.01)
        if desk.applied:
            break
    running.cancel()
    await asyncio.wait([running])
    assert len(desk.applied) == 1
    assert running.cancelled()
