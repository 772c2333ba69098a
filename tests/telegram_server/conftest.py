"""A world with one reader and one channel, its server, and real clients of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import pytest
from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.network import ConnectionTcpFull
from telethon.sessions import MemorySession, SQLiteSession

from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

READER = 777
CHANNEL = 5


@pytest.fixture
def world() -> World:
    world = World(seed=1)
    world.add_person(READER, first_name="Reader")
    return world


@pytest.fixture
def channel(world: World) -> WorldChannel:
    return world.add_channel(CHANNEL, username="lantern_demo", title="Lantern", members=[READER])


@pytest.fixture
async def server(world: World) -> AsyncIterator[TelegramServer]:
    async with TelegramServer(world) as server:
        rsa.add_key(server.public_key, old=False)
        yield server


class Connect(Protocol):
    """Connects a client, signed in as a person unless that is None; extra words go to the client."""

    def __call__(self, person: int | None = READER, **known: Any) -> Awaitable[Any]: ...


@pytest.fixture
async def connect(server: TelegramServer, tmp_path: Path) -> AsyncIterator[Connect]:
    clients: list[Any] = []

    async def connected(person: int | None = READER, **known: Any) -> Any:
        session: Any = MemorySession()
        if person is None:
            session.set_dc(server.dc, server.host, server.port)
        else:
            path = tmp_path / f"{len(clients)}.session"
            server.sign_in_session(path, person)
            session = SQLiteSession(str(path))
        settings = {"connection": ConnectionTcpFull, "flood_sleep_threshold": 0, "retry_delay": 0.05, "timeout": 2}
        client = TelegramClient(session, 1, "hash", **settings | {"request_retries": 1} | known)
        client._config = None  # Telethon keeps it for all clients of the process
        clients.append(client)
        await client.connect()
        return client

    yield connected
    for client in clients:
        await asyncio.wait_for(client.disconnect(), 5)


async def until(condition: Callable[[], Any], seconds: float = 3.0) -> None:
    """Returns as soon as something holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - conditions are about lists that a client fills
            await asyncio.sleep(0.005)
