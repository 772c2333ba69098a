"""What becomes of one match: told at once, held, or dropped, and why. Pure: what is known in, a reason out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.model import Deliver, Destination, Reason, Verdict

#: A post first seen later than this is told by the digest only (contract, promise 6).
TOO_LATE = timedelta(hours=6)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that decides about one match.

    ``history``: the first reading of its channel brought the post. ``changed``: the post was known before, and an
    edit or a later part of its album brings the match. ``edited``: it was an edit. ``late``: how long after its date
    the post was first seen, at ``seen``, where that is more than the rules allow. ``told``: None when the destination
    does not know the story to be of this topic, else whether it was told as urgent. ``rides``: something urgent about
    the same post goes to the same destination. ``quiet``: when the quiet hours end in which this happens. ``burst``:
    when the alerts that are folded are told, if the destination has had too many.
    """

    deliver: Deliver
    seen: datetime
    history: bool = False
    changed: bool = False
    edited: bool = False
    late: timedelta | None = None
    told: bool | None = None
    rides: bool = False
    quiet: datetime | None = None
    burst: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """``due``: from when on what is held is told in one message with its like; None: the digest tells it."""

    reason: Reason
    due: datetime | None = None

    @property
    def tells(self) -> bool:
        """Whether the destination knows the story from this, now or soon."""
        return self.reason.verdict is Verdict.ALERT or self.reason is Reason.HISTORY or self.due is not None


def triage(case: Case) -> Ruling:
    """The first rule that applies. The digest lists every match, whatever is ruled here."""
    if case.history:
        return Ruling(Reason.HISTORY)
    if case.deliver is Deliver.DIGEST:
        return Ruling(Reason.DIGEST)
    if is_told(case):
        return Ruling(Reason.STORY if case.changed else Reason.FOLDED)
    if case.late is not None and case.late > TOO_LATE:
        return Ruling(Reason.LATE)
    urgent = case.deliver is Deliver.URGENT
    if case.quiet is not None and not (urgent or case.rides):
        return Ruling(Reason.QUIET, case.quiet)
    if case.late is not None:
        return Ruling(Reason.LATE, case.seen)
    if urgent:
        return Ruling(Reason.URGENT)
    if case.burst is not None and not case.rides:
        return Ruling(Reason.BURST, case.burst)
    return Ruling(Reason.EDIT if case.edited else Reason.NEW)


def is_told(case: Case) -> bool:
    """Whether the destination knows already; what becomes urgent is told again."""
    return case.told is not None and (case.told or case.deliver is not Deliver.URGENT)


@dataclass(slots=True)
class Pace:
    """How many alerts each destination has had in the last minute, and until when further ones are folded into one.

    Urgent alerts count, but are never folded. The message that tells the folded ones counts at its time.
    """

    _told: dict[Destination, list[datetime]] = field(default_factory=dict)
    _folding: dict[Destination, datetime] = field(default_factory=dict)

    def copy(self) -> Pace:
        told = {destination: list(times) for destination, times in self._told.items()}
        return Pace(told, dict(self._folding))

    @classmethod
    def resumed(cls, told: Mapping[Destination, Iterable[datetime]], folding: Mapping[Destination, datetime]) -> Pace:
        """As it stood before a restart: the alerts of the last minute, and what is being folded."""
        return cls({destination: sorted(times) for destination, times in told.items()}, dict(folding))

    def folded_until(self, destination: Destination, now: datetime, most: int) -> datetime | None:
        """None when an alert may be told at once, else when it will be, with others in one message.

        ``most``: alerts in a minute; 0 folds none.
        """
        if not most:
            return None
        if (due := self._folding.get(destination)) is not None and now < due <= now + _MINUTE:
            return due
        times = self._recent(destination, now)
        return times[-most] + _MINUTE if len(times) >= most else None

    def alerted(self, destination: Destination, now: datetime) -> None:
        self._recent(destination, now).append(now)

    def folds(self, destination: Destination, due: datetime) -> None:
        """Further alerts are folded until ``due``, and told then."""
        if self._folding.get(destination) != due:
            self._folding[destination] = due
            self._told.setdefault(destination, []).append(due)

    def _recent(self, destination: Destination, now: datetime) -> list[datetime]:
        # What lies further ahead than the moment of a burst was told by a clock that was wrong.
        times = sorted(time for time in self._told.get(destination, ()) if now - _MINUTE < time <= now + _MINUTE)
        self._told[destination] = times
        return times
