"""Where nobody reads the log the service lives on, and ends as it would: seen from outside."""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.promises.service import READER, Service
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

_PAGE = 4096
_POSTS = 60


@pytest.fixture
def unread() -> Iterator[int]:
    """A pipe that is full, and that nobody reads."""
    end, into = os.pipe()
    fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, _PAGE)
    os.write(into, b"\n" * _PAGE)
    try:
        yield into
    finally:
        os.close(into)
        os.close(end)


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    world = World(1)
    world.add_person(READER)
    channel = world.add_channel(4001, username="unread_demo", members=[READER])
    for number in range(_POSTS):
        channel.post(f"Сирия № {number}", push=False)
    async with TelegramServer(world) as server:
        service = Service.configured(tmp_path, server, ["@unread_demo"])
        try:
            yield service
        finally:
            if service.process is not None:
                await service.kill()


async def test_where_nobody_reads_the_log_posts_are_matched_and_a_stop_is_heeded(service: Service, unread: int) -> None:
    await service.start(to=unread)
    async with asyncio.timeout(30):
        while len(service.lines) < _POSTS:  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.05)
    began = time.monotonic()
    assert await service.stop() == 0
    assert time.monotonic() - began < 3


async def test_where_nobody_reads_the_log_an_error_still_ends_it(service: Service, unread: int) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        _listen(service, other.getsockname()[1])
        await service.start(to=unread)
        assert service.process is not None
        async with asyncio.timeout(20):
            assert await service.process.wait() == 1


async def test_an_error_is_the_last_line_of_the_log_and_a_stop_leaves_none_out(service: Service) -> None:
    await service.start()
    async with asyncio.timeout(30):
        while len(service.lines) < _POSTS:  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.05)
    assert await service.stop() == 0
    assert " stopped " in service.log[-1]
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        _listen(service, other.getsockname()[1])
        await service.start()
        assert service.process is not None
        assert await service.process.wait() == 1
        await service.stop()
    assert " started " in "\n".join(service.log[-10:-1])
    assert service.log[-1].startswith("vedette: [metrics] listen: nobody can listen at 127.0.0.1:")


def _listen(service: Service, port: int) -> None:
    """Has it serve its metrics where another listens."""
    path = service.folder / "config.toml"
    path.write_text(f'{path.read_text("utf-8")}\n[metrics]\nlisten = "127.0.0.1:{port}"\n', "utf-8")
