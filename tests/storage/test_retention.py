"""What is too old is removed, and nothing that something waits for."""

from __future__ import annotations

from typing import Any

import pytest

from bot.cursor import Cursor
from bot.model import Notice, Peer, PostId, Reason, Stands
from bot.ports import Lane
from bot.render.richtext import Message as Text
from bot.storage import bundles, channels, digests, facts, matches, notices, outbox, posts, retention, stories
from bot.storage.bundles import Hold
from bot.storage.database import Connection, Database
from bot.storage.digests import Made
from bot.storage.matches import StoredMatch
from bot.storage.outbox import Row, Saying
from bot.storage.posts import Message
from bot.storage.retention import MOST, NEWEST, Bounds
from bot.stories.member import Member
from tests.made import DESK, ME, at

ALFA = Peer(id=-1001000000001, access_hash=7, username="alfa_demo")
CURSOR = Cursor(floor=0, began=1, verified=1_000, top=1_000, history_read=True)
#: Posts come every minute; these are a day on.
LATER = at(24 * 60)
BOUNDS = Bounds(posts=at(30), stories=at(30), letters=at(30), editable=at(40), digests=True)


def message(number: int, *, minutes: float | None = None, album: int | None = None, post: int | None = None) -> Message:
    date = at(number if minutes is None else minutes)
    return Message(
        ALFA.id, number, Stands.POST, album, post or number, date, date, None, b"12345678", '{"text":"Сирия"}'
    )


def service(number: int) -> Message:
    return Message(ALFA.id, number, Stands.SERVICE, None, number, None, LATER, None, None, None)


def found(number: int) -> StoredMatch:
    post = PostId(str(ALFA.id), number)
    return StoredMatch(ALFA.id, number, "syria", "Syria", "[]", "[]", post, DESK, Reason.NEW, None, at(number))


def member(number: int, story: int) -> Member:
    return Member(PostId(str(ALFA.id), number), PostId(str(ALFA.id), story), at(number), b"12345", 1, ())


def letter(key: str, minutes: float, number: int | None = None) -> Row:
    says = (
        ()
        if number is None
        else (Saying(PostId(str(ALFA.id), number), ALFA.id, number, (), urgent=False, edited=False),)
    )
    return Row(key, DESK, Lane.ALERT, Text("Сирия"), at(minutes), 5, says=says)


async def fill(database: Database, *rows: Message, cursor: Cursor = CURSOR) -> None:
    def work(c: Connection) -> None:
        channels.put(c, 1, ALFA, cursor)
        posts.put(c, posts.packed(rows))

    await database.write(work)


async def fill_up(database: Database, *rows: Message) -> None:
    """Above these there are as many as stay in any case."""
    await fill(database, *rows, *(message(number) for number in range(100, 100 + NEWEST)))


async def upto(database: Database, bounds: Bounds = BOUNDS) -> int | None:
    return await database.write(lambda c: retention.upto(c, ALFA.id, bounds))


async def forgotten(database: Database, bounds: Bounds = BOUNDS) -> None:
    number = await upto(database, bounds)
    assert number is not None
    await database.write(lambda c: retention.forget(c, ALFA.id, number))


async def numbers(database: Database, table: str = "message") -> list[int]:
    return [number for (number,) in await database.rows(f"SELECT number FROM {table} ORDER BY number")]  # noqa: S608


async def ids(database: Database, table: str) -> list[Any]:
    return [id_ for (id_,) in await database.rows(f"SELECT id FROM {table} ORDER BY id")]  # noqa: S608


# --- posts ------------------------------------------------------------------------------------------------


async def test_a_channel_is_removed_up_to_its_first_post_that_is_not_too_old(database: Database) -> None:
    await fill_up(database, *(message(number) for number in range(1, 60)))
    await database.write(lambda c: posts.keep_versions(c, [(ALFA.id, 29, at(40), "{}"), (ALFA.id, 30, at(40), "{}")]))
    await forgotten(database)
    assert await numbers(database) == [*range(30, 60), *range(100, 100 + NEWEST)]
    assert await numbers(database, "version") == [30]
    assert (await channels.cursors(database))[ALFA.id].floor == 29
    assert await upto(database) is None


async def test_so_many_are_removed_at_once_and_no_more(database: Database) -> None:
    await fill(database, *(message(number, minutes=0) for number in range(1, 2 * MOST + NEWEST)))
    assert await upto(database) == MOST
    await forgotten(database)
    assert await upto(database) == 2 * MOST - 1


async def test_the_newest_of_a_channel_stay_whatever_their_age(database: Database) -> None:
    await fill(database, *(message(number, minutes=0) for number in range(1, NEWEST + 4)))
    assert await upto(database) == 3
    await forgotten(database)
    assert await upto(database) is None


