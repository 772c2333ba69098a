"""The folder that the configuration names: whichever that is, one after another, or none."""

from __future__ import annotations

import asyncio

from bot.model import ChatId
from bot.ports import Clock
from bot.storage.database import Database
from bot.telegram import folders
from bot.telegram.account import Account
from bot.watch.bell import Bell
from bot.watch.folder import Folder
from bot.watch.membership import Membership
from bot.watch.roster import Roster


class Foldering:
    """One loop, `run`: watches over the folder of this name, until it is told of another. None: over none."""

    def __init__(  # noqa: PLR0913, PLR0917 - each is another part of the house
        self,
        account: Account,
        name: str | None,
        roster: Roster,
        membership: Membership,
        database: Database,
        clock: Clock,
    ) -> None:
        self._account = account
        self._name = name
        self._roster = roster
        self._membership = membership
        self._database = database
        self._clock = clock
        self._folder: Folder | None = None
        self._another = Bell(clock)

    @property
    def tried(self) -> bool:
        """Whether Telegram was asked for the folder, if there is one to be asked for."""
        return self._name is None or (self._folder is not None and self._folder.tried)

    def name(self, name: str | None) -> None:
        """From now on it is this folder; what the one before holds is dropped when it is known what this one holds."""
        if name != self._name:
            self._name, self._folder = name, None
            self._another.ring()

    async def run(self) -> None:
        """For ever. Raises only `NotSignedInError` and `StorageError`."""
        folders.listen(self._account, self._stirred)
        while True:
            name = self._name
            await self._watch_over(name)
            if name is not None:
                for subject in (f"folder {name}", f"finding the folder {name}"):
                    await self._roster.settle(subject)

    def _stirred(self) -> None:
        if self._folder is not None:
            self._folder.stirred()

    async def _watch_over(self, name: str | None) -> None:
        """Until it is another one."""
        held = [ref.id for ref in self._roster.included if isinstance(ref, ChatId)]
        if name is None:
            for channel in held:
                await self._membership.drop(channel)
            await self._another.sleep(None)
            return
        self._folder = Folder(
            *(self._account, name, self._database, self._clock),
            *(self._membership.include, self._membership.drop, self._roster.tell),
            before=held,
        )
        watching = asyncio.ensure_future(self._folder.run())
        ending = asyncio.ensure_future(self._another.sleep(None))
        try:
            await asyncio.wait([watching, ending], return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()
        finally:
            watching.cancel()
            ending.cancel()
            await asyncio.gather(watching, ending, return_exceptions=True)
