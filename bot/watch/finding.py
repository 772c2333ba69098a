"""Finding the channels that a configuration names: each once, and what cannot be found again later, and later still.

A look-up by name is what Telegram allows least of. So what was found is written down before anything else is done with
it, when to try again is kept too, and many names are looked for among the account's own channels first, which are
listed a hundred a call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.errors import NoAccessError, RefusedError, TelegramError, UnreachableError, WaitError
from bot.model import ChannelRef, ChatId, Invite, Notice, Peer, Username
from bot.ports import Clock
from bot.standing import Standing
from bot.storage.addresses import Referred, Sought
from bot.telegram import peers, refusals
from bot.telegram.account import Account
from bot.telemetry.log import logger
from bot.watch.bell import Bell
from bot.watch.door import Door
from bot.watch.own import Own
from bot.watch.roster import Roster, patience
from bot.watch.wording import shown

log = logger(__name__)

#: When something is tried again that brought no answer.
_AFTER_SILENCE = timedelta(seconds=30)
#: How often it is asked who has the name now that a watched channel had, and looked whether there is such a name.
_ASK_ABOUT_NAME, _LOOK = timedelta(days=1), timedelta(hours=1)
#: Where administrators were asked to let the account in, it is seen whether they have, at a hint that they might.
_KNOCK_AT_MOST_EVERY = timedelta(minutes=10)
#: So many names are looked up one by one before the account's own channels are listed, and so long that may take.
_FEW = 3
_PATIENCE = timedelta(seconds=15)

#: Somebody else has to do something now before the account is in.
_KNOCKED = (Standing.ASKED, Standing.NEEDS_PERSON)

Found = Mapping[ChannelRef, Peer]
Kind = type[Username] | type[Invite] | type[ChatId]
_KINDS: tuple[Kind, ...] = (Username, Invite, ChatId)


class Finder:
    """One loop for each kind of reference, so that none waits for another's turn, and one for what is new.

    ``found`` is told of what was found; ``untried``: what was not asked for yet. ``join``: invites are followed.
    """

    def __init__(  # noqa: PLR0913 - each is another part of the house
        self,
        account: Account,
        roster: Roster,
        clock: Clock,
        own: Own,
        *,
        door: Door,
        found: Callable[[Found], Awaitable[None]],
        join: bool,
    ) -> None:
        self._account = account
        self._roster = roster
        self._clock = clock
        self._own = own
        self._door = door
        self._found = found
        self.join = join
        #: What is to be found from now on, and was not begun with.
        self._new: list[ChannelRef] = []
        self._new_came = Bell(clock)
        #: What is to be looked for, from when on.
        self._due: dict[ChannelRef, datetime] = {}
        self._missed: dict[ChannelRef, Sought] = {}
        self._referred: Mapping[str, Referred] = {}
        self._all_begun = asyncio.Event()
        self._bells = {kind: Bell(clock) for kind in _KINDS}
        self._knock_again = self._list_again = clock.now()
        self.untried: set[ChannelRef] = set()

    @property
    def busy(self) -> bool:
        """Whether something is to be looked for now."""
        now = self._clock.now()
        return any(moment <= now for moment in self._due.values())

    def loops(self) -> list[Coroutine[Any, Any, None]]:
        """What finds channels; those that fail again later."""
        return [self._begin_on(), *map(self._look_on, _KINDS)]

    def seek(self, refs: Iterable[ChannelRef]) -> None:
        """These are to be found."""
        self._new += refs
        self.untried.update(self._new)
        self._all_begun.clear()
        self._new_came.ring()

    def seeks(self, ref: ChannelRef) -> bool:
        """Whether it is to be found."""
        return ref in self._due or ref in self._new

    def follow_invites(self, *, join: bool) -> None:
        """Whether invites are followed from now on; those that were not are at once."""
        if join and not self.join:
            self._due |= {ref: self._clock.now() for ref in self._due if isinstance(ref, Invite)}
            self._ring()
        self.join = join

    async def _begin_on(self) -> None:
        """Begins with what is new, for ever."""
        while True:
            await self._new_came.sleep(None)
            refs, self._new = self._new, []
            await self._begin(refs)
            if not self._new:
                self._all_begun.set()
                self._ring()

    async def _begin(self, refs: Sequence[ChannelRef]) -> None:
        """Finds what needs no look-up of its own."""
        self._due |= dict.fromkeys(refs, datetime.max.replace(tzinfo=UTC))
        now, sought = self._clock.now(), await self._roster.sought()
        self._referred, known = await self._roster.referred(), await self._roster.addresses()
        # What was dropped meanwhile is not sought.
        refs = [ref for ref in refs if ref in self._due]
        self._missed |= {ref: sought[str(ref)] for ref in refs if str(ref) in sought}
        self._due |= {ref: self._missed[ref].not_before if ref in self._missed else now for ref in refs}
        self.untried -= {ref for ref, due in self._due.items() if due > now}
        await self._hand_over({ref: _named(ref, known[str(ref)]) for ref in refs if str(ref) in known})
        if sum(due <= now for due in self._due.values()) > _FEW:
            await self._find_among_own()

    async def _look_on(self, kind: Kind) -> None:
        """Looks for references of one kind, one after another, for ever."""
        while True:
            await self._all_begun.wait()
            await self._look_for_next(kind)

    async def _look_for_next(self, kind: Kind) -> None:
        now = self._clock.now()
        names = self._other_names(now) if kind is Username else {}
        sought = {ref: due for ref, due in self._due.items() if isinstance(ref, kind)}
        moments = {**sought, **{ref: due for ref, (due, _) in names.items()}}
        ref = min(moments, key=lambda one: moments[one], default=None)
        if ref is None or moments[ref] > now:
            await self._bells[kind].sleep(_LOOK if ref is None else min(moments[ref] - now, _LOOK))
        elif ref in self._due:
            await self._look_for(ref)
        else:
            await self._ask_about(ref, names[ref][1])

    async def _find_among_own(self) -> None:
        """Finds what the account is in already, if the list can be had before long."""
        listing, enough = asyncio.ensure_future(self._own()), asyncio.ensure_future(self._clock.sleep(_PATIENCE))
        try:
            await asyncio.wait([listing, enough], return_when=asyncio.FIRST_COMPLETED)
            if not listing.done():
                log.warning("own channels not listed in time")
                return
            own = listing.result()
        except TelegramError as error:
            log.warning("own channels not listed", error=str(error))
            return
        finally:
            enough.cancel()
            listing.cancel()
        names = {peer.username.lower(): peer for peer in own.values() if peer.username}
        found: dict[ChannelRef, Peer | None] = {
            ref: names.get(ref.name.lower()) for ref in self._due if isinstance(ref, Username)
        }
        found |= {ref: own.get(ref.id) for ref in self._due if isinstance(ref, ChatId)}
        # By the id, whatever it is called now, where another account had found it before.
        found |= {ref: own[id_] for ref in self._due if (id_ := self._once(ref)) is not None and id_ in own}
        await self._remember({ref: peer for ref, peer in found.items() if peer is not None})

    def _once(self, ref: ChannelRef) -> int | None:
        """The channel that was behind a reference, whoever had found it."""
        known = self._referred.get(str(ref))
        return None if known is None else known.channel.id

    async def _look_for(self, ref: ChannelRef) -> None:
        if isinstance(ref, Invite) and self.join:
            if self._door.opens_at is not None:
                self._due[ref] = self._door.opens_at
                self.untried.discard(ref)
                return
            self._door.invites = sum(isinstance(one, Invite) for one in self._due)
            await self._door.count_places()
        try:
            peer = await self._resolved(ref)
        except TelegramError as error:
            if ref in self._due:
                await self.fail([ref], error)
        else:
            await self._remember({ref: peer})
            if isinstance(ref, Invite) and peer.joined:
                await self._door.opened()

    async def _resolved(self, ref: ChannelRef) -> Peer:
        missed = self._missed.get(ref)
        # Who has knocked does not knock a second time.
        join = self.join and (missed is None or missed.standing not in _KNOCKED)
        if (peer := await self._under_its_later_name(ref)) is not None:
            return peer
        peer = await peers.resolve(self._account, ref, self._own, join=join)
        if isinstance(ref, Username) and (once := self._once(ref)) is not None and once != peer.id:
            was = self._referred[str(ref)].channel.shown
            what = f"{ref} is the name of another channel now, {peer.channel.shown}, which is watched from now on"
            await self._roster.tell(f"name {ref}", Notice(f"{what}; what it was before, {was}, was not found."))
        return peer

    async def _under_its_later_name(self, ref: ChannelRef) -> Peer | None:
        """A channel that another account saw renamed, if it still has the name that it had then."""
        known = self._referred.get(str(ref))
        later = (known.channel.username or "").lower() if known else ""
        if not isinstance(ref, Username) or known is None or later in ("", ref.name):
            return None
        try:
            peer = await peers.resolve(self._account, Username(later), self._own)
        except (RefusedError, NoAccessError):
            return None
        return peer if peer.id == known.channel.id else None

    async def _remember(self, found: Found) -> None:
        await self._roster.remember(found)
        # What is sought no more by then is not watched.
        await self._hand_over({ref: peer for ref, peer in found.items() if ref in self._due})

    async def _hand_over(self, found: Found) -> None:
        for ref in found:
            self._due.pop(ref, None)
        if found:
            await self._found(found)

    async def taken_up(self, ref: ChannelRef, peer: Peer) -> None:
        """A channel is watched; where the operators were told that it could not be, they hear of that too."""
        self.untried.discard(ref)
        missed = self._missed.pop(ref, None)
        if missed is not None and missed.why is not None:
            how = "was let in, and is watched now" if missed.standing in _KNOCKED else "is watched now"
            await self._roster.tell(f"channel {ref}", Notice(f"{shown(ref)}, {peer.channel.shown}, {how}."))

    async def fail(self, refs: Sequence[ChannelRef], error: TelegramError) -> None:
        """A channel could not be found or taken up; it is looked for again later. ``refs``: all that mean it."""
        for ref in filter(self._roster.wants, refs):
            match error:
                case WaitError():
                    self._due[ref] = self._clock.now() + timedelta(seconds=error.seconds)
                case UnreachableError():
                    self._due[ref] = self._clock.now() + _AFTER_SILENCE
                case RefusedError(code=code) if refusals.of_the_account(code):
                    until = await self._door.shut(code)
                    if self._roster.wants(ref):
                        await self._miss(ref, error, until=until)
                case _:
                    await self._miss(ref, error)
            self.untried.discard(ref)
        self._ring()

    def drop(self, ref: ChannelRef) -> None:
        """It is sought no more."""
        self._new = [other for other in self._new if other != ref]
        self._due.pop(ref, None)
        self._missed.pop(ref, None)
        self.untried.discard(ref)

    async def _miss(self, ref: ChannelRef, error: TelegramError, *, until: datetime | None = None) -> None:
        """Takes note that a reference leads nowhere, and when to try again.

        ``until``: it is the account for which nothing goes on until then, of which the operators have heard.
        """
        now, before = self._clock.now(), self._missed.get(ref)
        tries = before.tries if before else 0
        standing, why = refusals.standing(refusals.code_of(error)), refusals.why(error)
        if before is not None and before.standing in _KNOCKED and refusals.code_of(error) == peers.JOIN_NEEDED:
            standing, why = before.standing, before.why or why
        missed = self._missed[ref] = Sought(
            *(str(ref), standing, why, before.since if before else now),
            *(tries + 1, until or now + patience(tries)),
        )
        self._due[ref] = missed.not_before
        known = self._referred.get(str(ref))
        name = shown(ref) if known is None else f"{known.channel.shown} ({shown(ref)})"
        yet = "is not watched yet" if standing is Standing.ASKED else "cannot be watched"
        notice = Notice(f"{name} {yet}: {why}") if until is None else None
        await self._roster.missed(missed, known.channel if known else None, notice)
        log.warning("channel not found", ref=ref, error=str(error), tries=missed.tries)

    # --- names that have gone over to others --------------------------------------------------------------

    def _other_names(self, now: datetime) -> dict[ChannelRef, tuple[datetime, int]]:
        """Names of the configuration whose channels are called something else now: when to ask, and of whom."""
        found: dict[ChannelRef, tuple[datetime, int]] = {}
        for watched in self._roster.all():
            name = (watched.peer.username or "").lower()
            for ref in watched.refs:
                if isinstance(ref, Username) and ref.name != name:
                    known = self._referred.get(str(ref))
                    checked = known.checked if known else None
                    due = now if checked is None else checked + _ASK_ABOUT_NAME
                    found[ref] = due, watched.peer.id
        return found

    async def _ask_about(self, ref: ChannelRef, channel: int) -> None:
        """Who has the name now. The id is what a channel is known by, so the one that is watched stays."""
        now, known = self._clock.now(), self._roster[channel].peer.channel
        self._referred = {**self._referred, str(ref): Referred(known, now)}
        await self._roster.name_checked(ref, now)
        try:
            peer = await peers.resolve(self._account, ref, self._own)
        except TelegramError:
            return  # nobody, or nobody who can be watched
        if peer.id != channel:
            write = f"@{known.username}" if known.username else str(channel)
            what = f"{ref} is the name of another channel now, {peer.channel.shown} ({peer.id}), which is not watched"
            stays = f"{known.shown}, which had the name before, stays watched; write {write} for it"
            await self._roster.tell(f"name {ref}", Notice(f"{what}; {stays}."))

    def stirred(self, channel: int) -> None:
        """Something has happened to a channel that is not watched: one that is sought may have let the account in."""
        now = self._clock.now()
        knocked = [
            ref for ref, missed in self._missed.items() if isinstance(ref, Invite) and missed.standing in _KNOCKED
        ]
        if (ref := ChatId(channel)) in self._due:
            self._own.forget()
            # To list the account's own is dear.
            due = max(now, self._list_again)
            if due < self._due[ref]:
                self._due[ref], self._list_again = due, due + _KNOCK_AT_MOST_EVERY
        elif now >= self._knock_again:
            self._knock_again = now + _KNOCK_AT_MOST_EVERY
            self._due.update(dict.fromkeys(knocked, now))
        self._ring()

    def look_at_names(self) -> None:
        """A channel may have another name now."""
        self._ring()

    def _ring(self) -> None:
        for bell in self._bells.values():
            bell.ring()


def _named(ref: ChannelRef, peer: Peer) -> Peer:
    """Of a channel that was never watched the name is not known but by its reference."""
    return replace(peer, username=ref.name) if isinstance(ref, Username) and not peer.username else peer
