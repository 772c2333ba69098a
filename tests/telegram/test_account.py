"""An account over the real client: who is signed in, what a refusal means, and that nothing waits for ever."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from telethon.tl import functions, types

from bot.config import secrets
from bot.config.settings import Server, Telegram
from bot.config.values import Address
from bot.errors import (
    NoAccessError,
    NotSignedInError,
    RefusedError,
    UnreachableError,
    UnreadableError,
    WaitError,
)
from bot.telegram import pushes
from bot.telegram.account import Account, method_of
from bot.telegram.session import client_for
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

READER, CHANNEL = 777, 1001
HISTORY = "messages.getHistory"
STATE, CONFIG = "updates.getState", "help.getConfig"
Accounts = Callable[..., Account]


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    world = World()
    world.add_person(READER, username="reader_demo")
    world.add_channel(CHANNEL, username="alfa_demo", members=[READER]).post("Сирия")
    async with TelegramServer(world) as running:
        yield running


@pytest.fixture
async def account(server: TelegramServer, tmp_path: Path) -> AsyncIterator[Accounts]:
    """Makes accounts over one session, in which the reader is signed in."""
    key, session = tmp_path / "server.pem", tmp_path / "reader.session"
    key.write_text(server.public_key, "utf-8")
    server.sign_in_session(session, READER)
    made: list[Account] = []

    def make(*, proxy: secrets.Proxy | None = None, connected: list[str] | None = None, **known: Any) -> Account:
        address = Server.model_construct(address=Address(server.host, server.port), dc_id=server.dc, public_key=key)
        telegram = Telegram.model_construct(api_id=1, api_hash=SecretStr("0f0f"), server=address, proxy=proxy)
        told = None if connected is None else lambda: connected.append("connected")
        client = client_for(telegram, session, on_connect=told, pause=timedelta(milliseconds=10))
        made.append(Account(client, **known))
        return made[-1]

    yield make
    for one in made:
        await one.close()


def history(number: int = CHANNEL) -> Any:
    peer = types.InputPeerChannel(number, World().access_hash(READER, number))
    return functions.messages.GetHistoryRequest(peer, 0, None, 0, 10, 0, 0, 0)


def soon(milliseconds: int = 200) -> timedelta:
    return timedelta(milliseconds=milliseconds)


async def test_it_knows_whose_it_is_once_it_is_open(account: Accounts) -> None:
    reader = account()
    await reader.open()
    assert (reader.id, reader.name) == (READER, "@reader_demo")


async def test_somebody_without_a_username_goes_by_their_name(account: Accounts, server: TelegramServer) -> None:
    server.world.people[READER].username = None
    server.world.people[READER].first_name = "Rita"
    reader = account()
    await reader.open()
    assert reader.name == "Rita"


async def test_a_call_is_answered_and_waits_for_its_turn_under_telegrams_own_name_of_it(account: Accounts) -> None:
    turns = []

    async def turn(method: str) -> None:
        turns.append(method)

    reader = account(turn=turn)
    await reader.open()
    assert turns == []
    answer = await reader.call(history())
    assert [message.message for message in answer.messages if isinstance(message, types.Message)] == ["Сирия"]
    assert turns == [HISTORY]


async def test_who_counts_hears_of_each_call_that_is_made(account: Accounts) -> None:
    asked: list[str] = []

    async def turn(method: str) -> None:
        if method != HISTORY:
            raise PermissionError

    reader = account(asked=asked.append, turn=turn)
    await reader.open()
    await reader.call(history())
    with pytest.raises(PermissionError):
        await reader.call(functions.updates.GetStateRequest())
    async with reader.answering(CONFIG):  # as whoever sends does, who has no turn
        await reader.client(functions.help.GetConfigRequest())
    assert asked == ["users.getUsers", HISTORY, CONFIG]


def test_a_method_is_called_as_telegram_calls_it() -> None:
    assert method_of(history()) == HISTORY
    assert method_of(functions.updates.GetStateRequest()) == "updates.getState"
    assert method_of(functions.PingRequest(1)) == "ping"


async def test_a_session_that_was_ended_elsewhere_is_said_at_once(account: Accounts, server: TelegramServer) -> None:
    server.revoke(READER)
    with pytest.raises(NotSignedInError, match="vedette login"):
        await account().open()


async def test_a_session_that_the_server_has_forgotten_is_said_at_once(
    account: Accounts, server: TelegramServer
) -> None:
    reader = account()
    server.forget_keys()
    with pytest.raises(NotSignedInError, match="AuthKeyNotFound"):
        await reader.open()


@pytest.mark.parametrize(
    ("code", "why", "expected"),
    [
        (401, "SESSION_REVOKED", NotSignedInError),
        (401, "USER_DEACTIVATED_BAN", NotSignedInError),
        (406, "AUTH_KEY_DUPLICATED", NotSignedInError),
        (400, "CHANNEL_PRIVATE", NoAccessError),
        (406, "CHANNEL_PRIVATE", NoAccessError),
        (400, "CHANNEL_INVALID", NoAccessError),
        (403, "CHANNEL_PUBLIC_GROUP_NA", NoAccessError),
        (400, "USER_BANNED_IN_CHANNEL", NoAccessError),
        (403, "CHAT_FORBIDDEN", NoAccessError),
        (400, "USERNAME_NOT_OCCUPIED", RefusedError),
        (400, "A_WORD_OF_NEXT_YEAR", RefusedError),
        (420, "FROZEN_METHOD_INVALID", RefusedError),
        (420, "PEER_FLOOD", RefusedError),
        (403, "ALLOW_PAYMENT_REQUIRED_5", RefusedError),
    ],
)
async def test_a_refusal_is_told_by_telegrams_own_name_of_it(
    account: Accounts, server: TelegramServer, code: int, why: str, expected: type[Exception]
) -> None:
    reader = account()
    await reader.open()
    server.faults.refuse(HISTORY, code, why)
    with pytest.raises(expected, match=why) as told:
        await reader.call(history())
    assert getattr(told.value, "code", getattr(told.value, "why", why)) == why


async def test_a_wait_is_told_with_its_method_and_seconds(account: Accounts, server: TelegramServer) -> None:
    refused = []
    reader = account(refused=lambda method, seconds: refused.append((method, seconds)))
    await reader.open()
    server.faults.flood_wait(HISTORY, 33)
    with pytest.raises(WaitError) as told:
        await reader.call(history())
    assert (told.value.method, told.value.seconds) == (HISTORY, 33)
    assert refused == [(HISTORY, 33)]


async def test_the_slow_mode_of_one_chat_is_no_limit_of_the_account(account: Accounts, server: TelegramServer) -> None:
    refused = []
    reader = account(refused=lambda method, seconds: refused.append((method, seconds)))
    await reader.open()
    server.faults.refuse(HISTORY, 420, "SLOWMODE_WAIT_20")
    with pytest.raises(WaitError) as told:
        await reader.call(history())
    assert told.value.seconds == 20
    assert refused == []


async def test_an_answer_of_an_unknown_kind_is_said_to_be_unreadable(account: Accounts, server: TelegramServer) -> None:
    reader = account()
    await reader.open()
    server.faults.unknown_in_history()
    with pytest.raises(UnreadableError) as told:
        await reader.call(history())
    assert told.value.__suppress_context__  # what Telethon raises quotes the answer, posts and all


async def test_a_call_without_an_answer_ends(account: Accounts, server: TelegramServer) -> None:
    reader = account(timeout=soon())
    await reader.open()
    server.faults.swallow(HISTORY)
    with pytest.raises(UnreachableError, match="in time"):
        await reader.call(history())
    await reader.call(history())


async def test_a_server_that_never_says_anything_ends_opening(account: Accounts, server: TelegramServer) -> None:
    server.faults.hang()
    with pytest.raises(UnreachableError, match="in time"):
        await account(timeout=soon()).open()


async def test_a_server_that_is_not_there_ends_opening(account: Accounts, server: TelegramServer) -> None:
    reader = account()
    await server.stop_listening()
    with pytest.raises(UnreachableError):
        await reader.open()
    await asyncio.wait_for(reader.closed(), 1)


async def test_what_is_pending_when_the_client_closes_is_unknown_and_not_cancelled(
    account: Accounts, server: TelegramServer
) -> None:
    """Telethon cancels the futures of pending calls, and a loop that believed it would end in silence."""
    reader = account()
    await reader.open()
    server.faults.swallow(HISTORY)
    pending = asyncio.create_task(reader.call(history()))
    await asyncio.sleep(0.05)
    await reader.close()
    with pytest.raises(UnreachableError, match="broke"):
        await pending
    assert not pending.cancelled()


async def test_a_call_that_is_cancelled_is_cancelled(account: Accounts, server: TelegramServer) -> None:
    reader = account()
    await reader.open()
    server.faults.swallow(HISTORY)
    pending = asyncio.create_task(reader.call(history()))
    await asyncio.sleep(0.05)
    pending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pending


async def test_opening_is_cancelled_at_any_moment(account: Accounts) -> None:
    """What Telethon waits with takes a cancellation for an end of what it waits for, if the two come together."""
    for moment in range(120):
        opening = asyncio.create_task(account().open())
        for _ in range(moment):
            await asyncio.sleep(0)
        if not opening.cancel():
            break
        await asyncio.wait([opening], timeout=3)
        assert opening.cancelled(), moment


async def test_a_link_that_breaks_mends_itself_and_is_told_of(account: Accounts, server: TelegramServer) -> None:
    connected: list[str] = []
    reader = account(connected=connected)
    await reader.open()
    assert connected == ["connected"]
    lost = asyncio.create_task(reader.closed())
    server.faults.cut_before(HISTORY)
    await reader.call(history())
    assert connected == ["connected", "connected"]
    assert not lost.done()
    await reader.close()
    await asyncio.wait_for(lost, 1)


async def test_a_link_that_is_cut_a_few_times_is_mended_at_once(account: Accounts, server: TelegramServer) -> None:
    reader = account()
    await reader.open()
    begun = time.monotonic()
    for _ in range(3):
        server.faults.cut_before(HISTORY)
        await reader.call(history())
    assert time.monotonic() - begun < 0.25


async def test_a_peer_that_talks_rubbish_is_not_called_again_and_again(
    account: Accounts, server: TelegramServer
) -> None:
    calls: list[str] = []

    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append("call")
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    reader = account()
    await reader.open()
    port = server.port
    await server.stop_listening()
    async with await asyncio.start_server(babble, "127.0.0.1", port):
        server.cut()
        await asyncio.sleep(0.15)
        assert len(calls) == 3
        await reader.close()
        # Nor once more, after the pause, by a client that nobody wants any more.
        await asyncio.sleep(0.3)
        assert len(calls) == 3


async def test_it_is_closed_when_the_link_is_lost_for_good(account: Accounts, server: TelegramServer) -> None:
    reader = account()
    await reader.open()
    lost = asyncio.create_task(reader.closed())
    await asyncio.sleep(0)
    await server.stop_listening()
    server.cut()
    await asyncio.wait_for(lost, 3)
    assert reader.ended_by() is None
    with pytest.raises(UnreachableError):
        await reader.call(history())


async def test_it_is_closed_when_the_session_is_forgotten_while_the_link_was_down(
    account: Accounts, server: TelegramServer
) -> None:
    reader = account()
    await reader.open()
    server.forget_keys()
    server.cut()
    await asyncio.wait_for(reader.closed(), 3)
    assert isinstance(reader.ended_by(), NotSignedInError)
    assert reader.signed_out == "AuthKeyNotFound"


async def test_it_is_closed_when_the_library_dies_of_an_update(account: Accounts, server: TelegramServer) -> None:
    reader = account()
    await reader.open()
    server.world.channels[CHANNEL].post("Дамаск")
    await asyncio.sleep(0.05)
    server.faults.channel_too_long()
    server.faults.unknown_in_difference()
    server.world.channels[CHANNEL].post("Хомс")
    await asyncio.wait_for(reader.closed(), 3)
    assert isinstance(reader.ended_by(), UnreadableError)


async def test_it_says_which_of_its_ends_a_session_has_met(account: Accounts, server: TelegramServer) -> None:
    """Telethon takes each of them for nobody being signed in."""
    server.revoke(READER, "USER_DEACTIVATED_BAN")
    reader = account()
    with pytest.raises(NotSignedInError, match=r"closed .* \(USER_DEACTIVATED_BAN\); .* vedette login as another one"):
        await reader.open()
    assert reader.signed_out == "USER_DEACTIVATED_BAN"


async def test_it_is_heard_of_each_answer_refusals_too_and_of_no_silence(
    account: Accounts, server: TelegramServer
) -> None:
    heard: list[str] = []
    reader = account(timeout=soon())
    await reader.open()
    reader.heard = lambda: heard.append("heard")
    await reader.call(history())
    server.faults.refuse(HISTORY, 400, "MSG_ID_INVALID")
    with pytest.raises(RefusedError):
        await reader.call(history())
    server.faults.unknown_in_history(times=1)
    with pytest.raises(UnreadableError):
        await reader.call(history())
    assert heard == ["heard"] * 3
    server.faults.swallow(HISTORY)
    with pytest.raises(UnreachableError):
        await reader.call(history())
    assert heard == ["heard"] * 3


async def test_a_link_that_is_closed_while_the_key_is_made_is_no_answer(tmp_path: Path) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    peer = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = peer.sockets[0].getsockname()[1]
    address = Server.model_construct(address=Address("127.0.0.1", port), dc_id=2, public_key=None)
    telegram = Telegram.model_construct(api_id=1, api_hash=SecretStr("0f0f"), server=address, proxy=None)
    client = client_for(telegram, tmp_path / "new.session", signing_in=True, pause=timedelta(milliseconds=10))
    async with peer:
        with pytest.raises(UnreachableError, match="IncompleteReadError"):
            await Account(client, timeout=timedelta(seconds=5)).open()


@pytest.mark.parametrize("held", [{STATE}, {STATE, CONFIG}])
async def test_a_probe_does_not_wait_for_what_may_not_be_asked(
    account: Accounts, server: TelegramServer, held: set[str]
) -> None:
    async def turn(method: str) -> None:
        if method in held:
            await asyncio.sleep(3600)

    reader = account(turn=turn)
    await reader.open()
    before = server.count(STATE), server.count(CONFIG)
    if CONFIG in held:
        with pytest.raises(WaitError):
            await reader.probe(soon())
    else:
        await reader.probe(soon())
        before = before[0], before[1] + 1
        server.faults.hang()
        with pytest.raises(UnreachableError):
            await reader.probe(soon())
    assert (server.count(STATE), server.count(CONFIG)) == before


async def test_a_probe_waits_no_longer_than_it_is_told_to(account: Accounts, server: TelegramServer) -> None:
    reader = account()
    await reader.open()
    await reader.probe(soon())
    server.faults.swallow("updates.getState")
    with pytest.raises(UnreachableError, match=r"in time \(updates.getState\)"):
        await reader.probe(soon())


async def test_the_library_still_has_the_loops_that_are_looked_after(account: Accounts) -> None:
    """They have no public names; without them a client that has gone deaf would be taken for a quiet one."""
    reader = account()
    assert reader.client._updates_error is None
    assert reader._loops() == []
    await reader.open()
    assert [loop.done() for loop in reader._loops()] == [False, False]
    assert reader.ended_by() is None


@pytest.mark.parametrize("loop", ["_updates_handle", "_keepalive_handle"])
async def test_it_is_closed_when_a_loop_of_the_library_ends(account: Accounts, loop: str) -> None:
    reader = account()
    await reader.open()
    lost = asyncio.create_task(reader.closed())
    await asyncio.sleep(0)
    getattr(reader.client, loop).cancel()
    await asyncio.wait_for(lost, 1)
    assert reader.client.is_connected()


@pytest.mark.parametrize(("pushed", "asked"), [(True, 1), (False, 0)])
async def test_who_wants_no_pushes_does_not_catch_up_on_them(
    account: Accounts, server: TelegramServer, *, pushed: bool, asked: int
) -> None:
    reader = account(pushed=pushed)
    await reader.open()
    await asyncio.sleep(0.05)
    before = server.count("updates.getDifference")
    await pushes.catch_up(reader)
    await asyncio.sleep(0.05)
    assert server.count("updates.getDifference") == before + asked


async def test_closing_twice_leaves_the_session_to_who_has_it_open_now(account: Accounts) -> None:
    reader = account()
    await reader.open()
    await reader.close()
    following = account()
    await following.open()
    begun = time.monotonic()
    await reader.close()
    assert time.monotonic() - begun < 0.1


async def test_the_session_is_the_same_at_the_next_start(account: Accounts, server: TelegramServer) -> None:
    for _ in range(2):
        reader = account()
        await reader.open()
        await reader.close()
    assert len(server.keys) == 1


async def test_a_proxy_that_is_not_there_means_no_link_at_all(account: Accounts, server: TelegramServer) -> None:
    for kind in ("socks5", "http"):
        reader = account(proxy=secrets.proxy(f"{kind}://127.0.0.1:{_closed_port()}"))
        with pytest.raises(UnreachableError):
            await reader.open()
    assert not server.calls
    assert not server.connections


async def test_a_socks5_proxy_carries_the_link(account: Accounts, server: TelegramServer) -> None:
    asked: list[bytes] = []
    async with await asyncio.start_server(_socks5(server.port, asked), "127.0.0.1", 0) as serving:
        reader = account(proxy=secrets.proxy(f"socks5://u:p@127.0.0.1:{serving.sockets[0].getsockname()[1]}"))
        await reader.open()
        await reader.close()
    assert reader.id == READER
    assert asked == [b"u", b"p"]


async def test_a_proxy_that_refuses_is_told_and_not_gone_around(account: Accounts, server: TelegramServer) -> None:
    async with await asyncio.start_server(_refusing, "127.0.0.1", 0) as serving:
        proxy = secrets.proxy(f"socks5://127.0.0.1:{serving.sockets[0].getsockname()[1]}")
        with pytest.raises(UnreachableError):
            await account(proxy=proxy).open()
    assert not server.calls


def _closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _socks5(port: int, asked: list[bytes]) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """A proxy that asks for a password (https://www.rfc-editor.org/rfc/rfc1929) and leads to this port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly((await reader.readexactly(2))[1])
        writer.write(b"\x05\x02")
        name = await reader.readexactly((await reader.readexactly(2))[1])
        asked.extend((name, await reader.readexactly((await reader.readexactly(1))[0])))
        writer.write(b"\x01\x00")
        await reader.readexactly(10)  # connect, to a v4 address
        writer.write(b"\x05\x00\x00\x01" + bytes(6))
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_carry(reader, back), _carry(there, writer))

    return serve


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(4096):
        writer.write(data)
    writer.close()


async def _refusing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A proxy to which no way of showing who one is will do."""
    await reader.readexactly(3)
    writer.write(b"\x05\xff")
    await writer.drain()
    writer.close()
