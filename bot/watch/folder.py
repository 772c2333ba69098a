"""The channels of a folder of the reader's Telegram: watched as long as they are in it.

What the folder held last is in the tables, so that a restart watches it before any call, and without one if need be.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from typing import NamedTuple

from bot.errors import TelegramError, UnreachableError, WaitError
from bot.model import ChannelRef, ChatId, Notice, Peer
from bot.ports import Clock
from bot.storage import addresses, facts, notices
from bot.storage.database import Connection, Database
from bot.telegram import folders, refusals
from bot.telegram.account import Account
from bot.telegram.folders import ChatFolder
from bot.telemetry.log import logger
from bot.watch.bell import Bell

log = logger(__name__)

#: How often the folder is looked at, if nothing is heard of it.
_EVERY = timedelta(minutes=10)
#: Whoever has changed a folder may be about to change it again.
_EDITING = timedelta(seconds=5)
#: A folder of all channels holds what the account is in, which is dear to list.
_LIST_EVERY = timedelta(hours=1)
#: The pause after a call that failed; after each further one it is twice as long, up to `_EVERY`.
_FIRST_PAUSE = timedelta(seconds=30)
_MOST_TIMES = 5
#: So many names are told at once.
_NAMED = 20
#: What is kept: ``{"account": whose, "name": the folder's, "channels": {marked id: as a person reads it}}``.
_FACT = "folder"


class _Listing(NamedTuple):
    """What a folder that names kinds of chats held when the account's own ones were listed."""

    folder: ChatFolder
    at: datetime
    channels: Mapping[int, Peer]


class Folder:
    """The watch over one folder, by its title.

    ``include`` is given channels that are to be watched, each once; ``drop`` the marked ids of those that have left
    the folder; ``tell`` a subject and what the operators are told of it, once a change. ``tried``: whether Telegram was
    asked for the folder since it was made, and ``include`` given what came of that. ``before``: the channels that are
    watched for the folder in whose place this one comes; they stay until it is known what this one holds.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - each is another part of the house
        self,
        account: Account,
        name: str,
        database: Database,
        clock: Clock,
        include: Callable[[Mapping[ChannelRef, Peer]], Awaitable[None]],
        drop: Callable[[int], Awaitable[None]],
        tell: Callable[[str, Notice], Awaitable[None]],
        before: Iterable[int] = (),
    ) -> None:
        self._account = account
        self._name = name
        self._database = database
        self._clock = clock
        self._include = include
        self._drop = drop
        self._tell = tell
        self._changed = Bell(clock)
        #: What it held last, as a person reads it; None: it was never seen.
        self._held: Mapping[int, str] | None = None
        self._included = set(before)
        self._listing: _Listing | None = None
        self._failures = 0
        self.tried = False
        #: Whether it was told that the folder is not there; and whether there may be a trouble to be settled.
        self._missed = False
        self._troubled = True

    def stirred(self) -> None:
        """Folders were changed, in whichever app."""
        self._changed.ring()

    async def run(self) -> None:
        """For ever. Raises only `NotSignedInError` and `StorageError`."""
        await self._resume()
        while True:
            try:
                await self._look()
            except TelegramError as error:
                pause, self.tried = await self._failed(error), True
                await self._clock.sleep(pause)
            else:
                self._failures, self.tried = 0, True
                await self._changed.sleep(_EVERY)
                await self._clock.sleep(_EDITING)

    async def _resume(self) -> None:
        """Watches what the folder held last, as far as this account can address it."""
        self._held = await held(self._database, self._name, self._account.id)
        # One without a name was never watched, and may be a chat that is told: that shows when it is asked for.
        known = {channel: peer for channel, peer in (await self._known()).items() if peer.username or peer.title}
        await self._take_up({channel: known[channel] for channel in self._held or () if channel in known})

    async def _known(self) -> dict[int, Peer]:
        """What this account has found before, by whatever reference."""
        known = await addresses.known(self._database, self._account.id)
        return {peer.id: peer for peer in known.values()}

    # --- looking ------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        """Compares the folder with what it was. Raises what `Account.call` raises."""
        there = await folders.listed(self._account)
        folder = folders.called(there, self._name)
        if folder is None:
            await self._miss([one.title for one in there])
            await self._leave(self._held or ())
            return
        channels = {**await self._named(folder), **await self._of_kind(folder)}
        await self._settle()
        await self._take_up(channels)
        await self._leave(channels)
        await self._note(channels)

    async def _named(self, folder: ChatFolder) -> dict[int, Peer]:
        """The channels that stand in the folder by themselves. Only those that are new are asked for."""
        known = {id_: peer for id_, peer in (await self._known()).items() if peer.title or id_ in self._included}
        new = {channel: access_hash for channel, access_hash in folder.named.items() if channel not in known}
        known |= await folders.shown(self._account, new)
        return {channel: known[channel] for channel in folder.named if channel in known}

    async def _of_kind(self, folder: ChatFolder) -> Mapping[int, Peer]:
        """The account's own channels, where the folder holds all of them."""
        if not (folder.broadcasts or folder.groups):
            return {}
        now, last = self._clock.now(), self._listing
        if last is None or last.folder != folder or now - last.at >= _LIST_EVERY:
            own = await folders.of_kind(self._account, folder, self._clock.sleep, keep=self._held or ())
            self._listing = last = _Listing(folder, now, own)
        return last.channels

    # --- what comes of it -----------------------------------------------------------------------------------

    async def _take_up(self, channels: Mapping[int, Peer]) -> None:
        new = {channel: peer for channel, peer in channels.items() if channel not in self._included}
        if new:
            await self._include({ChatId(channel): peer for channel, peer in new.items()})
            self._included |= new.keys()

    async def _leave(self, channels: Collection[int]) -> None:
        for channel in sorted(self._included.difference(channels)):
            await self._drop(channel)
            self._included.discard(channel)

    async def _note(self, channels: Mapping[int, Peer]) -> None:
        """Tells what has changed, then writes it down: a crash between the two tells nothing twice."""
        before = self._held
        now = {channel: _shown(peer, (before or {}).get(channel)) for channel, peer in channels.items()}
        self._held = now
        if before is None or before.keys() != now.keys():
            log.info("folder changed", channels=len(now), before=None if before is None else len(before))
            await self._tell(f"folder {self._name}", Notice(_change(self._name, before, now)))
        if before != now:
            kept = json.dumps({"account": self._account.id, "name": self._name, "channels": now}, ensure_ascii=False)
            await self._database.write(lambda c: facts.put(c, _FACT, kept))

    # --- troubles -------------------------------------------------------------------------------------------

    async def _miss(self, titles: Sequence[str]) -> None:
        """The folder is not there. Told once, whatever becomes of the other folders meanwhile."""
        if not self._missed:
            self._missed = self._troubled = True
            log.warning("folder not found", folders=len(titles))
            await self._tell(self._trouble, Notice(_missing(self._name, self._held, titles)))

    async def _failed(self, error: TelegramError) -> timedelta:
        """When to try again. The operators hear of refusals; that Telegram cannot be reached they hear from others."""
        log.warning("folder not looked at", error=str(error))
        if isinstance(error, WaitError):
            return timedelta(seconds=error.seconds)
        if not isinstance(error, UnreachableError):
            self._troubled = True
            what = f"The folder {self._name} cannot be looked at: {refusals.why(error)}; it is tried again."
            await self._tell(self._trouble, Notice(what))
        pause = min(_FIRST_PAUSE * (1 << min(self._failures, _MOST_TIMES)), _EVERY)
        self._failures += 1
        return pause

    async def _settle(self) -> None:
        """The folder is there, and can be looked at."""
        if not self._troubled:
            return
        now = self._clock.now()

        def work(c: Connection) -> None:
            notices.settle(c, self._trouble, now)

        await self._database.write(work)
        self._missed = self._troubled = False

    @property
    def _trouble(self) -> str:
        return f"finding the folder {self._name}"


