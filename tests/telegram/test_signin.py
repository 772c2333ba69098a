"""Signing in, step by step, with a person who mistypes, forgets and comes late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.config.settings import Server, Telegram
from bot.config.values import Address
from bot.errors import ConfigError, NotSignedInError, RefusedError, WaitError
from bot.telegram.account import Account
from bot.telegram.session import client_for
from bot.telegram.signin import Prompts, by_phone, by_qr, press_start, sign_in_bot
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

READER, BOT = 777, 555
PHONE, CODE, PASSWORD = "+999 66 200777", "22222", "white horse"
TOKEN, OTHERS = f"{BOT}:SECRET-of-the-bot", "556:SECRET-of-another"
ASKED = "code in Telegram, on a device that is signed in"
New = Callable[[], Account]


class Person:
    """Somebody who answers what stands on a list, and remembers what was asked and told."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.heard: list[str] = []
        self.links: asyncio.Queue[str] = asyncio.Queue()
        self.prompts = Prompts(
            phone=lambda: self._answer("phone"),
            code=lambda where: self._answer(f"code {where}"),
            password=lambda hint: self._answer(f"password, {hint}"),
            show=self.links.put_nowait,
            tell=self.heard.append,
        )

    def _answer(self, question: str) -> str:
        self.heard.append(question)
        return self.answers.pop(0)


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    world = World()
    world.add_person(READER, phone=PHONE, code=CODE, username="reader_demo")
    world.add_bot(BOT, token=TOKEN, username="desk_demo_bot", started_by=[])
    world.add_bot(556, token=OTHERS, username="other_demo_bot", started_by=[])
    async with TelegramServer(world) as running:
        yield running


@pytest.fixture
async def new(server: TelegramServer, tmp_path: Path) -> AsyncIterator[New]:
    """Makes accounts, each over the same session."""
    key = tmp_path / "server.pem"
    key.write_text(server.public_key, "utf-8")
    made: list[Account] = []

    def make() -> Account:
        address = Server.model_construct(address=Address(server.host, server.port), dc_id=server.dc, public_key=key)
        telegram = Telegram.model_construct(api_id=1, api_hash=SecretStr("0f0f"), server=address, proxy=None)
        made.append(Account(client_for(telegram, tmp_path / "one.session", signing_in=True)))
        return made[-1]

    yield make
    for one in made:
        await one.close()


@pytest.fixture
async def reader(new: New) -> Account:
    """An account that is connected, and in which nobody is signed in."""
    account = new()
    assert not await account.reach()
    return account


async def test_a_phone_and_a_code_sign_in_for_good(reader: Account, new: New) -> None:
    person = Person(PHONE, CODE)
    await by_phone(reader, person.prompts)
    assert person.heard == ["phone", ASKED]
    await reader.close()
    again = new()
    await again.open()
    assert (again.id, again.name) == (READER, "@reader_demo")


async def test_a_password_is_asked_for_where_there_is_one(reader: Account, server: TelegramServer) -> None:
    server.world.people[READER].password = PASSWORD
    person = Person(PHONE, "22-222 ", "", "black horse", PASSWORD)
    await by_phone(reader, person.prompts)
    wrong = "the password is wrong"
    question = person.heard[2]
    assert question.startswith("password")
    assert person.heard[2:] == [question, wrong, question, wrong, question]
    assert await reader.reach()


async def test_the_third_wrong_password_ends_it(reader: Account, server: TelegramServer) -> None:
    server.world.people[READER].password = PASSWORD
    with pytest.raises(NotSignedInError, match="the password is wrong"):
        await by_phone(reader, Person(PHONE, CODE, "a", "b", "c", PASSWORD).prompts)
    assert not await reader.reach()


async def test_a_mistyped_phone_is_asked_for_again(reader: Account, server: TelegramServer) -> None:
    person = Person("my phone", "12", PHONE, CODE)
    await by_phone(reader, person.prompts)
    told = "Telegram knows no such phone number; write it with its country code, as in +44 …"
    assert person.heard == ["phone", told, "phone", told, "phone", ASKED]
    assert server.count("auth.sendCode") == 2


async def test_a_wrong_code_is_asked_for_again_and_none_is_not_sent(reader: Account, server: TelegramServer) -> None:
    person = Person(PHONE, "", "11111", CODE)
    await by_phone(reader, person.prompts)
    assert person.heard == ["phone", ASKED, "the code is wrong", ASKED, "the code is wrong", ASKED]
    assert (server.count("auth.sendCode"), server.count("auth.signIn")) == (1, 2)


async def test_the_third_wrong_code_ends_it(reader: Account) -> None:
    person = Person(PHONE, "1", "2", "3", CODE)
    with pytest.raises(NotSignedInError, match="the code is wrong"):
        await by_phone(reader, person.prompts)
    assert person.answers == [CODE]


async def test_for_a_code_that_has_expired_another_is_sent(reader: Account, server: TelegramServer) -> None:
    server.faults.refuse("auth.signIn", 400, "PHONE_CODE_EXPIRED")
    person = Person(PHONE, CODE, CODE)
    await by_phone(reader, person.prompts)
    assert person.heard == ["phone", ASKED, "the code has expired; Telegram sends another one", ASKED]
    assert server.count("auth.sendCode") == 2


