"""Every message stands where it should, once, whatever ends the process and whatever is answered."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import textwrap
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import ChatId, Destination
from bot.pacing import MOST
from bot.ports import Lane, Later, Outcome, Outgoing, Refused, Unknown, Voice
from bot.storage import outbox
from bot.storage.database import Database
from bot.storage.outbox import random_id
from tests.clocks import HandClock
from tests.delivering import (
    BOT,
    DESK_ID,
    READER,
    SECOND,
    SECRET,
    THREAD,
    Account,
    Busy,
    Killed,
    Steps,
    Telegram,
    album,
    chosen,
    deliver_all,
    deliver_of,
    drained,
    put,
    row,
    running,
    until,
    until_asked,
    voices,
)
from tests.made import DESK, GROUP, ME, at

#: Each of them opens a database several times over.
cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "150")) // 5, deadline=None)


# --- order ------------------------------------------------------------------------------------------------


async def test_everything_is_sent_the_most_urgent_first(database: Busy, clock: Steps, telegram: Telegram) -> None:
    await put(database, row("digest", Lane.DIGEST), row("alert"), row("second"), row("edit", Lane.EDIT))
    await put(database, row("notice", Lane.NOTICE), row("urgent", Lane.URGENT))
    await deliver_all(database, clock, voices(Account(telegram)))
    assert telegram.asked == ["urgent", "alert", "second", "notice", "digest", "edit"]
    assert await database.rows("SELECT DISTINCT state, chat, account, tries FROM outbox") == [
        ("sent", -1001000000111, BOT, 1)
    ]


async def test_chats_are_served_side_by_side(database: Busy, clock: Steps, telegram: Telegram) -> None:
    telegram.slow = lambda: SECOND
    await put(database, *(row(f"{to} {n}", to=to) for to in (ME, DESK, GROUP) for n in range(3)))
    await deliver_all(database, clock, voices(Account(telegram)))
    assert (telegram.most, clock.time) == (3, at() + 3 * SECOND)


async def test_several_destinations_of_one_chat_take_turns(database: Busy, clock: Steps, telegram: Telegram) -> None:
    telegram.slow = lambda: SECOND
    for n in range(3):
        await put(database, row(f"desk {n}"), row(f"by number {n}", to=DESK_ID))
    await deliver_all(database, clock, voices(Account(telegram)))
    assert telegram.asked == [f"{which} {n}" for n in range(3) for which in ("desk", "by number")]
    assert telegram.most == 1


async def test_chats_that_take_long_to_be_found_hold_up_no_other(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    class Slow(Account):
        async def chat(self, destination: Destination) -> int | Later | Refused | Unknown:
            if destination != DESK:
                await clock.sleep(100 * SECOND)
            return await super().chat(DESK)

    account = Slow(telegram)
    places = [Destination(ChatId(-number)) for number in range(1, 51)]
    await put(database, *(row(str(to), Lane.URGENT, to) for to in places), row("one"))
    async with running(deliver_of(database, clock, voices(account))):
        await until(lambda: is_sent(database, 51))
    assert telegram.asked[0] == "one"


async def is_sent(database: Database, id_: int) -> bool:
    return await database.rows("SELECT state FROM outbox WHERE id = ?", (id_,)) == [("sent",)]


async def test_a_chat_is_asked_for_once_a_destination(database: Busy, clock: Steps, telegram: Telegram) -> None:
    account = Account(telegram)
    await put(database, row("one"), row("two"), row("three", to=THREAD))
    await deliver_all(database, clock, voices(account))
    assert account.looked_up == [DESK, THREAD]


async def test_what_is_added_later_is_sent_when_the_loop_is_woken(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    deliver = deliver_of(database, clock, voices(Account(telegram)))
    async with running(deliver):
        await asyncio.sleep(0.05)
        for text in ("one", "two"):
            await put(database, row(text))
            deliver.wake()
            await until(lambda: drained(database))
    assert telegram.texts == ["one", "two"]


async def test_without_anybody_who_speaks_messages_wait(database: Busy, clock: Steps, telegram: Telegram) -> None:
    who = voices(None)
    deliver = deliver_of(database, clock, who)
    who.changed = deliver.wake
    await put(database, row("one"))
    async with running(deliver):
        await asyncio.sleep(0.05)
        assert telegram.asked == []
        who.speaks(Voice.SPEAKER, Account(telegram))
        await until(lambda: drained(database))
    assert telegram.texts == ["one"]


async def test_what_the_reader_is_to_say_the_reader_says(database: Busy, clock: Steps, telegram: Telegram) -> None:
    await put(database, row("one"), row("two")._replace(voice=Voice.READER))
    await deliver_all(database, clock, voices(Account(telegram), Account(telegram, READER)))
    assert {text: account for (account, _), text in zip(telegram.stands, telegram.texts, strict=True)} == {
        "one": BOT,
        "two": READER,
    }


async def test_what_is_taken_back_meanwhile_is_not_sent(database: Busy, clock: Steps, telegram: Telegram) -> None:
    class Hesitating(Account):
        async def chat(self, destination: Destination) -> int | Later | Refused | Unknown:
            await database.write(lambda c: outbox.refuse(c, 1, "taken back"))
            await database.write(lambda c: outbox.refuse(c, 2, "taken back"))
            return await super().chat(destination)

    refused = {ME: [Refused("not started")]}
    await put(database, row("one"), row("two", Lane.NOTICE, ME), row("three"))
    await deliver_all(database, clock, voices(Hesitating(telegram, lost=dict(refused))))  # type: ignore[arg-type]
    assert telegram.asked == ["three"]
    assert {letter.why for letter in await outbox.refused(database, 5)} == {"taken back"}


# --- pace -------------------------------------------------------------------------------------------------


async def test_a_chat_gets_twenty_messages_a_minute_and_others_do_not_wait(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    await put(database, *(row(str(n), to=(DESK, DESK_ID)[n % 2]) for n in range(45)), row("elsewhere", to=ME))
    await deliver_all(database, clock, voices(Account(telegram)))
    assert telegram.in_a_minute() == MOST
    assert clock.time == at() + 122 * SECOND
    assert [moment for moment, chat, _ in telegram.served if chat == 7] == [at()]


async def test_what_was_sent_before_a_restart_counts(database: Busy, clock: Steps, telegram: Telegram) -> None:
    for start in (0, 15):
        await put(database, *(row(str(n)) for n in range(start, start + 15)))
        await deliver_all(database, clock, voices(Account(telegram)))
    assert telegram.in_a_minute() == MOST


async def test_what_is_urgent_goes_first_when_there_is_room_again(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    await put(database, *(row(str(n)) for n in range(MOST + 1)))
    deliver = deliver_of(database, clock, voices(Account(telegram)))

    async def full() -> bool:
        if len(telegram.asked) == MOST:
            await put(database, row("urgent", Lane.URGENT))
            deliver.wake()
            return True
        return False

    async with running(deliver):
        await until(full)
        await until(lambda: drained(database))
    assert telegram.asked[MOST:] in (["urgent", "20"], ["20", "urgent"])  # it may have come a moment too late
    assert telegram.in_a_minute() == MOST


async def test_an_album_that_is_forwarded_counts_with_all_its_posts(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    await put(database, album("one", 10), album("two", 10), row("three"), album("enormous", 30))
    await deliver_all(database, clock, voices(Account(telegram)))
    assert telegram.texts == ["one", "two", "three", "enormous"]
    assert [weight for _, _, weight in telegram.served] == [11, 11, 1, 31]
    first, second, third, fourth = (moment - at() for moment, _, _ in telegram.served)
    assert (first, second, third, fourth) == (timedelta(), 61 * SECOND, 61 * SECOND, 122 * SECOND)


# --- the end of the process -------------------------------------------------------------------------------


async def killed_at(folder: Path, fuse: float, telegram: Telegram) -> bool:
    """Runs the service until it is killed at that step, or done. True: it was killed."""
    async with Busy.opened(folder) as database:
        assert isinstance(database, Busy)
        clock = Steps(database, telegram.clock.now())
        telegram.clock = clock
        telegram.under_way.clear()
        deliver = deliver_of(database, clock, voices(Account(telegram)))
        database.fuse = fuse
        loop = asyncio.create_task(deliver.run())
        try:
            async with Database.opened(folder) as looking, asyncio.timeout(20):
                while not loop.done() and not await drained(looking):  # noqa: ASYNC110 - another connection commits
                    await asyncio.sleep(0.001)
        finally:
            database.fuse = float("inf") if not loop.done() else fuse
            loop.cancel()
            await asyncio.wait([loop])
        return not loop.cancelled() and isinstance(loop.exception(), Killed)


def a_telegram(database: Busy) -> Telegram:
    return Telegram(Steps(database))


async def test_a_crash_before_or_after_any_step_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    for fuse in range(60):
        folder = tmp_path / str(fuse)
        folder.mkdir()
        async with Busy.opened(folder) as database:
            assert isinstance(database, Busy)
            await put(database, row("one"), row("two"), row("elsewhere", to=ME))
            telegram = a_telegram(database)
        was_killed = await killed_at(folder, fuse, telegram)
        assert not await killed_at(folder, float("inf"), telegram)
        assert sorted(telegram.texts) == ["elsewhere", "one", "two"]
        assert telegram.texts.index("one") < telegram.texts.index("two")
        assert len(telegram.asked) <= 5
        if not was_killed:
            break
    assert fuse > 20


@pytest.mark.fuzz
@cases
@given(seed=st.integers(0, 2**32))
def test_whatever_happens_each_message_stands_there_once_and_in_order_and_no_chat_gets_too_many(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - seeded, not secret
    places = [DESK, DESK_ID, GROUP, THREAD, ME]
    rows = [row(f"{n}", chance.choice(list(Lane)), chance.choice(places)) for n in range(chance.randrange(5, 60))]

    async def trial() -> Telegram:
        folder = tmp_path_factory.mktemp("trial")
        async with Busy.opened(folder) as database:
            assert isinstance(database, Busy)
            await put(database, *rows)
            telegram = a_telegram(database)
        telegram.answers = list(chosen(chance))
        telegram.slow = lambda: chance.choice((0, 0, 0.1, 1, 10)) * chance.random() * SECOND
        fuses = [chance.randrange(3, 200) for _ in range(chance.randrange(6))]
        for fuse in (*fuses, float("inf")):
            await killed_at(folder, fuse, telegram)
        return telegram

    telegram = asyncio.run(trial())
    assert sorted(telegram.texts) == sorted(one.message.text for one in rows)
    assert telegram.in_a_minute() <= MOST
    for lane in Lane:
        for to in places:
            stands = [o.message.text for o in telegram.stands.values() if (o.lane, o.destination) == (lane, to)]
            assert stands == [one.message.text for one in rows if (one.lane, one.destination) == (lane, to)]


KILLED = """
    import asyncio, os, signal, sys
    from pathlib import Path
    from bot.clock import SystemClock
    from bot.delivery.deliver import Deliver
    from bot.ports import Sent, Voice
    from bot.storage.database import Database
    from bot.voices import Voices

    folder, moment = Path(sys.argv[1]), sys.argv[2]

    class Sender:
        account = 42

        async def chat(self, destination):
            return -7

        async def send(self, outgoing):
            if moment == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            with (folder / "chat").open("a") as chat:
                chat.write(f"{outgoing.random_id} {outgoing.message.text}\\n")
            if moment == "after":
                os.kill(os.getpid(), signal.SIGKILL)
            return Sent(1)

    async def as_it_stands(_):
        pass

    async def main():
        voices = Voices(bot=False)
        voices.speaks(Voice.SPEAKER, Sender())
        async with SystemClock.running() as clock, Database.opened(folder) as database:
            async with asyncio.timeout(0.3):
                await Deliver(database, voices, clock, secret=b"", retell=as_it_stands).run()

    try:
        asyncio.run(main())
    except TimeoutError:
        pass
