"""What many tests share: one lexicon, since dictionaries take a while to load; and a log as it was before."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from bot.query.lexicon import Lexicon
from bot.text.morphology.languages import Morphology


@pytest.fixture(scope="session")
def lexicon() -> Lexicon:
    return Lexicon(Morphology())


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    """A command that runs inside a test sets levels and handlers, which others would find."""
    root, ours = logging.getLogger(), logging.getLogger("bot")
    before = root.level, ours.level, root.handlers[:]
    yield
    for handler in root.handlers[:]:
        if handler not in before[2]:
            root.removeHandler(handler)
    root.setLevel(before[0])
    ours.setLevel(before[1])
