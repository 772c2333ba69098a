"""The configuration is edited at random while posts come in: no post is lost, and none is judged by half a file.

Half of the edits are invalid, many are saved before the one before was read. Of each post the matches are those of one
version of the file, the one in force when it was seen; in the end the last valid one runs. A failing seed is shown by
the test's name.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from bot.app import File, Mouth, serve
from bot.clock import ScaledClock
from bot.config.load import load
from bot.folder import READER as SESSION
from bot.model import Destination
from bot.ports import Outcome, Outgoing, Sent
from bot.storage.database import Database
from bot.storage.times import from_integer
from tests.promises.editing import EXCLUDED, WORDS, Editor, Expected, Version
from tests.promises.inside import READER
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

#: The service's time runs so much faster than ours.
FACTOR = 5
#: By the service's time: so much later than it was applied a change may be told.
SLACK = timedelta(seconds=10)
#: In our seconds: for what has to come true in the end.
SOON = 30.0
_HEAD = """
data_dir = "{folder}"
[telegram]
api_id = 12345
api_hash = "0123456789abcdef0123456789abcdef"
[telegram.server]
address = "{host}:{port}"
public_key = "{folder}/server.pem"
"""
_MARK = re.compile(r"digest\.max_stories: \d+ → (\d+)")


@dataclass(slots=True)
class Scene:
    """A service at work on a file, and what happens in its channels."""

    world: World
    clock: ScaledClock
    channels: list[WorldChannel]
    editor: Editor
    database: Database
    running: asyncio.Task[None]
    chance: Random
    posted: int = 0

    def post(self) -> None:
        """A post somewhere, that holds every word; now and then one that is not pushed."""
        self.posted += 1
        words = self.chance.sample(WORDS, len(WORDS)) + [EXCLUDED] * (self.chance.random() < 0.3)
        text = f"{' '.join(words)} {self.posted}"
        self.chance.choice(self.channels).post(text, push=self.chance.random() < 0.97)

    async def post_on(self) -> None:
        while True:
            self.post()
            await asyncio.sleep(0.01)

    async def until(self, condition: Callable[[], Awaitable[bool]], what: str) -> None:
        end = time.monotonic() + SOON
        while not await condition():
            assert not self.running.done(), self.running.exception()
            assert time.monotonic() < end, what
            await asyncio.sleep(0.05)

    async def applied(self) -> list[tuple[datetime, int]]:
        """When the operators were told that which version is in force, by its mark."""
        rows = await self.database.rows(
            "SELECT made, details FROM notice WHERE subject = 'configuration' AND what != '' ORDER BY id"
        )
        marks = [(from_integer(made), _MARK.search(details)) for made, details in rows]
        return [(made, int(mark[1])) for made, mark in marks if mark]

    async def in_force(self, mark: int) -> bool:
        applied = await self.applied()
        return bool(applied) and applied[-1][1] == mark

    async def seen(self) -> dict[tuple[int, int], tuple[datetime, bool]]:
        """Of each post that is stored when that was, and whether it holds what may exclude it."""
        rows = await self.database.rows("SELECT channel, number, seen, body FROM message WHERE stands = 'post'")
        return {(channel, number): (from_integer(seen), EXCLUDED in body) for channel, number, seen, body in rows}

    async def has_all(self, channels: list[WorldChannel]) -> bool:
        stored = (await self.seen()).keys()
        return all((channel.marked, number) in stored for channel in channels for number in channel.truth())

    async def matches(self) -> dict[tuple[int, int], Expected]:
        found: dict[tuple[int, int], Expected] = defaultdict(dict)
        rows = await self.database.rows("SELECT channel, number, topic, keywords, destination FROM match")
        for channel, number, topic, keywords, destination in rows:
            found[channel, number][topic] = frozenset(json.loads(keywords)), destination
        return found


@asynccontextmanager
async def at_work(folder: Path, seed: int) -> AsyncIterator[Scene]:
    clock = ScaledClock(datetime.now(UTC), FACTOR)
    world = World(seed, now=clock.now)
    world.add_person(READER)
    names = [f"edited_{number}_demo" for number in range(1, 7)]
    channels = [
        world.add_channel(2000 + at, username=name, title=f"Канал {at}", members=[READER])
        for at, name in enumerate(names)
    ]
    world.add_channel(3000, username="desk_demo", title="Стол", members=[READER])
    world.add_folder(READER, "Demo", [channels[-1].number])
    async with TelegramServer(world) as server:
        (folder / "server.pem").write_text(server.public_key)
        server.sign_in_session(folder / SESSION, READER)
        path = folder / "config.toml"
        head = _HEAD.format(folder=folder, host=server.host, port=server.port)
        editor = Editor(path, head, [f"@{name}" for name in names], seed)
        path.write_text(editor.valid())
        async with served(path, clock) as (database, running):
            yield Scene(world, clock, channels, editor, database, running, Random(seed))  # noqa: S311 - seeded


class _Swallowed:
    """Says of every message that it stands there: this is not about sending."""

    account = 1

    async def chat(self, destination: Destination) -> int:
        return zlib.crc32(str(destination).encode())

    async def send(self, outgoing: Outgoing) -> Outcome:
        return Sent(outgoing.id)


@asynccontextmanager
async def served(path: Path, clock: ScaledClock) -> AsyncIterator[tuple[Database, asyncio.Task[None]]]:
    """The service, until the end of the block, in which it has to stop cleanly."""
    opened: asyncio.Future[Database] = asyncio.get_running_loop().create_future()

    async def begin(database: Database) -> None:
        opened.set_result(database)

    mouth, stop = Mouth(show=lambda _: None, begin=begin, sender=_Swallowed()), asyncio.Event()
    settings, file = load(path, os.environ), File(path, os.environ)
    running = asyncio.create_task(serve(settings, mouth, stop, file=file, clock=nullcontext(clock)))
    either: list[asyncio.Future[Any]] = [running, opened]
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        running.result()
    try:
        yield opened.result(), running
    finally:
        stop.set()
        async with asyncio.timeout(4):
            await running


async def test_edits_under_load_lose_no_post_and_are_each_applied_whole(tmp_path: Path, seed: int) -> None:
    edits = 200 if os.environ.get("VEDETTE_SEEDS") else 20
    async with at_work(tmp_path, seed) as scene:
        posting = asyncio.create_task(scene.post_on())
        editor = scene.editor
        for _ in range(edits):
            await editor.edit()
            await asyncio.sleep(editor.chance.choice([0, 0.02, 0.2, 0.4]))
        await editor.save(editor.valid())
        last = editor.versions[len(editor.versions)]
        await scene.until(lambda: scene.in_force(last.mark), "the last valid version is not in force")
        await editor.save(editor.invalid())
        await asyncio.sleep(0.4)
        posting.cancel()
        with suppress(asyncio.CancelledError):
            await posting
        watched = [one for one in scene.channels if f"@{one.username}" in last.channels]
        await scene.until(lambda: scene.has_all(watched), "a post was lost")
        applied = await scene.applied()
        assert [mark for _, mark in applied] == sorted({mark for _, mark in applied})
        assert applied[-1][1] == last.mark
        seen, matches = await scene.seen(), await scene.matches()
        began = scene.clock.now() - timedelta(days=1)
        for place, (moment, excluded) in seen.items():
            name = next(f"@{one.username}" for one in scene.channels if one.marked == place[0])
            rules = _possible(editor.versions, [(began, 1), *applied], moment)
            allowed = [version.expected(name, excluded=excluded) for version in rules]
            assert matches.get(place, {}) in allowed, (name, place, [version.mark for version in rules])


def _possible(versions: dict[int, Version], applied: list[tuple[datetime, int]], moment: datetime) -> list[Version]:
    """The version that was in force at a moment, as the operators were told; or the next, which is told a bit later."""
    before = [mark for at, mark in applied if at <= moment]
    soon = [mark for at, mark in applied if moment < at <= moment + SLACK]
    return [versions[mark] for mark in (before[-1], *soon[:1])]


_TOLD = """
[digest]
chat = "me"
[topics.syria]
keywords = ["Сирия"]
[topics.bread]
keywords = ["хлеб"]
deliver = "alert"
chat = "@desk_demo"
"""


async def test_what_was_pushed_of_a_channel_before_it_was_removed_is_judged_as_it_was_asked_for(tmp_path: Path) -> None:
    """A channel that is read for one topic is of no other, also while it is taken out and put in again."""
    clock = ScaledClock(datetime.now(UTC), FACTOR)
    world = World(1, now=clock.now)
    world.add_person(READER)
    alfa = world.add_channel(2001, username="alfa_demo", members=[READER])
    world.add_channel(2002, username="beta_demo", members=[READER])
    forms = ['["@beta_demo"]', '["@beta_demo", {channel = "@alfa_demo", topics = ["syria"]}]']
    async with TelegramServer(world) as server:
        (tmp_path / "server.pem").write_text(server.public_key)
        server.sign_in_session(tmp_path / SESSION, READER)
        path = tmp_path / "config.toml"
        head = _HEAD.format(folder=tmp_path, host=server.host, port=server.port)

        def save(channels: str) -> None:
            path.write_text(f"{head}[watch]\nchannels = {channels}\n{_TOLD}", "utf-8")

        save(forms[1])
        async with served(path, clock) as (database, _):
            posting = asyncio.create_task(_post_on(alfa))
            changed = 0
            for turn in range(8):
                save(forms[turn % 2])
                changed = await _changed(database, changed)
            posting.cancel()
            with suppress(asyncio.CancelledError):
                await posting
            [(stored,)] = await database.rows("SELECT count(*) FROM message")
            assert stored > 0
            assert await database.rows("SELECT * FROM match WHERE topic = 'bread'") == []


async def _post_on(channel: WorldChannel) -> None:
    while True:
        for _ in range(20):
            channel.post("Подорожал хлеб")
        await asyncio.sleep(0.03)


async def _changed(database: Database, before: int) -> int:
    """Returns when the configuration was taken over once more."""
    count = "SELECT count(*) FROM notice WHERE subject = 'configuration'"
    async with asyncio.timeout(SOON):
        while (await database.rows(count))[0][0] == before:  # noqa: ASYNC110 - a condition is in the database
            await asyncio.sleep(0.02)
    return before + 1
