"""The whole service on the soak's clock: which of its parts stop the clock, and which pauses are made longer.

A soak is no unit test: it reaches into the service where a seam would serve nobody else. Nothing of what is decided,
stored or sent is replaced; each substitution below says why it is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from functools import partial
from types import ModuleType
from typing import Any, TypeVar

from telethon import TelegramClient
from telethon._updates import messagebox

from bench.soak.clock import SoakClock
from bot import app, notify, operators, parts, pulse, retention
from bot.app import Mouth, serve
from bot.config.settings import Settings
from bot.digests import digests
from bot.storage.database import Connection, Database
from bot.telegram import session
from bot.telegram.account import Account
from bot.telegram.session import client_for
from bot.telegram.signin import sign_in_bot

T = TypeVar("T")
#: A call that brings no answer is given up after this much of our time, in which the clock stands still.
_PATIENCE = timedelta(seconds=2)
#: Between two attempts to connect, in our time.
_AGAIN = timedelta(seconds=0.05)


class _Database(Database):
    """One whose work stops the clock."""

    clock: SoakClock

    async def write(self, work: Callable[[Connection], T]) -> T:
        with self.clock.working():
            return await super().write(work)

    async def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self.clock.working():
            return await super().rows(sql, parameters)


class _Account(Account):
    """One whose calls, once they have had their turn, stop the clock until they are answered."""

    clock: SoakClock
    clients: set[TelegramClient]

    def __init__(self, client: TelegramClient, **more: Any) -> None:  # noqa: ANN401 - as it is given
        super().__init__(client, **{"timeout": _PATIENCE} | more)
        # The library would refuse what has to wait by itself until so much of our time has gone by.
        client._flood_waited_requests = _Forgetful()  # noqa: SLF001 - it has no other name
        self.clients.add(client)

    @asynccontextmanager
    async def answering(self, method: str, timeout: timedelta | None = None) -> AsyncIterator[None]:
        with self.clock.working():
            async with super().answering(method, None if timeout is None else min(timeout, _PATIENCE)):
                yield

    async def close(self) -> None:
        with self.clock.working():
            await super().close()
        self.clients.discard(self.client)


class _Forgetful(dict[int, float]):
    def __setitem__(self, _key: int, _value: float) -> None:
        pass


@contextmanager
def clocked(clock: SoakClock, look_every: timedelta) -> Iterator[None]:
    """Within it the service's parts keep to this clock. ``look_every``: how often loops look that look each second."""
    clients: set[TelegramClient] = set()

    async def signed_in(client: TelegramClient, token: str) -> None:
        with clock.working():
            await sign_in_bot(client, token)

    clock.at_work = lambda: any(map(_is_at_work, clients))
    with ExitStack() as stack:
        for module, name, value in (
            (app, "Database", type("_Clocked", (_Database,), {"clock": clock})),
            (parts, "Account", type("_Clocked", (_Account,), {"clock": clock, "clients": clients})),
            (parts, "client_for", partial(client_for, pause=_AGAIN)),
            (parts, "sign_in_bot", signed_in),
            # Pauses of the machine's time, in which the clock would stand still.
            (messagebox, "POSSIBLE_GAP_TIMEOUT", 0.005),
            (session, "_GATHERED", 0),
            (session, "_SHORT_LIFE", 0),
            (retention, "_PAUSE", 0),
            # Who looks each second, or every ten, whether something is due: ninety days have too many seconds.
            (digests, "_EVERY", look_every),
            (operators, "TOGETHER", look_every),
            (notify, "TOGETHER", look_every),
            (pulse, "_EVERY", max(look_every, timedelta(minutes=1))),
        ):
            stack.enter_context(_put(module, name, value))
        yield
    clock.at_work = lambda: False


def _is_at_work(client: TelegramClient) -> bool:
    """Whether the library does something by itself: closes a gap, or connects anew."""
    box, sender = client._message_box, client._sender  # noqa: SLF001 - they have no other names
    return bool(box.possible_gaps or box.getting_diff_for or sender._reconnecting)  # noqa: SLF001 - likewise


@contextmanager
def _put(module: ModuleType, name: str, value: object) -> Iterator[None]:
    before = getattr(module, name)  # what is there no more is a defect of this bench
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


class Life:
    """The service from a start to a stop."""

    def __init__(self, running: asyncio.Task[None]) -> None:
        self._running = running

    def check(self) -> None:
        """It goes on."""
        if self._running.done():
            self._running.result()
            raise AssertionError("the service has ended by itself")


@asynccontextmanager
async def living(settings: Settings, clock: SoakClock) -> AsyncIterator[Life]:
    """The whole service, as `vedette run` would run it."""
    stop, begun, mouth = asyncio.Event(), asyncio.Event(), Mouth(show=lambda _: None)
    running = asyncio.create_task(serve(settings, mouth, stop, begun.set, clock=clock.running()))
    try:
        with clock.working():
            beginning = asyncio.create_task(begun.wait())
            await asyncio.wait([running, beginning], return_when=asyncio.FIRST_COMPLETED)
            beginning.cancel()
        yield Life(running)
    finally:
        with clock.working():
            stop.set()
            await running
