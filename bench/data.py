"""The real posts that benchmarks read. They are not part of the project; a folder that lacks them is said so."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from bot.model import Post, Problem
from bot.recording.reader import read
from bot.text.morphology.slavic import Slavic


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


def posts_of(path: Path) -> Iterator[Post]:
    """The posts of a recording, as the program reads them."""
    for revision in read([path], _ignore):
        yield revision.post


def _ignore(problem: Problem) -> None:
    """What is wrong in the data is the data's business here."""


@cache
def lemmas_of(language: Slavic) -> list[tuple[str, Any]]:
    """The lemmas of a dictionary that are plain words, with their tags, in alphabetical order."""
    if language.dictionary is None:
        return []
    known = language.dictionary.dictionary.iter_known_words()
    found = {word: tag for word, tag, lemma, _, form in known if form == 0 and word == lemma and word.isalpha()}
    return sorted(found.items())