async def held(database: Database, name: str, account: int | None = None) -> dict[int, str] | None:
    """The channels that the folder of this name held last, by marked id, as a person reads them; None: never seen.

    ``account``: whose folder; None: of whoever read last.
    """
    kept = await facts.get(database, _FACT)
    if not isinstance(kept, str):
        return None
    found = json.loads(kept)
    if folders.plain(found["name"]) != folders.plain(name) or account not in {None, found.get("account")}:
        return None
    return {int(channel): shown for channel, shown in found["channels"].items()}


def _shown(peer: Peer, before: str | None) -> str:
    """As a person reads it. Of a channel that cannot be taken up the tables hold no name."""
    return before or peer.channel.shown if peer.title is None and peer.username is None else peer.channel.shown


def _change(name: str, before: Mapping[int, str] | None, now: Mapping[int, str]) -> str:
    if before is None:
        return f"The folder {name} holds {_counted(len(now))}{': ' if now else ''}{_several(now.values())}."
    new = [shown for channel, shown in now.items() if channel not in before]
    gone = [shown for channel, shown in before.items() if channel not in now]
    if not new:
        return f"The folder {name} no longer holds: {_several(gone)}."
    left = f", and no longer holds: {_several(gone)}" if gone else ""
    return f"The folder {name} now also holds: {_several(new)}{left}."


def _missing(name: str, held: Mapping[int, str] | None, titles: Sequence[str]) -> str:
    likeness = SequenceMatcher(b=folders.plain(name))

    def unlike(title: str) -> float:
        likeness.set_seq1(folders.plain(title))
        return -likeness.ratio()

    others = f", only {', '.join(sorted(titles, key=unlike))}" if titles else ", nor any other"
    if held is None:
        mend = "Correct [watch] folder, or make it in a Telegram app; it is looked for again."
        return f"There is no folder {name} in the reader's Telegram{others}. {mend}"
    stay = f"the {_counted(len(held))} that it held {'stays' if len(held) == 1 else 'stay'} watched"
    return f"The folder {name} is not in the reader's Telegram any more{others}; {stay}."


def _counted(number: int) -> str:
    return "1 channel" if number == 1 else f"{number} channels"


def _several(names: Iterable[str]) -> str:
    """As many names as can be read."""
    each = [*names]
    more = len(each) - _NAMED
    return ", ".join(each[:_NAMED]) + (f" and {more} more" if more > 0 else "")
