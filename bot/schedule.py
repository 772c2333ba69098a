"""When digests are due and when it is quiet, in a zone whose clocks are put forward and back. Knows no clock.

A **slot** is what a clock on the wall reads, such as 30 March 2025 01:30; a **moment** is the instant in UTC at
which it happens. A slot happens once: when the wall clock first reads it, or first reads past it. So a slot that
a spring night leaves out happens where the clocks jump, one that an autumn night repeats happens the first time,
and slots that fall on one instant are one moment. Later slots never happen earlier, which is what the searches
below rest on.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

from bot.cron import Cron

#: How many days are searched. The rarest that a crontab line can name is 29 February on one weekday
#: (``0 8 29 2 */7``), which is 40 years away across a century that is no leap year.
_DAYS = 366 * 41
_DAY = timedelta(days=1)
_TIME = re.compile("([0-9]{1,2}):([0-9]{2})")


class NotATime(ValueError):  # noqa: N818 - it says what the text is
    """A text that is no time of day, or no span of two. ``what`` is wrong; ``hint`` is what would be right."""

    def __init__(self, what: str, *, hint: str) -> None:
        super().__init__(f"{what}; {hint}")
        self.what = what
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Daily:
    """Every day at these times; they are kept in order, each once."""

    times: tuple[time, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "times", tuple(sorted(set(self.times))))

    def falls_on(self, _day: date) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Never:
    """Digests are switched off."""

    times: ClassVar[tuple[time, ...]] = ()

    def falls_on(self, _day: date) -> bool:
        return False


Policy = Daily | Cron | Never


def next_moment(policy: Policy, zone: ZoneInfo, after: datetime) -> datetime | None:
    """The first moment strictly after an aware time, in UTC; None when there is none."""
    slot = _slot_after(policy, _wall(after, zone))
    # On an autumn night the clock shows again what it has shown: those slots have been.
    while slot is not None and (moment := _instant(slot, zone)) <= after:
        slot = _slot_after(policy, slot)
    return None if slot is None else moment


def last_moment(policy: Policy, zone: ZoneInfo, at: datetime) -> datetime | None:
    """The latest moment that is not after an aware time, in UTC; None when there is none."""
    slot = _slot_until(policy, _wall(at, zone))
    if slot is None:
        return None
    moment = _instant(slot, zone)
    # On an autumn night the clock has shown later slots than the one it shows now.
    for later in moments(policy, zone, moment, at):
        moment = later
    return moment


def moments(policy: Policy, zone: ZoneInfo, after: datetime, until: datetime) -> Iterator[datetime]:
    """The moments after ``after``, up to and with ``until``, each later than the one before it."""
    moment = next_moment(policy, zone, after)
    while moment is not None and moment <= until:
        yield moment
        moment = next_moment(policy, zone, moment)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one time of day to the next time that it is the other, over midnight where it comes first."""

    start: time
    end: time

    @classmethod
    def parse(cls, text: str) -> QuietHours | None:
        """Reads ``23:00-07:00``; an empty text is None. Raises `NotATime`."""
        if not text.strip():
            return None
        hint = "write two times as 23:00-07:00"
        ends = re.split("[-\N{EN DASH}]", text)
        if len(ends) != 2:
            raise NotATime(f"{text[:20]!r} are no quiet hours", hint=f"{hint}, or an empty text for none")
        start, end = map(parse_time, ends)
        if start == end:
            raise NotATime("these quiet hours end as they begin", hint=f"{hint}, or an empty text for none")
        return cls(start, end)


def quiet_until(quiet: QuietHours | None, zone: ZoneInfo, now: datetime) -> datetime | None:
    """When the quiet hours end within which ``now`` (aware) is, in UTC; None when it is not quiet.

    Quiet is from the moment of the start up to, and without, the moment of the end.
    """
    if quiet is None:
        return None
    until = None
    today = _wall(now, zone).date()
    overnight = quiet.end <= quiet.start
    for day in (today + offset * _DAY for offset in range(-1, 2)):
        start = _instant(datetime.combine(day, quiet.start), zone)
        end = _instant(datetime.combine(day + overnight * _DAY, quiet.end), zone)
        # On a spring night one night's end and the next one's start can be the same instant: it stays quiet.
        if start <= (until or now) < end:
            until = end
    return until


def parse_time(text: str) -> time:
    """Reads ``08:00`` or ``8:00``; raises `NotATime`."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise NotATime(f"{text[:20]!r} is no time of day", hint="write hours and minutes as 08:00 or 20:30")
    hour, minute = map(int, found.groups())
    if hour > 23 or minute > 59:
        raise NotATime(f"{found[0]} is no time of day", hint="a day goes from 00:00 to 23:59; midnight is 00:00")
    return time(hour, minute)


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    """What the wall clock reads, as a naive time."""
    return moment.astimezone(zone).replace(tzinfo=None)


def _instant(slot: datetime, zone: ZoneInfo) -> datetime:
    """The instant at which the wall clock first reads a slot, or past it."""
    moment = slot.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if _wall(moment, zone) == slot:
        return moment
    # The clocks jump over it. The offset after the jump gives an instant before it, the other one after it.
    # https://peps.python.org/pep-0495/#mind-the-gap
    before = slot.replace(tzinfo=zone, fold=1).astimezone(UTC)
    seconds = range(int((moment - before).total_seconds()))
    past = bisect_right(seconds, slot, key=lambda second: _wall(before + timedelta(seconds=second), zone))
    return before + timedelta(seconds=past)


def _slot_after(policy: Policy, wall: datetime) -> datetime | None:
    """The first slot strictly after what a wall clock reads."""
    times, day = policy.times, wall.date()
    if not times:
        return None
    place = bisect_right(times, wall.time())
    if place < len(times) and policy.falls_on(day):
        return datetime.combine(day, times[place])
    days = (day + offset * _DAY for offset in range(1, _DAYS))
    return next((datetime.combine(day, times[0]) for day in days if policy.falls_on(day)), None)


def _slot_until(policy: Policy, wall: datetime) -> datetime | None:
    """The last slot that is not after what a wall clock reads."""
    times, day = policy.times, wall.date()
    if not times:
        return None
    place = bisect_right(times, wall.time())
    if place and policy.falls_on(day):
        return datetime.combine(day, times[place - 1])
    days = (day - offset * _DAY for offset in range(1, _DAYS))
    return next((datetime.combine(day, times[-1]) for day in days if policy.falls_on(day)), None)
