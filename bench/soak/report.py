"""Figures of a soak by the day, what they are to be held against, and the words for a person."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import statistics
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from bench.archive import _taken_in
from bench.soak.clock import SoakClock
from bench.soak.ledger import AT_ONCE, SETTLED, Kept, Ledger
from bench.soak.world import DAY, Outside, Texts
from bot.model import Channel, Post
from bot.query.lexicon import Lexicon
from bot.storage.database import NAME
from bot.text.morphology.languages import Morphology
from tests.made import DAY as SOME_DAY
from tests.made import rule, rules

#: Days after which as much is removed as comes, and so many more for all else to have been needed once.
_SETTLING = 5
#: Of what was there then, in the mean of so many days, so much more may be there in the end.
_DAYS, _MEMORY, _DATABASE = 3, 1.06, 1.05
#: The file may differ so much from what posts alone would take: albums, edits, free room; and by so many MB besides,
#: which do not depend on them.
_TOLERANCE, _BESIDES = 0.25, 1.0
#: The log is cut back to 64 MB (docs/data.md).
_LOG = 64.0
#: Calls a minute of the reader, in the mean and in the worst hour.
_CALLS = 20.0
#: Messages that a chat gets in any minute.
_MESSAGES = 20
#: Of the digests that nothing holds up so many come at once.
_SHARE = 0.95
_POSTS = 5_000


class Plan(NamedTuple):
    """``keep`` is more than two days, after which posts are checked; ``posts``: of each channel a day.

    ``look``: loops of the service that look each second, or every ten, whether something is due look so often.
    """

    days: int
    channels: int
    keep: timedelta
    seed: int
    posts: int = 20
    look: timedelta = timedelta(seconds=30)

    @property
    def settled(self) -> int:
        """The day from which on nothing grows any more."""
        return self.keep // DAY + _SETTLING

    @property
    def judged(self) -> bool:
        """Whether it is long enough for that to be seen."""
        return self.days >= self.settled + 2 * _DAYS


class Figures(NamedTuple):
    """At the end of a day: what was posted until then, megabytes, calls a minute, seconds of ours since the start.

    ``heap``: of the memory what is in use of malloc's, without what it keeps for later; 0 where it does not say.
    ``held``: so many things the bench itself remembers.
    """

    day: int
    posts: int
    memory: float
    heap: float
    database: float
    log: float
    calls: float
    worst: float
    held: int
    ours: float


HEADING = "  day    posts  memory MB  heap MB  database MB  log MB  calls/min  worst hour  held by us    min"


def row(day: Figures) -> str:
    return (
        f"{day.day:5} {day.posts:8,} {day.memory:10.1f} {day.heap:8.1f} {day.database:12.1f} {day.log:7.1f} "
        f"{day.calls:10.1f} {day.worst:11.1f} {day.held:11,} {day.ours / 60:6.1f}"
    )


def steady(plan: Plan, values: Sequence[float]) -> tuple[float, float]:
    """What there is in the mean of some days once nothing grows any more, and of the last days."""
    first = values[plan.settled : plan.settled + _DAYS]
    return statistics.fmean(first), statistics.fmean(values[-_DAYS:])


def growth(plan: Plan, days: Sequence[Figures], ledger: Ledger, stored: int) -> Iterator[str]:
    """What was too much, a sentence each; what was measured is noted in ``ledger.notes``."""
    note = ledger.notes.append
    if max(day.log for day in days) > _LOG:
        yield f"the write-ahead log has had {max(day.log for day in days):.0f} MB, and {_LOG:.0f} are its bound"
    if max(days[-1].calls, days[-1].worst) > _CALLS:
        yield f"{days[-1].calls:.1f} calls a minute, {days[-1].worst:.1f} in the worst hour; {_CALLS:.0f} are the bound"
    if ledger.busiest > _MESSAGES:
        yield f"a chat got {ledger.busiest} messages within a minute"
    if not plan.judged:
        return
    began, ended = steady(plan, [day.memory for day in days])
    alone, then = steady(plan, of_the_world_alone(plan))
    own = then - alone
    note(f"memory: {began:.1f} MB from day {plan.settled} on, {ended:.1f} MB at the end; the world alone {own:+.1f} MB")
    if ended - max(own, 0) > _MEMORY * began:
        yield f"memory has grown from {began:.1f} to {ended:.1f} MB, of which {own:.1f} are the bench's"
    began, ended = steady(plan, [day.database for day in days])
    each = bytes_of_a_post(plan.seed)
    expected = each * stored / 1e6
    note(
        f"database: {began:.1f} MB from day {plan.settled} on, {ended:.1f} MB at the end, for {stored:,} posts; "
        f"{each:,.0f} bytes a post as bench/archive.py takes them in make {expected:.1f} MB"
    )
    if ended > _DATABASE * began + _BESIDES / 4:
        yield f"the database has grown from {began:.1f} to {ended:.1f} MB"
    if abs(ended - expected) > _TOLERANCE * expected + _BESIDES:
        yield f"the database has {ended:.1f} MB, where {expected:.1f} were predicted"


def on_time(ledger: Ledger) -> Iterator[str]:
    """How digests came after their moments."""
    late = sorted(one.total_seconds() for one in ledger.late)
    if not late:
        return
    at_once = sum(one <= AT_ONCE.total_seconds() for one in late)
    ledger.notes.append(
        f"digests: {ledger.checked['digests']}, {ledger.checked['digests held up']} of them held up by an absence or a "
        f"wait; the others came {statistics.median(late):.0f} s after their moment in the median, {late[-1]:.0f} s at "
        f"most, {at_once} of {len(late)} within {AT_ONCE.total_seconds():.0f} s"
    )
    if at_once < _SHARE * len(late):
        yield f"only {at_once} of {len(late)} digests came at their minute"


def bytes_of_a_post(seed: int) -> float:
    """What a post takes in the database by the bench of the archive, of texts as those of the soak."""
    texts = Texts(seed)
    posts = [
        Post(channel=Channel(username="bench_demo"), number=1, date=SOME_DAY, text=texts.another()[0])
        for _ in range(_POSTS)
    ]
    by = rules(rule("bench", 'Сирия; Асад; "военная база"'), lexicon=Lexicon(Morphology()))
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_taken_in(Path(folder), posts, by))
        return (Path(folder) / NAME).stat().st_size / len(posts)


def of_the_world_alone(plan: Plan) -> list[float]:
    """The memory of a process that only posts and forgets, by the day: the bench's own share in any growth."""
    asked = [f"--days={plan.days}", f"--channels={plan.channels}", f"--keep={plan.keep // DAY}", f"--seed={plan.seed}"]
    command = [sys.executable, "-m", "bench.soak", "--alone", *asked]
    return [float(line) for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()]


