"""Every message stands where it should, once, whatever ends the process and whatever is answered."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.deliver import Deliver
from bot.model import Destination, Notice
from bot.ports import Lane, Later, Outcome, Outgoing, Refused, Sent, Unknown
from bot.render.richtext import Message
from bot.storage import notices, outbox
from bot.storage.database import Connection, Database
from bot.storage.outbox import Row, random_id
from tests.made import DESK, GROUP, ME, at

T = TypeVar("T")
SECOND = timedelta(seconds=1)
#: Each of them opens a database several times over.
cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "150")) // 5, deadline=None)


class Steps:
    """A clock on which every sleep is over at once, and the time has passed."""

    def __init__(self) -> None:
        self.time = at()

    def now(self) -> datetime:
        return self.time

    async def sleep(self, pause: timedelta) -> None:
        self.time += max(pause, timedelta())
        await asyncio.sleep(0)


class Chats:
    """What stands in the chats. Knows ``random_id`` as Telegram does: a repeat changes nothing.

    ``answers``: what is answered next, and whether the message gets through all the same; then everything does.
    """

    def __init__(self, *answers: tuple[Outcome | Exception, bool]) -> None:
        self.stands: dict[int, Outgoing] = {}
        self.asked: list[str] = []
        self.answers = list(answers)

    async def send(self, outgoing: Outgoing) -> Outcome:
        self.asked.append(outgoing.message.text)
        answer, gets_through = self.answers.pop(0) if self.answers else (Sent(7), True)
        if gets_through:
            self.stands.setdefault(outgoing.random_id, outgoing)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def texts(self) -> list[str]:
        return [outgoing.message.text for outgoing in self.stands.values()]


class Killed(BaseException):
    """The end of the process."""


class Doomed(Database):
    """A database whose process is killed before or after its nth write."""

    fuse: float = float("inf")

    async def write(self, work: Callable[[Connection], T]) -> T:
        self._burn()
        result = await super().write(work)
        self._burn()
        return result

    async def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        self._burn()
        return await super().rows(sql, parameters)

    def _burn(self) -> None:
        self.fuse -= 1
        if self.fuse < 0:
            raise Killed


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.opened(tmp_path) as opened:
        yield opened


def row(text: str, lane: Lane = Lane.ALERT, to: Destination = DESK) -> Row:
    return Row(text, to, lane, random_id(b"secret", text), text, (), None, None, at())


async def put(database: Database, *rows: Row) -> None:
    await database.write(lambda c: outbox.add(c, rows))


@asynccontextmanager
async def running(deliver: Deliver) -> AsyncIterator[None]:
    loop = asyncio.create_task(deliver.run())
    try:
        yield
    finally:
        loop.cancel()
        await asyncio.wait([loop])
    assert loop.cancelled()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110 - it waits for what another connection commits
            await asyncio.sleep(0.001)


async def drained(database: Database) -> bool:
    depth = await outbox.depth(database)
    return depth["waits"] == depth["tried"] == 0


async def deliver_all(database: Database, chats: Chats, clock: Steps | None = None) -> None:
    async with running(Deliver(database, chats, clock or Steps())):
        await until(lambda: drained(database))


async def test_everything_is_sent_the_most_urgent_first(database: Database) -> None:
    await put(database, row("digest", Lane.DIGEST), row("alert"), row("urgent", Lane.URGENT), row("second", to=ME))
    chats = Chats()
    await deliver_all(database, chats)
    assert chats.asked == ["urgent", "alert", "second", "digest"]
    assert await database.rows("SELECT DISTINCT state, number, tries FROM outbox") == [("sent", 7, 1)]


async def test_what_is_added_later_is_sent_when_the_loop_is_woken(database: Database) -> None:
    chats = Chats()
    deliver = Deliver(database, chats, Steps())
    async with running(deliver):
        await asyncio.sleep(0.05)
        for text in ("one", "two"):
            await put(database, row(text))
            deliver.wake()
            await until(lambda: drained(database))
    assert chats.texts == ["one", "two"]


async def test_what_telegram_asks_to_wait_for_is_waited_for(database: Database) -> None:
    await put(database, row("one"), row("two"), row("elsewhere", to=ME))
    clock = Steps()
    chats = Chats((Later(90 * SECOND, "FLOOD_WAIT"), False))
    await deliver_all(database, chats, clock)
    assert chats.texts == ["elsewhere", "one", "two"]
    assert clock.time == at(1.5)


async def test_what_was_not_answered_is_repeated_after_ten_seconds(database: Database) -> None:
    await put(database, row("one"), row("two"))
    clock = Steps()
    chats = Chats((Unknown("timeout"), True), (Unknown("timeout"), True))
    await deliver_all(database, chats, clock)
    assert chats.asked == ["one", "one", "one", "two"]
    assert chats.texts == ["one", "two"]
    assert clock.time == at() + 20 * SECOND


@pytest.mark.parametrize("gets_through", [True, False])
async def test_a_sender_that_raises_has_given_no_answer(database: Database, gets_through: bool) -> None:  # noqa: FBT001
    await put(database, row("one"))
    chats = Chats((ValueError("it broke while sending: one"), gets_through))
    await deliver_all(database, chats)
    assert chats.asked == ["one", "one"]
    assert chats.texts == ["one"]


async def test_what_is_refused_is_not_tried_again_and_the_operators_hear_of_it_once(database: Database) -> None:
    await put(database, row("one"), row("two"), row("three"))
    refusal = (Refused("CHAT_WRITE_FORBIDDEN"), False)
    told: list[Message] = []
    chats = Chats(refusal, refusal)
    async with running(Deliver(database, chats, Steps(), tell=told.append)):
        await until(lambda: drained(database))
        await until(lambda: is_told(database))
    assert chats.texts == ["three"]
    assert [message.text for message in told] == ["@\u2060desk_demo refuses messages: CHAT_WRITE_FORBIDDEN"]


async def is_told(database: Database) -> bool:
    return not await notices.untold(database)


async def test_a_place_that_refuses_again_after_it_has_taken_messages_is_told_of_again(database: Database) -> None:
    await put(database, row("one"), row("two"), row("three"))
    refusal = (Refused("CHAT_WRITE_FORBIDDEN"), False)
    await deliver_all(database, Chats(refusal, (Sent(1), True), refusal))
    assert [noted.subject for noted in await notices.untold(database)] == ["destination @desk_demo"] * 2


async def test_notices_are_told_in_their_order_and_once(database: Database) -> None:
    for what in ("first", "second"):
        await note(database, what)
    told: list[Message] = []
    for _ in range(2):
        async with running(Deliver(database, Chats(), Steps(), tell=told.append)):
            await until(lambda: is_told(database))
    assert [message.text for message in told] == ["first", "second"]


async def note(database: Database, what: str) -> None:
    await database.write(lambda c: notices.tell(c, what, Notice(what), at()))


async def test_without_somebody_to_tell_notices_stay_untold(database: Database) -> None:
    await note(database, "first")
    await put(database, row("one"))
    await deliver_all(database, Chats())
    assert not await is_told(database)


async def killed_at(folder: Path, fuse: float, chats: Chats) -> bool:
    """Whether the process was killed before all was done."""
    async with Doomed.opened(folder) as database:
        assert isinstance(database, Doomed)
        database.fuse = fuse
        loop = asyncio.create_task(Deliver(database, chats, Steps()).run())
        async with Database.opened(folder, writable=False) as beside:
            await until(lambda: done_or_drained(loop, beside))
        loop.cancel()
        await asyncio.wait([loop])
        return not loop.cancelled() and isinstance(loop.exception(), Killed)


async def done_or_drained(loop: asyncio.Task[None], database: Database) -> bool:
    return loop.done() or await drained(database)


async def test_a_process_may_be_killed_around_any_step(tmp_path: Path) -> None:
    """Claim, send, confirm: at each of them it ends, and the next process finds what is to be done."""
    for fuse in range(30):
        folder = tmp_path / str(fuse)
        folder.mkdir()
        async with Database.opened(folder) as database:
            await put(database, row("one"), row("two"), row("elsewhere", to=ME))
        chats = Chats()
        was_killed = await killed_at(folder, fuse, chats)
        async with Database.opened(folder) as database:
            await deliver_all(database, chats)
        assert chats.texts == ["one", "two", "elsewhere"]
        assert len(chats.asked) <= 4
        if not was_killed:
            break
    assert fuse > 12


def answers(chance: random.Random) -> Iterator[tuple[Outcome | Exception, bool]]:
    for _ in range(chance.randrange(12)):
        outcomes: list[Outcome | Exception] = [
            Later(chance.random() * 100 * SECOND, "FLOOD_WAIT"),
            Unknown("timeout"),
            OSError("gone"),
            Sent(1),
        ]
        answer = chance.choice(outcomes)
        yield answer, isinstance(answer, Sent) or (not isinstance(answer, Later) and chance.random() < 0.5)


@pytest.mark.fuzz
@cases
@given(seed=st.integers(0, 2**32))
def test_whatever_happens_each_message_stands_there_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - seeded, not secret
    rows = [row(f"{n}", chance.choice(list(Lane)), chance.choice([DESK, GROUP, ME])) for n in range(8)]
    chats = Chats(*answers(chance))

    async def trial() -> None:
        folder = tmp_path_factory.mktemp("trial")
        async with Database.opened(folder) as database:
            await put(database, *rows)
        while await killed_at(folder, chance.randrange(3, 40), chats):
            pass

    asyncio.run(trial())
    assert sorted(chats.texts) == sorted(one.text for one in rows)
    for lane in Lane:
        for to in (DESK, GROUP, ME):
            stands = [o.message.text for o in chats.stands.values() if (o.lane, o.destination) == (lane, to)]
            assert stands == [one.text for one in rows if (one.lane, one.destination) == (lane, to)]


KILLED = """
    import asyncio, os, signal, sys
    from datetime import timedelta
    from pathlib import Path
    from bot.clock import SystemClock
    from bot.deliver import Deliver
    from bot.ports import Sent
    from bot.storage.database import Database

    folder, moment = Path(sys.argv[1]), sys.argv[2]

    class Sender:
        async def send(self, outgoing):
            if moment == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            with (folder / "chat").open("a") as chat:
                chat.write(f"{outgoing.random_id} {outgoing.message.text}\\n")
            if moment == "after":
                os.kill(os.getpid(), signal.SIGKILL)
            return Sent(1)

    async def main():
        async with SystemClock.running() as clock, Database.opened(folder) as database:
            async with asyncio.timeout(0.3):
                await Deliver(database, Sender(), clock).run()

    try:
        asyncio.run(main())
    except TimeoutError:
        pass
"""


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_nothing_is_lost_with_kill_9(database: Database, tmp_path: Path, moment: str) -> None:
    """A real process, a real signal: the message is printed, and twice only under the same number."""
    await put(database, row("one"))
    script = textwrap.dedent(KILLED)
    ends = [
        subprocess.run([sys.executable, "-c", script, str(tmp_path), when], check=False, capture_output=True)  # noqa: ASYNC221 - nothing else runs
        for when in (moment, "never")
    ]
    assert [end.returncode for end in ends] == [-signal.SIGKILL, 0], ends[1].stderr
    printed = (tmp_path / "chat").read_text().splitlines()
    assert printed == [f"{random_id(b'secret', 'one')} one"] * (2 if moment == "after" else 1)
    assert await drained(database)
