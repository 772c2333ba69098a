"""A digest that is asked for while the service runs: by another process, sent once, and never told again."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.promises.service import READER, Service
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World


async def test_a_digest_comes_when_it_is_asked_for(tmp_path: Path) -> None:
    world = World(seed=1)
    world.add_person(READER, username="reader_demo")
    channel = world.add_channel(1001, username="alfa_demo", members=[READER])
    async with TelegramServer(world) as server:
        service = Service.configured(tmp_path, server, ["@alfa_demo"])
        await service.start()
        try:
            while not any("channel watched" in line for line in service.log):  # noqa: ASYNC110 - it writes that
                await asyncio.sleep(0.05)
            channel.post("Военная база в Сирии пуста")
            while len(service.lines) < 2:  # noqa: ASYNC110 - a match of each topic, likewise
                await asyncio.sleep(0.05)
            shown = await service.command("digest")
            assert await service.command("digest", "--now") == "✓ me: sent, 1 message\n"
            assert "nothing found" in await service.command("digest")
            last = await service.command("digest", "--last", "--full")
        finally:
            assert await service.stop() == 0
        sent = [one.text for one in server.sent if one.text.startswith("Digest: ")]
    assert len(sent) == 1
    for text in (sent[0], shown, last):
        assert "syria: 1 post, 1 story" in text
        assert "bases: 1 post, 1 story" in text
