"""How the bot comes up by its token, is replaced when its link is lost, and what the operators hear of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import StorageError
from bot.model import Destination, Me
from bot.ports import Sender, Sent, Unknown, Voice
from bot.speaker import Speaker
from bot.storage import notices
from bot.storage.database import Database
from bot.telegram.account import Account
from bot.telegram.sender import TelegramSender
from bot.telegram.session import client_for
from bot.telegram.signin import sign_in_bot
from bot.vitals import Link
from bot.voices import Voices
from tests.clocks import HandClock
from tests.telegram.speaking import BOT, READER, TOKEN, outgoing, telegram_of
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

MINUTE = timedelta(minutes=1)
IMPORT = "auth.importBotAuthorization"
AGAIN = "The bot can speak again."


@dataclass
class Scene:
    """A speaker at a server of its own; ``token`` is what it signs in with."""

    server: TelegramServer
    database: Database
    session: Path
    clock: HandClock
    voices: Voices
    token: str = TOKEN
    speaker: Speaker | None = None

    def make(self) -> Speaker:
        def account_for() -> Account:
            telegram = telegram_of(self.server, self.session.parent)
            client = client_for(
                *(telegram, self.session), updates=False, by_token=True, pause=timedelta(milliseconds=10)
            )
            return Account(client, timeout=timedelta(seconds=5), pushed=False)

        async def sign_in(account: Account) -> None:
            await sign_in_bot(account.client, self.token)

        self.speaker = Speaker(
            account_for=account_for,
            sign_in=sign_in,
            sender_for=lambda account: TelegramSender(account, self.database, me=lambda: READER, mine=None),
            voices=self.voices,
            database=self.database,
            clock=self.clock,
            random=random.Random(1),  # noqa: S311 - seeded, not secret
        )
        return self.speaker

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Speaker]:
        speaker = self.make()
        loop = asyncio.create_task(speaker.run())
        try:
            yield speaker
        finally:
            loop.cancel()
            await asyncio.wait([loop])

    @property
    def voice(self) -> Sender | None:
        return self.voices.of(Voice.SPEAKER)

    async def until(self, true: Callable[[], object], *, passing: timedelta = timedelta(0)) -> None:
        """Returns when it is so; meanwhile so much time passes again and again."""
        async with asyncio.timeout(15):
            while not true():
                await asyncio.sleep(0.02)
                await self.clock.advance(passing)

    async def up(self, *, passing: timedelta = timedelta(0)) -> Sender:
        await self.until(lambda: self.voice is not None, passing=passing)
        assert self.voice is not None
        return self.voice

    async def told(self) -> list[str]:
        return [noted.notice.what for noted in await notices.untold(self.database)]

    async def until_told(self, *, passing: timedelta = timedelta(0)) -> str:
        async with asyncio.timeout(15):
            while not (told := await self.told()):
                await asyncio.sleep(0.02)
                await self.clock.advance(passing)
        [what] = told
        return what


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    world = World(1)
    world.add_person(READER)
    world.add_bot(BOT, token=TOKEN, username="teller_demo_bot")
    async with TelegramServer(world) as server, Database.opened(tmp_path) as database:
        yield Scene(server, database, tmp_path / "speaker.session", HandClock(), Voices(bot=True))


async def test_a_bot_signs_in_by_its_token_once_and_speaks(scene: Scene) -> None:
    for number in (1, 2):
        async with scene.running() as speaker:
            assert (speaker.link, speaker.answered, scene.voice) == (Link.CONNECTING, None, None)
            bot = await scene.up()
            assert (bot.account, speaker.link, speaker.answered) == (BOT, Link.UP, scene.clock.now())
            assert await bot.send(outgoing(Destination(Me()), random_id=number)) == Sent(number)
        assert (speaker.link, scene.voice) == (Link.CONNECTING, None)
    assert scene.server.count(IMPORT) == 1
    assert await scene.told() == []


async def test_a_link_that_is_lost_is_made_anew_with_another_client(scene: Scene) -> None:
    async with scene.running() as speaker:
        before = await scene.up()
        await scene.server.stop_listening()
        scene.server.cut()
        await scene.until(lambda: scene.voice is None)
        assert speaker.link is Link.CONNECTING
        await scene.server.listen_again()
        assert await scene.up(passing=10 * MINUTE) is not before
        assert await scene.told() == []


async def test_a_bot_that_cannot_connect_for_minutes_is_told_once(scene: Scene) -> None:
    async with scene.running():
        await scene.up()
        await scene.server.stop_listening()
        scene.server.cut()
        await scene.until(lambda: scene.voice is None)
        assert await scene.until_told(passing=timedelta(seconds=20)) == (
            "The bot cannot reach Telegram, so that messages wait."
        )
        await scene.clock.advance(10 * MINUTE)
        await scene.server.listen_again()
        await scene.up(passing=MINUTE)
        assert await scene.told() == ["The bot cannot reach Telegram, so that messages wait.", AGAIN]


async def test_what_is_silent_is_asked_something(scene: Scene) -> None:
    async with scene.running() as speaker:
        await scene.up()
        was, asked = speaker.answered, scene.server.count("updates.getState")  # at connecting too
        await scene.clock.advance(MINUTE / 2)
        assert scene.server.count("updates.getState") == asked
        await scene.until(lambda: speaker.answered != was, passing=MINUTE)
        assert scene.server.count("updates.getState") > asked


async def test_a_token_that_is_refused_is_told_once_and_tried_again(scene: Scene) -> None:
    scene.token = f"{BOT}:SECRET-mistyped"
    async with scene.running() as speaker:
        told = await scene.until_told()
        assert told.startswith("The bot cannot speak, so that messages wait: Telegram does not know the bot_token;")
        assert "SECRET" not in told
        assert speaker.link is Link.SIGNED_OUT
        await scene.until(lambda: scene.server.count(IMPORT) > 2, passing=5 * MINUTE)
        assert await scene.told() == [told]
        scene.token = TOKEN
        await scene.up(passing=5 * MINUTE)
        assert await scene.told() == [told, AGAIN]


async def test_a_token_of_another_bot_than_the_sessions_is_told(scene: Scene) -> None:
    async with scene.running():
        await scene.up()
    scene.token = "901:SECRET-of-another"  # noqa: S105 - made up
    async with scene.running():
        assert "that of @teller_demo_bot, not of bot_token" in await scene.until_told()
        assert scene.voice is None


@pytest.mark.parametrize("by", ["a probe", "a message"])
async def test_a_session_that_was_ended_is_begun_anew_by_the_token(scene: Scene, by: str) -> None:
    """However often messages are tried meanwhile: that they are refused is an answer, so that no probe is made."""
    async with scene.running():
        before = await scene.up()
        scene.server.revoke(BOT)
        if by == "a message":
            assert isinstance(await before.send(outgoing(Destination(Me()))), Unknown)
            await scene.until(lambda: scene.voice is not before)
        else:
            await scene.until(lambda: scene.voice is not before, passing=MINUTE)
        await scene.up(passing=timedelta(seconds=2))
        assert scene.server.count(IMPORT) == 2
        assert await scene.told() == []


async def test_a_session_of_no_use_is_told_and_signed_in_anew_when_its_file_is_removed(scene: Scene) -> None:
    async with scene.running():
        await scene.up()
        scene.server.faults.refuse("*", 406, "AUTH_KEY_DUPLICATED", times=None)
        told = await scene.until_told(passing=MINUTE)
        assert told.startswith(
            "The bot cannot speak, so that messages wait: Telegram does not accept the session (AUTH_"
        )
        assert "remove speaker.session" in told
        assert "vedette login" not in told
        scene.server.faults.rules.clear()
        scene.server.forget_keys()
        scene.session.unlink()
        await scene.up(passing=5 * MINUTE)
        assert await scene.told() == [told, AGAIN]


async def test_a_wait_for_signing_in_is_kept_and_a_long_one_told(scene: Scene) -> None:
    scene.server.faults.flood_wait(IMPORT, 1700)
    speaker = scene.make()
    assert await speaker._live() >= timedelta(seconds=1700)
    assert await scene.told() == ["Telegram lets the bot sign in only in 28 min; messages wait until then."]
    scene.server.faults.flood_wait(IMPORT, 20)
    assert timedelta(seconds=20) <= await speaker._live() < MINUTE
    assert len(await scene.told()) == 1


async def test_a_session_file_that_cannot_be_used_to_begin_with_ends_it(scene: Scene) -> None:
    scene.session.write_bytes(b"no session at all, but long enough to look at" * 100)
    with pytest.raises(StorageError, match=r"speaker\.session"):
        await scene.make().run()
