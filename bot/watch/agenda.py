"""What is to be read next: of each channel at most one reading of what is new, one of its history and one check.

Of two channels of which something is new, that goes first whose page ends more waiting: as many posts as it can bring,
times how long it has not been known what there is. A channel 300 posts behind for two minutes goes before one that is a
single post behind for as long, and that before one a post behind for a minute; then a gap before what the sweep found,
and that before what it was told nothing of. So that none waits for ever behind busier ones, every fourth reading is of
the channel that has been on the agenda longest.

Histories, and checks of channels of which an alert may be wrong by now, and then other checks come where nothing is
new, in the order in which they came to the agenda; but one of the first two after two pages of what is new, a check
after two that only ask whether anything is, and after twenty readings of whatever kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum


class Work(IntEnum):
    """Why a channel is read, what is most important first. The first three read what stands above its cursor."""

    GAP = 0  # a push left a number out, or said that there is more than it brings
    NEW = 1  # the sweep found something
    POLL = 2  # the sweep was told nothing
    ALERTED = 3  # a check of a channel of which an alert may be wrong by now
    HISTORY = 4
    CHECK = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One page to be read. ``since``: from when on it is not known what there is.

    ``upto``: the number that was heard of, so that nothing is asked once it is read; without one it is asked for
    whatever there is. ``behind``: how many numbers of what was heard of are missing. ``not_before``: when it may be
    tried again, after ``tries`` that failed.
    """

    work: Work
    channel: int
    since: datetime
    upto: int | None = None
    behind: int = 0
    not_before: datetime | None = None
    tries: int = 0

    @property
    def key(self) -> tuple[int, Work]:
        return self.channel, Work.CHECK if self.work is Work.ALERTED else max(self.work, Work.POLL)

    @property
    def is_news(self) -> bool:
        """Whether it reads what stands above the cursor."""
        return self.work <= Work.POLL

    def again(self, at: datetime) -> Job:
        return replace(self, not_before=at, tries=self.tries + 1)


#: After so much that is new in a row, a page of history, or a check in haste, goes before the next: in channels that
#: never rest, what is new may take all that is allowed.
_NEWS_IN_A_ROW = 2
#: After so many readings without a check one is done, whatever is missing: edits and deletions are news too.
_READINGS_IN_A_ROW = 20
#: Of the readings of what is new each so-manieth is of the channel that has waited longest for its turn.
_IN_TURN = 4
#: How many posts a page can bring. https://core.telegram.org/api/offsets
_PAGE = 100
_MOMENT = timedelta(seconds=1)


class Agenda:
    """Jobs in the order in which they are to be done."""

    def __init__(self) -> None:
        #: In the order in which they came; what is read on comes anew.
        self._jobs: dict[tuple[int, Work], Job] = {}
        #: How many were taken: of what is new in all, and in a row; since the last check.
        self._news = 0
        self._in_a_row = 0
        self._unchecked = 0

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, job: Job) -> None:
        """Of two that read the same the more important stays, and the number that is not sure to be read."""
        known = self._jobs.get(job.key)
        if known is not None:
            both = job.upto is not None and known.upto is not None
            job = replace(
                min(known, job, key=lambda one: (one.work, one.since)),
                upto=max(job.upto or 0, known.upto or 0) if both else None,
                behind=max(job.behind, known.behind),
                not_before=known.not_before,
                tries=known.tries,
            )
        self._jobs[job.key] = job

    def drop(self, channel: int) -> None:
        """Nothing of this channel is to be read."""
        self._jobs = {key: job for key, job in self._jobs.items() if job.channel != channel}

    def take(self, now: datetime, *, without: Iterable[Work] = ()) -> Job | None:
        """Takes the job that is to be done now, if there is one that may be."""
        held = set(without)
        ready = [job for job in self._jobs.values() if job.work not in held and not _waits(job, now)]
        if not ready:
            return None
        job = self._next(ready, now)
        self._news += job.is_news
        self._in_a_row = self._in_a_row + 1 if job.is_news else 0
        self._unchecked = 0 if job.work is Work.CHECK else self._unchecked + 1
        return self._jobs.pop(job.key)

    def next_moment(self, *, without: Iterable[Work] = ()) -> datetime | None:
        """When the first of those that wait for a moment may be done."""
        held = set(without)
        moments = [job.not_before for job in self._jobs.values() if job.work not in held and job.not_before is not None]
        return min(moments, default=None)

    def _next(self, ready: Sequence[Job], now: datetime) -> Job:
        # Jobs stand in the order in which they came.
        news = [job for job in ready if job.is_news]
        others = sorted((job for job in ready if not job.is_news), key=lambda job: max(job.work, Work.HISTORY))
        if self._unchecked >= _READINGS_IN_A_ROW and others and others[-1].work is Work.CHECK:
            return next(other for other in others if other.work is Work.CHECK)
        if not news:
            return others[0]
        job = news[0] if self._news % _IN_TURN == _IN_TURN - 1 else min(news, key=lambda one: _rank(one, now))
        if others and self._in_a_row >= _NEWS_IN_A_ROW and (job.work is Work.POLL or others[0].work <= Work.HISTORY):
            # A check may wait for what is known to be missing, but not for asking whether something is.
            return others[0]
        return job


def _waits(job: Job, now: datetime) -> bool:
    return job.not_before is not None and job.not_before > now


def _rank(job: Job, now: datetime) -> tuple[timedelta, Work, int]:
    """How much waiting a page of it ends, most first; then its kind."""
    waited = max(now - job.since, _MOMENT)
    return -waited * (1 + min(job.behind, _PAGE)), job.work, job.channel
