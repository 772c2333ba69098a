"""What the library asks without being told to: counted, held back, and its waits taken note of."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pydantic import SecretStr
from telethon import events
from telethon.tl import functions, types

from bot.config.settings import Server, Telegram
from bot.config.values import Address
from bot.errors import WaitError
from bot.quota import Quota
from bot.storage.database import Database
from bot.telegram.account import Account
from bot.telegram.session import ByItself, client_for
from tests.clocks import HandClock
from tests.telegram.reading import READER, until
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

CHANNEL_DIFFERENCE = "updates.getChannelDifference"
NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)


class Listening:
    """Whoever is asked; it lets everything pass but what ``held`` holds back for a minute."""

    def __init__(self, *held: str) -> None:
        self.held = set(held)
        self.asked: list[str] = []
        self.waits: list[tuple[str, int]] = []

    def unasked(self, method: str) -> timedelta:
        self.asked.append(method)
        return timedelta(seconds=59.5) if method in self.held else timedelta(0)

    def refused(self, method: str, seconds: int) -> None:
        self.waits.append((method, seconds))


@asynccontextmanager
async def reader(server: TelegramServer, folder: Path, unasked: Any, refused: Any) -> AsyncIterator[Account]:
    key, session = folder / "server.pem", folder / "reader.session"
    key.write_text(server.public_key, "utf-8")
    server.sign_in_session(session, READER)
    address = Server.model_construct(address=Address(server.host, server.port), dc_id=server.dc, public_key=key)
    telegram = Telegram.model_construct(api_id=1, api_hash=SecretStr("0f0f"), server=address, proxy=None)
    by_itself = ByItself(unasked, refused)
    client = client_for(telegram, session, by_itself=by_itself, pause=timedelta(milliseconds=10))
    account = Account(client, refused=refused)
    try:
        await account.open()
        yield account
    finally:
        await account.close()


async def gap(account: Account, world: World) -> list[Any]:
    """A push that shows that another was lost before it, and what is heard of the channel from then on."""
    channel = world.add_channel(5, username="lantern_demo", members=[READER])
    heard: list[Any] = []

    async def hear(update: Any) -> None:
        heard.append(update)

    account.client.add_event_handler(hear, events.Raw(types=[types.UpdateNewChannelMessage]))
    channel.post("one")
    await until(lambda: heard)
    channel.post("two, lost", push=False)
    channel.post("three")
    return heard


@pytest.fixture
def world() -> World:
    world = World(1)
    world.add_person(READER)
    return world


async def test_what_connecting_asks_is_counted(server: TelegramServer, tmp_path: Path) -> None:
    ears = Listening()
    async with reader(server, tmp_path, ears.unasked, ears.refused):
        assert sorted(ears.asked) == sorted(call.method for call in server.calls)


async def test_what_we_ask_is_not_counted_twice(server: TelegramServer, world: World, tmp_path: Path) -> None:
    ears = Listening()
    async with reader(server, tmp_path, ears.unasked, ears.refused) as account:
        before = list(ears.asked)
        await account.call(functions.updates.GetStateRequest())
        await account.call(
            functions.users.GetUsersRequest([types.InputUser(READER, world.access_hash(READER, READER))])
        )
        assert ears.asked == before


async def test_pushes_are_not_acknowledged_one_by_one(server: TelegramServer, world: World, tmp_path: Path) -> None:
    """As the library does it once it has something else to say."""
    ears = Listening()
    heard: list[Any] = []
    channel = world.add_channel(6, username="beacon_demo", members=[READER])
    async with reader(server, tmp_path, ears.unasked, ears.refused) as account:
        account.client.add_event_handler(heard.append, events.Raw(types.UpdateNewChannelMessage))
        link = account.client._sender._connection
        packets, began = link._codec._send_counter, time.monotonic()
        for number in range(200):
            channel.post(f"post {number}")
            if number % 20 == 0:
                await account.call(functions.updates.GetStateRequest())
            await asyncio.sleep(0)
        await until(lambda: len(heard) == 200)
        assert link._codec._send_counter - packets <= (time.monotonic() - began) / 0.005 + 2


async def test_a_difference_is_counted_and_brings_what_was_lost(
    server: TelegramServer, world: World, tmp_path: Path
) -> None:
    ears = Listening()
    async with reader(server, tmp_path, ears.unasked, ears.refused) as account:
        heard = await gap(account, world)
        await until(lambda: [update.message.message for update in heard] == ["one", "two, lost", "three"])
    assert ears.asked.count(CHANNEL_DIFFERENCE) == server.count(CHANNEL_DIFFERENCE) == 1


async def test_a_difference_beyond_the_budget_is_not_asked_and_pushes_go_on(
    server: TelegramServer, world: World, tmp_path: Path
) -> None:
    ears = Listening(CHANNEL_DIFFERENCE)
    async with reader(server, tmp_path, ears.unasked, ears.refused) as account:
        heard = await gap(account, world)
        await until(lambda: CHANNEL_DIFFERENCE in ears.asked)
        other = world.add_channel(6, username="beacon_demo", members=[READER])
        other.post("at once")
        await until(lambda: heard[-1].message.message == "at once")
    assert server.count(CHANNEL_DIFFERENCE) == 0
    assert ears.waits == []


async def test_a_wait_that_a_difference_is_answered_with_is_taken_note_of(
    server: TelegramServer, world: World, tmp_path: Path
) -> None:
    ears = Listening()
    server.faults.flood_wait(CHANNEL_DIFFERENCE, 77)
    async with reader(server, tmp_path, ears.unasked, ears.refused) as account:
        await gap(account, world)
        await until(lambda: ears.waits)
    assert ears.waits == [(CHANNEL_DIFFERENCE, 77)]


async def test_a_wait_for_who_we_are_is_obeyed_at_the_next_connection(server: TelegramServer, tmp_path: Path) -> None:
    clock = HandClock(NOON)
    async with Database.opened(tmp_path) as database:
        quota = await Quota.opened(database, clock, Random(1))  # noqa: S311 - it spreads waits
        quota.refused("users.getUsers", 40)
        until = quota.waiting(NOON)["users.getUsers"]
        with pytest.raises(WaitError):
            async with reader(server, tmp_path, quota.unasked, quota.refused):
                pass
        assert server.count("users.getUsers") == 0
        assert quota.waiting(NOON)["users.getUsers"] == until
        clock.set(until)
        async with reader(server, tmp_path, quota.unasked, quota.refused):
            assert server.count("users.getUsers") > 0
        await quota.settled()


@pytest.mark.parametrize("method", ["help.getConfig", "updates.getState"])
async def test_a_wait_at_connecting_is_obeyed_by_the_next_process_too(
    server: TelegramServer, tmp_path: Path, method: str
) -> None:
    server.faults.flood_wait(method, 3600, times=None)
    async with Database.opened(tmp_path) as database:
        for _ in range(3):
            quota = await Quota.opened(database, HandClock(NOON), Random(1))  # noqa: S311 - it spreads waits
            with pytest.raises(WaitError, match=method):
                async with reader(server, tmp_path, quota.unasked, quota.refused):
                    pass
            assert list(quota.waiting(NOON)) == [method]
            await quota.settled()
    assert server.count(method) == 1