"""


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_nothing_is_lost_with_kill_9(database: Busy, tmp_path: Path, moment: str) -> None:
    """A real process, a real signal: the message is printed, and twice only under the same number."""
    await put(database, row("one"))
    script = textwrap.dedent(KILLED)
    ends = [
        subprocess.run([sys.executable, "-c", script, str(tmp_path), when], check=False, capture_output=True)  # noqa: ASYNC221 - nothing else runs
        for when in (moment, "never")
    ]
    assert [end.returncode for end in ends] == [-signal.SIGKILL, 0], ends[1].stderr
    printed = (tmp_path / "chat").read_text().splitlines()
    assert printed == [f"{random_id(SECRET, 'one')} one"] * (2 if moment == "after" else 1)
    assert await drained(database)


async def test_a_request_that_is_under_way_when_the_service_stops_comes_to_its_end(
    database: Busy, telegram: Telegram
) -> None:
    async def took() -> None:
        await asyncio.sleep(0.1)

    class Slow(Account):
        async def send(self, outgoing: Outgoing) -> Outcome:
            telegram.asked.append("begun")
            await took()
            return await super().send(outgoing)

    await put(database, row("one"), row("two"))
    await until_asked(database, HandClock(), voices(Slow(telegram)), telegram, 1)
    assert await database.rows("SELECT state FROM outbox ORDER BY id") == [("sent",), ("waits",)]
