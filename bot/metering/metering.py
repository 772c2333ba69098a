"""The loop that looks how things are, for whoever reads the metrics: who does the work knows nothing of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NoReturn

from bot.config.settings import Settings
from bot.config.values import Address
from bot.digests.coverage import coverage
from bot.errors import StorageError
from bot.ingest import Ingest
from bot.metering.since import Since
from bot.metering.table import MOST, Look, Reached, told
from bot.ports import Clock
from bot.storage import attempts, counts, quotas, vitals
from bot.storage.database import Database
from bot.storage.overview import ChannelState
from bot.tally import Tally
from bot.telemetry.log import logger
from bot.telemetry.metrics import Metric, Sample, served
from bot.vitals import Vitals

_log = logger(__name__)

_EVERY = timedelta(seconds=15)
#: As for `vedette health`: what was tried in vain for so long waits since it was made.
_PATIENCE = timedelta(minutes=10)


class Metering:
    """Looks each 15 seconds, and lets whoever asks at ``listen`` read what was seen.

    ``look`` says how the loops are and ``tally`` what they have counted; ``settings`` are those in force.
    """

    def __init__(  # noqa: PLR0913 - each part of the house that is looked at
        self,
        listen: Address,
        database: Database,
        clock: Clock,
        *,
        look: Callable[[], Vitals],
        ingest: Ingest,
        settings: Callable[[], Settings],
        tally: Tally,
    ) -> None:
        self._listen = listen
        self._database = database
        self._clock = clock
        self._vitals = look
        self._ingest = ingest
        self._settings = settings
        self._tally = tally
        self._passed: datetime | None = None
        self._seen: Look | None = None
        #: Where it listens, once it does: the system chooses where the configuration says port 0.
        self.port: int | None = None

    async def run(self) -> NoReturn:
        """Until it is cancelled. Raises ListenError where nobody can listen there."""
        async with served(self._listen, self._told) as self.port:
            since: Since | None = None
            while True:
                try:
                    since = since or await Since.now(self._database)
                    self._seen = await self._look(since)
                except StorageError as error:
                    # The figures stay as they were, and say of when they are.
                    _log.warning("metrics not looked up", error=error)
                await self._clock.sleep(_EVERY)

    def _told(self) -> Iterator[tuple[Metric, Iterable[Sample]]]:
        """On a thread of the server's: what is seen is never changed, only exchanged."""
        seen = self._seen
        return iter(()) if seen is None else told(seen, self._clock.now())

    async def _look(self, since: Since) -> Look:
        database, settings, now = self._database, self._settings(), self._clock.now()
        await since.count(database)
        seen = self._vitals()
        # While a new connection is made it is not known, and is what it was.
        self._passed = seen.passed or self._passed
        read = await coverage(database, self._ingest.rules, settings.watch.folder)
        mute = [one.until for one in (await attempts.rests(database)).values()]
        accounts = self._tally.accounts(bot=seen.speaker is not None)
        return Look(
            at=now,
            vitals=replace(seen, passed=self._passed),
            stored=self._ingest.stored,
            matches={topic.name: since.matches[topic.name] for topic in settings.topics[:MOST]},
            settled=dict(since.settled),
            open=since.open,
            due=await vitals.due(database, now, _PATIENCE),
            edits=await counts.edits(database),
            channels=_reached(read.watched),
            watched=len(read.watched),
            lost=sum(one.refused is not None for one in read.watched),
            missing=len(read.sought),
            rests={name: one.until for name, one in (await quotas.quotas(database)).items() if "." in name},
            mute=max(mute, default=None),
            notices=since.notices,
            connections={name: one.connections for name, one in accounts.items()},
            calls={(name, method): count for name, one in accounts.items() for method, count in one.calls.items()},
            waits={(name, method): count for name, one in accounts.items() for method, count in one.waits.items()},
            sweeps=self._tally.sweeps,
            swept=self._tally.swept,
        )


def _reached(watched: Iterable[ChannelState]) -> tuple[Reached, ...]:
    """Of too many those that were not read for longest. A name that two have, as after a renaming, is nobody's."""
    first = sorted(watched, key=lambda one: (one.read_at is not None and one.read_at.timestamp(), one.channel.key))
    names = Counter(one.channel.name for one in first)
    return tuple(
        Reached(one.channel.name if names[one.channel.name] == 1 else one.channel.key, one.read_at, one.behind)
        for one in first[:MOST]
    )
