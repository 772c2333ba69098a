"""What `run` prints of matches: each once, whatever became of the process before."""

from __future__ import annotations

import io
import json
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from bot.cli.printed import Mark, MatchPrinter
from bot.model import PostId, Reason
from bot.storage import matches
from bot.storage.database import Database
from bot.storage.matches import StoredMatch
from bot.terminal import takes_at_once
from tests.made import ME, at

CHANNEL = -1001000000001


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.opened(tmp_path) as opened:
        yield opened


async def store(database: Database, *numbers: int) -> None:
    rows = [
        StoredMatch(
            *(CHANNEL, number, "syria", "Syria", '["Сирия"]', "[]", PostId(str(CHANNEL), number)),
            *(ME, Reason.NEW, None, at()),
        )
        for number in numbers
    ]
    await database.write(lambda c: matches.add(c, rows))


async def printed(database: Database, folder: Path, *numbers: int) -> list[int]:
    """What one process prints: at its start, and after it has stored these matches."""
    out = io.StringIO()
    printer = MatchPrinter(out, Mark(folder / "printed"))
    await printer.begin(database)
    await printer.print_new(database)
    await store(database, *numbers)
    await printer.print_new(database)
    return [json.loads(line)["id"] for line in out.getvalue().splitlines()]


async def test_the_first_process_prints_what_is_stored_from_now_on(database: Database, tmp_path: Path) -> None:
    await store(database, 1, 2)
    assert await printed(database, tmp_path, 3, 4) == [3, 4]


async def test_the_next_process_goes_on_where_the_last_one_was_killed(database: Database, tmp_path: Path) -> None:
    assert await printed(database, tmp_path, 1, 2) == [1, 2]
    await store(database, 3)
    assert await printed(database, tmp_path, 4) == [3, 4]


async def test_a_mark_that_cannot_be_read_prints_too_much_and_not_too_little(
    database: Database, tmp_path: Path
) -> None:
    await printed(database, tmp_path, 1)
    (tmp_path / "printed").write_bytes(b"")
    assert await printed(database, tmp_path, 2) == [1, 2]


async def test_the_mark_of_another_database_swallows_nothing(database: Database, tmp_path: Path) -> None:
    Mark(tmp_path / "printed").write(5_000)
    assert await printed(database, tmp_path, 1) == [1]


def test_a_full_pipe_does_not_take_a_line_at_once() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb"), os.fdopen(writing, "w") as stream:
        assert takes_at_once(stream, 200)
        assert not takes_at_once(stream, 1 << 20)
        while takes_at_once(stream, 200):
            os.write(writing, bytes(4096))  # would wait for ever if it were told wrong


async def test_a_line_that_is_taken_at_once_is_printed_once_and_noted(database: Database, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "r") as reader, os.fdopen(writing, "w") as stream:
        printer = MatchPrinter(stream, Mark(tmp_path / "printed"))
        await printer.begin(database)
        await store(database, 1)
        await printer.print_new(database)
        assert json.loads(reader.readline())["id"] == 1
    assert Mark(tmp_path / "printed").read() == 1


def test_a_mark_can_be_read_by_a_person_and_by_the_next_process(tmp_path: Path) -> None:
    mark = Mark(tmp_path / "printed")
    for number in (7, 123_456, 12):
        mark.write(number)
        assert Mark(tmp_path / "printed").read() == number
    assert (tmp_path / "printed").read_bytes() == b"00000000000000000012\n"


def test_a_mark_cut_short_is_made_whole(tmp_path: Path) -> None:
    (tmp_path / "printed").write_bytes(b"0000")
    mark = Mark(tmp_path / "printed")
    mark.write(5)
    assert mark.read() == 5


async def test_a_line_that_nobody_took_is_printed_by_the_next_process(database: Database, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        printer = MatchPrinter(stream, Mark(tmp_path / "printed"))
        await printer.begin(database)
        await store(database, 1)
        os.close(reading)
        with pytest.raises(BrokenPipeError):
            await printer.print_new(database)
        with suppress(BrokenPipeError):
            stream.close()
    assert await printed(database, tmp_path) == [1]
