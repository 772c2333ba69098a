"""A stop is heeded at any moment, within three seconds and with exit code 0: seen from outside."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.promises.service import READER, Service
from tests.telegram_server.faults import Faults
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

#: What the contract gives it, in seconds.
_WITHIN = 3.0
#: Seconds after which the service is up on a machine that has nothing else to do.
_UP = 3.0
_MOMENTS = 12


@dataclass(frozen=True, slots=True)
class Scene:
    world: World
    server: TelegramServer
    service: Service

    async def start(self) -> None:
        """Returns at the first instruction of ours from which on a stop can be heeded at all."""
        await self.service.start()
        async with asyncio.timeout(10):
            while not self._heeds(signal.SIGTERM):  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.001)

    def _heeds(self, number: signal.Signals) -> bool:
        """https://man7.org/linux/man-pages/man5/proc_pid_status.5.html"""
        process = self.service.process
        assert process is not None
        status = Path(f"/proc/{process.pid}/status").read_text("ascii")
        caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
        return bool(int(caught.split()[1], 16) >> (number - 1) & 1)

    async def until(self, condition: Callable[[], object]) -> None:
        """Returns when something is so, and a little later."""
        async with asyncio.timeout(15):
            while not condition():  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)

    async def asked(self, method: str) -> None:
        """Returns when the service has called a method and waits for what comes of it."""
        await self.until(lambda: self.server.count(method))

    async def stops(self, number: signal.Signals = signal.SIGTERM) -> None:
        began = time.monotonic()
        code = await self.service._end(number)
        assert (code, time.monotonic() - began < _WITHIN) == (0, True), "\n".join(self.service.log)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    world = World(1)
    world.add_person(READER)
    for at in range(3):
        channel = world.add_channel(4001 + at, username=f"stop_{at}_demo", members=[READER])
        for number in range(150):
            channel.post(f"Сирия № {number}", push=False)
    async with TelegramServer(world) as server:
        names = [f"@{channel.username}" for channel in world.channels.values()]
        service = Service.configured(tmp_path, server, names)
        try:
            yield Scene(world, server, service)
        finally:
            if service.process is not None:
                await service.kill()


@pytest.mark.parametrize("moment", range(_MOMENTS))
async def test_a_stop_is_heeded_at_any_moment_of_a_start(moment: int, scene: Scene) -> None:
    delay = random.Random(moment).uniform(0, _UP)  # noqa: S311 - seeded, not secret
    await scene.start()
    await asyncio.sleep(delay)
    await scene.stops((signal.SIGTERM, signal.SIGINT)[moment % 2])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_is_heeded_from_the_first_instruction_on(number: signal.Signals, scene: Scene) -> None:
    await scene.start()
    await scene.stops(number)


async def test_a_stop_is_heeded_while_a_server_never_answers(scene: Scene) -> None:
    scene.server.faults.hang()
    await scene.start()
    await scene.until(lambda: scene.server.connections)
    await scene.stops()


async def test_a_stop_is_heeded_while_there_is_no_server(scene: Scene) -> None:
    await scene.server.stop_listening()
    await scene.start()
    await scene.until(lambda: any("started" in line for line in scene.service.log))
    await scene.stops()


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("contacts.resolveUsername", lambda faults: faults.swallow("contacts.resolveUsername", times=None)),
        ("messages.getHistory", lambda faults: faults.slow("messages.getHistory", 60)),
        ("messages.getPeerDialogs", lambda faults: faults.slow("messages.getPeerDialogs", 60)),
        ("users.getUsers", lambda faults: faults.flood_wait("users.getUsers", 3600, times=None)),
        ("contacts.resolveUsername", lambda faults: faults.flood_wait("contacts.resolveUsername", 3600, times=None)),
        ("messages.getHistory", lambda faults: faults.flood_wait("messages.getHistory", 3600, times=None)),
    ],
    ids="first-resolve page sweep wait-at-connecting wait-at-resolving wait-at-reading".split(),
)
async def test_a_stop_is_heeded_while_a_call_waits(
    method: str, fault: Callable[[Faults], object], scene: Scene
) -> None:
    fault(scene.server.faults)
    await scene.start()
    await scene.asked(method)
    await scene.stops()


async def test_a_stop_is_heeded_while_the_session_is_refused(scene: Scene) -> None:
    """A session that is lost while the service runs leaves it up."""
    await scene.start()
    await scene.asked("messages.getHistory")
    scene.server.revoke(READER)
    await scene.until(lambda: any("signed out" in line for line in scene.service.log))
    await scene.stops()


async def test_a_stop_is_heeded_while_a_disk_is_slow(scene: Scene) -> None:
    """What is being stored does not come to its end; it was not covered by a cursor, and is read again."""
    await scene.start()
    await scene.asked("messages.getHistory")
    with closing(sqlite3.connect(scene.service.folder / "data" / "vedette.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        scene.world.channels[4001].post("Сирия № 151")
        await asyncio.sleep(0.2)
        await scene.stops()


async def test_a_stop_is_heeded_while_the_database_waits_for_its_first_step(scene: Scene) -> None:
    path = scene.service.folder / "data" / "vedette.db"
    path.touch(0o600)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        await scene.start()
        await asyncio.sleep(2)
        await scene.stops()


async def test_a_stop_is_heeded_while_the_library_waits_for_its_session_file(scene: Scene) -> None:
    """It does so in the midst of the loop, where no task is ever asked to end."""
    with closing(sqlite3.connect(scene.service.folder / "data" / "reader.session", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        await scene.start()
        await scene.until(lambda: any("started" in line for line in scene.service.log))
        await scene.stops()


async def test_nothing_is_lost_by_a_stop_in_the_midst_of_reading(scene: Scene) -> None:
    await scene.start()
    await scene.asked("messages.getHistory")
    await scene.stops()
    await scene.start()
    stored: set[str] = set()
    async with asyncio.timeout(30):
        while len(stored) < 450:
            await asyncio.sleep(0.3)
            stored = {f"{one['channel']}/{one['id']}" for one in await scene.service.exported()}
    await scene.stops()
