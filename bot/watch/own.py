"""The account's own channels, for whoever asks: listed rarely, since that is dear."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.model import Peer
from bot.ports import Clock
from bot.telegram import peers
from bot.telegram.account import Account

#: They are listed no more often than this.
_LIST_EVERY = timedelta(hours=1)


class Own:
    """Called, it says which they are."""

    def __init__(self, account: Account, clock: Clock) -> None:
        self._account = account
        self._clock = clock
        self._mine: Mapping[int, Peer] = {}
        self._listed: datetime | None = None
        self._listing = asyncio.Lock()

    async def __call__(self) -> Mapping[int, Peer]:
        """By marked id, archived ones too. Raises what `Account.call` raises."""
        async with self._listing:
            now = self._clock.now()
            if self._listed is None or now - self._listed >= _LIST_EVERY:
                self._mine = await peers.mine(self._account, self._clock.sleep)
                self._listed = now
            return self._mine

    def forget(self) -> None:
        """The next time they are listed anew."""
        self._listed = None
