"""The service over a clock that runs faster, forked from a process that has loaded all of it: it starts in a blink.

    python -m tests.promises.forked CONFIG LOG ORIGIN BEGAN FACTOR

``ORIGIN`` (ISO 8601) is what the clock showed when the machine's monotonic one stood at ``BEGAN`` seconds; it runs
``FACTOR`` times as fast, in every life. Each line on standard input starts a life: its process id is printed, and when
it has ended, its exit code (of a killed one minus the signal). What a life logs is added to ``LOG``.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.app import File, Mouth, serve
from bot.clock import ScaledClock
from bot.config.load import load
from bot.folder import held
from bot.telemetry.log import configure

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class Scale:
    """A clock that several processes share."""

    origin: datetime
    began: float
    factor: float

    @classmethod
    def from_now(cls, origin: datetime, factor: float) -> Scale:
        return cls(origin, time.monotonic(), factor)

    def seconds(self) -> float:
        """Of this clock, since it began."""
        return (time.monotonic() - self.began) * self.factor

    def now(self) -> datetime:
        return self.origin + timedelta(seconds=self.seconds())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[ScaledClock]:
        """It, as the service asks for one."""
        yield ScaledClock(self.now(), self.factor)


class Lives:
    """The service, started and killed from outside; ``count``: how often it was started."""

    def __init__(self, config: Path, log: Path, scale: Scale) -> None:
        self._config = config
        self._log = log
        self._scale = scale
        self._forking: asyncio.subprocess.Process | None = None
        self._pid: int | None = None
        self._end: asyncio.Task[int] | None = None
        self.count = 0

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Lives]:
        """Loads what a life needs; in the end none is left."""
        scale = self._scale
        self._forking = process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.promises.forked", str(self._config), str(self._log)),
            *(scale.origin.isoformat(), str(scale.began), str(scale.factor)),
            cwd=ROOT,
            env={**os.environ, "PYTHONUTF8": "1"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            yield self
        finally:
            if self._end is not None:
                self.kill()
                await self.ended()
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()

    async def start(self) -> None:
        assert self._forking is not None
        assert self._forking.stdin is not None
        assert self._end is None, "one life at a time"
        self._forking.stdin.write(b"\n")
        self._pid = await self._number()
        self._end = asyncio.create_task(self._number())
        self.count += 1

    def kill(self) -> None:
        """As a power cut: no instruction more. Nothing happens where no life is."""
        self._signal(signal.SIGKILL)

    async def stop(self) -> int:
        """As an engine stops a container; returns the exit code."""
        self._signal(signal.SIGTERM)
        return await self.ended()

    async def ended(self) -> int:
        """Returns when this life has ended: its exit code."""
        assert self._end is not None
        code = await self._end
        self._pid = self._end = None
        return code

    def check(self) -> None:
        """Nothing but a kill ends a life."""
        assert self._end is None or not self._end.done(), f"it has ended by itself\n{self.said()}"

    def said(self) -> str:
        """The last that was logged, for whoever looks into a failure."""
        lines = self._log.read_text("utf-8", errors="replace").splitlines() if self._log.exists() else []
        return "\n".join(lines[-30:])

    def _signal(self, number: signal.Signals) -> None:
        if self._pid is not None and self._end is not None and not self._end.done():
            with suppress(ProcessLookupError):  # it has ended this moment
                os.kill(self._pid, number)

    async def _number(self) -> int:
        assert self._forking is not None
        assert self._forking.stdout is not None
        line = await self._forking.stdout.readline()
        assert line, f"the process that forks has ended: {self.said()}"
        return int(line)


def main() -> None:
    config, log, origin, began, factor = sys.argv[1:]
    scale = Scale(datetime.fromisoformat(origin), float(began), float(factor))
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os._exit(_life(Path(config), Path(log), scale))
        print(pid, flush=True)  # noqa: T201 - read by `Lives`
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 - likewise


def _life(config: Path, log: Path, scale: Scale) -> int:
    """One life, in a process of its own; its exit code."""
    with log.open("a", encoding="utf-8", buffering=1) as said:
        try:
            settings = load(config, os.environ)
            configure(settings.log.level, settings.log.format, said)

            async def live() -> None:
                stop = asyncio.Event()
                asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
                mouth = Mouth(show=lambda message: print(message.text, file=said))
                await serve(settings, mouth, stop, file=File(config, os.environ), clock=scale.running())

            with held(settings.data_dir):
                asyncio.run(live())
        except BaseException as error:  # noqa: BLE001 - the process ends here, and says why
            said.write(f"ended by {error!r}\n")
            return 1
    return 0


if __name__ == "__main__":
    main()
