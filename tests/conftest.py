"""What many tests share: one lexicon, since dictionaries take a while to load."""

from __future__ import annotations

import pytest

from bot.query.lexicon import Lexicon
from bot.text.morphology.languages import Morphology


@pytest.fixture(scope="session")
def lexicon() -> Lexicon:
    return Lexicon(Morphology())