async def test_a_channel_of_few_posts_keeps_them_all(database: Database) -> None:
    await fill(database, *(message(number, minutes=0) for number in range(1, NEWEST)))
    assert await upto(database) is None


async def test_what_says_nothing_goes_with_its_neighbours(database: Database) -> None:
    await fill_up(database, service(1), message(2), service(3), message(4), service(5), message(40))
    await forgotten(database)
    assert (await numbers(database))[:1] == [40]


async def test_an_album_goes_whole_or_stays(database: Database) -> None:
    """Its parts have one date; here what bounds it is the number of those that go at once."""
    rows = [message(number, minutes=0) for number in range(1, MOST + NEWEST + 9)]
    rows[MOST - 2 : MOST + 2] = [
        message(number, minutes=0, album=7, post=MOST - 1) for number in range(MOST - 1, MOST + 3)
    ]
    await fill(database, *rows)
    assert await upto(database) == MOST - 2
    await forgotten(database)
    assert await upto(database) == MOST + 8


async def test_nothing_above_the_cursor_is_removed(database: Database) -> None:
    rows = [message(number, minutes=0) for number in range(1, NEWEST + 50)]
    await fill(database, *rows, cursor=Cursor(floor=0, began=1, verified=12, top=90, history_read=True))
    assert await upto(database) == 12


async def test_only_channels_that_have_something_too_old_are_asked_for(database: Database) -> None:
    await fill_up(database, message(20))
    assert await retention.channels(database, at(20)) == []
    assert await retention.channels(database, at(21)) == [ALFA.id]


async def test_a_channel_whose_first_reading_goes_on_is_left_alone(database: Database) -> None:
    await fill(database, message(20), cursor=Cursor(floor=9, began=30, verified=40, top=40))
    assert await retention.channels(database, LATER) == []


async def test_what_backfill_knows_to_be_stored_begins_later(database: Database) -> None:
    """Else it would not read again what was removed, where somebody wants it once more."""
    await fill_up(database, *(message(number) for number in range(1, 60)))
    await database.write(lambda c: facts.put(c, f"backfilled {ALFA.id}", 1))
    await forgotten(database)
    [(begins,)] = await database.rows("SELECT value FROM fact WHERE key LIKE 'backfilled%'")
    dates = [date for (date,) in await database.rows("SELECT date FROM message ORDER BY number LIMIT 1")]
    assert dates[0] - 60_000_000 < begins <= dates[0]


# --- what is still needed ---------------------------------------------------------------------------------


async def test_a_match_that_no_digest_has_told_keeps_its_post(database: Database) -> None:
    await fill_up(database, *(message(number) for number in range(1, 60)))
    await database.write(lambda c: matches.add(c, [found(4), found(12)]))
    await database.write(lambda c: matches.mark_digested(c, [1], 1))
    await forgotten(database)
    assert await numbers(database, "match") == [12]
    assert (await numbers(database))[:1] == [12]
    await database.write(lambda c: matches.mark_digested(c, [2], 1))
    await forgotten(database)
    assert await numbers(database, "match") == []
    assert (await numbers(database))[:1] == [30]


async def test_where_digests_are_switched_off_no_match_waits_for_one(database: Database) -> None:
    await fill_up(database, *(message(number) for number in range(1, 60)))
    await database.write(lambda c: matches.add(c, [found(4)]))
    assert await upto(database) == 3
    assert await upto(database, BOUNDS._replace(digests=False)) == 29


async def test_what_is_held_keeps_its_post_until_it_is_told(database: Database) -> None:
    await fill_up(database, *(message(number) for number in range(1, 60)))
    await database.write(lambda c: bundles.hold(c, [Hold(DESK, Reason.QUIET, at(99), ALFA.id, 8, at(8))]))
    assert await upto(database) == 7
    await database.write(lambda c: c.execute("UPDATE bundle SET told = 1"))
    assert await upto(database) == 29


@pytest.mark.parametrize(
    ("state", "minutes", "stays"),
    [("waits", 9, True), ("tried", 9, True), ("sent", 9, False), ("sent", 41, True)],
)
async def test_a_message_that_may_be_sent_or_edited_keeps_its_post(
    database: Database, state: str, minutes: float, *, stays: bool
) -> None:
    await fill_up(database, *(message(number) for number in range(1, 60)))
    await database.write(lambda c: outbox.add(c, [letter("a", minutes, number=9)]))
    await database.write(lambda c: c.execute("UPDATE outbox SET state = ?", (state,)))
    assert await upto(database) == (8 if stays else 29)


# --- stories, messages and the rest -----------------------------------------------------------------------


