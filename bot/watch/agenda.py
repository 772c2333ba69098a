"""What is to be read next: of each channel at most one reading of what is new, one of its history and one check."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum


class Work(IntEnum):
    """Why a channel is read, what is most important first. The first three read what stands above its cursor."""

    GAP = 0  # a push left a number out, or said that there is more than it brings
    NEW = 1  # the sweep found something
    POLL = 2  # the sweep was told nothing
    HISTORY = 3
    CHECK = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One page to be read. ``since``: from when on it is not known what there is; the oldest goes first.

    ``upto``: the number that was heard of, so that nothing is asked once it is read; without one it is asked for
    whatever there is. ``not_before``: when it may be tried again, after ``tries`` that failed.
    """

    work: Work
    channel: int
    since: datetime
    upto: int | None = None
    not_before: datetime | None = None
    tries: int = 0

    @property
    def key(self) -> tuple[int, Work]:
        return self.channel, max(self.work, Work.POLL)

    def again(self, at: datetime) -> Job:
        return replace(self, not_before=at, tries=self.tries + 1)


#: After so much that is new in a row, a page of history goes before the next: in channels that never rest, what is new
#: may take all that is allowed.
_NEWS_IN_A_ROW = 2


class Agenda:
    """Jobs in the order in which they are to be done."""

    def __init__(self) -> None:
        self._jobs: dict[tuple[int, Work], Job] = {}
        self._news = 0

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
                not_before=known.not_before,
                tries=known.tries,
            )
        self._jobs[job.key] = job

    def drop(self, channel: int) -> None:
        """Nothing of this channel is to be read."""
        self._jobs = {key: job for key, job in self._jobs.items() if job.channel != channel}

    def take(self, now: datetime, *, without: Iterable[Work] = ()) -> Job | None:
        """Takes the most important job that may be done now."""
        held = set(without)
        ready = [job for job in self._jobs.values() if job.work not in held and not _waits(job, now)]
        if not ready:
            return None
        job = min(ready, key=_rank)
        if job.work <= Work.POLL and self._news >= _NEWS_IN_A_ROW:
            # A check may wait for what is known to be missing, but not for asking whether something is.
            last = Work.CHECK if job.work is Work.POLL else Work.HISTORY
            job = min((other for other in ready if Work.POLL < other.work <= last), key=_rank, default=job)
        self._news = self._news + 1 if job.work <= Work.POLL else 0
        return self._jobs.pop(job.key)

    def next_moment(self, *, without: Iterable[Work] = ()) -> datetime | None:
        """When the first of those that wait for a moment may be done."""
        held = set(without)
        moments = [job.not_before for job in self._jobs.values() if job.work not in held and job.not_before is not None]
        return min(moments, default=None)


def _waits(job: Job, now: datetime) -> bool:
    return job.not_before is not None and job.not_before > now


def _rank(job: Job) -> tuple[Work, datetime, int]:
    return job.work, job.since, job.channel
