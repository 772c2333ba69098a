"""Both accounts for a command that a person waits for: signed in, within their quotas, and never resting for long."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from bot.errors import NotSignedInError, TelegramError, WaitError

if TYPE_CHECKING:
    from bot.config.settings import Settings, Telegram
    from bot.model import Peer
    from bot.ports import Clock, Sender
    from bot.quota import Quota
    from bot.storage.database import Database
    from bot.telegram.account import Account
    from bot.telegram.peers import Mine

#: How long a person who looks on waits for one call: a little longer than the pauses that we make between two.
_PATIENCE = timedelta(seconds=35)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """``speaker``: the reader where there is no bot; None: there is one, and it is not signed in.

    ``mine``: the reader's own channels.
    """

    database: Database
    clock: Clock
    reader: Account
    speaker: Account | None
    mine: Mine

    def sender(self, account: Account) -> Sender:
        """Who sends as one of the two."""
        from bot.telegram.sender import TelegramSender

        mine = self.mine if account is self.reader else None
        return TelegramSender(account, self.database, me=lambda: self.reader.id, mine=mine)


@asynccontextmanager
async def signed_in(settings: Settings) -> AsyncIterator[Accounts]:
    """The data directory is held by the caller. Raises NotSignedInError, TelegramError, StorageError."""
    from bot.clock import SystemClock
    from bot.folder import READER, SPEAKER
    from bot.quota import Quota
    from bot.storage.database import Database

    telegram, folder = settings.telegram, settings.data_dir
    if not _is_there(folder / READER):
        raise NotSignedInError(f"there is no session at {folder / READER}; run vedette login first")
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database.opened(folder))
        clock = await stack.enter_async_context(SystemClock.running())
        quota = await Quota.opened(database, clock, Random())  # noqa: S311 - for pauses, not for secrets
        stack.push_async_callback(quota.settled)
        turns = Turns(quota, clock)
        reader = await _opened(telegram, folder / READER, turns, stack)
        speaker: Account | None = reader
        if telegram.bot_token is not None:
            speaker = await _bot(telegram, folder / SPEAKER, turns, stack)
        mine = _mine(reader, clock)
        yield Accounts(database=database, clock=clock, reader=reader, speaker=speaker, mine=mine)


def _is_there(session: Path) -> bool:
    return session.is_file()


async def _opened(telegram: Telegram, session: Path, turns: Turns, stack: AsyncExitStack) -> Account:
    from bot.telegram.account import Account
    from bot.telegram.session import client_for

    account = Account(client_for(telegram, session, updates=False), turn=turns.take, refused=turns.refused)
    await account.open()
    stack.push_async_callback(account.close)
    return account


async def _bot(telegram: Telegram, session: Path, turns: Turns, stack: AsyncExitStack) -> Account | None:
    """The bot, unless it is not signed in, which is said."""
    try:
        if _is_there(session):
            return await _opened(telegram, session, turns, stack)
    except NotSignedInError:
        pass
    sys.stderr.write("the bot is not signed in, so the reader is asked for destinations; vedette login signs it in\n")
    return None


def _mine(reader: Account, clock: Clock) -> Mine:
    """The reader's own channels, listed when first asked for: that is dear."""
    from bot.telegram import peers

    known: dict[int, Peer] = {}

    async def sleep(pause: timedelta) -> None:
        if pause > _PATIENCE:
            raise WaitError("messages.getDialogs", round(pause.total_seconds()))
        await clock.sleep(pause)

    async def mine() -> dict[int, Peer]:
        if not known:
            known.update(await peers.mine(reader, sleep))
        return known

    return mine


class Turns:
    """Turns for somebody who looks on: what has to rest for long is not called at all, and that is said."""

    def __init__(self, quota: Quota, clock: Clock, patience: timedelta = _PATIENCE) -> None:
        self.refused = quota.refused
        self._quota = quota
        self._clock = clock
        self._patience = patience
        self._spent: set[str] = set()

    async def take(self, method: str) -> None:
        """Raises `WaitError` for what Telegram asked not to be called, `TelegramError` for what we hold back."""
        now = self._clock.now()
        until = self._quota.waiting(now).get(method)
        if until is not None:
            raise WaitError(method, round((until - now).total_seconds()))
        if method not in self._spent:
            try:
                async with asyncio.timeout(self._patience.total_seconds()):
                    return await self._quota.turn(method)
            except TimeoutError:
                self._spent.add(method)
        raise TelegramError(f"{method} was called as often of late as is wise; try again tomorrow")