async def test_a_number_that_nobody_has_is_said(reader: Account) -> None:
    with pytest.raises(NotSignedInError, match="no account has this phone number"):
        await by_phone(reader, Person("+99966200778", CODE).prompts)


@pytest.mark.parametrize(
    ("code", "why", "told"),
    [
        (400, "PHONE_NUMBER_BANNED", "banned this phone number"),
        (400, "PHONE_PASSWORD_FLOOD", "try again tomorrow"),
        (400, "UPDATE_APP_TO_LOGIN", r"Telegram refuses \(UPDATE_APP_TO_LOGIN\)"),
    ],
)
async def test_what_cannot_be_mended_by_typing_ends_it(
    reader: Account, server: TelegramServer, code: int, why: str, told: str
) -> None:
    server.faults.refuse("auth.sendCode", code, why)
    with pytest.raises(NotSignedInError, match=told) as raised:
        await by_phone(reader, Person(PHONE).prompts)
    assert PHONE not in str(raised.value)


async def test_wrong_credentials_of_the_program_are_the_configurations(reader: Account, server: TelegramServer) -> None:
    server.faults.refuse("auth.sendCode", 400, "API_ID_INVALID")
    with pytest.raises(ConfigError, match="API_ID_INVALID"):
        await by_phone(reader, Person(PHONE).prompts)


async def test_a_wait_is_told_as_one(reader: Account, server: TelegramServer) -> None:
    server.faults.flood_wait("auth.sendCode", 4000)
    with pytest.raises(WaitError) as told:
        await by_phone(reader, Person(PHONE).prompts)
    assert told.value.seconds == 4000


async def test_a_scanned_code_signs_in_and_is_renewed_until_then(reader: Account, server: TelegramServer) -> None:
    person = Person()
    signing = asyncio.create_task(by_qr(reader, person.prompts, shown=timedelta(seconds=0.1)))
    first, second = await person.links.get(), await person.links.get()
    assert first != second
    assert server.accept_login(second, READER)
    await asyncio.wait_for(signing, 3)
    assert await reader.reach()


async def test_after_a_scanned_code_the_password_is_asked_for(reader: Account, server: TelegramServer) -> None:
    server.world.people[READER].password = PASSWORD
    person = Person(PASSWORD)
    signing = asyncio.create_task(by_qr(reader, person.prompts))
    server.accept_login(await person.links.get(), READER)
    await asyncio.wait_for(signing, 3)
    assert await reader.reach()


async def test_a_code_that_nobody_scans_ends_it(reader: Account) -> None:
    person = Person()
    with pytest.raises(NotSignedInError, match="nobody scanned the code"):
        await by_qr(reader, person.prompts, shown=timedelta(seconds=0.02), times=3)
    assert person.links.qsize() == 3


async def test_a_code_that_is_scanned_as_it_is_renewed_signs_in(reader: Account, server: TelegramServer) -> None:
    """Then nothing is pushed while somebody listens; the answer to the renewal says it."""
    person = Person()
    server.faults.slow("auth.exportLoginToken", 0.1, times=2)
    signing = asyncio.create_task(by_qr(reader, person.prompts, shown=timedelta(seconds=0.02)))
    link = await person.links.get()
    await asyncio.sleep(0.06)
    assert server.count("auth.exportLoginToken") == 2
    server.accept_login(link, READER)
    await asyncio.wait_for(signing, 3)
    assert await reader.reach()
    assert person.links.empty()


async def test_a_bot_signs_in_by_its_token_once(new: New, server: TelegramServer) -> None:
    for _ in range(2):
        bot = new()
        await sign_in_bot(bot.client, TOKEN)
        assert await bot.reach()
        assert (bot.id, bot.name) == (BOT, "@desk_demo_bot")
        await bot.close()
    assert server.count("auth.importBotAuthorization") == 1


async def test_a_session_of_another_bot_is_not_taken_for_this_one(new: New) -> None:
    bot = new()
    await sign_in_bot(bot.client, OTHERS)
    with pytest.raises(NotSignedInError, match="that of @other_demo_bot") as told:
        await sign_in_bot(bot.client, TOKEN)
    assert "SECRET" not in str(told.value)


async def test_a_wrong_token_is_said_and_not_shown(new: New) -> None:
    with pytest.raises(NotSignedInError, match="does not know the bot_token") as told:
        await sign_in_bot(new().client, "555:SECRET-no-more")
    assert "SECRET" not in str(told.value)


async def test_start_is_pressed_as_a_person_would(reader: Account, server: TelegramServer) -> None:
    await by_phone(reader, Person(PHONE, CODE).prompts)
    await press_start(reader, "@desk_demo_bot")
    assert [standing.text for standing in server.world.people[BOT].messages.values()] == ["/start"]


async def test_start_of_a_bot_that_is_not_there_is_refused(reader: Account) -> None:
    await by_phone(reader, Person(PHONE, CODE).prompts)
    with pytest.raises(RefusedError, match="USERNAME_NOT_OCCUPIED"):
        await press_start(reader, "@nobody_demo_bot")
