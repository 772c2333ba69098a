"""A bot and a reader who send at the loopback server, for tests of what is sent through an account."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bot.config.settings import Server, Telegram
from bot.config.values import Address
from bot.model import Destination, Entity, Peer
from bot.ports import Forward, Lane, Outgoing
from bot.render.richtext import Message
from bot.storage.database import Database
from bot.telegram.account import Account
from bot.telegram.sender import TelegramSender
from bot.telegram.session import client_for
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

READER, BOT = 777, 900
TOKEN = f"{BOT}:SECRET-of-the-bot"
STRANGER = 801
_PATIENCE = timedelta(seconds=10)
_numbers = count(1)


def telegram_of(server: TelegramServer, folder: Path) -> Telegram:
    """How a configuration names this server."""
    key = folder / "server.pem"
    key.write_text(server.public_key, "utf-8")
    address = Server.model_construct(address=Address(server.host, server.port), dc_id=server.dc, public_key=key)
    return Telegram.model_construct(api_id=1, api_hash=SecretStr("0f0f"), server=address, proxy=None)


@asynccontextmanager
async def sending_at(
    server: TelegramServer, folder: Path, person: int, patience: timedelta = _PATIENCE
) -> AsyncIterator[Account]:
    """An account without pushes, open; ``patience``: how long it waits for an answer."""
    session = folder / f"{person}-{next(_numbers)}.session"
    server.sign_in_session(session, person)
    client = client_for(telegram_of(server, folder), session, updates=False, pause=timedelta(milliseconds=10))
    account = Account(client, timeout=patience, pushed=False)
    await account.open()
    try:
        yield account
    finally:
        await account.close()


def outgoing(destination: Destination, text: str = "Дамаск: новости", **known: Any) -> Outgoing:
    """A message in which the first word is bold."""
    message = Message(text, (Entity("bold", 0, len(text.split(maxsplit=1)[0])),))
    told: dict[str, Any] = {"id": 1, "lane": Lane.ALERT, "random_id": 5, "message": message, **known}
    return Outgoing(destination=destination, **told)


def forward(channel: int, username: str | None, *numbers: int) -> Forward:
    """Those numbers of a channel, as bare id."""
    return Forward(
        channel=-1_000_000_000_000 - channel,
        username=username,
        numbers=numbers,
        random_ids=tuple(100 + number for number in numbers),
        excerpt=Message("An excerpt of it"),
    )


@dataclass
class Scene:
    """A bot and a reader, both in a group, and a channel whose posts can be forwarded."""

    server: TelegramServer
    database: Database
    group: WorldChannel
    news: WorldChannel
    open: Callable[..., Awaitable[Account]]
    reader_id: int | None = READER

    async def bot(self, patience: timedelta = _PATIENCE) -> TelegramSender:
        account = await self.open(BOT, patience)
        return TelegramSender(account, self.database, me=lambda: self.reader_id, mine=None)

    async def reader(self) -> TelegramSender:
        async def mine() -> Mapping[int, Peer]:
            hashes = {one.marked: self.world.access_hash(READER, one.number) for one in self.world.joined(READER)}
            return {id_: Peer(id=id_, access_hash=given) for id_, given in hashes.items()}

        return TelegramSender(await self.open(READER), self.database, me=lambda: READER, mine=mine)

    @property
    def world(self) -> World:
        return self.server.world

    @property
    def texts(self) -> list[str]:
        return [one.text for one in self.server.sent]


def peopled() -> World:
    """A reader, a stranger, and a bot that the reader has started."""
    world = World(1)
    world.add_person(READER)
    world.add_person(STRANGER, username="stranger_demo")
    world.add_bot(BOT, token=TOKEN, username="teller_demo_bot", started_by=[READER])
    return world


@asynccontextmanager
async def on_stage(server: TelegramServer, folder: Path) -> AsyncIterator[Scene]:
    """In a world that is `peopled`."""
    group = server.world.add_channel(8, username="desk_demo", megagroup=True, members=[READER, BOT])
    group.post("Welcome")  # whose number, 1, is that of no topic but the first
    news = server.world.add_channel(5, username="lantern_demo", members=[READER])
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database.opened(folder))

        async def opened(person: int, patience: timedelta = _PATIENCE) -> Account:
            return await stack.enter_async_context(sending_at(server, folder, person, patience))

        yield Scene(server, database, group, news, opened)
