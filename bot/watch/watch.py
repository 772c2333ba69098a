"""The watch of one account over its channels: pushes for speed, sweeps and pages of history so that nothing is missed.

Pushes go to the ingest as they come. A sweep asks each minute how far the channels are; whatever says that something
is missing puts the channel on the agenda, and one worker reads page after page, the most important first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from bot.errors import (
    NoAccessError,
    NotSignedInError,
    RefusedError,
    TelegramError,
    UnreachableError,
    UnreadableError,
    WaitError,
)
from bot.ingest import Ingest
from bot.model import Channel, ChannelRef, Haul, Notice
from bot.ports import Clock
from bot.storage import tellings
from bot.storage.database import Database
from bot.telegram import peers, pushes, refusals
from bot.telegram.account import Account
from bot.telegram.peers import Top, Tops
from bot.telemetry.log import logger
from bot.watch.agenda import Agenda, Job, Work
from bot.watch.bell import Bell
from bot.watch.foldering import Foldering
from bot.watch.lives import Lives
from bot.watch.membership import Membership
from bot.watch.reading import BLIND, Reader
from bot.watch.roster import Roster, Watched
from bot.watch.silence import Silence

log = logger(__name__)

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
#: A sweep comes so much earlier or later than its interval says, so that it meets nobody else's.
_JITTER = 0.1
#: How often a channel's newest posts are compared with what is stored; sooner if it moved and nothing says why.
_CHECK_EVERY = timedelta(hours=6)
_CHECK_AT_MOST_EVERY = timedelta(minutes=10)
#: Checks are done no faster than this.
_BETWEEN_CHECKS = timedelta(seconds=6)
#: Calls without an answer, one after another, after which the connection is given up; and the pause after the first.
_FAILURES = 6
_FIRST_PAUSE = timedelta(seconds=2)
#: A reading that brought no answer is tried again after so long, then twice as long, so that one channel of which
#: Telegram's own server breaks holds up no other.
_AFTER_SILENCE = timedelta(seconds=10)
#: For so long one reading may hold up the others: twice as long as the pace of its method ever asks for.
_PATIENCE = timedelta(minutes=1)
_MOST_TRIES_APART = 6
#: Of a channel of which so many readings in a row are refused, for whatever reason, the operators hear.
_ODD = 5
#: The first pass waits so long for channels that are still to be found.
_SETTLING = timedelta(minutes=1)
#: With so many channels at most, Telethon's own catching up costs little; each that changed is a call.
_FEW = 30


class Watch:
    """One account's watch over one client; after the connection is lost for good a new one is made.

    ``refs``: the channels that are to be watched; ``join``: public ones are joined; ``history``: how far back a channel
    is read that was never read before; ``ignored``: marked ids of those whose posts are ours; ``destinations``: chats
    that are told, which are never watched; ``folder``: whose channels are watched too. ``swept`` hears how long each
    sweep took.
    """

    def __init__(  # noqa: PLR0913 - what a configuration says, and each part of the house that it needs
        self,
        *,
        account: Account,
        ingest: Ingest,
        database: Database,
        clock: Clock,
        refs: Sequence[ChannelRef],
        join: bool,
        history: timedelta,
        sweep_every: timedelta,
        ignored: frozenset[int] = frozenset(),
        destinations: frozenset[ChannelRef] = frozenset(),
        folder: str | None = None,
        random: Random,
        swept: Callable[[timedelta], None] = lambda _: None,
    ) -> None:
        self._account = account
        self._ingest = ingest
        self._clock, self._database = clock, database
        self._refs = refs
        self._sweep_every = sweep_every
        self._ignored = ignored
        self._random = random
        self._swept = swept
        self._sweep_now = Bell(clock)
        self._work_came = Bell(clock)
        self._agenda = Agenda()
        self._roster = Roster(account.id, ingest, database, clock, destinations)
        self._lives = Lives(account, self._roster, clock, self._sweep_now.ring, join=join)
        self._membership = Membership(
            *(account, self._roster, database, clock),
            begun=self._begun,
            let_in=self._lives.doubt,
            join=join,
            history=history,
        )
        self._folder = Foldering(account, folder, self._roster, self._membership, database, clock)
        self._silence = Silence(self._roster, database, clock)
        self._reader = Reader(account, self._roster, ingest, database, clock, back=history, ignored=ignored)
        #: Whoever changes what is watched does so alone, and not in the midst of a beginning.
        self._changing, self._has_begun = asyncio.Lock(), False
        #: The channel of which what is new is being read.
        self._under_way: int | None = None
        self._next_check = _LONG_AGO
        self._failures = 0
        self._began = _LONG_AGO
        self._swept_at: datetime | None = None
        self._passed_at: datetime | None = None
        self._catch_up = False
        #: Whether pushes may have been lost since the last sweep.
        self._cut_off = True
        #: Of each channel the numbers of posts of which an alert can still be edited.
        self._alerted: Mapping[int, Collection[int]] = {}

    # --- what others see of it ----------------------------------------------------------------------------

    @property
    def last_pass(self) -> datetime | None:
        """All that stood in the channels at this moment is stored, but for those that cannot be read.

        None until the first sweep has passed, and every channel of the configuration was asked for. While one that came
        back later has still to be read, it is what it was before.
        """
        sought = self._membership.untried or not self._folder.tried
        if sought and self._clock.now() - self._began < _SETTLING:
            return None
        readable = [one for one in self._roster.all() if one.refused is None and one.odd < _ODD and not one.blind]
        moments = [self._swept_at, *(one.read_at for one in readable)]
        known = [moment for moment in moments if moment is not None]
        if len(known) == len(moments):
            self._passed_at = min(known)
        return self._passed_at

    def channel(self, channel: int) -> Channel | None:
        """What is known of a watched channel by its marked id."""
        return self._roster.channel(channel)

    def refused(self, channel: int) -> str | None:
        """Why a watched channel cannot be read, if that is so."""
        return self._roster[channel].refused

    def behind(self, moment: datetime) -> list[Watched]:
        """The channels of which it is not known what stood in them at this moment; `Watched.refused` may say why."""
        return [one for one in self._roster.all() if one.refused or one.read_at is None or one.read_at < moment]

    @property
    def waiting(self) -> int:
        """How many readings wait to be done."""
        return len(self._agenda)

    def connected(self) -> None:
        """At every connection and reconnection: what was missed meanwhile is read at once."""
        self._catch_up = self._cut_off = True
        self._sweep_now.ring()

    # --- another configuration ----------------------------------------------------------------------------

    async def reconfigure(  # noqa: PLR0913 - what a configuration says
        self,
        *,
        refs: Sequence[ChannelRef],
        join: bool,
        history: timedelta,
        sweep_every: timedelta,
        destinations: frozenset[ChannelRef],
        folder: str | None,
    ) -> None:
        """Goes on with another configuration, as if it had begun with it; what stays is not asked for anew.

        Returns when it holds: what is wanted no more is not taken any more, and what is new is sought. No call is made
        before that. What is stored of a channel stays; one that comes back is read on from where it was left.
        Raises StorageError.
        """
        async with self._changing:
            hurry, self._sweep_every = sweep_every < self._sweep_every, sweep_every
            self._refs, self._lives.join, self._reader.back = refs, join, history
            self._membership.reconfigure(join=join, history=history)
            self._folder.name(folder)
            if self._has_begun:
                await self._membership.name(refs, destinations)
            else:
                self._roster.configure(refs, destinations)
            if hurry:
                self._sweep_now.ring()

    # --- the loops ----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until it is cancelled.

        Raises NotSignedInError, UnreachableError when the connection is finally lost, and StorageError.
        """
        self._began = self._clock.now()
        self._ingest.behind = self._behind
        self._roster.doubted, self._roster.dropped = self._lives.doubt, self._agenda.drop
        async with self._changing:
            unknown = await self._roster.load(self._refs)
            self._membership.untried.update(unknown)
            loops = await self._membership.loops(unknown)
            self._has_begun = True
        peers.listen(self._account, self._changed)
        known = self._roster.peer
        pushes.listen(self._account, peer=known, take=self._take, stirred=self._stirred, ignored=self._ignored)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._lost())
                group.create_task(self._sweep_on())
                group.create_task(self._read_on())
                group.create_task(self._lives.run())
                group.create_task(self._silence.run())
                group.create_task(self._folder.run())
                for loop in loops:
                    group.create_task(loop)
        except BaseExceptionGroup as several:
            # One is enough, and that there is no session is more than that a call brought no answer.
            signed_out = [error for error in several.exceptions if isinstance(error, NotSignedInError)]
            raise [*signed_out, *several.exceptions][0] from None

    async def _lost(self) -> None:
        await self._account.closed()
        raise UnreachableError("The connection to Telegram was lost.")

    async def _sweep_on(self) -> None:
        while True:
            pause = self._sweep_every * self._random.uniform(1 - _JITTER, 1 + _JITTER)
            try:
                began = self._clock.now()
                await self._sweep()
                self._swept(self._clock.now() - began)
                self._failures = 0
            except WaitError as error:
                pause = max(pause, timedelta(seconds=error.seconds))
            except UnreachableError as error:
                pause = min(pause, self._failed(error))
            except (RefusedError, UnreadableError) as error:
                # Telegram does not answer this question at all, and the channels are read one by one.
                log.warning("sweep refused", error=str(error))
                self._plan_all()
            await self._sweep_now.sleep(pause)

    async def _sweep(self) -> None:
        """Asks how far all channels are, and puts what is to be read on the agenda."""
        now = self._clock.now()
        readable = [watched for watched in self._roster.all() if watched.readable]
        if self._catch_up and len(readable) <= _FEW:
            await pushes.catch_up(self._account)
        self._catch_up = False
        asked = [watched.peer for watched in readable if watched.blind_until is None or watched.blind_until <= now]
        answer = await peers.tops(self._account, asked) if asked else Tops({}, {})
        cut_off, self._cut_off = self._cut_off, False
        for peer in asked:
            self._roster[peer.id].blind_until = now + BLIND if peer.id in answer.unreadable else None
        read = []
        for watched in readable:
            channel = watched.peer.id
            if (why := answer.refused.get(channel)) is not None:
                self._refuse(channel, why)
            elif (top := answer.tops.get(channel)) is None:
                watched.stirred |= cut_off
                self._add(Work.POLL, channel)
            elif self._is_read(watched, top, now):
                read.append(channel)
        await self._roster.read(read, now)
        for top in answer.tops.values():
            await self._roster.seen(top.peer)
        self._alerted = await tellings.alerted(self._database, now)
        self._plan(now, cut_off=cut_off)
        self._swept_at = now

    def _begun(self, channel: int) -> None:
        """A channel is watched from now on. How far one is that another account had read has to be asked."""
        watched = self._roster[channel]
        if watched.read_at is None:
            self._sweep_now.ring()
        if watched.refused is not None:
            self._lives.doubt(channel)
        self._plan(self._clock.now())

    def _is_read(self, watched: Watched, top: Top, now: datetime) -> bool:
        """Takes note of a channel's newest number. Whether all that there is has been read."""
        channel = watched.peer.id
        watched.top, watched.heard = top.number, now
        cursor = self._ingest.cursors[channel]
        self._ingest.heard(channel, top.number, top.pts)
        if top.pts - cursor.pts > max(top.number - cursor.top, 0):
            # More has happened than posts would explain: something was edited or deleted, and was not pushed.
            watched.stirred = True
        if top.number <= cursor.verified:
            return True
        self._add(Work.NEW, channel, upto=top.number)
        return False

    def _plan(self, now: datetime, *, cut_off: bool = False) -> None:
        """Puts on the agenda what is of less haste: first histories, and checks that are due, alerted posts first.

        ``cut_off``: pushes may have been lost, so that what was alerted is checked at once where anything happened.
        """
        for watched in sorted(self._roster.all(), key=lambda one: one.peer.id not in self._alerted):
            channel = watched.peer.id
            if watched.refused is None:
                hurry = cut_off and watched.stirred and channel in self._alerted
                if hurry or _check_is_due(watched, now):
                    work, since = Work.ALERTED if hurry else Work.CHECK, watched.checked_at or _LONG_AGO
                    self._agenda.add(Job(work=work, channel=channel, since=since))
                if not self._ingest.cursors[channel].history_read:
                    self._agenda.add(Job(work=Work.HISTORY, channel=channel, since=watched.since))
        self._work_came.ring()

    def _plan_all(self) -> None:
        now = self._clock.now()
        for watched in self._roster.all():
            if watched.readable:
                self._add(Work.POLL, watched.peer.id)
        self._plan(now)
        self._swept_at = now

    def _add(self, work: Work, channel: int, *, upto: int | None = None) -> None:
        since = self._roster[channel].read_at or _LONG_AGO
        self._agenda.add(Job(work=work, channel=channel, since=since, upto=upto, behind=self._behind_by(channel, upto)))
        self._work_came.ring()

    def _behind_by(self, channel: int, upto: int | None) -> int:
        return 0 if upto is None else max(0, upto - self._ingest.cursors[channel].verified)

    def _behind(self, channel: int) -> None:
        """Something above the cursor is missing. Who is reading it just now reads on by himself."""
        if channel in self._roster and channel != self._under_way:
            self._add(Work.GAP, channel, upto=self._missing(channel))

    def _missing(self, channel: int) -> int | None:
        """Up to where something is known to be missing."""
        cursor = self._ingest.cursors[channel]
        return cursor.top if cursor.behind else None

    def _take(self, haul: Haul) -> None:
        """Hands a push on, and takes note if it shows that another one, of an edit perhaps, was lost before it.

        One without a count of events is what Telethon has asked for after a gap; of that it tells no edits.
        """
        watched = self._roster[haul.channel]
        known = max(watched.pts, self._ingest.cursors[haul.channel].pts)
        events = len(haul.sightings) + len(haul.gone) or 1
        if haul.pts is None or haul.pts - events > known:
            watched.stirred = True
        watched.pts = max(known, haul.pts or 0)
        if not self._ingest.take(haul):
            watched.stirred = True

    def _stirred(self, channel: int) -> None:
        """Telegram says that something has happened, but not what."""
        if channel in self._roster:
            self._roster[channel].stirred = True
            if self._roster[channel].readable:
                self._add(Work.GAP, channel)

    def _changed(self, channel: int) -> None:
        """Something has happened to a channel as such, watched or not."""
        (self._lives.doubt if channel in self._roster else self._membership.stirred)(channel)

    # --- the worker ---------------------------------------------------------------------------------------

    async def _read_on(self) -> None:
        """Does what is on the agenda, a page at a time."""
        while True:
            now = self._clock.now()
            held = [Work.CHECK] if now < self._next_check else []
            job = self._agenda.take(now, without=held)
            if job is None:
                await self._work_came.sleep(self._idle(now, held))
            elif job.channel in self._roster:
                await self._attend(job)

    def _idle(self, now: datetime, held: Sequence[Work]) -> timedelta | None:
        """How long nothing can be done, if nothing comes: until a pause ends."""
        moments = [self._agenda.next_moment(without=held), self._next_check if held else None]
        return min((moment - now for moment in moments if moment is not None), default=None)

    async def _attend(self, job: Job) -> None:
        """One page; whatever goes wrong with one channel stays with it."""
        self._under_way = job.channel if job.work <= Work.POLL else None
        try:
            again = await self._in_time(self._do(job))
            self._failures = 0
            watched = self._roster[job.channel]
            if watched.odd >= _ODD:
                await self._tell(watched, Notice(f"{watched.peer.channel.shown} can be read again."))
            watched.odd = 0
            if again:
                upto = self._missing(job.channel)
                behind = self._behind_by(job.channel, upto)
                self._agenda.add(replace(job, upto=upto, behind=behind, not_before=None, tries=0))
        except NoAccessError as error:
            self._refuse(job.channel, error.why)
        except RefusedError as error:
            # Whatever is odd about one page, the next try may go well.
            self._agenda.add(job.again(self._clock.now() + _pause(job)))
            await self._note_odd(job.channel, error)
        except UnreadableError as error:
            log.warning("page not readable", channel=job.channel, work=job.work.name, error=str(error))
        except (WaitError, TimeoutError):
            # What has to wait does so before it is called again; others may not have to.
            self._agenda.add(replace(job, not_before=self._clock.now() + _AFTER_SILENCE))
        except UnreachableError as error:
            self._agenda.add(job.again(self._clock.now() + _pause(job)))
            pause = self._failed(error)
            if self._failures == 1:  # since the last answer, so it is not the connection
                await self._note_odd(job.channel, error)
            await self._clock.sleep(pause)
        finally:
            self._under_way = None

    async def _note_odd(self, channel: int, error: TelegramError) -> None:
        """One more reading that has failed, though Telegram answers what else it is asked."""
        watched = self._roster[channel]
        watched.odd += 1
        if watched.odd == _ODD and channel in self._roster:
            what = f"{watched.peer.channel.shown} cannot be read ({refusals.why(error)}); it is tried again."
            await self._tell(watched, Notice(what))

    async def _in_time(self, reading: Coroutine[Any, Any, bool]) -> bool:
        """Raises TimeoutError for one that waits for long, as for a method that Telegram asked not to call."""
        task, alarm = asyncio.ensure_future(reading), asyncio.ensure_future(self._clock.sleep(_PATIENCE))
        try:
            await asyncio.wait([task, alarm], return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise TimeoutError
            return task.result()
        finally:
            alarm.cancel()
            task.cancel()
            await asyncio.wait([task])

    async def _do(self, job: Job) -> bool:
        """Whether more of the same is to be read."""
        match job.work:
            case Work.HISTORY:
                return await self._reader.history(job.channel)
            case Work.CHECK | Work.ALERTED:
                self._next_check = self._clock.now() + _BETWEEN_CHECKS
                await self._reader.check(job.channel, self._alerted.get(job.channel, ()))
                return False
            case _:
                watched = self._roster[job.channel]
                if job.work is Work.POLL and watched.blind_until is not None:
                    return await self._reader.poll(job.channel)
                if job.upto is None or self._ingest.cursors[job.channel].verified < job.upto:
                    return await self._reader.news(job.channel)
                await self._pushed_meanwhile(watched)
                return False

    async def _pushed_meanwhile(self, watched: Watched) -> None:
        """Nothing is left to be read: what the sweep had heard of has come by itself."""
        channel = watched.peer.id
        if watched.heard is not None and self._ingest.cursors[channel].verified >= watched.top:
            await self._roster.read([channel], watched.heard)

    async def _tell(self, watched: Watched, notice: Notice) -> None:
        await self._roster.tell(f"channel {watched.peer.id}", notice)

    def _refuse(self, channel: int, why: str) -> None:
        self._agenda.drop(channel)
        self._lives.refused(channel, why)

    def _failed(self, error: UnreachableError) -> timedelta:
        """How long to wait after a call that brought no answer. After several in a row the connection is given up."""
        self._failures += 1
        if self._failures >= _FAILURES:
            raise error
        return _FIRST_PAUSE * (1 << (self._failures - 1)) * self._random.uniform(0.5, 1)


def _pause(job: Job) -> timedelta:
    return _AFTER_SILENCE * (1 << min(job.tries, _MOST_TRIES_APART))


def _check_is_due(watched: Watched, now: datetime) -> bool:
    """Once a process, then every few hours, and soon if something has happened that is not known."""
    if not watched.checked or watched.checked_at is None:
        return True
    return now - watched.checked_at >= (_CHECK_AT_MOST_EVERY if watched.stirred else _CHECK_EVERY)
