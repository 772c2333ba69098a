"""Notices on their way: the operators' loop with the one that delivers, and accounts that come, go and refuse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.delivery.deliver import Deliver
from bot.model import Destination, Me
from bot.ports import Later, Outcome, Outgoing, Refused, Sent, Voice
from bot.storage.database import Database
from tests.operating import ANNA, ANNAS, READER, SECRET, Service, configured


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.opened(tmp_path) as database:
        yield database


class Mouth:
    """A sender whose chats refuse what a test names."""

    def __init__(self, account: int, *refusing: str) -> None:
        self.account = account
        self.refusing = refusing
        self.waits: timedelta | None = None
        self.everywhere = False
        self.asked = 0
        self.said: list[str] = []

    async def chat(self, destination: Destination) -> int:
        return READER if isinstance(destination.chat, Me) else int(str(destination))

    async def send(self, outgoing: Outgoing) -> Outcome:
        self.asked += 1
        if self.waits is not None:
            return Later(self.waits, "SLOWMODE_WAIT", everywhere=self.everywhere)
        if str(outgoing.destination) in self.refusing:
            return Refused("it has to be written to first: press its start")
        self.said.append(f"{outgoing.destination}: {outgoing.message.text}")
        return Sent(len(self.said))


async def nothing(_: int) -> None:
    """No message that was sent reads otherwise by now."""


async def test_delivered_a_notice_finds_its_way_round_what_refuses_and_who_is_away(database: Database) -> None:
    service = Service(database, configured(ANNA))
    bot, reader = Mouth(1, ANNAS, "me"), Mouth(2)
    service.voices.speaks(Voice.SPEAKER, bot)
    service.voices.speaks(Voice.READER, reader)
    await service.start()
    deliver = Deliver(database, service.voices, service.clock, secret=SECRET, retell=nothing, told=service.wake)
    service.deliver = deliver.wake
    delivering = asyncio.create_task(deliver.run())
    try:
        await service.tell("a")
        await service.becomes(lambda: f"{ANNA}: a" in reader.said)
        bot.refusing = ()
        await service.tell("b")
        await service.becomes(lambda: f"{ANNA}: b" in bot.said)
        service.voices.speaks(Voice.SPEAKER, None)
        await service.tell("c")
        await service.becomes(lambda: f"{ANNA}: c" in reader.said)
        service.voices.speaks(Voice.SPEAKER, bot)
        await service.tell("d")
        await service.becomes(lambda: any(said.endswith("• d") for said in bot.said))
    finally:
        delivering.cancel()
        await asyncio.wait([delivering])
        await service.stop()
    said = "\n".join(bot.said + reader.said).splitlines()
    assert [sum(line.endswith(f" {what}") for line in said) for what in "abcd"] == [1, 1, 1, 1]


async def test_delivered_what_waited_for_the_bot_goes_by_the_reader_and_not_by_both(database: Database) -> None:
    service = Service(database, configured(ANNA))
    bot, reader = Mouth(1), Mouth(2)
    bot.waits = timedelta(minutes=10)
    service.voices.speaks(Voice.SPEAKER, bot)
    service.voices.speaks(Voice.READER, reader)
    await service.start()
    deliver = Deliver(database, service.voices, service.clock, secret=SECRET, retell=nothing, told=service.wake)
    service.deliver = deliver.wake
    delivering = asyncio.create_task(deliver.run())
    try:
        await service.tell("a")
        await service.becomes(lambda: bot.asked > 0)
        service.voices.speaks(Voice.SPEAKER, None)
        await service.becomes(lambda: f"{ANNA}: a" in reader.said)
        bot.waits = None
        service.voices.speaks(Voice.SPEAKER, bot)
        await service.tell("b")
        await service.becomes(lambda: f"{ANNA}: b" in bot.said)
    finally:
        delivering.cancel()
        await asyncio.wait([delivering])
        await service.stop()
    assert (bot.said, reader.said) == ([f"{ANNA}: b"], [f"{ANNA}: a"])


async def test_delivered_that_the_bot_has_to_wait_for_a_day_is_said_by_the_reader_at_once(database: Database) -> None:
    service = Service(database, configured(ANNA))
    bot, reader = Mouth(1), Mouth(2)
    bot.waits, bot.everywhere = timedelta(days=1), True
    service.voices.speaks(Voice.SPEAKER, bot)
    service.voices.speaks(Voice.READER, reader)
    await service.start()
    deliver = Deliver(database, service.voices, service.clock, secret=SECRET, retell=nothing, told=service.wake)
    service.deliver = deliver.wake
    delivering = asyncio.create_task(deliver.run())
    try:
        await service.tell("a")
        await service.becomes(lambda: len(reader.said) == 2)
    finally:
        delivering.cancel()
        await asyncio.wait([delivering])
        await service.stop()
    assert [said.partition(" 12:")[0] for said in sorted(reader.said)] == [
        f"{ANNA}: Telegram lets the speaker send nothing until",
        f"{ANNA}: a",
    ]
    assert (bot.asked, bot.said) == (1, [])
