"""What the lives of connections have in common, the reader's and the speaker's: pauses between them, and probes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from bot.errors import TelegramError, UnreachableError, VedetteError, WaitError
from bot.ports import Clock
from bot.telegram.account import Account
from bot.telemetry.log import logger

_log = logger(__name__)

#: How long is waited before the next attempt: doubled each time, and never quite the same.
_FIRST_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(minutes=5)
#: A session that Telegram has refused is asked for again this often: somebody may sign in anew.
SIGNED_OUT_PAUSE = timedelta(minutes=5)
#: Where Telegram still answered so long after it was opened, the life was a good one, and the next pause is the first.
_LASTED = timedelta(minutes=2)


class Probe(NamedTuple):
    """When nothing was heard for ``every``, something is asked; ``most`` in a row without an answer end the life."""

    every: timedelta = timedelta(seconds=60)
    patience: timedelta = timedelta(seconds=20)
    most: int = 3


class FileError(TelegramError):
    """The session file cannot be used, as it could before."""


def was_good(opened: datetime | None, answered: datetime | None) -> bool:
    """Whether a life that was opened then lasted long enough, by when Telegram last answered."""
    return opened is not None and answered is not None and answered - opened > _LASTED


def pause(error: VedetteError, failures: int, random: Random) -> timedelta:
    """How long to wait after so many failures in a row, of which this was the last; no shorter than Telegram asks."""
    usual = min(_FIRST_PAUSE * (1 << min(failures - 1, 20)), _LONGEST_PAUSE) * random.uniform(0.75, 1.25)
    return max(usual, timedelta(seconds=error.seconds)) if isinstance(error, WaitError) else usual


async def probed(account: Account, probe: Probe, clock: Clock, answered: Callable[[], datetime | None]) -> None:
    """Asks whenever nothing was heard: ``answered`` says when Telegram last was.

    Raises UnreachableError when Telegram has gone silent, NotSignedInError when it does not take the session.
    """
    asked, failures = clock.now(), 0
    while failures < probe.most:
        now = clock.now()
        asked = min(asked, now)
        if (silence := quiet(now, asked, answered())) < probe.every:
            await clock.sleep(probe.every - silence)
            continue
        asked = now
        failures = 0 if await _answers(account, probe.patience) else failures + 1
    raise UnreachableError("Telegram does not answer any more")


async def _answers(account: Account, patience: timedelta) -> bool:
    """Whether Telegram answers; a refusal is an answer too."""
    try:
        await account.probe(patience)
    except UnreachableError as error:
        _log.warning("no answer", error=error)
        return False
    except TelegramError as error:
        _log.info("probe refused", error=error)
    return True


def quiet(now: datetime, asked: datetime, answered: datetime | None) -> timedelta:
    """For how long nothing was heard, nor asked. What lies in the future was heard before the clock was set back."""
    return now - (asked if answered is None or answered > now else max(asked, answered))


async def first_of(*loops: Awaitable[None]) -> None:
    """Runs them until one ends or raises; the others are cancelled."""
    tasks = [asyncio.ensure_future(loop) for loop in loops]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