async def alone(plan: Plan, clock: SoakClock) -> list[float]:
    """As `of_the_world_alone`, in that process."""
    outside, kept, memory = Outside(plan.seed, plan.channels, clock, plan.posts), deque[Kept](), list[float]()
    speaking = asyncio.create_task(outside.speak())
    for _ in range(plan.days):
        await clock.sleep(DAY)
        items = outside.traffic.settled(clock.now() - SETTLED)
        kept.extend(Kept(item.at, item.channel, item.number, hash(item.text)) for item in items)
        while kept and kept[0].at < clock.now() - plan.keep:
            kept.popleft()
        for channel in outside.traffic.channels:
            for standing in channel.standing.values():
                standing.raw()  # as whoever asks for it makes the server keep it
        outside.forget()
        memory.append(resident())
    speaking.cancel()
    return memory


def resident() -> float:
    """What this process takes of memory, in MB."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class _Malloc(ctypes.Structure):
    """What mallinfo2 tells. https://man7.org/linux/man-pages/man3/mallinfo.3.html"""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
    )


def heap() -> float:
    """What is in use of malloc's memory, in MB: without Python's own pools, code, and room that malloc keeps."""
    ask = getattr(ctypes.CDLL(None), "mallinfo2", None)  # glibc's
    if ask is None:
        return 0.0
    ask.restype = _Malloc
    told = ask()
    return float(told.uordblks + told.hblkhd) / 1e6


def give_back() -> None:
    """What malloc keeps for later goes back to the system, as where a process ends."""
    if (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:  # glibc's
        trim(0)
