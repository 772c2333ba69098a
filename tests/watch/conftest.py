"""A station, new for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.query.lexicon import Lexicon
from tests.watch.station import Station
from tests.watch.station import station as opened


@pytest.fixture
async def station(tmp_path: Path, lexicon: Lexicon) -> AsyncIterator[Station]:
    async with opened(tmp_path, lexicon) as made:
        yield made
