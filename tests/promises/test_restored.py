"""A service goes on from a backup that was made while it ran: nothing is lost, and nothing that waited comes twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from tests.promises.service import READER, Service
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World


async def told(server: TelegramServer, *words: str) -> None:
    """Returns when messages hold each of these."""
    async with asyncio.timeout(20):
        while not all(any(word in one.text for one in server.sent) for word in words):  # noqa: ASYNC110 - it writes that
            await asyncio.sleep(0.05)


async def test_a_service_goes_on_from_a_backup(tmp_path: Path) -> None:
    world = World(seed=1)
    world.add_person(READER, username="reader_demo")
    channel = world.add_channel(1001, username="alfa_demo", members=[READER])
    data, copy = tmp_path / "data", tmp_path / "copy.db"
    async with TelegramServer(world) as server:
        service = Service.configured(tmp_path, server, ["@alfa_demo"])
        await service.start()
        while not any("channel watched" in line for line in service.log):  # noqa: ASYNC110 - it writes that
            await asyncio.sleep(0.05)
        channel.post("Сирия: до копии")
        await told(server, "до копии")
        await service.command("backup", str(copy))
        channel.post("Сирия: после копии")
        await told(server, "после копии")
        assert await service.stop() == 0
        channel.post("Сирия: пока ничего не шло")

        for name in ("vedette.db-wal", "vedette.db-shm"):
            (data / name).unlink(missing_ok=True)
        (data / "vedette.db").write_bytes(copy.read_bytes())
        await service.start()
        await told(server, "пока ничего не шло")
        assert await service.stop() == 0

        stored = [one["text"] for one in await service.exported()]
        assert stored == ["Сирия: до копии", "Сирия: после копии", "Сирия: пока ничего не шло"]
        # What was told before the backup is told once; what was told after it, again, as docs/data.md says.
        times = Counter(text for one in server.sent for text in stored if text.removeprefix("Сирия: ") in one.text)
        assert times == {stored[0]: 1, stored[1]: 2, stored[2]: 1}
