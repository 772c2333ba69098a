"""Taking up the channels that a configuration names: found once, watched from then on, joined where that is wanted.

A look-up by name is what Telegram allows least of. So what was found is written down before anything else is done with
it, and many names are looked for among the account's own channels first, which are listed a hundred a call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from bot.cursor import Cursor, began_at
from bot.errors import (
    NoAccessError,
    RefusedError,
    TelegramError,
    UnreachableError,
    UnreadableError,
    WaitError,
)
from bot.model import ChannelRef, ChatId, Invite, Peer, Username
from bot.ports import Clock
from bot.telegram import history, peers, refusals
from bot.telegram.account import Account
from bot.telegram.peers import Top, Tops
from bot.telemetry.log import logger
from bot.watch.bell import Bell
from bot.watch.roster import Begun, Roster

log = logger(__name__)

#: When something is tried again that was refused, or that brought no answer.
_AFTER_REFUSAL = timedelta(hours=1)
_AFTER_SILENCE = timedelta(seconds=30)
#: A channel that does not let the account in, or throws it out again, is polled and asked again so much later.
_AFTER_KNOCKING = timedelta(hours=24)
#: How often it is looked whether the account has left a channel, if no new one comes.
_LOOK = timedelta(hours=1)
#: So many names are looked up one by one before the account's own channels are listed, and so long that may take.
_FEW = 3
_PATIENCE = timedelta(seconds=15)
#: While more names are looked up, those that were found gather for so long before their numbers are asked for.
_GATHER = timedelta(seconds=1)
#: So much of an invite's code is told.
_OF_AN_INVITE = 4


class Membership:
    """Three loops that hold nobody up: `find`, `take_up` and `join`. ``begun`` is told of each channel taken up.

    ``untried``: those that are to be found and were not asked for yet.
    """

    def __init__(  # noqa: PLR0913 - each is another part of the house
        self,
        account: Account,
        roster: Roster,
        clock: Clock,
        begun: Callable[[int], None],
        *,
        join: bool,
        history: timedelta,
    ) -> None:
        self._account = account
        self._roster = roster
        self._clock = clock
        self._begun = begun
        self._join = join
        self._history = history
        #: What is to be looked for, from when on; what was found and is not watched yet.
        self._due: dict[ChannelRef, datetime] = {}
        self._found: dict[ChannelRef, Peer] = {}
        self._lost_came = Bell(clock)
        self._found_came = Bell(clock)
        self._arrived = Bell(clock)
        self._mine: Mapping[int, Peer] = {}
        self._listed: datetime | None = None
        self.untried: set[ChannelRef] = set()

    # --- finding ------------------------------------------------------------------------------------------

    async def find(self, refs: Sequence[ChannelRef]) -> None:
        """Finds channels one after another, for ever; those that fail again later."""
        # Ids last: to list all that the account is in takes longest.
        self._due = dict.fromkeys(sorted(refs, key=lambda ref: isinstance(ref, ChatId)), self._clock.now())
        known = await self._roster.addresses()
        self._hand_over({ref: _named(ref, known[str(ref)]) for ref in refs if str(ref) in known})
        if len(self._due) > _FEW:
            await self._find_among_own()
        while True:
            now = self._clock.now()
            ref = min(self._due, key=lambda one: self._due[one], default=None)
            if ref is None or self._due[ref] > now:
                await self._lost_came.sleep(None if ref is None else self._due[ref] - now)
            else:
                await self._look_for(ref)

    async def _find_among_own(self) -> None:
        """Finds what the account is in already, if the list can be had before long."""
        listing, patience = asyncio.ensure_future(self._own()), asyncio.ensure_future(self._clock.sleep(_PATIENCE))
        try:
            await asyncio.wait([listing, patience], return_when=asyncio.FIRST_COMPLETED)
            if not listing.done():
                log.warning("own channels not listed in time")
                return
            own = listing.result()
        except TelegramError as error:
            log.warning("own channels not listed", error=str(error))
            return
        finally:
            patience.cancel()
            listing.cancel()
        names = {peer.username.lower(): peer for peer in own.values() if peer.username}
        found: dict[ChannelRef, Peer | None] = {
            ref: names.get(ref.name.lower()) for ref in self._due if isinstance(ref, Username)
        }
        found |= {ref: own.get(ref.id) for ref in self._due if isinstance(ref, ChatId)}
        await self._remember({ref: peer for ref, peer in found.items() if peer is not None})

    async def _look_for(self, ref: ChannelRef) -> None:
        try:
            peer = await peers.resolve(self._account, ref, self._own, join=self._join)
        except TelegramError as error:
            await self._fail([ref], error)
        else:
            await self._remember({ref: peer})

    async def _own(self) -> Mapping[int, Peer]:
        """The account's own channels, listed rarely, since that is dear."""
        now = self._clock.now()
        if self._listed is None or now - self._listed >= _AFTER_REFUSAL:
            self._mine = await peers.mine(self._account, self._clock.sleep)
            self._listed = now
        return self._mine

    async def _remember(self, found: Mapping[ChannelRef, Peer]) -> None:
        await self._roster.remember(found)
        self._hand_over(found)

    def _hand_over(self, found: Mapping[ChannelRef, Peer]) -> None:
        for ref, peer in found.items():
            del self._due[ref]
            self._found[ref] = peer
        self._found_came.ring()

    async def _fail(self, refs: Sequence[ChannelRef], error: TelegramError) -> None:
        """A channel could not be found or taken up; it is looked for again later. ``refs``: all that mean it."""
        match error:
            case WaitError():
                pause = timedelta(seconds=error.seconds)
            case UnreachableError():
                pause = _AFTER_SILENCE
            case _:
                pause = _AFTER_REFUSAL
                for ref in refs:
                    await self._roster.tell(f"channel {ref}", f"{_shown(ref)} cannot be watched: {refusals.why(error)}")
                    log.warning("channel not found", ref=ref, error=str(error))
        for ref in refs:
            self._found.pop(ref, None)
            self._due[ref] = self._clock.now() + pause
            self.untried.discard(ref)
        self._lost_came.ring()

    # --- taking up ----------------------------------------------------------------------------------------

    async def take_up(self) -> None:
        """Watches what was found, as many at once as there are, for ever."""
        while True:
            await self._found_came.sleep(None)
            if any(moment <= self._clock.now() for moment in self._due.values()):
                await self._clock.sleep(_GATHER)
            while found := dict(islice(self._found.items(), peers.BATCH)):
                try:
                    await self._take_up(found)
                except WaitError as error:
                    await self._clock.sleep(timedelta(seconds=error.seconds))
                except UnreachableError:
                    await self._clock.sleep(_AFTER_SILENCE)

    async def _take_up(self, found: Mapping[ChannelRef, Peer]) -> None:
        asked, read = self._clock.now(), await self._roster.cursors()
        unread = {peer.id: peer for peer in found.values() if peer.id not in read}
        answer = await self._tops([*unread.values()])
        tops = {**dict.fromkeys(read), **answer.tops}
        await self._begin({ref: (peer, tops[peer.id]) for ref, peer in found.items() if peer.id in tops}, asked)
        for peer in unread.values():
            refs = [ref for ref, other in found.items() if other.id == peer.id]
            if peer.id in answer.refused:
                await self._fail(refs, NoAccessError(answer.refused[peer.id]))
            elif peer.id not in tops:
                await self._take_up_alone(refs, peer)

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
        """Watches these channels. Without a newest number one is read on from where it was read to."""
        begun = [
            Begun(ref, peer, None) if top is None else Begun(ref, top.peer or peer, self._cursor(top))
            for ref, (peer, top) in found.items()
        ]
        if begun:
            await self._roster.begin(begun, asked)
        for ref, peer, _ in begun:
            del self._found[ref]
            self.untried.discard(ref)
            self._begun(peer.id)
            self._arrived.ring()

    def _cursor(self, top: Top) -> Cursor:
        return replace(began_at(top.number, top.pts), history_read=self._history <= timedelta())

    # --- joining ------------------------------------------------------------------------------------------

    async def join(self) -> None:
        """Joins the public channels that are watched, one after another, for ever. Those that refuse stay polled."""
        due: dict[int, datetime] = {}
        while True:
            now = self._clock.now()
            first = min(self._outside(), key=lambda one: due.get(one, now), default=None)
            if first is None or due.get(first, now) > now:
                await self._arrived.sleep(_LOOK if first is None else min(due[first] - now, _LOOK))
                continue
            pause = await self._try_to_join(first)
            due[first] = self._clock.now() + pause

    def _outside(self) -> list[int]:
        if not self._join:
            return []
        watched = self._roster.all()
        return [one.peer.id for one in watched if one.peer.username and not one.peer.joined and one.refused is None]

    async def _try_to_join(self, channel: int) -> timedelta:
        """When to try again, should the account be outside then."""
        peer = self._roster[channel].peer
        try:
            await self._roster.seen(await peers.join(self._account, peer))
        except WaitError as error:
            return timedelta(seconds=error.seconds)
        except UnreachableError:
            return _AFTER_SILENCE
        except (RefusedError, NoAccessError, UnreadableError) as error:
            what = f"{peer.channel.shown} could not be joined, and is read without it, later than others"
            await self._roster.tell(f"joining channel {channel}", f"{what}: {refusals.why(error)}")
        return _AFTER_KNOCKING


def _shown(ref: ChannelRef) -> str:
    """As it is told. Whoever holds the whole of an invite may join."""
    return f"{Invite(ref.code[:_OF_AN_INVITE])!s}…" if isinstance(ref, Invite) else str(ref)


def _named(ref: ChannelRef, peer: Peer) -> Peer:
    """Of a channel that was never watched the name is not known but by its reference."""
    return replace(peer, username=ref.name) if isinstance(ref, Username) and not peer.username else peer
