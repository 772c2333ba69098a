"""The loopback server of a test's own world, and the reader's account at it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.telegram.account import Account
from tests.telegram.reading import reader_at
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World


@pytest.fixture
async def server(world: World) -> AsyncIterator[TelegramServer]:
    async with TelegramServer(world) as running:
        yield running


@pytest.fixture
async def account(server: TelegramServer, tmp_path: Path) -> AsyncIterator[Account]:
    async with reader_at(server, tmp_path) as account:
        yield account
