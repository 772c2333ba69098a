"""The sign of life of the service: what its loops last saw, written down every few seconds for whoever looks."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn

from bot.errors import StorageError
from bot.ports import Clock
from bot.storage import vitals
from bot.storage.database import Database
from bot.telemetry.log import logger
from bot.vitals import Vitals

_log = logger(__name__)

_EVERY = timedelta(seconds=10)
#: Until the first pass has ended somebody waits for it.
_SOON = timedelta(seconds=1)
#: A clock that is off by so much after a pause was set meanwhile, or the machine slept.
_STEP = timedelta(seconds=30)


class Pulse:
    """``look`` says how things stand now; what it does not know of a pass since a reconnection is remembered here.

    What an earlier process wrote stands there until the first `beat`. So that nobody takes it for ours, a file is held
    locked from then on (`bot.storage.vitals.ALIVE`), which the system lets go however the process ends.
    """

    def __init__(self, database: Database, clock: Clock, look: Callable[[], Vitals]) -> None:
        self._database = database
        self._clock = clock
        self._look = look
        self._stepped: datetime | None = None
        self._passed: datetime | None = None

    async def run(self) -> NoReturn:
        """Writes at once and then again and again, until it is cancelled. Raises StorageError."""
        file = _opened(self._database.path.with_name(vitals.ALIVE))
        try:
            while True:
                if await self.beat():
                    # Whoever looks holds it for a moment, and is gone by the next time.
                    with suppress(BlockingIOError):
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                await self._rest()
        finally:
            os.close(file)

    async def _rest(self) -> None:
        pause = _SOON if self._passed is None else _EVERY
        due = self._clock.now() + pause
        await self._clock.sleep(pause)
        if abs(self._clock.now() - due) > _STEP:
            self._stepped = self._clock.now()

    async def beat(self) -> bool:
        """Writes once; whether it could. That is not worth a stop: that nothing is written says enough."""
        look = self._look()
        self._passed = look.passed or self._passed
        seen = replace(look, passed=self._passed, stepped=self._stepped)
        try:
            await self._database.write(lambda c: vitals.put(c, seen))
        except StorageError as error:
            _log.warning("vitals not written", error=error)
            return False
        return True


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(f"{path} cannot be opened: {error.strerror}; look at the folder that it lies in.") from None
