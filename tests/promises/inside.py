"""The whole service in the test's own process: where a test has to see what it stores the moment it is stored."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

from bot.app import Mouth, serve
from bot.config.load import parse_settings
from bot.config.settings import Settings
from bot.folder import READER as SESSION
from bot.model import Channel, Destination
from bot.ports import Outcome, Outgoing, Sent
from bot.recording.jsonl import post_of
from bot.storage.database import Database
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

READER = 7001
#: In each post that tests write, so that each has one match.
WORD = "Сирия"
_CONFIG = """
data_dir = "{folder}"

[telegram]
api_id = 12345
api_hash = "0123456789abcdef0123456789abcdef"

[telegram.server]
address = "{host}:{port}"
public_key = "{folder}/server.pem"

[watch]
channels = [{channels}]
join = {join}

[digest]
chat = "me"

[topics.syria]
keywords = ["{word}"]
deliver = "alert"
"""
#: Longer than any test waits: what comes sooner was not brought by a sweep.
NEVER = timedelta(hours=1)
#: How soon something is stored that a push or the gap before it tells of.
SOON = 3.0


def configured(
    folder: Path,
    server: TelegramServer,
    channels: Iterable[str],
    *,
    join: bool = True,
    sweep_every: timedelta = NEVER,
) -> Settings:
    """A configuration, and the reader's session beside it. ``sweep_every`` may be shorter than a file may say."""
    (folder / "server.pem").write_text(server.public_key)
    if not (folder / SESSION).exists():
        server.sign_in_session(folder / SESSION, READER)
    text = _CONFIG.format(
        folder=folder,
        host=server.host,
        port=server.port,
        channels=", ".join(f'"{name}"' for name in channels),
        join=str(join).lower(),
        word=WORD,
    )
    settings = parse_settings(text, "config.toml", {}, _no_file)
    return settings.model_copy(update={"watch": settings.watch.model_copy(update={"sweep_every": sweep_every})})


def _no_file(path: str) -> NoReturn:
    raise FileNotFoundError(path)


@dataclass(slots=True)
class Inside:
    """A running service. ``told``: what its operators were told."""

    world: World
    database: Database
    told: list[str]
    running: asyncio.Task[None]

    async def caught_up(self, *channels: WorldChannel, within: float = SOON) -> float:
        """Returns when all posts of these channels, or of all, are stored as they stand, each with its one match.

        In seconds, how long it took; fails when that is more than ``within``.
        """
        began = time.monotonic()
        wanted = {channel.marked: channel.truth() for channel in channels or self.world.channels.values()}
        while (stored := await self._stored(wanted)) != wanted:
            self.check()
            assert time.monotonic() - began < within, _difference(wanted, stored)
            await asyncio.sleep(0.02)
        matched = await self._matched(wanted)
        assert matched == Counter((channel, number) for channel, posts in wanted.items() for number in posts)
        return time.monotonic() - began

    async def until(self, condition: Callable[[], bool], within: float = SOON) -> None:
        """Returns when it is so."""
        end = time.monotonic() + within
        while not condition():
            self.check()
            assert time.monotonic() < end, "it never came true"
            await asyncio.sleep(0.02)

    def check(self) -> None:
        """The service goes on."""
        if self.running.done():
            self.running.result()
            raise AssertionError("the service has ended")

    async def _stored(self, wanted: Collection[int]) -> dict[int, dict[int, str]]:
        found: dict[int, dict[int, str]] = {channel: {} for channel in wanted}
        sql = "SELECT channel, number, body FROM message WHERE stands = 'post' AND deleted IS NULL"
        for channel, number, body in await self.database.rows(sql):
            if channel in found:
                found[channel][number] = post_of(body, Channel(id=channel)).text
        return found

    async def _matched(self, wanted: Collection[int]) -> Counter[tuple[int, int]]:
        """How often each post of these channels was matched."""
        found = await self.database.rows("SELECT channel, number FROM match")
        return Counter((channel, number) for channel, number in found if channel in wanted)


def _difference(wanted: dict[int, dict[int, str]], stored: dict[int, dict[int, str]]) -> str:
    missing = {channel: sorted(set(posts) - set(stored[channel])) for channel, posts in wanted.items()}
    return f"not stored in time: { {channel: posts for channel, posts in missing.items() if posts} }"


@asynccontextmanager
async def inside(world: World, settings: Settings) -> AsyncIterator[Inside]:
    """Runs the service; what it would send is taken for sent. In the end it has to stop cleanly and in time."""
    opened: asyncio.Future[Database] = asyncio.get_running_loop().create_future()
    told: list[str] = []

    async def matched(database: Database) -> None:
        if not opened.done():
            opened.set_result(database)

    mouth = Mouth(show=lambda message: told.append(message.text), matched=matched, sender=_Taken())
    stop = asyncio.Event()
    running = asyncio.create_task(serve(settings, mouth, stop))
    either: list[asyncio.Future[Any]] = [running, opened]
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        running.result()
    try:
        yield Inside(world, await opened, told, running)
    finally:
        stop.set()
        async with asyncio.timeout(4):
            await running


class _Taken:
    """Says of every message that it stands there."""

    account = 1

    async def chat(self, destination: Destination) -> int:
        return zlib.crc32(str(destination).encode())

    async def send(self, outgoing: Outgoing) -> Outcome:
        return Sent(outgoing.id)
