"""How a running service is: what its loops last saw, and which of it ails. Values in, values out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from bot.render.words import counted

#: So long without a sign of life, and the service hangs; it gives one each ten seconds.
_HANGS = timedelta(seconds=30)
#: Telegram is asked at least once a minute.
_SILENT = timedelta(minutes=3)
#: Passes that may fail one after another, and the least time that this has to take.
_INTERVALS = 3
_LEAST = timedelta(minutes=3)
#: Where a page was stored no longer ago than this, a backlog is being read.
_BEING_READ = timedelta(minutes=2)
#: What lies ahead of the moment of looking by less than this was written while somebody looked.
_MEANWHILE = timedelta(seconds=30)
_STUCK = timedelta(minutes=10)
_LONG_WAIT = timedelta(minutes=10)
#: In bytes: a disk is nearly full with less than so much left, or less than a hundredth of it, but on a large one
#: a gigabyte will do.
_LEAST_ROOM, _ENOUGH_ROOM, _LEAST_SHARE = 100_000_000, 1_000_000_000, 100
#: Channels that a reason names; more are counted.
_NAMED = 3


class Link(StrEnum):
    """How an account stands with Telegram, the reader's or the bot's."""

    CONNECTING = "connecting"
    UP = "up"
    SIGNED_OUT = "signed_out"
    TOO_OLD = "too_old"


class Severity(StrEnum):
    """Degraded is what the service copes with, and a person should know."""

    UNHEALTHY = "unhealthy"
    DEGRADED = "degraded"


class Code(StrEnum):
    """What may ail it, the worst first; docs/operations.md says of each what to do."""

    NOT_RUNNING = "not-running"
    DATABASE = "database"
    HANGS = "hangs"
    SIGNED_OUT = "signed-out"
    NO_ANSWER = "no-answer"
    SPEAKER = "speaker"
    STARTING = "starting"
    NO_PASS = "no-pass"  # noqa: S105 - no secret
    OUTBOX_STUCK = "outbox-stuck"
    DISK_FULL = "disk-full"
    TOO_OLD = "too-old"
    CLOCK = "clock"
    CONFIGURATION = "configuration"
    BACKLOG = "backlog"
    REFUSED = "refused"
    NOT_FOUND = "not-found"
    FOLDER = "folder"
    SILENT = "silent"
    DESTINATION = "destination"
    BEHIND = "behind"
    FLOOD_WAIT = "flood-wait"

    @property
    def severity(self) -> Severity:
        return Severity.DEGRADED if self in _DEGRADED else Severity.UNHEALTHY


_DEGRADED = frozenset(
    {
        *(Code.TOO_OLD, Code.CLOCK, Code.BACKLOG, Code.REFUSED, Code.NOT_FOUND, Code.SILENT),
        *(Code.FOLDER, Code.DESTINATION, Code.BEHIND, Code.FLOOD_WAIT, Code.CONFIGURATION),
    }
)


#: Where a reason sends whoever wants to know more.
STATUS = "vedette status says"


class Ailment(NamedTuple):
    """``what`` is wrong and what to do, one line without its full stop; it may hold a channel's name."""

    code: Code
    what: str

    @property
    def severity(self) -> Severity:
        return self.code.severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """What the loops of a process that ``started`` then saw when this was ``written``. None: not since it started.

    ``answered``: when Telegram last answered. ``passed``: all that stood in the channels at this moment is stored.
    ``behind``: channels of which that is not known of the last minutes. ``waiting``: readings that wait for their turn.
    ``skew``: how far this machine's clock is ahead of Telegram's, where that matters. ``stepped``: when that clock was
    last set, or the machine last slept, as the process has noticed. ``stored_at``: when a page of posts was last
    stored. ``speaker``: how the bot stands with Telegram, which last answered it at ``speaker_answered``; None: the
    reader speaks.
    """

    started: datetime
    written: datetime
    link: Link
    answered: datetime | None
    passed: datetime | None
    behind: int
    waiting: int
    skew: timedelta | None
    sweep_every: timedelta
    stepped: datetime | None = None
    stored_at: datetime | None = None
    speaker: Link | None = None
    speaker_answered: datetime | None = None

    @property
    def patience(self) -> timedelta:
        """How long passes may fail, and channels be behind, before that is an ailment."""
        return patience(self.sweep_every)

    def since(self, moment: datetime | None, now: datetime) -> timedelta:
        """How long ago that was, as far as this process can know: not before its start, and not on another clock."""
        # Where the clock was set, what came before stands at any time, in the future too.
        begun = self.stepped or self.started
        seen = begun if moment is None or moment - now >= _MEANWHILE else max(moment, begun)
        return max(now - seen, timedelta(0))


def patience(sweep_every: timedelta) -> timedelta:
    """How long passes may fail, and channels be behind, before that is an ailment."""
    return max(_INTERVALS * sweep_every, _LEAST)


