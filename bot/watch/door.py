"""Whether the account may join anything more: where Telegram says no to the account, and how many places are left."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.errors import TelegramError
from bot.model import Notice
from bot.ports import Clock
from bot.storage import facts
from bot.storage.database import Database
from bot.telegram import peers, refusals
from bot.telegram.account import Account
from bot.telemetry.log import logger
from bot.watch.own import Own
from bot.watch.roster import Roster

log = logger(__name__)

_SHUT_FOR = timedelta(days=1)
#: How often places are counted while channels wait; with fewer left than so many the operators hear of it.
_COUNT_EVERY = timedelta(days=1)
_FEW_PLACES = 20


class _Count(NamedTuple):
    """When places were last counted, and how many were wanted then."""

    at: datetime
    wanted: int


class Door:
    """Shut from `shut` on, over restarts, until `opens_at` or until something was joined.

    ``waiting``: channels to be joined; ``invites``: those that are still to be followed.
    """

    def __init__(self, account: Account, roster: Roster, database: Database, clock: Clock, own: Own) -> None:
        self.waiting = 0
        self.invites = 0
        self._account = account
        self._roster = roster
        self._database = database
        self._clock = clock
        self._own = own
        self._until: datetime | None = None
        self._counted: _Count | None = None
        #: Facts, and the subjects of what is told: of one account they say nothing about another.
        self._joining, self._places = f"joining of {account.id}", f"places of {account.id}"

    async def load(self) -> None:
        """Takes up what the last process knew."""
        shut = await facts.get(self._database, self._joining)
        self._until = datetime.fromisoformat(shut) if isinstance(shut, str) and shut else None
        counted = await facts.get(self._database, self._places)
        if isinstance(counted, str):
            at, wanted = json.loads(counted)
            self._counted = _Count(datetime.fromisoformat(at), wanted)

    @property
    def opens_at(self) -> datetime | None:
        """Before then nothing is to be joined; None: it may be now."""
        return self._until if self._until is not None and self._until > self._clock.now() else None

    async def shut(self, code: str) -> datetime:
        """The account may join nothing, by Telegram's word for it; the operators hear of it once. Until when."""
        until = self._until = self._clock.now() + _SHUT_FOR
        await self._database.write(lambda c: facts.put(c, self._joining, until.isoformat()))
        what = f"No channel can be joined: {refusals.in_words(code)}; those that are public are read without it"
        await self._roster.tell(self._joining, Notice(f"{what}, later than others. It is tried again daily."))
        log.warning("joining refused", code=code, until=until)
        return until

    async def opened(self) -> None:
        """Something was joined."""
        if self._until is not None:
            self._until = None
            await self._database.write(lambda c: facts.put(c, self._joining, ""))
            await self._roster.tell(self._joining, Notice("Channels can be joined again."))

    async def count_places(self) -> None:
        """Says so before the account is in as many channels as Telegram allows. Asks once a day, or when more wait."""
        now, before, wanted = self._clock.now(), self._counted, self.waiting + self.invites
        if before is not None and now - before.at < _COUNT_EVERY and wanted <= before.wanted:
            return
        try:
            used = sum(peer.joined for peer in (await self._own()).values())
            most = await peers.limit(self._account)
        except TelegramError as error:
            log.warning("places not counted", error=str(error))
            return
        self._counted, counted = _Count(now, wanted), json.dumps([now.isoformat(), wanted])
        await self._database.write(lambda c: facts.put(c, self._places, counted))
        if most - used >= max(_FEW_PLACES, wanted):
            await self._roster.settle(self._places)
            return
        few = Notice(
            "This account is in nearly as many channels and groups as Telegram allows; leave some of them in Telegram, "
            "or set join = false: those that cannot be joined are read without it, if they are public.",
            (f"places used: {used} of {most}", f"places wanted: {wanted}"),
        )
        await self._roster.tell(self._places, few)
