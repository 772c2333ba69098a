"""Chats as Telegram has them, a clock on which every sleep is over at once, and a database that says when it rests."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from bot.delivery.deliver import Deliver
from bot.model import Destination, PostId, Username
from bot.ports import Clock, Forward, Lane, Later, Outcome, Outgoing, Refused, Sent, Unknown, Voice
from bot.render.richtext import Message
from bot.storage import notices, outbox
from bot.storage.database import Connection, Database
from bot.storage.outbox import Row, Saying, random_id
from bot.storage.times import to_integer
from bot.voices import Voices
from tests.made import DESK, GROUP, ME, at

T = TypeVar("T")
Retell = Callable[[int], Awaitable[Message | None]]
SECOND = timedelta(seconds=1)
SECRET = b"secret"
BOT, READER = 42, 7
#: A topic of the same forum as `GROUP`, and the same chat as `DESK` by its number.
THREAD = Destination(GROUP.chat, 13)
DESK_ID = Destination(Username("desk_too_demo"))
CHATS = {ME: 7, DESK: -1001000000111, DESK_ID: -1001000000111, GROUP: -1001234567890, THREAD: -1001234567890}
STORY = PostId("-1001000000001", 7)


class Killed(BaseException):
    """The end of the process."""


class Busy(Database):
    """A database that knows whether anything is being done with it, and whose process may end at any of it."""

    busy: int = 0
    fuse: float = float("inf")

    async def write(self, work: Callable[[Connection], T]) -> T:
        with self._one_more():
            return await super().write(work)

    async def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._one_more():
            return await super().rows(sql, parameters)

    @contextmanager
    def _one_more(self) -> Iterator[None]:
        self.busy += 1
        try:
            self._burn()
            yield
            self._burn()
        finally:
            self.busy -= 1

    def _burn(self) -> None:
        self.fuse -= 1
        if self.fuse < 0:
            raise Killed


class Steps:
    """Time that passes only when everybody sleeps, and then at once to the next who wakes."""

    def __init__(self, database: Busy, start: datetime | None = None) -> None:
        self.time = start or at()
        self._database = database
        self._sleeping: list[tuple[datetime, int, asyncio.Event]] = []
        self._numbers = count()
        self._driver: asyncio.Task[None] | None = None

    def now(self) -> datetime:
        return self.time

    async def sleep(self, pause: timedelta) -> None:
        sleeper = self.time + max(pause, timedelta()), next(self._numbers), asyncio.Event()
        heapq.heappush(self._sleeping, sleeper)
        if self._driver is None or self._driver.done():
            self._driver = asyncio.create_task(self._drive())
        try:
            await sleeper[2].wait()
        finally:
            if sleeper in self._sleeping:
                self._sleeping.remove(sleeper)
                heapq.heapify(self._sleeping)

    async def _drive(self) -> None:
        while self._sleeping:
            quiet = 0
            while quiet < 6:
                await asyncio.sleep(0.0005 if self._database.busy else 0)
                quiet = 0 if self._database.busy else quiet + 1
            if self._sleeping:
                moment, _, awake = heapq.heappop(self._sleeping)
                self.time = max(self.time, moment)
                awake.set()


@dataclass
class Telegram:
    """What stands in the chats, by who sent it and ``random_id``: a repeat changes nothing.

    ``answers``: what is answered next, and whether the request is carried out all the same; then everything is.
    ``served``: moment, chat and weight of every request that came in. ``slow``: how long one may take.
    """

    clock: Clock
    answers: list[tuple[Outcome | Exception, bool]] = field(default_factory=list)
    slow: Callable[[], timedelta] = timedelta
    refusing: set[Destination] = field(default_factory=set)
    stands: dict[tuple[int, int], Outgoing] = field(default_factory=dict)
    numbers: dict[tuple[int, int], int] = field(default_factory=dict)
    reads: dict[tuple[int, int], Message] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    served: list[tuple[datetime, int, int]] = field(default_factory=list)
    edits: list[tuple[datetime, str]] = field(default_factory=list)
    under_way: dict[int, int] = field(default_factory=dict)
    most: int = 0

    async def serve(self, account: int, outgoing: Outgoing) -> Outcome:
        chat = CHATS[outgoing.destination]
        self.under_way[chat] = self.under_way.get(chat, 0) + 1
        assert self.under_way[chat] == 1, "one request under way per chat"
        self.most = max(self.most, sum(self.under_way.values()))
        try:
            took = self.slow()
            if took:
                await self.clock.sleep(took / 2)
            answer = self._carry_out(account, outgoing, chat)
            if took:
                await self.clock.sleep(took / 2)
        finally:
            self.under_way[chat] -= 1
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _carry_out(self, account: int, outgoing: Outgoing, chat: int) -> Outcome | Exception:
        key = account, outgoing.random_id
        self.asked.append(outgoing.message.text)
        self.served.append((self.clock.now(), chat, outgoing.weight))
        number = self.numbers.setdefault(key, len(self.numbers) + 1)
        answer, through = self.answers.pop(0) if self.answers else (Sent(number), True)
        if outgoing.destination in self.refusing:
            answer, through = Refused("CHAT_WRITE_FORBIDDEN"), False
        if not through:
            return answer
        if outgoing.edits is None:
            self.stands.setdefault(key, outgoing)
            self.reads.setdefault(key, outgoing.message)
        else:
            assert outgoing.edits == number
            self.reads[key] = outgoing.message
            self.edits.append((self.clock.now(), outgoing.message.text))
        return Sent(number, answer.instead) if isinstance(answer, Sent) else answer

    @property
    def texts(self) -> list[str]:
        """First texts of what stands there, in its order."""
        return [outgoing.message.text for outgoing in self.stands.values()]

    def in_a_minute(self) -> int:
        """How many messages and edits a chat got in the fullest minute."""
        return max(
            sum(n for moment, chat, n in self.served if chat == there and first <= moment <= first + 60 * SECOND)
            for first, there, _ in self.served
        )


@dataclass
class Account:
    """A `bot.ports.Sender`. ``lost``: what is answered when it is asked for a chat."""

    telegram: Telegram
    account: int = BOT
    lost: dict[Destination, list[Later | Refused | Unknown]] = field(default_factory=dict)
    looked_up: list[Destination] = field(default_factory=list)

    async def chat(self, destination: Destination) -> int | Later | Refused | Unknown:
        self.looked_up.append(destination)
        answers = self.lost.get(destination)
        return answers.pop(0) if answers else CHATS[destination]

    async def send(self, outgoing: Outgoing) -> Outcome:
        return await self.telegram.serve(self.account, outgoing)


def voices(speaker: Account | None, reader: Account | None = None) -> Voices:
    """A bot and a reader, or, where there is no reader, one account for both."""
    both = Voices(bot=reader is not None)
    both.speaks(Voice.READER, reader or speaker)
    both.speaks(Voice.SPEAKER, speaker)
    return both


def row(text: str, lane: Lane = Lane.ALERT, to: Destination = DESK, *, story: PostId | None = None) -> Row:
    says = () if story is None else (Saying(story, -1001000000001, 7, ("syria",), urgent=False, edited=False),)
    return Row(text, to, lane, Message(text), at(), random_id(SECRET, text), says=says)


def album(text: str, posts: int) -> Row:
    numbers = tuple(range(1, posts + 1))
    forward = Forward(
        channel=-1001000000001, username="alfa_demo", numbers=numbers, random_ids=numbers, excerpt=Message("excerpt")
    )
    return row(text)._replace(forward=forward)


async def put(database: Database, *rows: Row) -> None:
    await database.write(lambda c: outbox.add(c, rows))


async def as_it_stands(_: int) -> None:
    """No message reads otherwise by now."""


def deliver_of(
    database: Database,
    clock: Clock,
    who: Voices,
    retell: Retell = as_it_stands,
    told: Callable[[], None] = lambda: None,
) -> Deliver:
    return Deliver(database, who, clock, secret=SECRET, retell=retell, told=told)


@asynccontextmanager
async def running(deliver: Deliver) -> Any:
    loop = asyncio.create_task(deliver.run())
    try:
        yield
        if loop.done():
            await loop
    finally:
        loop.cancel()
        await asyncio.wait([loop])


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110 - it waits for what another connection commits
            await asyncio.sleep(0.001)


async def drained(database: Database) -> bool:
    """Whether nothing waits, to be sent, tried again or edited."""
    never = to_integer(at(60 * 24 * 365))
    sql = "SELECT 1 FROM outbox WHERE state != 'sent' AND not_before < ? OR state = 'sent' AND changed IS NOT NULL"
    return not await database.rows(sql, (never,))


async def until_asked(  # noqa: PLR0913, PLR0917 - one argument a part
    database: Database, clock: Clock, who: Voices, telegram: Telegram, times: int, retell: Retell = as_it_stands
) -> None:
    """The service runs until so many requests came in, and ends."""

    async def asked() -> bool:
        return len(telegram.asked) >= times

    async with running(deliver_of(database, clock, who, retell)):
        await until(asked)


async def deliver_all(database: Database, clock: Steps, who: Voices, **options: Any) -> None:
    async with running(deliver_of(database, clock, who, **options)):
        await until(lambda: drained(database))


def chosen(chance: random.Random) -> Iterator[tuple[Outcome | Exception, bool]]:
    """Answers by chance: waits, none at all, with and without the request having been carried out."""
    for _ in range(chance.randrange(15)):
        answer: Outcome | Exception = chance.choice(
            (
                Later(chance.random() * 100 * SECOND, "SLOWMODE_WAIT"),
                Later(chance.random() * 30 * SECOND, "FLOOD_WAIT", everywhere=True),
                Unknown("timeout"),
                Unknown("RANDOM_ID_DUPLICATE"),
                OSError("gone"),
                Sent(1),
            )
        )
        yield answer, isinstance(answer, Sent) or (not isinstance(answer, Later) and chance.random() < 0.5)


async def noted(database: Database) -> list[str]:
    """What the operators have to be told, oldest first."""
    return [each.notice.what for each in await notices.untold(database)]
