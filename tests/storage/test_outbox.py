"""Messages that are to be sent: each once, in lanes, marked before they go."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.model import Destination, Entity, PostId
from bot.ports import Lane, Outgoing
from bot.storage import outbox
from bot.storage.database import Database
from bot.storage.outbox import Row, random_id
from tests.made import DAY, DESK, GROUP, ME, at

SECRET = bytes(range(32))


def row(key: str, lane: Lane = Lane.ALERT, to: Destination = DESK, *, minutes: float = 0, text: str = "") -> Row:
    return Row(key, to, lane, random_id(SECRET, key), text or f"Сирия: {key}", (), None, None, at(minutes))


async def put(database: Database, *rows: Row) -> None:
    await database.write(lambda c: outbox.add(c, rows))


async def claimed(database: Database, now: datetime = DAY) -> Outgoing | None:
    return await database.write(lambda c: outbox.claim(c, now))


async def sent(database: Database, now: datetime = DAY) -> str | None:
    """The text of the next message, which is confirmed."""
    outgoing = await claimed(database, now)
    if outgoing is None:
        return None
    await database.write(lambda c: outbox.confirm(c, outgoing.id, 7, now))
    return outgoing.message.text


async def postponed(database: Database, now: datetime, until: datetime) -> str:
    outgoing = await claimed(database, now)
    assert outgoing is not None
    await database.write(lambda c: outbox.postpone(c, outgoing.id, until, "FLOOD_WAIT"))
    return outgoing.message.text


async def test_a_message_comes_out_as_it_went_in(database: Database) -> None:
    entities = (Entity("bold", 0, 5), Entity("text_url", 7, 2, "https://t.me/alfa_demo/1"))
    story, post = PostId("-1001000000001", 7), PostId("-1001000000002", 9)
    await put(database, Row("alert", GROUP, Lane.URGENT, -42, "Сирия 🕊", entities, story, post, at()))
    outgoing = await claimed(database)
    assert outgoing is not None
    assert (outgoing.destination, outgoing.lane, outgoing.random_id) == (GROUP, Lane.URGENT, -42)
    assert (outgoing.message.text, outgoing.message.entities) == ("Сирия 🕊", entities)
    assert await database.rows("SELECT story, post, tries FROM outbox") == [(str(story), str(post), 1)]


async def test_a_repeat_is_no_second_message(database: Database) -> None:
    await put(database, row("one", text="first"), row("one", text="second"))
    await put(database, row("one", text="third"))
    assert [await sent(database), await sent(database)] == ["first", None]


async def test_what_is_more_urgent_goes_first_and_what_is_older_before_that(database: Database) -> None:
    lanes = [Lane.EDIT, Lane.DIGEST, Lane.ALERT, Lane.NOTICE, Lane.URGENT, Lane.ALERT]
    await put(database, *(row(f"{number} {lane}", lane) for number, lane in enumerate(lanes)))
    texts = [await sent(database) for _ in lanes]
    assert texts == [f"Сирия: {key}" for key in ("4 urgent", "2 alert", "5 alert", "3 notice", "1 digest", "0 edit")]


async def test_nothing_goes_before_its_moment(database: Database) -> None:
    await put(database, row("one", minutes=5))
    assert await sent(database, at(4.99)) is None
    assert await sent(database, at(5)) is not None


async def test_what_was_tried_is_claimed_again_with_the_same_random_id(database: Database, tmp_path: Path) -> None:
    await put(database, row("one"))
    first = await claimed(database)
    async with Database.opened(tmp_path) as after_the_crash:
        again = await claimed(after_the_crash)
        assert again == first
        assert await database.rows("SELECT state, tries FROM outbox") == [("tried", 2)]


async def test_what_is_postponed_holds_up_its_lane_to_its_destination_and_nothing_else(database: Database) -> None:
    await put(
        database, row("one"), row("two"), row("elsewhere", to=ME), row("in a thread", to=GROUP), row("d", Lane.DIGEST)
    )
    assert await postponed(database, at(), at(1)) == "Сирия: one"
    texts = [await sent(database) for _ in range(4)]
    assert texts == ["Сирия: elsewhere", "Сирия: in a thread", "Сирия: d", None]
    assert [await sent(database, at(1)) for _ in range(3)] == ["Сирия: one", "Сирия: two", None]


async def test_what_is_refused_holds_up_nothing(database: Database) -> None:
    await put(database, row("one"), row("two"))
    outgoing = await claimed(database)
    assert outgoing is not None
    await database.write(lambda c: outbox.refuse(c, outgoing.id, "CHAT_WRITE_FORBIDDEN"))
    assert [await sent(database), await sent(database)] == ["Сирия: two", None]
    assert await database.rows("SELECT why FROM outbox WHERE state = 'refused'") == [("CHAT_WRITE_FORBIDDEN",)]


async def test_a_confirmed_message_knows_where_it_stands(database: Database) -> None:
    await put(database, row("one"))
    await postponed(database, at(), at(1))
    await sent(database, at(1))
    assert await database.rows("SELECT state, number, why, sent = not_before FROM outbox") == [("sent", 7, None, 1)]


async def test_the_next_moment_is_when_something_may_go(database: Database) -> None:
    assert await outbox.next_moment(database) is None
    await put(database, row("one"), row("two"), row("later", to=ME, minutes=3))
    assert await outbox.next_moment(database) == at()
    await postponed(database, at(), at(5))
    assert await outbox.next_moment(database) == at(3)  # not that of "two", which waits for "one"
    await sent(database, at(3))
    assert await outbox.next_moment(database) == at(5)


@pytest.mark.parametrize("lane", Lane)
async def test_every_lane_is_served(database: Database, lane: Lane) -> None:
    await put(database, row("one", lane))
    assert await sent(database) == "Сирия: one"


async def test_the_depth_counts_every_state(database: Database) -> None:
    assert await outbox.depth(database) == {"waits": 0, "tried": 0, "sent": 0, "refused": 0}
    await put(database, *(row(key) for key in "abcde"))
    await sent(database)
    await postponed(database, at(), at(1))
    assert await outbox.depth(database) == {"waits": 3, "tried": 1, "sent": 1, "refused": 0}


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
