"""Tells together what was not told at once: closes bundles and makes digests when they are due.

What is due is asked of the tables each time, so a restart changes nothing. A message is composed first, and then
written into the outbox in the one transaction that marks what it tells as told: so it is made once, whatever happens in
between.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NoReturn
from zoneinfo import ZoneInfo

from bot.digests import bundling
from bot.digests.coverage import coverage
from bot.digests.edition import Edition, Gap, edition, places, put
from bot.errors import StorageError
from bot.model import Destination, Reason
from bot.ports import Clock
from bot.rules import Rules
from bot.schedule import Policy, last_moment, next_moment, quiet_until
from bot.storage import bundles, digests
from bot.storage.bundles import OpenBundle
from bot.storage.database import Connection, Database
from bot.storage.digests import Made
from bot.telemetry.log import logger
from bot.watch.bell import Bell

_log = logger(__name__)

#: The fact by which a digest is asked for now, whatever the schedule; its value is when that was.
ASKED = digests.ASKED
#: How often it is looked whether something is due, and what lies between two looks at least.
_EVERY, _AT_LEAST = timedelta(seconds=1), timedelta(milliseconds=200)
#: For how long what is due waits for a sweep, and a digest of first readings for the rest of these: five hundred
#: channels are found and read in some hours.
_PATIENCE, _HISTORY_PATIENCE = timedelta(minutes=10), timedelta(days=1)
#: A digest of the time up to now holds what the last sweeps have read: a channel that they left out is behind.
_SWEEPS = timedelta(minutes=3)
#: How often it is looked how first readings get on.
_HISTORY_EVERY = timedelta(seconds=5)
#: A digest that is made so long after its moment was missed, and tells of the time up to now.
_MISSED = timedelta(minutes=15)
#: If nobody has looked for so long, the machine slept, and what was missed meanwhile is read first.
_SLEPT = timedelta(minutes=5)
#: What has failed is tried again after this.
_AGAIN = timedelta(minutes=1)
#: What is folded in a burst waits for so long at most; two looks at the clock may differ by as much.
_MINUTE = timedelta(minutes=1)
#: More stories than any topic has.
_ALL = 1_000_000


class Digests:
    """The loop is `run`; `wake` says that something was stored."""

    def __init__(  # noqa: PLR0913 - each is another part of the house
        self,
        database: Database,
        clock: Clock,
        *,
        rules: Callable[[], Rules],
        secret: bytes,
        passed: Callable[[], datetime | None],
        wake: Callable[[], None],
        folder: Callable[[], str | None] = lambda: None,
    ) -> None:
        """``passed``: all that stood in the channels at this moment is stored; None: not known.

        ``wake`` is called when something is to be sent; ``folder`` tells the name of the configuration's folder.
        """
        self._database = database
        self._clock = clock
        self._rules = rules
        self._secret = secret
        self._passed = passed
        self._wake = wake
        self._folder = folder
        self._bell = Bell(clock)
        self._looked = self._began = clock.now()
        self._moments = _Moments()
        self._histories = _Histories(database)
        #: What has failed, and when it is tried again.
        self._failed: dict[str, datetime] = {}

    def wake(self) -> None:
        self._bell.ring()

    async def run(self) -> NoReturn:
        """Tells whatever is due, until it is cancelled. Raises StorageError."""
        while True:
            await self._try("what is due", self.look, self._clock.now())
            await self._clock.sleep(_AT_LEAST)
            await self._bell.sleep(_EVERY - _AT_LEAST)

    async def look(self) -> None:
        """Tells whatever is due now. What fails is logged and tried again later. Raises only StorageError."""
        now, rules = self._clock.now(), self._rules()
        if now - self._looked > _SLEPT:
            self._began = now
        self._looked = now
        for bundle in await bundles.open_bundles(self._database):
            if await self._is_due(bundle, rules, now):
                await self._try(f"bundle {bundle.id}", partial(self._close, bundle, rules, now), now)
        if await digests.is_asked(self._database):
            await self._try("digests that were asked for", partial(self._answer, rules, now), now)
        for destination, since in (await self._periods(rules, now)).items():
            if (moment := self._ready(rules, since, now)) is not None:
                made = Made(destination, since, moment if now - moment <= _MISSED else now)
                await self._try(f"digest to {destination}", partial(self._tell, made, moment, rules, now), now)
        for destination in await self._histories.due(rules, self._folder(), now):
            made = Made(destination, now, now, history=True)
            await self._try(f"history to {destination}", partial(self._tell, made, now, rules, now), now)

    async def _try(self, what: str, work: Callable[[], Awaitable[None]], now: datetime) -> None:
        """Does one thing that is due; whatever is wrong with it must not stop the others."""
        if (again := self._failed.get(what)) is not None and now < again <= now + _AGAIN:
            return
        try:
            await work()
        except StorageError:
            raise
        except Exception:  # noqa: BLE001 - as above
            _log.exception("not told", what=what)
            self._failed[what] = now + _AGAIN
        else:
            self._failed.pop(what, None)

    # --- bundles ------------------------------------------------------------------------------------------

    async def _is_due(self, bundle: OpenBundle, rules: Rules, now: datetime) -> bool:
        """Whether its time has come by the rules of now, and by a clock that may have been set back since.

        While it is quiet only what is urgent is told, and what waits with it.
        """
        quiet = _is_quiet(rules, now)
        if bundle.reason is Reason.QUIET:
            # What would have been folded into quiet hours that begin within the minute waits for their end.
            return not quiet and (bundle.due <= now or not _is_quiet(rules, now + _MINUTE))
        if not (self._is_found(bundle, now) if bundle.reason is Reason.LATE else _has_come(bundle.due, now)):
            return False
        return not quiet or await bundles.holds(self._database, bundle.id, bundling.urgent_topics(rules))

    def _is_found(self, bundle: OpenBundle, now: datetime) -> bool:
        """What is late waits until all of the sweep that finds it is read."""
        passed = self._passed()
        return (passed is not None and passed >= bundle.since) or _has_come(bundle.since + _PATIENCE, now, _PATIENCE)

    async def _close(self, bundle: OpenBundle, rules: Rules, now: datetime) -> None:
        told = await bundling.close(self._database, bundle, rules, now, self._secret)
        if told is None:
            self.wake()  # something has come in between, and it is composed anew
            return
        _log.info("bundle closed", to=bundle.destination, reason=bundle.reason, held=bundle.posts, alerts=told)
        self._wake()

    # --- digests ------------------------------------------------------------------------------------------

    async def _periods(self, rules: Rules, now: datetime) -> dict[Destination, datetime]:
        """From when on the next digest of each destination tells; of a new one from now on."""
        wanted = await places(self._database, rules)
        found = await digests.periods(self._database)
        if found.keys() != set(wanted) or any(since - now > digests.AHEAD for since in found.values()):
            await self._database.write(lambda c: digests.keep(c, wanted, now))
            found = await digests.periods(self._database)
        return {place: found[place] for place in wanted if place in found}

    def _ready(self, rules: Rules, since: datetime, now: datetime) -> datetime | None:
        """The moment of the digest that can be made now, if one is due: several that were missed are the last one."""
        moment = self._moments.at(rules.digests, rules.zone, now)
        if moment is None or moment <= since:
            return None
        passed = self._passed()
        if passed is not None and passed < moment:
            read = self._moments.last(passed)
            if read is not None and read > since:
                return read
        elif passed is not None:
            return moment
        first = self._moments.first(since) or moment
        return moment if now >= max(first, self._began) + _PATIENCE else None

    async def _tell(self, made: Made, moment: datetime, rules: Rules, now: datetime) -> None:
        """One digest that is due."""
        seen = await coverage(self._database, rules, self._folder())
        gap = Gap(seen.unread() if made.history else seen.behind(moment), seen.lost(), seen.missing())
        composed = await edition(self._database, rules, made, seen, gap)
        silent = _is_quiet(rules, moment) or _is_quiet(rules, now)
        await self._write([composed], now, silent=silent, empty=rules.empty_digests and not made.history)

    async def _answer(self, rules: Rules, now: datetime) -> None:
        """The digests of all destinations, since somebody has asked for them."""
        seen = await coverage(self._database, rules, self._folder())
        gap = Gap(seen.behind(now - _SWEEPS), seen.lost(), seen.missing())
        composed: list[Edition] = []
        for destination, since in (await self._periods(rules, now)).items():
            made = Made(destination, since, max(since, now))

            async def compose(made: Made = made) -> None:
                composed.append(await edition(self._database, rules, made, seen, gap))

            await self._try(f"digest to {destination}", compose, now)
        await self._write(composed, now, silent=_is_quiet(rules, now), empty=True, asked=True)

    async def _write(
        self, editions: Sequence[Edition], now: datetime, *, silent: bool, empty: bool, asked: bool = False
    ) -> None:
        """Writes down digests and what they tell. ``empty``: also one of a period that had nothing."""

        def work(c: Connection) -> list[Edition]:
            if asked:
                digests.answer(c)
            return [one for one in editions if put(c, one, now, self._secret, silent=silent, empty=empty)]

        for one in await self._database.write(work):
            made = one.made
            _log.info("digest made", to=made.destination, matches=len(one.matches), parts=len(one.messages))
            if made.history:
                self._histories.told(made.destination)
            self._wake()


class _Moments:
    """When digests are due, by a schedule that may change: a new one counts from the change on."""

    def __init__(self) -> None:
        self._by: tuple[Policy, ZoneInfo] | None = None
        #: Since when this schedule holds, if another one did before, and the last moment of that one.
        self._begun: datetime | None = None
        self._before: datetime | None = None
        #: The last moment, and from when up to when it is that, without looking for it each time.
        self._known: tuple[datetime | None, datetime, datetime | None] | None = None

    def at(self, policy: Policy, zone: ZoneInfo, now: datetime) -> datetime | None:
        """The last moment, by the rules of now."""
        if self._by not in {None, (policy, zone)}:
            self._before, self._begun, self._known = self.last(now), now, None
        elif self._begun is not None and now < self._begun:
            self._begun, self._known = now, None
        self._by = policy, zone
        if self._known is not None:
            last, since, until = self._known
            if since <= now and (until is None or now < until):
                return last
        last = self.last(now)
        self._known = last, now, next_moment(policy, zone, now)
        return last

    def last(self, at: datetime) -> datetime | None:
        """The last moment that was not after this time."""
        moment = last_moment(*self._by, at) if self._by is not None else None
        if self._begun is None or (moment is not None and moment > self._begun):
            return moment
        return self._before if self._before is not None and self._before <= at else None

    def first(self, after: datetime) -> datetime | None:
        """The first moment after this time; of a schedule that holds no more the last one."""
        if self._before is not None and self._before > after:
            return self._before
        return next_moment(*self._by, max(after, self._begun or after)) if self._by is not None else None


class _Histories:
    """What first readings have brought and no digest has told."""

    def __init__(self, database: Database) -> None:
        self._database = database
        #: Since when a destination waits, as far as matches up to this id tell.
        self._since: dict[Destination, datetime] = {}
        self._known = 0
        self._next: datetime | None = None

    async def due(self, rules: Rules, folder: str | None, now: datetime) -> list[Destination]:
        """The destinations that are told now: when all is read, or when that takes too long."""
        if self._next is not None and self._next - _HISTORY_EVERY <= now < self._next:
            return []
        found, self._known = await digests.histories(self._database, self._known)
        self._since = {**found, **self._since}
        if not self._since:
            return []
        if not (await coverage(self._database, rules, folder)).unread():
            return list(self._since)
        self._next = now + _HISTORY_EVERY
        return [
            destination
            for destination, since in self._since.items()
            if _has_come(since + _HISTORY_PATIENCE, now, _HISTORY_PATIENCE)
        ]

    def told(self, destination: Destination) -> None:
        """It waits no more, but for what was stored meanwhile."""
        del self._since[destination]
        self._known = 0


def _has_come(moment: datetime, now: datetime, ahead: timedelta = timedelta()) -> bool:
    """Whether a moment is not to be waited for: it lies not ahead, or further than by any clock that was right."""
    return not now < moment <= now + ahead + _MINUTE


def _is_quiet(rules: Rules, at: datetime) -> bool:
    return quiet_until(rules.quiet, rules.zone, at) is not None


# --- for whoever looks from beside ------------------------------------------------------------------------


async def preview(database: Database, rules: Rules, now: datetime, *, folder: str | None = None) -> list[Edition]:
    """The next digest of each destination as it would be now, empty ones too; nothing is written."""
    seen = await coverage(database, rules, folder)
    periods = await digests.periods(database)
    histories, _ = await digests.histories(database, 0)
    behind = seen.behind(now - _SWEEPS)
    made = [Made(place, now, now, history=True) for place in histories]
    made += [Made(place, since := periods.get(place, now), max(since, now)) for place in await places(database, rules)]
    gaps = [Gap(seen.unread() if one.history else behind, seen.lost(), seen.missing()) for one in made]
    return [await edition(database, rules, one, seen, gap) for one, gap in zip(made, gaps, strict=True)]


async def last(database: Database, rules: Rules, *, full: bool = False, folder: str | None = None) -> list[Edition]:
    """The last digest of each destination once more, its posts as they read now; ``full``: with all of its stories."""
    seen, gap = await coverage(database, rules, folder), Gap((), ())
    most = _ALL if full else None
    return [await edition(database, rules, one, seen, gap, max_stories=most) for one in await digests.last(database)]
