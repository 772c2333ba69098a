"""Messages that are to be sent: each once, marked before they go, and known by what they say."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from bot.model import Destination, Entity, PostId
from bot.pacing import BETWEEN, EDITABLE
from bot.ports import Forward, Lane, Outgoing, Voice
from bot.render.richtext import Message
from bot.storage import outbox
from bot.storage.database import Database
from bot.storage.outbox import Letter, Row, Saying, random_id
from tests.made import DESK, GROUP, ME, at

SECRET = bytes(range(32))
STORY = PostId("-1001000000001", 7)
BOLD = Message("Сирия 🕊", (Entity("bold", 0, 5), Entity("text_url", 6, 2, "https://t.me/alfa_demo/1")))
FORWARD = Forward(
    channel=-1001000000001, username="alfa_demo", numbers=(7, 8), random_ids=(1, -(2**63)), excerpt=Message("Excerpt")
)


def row(key: str, lane: Lane = Lane.ALERT, to: Destination = DESK, *, minutes: float = 0, text: str = "") -> Row:
    return Row(key, to, lane, Message(text or f"Сирия: {key}"), at(minutes), random_id(SECRET, key))


def telling(key: str, *stories: PostId, minutes: float = 0) -> Row:
    says = tuple(
        Saying(story, -1001000000001, story.number, ("syria",), urgent=False, edited=False) for story in stories
    )
    return row(key, minutes=minutes)._replace(says=says)


async def put(database: Database, *rows: Row) -> None:
    await database.write(lambda c: outbox.add(c, rows))


async def claimed(database: Database, id_: int, account: int = 42, chat: int = -7) -> Outgoing:
    outgoing = await database.write(lambda c: outbox.claim(c, id_, account, chat))
    assert outgoing is not None
    return outgoing


async def confirmed(database: Database, id_: int, now: datetime, number: int | None = 7) -> bool:
    await claimed(database, id_)
    return await database.write(lambda c: outbox.confirm(c, id_, number, -7, now))


async def changed(database: Database, *stories: PostId, minutes: float) -> None:
    await database.write(lambda c: outbox.change(c, stories, at(minutes)))


async def test_a_message_comes_out_as_it_went_in(database: Database) -> None:
    await put(database, Row("alert", GROUP, Lane.URGENT, BOLD, at(), -42, Voice.READER, silent=True, forward=FORWARD))
    assert await claimed(database, 1) == Outgoing(
        id=1, destination=GROUP, lane=Lane.URGENT, random_id=-42, message=BOLD, silent=True, forward=FORWARD
    )


async def test_what_waits_is_known_without_its_text(database: Database) -> None:
    await put(database, row("one", minutes=3), row("album", Lane.URGENT, GROUP)._replace(forward=FORWARD))
    one, album = await outbox.waiting(database)
    assert (one.id, one.destination, one.lane, one.voice) == (1, DESK, Lane.ALERT, Voice.SPEAKER)
    assert (one.made, one.not_before, one.tries, one.weight) == (at(3), at(3), 0, 1)
    assert (one.refused, one.account, one.chat) == (False, None, None)
    assert (album.id, album.weight) == (2, 3)


async def test_a_repeat_is_no_second_message_and_says_nothing(database: Database) -> None:
    await put(database, telling("one", STORY), telling("one", STORY, PostId("-1001000000002", 9)))
    await put(database, row("one", text="third"))
    assert [each.id for each in await outbox.waiting(database)] == [1]
    assert await database.rows("SELECT message, place FROM says") == [(1, 0)]


async def test_what_a_message_says_is_kept_in_its_order(database: Database) -> None:
    says = (
        Saying(STORY, -1001000000001, 7, ("syria", "базы"), urgent=True, edited=False),
        Saying(PostId("-1001000000002", 9), -1001000000003, 11, (), urgent=False, edited=True),
    )
    await put(database, row("before"), row("bundle")._replace(says=says))
    found = await database.rows("SELECT * FROM says ORDER BY message, place")
    assert [(*each[:5], json.loads(each[5]), *each[6:]) for each in found] == [
        (2, 0, "-1001000000001/7", -1001000000001, 7, ["syria", "базы"], 1, 0),
        (2, 1, "-1001000000002/9", -1001000000003, 11, [], 0, 1),
    ]


async def test_what_was_added_is_found_after_what_was_known(database: Database) -> None:
    assert await outbox.newest(database) == 0
    await put(database, row("one"), row("two"))
    newest = await outbox.newest(database)
    await put(database, row("two"), row("three"))
    assert [each.id for each in await outbox.added(database, newest)] == [3]


async def test_what_was_tried_may_only_be_repeated_by_the_same_account(database: Database, tmp_path: Path) -> None:
    await put(database, row("one"))
    first = await claimed(database, 1)
    async with Database.opened(tmp_path) as after_the_crash:
        [waits] = await outbox.waiting(after_the_crash)
        assert (waits.account, waits.chat, waits.tries) == (42, -7, 1)
        assert await database.write(lambda c: outbox.claim(c, 1, 42, -7)) == replace(first, repeated=True)


async def test_what_was_certainly_not_sent_is_anybodys(database: Database) -> None:
    await put(database, row("one"), row("two"))
    for id_, unsent in ((1, True), (2, False)):
        await claimed(database, id_)
        await database.write(
            lambda c, i=id_, u=unsent: outbox.postpone(c, i, at(1), "FLOOD_WAIT", unsent=u)  # type: ignore[misc]
        )
    one, two = await outbox.waiting(database)
    assert (one.account, one.not_before, one.tries) == (None, at(1), 1)
    assert two.account == 42


async def test_what_is_refused_is_tried_again_or_never(database: Database) -> None:
    await put(database, row("one"), row("two", Lane.DIGEST), row("three"))
    for id_, again in ((1, at(10)), (2, None)):
        await database.write(
            lambda c, i=id_, a=again: outbox.refuse(c, i, "CHAT_WRITE_FORBIDDEN", a)  # type: ignore[misc]
        )
    assert [(each.id, each.refused, each.not_before) for each in await outbox.waiting(database)] == [
        (1, True, at(10)),
        (3, False, at()),
    ]
    assert await outbox.refused(database, 5) == [
        Letter(DESK, Lane.DIGEST, at(), "CHAT_WRITE_FORBIDDEN", None),
        Letter(DESK, Lane.ALERT, at(), "CHAT_WRITE_FORBIDDEN", at(10)),
    ]
    assert len(await outbox.refused(database, 1)) == 1
    await database.write(lambda c: outbox.try_again(c, [1], at(2)))
    assert [each.not_before for each in await outbox.waiting(database)] == [at(2), at()]


async def test_what_was_taken_back_or_sent_cannot_be_claimed(database: Database) -> None:
    await put(database, row("one"), row("two"))
    await database.write(lambda c: outbox.refuse(c, 1, "taken back"))
    await confirmed(database, 2, at())
    for id_ in (1, 2, 3):
        assert await database.write(lambda c, i=id_: outbox.claim(c, i, 42, -7)) is None  # type: ignore[misc]
    assert await outbox.depth(database) == {"waits": 0, "tried": 0, "sent": 1, "refused": 1}


async def test_the_same_in_plain_words_is_another_message(database: Database) -> None:
    await put(database, row("one", Lane.DIGEST)._replace(silent=True, message=BOLD))
    parts = [Message("first"), Message("second")]
    for _ in range(2):
        await database.write(lambda c: outbox.plain(c, 1, parts, SECRET, at(1)))
    first, second = await outbox.added(database, 1)
    assert (first.lane, first.destination, first.made, first.not_before) == (Lane.DIGEST, DESK, at(), at(1))
    sent = [await claimed(database, each.id) for each in (first, second)]
    assert [(each.message, each.silent) for each in sent] == [(part, True) for part in parts]
    assert [each.random_id for each in sent] == [random_id(SECRET, f"one plain {part}") for part in (1, 2)]


async def test_a_confirmed_message_knows_where_it_stands(database: Database) -> None:
    await put(database, row("one"))
    assert not await confirmed(database, 1, at(1))
    assert await database.rows("SELECT state, number, chat, account, why, sent FROM outbox") == [
        ("sent", 7, -7, 42, None, (await database.rows("SELECT not_before FROM outbox"))[0][0])
    ]
    assert await outbox.waiting(database) == []


async def test_what_stands_there_instead_of_a_forwarded_post_is_remembered(database: Database) -> None:
    await put(database, row("one")._replace(forward=FORWARD))
    await database.write(lambda c: outbox.replace(c, 1, BOLD))
    outgoing = await claimed(database, 1)
    assert (outgoing.message, outgoing.forward) == (BOLD, None)


# --- changes ----------------------------------------------------------------------------------------------


async def test_messages_that_tell_a_story_that_changed_are_edited_the_oldest_change_first(database: Database) -> None:
    other = PostId("-1001000000002", 9)
    await put(database, telling("one", STORY), telling("two", other), telling("both", STORY, other), row("none"))
    for id_ in (1, 2, 3, 4):
        await confirmed(database, id_, at(1))
    await changed(database, other, minutes=2)
    await changed(database, STORY, other, minutes=3)
    found = await outbox.edits(database)
    assert [(each.id, each.changed) for each in found] == [(2, at(2)), (3, at(2)), (1, at(3))]
    assert [(each.chat, each.account, each.number, each.sent) for each in found] == [(-7, 42, 7, at(1))] * 3


async def test_what_changed_before_it_was_sent_is_edited_then(database: Database) -> None:
    await put(database, telling("one", STORY))
    await changed(database, STORY, minutes=1)
    assert await outbox.edits(database) == []
    assert await confirmed(database, 1, at(2))
    assert [each.changed for each in await outbox.edits(database)] == [at(1)]


async def test_what_is_too_old_or_will_never_be_sent_stays_as_it_is(database: Database) -> None:
    old = EDITABLE / timedelta(minutes=1)
    await put(database, *(telling(key, STORY) for key in ("old", "refused", "later", "waits", "sent late")))
    await confirmed(database, 1, at())
    await database.write(lambda c: outbox.refuse(c, 2, "gone"))
    await database.write(lambda c: outbox.refuse(c, 3, "CHAT_WRITE_FORBIDDEN", at(10)))
    await confirmed(database, 5, at(1))
    await changed(database, STORY, minutes=old)
    assert await database.rows("SELECT id FROM outbox WHERE changed IS NOT NULL") == [(3,), (4,), (5,)]


async def test_several_changes_are_one_edit(database: Database) -> None:
    await put(database, telling("one", STORY))
    await confirmed(database, 1, at(1))
    await changed(database, STORY, minutes=2)
    await changed(database, STORY, minutes=3)
    standing = await outbox.standing(database, 1)
    assert standing is not None
    assert (standing.message, standing.changes) == (Message("Сирия: one"), 2)
    await database.write(lambda c: outbox.edited(c, 1, 2, at(4), BOLD))
    assert (await outbox.edits(database), await outbox.standing(database, 1)) == ([], None)


async def test_what_changes_while_a_message_is_edited_is_another_edit_a_while_later(database: Database) -> None:
    await put(database, telling("one", STORY))
    await confirmed(database, 1, at(1))
    await changed(database, STORY, minutes=2)
    await changed(database, STORY, minutes=3)
    await database.write(lambda c: outbox.edited(c, 1, 1, at(4), BOLD))
    [edit] = await outbox.edits(database)
    assert (edit.changed, edit.not_before) == (at(4), at(4) + BETWEEN)
    standing = await outbox.standing(database, 1)
    assert standing is not None
    assert (standing.message, standing.not_before) == (BOLD, at(4) + BETWEEN)


async def test_an_edit_that_was_begun_may_have_been_made_until_that_is_known(database: Database) -> None:
    await put(database, telling("one", STORY))
    await confirmed(database, 1, at(1))
    await changed(database, STORY, minutes=2)
    await database.write(lambda c: outbox.edit(c, 1))
    standing = await outbox.standing(database, 1)
    assert standing is not None
    assert standing.editing
    await database.write(lambda c: outbox.edited(c, 1, 0, at(3), BOLD))
    standing = await outbox.standing(database, 1)
    assert standing is not None
    assert not standing.editing


async def test_what_is_given_up_where_nothing_is_taken_is_counted(database: Database) -> None:
    for place in (DESK, DESK, ME):
        await database.write(lambda c, p=place: outbox.give_up(c, p))  # type: ignore[misc]
    assert [await database.write(lambda c: outbox.given_up(c, DESK)) for _ in range(2)] == [2, 0]


async def test_what_nobody_can_edit_is_left(database: Database) -> None:
    await put(database, telling("one", STORY))
    await confirmed(database, 1, at(1), None)
    await changed(database, STORY, minutes=2)
    assert [each.number for each in await outbox.edits(database)] == [None]
    await database.write(lambda c: outbox.leave(c, 1))
    assert await outbox.edits(database) == []


async def test_of_each_chat_the_first_few_edits_are_looked_at(database: Database) -> None:
    await put(database, *(telling(str(n), STORY, minutes=n / 100) for n in range(5)))
    for id_ in range(1, 6):
        await claimed(database, id_, chat=-7 if id_ < 4 else -8)
        await database.write(lambda c, i=id_: outbox.confirm(c, i, i, -7 if i < 4 else -8, at(1)))  # type: ignore[misc]
    await changed(database, STORY, minutes=2)
    assert [each.id for each in await outbox.edits(database, 2)] == [1, 2, 4, 5]
    # Those that wait for one account are not in the way of another's.
    await database.write(lambda c: c.execute("UPDATE outbox SET account = 43 WHERE id = 3"))
    assert [each.id for each in await outbox.edits(database, 2)] == [1, 2, 3, 4, 5]


# --- looked at --------------------------------------------------------------------------------------------


async def test_the_next_moment_is_when_something_may_go(database: Database) -> None:
    assert await outbox.next_moment(database) is None
    await put(database, row("one"), row("two"), row("later", to=ME, minutes=3))
    assert await outbox.next_moment(database) == at()
    await database.write(lambda c: outbox.postpone(c, 1, at(5), "FLOOD_WAIT"))
    assert await outbox.next_moment(database) == at(3)  # not that of "two", which waits for "one"
    await database.write(lambda c: outbox.refuse(c, 3, "gone"))
    assert await outbox.next_moment(database) == at(5)
    await database.write(lambda c: outbox.refuse(c, 1, "CHAT_WRITE_FORBIDDEN", at(12)))
    assert await outbox.next_moment(database) == at(12)


async def test_the_depth_counts_every_state(database: Database) -> None:
    assert await outbox.depth(database) == {"waits": 0, "tried": 0, "sent": 0, "refused": 0}
    await put(database, *(row(key) for key in "abcde"))
    await confirmed(database, 1, at())
    await claimed(database, 2)
    await database.write(lambda c: outbox.refuse(c, 3, "gone"))
    assert await outbox.depth(database) == {"waits": 2, "tried": 1, "sent": 1, "refused": 1}


async def test_the_alerts_of_late_are_told_for_the_pace(database: Database) -> None:
    await put(
        database,
        row("old", minutes=-1.5),
        row("urgent", Lane.URGENT, minutes=-0.2),
        row("alert", to=ME, minutes=-1),
        row("digest", Lane.DIGEST),
    )
    assert await outbox.told_since(database, at() - timedelta(minutes=1)) == [(ME, at(-1)), (DESK, at(-0.2))]


def test_a_random_id_is_of_64_bits_and_the_same_for_the_same_key() -> None:
    ids = {random_id(SECRET, f"alert {number}") for number in range(1000)}
    assert len(ids) == 1000
    assert all(-(2**63) <= one < 2**63 and one != 0 for one in ids)
    assert any(one < 0 for one in ids)
    assert random_id(SECRET, "alert 7") == random_id(SECRET, "alert 7") != random_id(b"another", "alert 7")