async def test_a_story_is_forgotten_with_the_last_of_its_posts(database: Database) -> None:
    await fill(database, message(5))
    await database.write(lambda c: stories.add(c, [member(1, 1), member(2, 2), member(35, 2), member(5, 5)]))
    told = [(PostId(str(ALFA.id), story), DESK, "syria", False, at(story)) for story in (1, 2, 5)]
    await database.write(lambda c: stories.tell(c, told))
    assert await database.write(lambda c: retention.forget_stories(c, at(30))) == 2
    # The post of number 5 is stored still: something may wait for it.
    assert [one.post.number for one in await stories.members(database, at())] == [35, 5]
    assert [story.number for story, *_ in await stories.told(database, 9)] == [2, 5]


async def test_messages_that_were_sent_go_with_what_they_said(database: Database) -> None:
    rows = [letter("a", 1, 1), letter("b", 2, 2), letter("c", 3, 3), letter("d", 31, 4), letter("e", 4, 5)]
    await database.write(lambda c: outbox.add(c, rows))
    await database.write(lambda c: c.execute("UPDATE outbox SET state = 'sent' WHERE key != 'b'"))
    await database.write(lambda c: outbox.refuse(c, 3, "nobody is there", at(99)))
    assert await database.write(lambda c: retention.forget_letters(c, at(30))) == 1
    # One waits, one is tried again, one is young, and the newest keeps its number from being given again.
    assert await ids(database, "outbox") == [2, 3, 4, 5]
    assert await numbers(database, "says") == [2, 3, 4, 5]
    await database.write(lambda c: outbox.refuse(c, 3, "nobody is there"))
    assert await database.write(lambda c: retention.forget_letters(c, at(30))) == 1


async def test_bundles_go_when_their_messages_are_gone(database: Database) -> None:
    for minutes in (1, 2, 3):
        await database.write(
            lambda c, minutes=minutes: bundles.hold(c, [Hold(DESK, Reason.QUIET, at(9), ALFA.id, minutes, at(minutes))])  # type: ignore[misc]
        )
        await database.write(lambda c: c.execute("UPDATE bundle SET told = due WHERE told IS NULL"))
    await database.write(lambda c: outbox.add(c, [letter("b", 1)._replace(bundle=1), letter("c", 50)]))
    assert await database.write(lambda c: retention.forget_rest(c, at(30))) == 1
    assert await ids(database, "bundle") == [1, 3]
    await database.write(lambda c: c.execute("UPDATE outbox SET state = 'sent'"))
    await database.write(lambda c: retention.forget_letters(c, at(30)))
    assert await database.write(lambda c: retention.forget_rest(c, at(30))) == 1
    assert await ids(database, "bundle") == [3]
    assert await numbers(database, "held") == [3]


async def test_of_each_destination_the_last_digest_stays(database: Database) -> None:
    for place in (DESK, DESK, ME):
        await database.write(lambda c, place=place: digests.add(c, Made(place, at(0), at(1)), at(2)))  # type: ignore[misc]
    assert await database.write(lambda c: retention.forget_rest(c, at(30))) == 1
    assert await ids(database, "digest") == [2, 3]


async def test_of_each_subject_the_last_notice_stays_and_whatever_is_untold(database: Database) -> None:
    for minutes, what in enumerate(("lost", "back", "lost again", "back again")):
        await database.write(
            lambda c, what=what, minutes=minutes: notices.say(c, "channel 1", Notice(what), at(minutes))  # type: ignore[misc]
        )
    await database.write(lambda c: notices.mark_told(c, [1, 2], at(5)))
    assert await database.write(lambda c: retention.forget_rest(c, at(30))) == 2
    assert await ids(database, "notice") == [3, 4]
    await database.write(lambda c: notices.mark_told(c, [3, 4], at(5)))
    await database.write(lambda c: retention.forget_rest(c, at(30)))
    assert await ids(database, "notice") == [4]


async def test_much_free_room_is_given_back_and_some_is_kept_for_what_comes(database: Database) -> None:
    await database.write(lambda c: c.execute("CREATE TABLE filling (text TEXT)"))
    await database.write(lambda c: c.executemany("INSERT INTO filling VALUES (?)", [("x" * 4_000,)] * 500))
    await database.write(lambda c: c.execute("DELETE FROM filling WHERE rowid % 2"))
    given_back = 0
    while (pages := await database.write(retention.compact)) > 0:
        given_back += pages
    [[free]], [[left]] = await database.rows("PRAGMA freelist_count"), await database.rows("PRAGMA page_count")
    assert given_back > 150
    assert 0 < free <= left / 10
    assert await database.rows("SELECT count(*) FROM filling") == [(250,)]
    assert await database.rows("PRAGMA integrity_check") == [("ok",)]


async def test_where_little_is_free_nothing_is_moved(database: Database) -> None:
    await fill_up(database)
    assert await database.write(retention.compact) == 0
