"""The real posts that benchmarks read. They are not part of the project; a folder that lacks them is said so."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import NamedTuple


class Gold(NamedTuple):
    """A sentence, and its content words: start, end (code points), lemma, part of speech."""

    text: str
    tokens: list[tuple[int, int, str, str]]


def gold(path: Path) -> list[Gold] | None:
    """The sentences of a gold file; None when it is not there."""
    if not path.exists():
        return None
    with gzip.open(path) as lines:
        return [Gold(one["text"], [tuple(token) for token in one["gold"]]) for one in map(json.loads, lines)]


def recordings(folder: Path) -> list[Path]:
    """The recordings of real posts that are there."""
    return [path for name in ("ru_news_2024", "ru_agencies_2025") if (path := folder / f"{name}.jsonl.gz").exists()]
