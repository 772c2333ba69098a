"""``vedette check --online``: asks Telegram for the configured channels and destinations, and prints what it says.

Nothing is joined or sent. What is kept is the count of calls, and to which channels the references lead, so that the
service need not ask for that again.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import typer

from bot.errors import NotSignedInError, TelegramError, WaitError

if TYPE_CHECKING:
    from bot.cli.inquiry import Finding, Inquiry
    from bot.config.settings import Settings, Telegram
    from bot.model import Peer
    from bot.ports import Clock
    from bot.quota import Quota
    from bot.telegram.account import Account
    from bot.telegram.peers import Mine

#: How long a person who looks on waits for one call: a little longer than the pauses that we make between two.
_PATIENCE = timedelta(seconds=35)


def look_up(settings: Settings) -> None:
    """A line for each channel and destination; the command ends with 1 if one of them cannot be used as it is."""
    from bot.config.settings import LogLevel
    from bot.folder import held
    from bot.telemetry.log import configure

    configure(LogLevel.ERROR, settings.log.format, sys.stderr)  # what is refused is told here, in other words
    with held(settings.data_dir):
        bad = asyncio.run(_look_up(settings))
    if bad:
        raise typer.Exit(1)


async def _look_up(settings: Settings) -> int:
    """Returns how many cannot be used."""
    from bot.cli.inquiry import Mark

    async with _inquiry(settings) as inquiry:
        found = await inquiry.channels()
        if settings.watch.folder is not None:
            found.append(await inquiry.folder(settings.watch.folder))
        _print("channels, on Telegram", found)
        told = await inquiry.destinations()
        _print("destinations, on Telegram", told)
    bad = sum(one.mark is Mark.BAD for one in (*found, *told))
    if bad:
        sys.stderr.write(f"{bad} of {len(found) + len(told)} cannot be used as they are\n")
    return bad


def _print(heading: str, found: Sequence[Finding]) -> None:
    sys.stdout.writelines([f"{heading}\n", *(f"  {one}\n" for one in found)])
    sys.stdout.flush()


def _is_there(session: Path) -> bool:
    return session.is_file()


@asynccontextmanager
async def _inquiry(settings: Settings) -> AsyncIterator[Inquiry]:
    """Both accounts, as far as there are two, signed in and within their quotas."""
    from bot.cli.inquiry import Inquiry
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
        yield Inquiry(settings, database, reader, speaker, _mine(reader, clock), clock.sleep)


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
