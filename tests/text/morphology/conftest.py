"""What the tests of languages share: dictionaries that are loaded once, and one without the Ukrainian extra."""

from __future__ import annotations

import pytest

from bot.text.morphology.arabic import Arabic
from bot.text.morphology.english import English
from bot.text.morphology.languages import Morphology
from bot.text.morphology.persian import Persian
from bot.text.morphology.russian import Russian
from bot.text.morphology.ukrainian import Ukrainian


class UkrainianNotInstalled(Ukrainian):
    code = "xx"  # pymorphy3 has no such dictionary


@pytest.fixture(scope="session")
def russian() -> Russian:
    return Russian()


@pytest.fixture(scope="session")
def without_ukrainian(russian: Russian) -> Morphology:
    """All languages, and no Ukrainian dictionary: what is installed by default."""
    return Morphology([russian, UkrainianNotInstalled(), English(), Arabic(), Persian()])


@pytest.fixture(scope="session")
def with_ukrainian(russian: Russian) -> Morphology:
    """All languages with their dictionaries."""
    pytest.importorskip("pymorphy3_dicts_uk", reason="the extra is not installed: pymorphy3_dicts_uk")
    return Morphology([russian, Ukrainian(), English(), Arabic(), Persian()])
