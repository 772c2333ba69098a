"""That the unpatched client talks to it over every transport, agrees on a key, and is told what Telegram would tell."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from telethon import TelegramClient, functions, types
from telethon.crypto import rsa
from telethon.errors import AuthKeyNotFound
from telethon.network import (
    ConnectionTcpAbridged,
    ConnectionTcpFull,
    ConnectionTcpIntermediate,
    ConnectionTcpObfuscated,
)
from telethon.sessions import SQLiteSession
from telethon.tl.alltlobjects import LAYER

from tests.telegram_server.conftest import READER, Connect, until
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (ConnectionTcpFull, "full"),
        (ConnectionTcpAbridged, "abridged"),
        (ConnectionTcpIntermediate, "intermediate"),
        (ConnectionTcpObfuscated, "abridged"),
    ],
)
async def test_a_key_is_agreed_on_over_every_transport(
    server: TelegramServer, connect: Connect, kind: type, name: str
) -> None:
    client = await connect(None, connection=kind)
    assert {one.transport for one in server.connections} == {name}
    assert len(server.keys) == 1
    assert (await client(functions.help.GetConfigRequest())).this_dc == server.dc


async def test_a_client_tells_its_layer(server: TelegramServer, connect: Connect) -> None:
    await connect()
    assert {key.layer for key in server.keys.values()} == {LAYER}
    assert server.calls[0].method == "help.getConfig"


async def test_nobody_is_served_who_has_not_signed_in(server: TelegramServer, connect: Connect) -> None:
    client = await connect(None)
    assert await client.get_me() is None
    assert server.calls[-1].person is None


async def test_a_key_that_the_server_does_not_know_is_refused(server: TelegramServer, connect: Connect) -> None:
    client = await connect()
    await client.disconnect()
    server.forget_keys()
    with pytest.raises(AuthKeyNotFound):
        await client.connect()
    with pytest.raises(AuthKeyNotFound):
        await client.disconnected


async def test_each_connection_is_a_new_session(server: TelegramServer, connect: Connect) -> None:
    client = await connect()
    server.cut()
    await until(lambda: len(server.sessions) == 2)
    assert (await client.get_me()).id == READER


async def test_a_long_request_may_come_packed(server: TelegramServer, connect: Connect) -> None:
    client = await connect()
    await client(functions.messages.SendMessageRequest(types.InputPeerSelf(), "again " * 500))
    assert server.sent[0].text == "again " * 500


@pytest.mark.usefixtures("server")
async def test_a_client_that_declines_updates_gets_none(world: World, connect: Connect) -> None:
    seen: list[Any] = []
    channel = world.add_channel(6, members=[READER])
    quiet, open_one = await connect(receive_updates=False), await connect()

    async def take(update: Any) -> None:
        seen.append(update)

    quiet.add_event_handler(take)
    other: list[Any] = []

    async def heard(update: Any) -> None:
        other.append(update)

    open_one.add_event_handler(heard)
    channel.post("news")
    await until(lambda: other)
    assert not seen


async def test_a_revoked_session_is_refused_until_it_is_restored(server: TelegramServer, connect: Connect) -> None:
    client = await connect()
    server.revoke(READER)
    assert await client.get_me() is None
    server.restore(READER)
    assert (await client.get_me()).id == READER


async def test_a_server_that_has_stopped_listening_can_listen_again(server: TelegramServer, connect: Connect) -> None:
    client = await connect(connection_retries=100)
    await server.stop_listening()
    server.cut()
    await asyncio.sleep(0.1)
    assert not server.connections
    await server.listen_again()
    assert (await asyncio.wait_for(client.get_me(), 5)).id == READER


async def test_the_keys_of_an_earlier_server_keep_clients_signed_in(world: World, tmp_path: Path) -> None:
    session = tmp_path / "reader.session"
    async with TelegramServer(world) as first:
        rsa.add_key(first.public_key, old=False)
        first.sign_in_session(session, READER)
    assert session.stat().st_mode & 0o777 == 0o600
    async with TelegramServer(world, port=first.port, keys=first.keys):
        client = TelegramClient(SQLiteSession(str(session)), 1, "hash")
        await client.connect()
        assert (await client.get_me()).id == READER
        await client.disconnect()


async def test_a_defect_of_the_server_is_raised_in_the_end(world: World) -> None:
    server = TelegramServer(world)
    with pytest.raises(ZeroDivisionError):
        async with server:
            server.defects.append(ZeroDivisionError())
