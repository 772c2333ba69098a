"""What tests of the delivery share: a database that knows whether it is busy, its clock, a Telegram in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.delivering import Busy, Steps, Telegram


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Busy]:
    async with Busy.opened(tmp_path) as opened:
        assert isinstance(opened, Busy)
        yield opened


@pytest.fixture
def clock(database: Busy) -> Steps:
    return Steps(database)


@pytest.fixture
def telegram(clock: Steps) -> Telegram:
    return Telegram(clock)
