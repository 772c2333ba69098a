"""The service as Prometheus and as a reader of the log see it: a post on its way, a lost connection, a taken port."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.promises.service import READER, Service
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

#: What is read of the metrics, by name and labels.
Values = dict[tuple[str, ...], float]


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    world = World(1)
    world.add_person(READER, username="reader_demo")
    world.add_channel(1001, username="alfa_demo", members=[READER]).post("Тихо")
    async with TelegramServer(world) as server:
        yield server


@pytest.fixture
def port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        return int(free.getsockname()[1])


@pytest.fixture
async def service(server: TelegramServer, tmp_path: Path, port: int) -> AsyncIterator[Service]:
    service = Service.configured(tmp_path, server, ["@alfa_demo"])
    with (tmp_path / "config.toml").open("a", encoding="utf-8") as config:
        config.write(f'\n[metrics]\nlisten = "127.0.0.1:{port}"\n')
    yield service
    if service.process is not None:
        await service.kill()


def scraped(port: int) -> Values:
    try:
        with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
    except OSError:
        return {}
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {(sample.name, *sample.labels.values()): sample.value for sample in samples}


async def until(port: int, wanted: Callable[[Values], bool], within: float = 60) -> Values:
    """The metrics, as soon as they say so."""
    end = time.monotonic() + within
    while not wanted(found := await asyncio.to_thread(scraped, port)):
        assert time.monotonic() < end, found
        await asyncio.sleep(0.1)
    return found


async def test_a_post_is_seen_on_its_way_and_a_lost_connection_is_counted(
    service: Service, server: TelegramServer, port: int
) -> None:
    await service.start(form="text")
    await until(port, lambda now: now.get(("vedette_link", "reader", "up")) == 1)
    server.world.channels[1001].post("Колонна вошла в Сирию")
    found = await until(port, lambda now: now.get(("vedette_messages_sent_total", "alert")) == 1)
    assert found["vedette_matches_total", "syria"] == 1
    assert found["vedette_channel_behind", "alfa_demo"] == 0
    assert found["vedette_connections_total", "reader"] >= 1
    assert found["vedette_calls_total", "reader", "messages.sendMessage"] == 1
    assert found["process_resident_memory_bytes",] > 10_000_000
    reconnected = "vedette_connections_total", "reader"
    server.cut()
    found = await until(port, lambda now: now[reconnected] > found[reconnected])
    found = await until(port, lambda now: now["vedette_sweeps_total",] > 1)
    assert found["vedette_calls_total", "reader", "messages.getPeerDialogs"] > 1
    assert found["vedette_channel_lag_seconds", "alfa_demo"] < 60
    with closing(socket.create_connection(("127.0.0.1", port))):  # who says nothing holds up no end
        began = time.monotonic()
        assert await service.stop() == 0
        assert time.monotonic() - began < 3
    way = [line for line in service.log if re.search(r"\balfa_demo/2\b|\bmessage=1\b", line)]
    events = ["posts stored", "post matched", "message made", "message sent"]
    assert [next(event for event in events if event in line) for line in way] == events
    assert "Traceback" not in "\n".join(service.log)


async def test_where_another_listens_the_service_says_so_and_ends(service: Service, port: int) -> None:
    with closing(socket.create_server(("127.0.0.1", port))):
        await service.start(form="text")
        assert service.process is not None
        assert await asyncio.wait_for(service.process.wait(), 30) == 1
        await service.stop()
    assert "Traceback" not in "\n".join(service.log)
    [line] = [line for line in service.log if "nobody can listen" in line]
    assert f"[metrics] listen: nobody can listen at 127.0.0.1:{port} (address already in use)" in line
