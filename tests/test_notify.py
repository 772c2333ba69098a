"""Notices to notification URLs: by apprise itself, to a loopback server that speaks HTTP."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bot.config.load import parse_settings
from bot.model import Notice
from bot.notify import MISSING, Notify, faults
from bot.storage import notices
from bot.storage.database import Connection, Database
from bot.storage.notices import mark_of
from tests.clocks import HandClock
from tests.made import at

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.filterwarnings(
    # One of its plug-ins looks for a module that Python has removed meanwhile.
    "ignore:'imghdr' is deprecated:DeprecationWarning"
)
SECRET = "a-path-that-nobody-may-see"  # noqa: S105 - invented
LOST = "@alfa_demo cannot be read"


class Server:
    """Takes what is posted to it; ``refusals``: so often it says 500 before it does."""

    def __init__(self) -> None:
        self.got: list[dict[str, str]] = []
        self.asked = 0
        self.refusals = 0
        self.port = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        [length] = [int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length:")]
        body = await reader.readexactly(length)
        self.asked += 1
        refused = self.asked <= self.refusals
        if not refused:
            self.got.append(json.loads(body))
        writer.write(f"HTTP/1.1 {'500 No' if refused else '200 OK'}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.port}/{SECRET}"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    listening = await asyncio.start_server(server.answer, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield server


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.opened(tmp_path) as database:
        yield database


@asynccontextmanager
async def notifying(database: Database, clock: HandClock, *urls: str) -> AsyncIterator[None]:
    toml = f"""
        [watch]
        channels = ["@alfa_demo"]
        [digest]
        chat = "me"
        [operators]
        notify = {json.dumps(urls)}
        [topics.syria]
        keywords = ["Сирия"]
    """
    settings = parse_settings(toml, "config.toml", {}, lambda _: "")
    running = asyncio.create_task(Notify(database, clock, settings=lambda: settings).run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()


async def told(database: Database, urls: Sequence[str], *whats: str) -> None:
    """As `bot.operators` does it."""
    for what in whats:
        await database.write(lambda c, w=what: notices.say(c, w, Notice(w), at()))  # type: ignore[misc]
    ids = [one.id for one in await notices.untold(database)]
    await database.write(lambda c: notices.owe(c, ids, map(mark_of, urls)))
    await database.write(lambda c: notices.mark_told(c, ids, at()))


async def becomes(clock: HandClock, true: Callable[[], bool]) -> None:
    """The clock runs on until that is so."""
    async with asyncio.timeout(20):
        while not true():
            await clock.advance(timedelta(seconds=2))
            await asyncio.sleep(0.01)


async def paid(database: Database, clock: HandClock) -> None:
    async with asyncio.timeout(20):
        while await notices.owed(database):
            await clock.advance(timedelta(seconds=2))
            await asyncio.sleep(0.01)


async def passes(clock: HandClock, span: timedelta) -> None:
    """So long goes by, some minutes at a time, and each time what was to be done is done."""
    until = clock.now() + span
    async with asyncio.timeout(20):
        while clock.now() < until:
            while not any(moment > clock.now() for moment, _ in clock._sleeping):  # noqa: ASYNC110 - of threads too
                await asyncio.sleep(0.001)
            clock.set(clock.now() + timedelta(minutes=5))


async def told_of(database: Database, clock: HandClock, several: int) -> None:
    """The clock runs on until there is so much that the operators are still to be told."""
    async with asyncio.timeout(20):
        while len(await notices.untold(database)) < several:
            await clock.advance(timedelta(seconds=2))
            await asyncio.sleep(0.01)


async def troubles(database: Database) -> list[str]:
    return [one.notice.what for one in await notices.untold(database)]


async def test_a_configuration_that_was_mended_meanwhile_is_not_told_as_broken(
    database: Database, server: Server
) -> None:
    clock = HandClock()

    def work(c: Connection) -> None:
        notices.say(c, notices.CONFIGURATION_ERROR, Notice("config.toml is empty"), at())
        notices.settle(c, notices.CONFIGURATION_ERROR, at())
        notices.say(c, notices.CONFIGURATION, Notice("The configuration was changed"), at())

    await database.write(work)
    await told(database, [server.url])
    async with notifying(database, clock, server.url):
        await becomes(clock, lambda: bool(server.got))
    assert [one["message"] for one in server.got] == ["The configuration was changed"]
    assert await notices.owed(database) == {}


async def test_edits_in_quick_succession_keep_no_trouble_from_a_url(database: Database, server: Server) -> None:
    clock = HandClock()
    async with notifying(database, clock, server.url):
        for number in range(5):
            await database.write(lambda c, n=number: notices.say(c, notices.CONFIGURATION, Notice(f"{n}"), at()))  # type: ignore[misc]
            await told(database, [server.url])
            await becomes(clock, lambda n=number: len(server.got) == n + 1)  # type: ignore[misc]
        begun = clock.now()
        await told(database, [server.url], LOST)
        await becomes(clock, lambda: len(server.got) == 6)
    assert clock.now() - begun < timedelta(seconds=30)


async def test_a_notice_is_pushed_once(database: Database, server: Server) -> None:
    clock = HandClock()
    await told(database, [server.url], LOST)
    async with notifying(database, clock, server.url):
        await paid(database, clock)
    async with notifying(database, clock, server.url):
        await clock.advance(timedelta(minutes=5))
        await asyncio.sleep(0.05)
    [got] = server.got
    assert (got["title"], got["message"].replace("\u2060", "")) == ("Vedette", LOST)
    assert await troubles(database) == []


async def test_several_are_one_push(database: Database, server: Server) -> None:
    clock = HandClock()
    await told(database, [server.url], "a", "b", "c")
    async with notifying(database, clock, server.url):
        await paid(database, clock)
    assert [got["message"] for got in server.got] == ["3 notices\n• a\n• b\n• c"]


async def test_what_is_refused_is_tried_again_and_told_of_after_the_third_time(
    database: Database, server: Server
) -> None:
    clock, server.refusals = HandClock(), 2
    await told(database, [server.url], LOST)
    async with notifying(database, clock, server.url):
        await paid(database, clock)
        assert (server.asked, len(server.got), await troubles(database)) == (3, 1, [])
        server.refusals = 6
        await told(database, [server.url], "b")
        await becomes(clock, lambda: server.asked == 6)
        await told_of(database, clock, 1)
    [said] = [one.notice for one in await notices.untold(database)]
    assert said.what.startswith("Notification URL 1 (json://…) takes no notices: the service does not take them")
    assert said.details == ("What it was to get is tried again, less and less often, for twelve hours.",)


async def test_what_could_not_be_sent_in_an_outage_of_hours_is_sent_after_it_be_it_after_a_restart(
    database: Database, server: Server
) -> None:
    clock, server.refusals = HandClock(), 1000
    await told(database, [server.url], LOST)
    async with notifying(database, clock, server.url):
        await passes(clock, timedelta(hours=3))
        assert 8 <= server.asked <= 12
        await told(database, [server.url], "b")
    async with notifying(database, clock, server.url):
        tries = server.asked
        await becomes(clock, lambda: server.asked > tries)
        server.refusals = 0
        await paid(database, clock)
    assert [got["message"].replace("\u2060", "") for got in server.got] == [f"2 notices\n• {LOST}\n• b"]
    assert await troubles(database) == ["Notification URL 1 (json://…) takes notices again"]


async def test_what_is_half_a_day_old_is_not_tried_again(database: Database, server: Server) -> None:
    clock, server.refusals = HandClock(), 1000
    await told(database, [server.url], LOST)
    async with notifying(database, clock, server.url):
        await passes(clock, timedelta(hours=11))
        assert await notices.owed(database)
        await passes(clock, timedelta(hours=2))
        assert await notices.owed(database) == {}
        tries = server.asked
        await passes(clock, timedelta(hours=2))
    assert (server.asked, server.got) == (tries, [])


async def test_a_url_that_fails_is_told_once_and_hinders_no_other(
    database: Database, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    clock = HandClock()
    dead = f"json://127.0.0.1:1/{SECRET}"
    urls = [dead, server.url]
    await told(database, urls, "a")
    async with notifying(database, clock, *urls):
        await told_of(database, clock, 1)
        await told(database, urls, "b")
        await becomes(clock, lambda: len(server.got) == 2)
        await passes(clock, timedelta(minutes=10))
    assert [got["message"].splitlines()[0] for got in server.got] == ["a", "2 notices"]
    said = [one.notice.what for one in await notices.recent(database, 10)]
    why = "the service does not take them, or cannot be reached"
    assert said == ["b", f"Notification URL 1 (json://…) takes no notices: {why}", "a"]
    ours = [record for record in caplog.records if record.name.startswith("bot")]
    assert ours
    assert not [record for record in ours if SECRET in str(record.msg)]
    assert SECRET not in str(await database.rows("SELECT * FROM fact"))


async def test_a_url_that_works_again_is_told_of_but_not_to_itself(database: Database, server: Server) -> None:
    clock, server.refusals = HandClock(), 3
    await told(database, [server.url], "a")
    async with notifying(database, clock, server.url):
        await told_of(database, clock, 1)
        await told(database, [server.url])
        await told_of(database, clock, 1)
        assert await troubles(database) == ["Notification URL 1 (json://…) takes notices again"]
        await told(database, [server.url])
        await paid(database, clock)
    assert [got["message"] for got in server.got] == ["a"]


async def test_what_apprise_does_not_know_is_told_at_once(database: Database) -> None:
    clock = HandClock()
    await told(database, [f"nonsense://{SECRET}"], LOST)
    async with notifying(database, clock, f"nonsense://{SECRET}"):
        await paid(database, clock)
    [said] = await troubles(database)
    assert said.startswith("Notification URL 1 (nonsense://…) takes no notices: it is none that apprise knows")


async def test_without_the_package_that_is_told_with_what_to_do(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    clock = HandClock()
    await told(database, ["ntfy://ntfy.example/topic"], LOST)
    async with notifying(database, clock, "ntfy://ntfy.example/topic"):
        await paid(database, clock)
    assert await troubles(database) == [f"Notification URL 1 (ntfy://…) takes no notices: {MISSING}"]
    assert list(faults(["ntfy://ntfy.example/topic"])) == [(0, MISSING)]


def test_the_package_comes_from_a_file_of_this_repository_and_not_by_our_name_from_an_index() -> None:
    [file] = re.findall(r"--require-hashes -r (\S+?),", MISSING)
    assert "\napprise==" in (ROOT / file).read_text("utf-8")
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        assert "vedette[" not in page.read_text("utf-8"), page


async def test_a_server_that_never_answers_keeps_nothing_from_ending(database: Database) -> None:
    asked: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, writer: asked.append(writer), "127.0.0.1", 0)
    url = f"json://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
    clock = HandClock()
    await told(database, [url], LOST)
    async with silent:
        async with notifying(database, clock, url):
            await becomes(clock, lambda: bool(asked))
            begun = time.monotonic()
        assert time.monotonic() - begun < 1
        for writer in asked:
            writer.close()
    assert [one.notice.what for one in (await notices.owed(database))[mark_of(url)]] == [LOST]


def test_what_will_not_work_is_known_without_sending_anything() -> None:
    urls = ["ntfy://ntfy.example/topic", f"nonsense://{SECRET}", "json://127.0.0.1"]
    [(place, why)] = faults(urls)
    assert (place, SECRET in why) == (1, False)
    assert list(faults([])) == []


async def test_nothing_is_loaded_until_there_is_a_url(database: Database) -> None:
    clock = HandClock()
    loaded = set(sys.modules)
    async with notifying(database, clock):
        await clock.advance(timedelta(seconds=10))
    assert not {name for name in set(sys.modules) - loaded if name.startswith("apprise")}
