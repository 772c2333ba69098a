"""Which channels are watched, how the account addresses them, and which of them cannot be read: kept in the tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.cursor import Cursor
from bot.ingest import Ingest
from bot.model import Channel, ChannelRef, Notice, Peer
from bot.ports import Clock
from bot.storage import addresses, channels, notices
from bot.storage.database import Connection, Database
from bot.telegram.refusals import in_words
from bot.telemetry.log import logger

log = logger(__name__)

#: How long a channel that was refused is left alone.
_ASK_AGAIN = timedelta(hours=1)


@dataclass(slots=True)
class Watched:
    """A channel that is watched. ``since``: when it was first read.

    ``read_at``: all that stood in it at this moment is stored, as this process has seen; ``checked_at``: when its
    newest posts were last compared with what is stored, ``checked`` whether this process did so, and ``stirred`` that
    something has happened since that is not known. ``refused``: why it cannot be read, ``asked`` when it was tried.
    ``odd``: how many readings in a row were refused, though the channel can be read for all that is known. ``pts``: the
    count of events with the last push, ``stale`` how many checks in a row were answered with a lower one than is known.
    ``top``: the newest number when the sweep last asked, at ``heard``.
    """

    peer: Peer
    since: datetime
    read_at: datetime | None = None
    checked_at: datetime | None = None
    checked: bool = False
    stirred: bool = False
    refused: str | None = None
    asked: datetime | None = None
    pts: int = 0
    stale: int = 0
    top: int = 0
    heard: datetime | None = None
    odd: int = 0

    def readable(self, now: datetime) -> bool:
        """Whether it is worth asking; what is refused is asked for each hour."""
        return self.refused is None or self.asked is None or now - self.asked >= _ASK_AGAIN


class Begun(NamedTuple):
    """A channel that is to be watched. ``cursor``: the first one; None for a channel that has one already."""

    ref: ChannelRef
    peer: Peer
    cursor: Cursor | None


class Roster:
    """The watched channels of one account, by marked id."""

    def __init__(self, account: int, ingest: Ingest, database: Database, clock: Clock) -> None:
        self._account = account
        self._ingest = ingest
        self._database = database
        self._clock = clock
        self._watched: dict[int, Watched] = {}

    def __getitem__(self, channel: int) -> Watched:
        return self._watched[channel]

    def __contains__(self, channel: int) -> bool:
        return channel in self._watched

    def channel(self, number: int) -> Channel | None:
        """What is known of a watched channel by its marked id."""
        watched = self._watched.get(number)
        return None if watched is None else watched.peer.channel

    def all(self) -> Collection[Watched]:
        return self._watched.values()

    async def load(self, refs: Sequence[ChannelRef]) -> list[ChannelRef]:
        """Takes up those that were resolved before, without a call; returns those that were not."""
        known = await channels.all(self._database, self._account)
        written = await channels.references(self._database)
        unknown = []
        for ref in refs:
            stored = known.get(written.get(str(ref), 0))
            if stored is None:
                unknown.append(ref)
                continue
            if stored.peer.id not in self:
                since = stored.since or self._clock.now()
                self._watched[stored.peer.id] = Watched(
                    peer=stored.peer, since=since, checked_at=stored.checked_at, refused=stored.refused
                )
            self._ingest.watch(stored.peer, stored.cursor, ref)
        return unknown

    async def cursors(self) -> Mapping[int, Cursor]:
        """How far each channel was read, by whatever account."""
        return await channels.cursors(self._database)

    async def addresses(self) -> Mapping[str, Peer]:
        """What this account found behind references before, watched or not, by what is written."""
        return await addresses.known(self._database, self._account)

    async def remember(self, found: Mapping[ChannelRef, Peer]) -> None:
        """What was found needs not be looked for again, whatever becomes of this process."""

        def work(c: Connection) -> None:
            for ref, peer in found.items():
                addresses.remember(c, self._account, ref, peer)

        if found:
            await self._database.write(work)

    async def begin(self, new: Sequence[Begun], asked: datetime) -> None:
        """From now on these channels are watched. ``asked``: when it was asked for the cursors of those that had none.

        All that there is of them is above their cursors, so they count as read.
        """
        now = self._clock.now()

        def work(c: Connection) -> None:
            for ref, peer, cursor in new:
                channels.put(c, self._account, peer, cursor, since=asked)
                channels.refer(c, str(ref), peer.id)
                notices.settle(c, f"channel {ref}", now)
            channels.set_read(c, [one.peer.id for one in new if one.cursor is not None], asked)

        await self._database.write(work)
        stored = await channels.all(self._database, self._account)
        for ref, peer, cursor in new:
            kept = stored[peer.id]
            watched = Watched(peer=peer, since=kept.since or asked, checked_at=kept.checked_at, refused=kept.refused)
            if cursor is not None:
                watched.read_at, watched.checked_at, watched.checked = asked, asked, True
            self._watched.setdefault(peer.id, watched)
            self._ingest.watch(peer, kept.cursor, ref)
            log.info("channel watched", channel=peer.id, joined=peer.joined, top=kept.cursor.top)

    async def seen(self, peer: Peer | None) -> None:
        """Takes note of a channel as an answer shows it: renamed, joined, left."""
        if peer is None or (watched := self._watched.get(peer.id)) is None or watched.peer == peer:
            return
        before, watched.peer, now = watched.peer, peer, self._clock.now()

        def work(c: Connection) -> None:
            channels.put(c, self._account, peer, None)
            if before.username != peer.username:
                notices.tell(c, f"name of channel {peer.id}", _renamed(before, peer), now)

        await self._database.write(work)
        self._ingest.watch(peer, self._ingest.cursors[peer.id])

    async def read(self, read: Collection[int], at: datetime) -> None:
        """All that stood in these channels at this moment is stored; those that were refused are so no more."""
        now = self._clock.now()
        again = [self[channel] for channel in read if self[channel].refused is not None]
        for channel in read:
            self[channel].read_at = max(at, self[channel].read_at or at)
            self[channel].refused = None

        def work(c: Connection) -> None:
            channels.set_read(c, read, at)
            for watched in again:
                channels.set_refused(c, watched.peer.id, None)
                what = f"{watched.peer.channel.shown} can be read again."
                notices.tell(c, f"channel {watched.peer.id}", Notice(what), now)

        if read:
            await self._database.write(work)

    async def checked(self, channel: int, at: datetime) -> None:
        """Its newest posts were compared with what is stored."""
        self[channel].checked_at, self[channel].checked = at, True
        await self._database.write(lambda c: channels.set_checked(c, channel, at))

    async def refuse(self, channel: int, code: str) -> None:
        """A channel cannot be read, by Telegram's word for it; the operators hear of it once."""
        watched, now, why = self[channel], self._clock.now(), in_words(code)
        watched.refused, watched.asked = why, now
        notice = Notice(f"{watched.peer.channel.shown} cannot be read ({why}); it is tried again each hour.")

        def work(c: Connection) -> None:
            channels.set_refused(c, channel, why)
            notices.tell(c, f"channel {channel}", notice, now)

        await self._database.write(work)
        log.warning("channel refused", channel=channel, code=code)

    async def tell(self, subject: str, what: str) -> None:
        """A notice to the operators, once a change."""
        now = self._clock.now()
        await self._database.write(lambda c: notices.tell(c, subject, Notice(what), now))


def _renamed(before: Peer, now: Peer) -> Notice:
    was = f"@{before.username}" if before.username else before.channel.shown
    return Notice(f"{was} is called {f'@{now.username}' if now.username else 'nothing public'} now.")
