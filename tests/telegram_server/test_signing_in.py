"""That people and bots sign in by every way there is, and what they are told when something is wrong."""

from __future__ import annotations

import asyncio

import pytest
from telethon import errors, functions

from tests.telegram_server.conftest import READER, Connect
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World


async def test_by_phone_and_code(world: World, connect: Connect) -> None:
    world.add_person(801, phone="+99966 1 2345", code="54321")
    client = await connect(None)
    await client.send_code_request("+9996612345")
    with pytest.raises(errors.PhoneCodeInvalidError):
        await client.sign_in("+9996612345", "11111")
    assert (await client.sign_in("+9996612345", "54321")).id == 801


async def test_a_number_without_an_account_is_not_let_in(connect: Connect) -> None:
    client = await connect(None)
    await client.send_code_request("+9996600001")
    with pytest.raises(errors.PhoneNumberUnoccupiedError):
        await client.sign_in("+9996600001", "22222")


async def test_a_second_password_is_proved_and_never_sent(
    world: World, server: TelegramServer, connect: Connect
) -> None:
    person = world.add_person(802, password="correct horse")  # noqa: S106
    client = await connect(None)
    await client.send_code_request(person.phone)
    with pytest.raises(errors.SessionPasswordNeededError):
        await client.sign_in(person.phone, person.code)
    with pytest.raises(errors.PasswordHashInvalidError):
        await client.sign_in(password="wrong horse")  # noqa: S106
    assert (await client.sign_in(password="correct horse")).id == 802  # noqa: S106
    assert not any(b"horse" in bytes(call.request) for call in server.calls)


@pytest.mark.parametrize("password", [None, "correct horse"])
async def test_by_qr_code(world: World, server: TelegramServer, connect: Connect, password: str | None) -> None:
    world.add_person(803, password=password)
    client = await connect(None)
    login = await client.qr_login()
    waiting = asyncio.create_task(login.wait(3))
    await asyncio.sleep(0.05)
    assert server.accept_login(login.url, 803)
    if password is not None:
        with pytest.raises(errors.SessionPasswordNeededError):
            await waiting
        await client.sign_in(password=password)
    else:
        await waiting
    assert (await client.get_me()).id == 803


async def test_by_a_qr_code_that_another_client_has_scanned(connect: Connect) -> None:
    client, scanner = await connect(None), await connect()
    login = await client.qr_login()
    waiting = asyncio.create_task(login.wait(3))
    await asyncio.sleep(0.05)
    await scanner(functions.auth.AcceptLoginTokenRequest(login.token))
    assert (await waiting).id == READER
    with pytest.raises(errors.AuthTokenInvalidError):
        await scanner(functions.auth.AcceptLoginTokenRequest(b"nothing"))


async def test_a_qr_code_that_nobody_has_shown_is_refused(server: TelegramServer) -> None:
    assert not server.accept_login("tg://login?token=bm90aGluZw", READER)


async def test_a_bot_by_its_token(world: World, connect: Connect) -> None:
    world.add_bot(900, token="900:secret", username="teller_demo_bot")  # noqa: S106
    client = await connect(None)
    with pytest.raises(errors.AccessTokenInvalidError):
        await client.sign_in(bot_token="900:other")  # noqa: S106
    me = await client.sign_in(bot_token="900:secret")  # noqa: S106
    assert (me.id, me.bot) == (900, True)


async def test_signing_out(connect: Connect) -> None:
    client = await connect()
    assert await client.is_user_authorized()
    await client.log_out()
    assert not client.is_connected()
