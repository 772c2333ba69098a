"""A message that would say something else by now is edited: soon, seldom, and only where nothing newer waits."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.model import Entity, Reason
from bot.pacing import BETWEEN, EDITABLE, GATHERING, MOST, SPAN, SPARED
from bot.ports import Later, Refused, Unknown, Voice
from bot.render.richtext import Message
from bot.storage import matches, notices, outbox
from bot.storage.database import Connection, Database
from bot.storage.matches import Revised, StoredMatch
from bot.storage.times import to_integer
from tests.clocks import HandClock
from tests.delivering import (
    READER,
    SECOND,
    STORY,
    Account,
    Busy,
    Steps,
    Telegram,
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
from tests.made import DESK, ME, at


class Retelling:
    """How messages read now, by their number; and of which of them that was asked."""

    def __init__(self, **texts: str) -> None:
        self.texts = {int(id_.removeprefix("m")): Message(text, (Entity("bold", 0, 1),)) for id_, text in texts.items()}
        self.asked: list[int] = []

    async def __call__(self, id_: int) -> Message | None:
        self.asked.append(id_)
        return self.texts.get(id_)


async def change(database: Database, now: datetime) -> None:
    await database.write(lambda c: outbox.change(c, [STORY], now))


async def told(database: Busy, telegram: Telegram, *texts: str) -> None:
    """Messages that tell the story stand in the chat, and a minute has gone by."""
    await put(database, *(row(text, story=STORY)._replace(made=at(-5)) for text in texts))
    await deliver_all(database, Steps(database, at(-5)), voices(Account(telegram)))
    telegram.served.clear()
    telegram.asked.clear()


async def test_a_message_that_reads_otherwise_by_now_is_edited(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    await told(database, telegram, "one")
    await change(database, at())
    retell = Retelling(m1="one, also in Beta")
    await deliver_all(database, clock, voices(Account(telegram)), retell=retell)
    assert telegram.edits == [(at() + GATHERING, "one, also in Beta")]
    assert list(telegram.reads.values()) == [retell.texts[1]]
    assert await database.rows("SELECT text, state, changed FROM outbox") == [("one, also in Beta", "sent", None)]


async def test_what_reads_as_it_stands_is_not_edited(database: Busy, clock: Steps, telegram: Telegram) -> None:
    await told(database, telegram, "one", "two")
    await change(database, at())
    retell = Retelling()
    retell.texts[1] = Message("one")
    await deliver_all(database, clock, voices(Account(telegram)), retell=retell)
    assert (telegram.asked, retell.asked) == ([], [1, 2])
    assert await database.rows("SELECT count(*) FROM attempt WHERE at > 1733659200000000") == [(0,)]


async def test_several_changes_are_one_edit_and_the_next_comes_ten_seconds_later(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    await told(database, telegram, "one")
    retell = Retelling(m1="at first")
    deliver = deliver_of(database, clock, voices(Account(telegram)), retell)

    async def edited() -> bool:
        return len(telegram.edits) == 1 and await drained(database)

    async with running(deliver):
        for _ in range(3):
            await change(database, at())
        deliver.wake()
        await until(edited)
        assert telegram.edits == [(at() + GATHERING, "at first")]
        retell.texts[1] = Message("then")
        await change(database, clock.now())
        deliver.wake()
        await until(lambda: drained(database))
    assert telegram.edits[1:] == [(at() + GATHERING + BETWEEN, "then")]


async def test_what_changes_while_it_is_edited_is_edited_again(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    await told(database, telegram, "one")
    await change(database, at())
    retell = Retelling(m1="at first")

    class Meanwhile(Account):
        async def send(self, outgoing):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            if len(telegram.edits) == 0:
                retell.texts[1] = Message("then")
                await change(database, clock.now())
            return await super().send(outgoing)

    await deliver_all(database, clock, voices(Meanwhile(telegram)), retell=retell)
    assert [text for _, text in telegram.edits] == ["at first", "then"]
    assert telegram.edits[1][0] - telegram.edits[0][0] == BETWEEN


async def test_what_changed_before_it_was_sent_is_edited_after(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    await put(database, row("one", story=STORY))
    await change(database, at(-1))
    await deliver_all(database, clock, voices(Account(telegram)), retell=Retelling(m1="one, also in Beta"))
    assert telegram.asked == ["one", "one, also in Beta"]


async def test_after_two_days_less_an_hour_nothing_is_edited(database: Busy, clock: Steps, telegram: Telegram) -> None:
    await told(database, telegram, "one")
    await change(database, at())
    clock.time = at(-5) + EDITABLE
    retell = Retelling(m1="too late")
    await deliver_all(database, clock, voices(Account(telegram)), retell=retell)
    assert (telegram.asked, retell.asked) == ([], [])


async def test_edits_go_when_nothing_newer_waits_and_leave_room(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    old = [f"old {n}" for n in range(MOST)]
    await told(database, telegram, *old)
    await change(database, at(-1))
    retell = Retelling(**{f"m{n + 1}": f"edit {n}" for n in range(MOST)})
    await put(database, *(row(f"new {n}") for n in range(3)))
    await deliver_all(database, clock, voices(Account(telegram)), retell=retell)
    assert telegram.asked[:3] == ["new 0", "new 1", "new 2"]
    assert telegram.asked[3:] == [f"edit {n}" for n in range(MOST)]
    moments = [moment for moment, _, _ in telegram.served]
    assert moments == [at()] * (MOST - SPARED) + [at() + SPAN] * 8


async def test_edits_of_one_chat_do_not_wait_for_messages_of_another(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    await told(database, telegram, "one")
    await change(database, at(-1))
    telegram.answers = [(Later(600 * SECOND, "SLOWMODE_WAIT"), False)]
    await put(database, row("elsewhere", to=ME))
    await deliver_all(database, clock, voices(Account(telegram)), retell=Retelling(m1="edit"))
    assert telegram.edits == [(at(), "edit")] or telegram.asked[0] == "edit"


async def test_an_edit_without_an_answer_is_made_again(database: Busy, clock: Steps, telegram: Telegram) -> None:
    await told(database, telegram, "one")
    await change(database, at(-1))
    telegram.answers = [(Unknown("timeout"), False), (Later(5 * SECOND, "SLOWMODE_WAIT"), False)]
    await deliver_all(database, clock, voices(Account(telegram)), retell=Retelling(m1="edit"))
    assert [moment - at() for moment, _, _ in telegram.served] == [0 * SECOND, 30 * SECOND, 35 * SECOND]
    assert [text for _, text in telegram.edits] == ["edit"]


async def test_an_edit_without_an_answer_is_taken_back_when_the_post_is_what_it_was(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    await told(database, telegram, "one")
    await change(database, at(-1))
    telegram.answers = [(Unknown("timeout"), True)]
    retell = Retelling(m1="edit")
    await until_asked(database, HandClock(), voices(Account(telegram)), telegram, 1, retell)
    retell.texts[1] = Message("one")
    await deliver_all(database, clock, voices(Account(telegram)), retell=retell)
    assert [message.text for message in telegram.reads.values()] == ["one"]
    assert telegram.asked == ["edit", "one"]
    await change(database, clock.time)
    await deliver_all(database, clock, voices(Account(telegram)), retell=retell)
    assert telegram.asked == ["edit", "one"]


async def test_an_edit_that_the_chat_refuses_is_made_when_it_takes_it(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    await told(database, telegram, "one")
    await change(database, at(-1))
    telegram.answers = [(Refused("CHAT_WRITE_FORBIDDEN"), False)] * 2
    await deliver_all(database, clock, voices(Account(telegram)), retell=Retelling(m1="edit"))
    assert telegram.edits == [(at(20), "edit")]


async def test_what_no_edit_says_the_next_digest_tells(database: Busy, clock: Steps, telegram: Telegram) -> None:
    def find(c: Connection) -> None:
        matches.add(c, [found(-1001000000001, 7), found(-1001000000001, 8), found(-1001000000002, 7)])
        matches.mark_digested(c, [1, 2, 3], 1)
        matches.revise(c, [Revised(-1001000000001, 7, at(-1), None, None)])

    await database.write(find)
    await told(database, telegram, "one")
    await change(database, at(-1))
    telegram.answers = [(Refused("MESSAGE_ID_INVALID", of_message=True), False)]
    await deliver_all(database, clock, voices(Account(telegram)), retell=Retelling(m1="edit"))
    assert await database.rows("SELECT id FROM match WHERE digest IS NULL") == [(1,)]


async def test_what_a_digest_has_told_since_is_not_told_again(database: Busy, clock: Steps, telegram: Telegram) -> None:
    def find(c: Connection) -> None:
        matches.add(c, [found(-1001000000001, 7)])
        matches.revise(c, [Revised(-1001000000001, 7, at(-2), None, None)])
        c.execute("INSERT INTO digest VALUES (1, '@desk_demo', 0, 0, ?, 0)", (to_integer(at(-1)),))
        matches.mark_digested(c, [1], 1)

    await database.write(find)
    await told(database, telegram, "one")
    await change(database, at(-2))
    await deliver_all(database, clock, voices(Account(telegram)))
    assert await database.rows("SELECT digest FROM match") == [(1,)]


def found(channel: int, number: int) -> StoredMatch:
    return StoredMatch(channel, number, "syria", "Syria", "[]", "[]", STORY, DESK, Reason.NEW, None, at(-6))


async def test_an_edit_that_is_refused_is_let_go(database: Busy, clock: Steps, telegram: Telegram) -> None:
    await told(database, telegram, "one")
    await change(database, at(-1))
    telegram.answers = [(Refused("MESSAGE_ID_INVALID", of_message=True), False)]
    await deliver_all(database, clock, voices(Account(telegram)), retell=Retelling(m1="edit"))
    assert (telegram.edits, await outbox.refused(database, 5)) == ([], [])
    assert await notices.untold(database) == []
    assert await database.rows("SELECT text, state FROM outbox") == [("one", "sent")]


async def test_only_who_sent_a_message_edits_it(database: Busy, clock: Steps, telegram: Telegram) -> None:
    reader = Account(telegram, READER)
    for to in (DESK, ME):
        await put(database, row(str(to), to=to, story=STORY)._replace(made=at(-5)))
    await deliver_all(database, Steps(database, at(-5)), voices(reader))
    await change(database, at(-1))
    who = voices(Account(telegram), reader)
    who.speaks(Voice.READER, None)
    deliver = deliver_of(database, clock, who, Retelling(m1="edit", m2="edit"))
    who.changed = deliver.wake
    async with running(deliver):
        await put(database, row("two"))
        deliver.wake()
        await until(lambda: sent(database, 3))
        assert telegram.edits == []
        who.speaks(Voice.READER, reader)
        await until(lambda: drained(database))
    assert [text for _, text in telegram.edits] == ["edit", "edit"]


async def sent(database: Database, id_: int) -> bool:
    return await database.rows("SELECT state FROM outbox WHERE id = ?", (id_,)) == [("sent",)]


async def test_what_an_account_sent_that_is_no_more_stays_as_it_stands(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    await told(database, telegram, "one")
    await change(database, at(-1))
    who = voices(Account(telegram, 43), Account(telegram, READER))
    await deliver_all(database, clock, who, retell=Retelling(m1="edit"))
    assert telegram.edits == []


async def test_what_cannot_be_put_into_words_stays_as_it_stands(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    await told(database, telegram, "one")
    await change(database, at(-1))

    async def retell(_: int) -> Message | None:
        raise KeyError("syria")

    await deliver_all(database, clock, voices(Account(telegram)), retell=retell)
    assert telegram.edits == []


async def test_an_edit_that_was_under_way_when_the_process_ended_is_made_again(
    database: Busy, clock: Steps, telegram: Telegram
) -> None:
    await told(database, telegram, "one")
    await change(database, at(-1))
    telegram.answers = [(Unknown("timeout"), True)]
    retell = Retelling(m1="edit")
    await until_asked(database, HandClock(), voices(Account(telegram)), telegram, 1, retell)
    await deliver_all(database, clock, voices(Account(telegram)), retell=retell)
    assert telegram.asked == ["edit", "edit"]
    assert telegram.served[1][0] >= at() + timedelta(seconds=30)
