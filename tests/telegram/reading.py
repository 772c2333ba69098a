"""A reader who is signed in at the loopback server, for tests of what is read through an account."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from bot.config.settings import Server, Telegram
from bot.config.values import Address
from bot.model import Peer
from bot.telegram.account import Account
from bot.telegram.session import client_for
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

READER = 777


@asynccontextmanager
async def reader_at(server: TelegramServer, folder: Path, *, updates: bool = True) -> AsyncIterator[Account]:
    """The reader's account, open; ``updates``: it is pushed what happens."""
    key, session = folder / "server.pem", folder / "reader.session"
    key.write_text(server.public_key, "utf-8")
    server.sign_in_session(session, READER)
    address = Server.model_construct(address=Address(server.host, server.port), dc_id=server.dc, public_key=key)
    telegram = Telegram.model_construct(api_id=1, api_hash=SecretStr("0f0f"), server=address, proxy=None)
    account = Account(client_for(telegram, session, pause=timedelta(milliseconds=10), updates=updates))
    await account.open()
    try:
        yield account
    finally:
        await account.close()


def peer_of(world: World, channel: WorldChannel) -> Peer:
    """A channel as the reader addresses it."""
    return Peer(id=channel.marked, access_hash=world.access_hash(READER, channel.number), username=channel.username)


async def until(true: Callable[[], object]) -> None:
    """Returns when it is so; a test that waits for more than two seconds fails."""
    async with asyncio.timeout(2):
        while not true():  # noqa: ASYNC110 - what is waited for knows nothing of tests
            await asyncio.sleep(0.005)
