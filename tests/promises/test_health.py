"""`vedette health` beside a service that is a process of its own: it says what is so, and soon."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.promises.service import READER, ROOT, Service
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

#: From the start of a process to the first "healthy". The promise is 5 s on a machine that does nothing else.
_SOON = 15.0


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    world = World(1)
    world.add_person(READER, username="reader_demo")
    for number in range(3):
        world.add_channel(1001 + number, username=f"health_{number}_demo", members=[READER]).post("Тихо")
    async with TelegramServer(world) as server:
        yield server


@pytest.fixture
async def service(server: TelegramServer, tmp_path: Path) -> AsyncIterator[Service]:
    service = Service.configured(tmp_path, server, [f"@health_{number}_demo" for number in range(3)])
    yield service
    if service.process is not None:
        await service.kill()


async def health(service: Service) -> dict[str, Any]:
    """What it says, its exit code too."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "health", "--json", "--config", str(service.folder / "config.toml")),
        cwd=ROOT,
        env={**os.environ, "PYTHONUTF8": "1"},
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    return {**json.loads(printed), "exit": process.returncode}


def codes(found: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in found["reasons"]]


async def becomes(service: Service, *wanted: str, within: float = _SOON) -> list[dict[str, Any]]:
    """Returns when these are the reasons; all that was said until then."""
    end, said = time.monotonic() + within, []
    while True:
        said.append(await health(service))
        if codes(said[-1]) == list(wanted):
            return said
        assert time.monotonic() < end, said[-1]


async def test_it_fails_until_the_first_pass_of_this_process_has_ended_whatever_was_before(
    server: TelegramServer, service: Service
) -> None:
    await service.start()
    *before, healthy = await becomes(service)
    # The database is being made at this moment.
    assert {(one["exit"], *codes(one)) for one in before} <= {(1, "not-running"), (1, "database"), (1, "starting")}
    assert (healthy["exit"], healthy["link"]) == (0, "up")
    await service.kill()
    assert (await health(service))["exit"] == 1
    hanging = server.faults.hang()
    await service.start()
    assert {one["exit"] for one in await becomes(service, "starting")} == {1}
    for _ in range(5):
        assert codes(await health(service)) == ["starting"]
    hanging.stop()
    server.cut()
    after = (await becomes(service))[-1]
    assert after["started"] > healthy["started"]
    assert await service.stop() == 0
    assert codes(await health(service)) == ["not-running"]


async def test_what_is_in_force_need_not_be_read_again(service: Service) -> None:
    """As the container asks: what the service has taken over it has also said how it is, for whoever looks."""
    await service.start()
    await becomes(service)
    assert await asked_in_short(service) == ("healthy\n", False)
    file = service.folder / "config.toml"
    valid = file.read_text("utf-8")
    for changed in (valid.replace("Асад", "Дамаск"), f"# Nothing but a comment\n{valid}", valid):
        file.write_text(changed, "utf-8")
        end = time.monotonic() + _SOON
        while await asked_in_short(service) != ("healthy\n", False):
            assert time.monotonic() < end
    file.write_text(valid.replace("@health_2_demo", "health"), "utf-8")
    said, read = await asked_in_short(service)
    assert read
    assert said.startswith("degraded (configuration): config.toml has errors and was not taken over; ")


async def asked_in_short(service: Service) -> tuple[str, bool]:
    """What it prints, and whether the whole configuration was read for that."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-X", "importtime", "-m", "bot", "health"),
        cwd=ROOT,
        env={**os.environ, "PYTHONUTF8": "1", "VEDETTE_CONFIG": str(service.folder / "config.toml")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, loaded = await process.communicate()
    return printed.decode(), b"bot.config.settings" in loaded


async def test_a_session_that_was_ended_is_named(server: TelegramServer, service: Service) -> None:
    await service.start()
    await becomes(service)
    server.revoke(READER)
    server.cut()
    found = (await becomes(service, "signed-out", within=30))[-1]
    assert (found["exit"], found["running"], found["link"]) == (1, True, "signed_out")
