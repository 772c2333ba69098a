"""Reads history of channels below what is stored, into the archive and nowhere else: nothing is judged, told or held.

Every page lowers the channel's floor in the transaction that stores it. So a process that is killed at any moment has
stored all down to the floor, and the next one goes on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from bot.clock import SystemClock
from bot.config.settings import Settings
from bot.cursor import Cursor, began_at, history_page_read, moved
from bot.entries import Entries
from bot.errors import NoAccessError, NotSignedInError, RefusedError, TelegramError, UnreachableError, UnreadableError
from bot.folder import READER
from bot.intake import intake, wanted
from bot.model import ChannelRef, Haul, Peer, PostId, Stands, Username
from bot.ports import Clock
from bot.quota import Quota
from bot.storage import addresses, archive, channels, facts, posts
from bot.storage.database import Connection, Database
from bot.storage.times import from_integer, to_integer
from bot.telegram import history, peers
from bot.telegram.account import Account
from bot.telegram.peers import Top
from bot.telegram.session import client_for
from bot.telemetry.log import logger

_log = logger(__name__)

#: How long looking up one channel may take, waits included.
_PATIENCE = timedelta(minutes=5)
#: A page that brings no answer is asked for so many times, each time by a new client.
_TRIES = 6
_FIRST_PAUSE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A channel whose history is to be read. ``new``: it was never read before, by no account.

    ``reached``: what was posted from then on is known to stand above its cursor's floor.
    Where its cursor says that the first history is not read, reading that is left to the service, which matches it.
    """

    peer: Peer
    cursor: Cursor
    new: bool = False
    reached: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one page brought: how many posts, of which dates, and the channel as it stands after it.

    ``done``: nothing is left that is not too old.
    """

    target: Target
    posts: int = 0
    newest: datetime | None = None
    oldest: datetime | None = None
    done: bool = False


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Backfill]:
    """The reader, signed in and within its quotas; the data directory is held by the caller.

    Raises NotSignedInError, StorageError, TelegramError.
    """
    session = settings.data_dir / READER
    if not session.is_file():
        raise NotSignedInError(f"there is no session at {session}; run vedette login first")
    token = settings.telegram.bot_token
    bot = set() if token is None else {int(token.get_secret_value().partition(":")[0])}
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database.opened(settings.data_dir))
        clock = await stack.enter_async_context(SystemClock.running())
        quota = await Quota.opened(database, clock, Random())  # noqa: S311 - for pauses, not for secrets
        stack.push_async_callback(quota.settled)

        def account() -> Account:
            client = client_for(settings.telegram, session, updates=False)
            return Account(client, turn=quota.turn, refused=quota.refused)

        backfill = Backfill(account, database, clock, quota, ignored=frozenset(bot))
        stack.push_async_callback(backfill.close)
        await backfill.open()
        yield backfill


class Backfill:
    """One reader over one database. ``account_for`` makes an unopened account; ``ignored``: whose posts are ours."""

    def __init__(
        self,
        account_for: Callable[[], Account],
        database: Database,
        clock: Clock,
        quota: Quota,
        *,
        ignored: frozenset[int] = frozenset(),
    ) -> None:
        self.database = database
        self._account_for = account_for
        self._account = account_for()
        self._clock = clock
        self._quota = quota
        self._ignored = ignored
        self._mine: Mapping[int, Peer] | None = None

    async def open(self) -> None:
        """Raises as `Account.open` does."""
        await self._account.open()

    async def close(self) -> None:
        await self._account.close()

    def wait(self) -> timedelta:
        """For how long Telegram asked not to be asked for pages; none: it did not."""
        now = self._clock.now()
        return self._quota.waiting(now).get(_PAGES, now) - now

    async def find(self, ref: ChannelRef) -> Target:
        """The channel that a reference means, resolved if it never was, and remembered. Nothing is joined.

        Raises what `Account.call` raises, and TelegramError where another channel has the name now.
        """
        account = self._account.id
        channel = await archive.find(self.database, ref)
        known = await channels.all(self.database, account)
        if channel not in known:
            peer = (await addresses.known(self.database, account)).get(str(ref)) or await self._looked_up(ref, channel)

            def work(c: Connection) -> None:
                addresses.remember(c, account, ref, peer)
                addresses.found(c, str(ref))

            await self.database.write(work)
            known = await channels.all(self.database, account)
            channel = peer.id
            if channel not in known:
                return await self._begun(ref, peer)
        reached = await facts.get(self.database, _reached(channel))
        return Target(
            peer=known[channel].peer,
            cursor=known[channel].cursor,
            reached=from_integer(reached) if isinstance(reached, int) else None,
        )

    async def page(self, target: Target, since: datetime) -> Step:
        """Reads and stores the newest page below the channel's floor, down to ``since``.

        An answer that does not come is waited for, for some minutes. Raises what `Account.call` raises.
        """
        if target.cursor.floor <= 0 or (target.reached is not None and target.reached <= since):
            return Step(target=target, done=True)
        page = await self._page(target)
        found = {sighting.number: sighting.post for sighting in page.sightings}
        dates = {number: post.date if post else None for number, post in found.items()}
        albums = {number: post.album for number, post in found.items() if post and post.album is not None}
        back = history_page_read(dates, since, albums, full=_may_go_on(page))
        kept = tuple(sighting for sighting in page.sightings if sighting.number > back.floor)
        haul = Haul(channel=target.peer.id, sightings=kept, read=True, floor=back.floor)
        told = [sighting.post.date for sighting in kept if sighting.post]
        return Step(
            target=replace(target, cursor=await self._store(haul, target, since if back.history_read else None)),
            posts=len(told),
            newest=max(told, default=None),
            oldest=min(told, default=None),
            done=back.history_read,
        )

    async def _page(self, target: Target) -> history.Page:
        tried = 0
        while True:
            try:
                ignored = self._ignored | {self._account.id}
                return await history.below(self._account, target.peer, target.cursor.floor + 1, ignored)
            except UnreachableError as error:
                tried += 1
                if tried == _TRIES:
                    raise
                _log.warning("page not read", error=str(error), channel=target.peer.id)
            await self._begin_anew(_FIRST_PAUSE * (1 << tried))

    async def _store(self, haul: Haul, target: Target, reached: datetime | None) -> Cursor:
        """Writes what a page brought and the cursor after it, in one transaction; ``reached`` as of a `Target`."""
        seen, channel, cursor = self._clock.now(), target.peer.id, target.cursor
        # What was stored below the floor by whatever way is compared with, so that no later edit of it is undone.
        stored = await posts.known(self.database, *wanted([haul]))
        taken = intake([haul], seen, stored, {channel: cursor}, lambda _: target.peer.channel)
        after = moved(cursor, haul, ())
        renamed = [(PostId(str(channel), old), PostId(str(channel), new)) for _, old, new in taken.moves]
        rows = Entries(taken, {channel: after}, seen, posts.packed(taken.messages.values()), renamed=renamed)

        def work(c: Connection) -> None:
            rows.write(c)
            if reached is not None:
                facts.put(c, _reached(channel), to_integer(reached))

        await self.database.write(work)
        return after

    async def _looked_up(self, ref: ChannelRef, stored: int | None) -> Peer:
        """``stored``: the channel of which posts are stored under this reference."""
        peer = await self._resolved(ref)
        if stored not in {None, peer.id}:
            now = f"the name is that of {peer.channel.shown} ({peer.id}) now"
            what = f"{now}, and what is stored under it is of another channel ({stored})"
            raise TelegramError(f"{what}; run the service, which tells which of them it watches")
        return peer

    async def _resolved(self, ref: ChannelRef) -> Peer:
        try:
            async with asyncio.timeout(_PATIENCE.total_seconds()):
                peer = await peers.resolve(self._account, ref, self._own, join=False)
        except TimeoutError:
            raise TelegramError("Telegram does not let this account look up more names now; try again later") from None
        return replace(peer, username=ref.name) if isinstance(ref, Username) and not peer.username else peer

    async def _own(self) -> Mapping[int, Peer]:
        if self._mine is None:
            self._mine = await peers.mine(self._account, self._clock.sleep)
        return self._mine

    async def _begun(self, ref: ChannelRef, peer: Peer) -> Target:
        """A channel that is read for the first time, from now on and backwards.

        The service goes on above its newest number as it stands now. Below it is what was asked for, into the archive
        only, so the service has no first history to read of it.
        """
        asked = self._clock.now()
        top = await self._top(peer)
        cursor = replace(began_at(top.number, top.pts), history_read=True)
        shown = top.peer or peer

        def work(c: Connection) -> None:
            channels.put(c, self._account.id, shown, cursor, since=asked)
            channels.refer(c, str(ref), peer.id)

        await self.database.write(work)
        return Target(peer=shown, cursor=cursor, new=True)

    async def _top(self, peer: Peer) -> Top:
        """A channel's newest number; where Telegram does not say it, a page shows it."""
        with suppress(RefusedError, UnreadableError):
            answer = await peers.tops(self._account, [peer])
            if peer.id in answer.refused:
                raise NoAccessError(answer.refused[peer.id])
            if peer.id in answer.tops:
                return answer.tops[peer.id]
        page = await history.below(self._account, peer)
        return Top(max((sighting.number for sighting in page.sightings), default=0), page.pts, page.peer)

    async def _begin_anew(self, pause: timedelta) -> None:
        """With a new client: what was queued in one that gave up would be sent later."""
        await self._account.close()
        await self._clock.sleep(pause)
        self._account = self._account_for()
        with suppress(UnreachableError):
            await self._account.open()


#: The method that reads pages.
_PAGES = "messages.getHistory"


def _reached(channel: int) -> str:
    """Where it is kept down to which date a channel was read, so that it need not be asked for again."""
    return f"backfilled {channel}"


def _may_go_on(page: history.Page) -> bool:
    """Whether there may be more where a page ends: it holds much, or what cannot be read has made it shorter."""
    much = len(page.sightings) >= history.PAGE // 2
    return much or any(sighting.stands is Stands.UNREADABLE for sighting in page.sightings)
