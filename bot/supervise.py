"""Keeps the watch up: opens the account, watches, and begins anew with a new client when the connection is lost.

A client that has given up is never used again: what was queued in it would be sent later, when nobody waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import Random

from bot.errors import NotSignedInError, TelegramError, UnreachableError
from bot.model import Notice
from bot.ports import Clock
from bot.storage import notices
from bot.storage.database import Database
from bot.telegram.account import Account
from bot.telemetry.log import logger
from bot.watch.watch import Watch

_log = logger(__name__)

#: How long is waited before the next attempt: doubled each time, and never quite the same.
_FIRST_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(minutes=5)
#: A session that Telegram has refused is asked for again this often: somebody may sign in anew.
_SIGNED_OUT_PAUSE = timedelta(minutes=5)
#: A watch that has lasted so long was a good one, and the next pause is the first again.
_LASTED = timedelta(minutes=2)
#: After so many failures in a row the operators are told.
_TELL_AFTER = 4
_SUBJECT = "connection"


class Supervise:
    """``account_for`` makes an unopened account, given what to call at each connection; ``watch_for`` its watch."""

    def __init__(
        self,
        *,
        account_for: Callable[[Callable[[], None]], Account],
        watch_for: Callable[[Account], Watch],
        database: Database,
        clock: Clock,
        random: Random,
    ) -> None:
        self.watch: Watch | None = None
        self._account_for = account_for
        self._watch_for = watch_for
        self._database = database
        self._clock = clock
        self._random = random
        self._opened = False

    async def run(self) -> None:
        """Until it is cancelled. Raises NotSignedInError when there was no session to begin with, and StorageError."""
        failures = 0
        while True:
            began = self._clock.now()
            try:
                await self._one_life()
            except NotSignedInError as error:
                if not self._opened:
                    raise
                _log.error("signed out", error=error)
                await self._tell(
                    "Telegram does not accept the reader's session any more; stop the service, run vedette login, "
                    "start it again."
                )
                await self._clock.sleep(_SIGNED_OUT_PAUSE)
            except TelegramError as error:
                failures = 0 if self._clock.now() - began > _LASTED else failures + 1
                _log.warning("connection lost", error=error, failures=failures)
                if failures == _TELL_AFTER:
                    await self._tell(
                        f"Telegram cannot be reached ({error}); it is tried again and again. If the network is up, "
                        "check the clock of this machine: Telegram is silent to one that is half a minute wrong."
                    )
                pause = min(_FIRST_PAUSE * 2 ** min(failures, 20), _LONGEST_PAUSE)
                await self._clock.sleep(pause * (0.75 + self._random.random() / 2))

    async def _one_life(self) -> None:
        """From connecting to the loss of the connection, of which it raises what it was."""
        account = self._account_for(self._connected)
        try:
            await account.open()
            self._opened = True
            self.watch = self._watch_for(account)
            _log.info("signed in", account=account.id)
            await self._settle()
            await _first_of(self.watch.run(), account.closed())
        finally:
            self.watch = None
            await account.close()
        raise UnreachableError("the connection to Telegram was lost for good")

    def _connected(self) -> None:
        if self.watch is not None:
            self.watch.connected()

    async def _tell(self, what: str) -> None:
        now = self._clock.now()
        await self._database.write(lambda c: notices.tell(c, _SUBJECT, Notice(what), now))

    async def _settle(self) -> None:
        now = self._clock.now()
        await self._database.write(lambda c: notices.settle(c, _SUBJECT, now))


async def _first_of(*loops: Awaitable[None]) -> None:
    """Runs both until one ends or raises; the other is cancelled."""
    tasks = [asyncio.ensure_future(loop) for loop in loops]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
