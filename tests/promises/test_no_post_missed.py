"""Promise 1 and 2: whatever is lost on the way and however often the process is killed, each post is matched once."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tests.promises.conftest import Size
from tests.promises.service import READER, Service
from tests.promises.traffic import Traffic
from tests.telegram_server.faults import Faults
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

#: How long the last process has to come to the end of what was missed, under the limit of 30 pages in 30 seconds.
PATIENCE = 180.0
#: Keys of a line that tells what became of a post, and not the post itself.
_CHANGES = {"edit_date", "deleted"}


def trouble(seed: int, channels: list[int]) -> Faults:
    """All that a server and a network do to a client on a bad day."""
    faults = Faults(seed)
    faults.drop(0.4)
    faults.silent(*channels[::4])
    faults.duplicate(0.1)
    faults.reorder(0.2, within=0.5)
    faults.unknown_in_push(0.02)
    faults.channel_too_long(0.02)
    faults.too_long(0.5)
    faults.limit("messages.getHistory", 30, 30)
    faults.cut_before("messages.getHistory", share=0.02, times=None)
    faults.cut_after("messages.getPeerDialogs", share=0.05, times=None)
    return faults


@pytest.mark.timeout(400)
async def test_every_post_is_stored_and_matched_once(seed: int, size: Size, tmp_path: Path) -> None:
    world, chance = World(seed), Random(f"trouble {seed}")  # noqa: S311 - seeded, not secret
    world.add_person(READER)
    traffic = Traffic(world, size.channels, seed, READER)
    traffic.begin(3)
    faults = trouble(seed, [channel.number for channel in traffic.channels])
    async with TelegramServer(world, faults) as server:
        service = Service.configured(tmp_path, server, [f"@{name}" for name in traffic.names])
        async with asyncio.TaskGroup() as group:
            group.create_task(_torment(service, server, chance, traffic, size.posts))
            group.create_task(_speak(traffic, chance, size.posts))
        await service.start()
        await _caught_up(service, traffic)
        assert await service.stop() == 0, service.log[-20:]
    await _compare(service, traffic, seed)


async def _speak(traffic: Traffic, chance: Random, posts: int) -> None:
    while traffic.posted < posts:
        traffic.step()
        await asyncio.sleep(chance.expovariate(60))


async def _torment(service: Service, server: TelegramServer, chance: Random, traffic: Traffic, posts: int) -> None:
    """Kills the process every few seconds, and cuts its connection in between."""
    while traffic.posted < posts:
        await service.start()
        for _ in range(chance.randint(1, 3)):
            await asyncio.sleep(chance.uniform(1, 3))
            server.cut()
        await service.kill()


async def _caught_up(service: Service, traffic: Traffic) -> None:
    """Returns when nothing that was posted is missing any more, or it has taken too long."""
    expected, end = set(traffic.texts()), time.monotonic() + PATIENCE
    while time.monotonic() < end:
        await asyncio.sleep(3)
        if expected <= {(line["channel"]["username"], line["id"]) for line in await service.exported()}:
            return


async def _compare(service: Service, traffic: Traffic, seed: int) -> None:
    said = f"seed {seed}, {service.starts} starts"
    lines = await service.exported()
    last = {(line["channel"]["username"], line["id"]): line["text"] for line in lines}
    first = Counter((line["channel"]["username"], line["id"]) for line in lines if not _CHANGES & set(line))
    texts, gone = traffic.texts(), traffic.deleted()
    assert [place for place in texts if place not in last] == [], said
    assert [place for place, count in first.items() if count > 1] == [], said
    assert set(last) <= set(texts) | gone, said
    wanted = set(traffic.topics())
    stored = Counter((line["channel"], line["id"], line["topic"]) for line in await service.exported("--matches"))
    printed = Counter(_triple(line) for line in service.lines)
    for found in (stored, printed):
        assert sorted(wanted - set(found)) == [], said
        assert [match for match, count in found.items() if count > 1] == [], said
    assert {match for match in stored if match[:2] not in gone} == wanted, said


def _triple(line: str) -> tuple[str, int, str]:
    import json

    found = json.loads(line)
    return found["channel"], found["id"], found["topic"]
