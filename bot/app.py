"""Builds the service of its parts, runs them, and closes them in reverse."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from bot import inforce
from bot.clock import SystemClock
from bot.config.ruling import rules_of
from bot.config.settings import Settings
from bot.delivery.deliver import Deliver
from bot.digests.digests import Digests
from bot.errors import NotSignedInError
from bot.folder import READER
from bot.ingest import Ingest
from bot.notify import Notify
from bot.operators import Operators
from bot.parts import Parts
from bot.ports import Alarms, Sender, Voice
from bot.pulse import Pulse
from bot.query.lexicon import Lexicon
from bot.reload import Reload
from bot.render.richtext import Message
from bot.retelling import Retelling
from bot.retention import Retention
from bot.rules import Rules
from bot.storage.database import Database
from bot.supervise import Supervise
from bot.telemetry.log import logger
from bot.text.morphology.languages import Morphology
from bot.trail import Trail

_log = logger(__name__)

#: How long each stage of stopping may take; all of them stay under three seconds. A message that is being sent has
#: most of the last one.
_STAGE, _LAST_STAGE = timedelta(seconds=0.75), timedelta(seconds=1)
#: How often those loops are woken that look for what is due.
_LOOK_EVERY = timedelta(seconds=5)
#: Objects that are let gather before they are looked through for garbage: some thousand posts on their way.
_YOUNG = 20_000
#: For how long at most the database's thread waits for Python's lock. The lock is free for a moment at each look for
#: input, and each time whoever waits is woken, comes too late and begins to wait anew: with Python's own 5 ms that
#: went on for 40 ms a statement while pushes were read, and took a tenth of the time.
_SWITCH = timedelta(microseconds=20)


def _make_haste() -> None:
    """Tells Python what kind of program this is, once all that stays for good is there."""
    # Looking through dictionaries and rules for garbage, again and again, would hold up posts.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
    sys.setswitchinterval(_SWITCH / timedelta(seconds=1))


@dataclass(slots=True, kw_only=True)
class Mouth:
    """How the service speaks where it was started.

    ``show``: a notice to the operators; ``begin``: called with the database before anything is stored; ``matched``:
    likewise after matches were stored, and once at the start. ``obey``: with the configuration, when that has changed.
    ``sender``: who sends in the place of Telegram.
    """

    show: Callable[[Message], None]
    begin: Callable[[Database], Awaitable[None]] | None = None
    matched: Callable[[Database], Awaitable[None]] | None = None
    obey: Callable[[Settings], None] | None = None
    sender: Sender | None = None


class File(NamedTuple):
    """The file that the configuration is from, and the environment that it was read in."""

    path: Path
    environment: Mapping[str, str]


async def serve(  # noqa: PLR0913, PLR0917 - where it runs, and who listens
    settings: Settings,
    mouth: Mouth,
    stop: asyncio.Event,
    begun: Callable[[], None] = lambda: None,
    file: File | None = None,
    clock: AbstractAsyncContextManager[Alarms] | None = None,
) -> None:
    """Watches, matches and tells until ``stop`` is set; the data directory is held by the caller.

    ``begun`` is called when there is something to be finished: before it the process may end at any moment. ``file``:
    where changes of the configuration are looked for; ``clock``: another one than the machine's.
    Raises NotSignedInError when there is no session, StorageError when the database cannot be used.
    """
    session = settings.data_dir / READER
    if not session.is_file():
        raise NotSignedInError(f"there is no session at {session}; run vedette login first")
    lexicon = Lexicon(Morphology())
    rules = rules_of(settings, lexicon)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database.opened(settings.data_dir))
        alarms = await stack.enter_async_context(clock or SystemClock.running())
        chance = Random()  # noqa: S311 - for pauses, not for secrets
        parts = await Parts.made(settings, rules, database, alarms, chance, mouth.sender)
        stack.push_async_callback(parts.quota.settled)
        await database.write(lambda c: inforce.put(c, settings, file and file.path))
        house = _House(parts, mouth, file, lexicon)
        if mouth.begin is not None:
            await mouth.begin(database)
        alarms.every(_LOOK_EVERY, house.look_around)
        begun()
        await house.live(stop)


class _House:
    """All that runs, and how one part hears of the other."""

    def __init__(self, parts: Parts, mouth: Mouth, file: File | None, lexicon: Lexicon) -> None:
        database, clock, voices = parts.database, parts.clock, parts.voices
        self._parts = parts
        self._mouth = mouth
        self._matched = asyncio.Event()
        self._trail = Trail(database)
        retelling = Retelling(database, self._rules)
        self._deliver = Deliver(database, voices, clock, secret=parts.secret, retell=retelling.as_now, told=self._told)
        self._operators = Operators(
            database,
            clock,
            settings=self._settings,
            voices=voices,
            secret=parts.secret,
            reader=lambda: parts.reader,
            show=mouth.show,
            wake=self._made,
        )
        self._supervise = Supervise(
            account_for=parts.account,
            watch_for=parts.watch,
            speaks=parts.speaks,
            database=database,
            clock=clock,
            random=parts.chance,
        )
        self._digests = Digests(
            database,
            clock,
            rules=self._rules,
            secret=parts.secret,
            passed=self._passed,
            wake=self._made,
            folder=lambda: parts.settings.watch.folder,
        )
        self._speaker = parts.speaker()
        self._reload = None
        if file is not None:
            self._reload = Reload(
                file.path, file.environment, lexicon, clock, database, settings=self._settings, apply=self._obey
            )
        voices.changed = self._deliver.wake
        parts.ingest.committed = self._committed
        if mouth.sender is not None:
            for voice in Voice:
                voices.speaks(voice, mouth.sender)

    async def live(self, stop: asyncio.Event) -> None:
        """Until ``stop`` is set, or a loop ends."""
        ingest, settings = self._parts.ingest, self._parts.settings
        loops = [asyncio.create_task(loop, name=name) for name, loop in self._loops().items()]
        stopping = asyncio.create_task(stop.wait(), name="stop")
        _make_haste()
        _log.info("started", channels=len(settings.watch.channels), topics=len(settings.topics))
        try:
            await asyncio.wait([*loops, stopping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            await _stopped(loops, ingest)
        _log.info("stopped", stored=ingest.stored, matched=ingest.matched)
        for loop in loops:
            if loop.done() and not loop.cancelled() and (error := loop.exception()) is not None:
                if not stop.is_set():
                    raise error
                _log.error("stopped in the midst of trouble", error=error)

    def _loops(self) -> dict[str, Coroutine[Any, Any, None]]:
        """By their names, those that read first."""
        parts = self._parts
        look = parts.look(self._supervise, self._speaker)
        pulse = Pulse(parts.database, parts.clock, look)
        loops = {
            "supervise": self._supervise.run(),
            "ingest": parts.ingest.run(),
            "deliver": self._deliver.run(),
            "digests": self._digests.run(),
            "operators": self._operators.run(),
            "notify": Notify(parts.database, parts.clock, settings=self._settings).run(),
            "matches": self._tell_matches(),
            "trail": self._trail.run(),
            "retention": Retention(parts.ingest, parts.database, parts.clock, settings=self._settings).run(),
            "pulse": pulse.run(),
        }
        if self._speaker is not None:
            loops["speaker"] = self._speaker.run()
        if (metrics := parts.settings.metrics) is not None:
            from bot.metering.metering import Metering

            metering = Metering(
                *(metrics.listen, parts.database, parts.clock),
                look=look,
                ingest=parts.ingest,
                settings=self._settings,
                tally=parts.tally,
            )
            loops["metrics"] = metering.run()
        if self._reload is not None:
            loops["reload"] = self._reload.run()
        return loops

    def look_around(self) -> None:
        """Whatever may be due is looked at."""
        self._digests.wake()
        self._operators.wake()

    async def _obey(self, settings: Settings, rules: Rules) -> None:
        """From now on this is the configuration.

        What was pushed of a channel that is not watched any more is judged by what was said of it until it is stored.
        """
        ingest = self._parts.ingest
        self._parts.settings = settings
        ingest.obey(replace(rules, channels={**ingest.rules.channels, **rules.channels}))
        if self._mouth.obey is not None:
            self._mouth.obey(settings)
        if (watch := self._supervise.watch) is not None:
            await watch.reconfigure(**self._parts.watched())
        await ingest.emptied()
        ingest.obey(rules)
        self.look_around()

    def _rules(self) -> Rules:
        return self._parts.ingest.rules

    def _settings(self) -> Settings:
        return self._parts.settings

    def _passed(self) -> datetime | None:
        watch = self._supervise.watch
        return None if watch is None else watch.last_pass

    def _made(self) -> None:
        """Messages were, or may have been."""
        self._trail.wake()
        self._deliver.wake()

    def _committed(self) -> None:
        self._made()
        self._digests.wake()
        self._matched.set()

    def _told(self) -> None:
        self._operators.wake()

    async def _tell_matches(self) -> None:
        while True:
            self._matched.clear()
            if self._mouth.matched is not None:
                await self._mouth.matched(self._parts.database)
            await self._matched.wait()


async def _stopped(loops: list[asyncio.Task[None]], ingest: Ingest) -> None:
    """Stops reading, stores what was read, and lets the messages that are being sent go out."""
    supervise, storing, *others = loops
    supervise.cancel()
    await asyncio.wait([supervise], timeout=_STAGE.total_seconds())
    if not storing.done():
        ingest.stop()
        await asyncio.wait([storing], timeout=_STAGE.total_seconds())
    for loop in (storing, *others):
        loop.cancel()
    await asyncio.wait(loops, timeout=_LAST_STAGE.total_seconds())
