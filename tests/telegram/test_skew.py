"""A clock that is wrong is found out: by what the server says it is, and by what the library will not take."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.config.settings import Server, Telegram
from bot.config.values import Address
from bot.errors import UnreachableError, WaitError
from bot.telegram import skew
from bot.telegram.account import Account
from bot.telegram.session import client_for
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

READER = 777
CONFIG = "help.getConfig"
_SECOND = timedelta(seconds=1)
_LOGGER = "telethon.network.mtprotostate"


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    world = World()
    world.add_person(READER)
    async with TelegramServer(world) as running:
        yield running


@pytest.fixture
async def account(server: TelegramServer, tmp_path: Path) -> AsyncIterator[Account]:
    """Not open yet."""
    key, session = tmp_path / "server.pem", tmp_path / "reader.session"
    key.write_text(server.public_key, "utf-8")
    server.sign_in_session(session, READER)
    address = Server.model_construct(address=Address(server.host, server.port), dc_id=server.dc, public_key=key)
    telegram = Telegram.model_construct(api_id=1, api_hash=SecretStr("0f0f"), server=address, proxy=None)
    one = Account(client_for(telegram, session, pause=timedelta(milliseconds=10)), timeout=0.3 * _SECOND)
    yield one
    await one.close()


@pytest.mark.parametrize("ahead", [0, 7200, 131, -131, -7200])
async def test_the_server_says_how_far_the_clock_is_off(ahead: int, server: TelegramServer, account: Account) -> None:
    server.faults.clock_skew(-ahead, told=True)
    await account.open()
    assert await skew.measured(account) == pytest.approx(ahead * _SECOND, abs=2 * _SECOND)


async def test_a_slow_answer_is_no_wrong_clock(server: TelegramServer, account: Account) -> None:
    """The server's time is of some moment between asking and hearing."""
    await account.open()
    server.faults.slow(CONFIG, 0.2)
    assert abs(await skew.measured(account)) <= _SECOND


async def test_a_clock_that_cannot_be_compared_says_why(server: TelegramServer, account: Account) -> None:
    await account.open()
    server.faults.swallow(CONFIG)
    with pytest.raises(UnreachableError):
        await skew.measured(account)
    server.faults.flood_wait(CONFIG, 33)
    with pytest.raises(WaitError):
        await skew.measured(account)


@pytest.mark.parametrize("ahead", [-120, 400], ids=["behind", "ahead"])
async def test_what_the_library_will_not_take_says_how_far_the_clock_is_off(
    ahead: int, server: TelegramServer, account: Account
) -> None:
    server.faults.clock_skew(-ahead)
    with skew.refusals() as refused:
        with pytest.raises(UnreachableError):
            await account.open()
        assert refused.ahead == pytest.approx(ahead * _SECOND, abs=2 * _SECOND)


async def test_a_clock_that_is_right_has_nothing_refused(account: Account) -> None:
    with skew.refusals() as refused:
        await account.open()
        assert refused.ahead is None


def test_it_is_heard_although_the_log_leaves_it_out(caplog: pytest.LogCaptureFixture) -> None:
    """What the program logs is the configuration's to say."""
    caplog.set_level(logging.ERROR, "telethon")
    with skew.refusals() as refused:
        _refuse(time.time() + 90)
        assert refused.ahead == pytest.approx(-90 * _SECOND, abs=2 * _SECOND)
        assert not caplog.records
    assert not logging.getLogger(_LOGGER).filters


def test_other_warnings_are_none_of_its_business(caplog: pytest.LogCaptureFixture) -> None:
    with skew.refusals() as refused:
        logging.getLogger(_LOGGER).warning("Server resent the older message %d, ignoring", 1 << 62)
        assert refused.ahead is None
    assert len(caplog.records) == 1


def test_refusals_are_let_through_to_the_log_as_before(caplog: pytest.LogCaptureFixture) -> None:
    with skew.refusals():
        _refuse(time.time() + 90)
    assert [record.name for record in caplog.records] == [_LOGGER]


def _refuse(sent: float) -> None:
    """Says what the library does of a message that was sent then."""
    said = "Server sent a very new message with ID %d, ignoring (see FAQ for details)"
    logging.getLogger(_LOGGER).warning(said, int(sent) << 32)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-130, "2 min 10 s behind"),
        (-129, "2 min 10 s behind"),
        (31, "30 s ahead of"),
        (7200, "2 h ahead of"),
        (-90_061, "1 d 1 h behind"),
        (3_630, "1 h 30 s ahead of"),
    ],
)
def test_how_far_is_said_in_words(seconds: int, said: str) -> None:
    assert skew.in_words(seconds * _SECOND) == said
