"""One installation as docs/deploying.md has it: a configuration, secrets, a volume, a container, signed in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from container.composed import Place
from container.engine import Done, Engine
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

READER, BOT = 7001, 555
_PHONE, _CODE, _PASSWORD = "+99966207001", "83251", "white horse"
_SECRETS = {
    "telegram_api_id": "12345",
    "telegram_api_hash": "0123456789abcdef0123456789abcdef",
    "telegram_bot_token": "555:SECRET-of-the-bot-that-speaks",
}
#: As short as a person would write it: `data_dir` is left as it is, credentials come as secrets.
CONFIG = """\
[telegram.server]
address = "{address}"
public_key = "/config/server.pem"

[watch]
channels = ["@alfa_demo"]

[digest]
chat = "me"

[topics.syria]
keywords = ["{keyword}"]
deliver = "alert"
"""
#: For what is under way, in seconds: on a machine that has much else to do.
_PATIENCE = 60.0


def world() -> World:
    """A reader, a bot, and one channel."""
    made = World(1)
    made.add_person(READER, phone=_PHONE, code=_CODE, password=_PASSWORD, username="reader_demo")
    made.add_bot(BOT, token=_SECRETS["telegram_bot_token"], username="desk_demo_bot")
    made.add_channel(1001, username="alfa_demo", title="Alpha")
    return made


@dataclass(slots=True, kw_only=True)
class Installation:
    """``name`` is of the container and of its volume. ``options``: more of `run`, or others."""

    engine: Engine
    image: str
    folder: Path
    name: str
    server: TelegramServer
    options: tuple[str, ...] = field(default=())

    def lay_out(self) -> None:
        """Writes the files, for everybody to read in a folder that nobody else can enter."""
        for name in ("config", "secrets"):
            (self.folder / name).mkdir()
        (self.folder / "config" / "server.pem").write_text(self.server.public_key, "utf-8")
        for name, value in _SECRETS.items():
            (self.folder / "secrets" / name).write_text(f"{value}\n", "utf-8")
        self.configure("Сирия")
        self.options = (*Place(self.folder, self.name).options(), "--network=host")

    def configure(self, keyword: str) -> None:
        """As many editors save: a new file in the place of the old one."""
        text = CONFIG.format(address=f"{self.server.host}:{self.server.port}", keyword=keyword)
        new = self.folder / "config" / "config.toml.new"
        new.write_text(text, "utf-8")
        new.rename(self.folder / "config" / "config.toml")

    @property
    def channel(self) -> WorldChannel:
        return self.server.world.channels[1001]

    async def once(self, *command: str, said: str = "") -> Done:
        """A container of its own, as ``docker compose run --rm vedette`` makes one."""
        return await self.engine.call("run", "--rm", "--interactive", *self.options, self.image, *command, said=said)

    async def log_in(self) -> None:
        done = await self.once("login", said=f"{_PHONE}\n{_CODE}\n{_PASSWORD}\n")
        assert done.code == 0, done.err + done.out

    async def create(self) -> None:
        await self._do("create", f"--name={self.name}", *self.options, self.image)

    async def again(self, *options: str) -> None:
        """Makes the container anew, on the same volume and with more options."""
        await self._do("rm", "--force", self.name)
        self.options = (*self.options, *options)
        await self.create()

    async def start(self) -> None:
        await self._do("start", self.name)

    async def kill(self) -> None:
        """As a power cut: no instruction more."""
        await self._do("kill", "--signal=KILL", self.name)
        await self._do("wait", self.name)

    async def stop(self) -> tuple[int, float]:
        """The exit code, and the seconds that it took, with those of the engine's own."""
        began = time.monotonic()
        await self._do("stop", "--time=10", self.name)
        took = time.monotonic() - began
        return self.engine.looked_at(self.name)["State"]["ExitCode"], took

    async def inside(self, *command: str) -> Done:
        return await self.engine.call("exec", self.name, *command)

    def checked(self) -> dict[str, Any]:
        """How the image wants its health to be checked: ``Test`` is the command, ``Interval`` in nanoseconds."""
        check: dict[str, Any] = self.engine.looked_at(self.name)["Config"]["Healthcheck"]
        assert check["Test"][0] == "CMD"
        return check

    async def is_seen_as(self, status: str) -> str:
        """Waits until the engine's own timer has found this status; returns what the last check said."""
        began = time.monotonic()
        while (health := self.engine.looked_at(self.name)["State"]["Health"])["Status"] != status:
            assert time.monotonic() - began < _PATIENCE, (health, await self.said())
            await asyncio.sleep(0.5)
        said: str = health["Log"][-1]["Output"]
        return said

    async def healthy(self) -> bool:
        """By the image's own check, without the engine's timer."""
        return (await self.inside(*self.checked()["Test"][1:])).code == 0

    async def becomes_healthy(self) -> float:
        """Returns after how many seconds."""
        began = time.monotonic()
        while not await self.healthy():
            assert time.monotonic() - began < _PATIENCE, await self.said()
        return time.monotonic() - began

    async def until(self, condition: Callable[[], object]) -> None:
        """Returns when something is so on the server's side."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < _PATIENCE, await self.said()
            await asyncio.sleep(0.02)

    def told(self, text: str) -> list[Any]:
        """The messages sent that hold a text."""
        return [sent for sent in self.server.sent if text in sent.reads]

    async def said(self) -> str:
        done = await self.engine.call("logs", self.name)
        return done.out + done.err

    async def remove(self) -> None:
        await self.engine.call("rm", "--force", "--volumes", self.name)
        await self.engine.call("volume", "rm", "--force", self.name)

    async def _do(self, *words: str) -> None:
        done = await self.engine.call(*words)
        assert done.code == 0, done.err
