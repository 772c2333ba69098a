"""The service as a process of its own, which can be killed: what a person would start, seen from outside."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.telegram_server.server import TelegramServer

ROOT = Path(__file__).parent.parent.parent
READER = 7001
API_HASH = "0123456789abcdef0123456789abcdef"

_CONFIG = """
timezone = "UTC"
data_dir = "{folder}/data"

[telegram]
api_id = 12345
api_hash = "{api_hash}"

[telegram.server]
address = "{host}:{port}"
public_key = "{folder}/server.pem"

[watch]
channels = [{channels}]
history = "{history}"
sweep_every = "{sweep_every}"
join = {join}

[digest]
chat = "me"

[alerts]
max_per_minute = 0

[topics.syria]
keywords = ["Сирия", "Асад"]
deliver = "alert"

[topics.bases]
keywords = ['"военная база"']
deliver = "digest"

[log]
level = "debug"
"""


@dataclass(slots=True)
class Service:
    """One installation in a folder. ``lines``: what its processes have printed, ``log``: what they said beside it."""

    folder: Path
    lines: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    process: asyncio.subprocess.Process | None = None
    starts: int = 0
    _readers: list[asyncio.Task[None]] = field(default_factory=list)

    @classmethod
    def configured(  # noqa: PLR0913 - one argument a key
        cls,
        folder: Path,
        server: TelegramServer,
        channels: Iterable[str],
        *,
        history: str = "24h",
        sweep_every: str = "10s",
        join: bool = True,
    ) -> Service:
        """Writes the configuration and the reader's session."""
        names = ", ".join(f'"{name}"' for name in channels)
        (folder / "server.pem").write_text(server.public_key)
        (folder / "data").mkdir(mode=0o700)
        server.sign_in_session(folder / "data" / "reader.session", READER)
        (folder / "config.toml").write_text(
            _CONFIG.format(
                folder=folder,
                api_hash=API_HASH,
                host=server.host,
                port=server.port,
                channels=names,
                history=history,
                sweep_every=sweep_every,
                join=str(join).lower(),
            ),
            encoding="utf-8",
        )
        return cls(folder)

    async def start(self, *, form: str = "jsonl", to: int = asyncio.subprocess.PIPE) -> None:
        """``to``: where its standard error goes; what goes elsewhere than here is not in ``log``."""
        self.starts += 1
        self.process = process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "run", "--config", str(self.folder / "config.toml"), "--format", form),
            cwd=ROOT,
            env={**os.environ, "PYTHONUTF8": "1"},
            stdout=asyncio.subprocess.PIPE,
            stderr=to,
            limit=1 << 24,
        )
        streams = (process.stdout, self.lines), (process.stderr, self.log)
        self._readers = [asyncio.create_task(_collect(one, lines)) for one, lines in streams if one is not None]

    async def kill(self) -> None:
        """As a power cut: no instruction more."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """As an engine stops a container; returns the exit code."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(number)
        code = await self.process.wait()
        await asyncio.gather(*self._readers)
        # For whoever looks into a failure.
        (self.folder / "service.log").write_text("\n".join(self.log), encoding="utf-8")
        self.process = None
        return code

    async def command(self, *words: str) -> str:
        """What another command of the program prints."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", *words, "--config", str(self.folder / "config.toml")),
            cwd=ROOT,
            env={**os.environ, "PYTHONUTF8": "1"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, said = await process.communicate()
        assert process.returncode == 0, said.decode()
        return printed.decode()

    async def exported(self, *words: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (await self.command("export", *words)).splitlines()]


async def _collect(stream: asyncio.StreamReader, lines: list[str]) -> None:
    while raw := await stream.readline():
        lines.append(raw.decode().rstrip("\n"))
