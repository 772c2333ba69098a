"""Taking up channels: found by whatever a configuration calls them, watched from then on, joined where that is wanted.

Loops that hold each other up in nothing: those of `bot.watch.finding` find, this file watches what was found, and
`bot.watch.joining` joins what is watched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from bot.cursor import Cursor, began_at
from bot.errors import NoAccessError, RefusedError, TelegramError, UnreachableError, UnreadableError, WaitError
from bot.model import ChannelRef, ChatId, Peer
from bot.ports import Clock
from bot.storage.database import Database
from bot.telegram import history, peers
from bot.telegram.account import Account
from bot.telegram.peers import Top, Tops
from bot.telemetry.log import logger
from bot.watch.bell import Bell
from bot.watch.door import Door
from bot.watch.finding import Finder
from bot.watch.joining import Joiner
from bot.watch.own import Own
from bot.watch.roster import Begun, Roster

log = logger(__name__)

#: When something is asked for again that brought no answer.
_AFTER_SILENCE = timedelta(seconds=30)
#: While more names are looked up, those that were found gather for so long before their numbers are asked for.
_GATHER = timedelta(seconds=1)


class Membership:
    """`loops` are all that it does. ``begun`` is told of each channel taken up, ``let_in`` of each that was closed."""

    def __init__(  # noqa: PLR0913 - each is another part of the house
        self,
        account: Account,
        roster: Roster,
        database: Database,
        clock: Clock,
        *,
        begun: Callable[[int], None],
        let_in: Callable[[int], None],
        join: bool,
        history: timedelta,
    ) -> None:
        self._account = account
        self._roster = roster
        self._clock = clock
        self._begun = begun
        self._back = history
        self._found: dict[ChannelRef, Peer] = {}
        self._found_came = Bell(clock)
        self._beginning = asyncio.Lock()
        own = Own(account, clock)
        self._door = Door(account, roster, database, clock, own)
        self._finder = Finder(account, roster, clock, own, door=self._door, found=self._hand_over, join=join)
        self._joiner = Joiner(account, roster, clock, own=own, door=self._door, let_in=let_in, join=join)

    @property
    def untried(self) -> set[ChannelRef]:
        """Those that are to be found and were not asked for yet."""
        return self._finder.untried

    async def loops(self, refs: Sequence[ChannelRef]) -> list[Coroutine[Any, Any, None]]:
        """What finds these, watches them and whatever is included, and joins them, for ever."""
        await self._door.load()
        self._roster.renamed = self._finder.look_at_names
        self._finder.seek(refs)
        return [*self._finder.loops(), self._take_up_on(), self._joiner.run()]

    def reconfigure(self, *, join: bool, history: timedelta) -> None:
        """From now on this holds for whatever is taken up."""
        self._back = history
        self._finder.follow_invites(join=join)
        self._joiner.follow(join=join)

    async def name(self, refs: Sequence[ChannelRef], destinations: frozenset[ChannelRef]) -> None:
        """From now on a configuration names these, and tells those. What both name stays as it is, and is not asked."""
        gone = self._roster.configure(refs, destinations)
        self._forget(gone)
        # Before anything is let go: what is only called otherwise stays.
        await self._roster.adopt([ref for ref in refs if not self._finder.seeks(ref)])
        await self._roster.let_go(gone, [one.peer.id for one in self._roster.all()])
        await self._roster.drop_told()
        watched = {ref for one in self._roster.all() for ref in one.refs}
        new = [ref for ref in refs if ref not in watched and ref not in self._found and not self._finder.seeks(ref)]
        unknown, taken = await self._roster.take_up(new)
        self._finder.seek(ref for ref in unknown if self._roster.wants(ref))
        for one in taken:
            self._begun(one.peer.id)
            self._joiner.arrived()
        # What was told before may be watched now.
        await self.include({ref: peer for ref, peer in self._roster.included.items() if not self._finder.seeks(ref)})

    async def include(self, found: Mapping[ChannelRef, Peer]) -> None:
        """Takes up channels that were found elsewhere: remembered, and watched like those that are configured."""
        self._roster.include(found)
        new = {
            ref: peer
            for ref, peer in found.items()
            if peer.id not in self._roster or ref not in self._roster[peer.id].refs
        }
        self.untried.update(new)
        await self._roster.remember(new)
        await self._hand_over(new)

    async def drop(self, channel: int) -> None:
        """No longer watched, taken up or looked for, unless the configuration names it too."""
        self._roster.exclude(ref := ChatId(channel))
        self._forget([] if self._roster.wants(ref) else [ref])
        await self._roster.drop(channel)

    def _forget(self, gone: Iterable[ChannelRef]) -> None:
        for ref in gone:
            self._found.pop(ref, None)
            self._finder.drop(ref)

    def stirred(self, channel: int) -> None:
        """Something has happened to a channel that is not watched."""
        self._finder.stirred(channel)

    async def _hand_over(self, found: Mapping[ChannelRef, Peer]) -> None:
        """What was found is watched soon, unless it is a chat that is told."""
        for ref, peer in found.items():
            if await self._roster.is_told(ref, peer) or not self._roster.wants(ref):
                self.untried.discard(ref)
            else:
                self._found[ref] = peer
        await self._take_up_read()
        self._found_came.ring()

    async def _take_up_on(self) -> None:
        """Watches what was found, as many at once as there are, for ever."""
        while True:
            await self._found_came.sleep(None)
            if self._finder.busy:
                await self._clock.sleep(_GATHER)
            while self._found:
                try:
                    await self._take_up()
                except WaitError as error:
                    await self._clock.sleep(timedelta(seconds=error.seconds))
                except UnreachableError:
                    await self._clock.sleep(_AFTER_SILENCE)

    async def _take_up_read(self) -> None:
        """What was read before, by whatever account, needs no call, and waits for none."""
        read = await self._roster.cursors()
        known = {ref: (peer, None) for ref, peer in self._found.items() if peer.id in read}
        await self._begin(known, self._clock.now())

    async def _take_up(self) -> None:
        """As many as one call takes."""
        await self._take_up_read()
        asked, read = self._clock.now(), await self._roster.cursors()
        found = dict(islice(((ref, peer) for ref, peer in self._found.items() if peer.id not in read), peers.BATCH))
        unread = {peer.id: peer for peer in found.values()}
        answer = await self._tops([*unread.values()])
        tops = answer.tops
        await self._begin({ref: (peer, tops[peer.id]) for ref, peer in found.items() if peer.id in tops}, asked)
        for peer in unread.values():
            refs = [ref for ref, other in found.items() if other.id == peer.id]
            if peer.id in answer.refused:
                await self._fail(refs, NoAccessError(answer.refused[peer.id]))
            elif peer.id not in tops:
                await self._take_up_alone(refs, peer)

    async def _fail(self, refs: Sequence[ChannelRef], error: TelegramError) -> None:
        await self._finder.fail([ref for ref in refs if self._found.pop(ref, None) is not None], error)

    async def _tops(self, unread: Sequence[Peer]) -> Tops:
        """How far these channels are. Where this is not answered at all, they are asked one by one."""
        try:
            return await peers.tops(self._account, unread)
        except (RefusedError, UnreadableError) as error:
            log.warning("newest numbers refused", error=str(error))
            return Tops({}, {})

    async def _take_up_alone(self, refs: Sequence[ChannelRef], peer: Peer) -> None:
        """A channel of whose newest number nothing was said: a page of it shows that. ``refs``: all that mean it."""
        asked = self._clock.now()
        try:
            page = await history.below(self._account, peer)
        except WaitError:
            raise
        except TelegramError as error:
            await self._fail(refs, error)
        else:
            top = max((sighting.number for sighting in page.sightings), default=0)
            await self._begin({ref: (peer, Top(top, page.pts, page.peer)) for ref in refs}, asked)

    async def _begin(self, found: Mapping[ChannelRef, tuple[Peer, Top | None]], asked: datetime) -> None:
        """Watches these channels, but what was dropped meanwhile.

        Without a newest number one is read on from where it was read to.
        """
        async with self._beginning:
            begun = [
                Begun(ref, peer, None) if top is None else Begun(ref, top.peer or peer, self._cursor(top))
                for ref, (peer, top) in found.items()
                if ref in self._found
            ]
            if begun:
                await self._roster.begin(begun, asked)
            for ref, peer, _ in begun:
                if self._found.pop(ref, None) is None:
                    await self._roster.let_go([], [peer.id])
                    continue
                await self._finder.taken_up(ref, peer)
                self._begun(peer.id)
                self._joiner.arrived()

    def _cursor(self, top: Top) -> Cursor:
        return replace(began_at(top.number, top.pts), history_read=self._back <= timedelta())
