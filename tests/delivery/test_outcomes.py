"""What is answered about a message decides when it is tried again, by whom, and who hears of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.model import Entity, Notice
from bot.ports import Lane, Later, Outcome, Outgoing, Refused, Sent, Unknown, Voice
from bot.render.richtext import Message
from bot.storage import notices, outbox
from bot.storage.outbox import random_id
from bot.storage.vitals import refusing
from tests.clocks import HandClock
from tests.delivering import (
    BOT,
    DESK_ID,
    READER,
    SECOND,
    SECRET,
    Account,
    Busy,
    Steps,
    Telegram,
    album,
    deliver_all,
    noted,
    put,
    row,
    until_asked,
    voices,
)
from tests.made import DESK, GROUP, ME, at

# --- answers ----------------------------------------------------------------------------------------------


async def test_slow_mode_holds_up_the_whole_chat_and_no_other(database: Busy, clock: Steps, telegram: Telegram) -> None:
    telegram.answers = [(Later(90 * SECOND, "SLOWMODE_WAIT"), False)]
    await put(database, row("one", Lane.URGENT), row("two"), row("three", to=DESK_ID), row("elsewhere", to=ME))
    await deliver_all(database, clock, voices(Account(telegram)))
    assert telegram.texts == ["elsewhere", "one", "two", "three"]
    assert clock.time == at(1.5)
    assert await noted(database) == []


async def test_a_wait_is_waited_for_across_a_restart(database: Busy, clock: Steps, telegram: Telegram) -> None:
    hand, who = HandClock(), voices(Account(telegram))
    telegram.answers = [(Later(90 * SECOND, "SLOWMODE_WAIT"), False)]
    await put(database, row("one"), row("two", Lane.DIGEST))
    await until_asked(database, hand, who, telegram, 1)
    await put(database, row("urgent", Lane.URGENT))
    await deliver_all(database, clock, who)
    assert telegram.asked == ["one", "urgent", "one", "two"]
    assert telegram.served[1][0] == at(1.5)


async def test_a_wait_of_the_account_holds_up_everything_across_a_restart(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    hand, who = HandClock(), voices(Account(telegram), Account(telegram, READER))
    telegram.answers = [(Later(5 * 60 * SECOND, "FLOOD_WAIT", everywhere=True), False)]
    await put(database, row("one"))
    await until_asked(database, hand, who, telegram, 1)
    await put(database, row("elsewhere", to=ME), row("reader", to=GROUP)._replace(voice=Voice.READER))
    await deliver_all(database, clock, who)
    assert telegram.asked == ["one", "reader", "one", "elsewhere"]
    assert [moment for moment, _, _ in telegram.served[1:]] == [at(), at(5), at(5)]
    assert await noted(database) == []


async def test_of_a_wait_into_the_next_day_its_day_is_told(database: Busy, clock: Steps, telegram: Telegram) -> None:
    telegram.answers = [(Later(timedelta(hours=24), "PEER_FLOOD", everywhere=True), False)]
    await put(database, row("one"))
    await deliver_all(database, clock, voices(Account(telegram)))
    [told, _] = [each.notice for each in await notices.untold(database)]
    assert told == Notice(
        "Telegram lets the speaker send nothing until 12:00 on 2024-12-09 UTC; what is to be told waits.",
        ("PEER_FLOOD",),
    )


async def test_of_a_long_wait_the_operators_hear_and_of_its_end(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    telegram.answers = [(Later(timedelta(hours=2), "FLOOD_WAIT", everywhere=True), False)]
    told: list[int] = []
    await put(database, row("one"))
    await deliver_all(database, clock, voices(Account(telegram)), told=lambda: told.append(1))
    assert await noted(database) == [
        "Telegram lets the speaker send nothing until 14:00 UTC; what is to be told waits.",
        "Telegram lets the speaker send again.",
    ]
    assert told == [1, 1]


async def test_what_was_not_answered_is_repeated_ever_more_rarely(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    telegram.answers = [(Unknown("timeout"), True)] * 8
    await put(database, row("one"), row("two"))
    await deliver_all(database, clock, voices(Account(telegram)))
    assert telegram.texts == ["one", "two"]
    moments = [int((moment - at()).total_seconds()) for moment, _, _ in telegram.served]
    assert moments == [0, 10, 30, 60, 100, 150, 210, 270, 330, 330]


@pytest.mark.parametrize("gets_through", [True, False])
async def test_a_sender_that_raises_has_given_no_answer(
    database: Busy,
    clock: Steps,
    telegram: Telegram,
    gets_through: bool,  # noqa: FBT001 - a parameter
) -> None:
    telegram.answers = [(ValueError("it broke while sending: one"), gets_through)]
    await put(database, row("one"))
    await deliver_all(database, clock, voices(Account(telegram)))
    assert (telegram.asked, telegram.texts) == (["one", "one"], ["one"])


async def test_while_a_message_is_repeated_other_lanes_go_on(database: Busy, clock: Steps, telegram: Telegram) -> None:
    telegram.answers = [(Unknown("timeout"), False)]
    await put(database, row("one"), row("two"), row("digest", Lane.DIGEST))
    await deliver_all(database, clock, voices(Account(telegram)))
    assert telegram.texts == ["digest", "one", "two"]


async def test_a_post_that_cannot_be_forwarded_is_told_of_once_a_channel(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    telegram.answers = [(Sent(1, instead="it is protected"), True)] * 2
    await put(database, album("one", 2), album("two", 1))
    await deliver_all(database, clock, voices(Account(telegram)))
    assert await noted(database) == [
        "Posts of @alfa_demo cannot be forwarded (it is protected); its alerts are excerpts."
    ]
    assert await database.rows("SELECT text, forward FROM outbox") == [("excerpt", None)] * 2


# --- refusals ---------------------------------------------------------------------------------------------


REFUSED = Refused("CHAT_WRITE_FORBIDDEN"), False


async def test_what_is_refused_is_tried_again_and_told_of_once(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    telegram.answers = [REFUSED] * 3
    await put(database, row("one"), row("two"))
    await deliver_all(database, clock, voices(Account(telegram)))
    # Twice refused, it is no more than one of two that are tried.
    assert telegram.asked == ["one", "one", "two", "one", "two"]
    assert (telegram.texts, clock.time) == (["one", "two"], at(20))
    assert await noted(database) == [
        "@desk_demo refuses messages: CHAT_WRITE_FORBIDDEN",
        "@desk_demo takes messages again.",
    ]


@pytest.mark.parametrize(
    ("reader", "start", "within"),
    [
        (READER, "The reader's private chat with the bot", "the reader's private chat with the bot"),
        (None, "Saved Messages", "Saved Messages"),
    ],
    ids=["bot", "reader"],
)
async def test_to_whoever_reads_a_notice_the_readers_own_chat_is_not_me(  # noqa: PLR0913, PLR0917 - fixtures
    reader: int | None, start: str, within: str, database: Busy, clock: Steps, telegram: Telegram
) -> None:
    who = voices(Account(telegram), None if reader is None else Account(telegram, reader))
    telegram.answers = [REFUSED, (Refused("MESSAGE_EMPTY", of_message=True), False)]
    await put(database, row("one", to=ME))
    await deliver_all(database, clock, who)
    assert await noted(database) == [
        f"{start} refuses messages: CHAT_WRITE_FORBIDDEN",
        f"A message to {within} was refused as it is (MESSAGE_EMPTY); it is not sent.",
    ]
    assert await refusing(database) == {"me": f"{start} refuses messages: CHAT_WRITE_FORBIDDEN"}
    await put(database, row("two", to=ME))
    await deliver_all(database, clock, who)
    assert (await noted(database))[2:] == [f"{start} takes messages again."]


async def test_all_that_was_refused_goes_when_the_chat_takes_something(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    telegram.answers = [REFUSED] * 2
    await put(database, row("one"), row("two"), row("digest", Lane.DIGEST))
    hand = HandClock()
    await until_asked(database, hand, voices(Account(telegram)), telegram, 2)
    assert list(await refusing(database)) == ["@desk_demo"]
    await put(database, row("urgent", Lane.URGENT))
    await deliver_all(database, clock, voices(Account(telegram)))
    assert telegram.asked == ["one", "digest", "urgent", "one", "two", "digest"]
    assert (clock.time, dict(await refusing(database))) == (at(), {})


async def test_after_a_day_what_is_refused_is_given_up_and_the_next_one_goes_on(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    telegram.refusing = {DESK}
    hours = -23 * 60
    await put(database, row("one")._replace(made=at(hours)), row("late")._replace(made=at(hours + 60)))
    await put(database, row("elsewhere", to=ME))
    await deliver_all(database, clock, voices(Account(telegram)))
    assert telegram.texts == ["elsewhere"]
    assert [(letter.made, letter.again) for letter in await outbox.refused(database, 5)] == [
        (at(hours + 60), None),
        (at(hours), None),
    ]
    # At noon and every ten minutes up to the day's end of the first, then of the other.
    assert [text for text in telegram.asked if text != "late"] == ["one", "elsewhere", *["one"] * 5]
    assert clock.time == at(110)
    assert await noted(database) == [
        "@desk_demo refuses messages: CHAT_WRITE_FORBIDDEN",
        "@desk_demo has refused messages for a day. Whatever is a day old is given up from now on.",
    ]
    telegram.refusing.clear()
    await put(database, row("new")._replace(made=clock.time))
    await deliver_all(database, clock, voices(Account(telegram)))
    assert (await noted(database))[2:] == [
        "@desk_demo takes messages again; 2 messages that it refused for a day are lost."
    ]


async def test_a_notice_that_is_refused_takes_another_way_at_once(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    telegram.answers = [REFUSED, (Refused("MESSAGE_TOO_LONG", of_message=True), False)]
    told: list[int] = []
    await put(database, row("one", Lane.NOTICE), row("two", Lane.NOTICE))
    await deliver_all(database, clock, voices(Account(telegram)), told=lambda: told.append(1))
    assert (telegram.asked, told, await noted(database)) == (["one", "two"], [1, 1], [])


async def test_a_chat_that_cannot_be_found_refuses(database: Busy, clock: Steps, telegram: Telegram) -> None:
    account = Account(telegram, lost={DESK: [Unknown("timeout"), Later(SECOND, "wait"), Refused("no such name")]})
    await put(database, row("one"), row("digest", Lane.DIGEST))
    await deliver_all(database, clock, voices(account))
    assert telegram.texts == ["one", "digest"]
    assert account.looked_up == [DESK] * 4
    assert await noted(database) == ["@desk_demo refuses messages: no such name", "@desk_demo takes messages again."]


async def test_a_notice_to_a_chat_that_cannot_be_found_is_refused_for_itself(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    account = Account(telegram, lost={DESK: [Refused("not started")] * 3})
    await put(database, row("one", Lane.NOTICE), row("two", Lane.NOTICE), row("digest", Lane.DIGEST))
    await deliver_all(database, clock, voices(account))
    assert [letter.lane for letter in await outbox.refused(database, 5)] == [Lane.NOTICE] * 2
    assert telegram.texts == ["digest"]


async def test_a_message_that_is_refused_for_itself_is_sent_as_plain_text(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    telegram.answers = [(Refused("ENTITY_BOUNDS_INVALID", of_message=True), False)]
    long = "\n".join(f"line {n}" for n in range(700))
    await put(database, row("one")._replace(message=Message(long, (Entity("bold", 0, 9),))), row("two"))
    await deliver_all(database, clock, voices(Account(telegram)))
    _, *parts, two = telegram.asked
    assert (two, "\n".join(parts)) == ("two", long)
    assert len(parts) == 2
    assert [key for _, key in telegram.stands][:2] == [random_id(SECRET, f"one plain {n}") for n in (1, 2)]
    assert await noted(database) == [
        "A message to @desk_demo was refused as it is (ENTITY_BOUNDS_INVALID); it is sent again as plain text."
    ]


class Picky(Account):
    """Of all messages it refuses one, by a code that nobody knows."""

    async def send(self, outgoing: Outgoing) -> Outcome:
        if outgoing.message.text == "bad":
            self.telegram.asked.append("bad")
            return Refused("SOMETHING_INVALID")
        return await super().send(outgoing)


async def test_what_is_refused_where_another_is_taken_is_refused_for_itself(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    await put(database, row("bad"), row("one"), row("two"))
    await deliver_all(database, clock, voices(Picky(telegram)))
    assert (telegram.asked, clock.time) == (["bad", "bad", "one", "bad", "two"], at(10))
    assert await noted(database) == [
        "@desk_demo refuses messages: SOMETHING_INVALID",
        "A message to @desk_demo was refused as it is (SOMETHING_INVALID); it is not sent.",
        "@desk_demo takes messages again.",
    ]


async def test_while_a_message_is_refused_its_destination_does_not_take_messages_again(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    telegram.answers = [REFUSED, REFUSED]
    await put(database, row("one"), row("digest", Lane.DIGEST), row("two", Lane.URGENT)._replace(made=at(-1)))
    telegram.answers.insert(0, (Sent(1), True))
    await until_asked(database, HandClock(), voices(Account(telegram)), telegram, 3)
    await put(database, row("urgent", Lane.URGENT))
    await until_asked(database, HandClock(), voices(Account(telegram)), telegram, 4)
    assert await noted(database) == ["@desk_demo refuses messages: CHAT_WRITE_FORBIDDEN"]
    await deliver_all(database, clock, voices(Account(telegram)))
    assert (await noted(database))[1:] == ["@desk_demo takes messages again."]


async def test_what_is_plain_already_is_not_sent_again(database: Busy, clock: Steps, telegram: Telegram) -> None:
    telegram.answers = [(Refused("MESSAGE_EMPTY", of_message=True), False)]
    await put(database, row("one"), row("two"))
    await deliver_all(database, clock, voices(Account(telegram)))
    assert telegram.asked == ["one", "two"]
    assert await noted(database) == ["A message to @desk_demo was refused as it is (MESSAGE_EMPTY); it is not sent."]


# --- accounts ---------------------------------------------------------------------------------------------


async def tried_by(database: Busy, telegram: Telegram, account: Account) -> None:
    """A message that this account may have sent."""
    telegram.answers = [(Unknown("timeout"), True)]
    await put(database, row("one"), row("two"))
    await until_asked(database, HandClock(), voices(account), telegram, 1)


async def test_what_one_account_tried_it_repeats_whatever_voice_it_has_by_then(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    reader = Account(telegram, READER)
    await tried_by(database, telegram, reader)
    await deliver_all(database, clock, voices(Account(telegram), reader))
    assert [account for account, _ in telegram.stands] == [READER, BOT]
    assert telegram.asked.count("one") == 2


async def test_what_was_not_answered_is_nobody_elses_when_another_bot_speaks(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    who = voices(Account(telegram, 41), Account(telegram, READER))
    telegram.answers = [(Unknown("timeout"), True)]

    class Leaving(Account):
        async def send(self, outgoing: Outgoing) -> Outcome:
            who.speaks(Voice.SPEAKER, Account(telegram))
            return await super().send(outgoing)

    who.speaks(Voice.SPEAKER, Leaving(telegram, 41))
    await put(database, row("one"), row("two"))
    await deliver_all(database, clock, who)
    assert telegram.asked == ["one", "two"]
    assert [account for account, _ in telegram.stands] == [41, BOT]


async def test_what_an_account_tried_that_is_no_more_is_given_up(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    await tried_by(database, telegram, Account(telegram, 41))
    await deliver_all(database, clock, voices(Account(telegram), Account(telegram, READER)))
    assert telegram.asked == ["one", "two"]
    [letter] = await outbox.refused(database, 5)
    assert (letter.why, letter.again) == ("it may have been sent by an account that speaks no more", None)
    assert await noted(database) == [
        "A message to @desk_demo is not sent again: it may have been sent by an account that speaks no more."
    ]


async def test_for_an_account_that_may_come_back_its_message_waits_a_day_and_holds_up_nothing(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    await tried_by(database, telegram, Account(telegram, READER))
    who = voices(Account(telegram), Account(telegram, READER))
    who.speaks(Voice.READER, None)
    await deliver_all(database, clock, who)
    assert telegram.asked == ["one", "two"]
    assert telegram.served[1][0] < at(1)
    assert clock.time == at(24 * 60)


async def test_what_was_answered_without_being_sent_anybody_may_send(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    telegram.answers = [(Later(SECOND, "SLOWMODE_WAIT"), False), REFUSED]
    await put(database, row("one"), row("elsewhere", to=ME))
    await until_asked(database, HandClock(), voices(Account(telegram, 41)), telegram, 2)
    await deliver_all(database, clock, voices(Account(telegram)))
    assert sorted(telegram.stands) == sorted((BOT, random_id(SECRET, text)) for text in ("one", "elsewhere"))
