"""Local times as a person reads them, without a locale: 8 Dec 2024, 09:14."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


@dataclass(frozen=True, slots=True)
class Times:
    """Times in one zone, told as shortly as the period around them allows. All arguments are aware."""

    zone: ZoneInfo
    since: datetime
    until: datetime

    def near(self, at: datetime) -> str:
        """A time of the period: its day only where it is not clear, its year only where it is another."""
        here, first, last = self._local(at), self._local(self.since), self._local(self.until)
        if first.date() == last.date() == here.date():
            return _clock(here)
        return self.whole(at) if here.year != last.year else f"{_day(here)}, {_clock(here)}"

    def whole(self, at: datetime) -> str:
        """8 Dec 2024, 09:14."""
        here = self._local(at)
        return f"{_day(here)} {here.year}, {_clock(here)}"

    def period(self) -> str:
        """8 Dec 2024, 08:00 – 20:00; 7 Dec, 20:00 – 8 Dec 2024, 08:00."""
        first, last = self._local(self.since), self._local(self.until)
        if first.date() == last.date():
            return f"{self.whole(self.since)} – {_clock(last)}"
        begin = self.whole(self.since) if first.year != last.year else f"{_day(first)}, {_clock(first)}"
        return f"{begin} – {self.whole(self.until)}"

    def _local(self, at: datetime) -> datetime:
        try:
            return at.astimezone(self.zone)
        except OverflowError:  # the first or last day that a calendar of ours has
            return at


def _day(at: datetime) -> str:
    return f"{at.day} {_MONTHS[at.month - 1]}"


def _clock(at: datetime) -> str:
    return f"{at.hour:02}:{at.minute:02}"
