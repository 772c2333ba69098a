"""Which channels are watched, how the account stands with each of them, and what the operators are told: in tables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.cursor import Cursor
from bot.ingest import Ingest
from bot.model import Channel, ChannelRef, ChatId, Notice, Peer, Username
from bot.ports import Clock
from bot.rules import references
from bot.standing import Standing
from bot.storage import addresses, channels, facts, notices
from bot.storage.addresses import Referred, Sought
from bot.storage.database import Connection, Database
from bot.telegram import refusals
from bot.telemetry.log import logger
from bot.watch import wording

log = logger(__name__)

#: What was refused is tried again after so long, then after twice as long, up to the longest.
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(hours=1), timedelta(hours=24)
#: The fact that says which account has read last.
READER = "account that reads"


@dataclass(slots=True)
class Watched:
    """A channel that is watched. ``since``: when it was first read; ``refs``: what it is watched as.

    ``read_at``: all that stood in it at this moment is stored, as this process has seen; ``checked_at``: when its
    newest posts were last compared with what is stored, ``checked`` whether this process did so, and ``stirred`` that
    something has happened since that is not known. ``odd``: how many readings in a row were refused, though the channel
    can be read for all that is known. ``pts``: the count of events with the last push, ``stale`` how many checks in a
    row were answered with a lower one than is known. ``top``: the newest number when the sweep asked last, ``heard``.

    ``refused``: why it cannot be read; it was looked after ``tries`` times in vain since, and is next at ``look_at``.
    ``blind_until``: until then it is not asked for with others, for its newest message cannot be read.
    ``open_again``: that look has found nothing against reading it. ``join_after``: before then it is not to be joined.
    """

    peer: Peer
    since: datetime
    read_at: datetime | None = None
    checked_at: datetime | None = None
    checked: bool = False
    stirred: bool = False
    refused: str | None = None
    pts: int = 0
    stale: int = 0
    top: int = 0
    heard: datetime | None = None
    odd: int = 0
    standing: Standing = Standing.POLLED
    tries: int = 0
    look_at: datetime | None = None
    open_again: bool = False
    join_after: datetime | None = None
    blind_until: datetime | None = None
    refs: set[ChannelRef] = field(default_factory=set)

    @property
    def readable(self) -> bool:
        """Whether it is worth asking for posts."""
        return self.refused is None or self.open_again

    @property
    def blind(self) -> bool:
        """Whether it was read, and is asked for less often now than others."""
        return self.blind_until is not None and self.read_at is not None


class Begun(NamedTuple):
    """A channel that is to be watched. ``cursor``: the first one; None for a channel that has one already."""

    ref: ChannelRef
    peer: Peer
    cursor: Cursor | None


class Roster:
    """The watched channels of one account, by marked id. ``destinations``: chats that are told, and never watched.

    ``doubted`` is called with a channel that an answer shows as left, which another answer may have overtaken;
    ``renamed`` when one has another name; ``dropped`` with one that is watched no more.
    """

    def __init__(
        self,
        account: int,
        ingest: Ingest,
        database: Database,
        clock: Clock,
        destinations: frozenset[ChannelRef] = frozenset(),
    ) -> None:
        self.doubted: Callable[[int], None] = _nothing
        self.renamed: Callable[[], None] = lambda: None
        self.dropped: Callable[[int], None] = _nothing
        self._account = account
        self._ingest = ingest
        self._database = database
        self._clock = clock
        self._destinations = destinations
        self._watched: dict[int, Watched] = {}
        #: What was watched once, for who is reading a page of it just now.
        self._dropped: dict[int, Watched] = {}
        self._configured: frozenset[ChannelRef] = frozenset()
        #: What is watched beside that: what a folder holds.
        self._included: dict[ChannelRef, Peer] = {}
        #: Channels of which the tables say how this account stands with them, and not another one.
        self._known: set[int] = set()

    def __getitem__(self, channel: int) -> Watched:
        return self._watched.get(channel) or self._dropped[channel]

    def __contains__(self, channel: int) -> bool:
        return channel in self._watched

    def peer(self, number: int) -> Peer | None:
        """What is known of a watched channel by its marked id."""
        return None if (watched := self._watched.get(number)) is None else watched.peer

    def channel(self, number: int) -> Channel | None:
        """Likewise."""
        return None if (peer := self.peer(number)) is None else peer.channel

    def all(self) -> Collection[Watched]:
        return self._watched.values()

    # --- who is watched -----------------------------------------------------------------------------------

    async def load(self, refs: Sequence[ChannelRef]) -> list[ChannelRef]:
        """Takes up those that were resolved before, without a call; returns those that were not."""
        self._configured = frozenset(refs)
        known = await channels.all(self._database, self._account)
        if await facts.get(self._database, READER) != self._account:
            known = {id_: one.anew() for id_, one in known.items()}
            await self._database.write(lambda c: self._another_reads(c, known))
        else:
            self._known = set(known)
        unknown, _ = await self._take_up_known(refs, known)
        now = self._clock.now()
        await self._database.write(lambda c: addresses.seek(c, self._account, map(str, unknown), now))
        return unknown

    async def take_up(self, refs: Sequence[ChannelRef]) -> tuple[list[ChannelRef], list[Watched]]:
        """Likewise, of references that a configuration names too from now on; with the channels that were taken up.

        Whoever names what was refused before may have mended that: it is looked after at once.
        """
        known = await channels.all(self._database, self._account)
        anew = {id_: stored._replace(tries=0, look_at=None) for id_, stored in known.items()}
        unknown, taken = await self._take_up_known(refs, anew)
        now = self._clock.now()
        if unknown:
            await self._database.write(lambda c: addresses.seek_too(c, self._account, map(str, unknown), now))
        return unknown, taken

    async def _take_up_known(
        self, refs: Sequence[ChannelRef], known: Mapping[int, channels.Stored]
    ) -> tuple[list[ChannelRef], list[Watched]]:
        written = await channels.references(self._database)
        unknown, taken = [], []
        for ref in refs:
            stored = known.get(written.get(str(ref), 0))
            if stored is None:
                unknown.append(ref)
            elif not await self.is_told(ref, stored.peer):
                taken.append(self._take_up(ref, stored))
        return unknown, taken

    def _another_reads(self, c: Connection, known: Mapping[int, channels.Stored]) -> None:
        facts.put(c, READER, self._account)
        for id_, one in known.items():
            channels.set_standing(c, id_, one.standing)

    def _take_up(self, ref: ChannelRef, stored: channels.Stored) -> Watched:
        watched = self._watched.setdefault(
            stored.peer.id,
            Watched(
                peer=stored.peer,
                since=stored.since or self._clock.now(),
                checked_at=stored.checked_at,
                refused=stored.refused,
                standing=stored.standing,
                tries=stored.tries,
                look_at=stored.look_at,
                join_after=stored.join_after,
            ),
        )
        watched.refs.add(ref)
        self._ingest.watch(stored.peer, stored.cursor, ref)
        return watched

    async def is_told(self, ref: ChannelRef, peer: Peer) -> bool:
        """Whether a channel is a destination, and so is not to be watched, which the operators hear once."""
        names = {ref, ChatId(peer.id), Username((peer.username or "").lower())}
        if names.isdisjoint(self._destinations):
            return False
        # The title is not known where this was found before, and told then.
        if name := peer.title if isinstance(ref, ChatId) else wording.shown(ref):
            what = f"{name} is not watched: vedette writes there, and would read itself; take it out of one of the two."
            await self.tell(_told_too(peer.id), Notice(what))
        return True

    def wants(self, ref: ChannelRef) -> bool:
        """Whether what this means is to be watched."""
        return ref in self._configured or ref in self._included

    @property
    def included(self) -> Mapping[ChannelRef, Peer]:
        """What is to be watched though no configuration names it, whether it is yet or not."""
        return self._included

    def include(self, found: Mapping[ChannelRef, Peer]) -> None:
        """These are to be watched beside those that are configured."""
        self._included |= found

    def exclude(self, ref: ChannelRef) -> None:
        """It is included no more."""
        self._included.pop(ref, None)

    def configure(self, refs: Sequence[ChannelRef], destinations: frozenset[ChannelRef]) -> frozenset[ChannelRef]:
        """From now on these are to be watched, and those told. Returns what is wanted no more, to be let go of."""
        gone = self._configured - frozenset(refs) - self._included.keys()
        self._configured, self._destinations = frozenset(refs), destinations
        return gone

    async def adopt(self, refs: Collection[ChannelRef]) -> None:
        """Those of these that mean what is watched already, by its name of today or its id, need nobody's answer."""
        found = {
            ref: watched
            for watched in self._watched.values()
            for ref in references(watched.peer.channel)
            if ref in refs and ref not in watched.refs
        }
        await self.remember({ref: watched.peer for ref, watched in found.items()})
        for ref, watched in found.items():
            watched.refs.add(ref)
            self._ingest.watch(watched.peer, self._ingest.cursors[watched.peer.id], ref)

    async def drop(self, channel: int) -> None:
        """What was included is watched and sought no more, unless the configuration names it too."""
        self.exclude(ChatId(channel))
        await self.let_go([ChatId(channel)], [channel])

    async def drop_told(self) -> None:
        """Watches no more what is a destination now."""
        for watched in [*self._watched.values()]:
            if any([await self.is_told(ref, watched.peer) for ref in watched.refs]):
                self._forget(watched.peer.id)

    async def let_go(self, refs: Collection[ChannelRef], ids: Sequence[int]) -> None:
        """Of these channels nothing is taken or asked any more, if nothing that is wanted means them.

        What is stored of them stays, and nobody need hear any more of what ailed them or these references.
        """
        for watched in [self._watched[channel] for channel in ids if channel in self]:
            watched.refs = {ref for ref in watched.refs if self.wants(ref)}
            if not watched.refs:
                self._forget(watched.peer.id)
        now, dropped = self._clock.now(), [channel for channel in ids if channel not in self]
        sought = [str(ref) for ref in refs if not self.wants(ref)]

        def work(c: Connection) -> None:
            for ref in sought:
                addresses.found(c, ref)
            for of in [*sought, *dropped]:
                for subject in (f"channel {of}", f"name {of}", f"joining channel {of}", f"restriction of channel {of}"):
                    notices.settle(c, subject, now)

        if sought or dropped:
            await self._database.write(work)

    def _forget(self, channel: int) -> None:
        # Whoever waited for the tables may come second.
        if (watched := self._watched.pop(channel, None)) is not None:
            self._dropped[channel] = watched
            self.dropped(channel)
            log.info("channel dropped", channel=channel)

    async def begin(self, new: Sequence[Begun], asked: datetime) -> None:
        """From now on these channels are watched. ``asked``: when it was asked for the cursors of those that had none.

        All that there is of them is above their cursors, so they count as read. How this account stood with one that
        it knew before stays.
        """
        now, before = self._clock.now(), await channels.all(self._database, self._account)
        known = self._known & before.keys()
        fresh = {one.peer.id: one.peer for one in new if one.peer.id not in self}
        well = [peer for id_, peer in fresh.items() if id_ not in known or before[id_].is_well(peer)]

        def work(c: Connection) -> None:
            for ref, peer, cursor in new:
                channels.put(c, self._account, peer, cursor, since=asked)
                channels.refer(c, str(ref), peer.id)
                if peer.id not in known:
                    notices.settle(c, f"channel {ref}", now)
            channels.set_read(c, [one.peer.id for one in new if one.cursor is not None], asked)
            for peer in well:
                # Whatever another account met with.
                channels.set_refused(c, peer.id, None)
                channels.set_standing(c, peer.id, channels.well(peer))

        await self._database.write(work)
        self._known |= fresh.keys()
        stored = await channels.all(self._database, self._account)
        for ref, peer, cursor in new:
            watched = self._take_up(ref, stored[peer.id])
            watched.peer = replace(watched.peer, protected=peer.protected or watched.peer.protected)
            if cursor is not None and peer.id in fresh:
                watched.read_at, watched.checked_at, watched.checked = asked, asked, True
            log.info("channel watched", channel=peer.id, joined=peer.joined, top=stored[peer.id].cursor.top)

    # --- what references lead to --------------------------------------------------------------------------

    async def cursors(self) -> Mapping[int, Cursor]:
        """How far each channel was read, by whatever account."""
        return await channels.cursors(self._database)

    async def addresses(self) -> Mapping[str, Peer]:
        """What this account found behind references before, watched or not, by what is written."""
        return await addresses.known(self._database, self._account)

    async def referred(self) -> Mapping[str, Referred]:
        """What any account found behind references."""
        return await addresses.referred(self._database)

    async def sought(self) -> Mapping[str, Sought]:
        """How it stands with the references that lead to no channel, by what is written."""
        return {one.written: one for one in await addresses.sought(self._database)}

    async def remember(self, found: Mapping[ChannelRef, Peer]) -> None:
        """What was found needs not be looked for again, whatever becomes of this process."""

        def work(c: Connection) -> None:
            for ref, peer in found.items():
                addresses.remember(c, self._account, ref, peer)
                addresses.found(c, str(ref))

        if found:
            await self._database.write(work)

    async def missed(self, one: Sought, behind: Channel | None, notice: Notice | None) -> None:
        """A reference leads to no channel that this account can watch, of which ``notice`` is told.

        ``behind``: what another account found there.
        """
        now = self._clock.now()

        def work(c: Connection) -> None:
            addresses.set_sought(c, self._account, one)
            if notice is not None:
                notices.tell(c, f"channel {one.written}", notice, now)
            if behind is not None and behind.id is not None and behind.id not in self:
                channels.set_refused(c, behind.id, one.why)
                channels.set_standing(c, behind.id, one.standing)

        await self._database.write(work)

    async def name_checked(self, ref: ChannelRef, at: datetime) -> None:
        """It was asked whether a channel is still called so."""
        await self._database.write(lambda c: addresses.set_checked(c, str(ref), at))

    # --- how they are -------------------------------------------------------------------------------------

    async def seen(self, peer: Peer | None) -> None:
        """Takes note of a channel as an answer shows it: renamed, joined. That it was left has to be asked."""
        if peer is None or (watched := self._watched.get(peer.id)) is None or watched.peer == peer:
            return
        before = watched.peer
        if before.joined and not peer.joined:
            self.doubted(peer.id)
            peer = replace(peer, joined=True)
        let_in = peer.joined and watched.standing in (Standing.ASKED, Standing.NEEDS_PERSON)
        await self._now_is(watched, peer, Notice(f"{peer.channel.shown} was let in.") if let_in else None)
        if before.username != peer.username and await self.is_told(ChatId(peer.id), peer):
            self._forget(peer.id)

    async def left(self, channel: int, join_after: datetime, notice: Notice | None) -> None:
        """The account is in it no more, though nobody here has left it; it is not to be joined again before then."""
        watched = self[channel]
        watched.join_after = join_after
        await self._database.write(lambda c: channels.set_join_after(c, self._account, channel, join_after))
        await self._now_is(watched, replace(watched.peer, joined=False), notice)

    async def _now_is(self, watched: Watched, peer: Peer, notice: Notice | None) -> None:
        """Takes note of how a channel looks now; ``notice``: to be told of how the account stands with it."""
        before, watched.peer, now = watched.peer, peer, self._clock.now()
        if before.joined != peer.joined and not watched.standing.lost:
            watched.standing = channels.well(peer)
        standing, tries, look_at = watched.standing, watched.tries, watched.look_at

        def work(c: Connection) -> None:
            channels.put(c, self._account, peer, None)
            channels.set_standing(c, peer.id, standing, tries=tries, look_at=look_at)
            if (renamed := wording.renamed(before, peer)) is not None:
                notices.tell(c, f"name of channel {peer.id}", renamed, now)
            if notice is not None:
                notices.tell(c, f"joining channel {peer.id}", notice, now)
            elif peer.joined and not before.joined:
                notices.settle(c, f"joining channel {peer.id}", now)

        await self._database.write(work)
        self._ingest.watch(peer, self._ingest.cursors[peer.id])
        if before.username != peer.username:
            self.renamed()

    async def not_joined(self, channel: int, standing: Standing, join_after: datetime, notice: Notice) -> None:
        """It could not be joined, and is read without it."""
        watched, now = self[channel], self._clock.now()
        watched.standing, watched.join_after = standing, join_after
        tries, look_at = watched.tries, watched.look_at

        def work(c: Connection) -> None:
            channels.set_standing(c, channel, standing, tries=tries, look_at=look_at)
            channels.set_join_after(c, self._account, channel, join_after)
            notices.tell(c, f"joining channel {channel}", notice, now)

        await self._database.write(work)

    async def read(self, read: Collection[int], at: datetime) -> None:
        """All that stood in these channels at this moment is stored; those that were refused are so no more."""
        now = self._clock.now()
        # What was asked before a refusal, and answered after it, says nothing against it.
        those = [self[channel] for channel in read if channel in self and self[channel].readable]
        again = [watched for watched in those if watched.refused is not None]
        for watched in those:
            watched.read_at = max(at, watched.read_at or at)
        for watched in again:
            watched.refused, watched.tries, watched.look_at, watched.open_again = None, 0, None, False
            watched.standing = channels.well(watched.peer)
        # As they are now, and not when the writer comes to it.
        ids, peers = [watched.peer.id for watched in those], [watched.peer for watched in again]

        def work(c: Connection) -> None:
            channels.set_read(c, ids, at)
            for peer in peers:
                channels.set_refused(c, peer.id, None)
                channels.set_standing(c, peer.id, channels.well(peer))
                notices.tell(c, f"channel {peer.id}", Notice(f"{peer.channel.shown} can be read again."), now)

        if those:
            await self._database.write(work)

    async def checked(self, channel: int, at: datetime) -> None:
        """Its newest posts were compared with what is stored."""
        if channel in self:
            self[channel].checked_at, self[channel].checked = at, True
            await self._database.write(lambda c: channels.set_checked(c, channel, at))

    async def refuse(self, channel: int, code: str, until: datetime | None = None) -> None:
        """A channel cannot be read, by Telegram's word for it; the operators hear of it once."""
        watched, now, why = self[channel], self._clock.now(), refusals.in_words(code)
        why = why if until is None else f"{why} until {until:%Y-%m-%d %H:%M} UTC"
        watched.refused, watched.standing, watched.open_again = why, refusals.standing(code), False
        if watched.look_at is None or watched.look_at <= now:
            watched.look_at = now + patience(watched.tries)
            watched.tries += 1
        remedy = refusals.REMEDIES.get(watched.standing)
        what = f"{watched.peer.channel.shown} cannot be read ({why})" + (f"; {remedy}" if remedy else "")
        standing, tries, look_at = watched.standing, watched.tries, watched.look_at

        def work(c: Connection) -> None:
            channels.set_refused(c, channel, why)
            channels.set_standing(c, channel, standing, tries=tries, look_at=look_at)
            notices.tell(c, f"channel {channel}", Notice(f"{what}; it is tried again, less and less often."), now)

        await self._database.write(work)
        log.warning("channel refused", channel=channel, code=code)

    async def tell(self, subject: str, notice: Notice) -> None:
        """A notice to the operators, once a change."""
        now = self._clock.now()
        await self._database.write(lambda c: notices.tell(c, subject, notice, now))

    async def settle(self, subject: str) -> None:
        """A trouble has ended, and nobody need hear of it."""
        now = self._clock.now()
        await self._database.write(lambda c: notices.settle(c, subject, now))


def patience(tries: int) -> timedelta:
    """How long to wait after something was refused once more than so many times."""
    return min(_FIRST_PAUSE * (1 << min(tries, 10)), _LONGEST_PAUSE)


def _told_too(channel: int) -> str:
    """What is said of a channel that is told and was to be watched: not that it refuses what it is told."""
    return f"watching destination {channel}"


def _nothing(_: int) -> None:
    pass
