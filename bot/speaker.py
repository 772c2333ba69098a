"""Keeps the bot up, which sends and is pushed nothing: signs it in by its token, and begins anew when its link is lost.

Messages wait in the outbox meanwhile. What Telegram does ends nothing here; where the bot is not let in, the operators
are told once, and that it can speak again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from random import Random
from typing import NoReturn

from bot.errors import (
    ConfigError,
    NotSignedInError,
    StorageError,
    TelegramError,
    UnreachableError,
    VedetteError,
    WaitError,
)
from bot.lives import SIGNED_OUT_PAUSE, FileError, Probe, first_of, pause, probed, was_good
from bot.model import Notice
from bot.ports import Clock, Sender, Voice
from bot.storage import notices
from bot.storage.database import Database
from bot.telegram.account import Account
from bot.telemetry.log import logger
from bot.vitals import Link, lasting
from bot.voices import Voices

_log = logger(__name__)

_SUBJECT = "speaker"
_AGAIN = "The bot can speak again."
_WHAT_TO_DO = (
    "A new bot_token needs a restart; where it is right, remove speaker.session from data_dir, and within minutes the "
    "bot signs in anew by itself."
)
#: After so many failures in a row, which takes minutes, the operators are told.
_TELL_AFTER = 8
#: A wait for signing in of which the operators are told.
_LONG = timedelta(minutes=10)


class Speaker:
    """One life after another, each of the bot's account and its sender.

    For whoever looks, to be read only: ``link``; ``answered``, when Telegram last answered the bot anything.
    """

    def __init__(  # noqa: PLR0913 - each part of the house that it needs
        self,
        *,
        account_for: Callable[[], Account],
        sign_in: Callable[[Account], Awaitable[None]],
        sender_for: Callable[[Account], Sender],
        voices: Voices,
        database: Database,
        clock: Clock,
        random: Random,
        probe: Probe = Probe(),  # noqa: B008 - a value
    ) -> None:
        """``account_for`` makes an unopened account without pushes.

        ``sign_in`` connects it and signs the bot in, if nobody is (`bot.telegram.signin.sign_in_bot`).
        """
        self.link = Link.CONNECTING
        self.answered: datetime | None = None
        self._account_for = account_for
        self._sign_in = sign_in
        self._sender_for = sender_for
        self._voices = voices
        self._database = database
        self._clock = clock
        self._random = random
        self._probing = probe
        #: Whether any life was opened, and when this one was.
        self._ever_opened = False
        self._opened: datetime | None = None
        self._failures = 0
        #: Telegram has answered something.
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Until it is cancelled. Raises StorageError."""
        while True:
            await self._clock.sleep(await self._live())

    async def _live(self) -> timedelta:
        """One life to its end; how long to wait before the next."""
        self._opened = None
        try:
            await self._one_life()
        except (NotSignedInError, ConfigError) as error:
            return await self._signed_out(error)
        except TelegramError as error:
            return await self._lost(error)

    async def _one_life(self) -> NoReturn:
        """From connecting to the loss of the connection, of which it raises what it was."""
        account = self._made()
        account.heard = self._heard
        try:
            await self._open(account)
            self._voices.speaks(Voice.SPEAKER, self._sender_for(account))
            probes = probed(account, self._probing, self._clock, lambda: self.answered)
            await first_of(account.closed(), probes, self._mind_session(account))
            raise UnreachableError("the connection to Telegram was lost for good")
        except (TelegramError, NotSignedInError) as error:
            cause = account.ended_by() or error
            raise FileError(str(cause)) if isinstance(cause, StorageError) else cause from None
        finally:
            self._voices.speaks(Voice.SPEAKER, None)
            if self.link is not Link.SIGNED_OUT:
                self.link = Link.CONNECTING
            await account.close()

    def _made(self) -> Account:
        try:
            return self._account_for()
        except StorageError as error:
            raise self._file_error(error) from None

    async def _open(self, account: Account) -> None:
        try:
            await self._sign_in(account)
            await account.open()
        except StorageError as error:
            raise self._file_error(error) from None
        self._ever_opened = True
        self._opened = now = self._clock.now()
        self.link = Link.UP
        _log.info("bot signed in", account=account.id)
        await self._database.write(lambda c: notices.mend(c, _SUBJECT, Notice(_AGAIN), now))

    def _file_error(self, error: StorageError) -> VedetteError:
        """A session file that another process holds for a while is no reason to end a service that was up."""
        return FileError(str(error)) if self._ever_opened else error

    def _heard(self) -> None:
        self.answered = self._clock.now()
        self._news.set()

    async def _mind_session(self, account: Account) -> NoReturn:
        """Raises when Telegram has refused the session, be it to a message: for an answer keeps probes away."""
        while account.signed_out is None:
            self._news.clear()
            await self._news.wait()
        raise NotSignedInError(f"Telegram does not accept the session ({account.signed_out})")

    # --- after a life -------------------------------------------------------------------------------------

    async def _signed_out(self, error: VedetteError) -> timedelta:
        """A session that was ended is begun anew by the token; where that is refused too, somebody is needed."""
        if self._opened is not None:
            return await self._lost(error)
        _log.error("bot signed out", error=error)
        if self.link is not Link.SIGNED_OUT:
            # What it is called may change meanwhile; what it was called first says most.
            self.link = Link.SIGNED_OUT
            why = str(error).removeprefix("not signed in: ").partition("; sign in with")[0]
            await self._tell(Notice(f"The bot cannot speak, so that messages wait: {why}. {_WHAT_TO_DO}"))
        return SIGNED_OUT_PAUSE

    async def _lost(self, error: VedetteError) -> timedelta:
        self._failures = 1 if was_good(self._opened, self.answered) else self._failures + 1
        _log.warning("bot lost its connection", error=error, failures=self._failures)
        if isinstance(error, FileError):
            what = f"The bot cannot speak, so that messages wait: {error}; look for a program that has it open."
            await self._tell(Notice(what))
        wait = pause(error, self._failures, self._random)
        if self._opened is None and isinstance(error, WaitError) and wait >= _LONG:
            what = f"Telegram lets the bot sign in only in {lasting(wait)}; messages wait until then."
            await self._tell(Notice(what))
        elif self._failures >= _TELL_AFTER and not isinstance(error, FileError):
            await self._tell(Notice("The bot cannot reach Telegram, so that messages wait.", (str(error),)))
        return wait

    async def _tell(self, notice: Notice) -> None:
        now = self._clock.now()
        await self._database.write(lambda c: notices.tell(c, _SUBJECT, notice, now))
