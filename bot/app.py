"""Builds the service of its parts, runs them, and closes them in reverse."""

from __future__ import annotations

import asyncio
import gc
import secrets
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from bot.clock import SystemClock
from bot.config.ruling import rules_of
from bot.config.settings import Settings
from bot.deliver import Deliver
from bot.errors import NotSignedInError
from bot.folder import READER
from bot.ingest import Ingest
from bot.model import ChannelRef, Me
from bot.ports import Clock, Sender
from bot.pulse import Pulse
from bot.query.lexicon import Lexicon
from bot.quota import Quota
from bot.render.richtext import Message
from bot.storage import facts
from bot.storage.database import Database
from bot.supervise import Supervise
from bot.telegram.account import Account
from bot.telegram.session import ByItself, client_for
from bot.telemetry.log import logger
from bot.text.morphology.languages import Morphology
from bot.vitals import Vitals, patience
from bot.watch.watch import Watch

_log = logger(__name__)

#: How long each stage of stopping may take; all of them stay under three seconds.
_STAGE = timedelta(seconds=1)
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

    ``sender_for``: who delivers messages, given the clock; ``tell``: a notice to the operators; ``begin``: called with
    the database before anything is stored; ``matched``: likewise after matches were stored, and once at the start.
    """

    sender_for: Callable[[Clock], Sender]
    tell: Callable[[Message], None]
    begin: Callable[[Database], Awaitable[None]] | None = None
    matched: Callable[[Database], Awaitable[None]] | None = None


async def serve(
    settings: Settings, mouth: Mouth, stop: asyncio.Event, begun: Callable[[], None] = lambda: None
) -> None:
    """Watches, matches and tells until ``stop`` is set; the data directory is held by the caller.

    ``begun`` is called when there is something to be finished: before it the process may end at any moment.
    Raises NotSignedInError when there is no session, StorageError when the database cannot be used.
    """
    session = settings.data_dir / READER
    if not session.is_file():
        raise NotSignedInError(f"there is no session at {session}; run vedette login first")
    rules = rules_of(settings, Lexicon(Morphology()))
    chance = Random()  # noqa: S311 - for pauses, not for secrets
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database.opened(settings.data_dir))
        clock = await stack.enter_async_context(SystemClock.running())
        secret = await database.write(lambda c: facts.secret(c, secrets.token_bytes(32)))
        ingest = Ingest(database, clock, rules, secret)
        await ingest.resume()
        deliver = Deliver(database, mouth.sender_for(clock), clock, tell=mouth.tell)
        quota = await Quota.opened(database, clock, chance)
        stack.push_async_callback(quota.settled)
        parts = _Parts(settings, database, clock, ingest, quota, chance)
        supervise = Supervise(
            account_for=parts.account, watch_for=parts.watch, database=database, clock=clock, random=chance
        )
        matched = asyncio.Event()

        def committed() -> None:
            deliver.wake()
            matched.set()

        ingest.committed = committed
        if mouth.begin is not None:
            await mouth.begin(database)
        clock.every(_NOTICES_EVERY, deliver.wake)
        begun()
        loops = [
            asyncio.create_task(supervise.run(), name="supervise"),
            asyncio.create_task(ingest.run(), name="ingest"),
            asyncio.create_task(deliver.run(), name="deliver"),
            asyncio.create_task(_tell_matches(mouth, database, matched), name="matches"),
            asyncio.create_task(Pulse(database, clock, parts.look(supervise)).run(), name="pulse"),
        ]
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


_NOTICES_EVERY = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What each new connection needs of what stays."""

    settings: Settings
    database: Database
    clock: Clock
    ingest: Ingest
    quota: Quota
    chance: Random

    def account(self, connected: Callable[[], None], *, pushed: bool) -> Account:
        session = self.settings.data_dir / READER
        by_itself = ByItself(self.quota.unasked, self.quota.refused)
        client = client_for(self.settings.telegram, session, on_connect=connected, by_itself=by_itself, updates=pushed)
        return Account(client, turn=self.quota.turn, refused=self.quota.refused, pushed=pushed)

    def watch(self, account: Account) -> Watch:
        watch, token = self.settings.watch, self.settings.telegram.bot_token
        bot = set() if token is None else {int(token.get_secret_value().partition(":")[0])}
        return Watch(
            account=account,
            ingest=self.ingest,
            database=self.database,
            clock=self.clock,
            refs=[watched.channel for watched in watch.channels],
            join=watch.join,
            history=watch.history,
            sweep_every=watch.sweep_every,
            ignored=frozenset({account.id} | bot),
            destinations=self._destinations(),
            folder=watch.folder,
            random=self.chance,
        )

    def _destinations(self) -> frozenset[ChannelRef]:
        """The chats that are told, but for the reader's own, which is no channel."""
        settings = self.settings
        told = [settings.digest.chat, *map(settings.destination_of, settings.topics)]
        return frozenset(one.chat for one in told if not isinstance(one.chat, Me))

    def look(self, supervise: Supervise) -> Callable[[], Vitals]:
        """How things stand, whenever it is asked."""
        started, every = self.clock.now(), self.settings.watch.sweep_every

        def look() -> Vitals:
            now, watch = self.clock.now(), supervise.watch
            return Vitals(
                started=started,
                written=now,
                link=supervise.link,
                answered=supervise.answered,
                passed=watch.last_pass if watch else None,
                behind=len(watch.behind(now - patience(every))) if watch else 0,
                waiting=watch.waiting if watch else 0,
                skew=supervise.skew,
                sweep_every=every,
                stored_at=self.ingest.stored_at,
            )

        return look


async def _tell_matches(mouth: Mouth, database: Database, matched: asyncio.Event) -> None:
    while True:
        matched.clear()
        if mouth.matched is not None:
            await mouth.matched(database)
        await matched.wait()


async def _stopped(loops: list[asyncio.Task[None]], ingest: Ingest) -> None:
    """Stops reading, stores what was read, and lets the message that is being sent go out; each in a second."""
    supervise, storing, *others = loops
    supervise.cancel()
    await asyncio.wait([supervise], timeout=_STAGE.total_seconds())
    if not storing.done():
        ingest.stop()
        await asyncio.wait([storing], timeout=_STAGE.total_seconds())
    for loop in (storing, *others):
        loop.cancel()
    await asyncio.wait(loops, timeout=_STAGE.total_seconds() / 2)
