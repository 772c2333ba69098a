"""Memory does not grow with the length of what is read."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.model import Problem
from bot.recording.reader import read

START = datetime(2024, 12, 8, tzinfo=UTC)
#: Held as a whole they would take 60 MB and more; it is tracemalloc that makes longer ones slow.
LINES = 20_000
TEXT = "текст " * 200
MEGABYTE = 1 << 20


def plain(_: int) -> dict[str, object]:
    return {}


def edited(number: int) -> dict[str, object]:
    """Every post tells of an edit and an end that lie far ahead."""
    return {"edit_date": "2025-06-01T00:00:00+00:00", "deleted": f"2025-07-01T00:00:00.{number:06}+00:00"}


def album(number: int) -> dict[str, object]:
    return {"grouped_id": number // 6, "media": {"kind": "photo"}}


def one_moment(number: int) -> dict[str, object]:
    """An album is open for ever, behind it a crowd of one moment."""
    more: dict[str, object] = {"channel": "album_demo", "grouped_id": 1} if number % 1_000 == 0 else {}
    return {"date": START.isoformat()} | more


def channels(number: int) -> dict[str, object]:
    return {"channel": f"канал номер {number}"}


def backwards(number: int) -> dict[str, object]:
    return {"date": (START - timedelta(seconds=number)).isoformat()}


@pytest.mark.parametrize("more", [plain, edited, album, one_moment, channels, backwards])
def test_a_long_file_is_streamed(tmp_path: Path, more: object) -> None:
    assert callable(more)
    path = tmp_path / "long.jsonl.gz"
    with gzip.open(path, "wt", compresslevel=1, encoding="utf-8") as file:
        for number in range(LINES):
            date = (START + timedelta(seconds=20 * number)).isoformat()
            line = {"channel": "long_demo", "id": number, "date": date, "text": TEXT}
            file.write(json.dumps(line | more(number), ensure_ascii=False) + "\n")
    count, problems, peak = measured(path)
    assert count >= LINES // 6
    assert all(problem.kind == "warning" for problem in problems)
    assert peak < 30 * MEGABYTE


def test_a_long_export_is_streamed(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    with path.open("w", encoding="utf-8") as file:
        file.write('{"name": "X", "type": "public_channel", "id": 5, "messages": [')
        for number in range(LINES):
            message = {"id": number, "date_unixtime": str(1_733_600_000 + number), "text": [TEXT, "конец"]}
            file.write(("," if number else "") + json.dumps(message, ensure_ascii=False))
        file.write("]}")
    count, problems, peak = measured(path)
    assert (count, problems) == (LINES, [])
    assert peak < 10 * MEGABYTE


def measured(path: Path) -> tuple[int, list[Problem], int]:
    """How many revisions, which problems, and the most memory it took."""
    problems: list[Problem] = []

    def revisions() -> Iterator[object]:
        yield from read([path], problems.append)

    tracemalloc.start()
    try:
        count = sum(1 for _ in revisions())
        return count, problems, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
