"""docs/running.md cannot rot: its commands are run as it shows them, one after another, against a loopback server."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.cli.main import app
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "running.md").read_text("utf-8")
READER, BOT = 777, 555
ANSWERS = ["+99966200777", "83251", "white horse"]
CONFIG = """\
[telegram]
api_id = 1
api_hash = "5ec4e70f0f0f0f0f0f0f0f0f0f0f0f0f"
bot_token = "555:SECRET-of-the-bot-that-speaks"
[telegram.server]
address = "127.0.0.1:{port}"
public_key = "server.pem"
[watch]
channels = ["@alfa_demo", "@beta_demo", "@nobody_demo"]
[digest]
chat = "me"
[topics.syria]
title = "Syria"
keywords = ["Сирия"]
deliver = "alert"
"""


class Box(NamedTuple):
    """A command of the page, and what it shows of its output; … stands for anything."""

    arguments: list[str]
    shown: str


def boxes() -> dict[str, Box]:
    """By the command's first word."""
    found = {}
    for text in re.findall(r"```console\n\$ vedette (.*?)```", PAGE, re.DOTALL):
        command, shown = text.split("\n", 1)
        arguments = shlex.split(command)
        found[arguments[0]] = Box(arguments, shown.strip("\n"))
    return found


def expect(box: Box, printed: str) -> None:
    lines = printed.splitlines()
    for line in box.shown.split("\n"):
        pattern = ".*".join(map(re.escape, line.rstrip().split("…")))
        assert any(re.fullmatch(pattern, one.rstrip()) for one in lines), f"{line!r} is not in\n{printed}"


class Home:
    """The folder in which the page's commands are typed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def begin(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", *arguments),
            cwd=self._folder,
            env={"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, *arguments: str, answers: list[str] | None = None) -> tuple[int | None, str]:
        """The exit code and all that was printed."""
        running = await self.begin(*arguments)
        out, err = await running.communicate("".join(f"{answer}\n" for answer in answers or []).encode())
        return running.returncode, (err + out).decode()

    async def becomes(self, wanted: Callable[[dict[str, object]], bool]) -> None:
        """Returns when ``status`` says so."""
        async with asyncio.timeout(30):
            while not wanted(json.loads((await self.run("status", "--json"))[1])):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    world = World(1)
    world.add_person(READER, phone=ANSWERS[0], code=ANSWERS[1], password=ANSWERS[2], username="reader_demo")
    world.add_bot(BOT, token="555:SECRET-of-the-bot-that-speaks", username="desk_demo_bot")  # noqa: S106 - invented
    alfa = world.add_channel(1001, username="alfa_demo", title="Alpha")
    for hours in (3, 2, 1):
        alfa.post("Тихо", date=datetime.now(UTC) - timedelta(hours=hours))
    world.add_channel(1002, username="beta_demo", title="Beta", members=[READER])
    async with TelegramServer(world) as server:
        yield server


async def test_the_commands_of_the_page_do_what_it_says_one_after_another(
    server: TelegramServer, tmp_path: Path
) -> None:
    (tmp_path / "server.pem").write_text(server.public_key, "utf-8")
    (tmp_path / "config.toml").write_text(CONFIG.format(port=server.port), "utf-8")
    home, shown = Home(tmp_path), boxes()

    code, printed = await home.run(*shown["login"].arguments, answers=ANSWERS)
    assert code == 0
    expect(shown["login"], printed)

    code, printed = await home.run(*shown["check"].arguments)
    assert code == 1
    expect(shown["check"], printed)

    service = await home.begin(*shown["run"].arguments)
    try:
        await while_it_runs(home, server, shown)
    finally:
        service.send_signal(signal.SIGTERM)
        _, log = await asyncio.wait_for(service.communicate(), 5)
    assert service.returncode == 0
    expect(shown["run"], log.decode())


async def while_it_runs(home: Home, server: TelegramServer, shown: dict[str, Box]) -> None:
    await home.becomes(lambda status: status["posts"] == 3)
    await home.becomes(lambda status: all(one["joined"] for one in status["channels"]))  # type: ignore[attr-defined]
    server.world.channels[1001].post("Колонна вошла в Сирию")
    async with asyncio.timeout(30):
        while not (alerts := [sent.text for sent in server.sent if "t.me/alfa_demo/4" in sent.text]):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    [message] = re.findall(r"```text\n(.*?)\n```", PAGE, re.DOTALL)
    expect(Box([], message), alerts[0])
    await home.becomes(lambda status: status["health"]["healthy"])  # type: ignore[index]
    expect(shown["status"], (await home.run(*shown["status"].arguments))[1])
    code, printed = await home.run(*shown["health"].arguments)
    assert code == 0
    expect(shown["health"], printed)
    expect(shown["export"], (await home.run(*shown["export"].arguments))[1])
    assert (await home.run("run"))[0] == 4


def test_every_command_that_connects_is_on_the_page() -> None:
    assert set(boxes()) == {"login", "check", "run", "status", "health", "export"}
    offline = {"demo", "replay", "grep", "explain"}
    for command in app.registered_commands:
        assert command.name in offline or f"`vedette {command.name}" in PAGE or command.name in boxes()
