"""Who waits for an answer waits no longer than is good, whatever becomes of the process and its clock."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from bot.delivery.turns import ENDLESS
from bot.model import ChatId, Destination
from bot.pacing import CALL
from bot.ports import Lane, Later, Outcome, Outgoing, Refused, Sent, Unknown
from bot.storage import attempts
from bot.storage.database import Database
from tests.clocks import HandClock
from tests.delivering import (
    DESK_ID,
    SECOND,
    Account,
    Busy,
    Steps,
    Telegram,
    album,
    deliver_all,
    deliver_of,
    drained,
    noted,
    put,
    row,
    running,
    until,
    until_asked,
    voices,
)
from tests.made import DESK, at

# --- no answer, for long ----------------------------------------------------------------------------------


class Broken(Account):
    """To one message there is never an answer."""

    async def send(self, outgoing: Outgoing) -> Outcome:
        return Unknown("timeout") if outgoing.message.text == "bad" else await super().send(outgoing)


async def test_of_a_message_without_an_answer_the_operators_hear_and_after_a_day_it_is_given_up(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    await put(database, row("bad")._replace(made=at(20 - 24 * 60)), row("one"), row("two"), row("urgent", Lane.URGENT))
    await tried(database, ENDLESS - 5)
    await deliver_all(database, clock, voices(Broken(telegram)))
    assert telegram.texts == ["urgent", "one", "two"]
    assert at(20) <= clock.time < at(25)
    await put(database, row("three"))
    await deliver_all(database, clock, voices(Account(telegram)))
    assert await noted(database) == [
        "@desk_demo has given no answer for ten minutes; it is tried again and again.",
        "A message to @desk_demo is not sent again: it may have been sent, and there was no answer to it for a day.",
        "@desk_demo takes messages again.",
    ]


async def test_where_there_is_no_answer_to_anything_nothing_is_given_up(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    telegram.answers = [(Unknown("timeout"), False)] * 20
    await put(database, *(row(text)._replace(made=at(-24 * 60)) for text in ("one", "two")))
    await tried(database, ENDLESS - 5)
    await deliver_all(database, clock, voices(Account(telegram)))
    assert sorted(telegram.texts) == ["one", "two"]
    assert telegram.asked.count("two") > 1


async def tried(database: Database, times: int) -> None:
    """The first message was."""
    await database.write(lambda c: c.execute("UPDATE outbox SET tries = ? WHERE id = 1", (times,)))


async def test_of_a_destination_that_is_asked_for_in_vain_the_operators_hear(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    account = Account(telegram, lost={DESK: [Unknown("timeout")] * 20})
    await put(database, row("one"))
    await deliver_all(database, clock, voices(account))
    assert await noted(database) == [
        "@desk_demo has given no answer for ten minutes; it is tried again and again.",
        "@desk_demo takes messages again.",
    ]


class Hanging(Account):
    """Some chats give no answer; who asks has waited for half a minute then. ``took``: when the others took what."""

    def __init__(self, telegram: Telegram, clock: Steps) -> None:
        super().__init__(telegram)
        self.clock = clock
        self.took: dict[str, datetime] = {}
        self.most = self._hang = 0

    async def chat(self, destination: Destination) -> int:
        assert isinstance(destination.chat, ChatId)
        return destination.chat.id

    async def send(self, outgoing: Outgoing) -> Outcome:
        if outgoing.message.text != "hangs":
            self.took[outgoing.message.text] = self.clock.now()
            return Sent(1)
        self._hang += 1
        self.most = max(self.most, self._hang)
        await self.clock.sleep(CALL)
        self._hang -= 1
        return Unknown("timeout")


async def test_chats_that_hang_take_no_place_of_those_that_answer(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    account, well = Hanging(telegram, clock), Destination(ChatId(-1001))
    hanging = {number: Destination(ChatId(number)) for number in range(-2040, -2000)}
    await put(database, *(row("hangs", to=to)._replace(key=str(to), random_id=id_) for id_, to in hanging.items()))
    deliver = deliver_of(database, clock, voices(account))
    expected: dict[str, datetime] = {}

    async def took() -> bool:
        return account.took.keys() == expected.keys()

    async with running(deliver):
        for seconds in (45, 75, 105):
            moment = at() + seconds * SECOND
            await clock.sleep(moment - clock.now())
            expected[f"at {seconds}"] = moment
            await put(database, row(f"at {seconds}", to=well))
            deliver.wake()
            await until(took)
    assert account.most == 30
    assert account.took == expected


# --- clocks and restarts ----------------------------------------------------------------------------------


async def test_a_wait_for_what_may_have_been_sent_holds_up_its_chat_across_a_restart(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    telegram.answers = [(Later(600 * SECOND, "SLOWMODE_WAIT"), False)]
    await put(database, album("forwarded", 1))
    await until_asked(database, HandClock(), voices(Account(telegram)), telegram, 1)
    await put(database, row("urgent", Lane.URGENT, DESK_ID))
    await deliver_all(database, clock, voices(Account(telegram)))
    assert [moment for moment, _, _ in telegram.served] == [at(), at(10), at(10)]


async def test_a_wait_for_a_name_is_waited_for_across_a_restart(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    account = Account(telegram, lost={DESK: [Later(600 * SECOND, "FLOOD_WAIT")]})
    await put(database, row("one"), row("urgent", Lane.URGENT))

    async def held() -> bool:
        return bool(await database.rows("SELECT 1 FROM hold"))

    async with running(deliver_of(database, HandClock(), voices(account))):
        await until(held)
    await deliver_all(database, clock, voices(account))
    assert account.looked_up == [DESK] * 2
    assert [moment for moment, _, _ in telegram.served] == [at(10)] * 2


@pytest.mark.parametrize(
    "answer",
    [
        Later(5 * SECOND, "FLOOD_WAIT", everywhere=True),
        Later(5 * SECOND, "SLOWMODE_WAIT"),
        Unknown("timeout"),
        Refused("CHAT_WRITE_FORBIDDEN"),
    ],
)
async def test_who_waits_waits_no_longer_when_the_clock_is_put_back(
    database: Busy, clock: Steps, telegram: Telegram, answer: Outcome
) -> None:
    telegram.answers = [(answer, False)]
    ahead = HandClock()
    ahead.set(at(60 * 24 * 100))
    await put(database, row("one")._replace(made=ahead.now()))
    await until_asked(database, ahead, voices(Account(telegram)), telegram, 1)
    await deliver_all(database, clock, voices(Account(telegram)))
    assert telegram.texts == ["one"]
    assert clock.time <= at(10)


async def test_who_waits_waits_no_longer_when_the_clock_is_put_back_meanwhile(
    database: Busy, telegram: Telegram
) -> None:
    clock = HandClock()
    clock.set(at(60 * 24 * 365))
    telegram.clock = clock
    telegram.answers = [(Later(5 * SECOND, "FLOOD_WAIT", everywhere=True), False)]
    await put(database, row("one"))
    deliver = deliver_of(database, clock, voices(Account(telegram)))

    async def rests() -> bool:
        return bool(await database.rows("SELECT 1 FROM rest"))

    async with running(deliver):
        await until(rests)
        for seconds in range(8):
            clock.set(at() + seconds * SECOND)
            deliver.wake()
            await asyncio.sleep(0.02)
        await until(lambda: drained(database))
    assert telegram.served[1][0] >= at() + 5 * SECOND


async def test_a_request_counts_from_when_the_tables_were_free(database: Busy, telegram: Telegram) -> None:
    clock = HandClock()

    class Slow(Account):
        async def send(self, outgoing: Outgoing) -> Outcome:
            counted = await attempts.attempts(database)
            assert [each.ended for each in counted[-1001000000111].values()] == [clock.now() + CALL]
            return await super().send(outgoing)

    await put(database, row("one"))
    before = database.write

    async def write(work):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        clock.set(clock.now() + timedelta(minutes=4))
        return await before(work)

    database.write = write  # type: ignore[method-assign]
    async with running(deliver_of(database, clock, voices(Slow(telegram)))):
        await until(lambda: drained(database))
