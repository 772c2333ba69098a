"""``vedette backfill`` seen from outside: archive only, within Telegram's limits, and a kill costs nothing."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sqlite3
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.promises.service import READER, ROOT, Service
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.faults import Faults
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

HISTORY = "messages.getHistory"
#: Tables that stay empty: what is matched, told or held.
_TELLING = ("match", "member", "told", "bundle", "held", "outbox", "notice")


def a_world(*names: str, posts: int, every: timedelta) -> tuple[World, list[WorldChannel]]:
    """Channels whose posts lie this far apart, the newest an hour old; some are albums, some gone, some say nothing."""
    world, now = World(1), datetime.now(UTC).replace(microsecond=0)
    world.add_person(READER)
    channels = [world.add_channel(1001 + place, username=name, members=[READER]) for place, name in enumerate(names)]
    for channel in channels:
        for number in range(posts):
            date = now - timedelta(hours=1) - every * (posts - number)
            channel.post(f"Сирия, сообщение {number}", date=date, album=number // 3 + 1 if number % 90 < 3 else None)
            if number % 50 == 7:
                channel.service()
            if number % 70 == 9:
                channel.burn()
    return world, channels


def truth(channel: WorldChannel, since: datetime) -> dict[int, str]:
    """What the posts say that are as old as that and no older."""
    return {number: text for number, text in channel.truth().items() if channel.standing[number].message.date >= since}


async def exported(service: Service) -> dict[str, dict[int, str]]:
    """What is stored, by channel and number; no number twice."""
    found: dict[str, dict[int, str]] = {}
    for line in await service.exported():
        channel = line["channel"]
        mine = found.setdefault(channel if isinstance(channel, str) else channel["username"], {})
        assert line["id"] not in mine
        mine[line["id"]] = line["text"]
    return found


def rows(service: Service, *tables: str) -> dict[str, int]:
    with closing(sqlite3.connect(service.folder / "data" / "vedette.db")) as database:
        return {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}  # noqa: S608


def lowered(service: Service) -> int:
    """How many pages' worth of numbers the floor was lowered by, as another process sees it."""
    path = service.folder / "data" / "vedette.db"
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path)) as database:
        try:
            return int(database.execute("SELECT sum(top - floor) FROM channel").fetchone()[0] or 0) // 100
        except sqlite3.OperationalError:  # its tables are still being made
            return 0


class Backfilling:
    """One process of ``vedette backfill``."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def of(cls, service: Service, *words: str) -> Backfilling:
        return cls(
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", "backfill", *words, "--config", str(service.folder / "config.toml")),
                cwd=ROOT,
                env={**os.environ, "PYTHONUTF8": "1"},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        )

    async def end(self, number: signal.Signals | None = None) -> tuple[int | None, str, str]:
        if number is not None:
            self.process.send_signal(number)
        out, err = await self.process.communicate()
        return self.process.returncode, out.decode(), err.decode()


async def until_lowered(service: Service, backfilling: Backfilling, pages: int) -> None:
    end = time.monotonic() + 60
    while lowered(service) < pages:
        assert backfilling.process.returncode is None, await backfilling.end()
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


@pytest.mark.timeout(240)
async def test_kills_cost_nothing_the_limit_is_kept_and_nothing_is_told(tmp_path: Path) -> None:
    world, [alfa, bravo] = a_world("alfa_demo", "bravo_demo", posts=2_000, every=timedelta(minutes=20))
    since = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=25)
    faults = Faults(1)
    limit = faults.limit(HISTORY, 30, 30)
    async with TelegramServer(world, faults) as server:
        service = Service.configured(tmp_path, server, ["@alfa_demo", "@bravo_demo"])
        words = ("--since", since.isoformat())
        for pages in (5, 12):
            killed = await Backfilling.of(service, *words)
            await until_lowered(service, killed, pages)
            assert (await killed.end(signal.SIGKILL))[0] == -signal.SIGKILL
        assert server.count(HISTORY) > 12
        code, out, err = await (await Backfilling.of(service, *words)).end()
        assert code == 0, err
        assert [line.partition(":")[0] for line in out.splitlines()] == [alfa.title, bravo.title]
        assert re.search(r"^[\d,]+ posts, \d+%, \d+ s left$", err, re.MULTILINE)
        assert limit.hits == 0
        assert server.count(HISTORY) > 30
        assert await exported(service) == {"alfa_demo": truth(alfa, since), "bravo_demo": truth(bravo, since)}
        assert not any(rows(service, *_TELLING).values())

        await service.start()
        alfa.post("Сирия, новое")
        await _until_stored(service, alfa)
        assert await service.stop() == 0
        assert [found["id"] for found in await service.exported("--matches")] == [alfa.newest]


async def _until_stored(service: Service, channel: WorldChannel) -> None:
    for _ in range(100):
        if any(f'"id": {channel.newest},' in line for line in service.lines):
            return
        await asyncio.sleep(0.2)
    raise AssertionError(service.log[-20:])


async def test_it_goes_on_below_the_first_history_of_the_service_and_leaves_its_matches_alone(tmp_path: Path) -> None:
    world, [alfa] = a_world("alfa_demo", posts=300, every=timedelta(minutes=30))
    async with TelegramServer(world) as server:
        service = Service.configured(tmp_path, server, ["@alfa_demo"], history="24h")
        await service.start()
        await _until_stored(service, alfa)
        beside = await (await Backfilling.of(service)).end()
        assert beside[0] == 4
        assert "stop the service first" in beside[2]
        await asyncio.sleep(0.5)
        assert await service.stop() == 0
        before = rows(service, *_TELLING)
        matches = await service.exported("--matches")
        assert {found["reason"] for found in matches} == {"history"}
        code, out, err = await (await Backfilling.of(service, "alfa_demo", "--since", "2020-01-01")).end()
        assert (code, out.endswith("complete back to its first post\n")) == (0, True), err
        assert await exported(service) == {"alfa_demo": alfa.truth()}
        assert rows(service, *_TELLING) == before
        assert await service.exported("--matches") == matches


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_cleanly_and_what_was_read_is_stored(number: signal.Signals, tmp_path: Path) -> None:
    world, [alfa] = a_world("alfa_demo", posts=1_500, every=timedelta(minutes=10))
    faults = Faults(1)
    faults.slow(HISTORY, 0.2)
    async with TelegramServer(world, faults) as server:
        service = Service.configured(tmp_path, server, ["@alfa_demo"])
        stopped = await Backfilling.of(service)
        await until_lowered(service, stopped, 3)
        code, out, err = await stopped.end(number)
        assert (code, out) == (1, "")
        assert "the same command goes on from there" in err
        assert "Traceback" not in err
        read = (await exported(service))["alfa_demo"]
        assert 200 < len(read) < 1_500
        assert read == {number: text for number, text in alfa.truth().items() if number >= min(read)}
