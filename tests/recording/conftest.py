"""What the tests of recordings share: lines written to a file, and a recording read to its end."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bot.model import Problem, Revision
from bot.recording.reader import read


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes lines, each bytes as they are or an object as JSON, to a file of that name."""

    def written(*lines: object, name: str = "a.jsonl") -> Path:
        path = tmp_path / name
        raw = [line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode() for line in lines]
        path.write_bytes(b"".join(line + b"\n" for line in raw))
        return path

    return written


@pytest.fixture
def told() -> Callable[..., tuple[list[Revision], list[Problem]]]:
    """Reads recordings to the end: what they tell, and what was wrong with them."""

    def reading(*paths: Path) -> tuple[list[Revision], list[Problem]]:
        problems: list[Problem] = []
        return list(read(paths, problems.append)), problems

    return reading


@pytest.fixture
def line() -> Callable[..., dict[str, object]]:
    """A good line: its id and its minute after 05:00 on 8 December 2024; keywords add or replace keys."""

    def made(number: int, minute: int = 0, **more: object) -> dict[str, object]:
        return {"channel": "post_demo", "id": number, "date": at(minute), "text": f"текст {number}"} | more

    return made


@pytest.fixture
def minute() -> Callable[[int], str]:
    """A minute after 05:00 on 8 December 2024 as a recording writes it."""
    return at


def at(minute: int) -> str:
    return f"2024-12-08T{5 + minute // 60:02}:{minute % 60:02}:00+00:00"


def gathered(revisions: Sequence[Revision]) -> list[tuple[str, str, int]]:
    """The short of it: what, when and which."""
    return [(each.happening.value, f"{each.at:%H:%M}", each.post.number) for each in revisions]


@pytest.fixture
def brief() -> Callable[[Sequence[Revision]], list[tuple[str, str, int]]]:
    return gathered