class Reached(NamedTuple):
    """How far a channel was read: ``missing`` numbers are known of and not stored; `Vitals.passed` for ``read_at``.

    ``refused``: it cannot be read; ``silent``: it has not posted for longer than is usual for it.
    """

    name: str
    read_at: datetime | None
    missing: int
    refused: bool = False
    silent: bool = False


class Wait(NamedTuple):
    """At ``asked`` Telegram asked not to call a method before ``until``."""

    method: str
    asked: datetime
    until: datetime


class Disk(NamedTuple):
    """In bytes: what is left of it, and what there is."""

    free: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What is seen of a service from beside it: the lock, the disk, the tables.

    ``running``: a process holds ``data_dir``, which is absolute. ``disk``: what the tables lie on. ``fault``: why they
    cannot be read. ``due``: since when a destination has taken no message though one may go. ``channels``: those that
    are watched; ``unfound``: how many were looked for in vain.
    ``refusing``: of each destination that takes no messages what the operators were told; ``folder``: likewise of the
    folder, where it cannot be found or looked at, and of the reader's session, where that has ended.
    ``configuration``: why the file is not what is in force.
    """

    data_dir: Path
    running: bool
    disk: Disk
    fault: str | None = None
    due: datetime | None = None
    channels: tuple[Reached, ...] = ()
    unfound: int = 0
    refusing: tuple[str, ...] = ()
    folder: str | None = None
    session: str | None = None
    configuration: str | None = None
    waits: tuple[Wait, ...] = ()


def ailments(vitals: Vitals | None, outside: Outside, now: datetime) -> tuple[Ailment, ...]:
    """All that ails a service, the worst first; what merely follows from something worse is left out.

    ``vitals`` are those of the process that runs, None where it has written none.
    """
    found = [*_of_process(vitals, outside, now), *_of_disk(outside.disk)]
    return tuple(sorted(found, key=lambda one: list(Code).index(one.code)))


def _of_process(vitals: Vitals | None, outside: Outside, now: datetime) -> Iterator[Ailment]:
    if outside.fault is not None:
        yield Ailment(Code.DATABASE, outside.fault)
    if outside.running and outside.configuration is not None:
        yield Ailment(Code.CONFIGURATION, outside.configuration)
    if not outside.running:
        # It may run all the same, and hold another: where data_dir was edited since, or is relative to another folder.
        what = f"no service runs in {outside.data_dir}; start it: vedette run"
        # Started so it would end at once, unless somebody has signed in meanwhile.
        yield Ailment(Code.NOT_RUNNING, what if outside.session is None else f"{what}. It said last: {outside.session}")
    elif outside.fault is None and vitals is None:
        what = "the service has only just been started, or another command (login, record, backfill) is at work; wait"
        yield Ailment(Code.STARTING, what)
    elif vitals is not None:
        silent = max(now - vitals.written, timedelta(0))
        if silent > _HANGS:
            what = f"the service has given no sign of life for {lasting(silent)}; look at its log, and start it anew"
            yield Ailment(Code.HANGS, what)
            return
        yield from _of_reading(vitals, outside, now)
        yield from (mute := [*_of_speaker(vitals, now)])
        yield from _of_telegram(vitals, outside, now)
        yield from (Ailment(Code.DESTINATION, what) for what in outside.refusing)
        if not mute:
            yield from _of_outbox(vitals, outside, now)


def _of_reading(vitals: Vitals, outside: Outside, now: datetime) -> Iterator[Ailment]:
    """What keeps posts from being read; of several causes in a row only the first."""
    unanswered, passed = vitals.since(vitals.answered, now), vitals.since(vitals.passed, now)
    if vitals.link is Link.SIGNED_OUT:
        what = "Telegram does not accept the reader's session any more; stop the service, run vedette login, start it"
        yield Ailment(Code.SIGNED_OUT, outside.session or what)
        return
    if unanswered > _SILENT:
        what = f"Telegram has not answered for {lasting(unanswered)}; look at the network, the proxy and the clock"
        yield Ailment(Code.NO_ANSWER, what)
        return
    if vitals.passed is None:
        waiting = f" ({counted(vitals.waiting, 'reading waits', 'readings wait')})" if vitals.waiting else ""
        what = f"the first pass over the channels, begun {lasting(passed)} ago, has not ended yet{waiting}; wait"
        yield Ailment(Code.STARTING, what)
    elif passed > vitals.patience:
        yield _no_pass(vitals, outside, now)
    elif (behind := _behind(vitals, outside, now)) and len(behind) == sum(not one.refused for one in outside.channels):
        # A pass does not wait for channels that fail again and again, be it all of them.
        what = f"of no channel is it known what was posted in the last {lasting(vitals.patience)}"
        yield Ailment(Code.NO_PASS, f"{what}; look at the log for what stops it")
    yield from _of_channels(vitals, outside, now)


def _of_speaker(vitals: Vitals, now: datetime) -> Iterator[Ailment]:
    """What keeps the bot from speaking; not that Telegram answers nobody."""
    if vitals.speaker is None:
        return
    unanswered = vitals.since(vitals.speaker_answered, now)
    if vitals.speaker is Link.SIGNED_OUT:
        what = f"Telegram does not let the bot in, so messages wait; {STATUS} why"
        yield Ailment(Code.SPEAKER, what)
    elif unanswered > _SILENT and vitals.since(vitals.answered, now) <= _SILENT:
        what = f"Telegram has not answered the bot for {lasting(unanswered)}, so messages wait; look at the log for why"
        yield Ailment(Code.SPEAKER, what)


def _no_pass(vitals: Vitals, outside: Outside, now: datetime) -> Ailment:
    lasts = lasting(vitals.since(vitals.passed, now))
    missing = sum(one.missing for one in outside.channels if not one.refused)
    # Asking for pages is no progress, for Telegram may refuse every one. Nor does a page that came make a backlog: of
    # each channel the newest posts are read again now and then.
    being_read = vitals.stored_at is not None and vitals.since(vitals.stored_at, now) <= _BEING_READ
    if being_read and (missing or vitals.waiting):
        left = counted(missing, "number", "numbers") if missing else counted(vitals.waiting, "reading", "readings")
        return Ailment(Code.BACKLOG, f"what was missed is being read: {left} to go, no pass ended for {lasts}; wait")
    return Ailment(Code.NO_PASS, f"no pass over the channels has ended for {lasts}; look at the log for what stops it")


def _of_channels(vitals: Vitals, outside: Outside, now: datetime) -> Iterator[Ailment]:
    if refused := [one.name for one in outside.channels if one.refused]:
        what = f"{counted(len(refused), 'channel', 'channels')} cannot be read: {_listed(refused)}"
        yield Ailment(Code.REFUSED, f"{what}; {STATUS} why")
    if outside.unfound:
        # Not by what the configuration calls them: an invite link is a key.
        what = f"{counted(outside.unfound, 'channel is', 'channels are')} not found"
        yield Ailment(Code.NOT_FOUND, f"{what}; {STATUS} which, and why")
    if outside.folder is not None:
        yield Ailment(Code.FOLDER, outside.folder)
    if silent := [one.name for one in outside.channels if one.silent and not one.refused]:
        what = f"{counted(len(silent), 'channel is', 'channels are')} silent for longer than usual: {_listed(silent)}"
        yield Ailment(Code.SILENT, f"{what}; look in Telegram whether it has moved")
    if behind := _behind(vitals, outside, now):
        what = f"{counted(len(behind), 'channel is', 'channels are')} behind: {_listed(behind)}"
        yield Ailment(Code.BEHIND, f"{what}; {STATUS} how far")


def _behind(vitals: Vitals, outside: Outside, now: datetime) -> list[str]:
    """Channels of which it is not known what stood in them of late."""
    if vitals.passed is None or vitals.since(None, now) <= vitals.patience:
        return []  # what stands there is of the time before the start, or before the clock was set
    late = now - vitals.patience
    return [one.name for one in outside.channels if not one.refused and (one.read_at is None or one.read_at < late)]


def _of_telegram(vitals: Vitals, outside: Outside, now: datetime) -> Iterator[Ailment]:
    if vitals.link is Link.TOO_OLD:
        yield Ailment(
            Code.TOO_OLD, "vedette's Telegram library is too old, so alerts come later than they might; update vedette"
        )
    if vitals.skew is not None:
        side = "ahead of" if vitals.skew > timedelta(0) else "behind"
        what = f"the clock of this machine is {lasting(abs(vitals.skew))} {side} Telegram's; set it right"
        yield Ailment(Code.CLOCK, what)
    for method, asked, until in outside.waits:
        if until > now and until - asked > _LONG_WAIT:
            # It may have been asked for on a clock that was ahead.
            left = lasting(min(until - now, until - asked))
            what = f"Telegram takes no {method} for another {left}; wait, and do not restart"
            yield Ailment(Code.FLOOD_WAIT, what)


def _of_outbox(vitals: Vitals, outside: Outside, now: datetime) -> Iterator[Ailment]:
    if outside.due is None or outside.due > now:
        return
    stuck = vitals.since(outside.due, now)
    if stuck > _STUCK:
        what = f"messages wait, and a destination has taken none for {lasting(stuck)}; look at the log for why"
        yield Ailment(Code.OUTBOX_STUCK, what)


def _of_disk(disk: Disk) -> Iterator[Ailment]:
    if disk.free < max(_LEAST_ROOM, min(disk.size // _LEAST_SHARE, _ENOUGH_ROOM)):
        what = f"the disk of data_dir is nearly full, {disk.free // 1_000_000:,} MB are left; make room"
        yield Ailment(Code.DISK_FULL, what)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def lasting(span: timedelta) -> str:
    """A time as a person says it: 45 s, 12 min, 3 h, 2 days."""
    seconds = max(int(span.total_seconds()), 0)
    if seconds < 2 * 60:
        return f"{seconds} s"
    if seconds < 2 * 60 * 60:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 2 * 24 * 3600 else f"{seconds // (24 * 3600):,} days"
