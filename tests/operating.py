"""What tests of `bot.operators` stand on: the loop, who can speak, and sends that are made when a test says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import timedelta

from bot.config.load import parse_settings
from bot.config.settings import Settings
from bot.model import Destination, Notice
from bot.operators import Operators
from bot.ports import Lane, Outcome, Outgoing, Sent, Voice
from bot.render.richtext import Message
from bot.storage import notices, outbox
from bot.storage.database import Connection, Database
from bot.voices import Voices
from tests.clocks import HandClock

READER, ANNA, BORIS = 777, 1001, 1002
SECRET = b"secret" * 6
ANNAS = str(ANNA)


def configured(*users: int, chat: str = "me", bot: bool = True, urls: str = "[]") -> Settings:
    token = '[telegram]\nbot_token = "555:SECRET-of-the-bot-that-speaks-to-us"' if bot else ""
    toml = f"""
        {token}
        [watch]
        channels = ["@alfa_demo"]
        [digest]
        chat = "{chat}"
        [operators]
        users = [{", ".join(map(str, users))}]
        notify = {urls}
        [topics.syria]
        keywords = ["Сирия"]
    """
    return parse_settings(toml, "config.toml", {}, lambda _: "")


class Account:
    """A sender that is there, and is asked for nothing."""

    account = 1

    async def chat(self, destination: Destination) -> int:
        raise NotImplementedError

    async def send(self, outgoing: Outgoing) -> Outcome:
        return Sent(None)


class Service:
    """The loop and what stands around it. What `bot.delivery.deliver` would do is done when a test says so."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings
        self.clock = HandClock()
        self.voices = Voices(bot=settings.telegram.bot_token is not None)
        self.voices.speaks(Voice.READER, Account())
        self.voices.speaks(Voice.SPEAKER, Account())
        self.reader: int | None = READER
        self.shown: list[str] = []
        #: What was said of operators who cannot be told in private.
        self.closed: list[str] = []
        self.woken = 0
        self.deliver: Callable[[], None] = lambda: None
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins anew, as after a restart; what an earlier loop knew is lost."""
        await self.stop()
        operators = Operators(
            self.database,
            self.clock,
            settings=lambda: self.settings,
            voices=self.voices,
            secret=SECRET,
            reader=lambda: self.reader,
            show=self._show,
            wake=self._woken,
        )
        self.wake = operators.wake
        self._loop = asyncio.create_task(operators.run())

    async def stop(self) -> None:
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.wait([self._loop])

    def _show(self, message: Message) -> None:
        self.shown.append(message.text)

    def _woken(self) -> None:
        self.woken += 1
        self.deliver()

    async def tell(self, what: str, *details: str) -> None:
        now = self.clock.now()
        await self.database.write(lambda c: notices.say(c, what, Notice(what, details), now))

    async def refuses(self, what: str) -> None:
        """A configuration that cannot be used, as `bot.reload` tells of it."""
        now = self.clock.now()
        await self.database.write(lambda c: notices.say(c, notices.CONFIGURATION_ERROR, Notice(what), now))

    async def takes_over(self, what: str = "") -> None:
        """One that can be used follows: with what it changes, or else the one from before."""
        now = self.clock.now()

        def work(c: Connection) -> None:
            if what:
                notices.settle(c, notices.CONFIGURATION_ERROR, now)
                notices.say(c, notices.CONFIGURATION, Notice(what), now)
            else:
                notices.mend(c, notices.CONFIGURATION_ERROR, Notice("it can be read again"), now)

        await self.database.write(work)

    async def passes(self, seconds: int = 6) -> None:
        """So long goes by, and the loop has done what it had to do."""
        for _ in range(0, seconds, 2):
            await self._idle()
            self.clock.set(self.clock.now() + timedelta(seconds=2))
        await self._idle()

    async def becomes(self, true: Callable[[], bool]) -> None:
        """Time goes by until that is so."""
        async with asyncio.timeout(10):
            while not true():
                self.clock.set(self.clock.now() + timedelta(seconds=1))
                await asyncio.sleep(0.01)

    async def _idle(self) -> None:
        async with asyncio.timeout(10):
            while not any(moment > self.clock.now() for moment, _ in self.clock._sleeping):
                assert self._loop is not None
                assert not self._loop.done(), self._loop
                await asyncio.sleep(0.001)

    async def send(self, *refused: str, voices: Collection[Voice] = (Voice.SPEAKER, Voice.READER)) -> list[str]:
        """Sends what waits; chats that are named ("reader …": where the reader writes) refuse. What was said."""
        said: list[str] = []
        for row in await outbox.waiting(self.database):
            if row.voice not in voices or row.refused:
                continue
            chat = f"reader {row.destination}" if row.voice is Voice.READER else str(row.destination)
            out = await self._sent(row.id, refused=chat in refused)
            assert out.lane is Lane.NOTICE
            if chat not in refused:
                text = out.message.text
                (self.closed if text.startswith(("Operator ", "The reader ")) else said).append(f"{chat}: {text}")
        self.wake()
        await self.passes(2)
        return said

    async def _sent(self, id_: int, *, refused: bool) -> Outgoing:
        now = self.clock.now()

        def work(c: Connection) -> Outgoing:
            out = outbox.claim(c, id_, 1, None)
            assert out is not None
            if refused:
                outbox.refuse(c, id_, "BANNED", now + timedelta(hours=1))
            else:
                outbox.confirm(c, id_, 5, None, now)
            return out

        return await self.database.write(work)

    async def waiting(self) -> list[str]:
        """Where messages are to go, by whom."""
        found = await outbox.waiting(self.database)
        return [f"{row.voice} to {row.destination}" for row in found if not row.refused]

    async def untold(self) -> int:
        return len(await notices.untold(self.database))
