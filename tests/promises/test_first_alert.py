"""From nothing to the first alert, as docs/running.md has it: sign in, start, and somebody posts."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.promises.service import API_HASH, READER, ROOT, Service
from tests.promises.telling import Ledger
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

BOT, TOKEN = 900, "900:SECRET-of-the-bot-that-speaks"
PHONE, CODE = "+99966207001", "22222"

_CONFIG = """
timezone = "UTC"
data_dir = "{folder}/data"
[telegram]
api_id = 12345
api_hash = "{api_hash}"
bot_token = "{token}"
[telegram.server]
address = "{host}:{port}"
public_key = "{folder}/server.pem"
[watch]
channels = ["@first_demo"]
[digest]
chat = "me"
[topics.syria]
keywords = ["Сирия"]
deliver = "alert"
"""


async def test_after_a_login_by_lines_the_first_alert_comes_in_the_bots_private_chat(tmp_path: Path) -> None:
    """The bot was started by nobody: that is what `login` does for the reader."""
    world = World(1)
    world.add_person(READER, phone=PHONE, code=CODE, username="reader_demo")
    world.add_bot(BOT, token=TOKEN, username="first_demo_bot", started_by=[])
    channel = world.add_channel(2001, username="first_demo", members=[READER])
    channel.post("Nothing to see here")
    async with TelegramServer(world) as server:
        service, ledger = configured(tmp_path, server), Ledger(tmp_path / "data" / "vedette.db")
        await signed_in(service, PHONE, CODE)
        await service.start()
        try:
            await until(service, lambda: ledger.watching(1))
            channel.post("Сирия: первая новость")
            await until(service, lambda: alerts(server))
        finally:
            assert await service.stop() == 0
        [alert] = alerts(server)
        assert "Сирия: первая новость" in alert
        got = [one for one in world.people[READER].messages.values() if "первая новость" in (one.text or "")]
        assert len(got) == 1


def configured(folder: Path, server: TelegramServer) -> Service:
    (folder / "server.pem").write_text(server.public_key, "utf-8")
    text = _CONFIG.format(folder=folder, api_hash=API_HASH, token=TOKEN, host=server.host, port=server.port)
    (folder / "config.toml").write_text(text, "utf-8")
    return Service(folder)


async def signed_in(service: Service, *answers: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "login", "--config", str(service.folder / "config.toml")),
        cwd=ROOT,
        env={**os.environ, "PYTHONUTF8": "1"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate("".join(f"{answer}\n" for answer in answers).encode())
    assert process.returncode == 0, said.decode()


def alerts(server: TelegramServer) -> list[str]:
    """What the bot has written to the reader."""
    return [one.text for one in server.sent if (one.person, one.peer) == (BOT, READER)]


async def until(service: Service, condition: Callable[[], object], within: float = 40) -> None:
    end = time.monotonic() + within
    while not condition():
        assert service.process is not None
        assert service.process.returncode is None, service.log
        assert time.monotonic() < end, service.log
        await asyncio.sleep(0.05)
