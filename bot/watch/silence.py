"""Channels that are silent for longer than is usual for them, as one that moved or is hidden from the account is.

No call fails for such a channel, so nothing else would show it. It is told once, and once more when it posts again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from itertools import islice

from bot.model import Notice
from bot.ports import Clock
from bot.rhythm import MORE, SPAN, Rhythm, rhythm
from bot.storage import facts, notices, posts
from bot.storage.database import Connection, Database
from bot.storage.times import from_integer, to_integer
from bot.telemetry.log import logger
from bot.watch.roster import Roster, Watched

_log = logger(__name__)

_EVERY = timedelta(hours=1)
#: After a start what was missed is read first.
_FIRST = timedelta(minutes=10)
#: Of so many channels at once the dates are fetched: nobody else has to wait for long meanwhile.
_AT_ONCE = 5
#: Which channels were told of, and when each had posted last, as JSON.
_FACT = "silent channels"


class Silence:
    """Looks each hour at the channels of a roster that can be read; `run` is the loop."""

    def __init__(self, roster: Roster, database: Database, clock: Clock) -> None:
        self._roster = roster
        self._database = database
        self._clock = clock
        #: Of channels that were looked into: when each had posted last, and what its rhythm was then.
        self._rhythms: dict[int, tuple[datetime, Rhythm | None]] = {}

    async def run(self) -> None:
        """Until it is cancelled. Raises StorageError."""
        await self._clock.sleep(_FIRST)
        while True:
            await self.look()
            await self._clock.sleep(_EVERY)

    async def look(self) -> None:
        """Tells of channels that have become silent and of those that are so no more. Raises StorageError."""
        watched = {one.peer.id: one for one in self._roster.all()}
        read = {channel: one.read_at for channel, one in watched.items() if one.refused is None and one.read_at}
        newest = await posts.newest(self._database, read)
        told = await silent_channels(self._database)
        heard = {channel for channel, last in told.items() if newest.get(channel, last) > last}
        kept = {channel: last for channel, last in told.items() if channel in watched and channel not in heard}
        await self._learn({one: at for one, at in newest.items() if one not in kept and read[one] - at > MORE})
        silent = {
            channel: known
            for channel, (last, known) in self._rhythms.items()
            if known is not None and known.silent(read[channel])
        }
        if not silent and kept == told:
            return
        said = {channel: Notice(_again(watched[channel])) for channel in heard & watched.keys()}
        for channel, known in silent.items():
            kept[channel] = newest[channel]
            said[channel] = Notice(_silent(watched[channel], known))
        await self._database.write(partial(self._write, kept, said, told.keys() - watched.keys()))

    async def _learn(self, quiet: Mapping[int, datetime]) -> None:
        """Finds out the rhythms of these channels, each of which posted last at this moment, if that is not done."""
        self._rhythms = {channel: known for channel, known in self._rhythms.items() if channel in quiet}
        new = iter([channel for channel, last in quiet.items() if self._rhythms.get(channel, (None,))[0] != last])
        while some := list(islice(new, _AT_ONCE)):
            dates = await posts.dates(self._database, some)
            self._rhythms |= {channel: (quiet[channel], rhythm(dates.get(channel, ()))) for channel in some}

    def _write(
        self, kept: Mapping[int, datetime], said: Mapping[int, Notice], dropped: Iterable[int], c: Connection
    ) -> None:
        now = self._clock.now()
        facts.put(c, _FACT, json.dumps({channel: to_integer(last) for channel, last in kept.items()}))
        for channel, notice in said.items():
            notices.tell(c, _subject(channel), notice, now)
            _log.info("channel silent or not", channel=channel, silent=channel in kept)
        for channel in dropped:
            notices.settle(c, _subject(channel), now)


async def silent_channels(database: Database) -> dict[int, datetime]:
    """The channels (marked ids) that are silent for longer than is usual for them, and when each posted last."""
    known = await facts.get(database, _FACT)
    return {int(channel): from_integer(last) for channel, last in json.loads(str(known or "{}")).items()}


def _subject(channel: int) -> str:
    return f"silence of channel {channel}"


def _silent(watched: Watched, known: Rhythm) -> str:
    silence = (watched.read_at or known.expected) - known.last
    return (
        f"{watched.peer.channel.shown} has said nothing for {_in_words(silence)}; its longest pause in the "
        f"{SPAN.days} days before was {_in_words(known.longest)}. Perhaps it moved, or Telegram hides it from this "
        "account: look at it in an app."
    )


def _again(watched: Watched) -> str:
    return f"{watched.peer.channel.shown} posts again."


def _in_words(span: timedelta) -> str:
    for unit, length in (("days", timedelta(days=1)), ("h", timedelta(hours=1))):
        if span >= 2 * length:
            return f"{span // length} {unit}"
    return f"{span // timedelta(minutes=1)} min"
