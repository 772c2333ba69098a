"""Keeps the watch up: opens the account, watches, and begins anew with a new client when the connection is lost.

A client that has given up is never used again: what was queued in it would be sent later, when nobody waits for it.
What goes wrong is told once, each trouble under a subject of its own, and is settled when it is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Protocol

from bot.errors import (
    NotSignedInError,
    StorageError,
    TelegramError,
    UnreachableError,
    UnreadableError,
    VedetteError,
)
from bot.lives import SIGNED_OUT_PAUSE, FileError, Probe, first_of, pause, probed, was_good
from bot.model import Notice
from bot.ports import Clock
from bot.storage import facts, notices
from bot.storage.database import Connection, Database
from bot.telegram import skew
from bot.telegram.account import Account
from bot.telegram.session import key_of, named
from bot.telemetry.log import logger
from bot.vitals import Link
from bot.watch.watch import Watch

_log = logger(__name__)

#: After so many failures in a row the operators are told.
_TELL_AFTER = 4
#: So many lives that end over an update within so long, and the next go without updates for that long.
_DEATHS = 2
_DEATHS_WITHIN = timedelta(minutes=10)
_WITHOUT_UPDATES = timedelta(days=1)
#: A clock that is further off is wrong; one that was wrong is right again when it is no further off than this. Telegram
#: refuses what is half a minute from the future.
_WRONG = timedelta(seconds=30)
_RIGHT = timedelta(seconds=20)
#: How often the clock is compared with Telegram's; while it is wrong, with each probe.
_COMPARE_EVERY = timedelta(hours=1)

#: The troubles that are told, each once.
_CONNECTION, _SESSION, _LIBRARY, _CLOCK = "connection", "session", "library", "clock"
_MENDED = {_CONNECTION: "Telegram answers again.", _SESSION: "The reader is signed in again."}
_AT_ITS_END: dict[str | None, str] = {
    "SESSION_REVOKED": "The reader's session was ended, from another of its devices or by Telegram",
    "SESSION_EXPIRED": "The reader's session has expired",
    "AUTH_KEY_DUPLICATED": "Telegram has ended the reader's session, since two processes used it at the same time",
    "USER_DEACTIVATED": "The reader's account was deleted",
    "USER_DEACTIVATED_BAN": "Telegram has closed the reader's account",
}
_UNKNOWN_SESSION = "Telegram does not know the reader's session any more"
_SIGN_IN = "stop the service, run vedette login, start it again"
_WHAT_TO_DO: dict[str | None, str] = {
    "AUTH_KEY_DUPLICATED": f"look for a second copy of this service and end it; then {_SIGN_IN}",
    "USER_DEACTIVATED": f"another account is needed: {_SIGN_IN}",
    "USER_DEACTIVATED_BAN": f"another account is needed: {_SIGN_IN}",
}
_TOO_OLD = (
    "This version of vedette's Telegram library is too old: it broke down over what Telegram sent, twice; update "
    "vedette. Reading goes on by sweeps, so that alerts come a little later."
)


#: The fact that says of whom the reader's session is: the numeric id, and what tells the session from others.
_SESSION_OF = "whose session it is"


async def last_reader(database: Database, session: Path) -> int | None:
    """The numeric id of whoever reads by the session in this file; None where nobody was seen to do so yet.

    What is said to the reader is not said to whoever read before somebody else signed in.
    """
    whose = await facts.get(database, _SESSION_OF)
    reader, _, key = str(whose or "").partition(" ")
    return int(reader) if key and key == key_of(session) else None


class AccountFor(Protocol):
    """Makes an unopened account. It calls ``connected`` at each connection; ``pushed``: whether it asks for pushes."""

    def __call__(self, connected: Callable[[], None], *, pushed: bool) -> Account: ...


def _nobody(_: Account | None) -> None:
    """Nobody wants to know who can speak."""


class Supervise:
    """One life after another, each of an account and its watch.

    For whoever looks, to be read only: ``link``; ``watch``, while there is one; ``answered``, when Telegram last
    answered anything; ``skew``, how far this machine's clock is ahead, where that is so much that it matters.
    """

    def __init__(  # noqa: PLR0913 - each part of the house that it needs
        self,
        *,
        account_for: AccountFor,
        watch_for: Callable[[Account], Watch],
        database: Database,
        clock: Clock,
        random: Random,
        probe: Probe = Probe(),  # noqa: B008 - a value
        speaks: Callable[[Account | None], None] = _nobody,
    ) -> None:
        """``speaks`` is called with the account once it is open, and with None when its life ends."""
        self.link = Link.CONNECTING
        self.watch: Watch | None = None
        self.answered: datetime | None = None
        self.skew: timedelta | None = None
        self._account_for = account_for
        self._watch_for = watch_for
        self._database = database
        self._clock = clock
        self._random = random
        self._probing = probe
        self._speaks = speaks
        self._refusals = skew.Refusals()
        #: Whether any life was opened, and when this one was.
        self._ever_opened = False
        self._opened: datetime | None = None
        self._failures = 0
        self._told_lost = False
        self._deaths: list[datetime] = []
        #: Until when nothing is to be pushed.
        self._without_updates: datetime | None = None

    async def run(self) -> None:
        """Until it is cancelled. Raises NotSignedInError when there was no session to begin with, and StorageError."""
        with skew.refusals() as self._refusals:
            while True:
                await self._clock.sleep(await self._live())

    # --- one life -----------------------------------------------------------------------------------------

    async def _live(self) -> timedelta:
        """One life to its end; how long to wait before the next."""
        self._opened = None
        try:
            await self._one_life()
        except _SignedOutError as error:
            if not self._ever_opened:
                raise error.why from None
            return await self._signed_out(error)
        except TelegramError as error:
            return await self._lost(error)
        return timedelta(0)

    async def _one_life(self) -> None:
        """From connecting to the loss of the connection, of which it raises what it was."""
        account = self._made()
        account.heard = self._heard
        try:
            await self._open(account)
            self.watch = self._watch_for(account)
            self.link = Link.UP if account.pushed else Link.TOO_OLD
            self._speaks(account)
            probes = probed(account, self._probing, self._clock, lambda: self.answered)
            beside = probes, self._keep_time(account), self._mind_updates()
            await first_of(self.watch.run(), account.closed(), *beside)
            if account.pushed or not self._may_be_pushed():
                raise UnreachableError("the connection to Telegram was lost for good")
        except (TelegramError, NotSignedInError) as error:
            raise _cause(account.ended_by() or error, account) from None
        finally:
            self._speaks(None)
            self.watch = None
            if self.link is not Link.SIGNED_OUT:
                self.link = Link.CONNECTING
            await account.close()

    def _made(self) -> Account:
        if self._may_be_pushed():
            self._without_updates = None
        self._refusals.ahead = None
        try:
            return self._account_for(self._connected, pushed=self._without_updates is None)
        except NotSignedInError as error:
            raise _SignedOutError(error, None) from None
        except StorageError as error:
            raise self._file_error(error) from None

    async def _open(self, account: Account) -> None:
        try:
            await account.open()
        except StorageError as error:
            raise self._file_error(error) from None
        self._ever_opened = True
        self._opened = self._clock.now()
        _log.info("signed in", account=account.id, pushed=account.pushed)
        self._told_lost = False
        now, whose = self._clock.now(), f"{account.id} {named(account.client.session)}"

        def mended(c: Connection) -> None:
            facts.put(c, _SESSION_OF, whose)
            for subject, what in _MENDED.items():
                notices.mend(c, subject, Notice(what), now)

        await self._database.write(mended)

    def _file_error(self, error: StorageError) -> VedetteError:
        """A session file that another process holds for a while is no reason to end a service that was up."""
        return FileError(str(error)) if self._ever_opened else error

    def _connected(self) -> None:
        if self.watch is not None:
            self.watch.connected()

    def _heard(self) -> None:
        self.answered = self._clock.now()
        self._refusals.ahead = None

    def _may_be_pushed(self) -> bool:
        return self._without_updates is None or self._clock.now() >= self._without_updates

    # --- beside the watch ---------------------------------------------------------------------------------

    async def _keep_time(self, account: Account) -> None:
        """Compares the clock with Telegram's, again and again."""
        while True:
            try:
                await self._clock_is(await skew.measured(account))
            except TelegramError as error:
                _log.info("clock not compared", error=error)
            await self._clock.sleep(_COMPARE_EVERY if self.skew is None else self._probing.every)

    async def _clock_is(self, ahead: timedelta) -> None:
        """The operators hear when the clock goes wrong; not again while it is, by a second more or less."""
        was = self.skew
        if abs(ahead) <= (_WRONG if was is None else _RIGHT):
            self.skew = None
            await self._settle(_CLOCK)
            return
        self.skew = ahead
        if was is None:
            said = skew.in_words(ahead)
            what = f"This machine's clock is {said} Telegram's; set it, e.g. run an NTP service."
            await self._tell(_CLOCK, Notice(what))

    async def _mind_updates(self) -> None:
        """Returns when a life without updates has had its time, and they may be tried again."""
        if self._without_updates is not None:
            await self._clock.sleep(self._without_updates - self._clock.now())
            return
        await self._clock.sleep(_DEATHS_WITHIN)
        await self._settle(_LIBRARY)
        await asyncio.Event().wait()

    # --- after a life -------------------------------------------------------------------------------------

    async def _signed_out(self, error: _SignedOutError) -> timedelta:
        _log.error("signed out", error=error.why)
        if self.link is Link.SIGNED_OUT:
            # What Telegram calls it may change meanwhile; what it called it first says most.
            return SIGNED_OUT_PAUSE
        self.link = Link.SIGNED_OUT
        code = error.code
        ended = _AT_ITS_END.get(code, _UNKNOWN_SESSION) + (f" ({code})" if code else "")
        what = f"{ended}: {_WHAT_TO_DO.get(code, _SIGN_IN)}. Nothing is read until then."
        await self._tell(_SESSION, Notice(what))
        return SIGNED_OUT_PAUSE

    async def _lost(self, error: TelegramError) -> timedelta:
        self._failures = 1 if was_good(self._opened, self.answered) else self._failures + 1
        _log.warning("connection lost", error=error, failures=self._failures)
        if isinstance(error, UnreadableError) and self._opened is not None:
            await self._died_of_update()
        if self._opened is None and self._refusals.ahead is not None:
            await self._clock_is(self._refusals.ahead)
        patience = 1 if isinstance(error, FileError) else _TELL_AFTER  # SQLite has waited for it already
        if self._failures >= patience and not self._told_lost and self.skew is None:
            self._told_lost = True
            await self._tell(_CONNECTION, Notice(_lost_in_words(error)))
        return pause(error, self._failures, self._random)

    async def _died_of_update(self) -> None:
        now = self._clock.now()
        self._deaths = [*(death for death in self._deaths if now - death < _DEATHS_WITHIN), now]
        if len(self._deaths) >= _DEATHS:
            self._without_updates = now + _WITHOUT_UPDATES
            await self._tell(_LIBRARY, Notice(_TOO_OLD))

    async def _tell(self, subject: str, notice: Notice) -> None:
        now = self._clock.now()
        await self._database.write(lambda c: notices.tell(c, subject, notice, now))

    async def _settle(self, subject: str) -> None:
        now = self._clock.now()
        await self._database.write(lambda c: notices.settle(c, subject, now))


class _SignedOutError(Exception):
    """Telegram does not take the session; ``code`` is its own name for that."""

    def __init__(self, why: VedetteError, code: str | None) -> None:
        super().__init__(str(why))
        self.why = why
        self.code = code


def _cause(error: VedetteError, account: Account) -> Exception:
    """What ended a life, as it is dealt with here."""
    match error:
        case NotSignedInError():
            return _SignedOutError(error, account.signed_out)
        case StorageError():
            return FileError(str(error))
        case _:
            return error


def _lost_in_words(error: TelegramError) -> str:
    if isinstance(error, FileError):
        return f"{error}; look for a program that has it open. Nothing is read meanwhile; it is tried again and again."
    return (
        f"Telegram cannot be reached ({error}); it is tried again and again. If the network is up, check the clock of "
        "this machine: Telegram is silent to one that is half a minute wrong."
    )
