"""The whole service with a bot, in the test's own process, and the chats that it tells; its clock can skip hours.

What a test sees is what stands at the server: which chat got which message, and how it reads by now.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from telethon.tl import types

from bot.app import File, Mouth, serve
from bot.clock import ScaledClock
from bot.config.load import load
from tests.promises.service import API_HASH, READER
from tests.promises.telling import BOT, TOKEN, Ledger
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.faults import Faults
from tests.telegram_server.sending import Sent
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
#: How soon, in seconds of ours, something is told that is to be told at once; the machine may be busy.
SOON = 12.0
#: The service's time runs so much faster than ours.
_FACTOR = 20.0
#: Longer than anything takes that should not happen.
A_WHILE = 0.6
_SYRIA = """
[topics.syria]
title = "Syria"
keywords = ["Сирия"]
deliver = "alert"
"""
_CONFIG = """
timezone = "UTC"
data_dir = "{folder}/data"

[telegram]
api_id = 12345
api_hash = "{api_hash}"
{token}
[telegram.server]
address = "{host}:{port}"
public_key = "{folder}/server.pem"

[watch]
channels = [{channels}]
history = "1h"
sweep_every = "10s"
"""


class SkippingClock(ScaledClock):
    """A scaled clock that can be set forward: who sleeps to a moment that is past then wakes."""

    def __init__(self, start: datetime, factor: float) -> None:
        super().__init__(start, factor)
        self._skipped = timedelta()
        self._skip = asyncio.Event()

    def now(self) -> datetime:
        return super().now() + self._skipped

    def seconds(self) -> float:
        return self.now().timestamp()

    def skip_to(self, moment: datetime) -> None:
        self._skipped += max(moment - self.now(), timedelta())
        self._skip.set()
        self._skip = asyncio.Event()

    async def sleep(self, pause: timedelta) -> None:
        end = self.now() + pause
        await asyncio.sleep(0)
        while (left := end - self.now()) > timedelta():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._skip.wait(), left.total_seconds() / self._factor)

    def end(self) -> None:
        """Rings for nobody any more."""
        for alarm in list(self._alarms):
            alarm.cancel()


@dataclass(slots=True)
class Scene:
    """A world with two channels that are watched, a group that is told, a reader and a bot; and the service.

    ``shown``: the notices that were printed where it was started.
    """

    world: World
    server: TelegramServer
    clock: SkippingClock
    folder: Path
    source: WorldChannel
    other: WorldChannel
    desk: WorldChannel
    topics: str = _SYRIA
    more: str = ""
    bot: bool = True
    watched: list[str] = field(default_factory=lambda: ["@source_demo", "@other_demo"])
    shown: list[str] = field(default_factory=list)
    _running: asyncio.Task[None] | None = None
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    # What the service is

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    def write(self) -> None:
        """Puts the configuration down as it is by now."""
        chat = "" if "[digest]" in self.more else '\n[digest]\nchat = "@desk_demo"\nat = []\n'
        text = _CONFIG.format(
            folder=self.folder,
            api_hash=API_HASH,
            token=f'bot_token = "{TOKEN}"\n' if self.bot else "",
            host=self.server.host,
            port=self.server.port,
            channels=", ".join(f'"{one}"' for one in self.watched),
        )
        self.config.write_text(f"{text}{chat}{self.more}{self.topics}", "utf-8")

    async def start(self) -> None:
        """Returns when it watches."""
        self.write()
        self._stop = asyncio.Event()
        settings, file, clock = load(self.config, os.environ), File(self.config, os.environ), nullcontext(self.clock)
        mouth = Mouth(show=lambda message: self.shown.append(message.text))
        self._running = asyncio.create_task(serve(settings, mouth, self._stop, file=file, clock=clock))
        ledger = Ledger(self.folder / "data" / "vedette.db")
        calls = len(self.server.calls)
        await self.until(lambda: ledger.watching(len(self.watched)))
        await self.until(lambda: any(one.method == "messages.getPeerDialogs" for one in self.server.calls[calls:]))

    async def stop(self) -> None:
        self._stop.set()
        assert self._running is not None
        async with asyncio.timeout(5):
            await self._running
        self._running = None

    # What it has told

    def said(self, chat: int | None = None) -> list[Sent]:
        """What was sent to a chat (nothing said: the desk), by bot or reader; what starts a bot is left out."""
        chat = self.desk.marked if chat is None else chat
        return [one for one in self.server.sent if one.peer == chat and one.text != "/start"]

    async def told(self, *words: str, chat: int | None = None, within: float = SOON) -> Sent:
        """The one message of a chat that reads so, as soon as it does."""

        def found() -> list[Sent]:
            return [one for one in self.said(chat) if all(word in one.reads for word in words)]

        await self.until(found, within, lambda: f"{words} in {[one.reads for one in self.server.sent]}")
        [sent] = found()
        return sent

    async def nothing_more(self, messages: int = 0, chat: int | None = None) -> None:
        """So many messages stand in a chat, and after a while still no more."""
        await asyncio.sleep(A_WHILE)
        assert len(self.said(chat)) == messages, [one.reads for one in self.said(chat)]

    async def until(
        self, condition: Callable[[], object], within: float = SOON, what: Callable[[], str] = lambda: "never came true"
    ) -> None:
        end = time.monotonic() + within
        while not condition():
            if self._running is not None and self._running.done():
                self._running.result()
                raise AssertionError("the service has ended")
            assert time.monotonic() < end, what()
            await asyncio.sleep(0.02)

    def skip_to(self, hour: int, minute: int = 0, *, days: int = 0) -> None:
        self.clock.skip_to(NOON.replace(hour=hour, minute=minute) + timedelta(days=days))


@asynccontextmanager
async def speaking(
    folder: Path, *, topics: str = _SYRIA, more: str = "", bot: bool = True, factor: float = _FACTOR
) -> AsyncIterator[Scene]:
    """A world in which nothing has been posted yet; the service is there, but not started. It has to stop in time."""
    clock = SkippingClock(NOON, factor)
    world = World(1, now=clock.now)
    world.add_person(READER)
    world.add_bot(BOT, token=TOKEN, username="told_demo_bot", started_by=[READER])
    source, other = (
        world.add_channel(2001 + at, username=name, title=title, members=[READER])
        for at, (name, title) in enumerate((("source_demo", "Source"), ("other_demo", "Other")))
    )
    desk = world.add_channel(3001, username="desk_demo", title="Desk", megagroup=True, members=[BOT, READER])
    async with TelegramServer(world, Faults(1, seconds_now=clock.seconds)) as server:
        (folder / "server.pem").write_text(server.public_key)
        (folder / "data").mkdir(mode=0o700)
        server.sign_in_session(folder / "data" / "reader.session", READER)
        scene = Scene(world, server, clock, folder, source, other, desk, topics, more, bot)
        try:
            yield scene
        finally:
            if scene._running is not None:
                await scene.stop()
            clock.end()


def bold(sent: Sent) -> list[str]:
    """What stands in bold in a message as it was sent."""
    return [slice_of(sent.text, one) for one in sent.entities if isinstance(one, types.MessageEntityBold)]


def links(sent: Sent) -> list[str]:
    """Where a message as it was sent leads, by an entity or in plain sight."""
    hidden = [one.url for one in sent.entities if isinstance(one, types.MessageEntityTextUrl)]
    return [*hidden, *(word for word in sent.text.split() if "t.me/" in word)]


def slice_of(text: str, entity: Any) -> str:
    """The stretch of a text that an entity means, which counts UTF-16 units."""
    units = text.encode("utf-16-le")
    return units[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le")
