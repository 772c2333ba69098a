"""Digests as they are kept: what each has told, what none has, and from when on the next one tells."""

from __future__ import annotations

from bot.model import Destination, PostId, Reason, Stands
from bot.storage import digests, facts, matches, posts, stories
from bot.storage.database import Connection, Database
from bot.storage.digests import Made, Ran
from bot.storage.matches import Revised, StoredMatch
from bot.storage.posts import Message
from bot.storage.times import to_integer
from bot.stories.member import Member
from tests.made import DESK, GROUP, ME, at

ALFA, BETA = -1001000000001, -1001000000002


def post(number: int, channel: int = ALFA) -> PostId:
    return PostId(str(channel), number)


def match(
    number: int, to: Destination = ME, reason: Reason = Reason.NEW, *, topic: str = "syria", seen: float = 0
) -> StoredMatch:
    return StoredMatch(ALFA, number, topic, "Syria", "[]", "[]", post(number), to, reason, None, at(seen))


def message(number: int, *, deleted: bool = False, album: int | None = None, channel: int = ALFA) -> Message:
    lead = number if album is None else album
    gone = at(9) if deleted else None
    return Message(channel, number, Stands.POST, album, lead, at(number), at(), gone, b"", "{}")


async def stored(database: Database, *rows: Message) -> None:
    await database.write(lambda c: posts.put(c, posts.packed(rows)))


async def found(database: Database, *rows: StoredMatch) -> None:
    await database.write(lambda c: matches.add(c, rows))


async def made(database: Database, one: Made, *ids: int) -> int:
    def work(c: Connection) -> int:
        number = digests.add(c, one, at(500))
        matches.mark_digested(c, ids, number)
        return number

    return await database.write(work)


# --- what is told -----------------------------------------------------------------------------------------


async def test_what_no_digest_has_told_comes_in_the_order_of_commit(database: Database) -> None:
    await stored(database, message(11), message(12))
    await found(database, match(12), match(11), match(11, DESK, topic="oil"), match(13, reason=Reason.HISTORY))
    lines = await digests.undigested(database, ME, history=False)
    assert [(line.number, line.topic, line.date) for line in lines] == [
        (12, "syria", to_integer(at(12))),
        (11, "syria", to_integer(at(11))),
    ]
    assert [line.number for line in await digests.undigested(database, ME, history=True)] == [13]
    first = await made(database, Made(ME, at(), at(480)), lines[0].id)
    assert [line.number for line in await digests.undigested(database, ME, history=False)] == [11]
    assert [line.number for line in await digests.of_digest(database, first)] == [12]


async def test_any_number_of_them_is_read(database: Database) -> None:
    await found(database, *(match(number) for number in range(1, 12_002)))
    lines = await digests.undigested(database, ME, history=False)
    assert [line.number for line in lines] == list(range(1, 12_002))


async def test_a_line_says_whether_its_post_was_edited_or_is_gone(database: Database) -> None:
    await stored(database, message(11), message(12, deleted=True), message(13))
    await found(database, match(11), match(12), match(13))
    await database.write(lambda c: matches.revise(c, [Revised(ALFA, 13, at(9), None, ("syria",))]))
    lines = await digests.undigested(database, ME, history=False)
    assert [(line.edited, line.gone) for line in lines] == [(0, 0), (0, 1), (1, 0)]


async def test_an_album_is_gone_when_all_of_it_is(database: Database) -> None:
    await stored(database, message(11, deleted=True, album=11), message(12, album=11))
    await stored(database, message(21, deleted=True, album=21), message(22, deleted=True, album=21))
    await found(database, match(11), match(21))
    assert [line.gone for line in await digests.undigested(database, ME, history=False)] == [0, 1]


async def test_a_post_that_is_not_stored_any_more_is_of_when_it_was_found(database: Database) -> None:
    await found(database, match(11, seen=7))
    [line] = await digests.undigested(database, ME, history=False)
    assert (line.date, line.gone) == (to_integer(at(7)), 0)


async def test_a_story_ran_where_its_posts_are_and_were(database: Database) -> None:
    await stored(database, message(11), message(12, deleted=True), message(31, channel=BETA))
    members = [Member(post(11), post(11), at(11), b"", 9, ()), Member(post(12), post(11), at(12), b"", 9, ())]
    members.append(Member(post(31, BETA), post(11), at(31), b"", 9, ()))
    await database.write(lambda c: stories.add(c, members))
    assert await digests.ran(database, [str(post(11)), str(post(99))]) == {
        str(post(11)): [
            Ran(ALFA, 11, to_integer(at(11)), 0),
            Ran(ALFA, 12, to_integer(at(12)), 1),
            Ran(BETA, 31, to_integer(at(31)), 0),
        ]
    }


async def test_what_was_found_and_stands_there_no_more_is_no_hit(database: Database) -> None:
    await found(database, match(11), match(12))
    await database.write(lambda c: matches.revise(c, [Revised(ALFA, 12, at(9), None, ("oil",))]))
    assert await digests.hits(database, [1, 2, 3]) == {1: "[]"}


# --- whose digest is to be made ---------------------------------------------------------------------------


async def test_destinations_wait_for_what_was_not_told(database: Database) -> None:
    assert await digests.waiting(database) == []
    await found(database, match(11), match(12, DESK), match(13, DESK), match(14, GROUP, Reason.HISTORY))
    assert set(await digests.waiting(database)) == {ME, DESK, GROUP}
    await made(database, Made(DESK, at(), at(480)), 2, 3)
    assert set(await digests.waiting(database)) == {ME, GROUP}


async def test_histories_wait_since_the_first_of_them(database: Database) -> None:
    await found(database, match(11), match(12, reason=Reason.HISTORY, seen=5), match(13, reason=Reason.HISTORY, seen=3))
    assert await digests.histories(database, 0) == ({ME: at(3)}, 3)
    assert await digests.histories(database, 3) == ({}, 3)
    await found(database, match(14, DESK, Reason.HISTORY, seen=8))
    assert await digests.histories(database, 3) == ({DESK: at(8)}, 4)
    await made(database, Made(ME, at(), at(), history=True), 2, 3)
    assert await digests.histories(database, 0) == ({DESK: at(8)}, 4)


async def test_a_period_begins_when_its_destination_is_first_seen(database: Database) -> None:
    await database.write(lambda c: digests.keep(c, [ME], at(1)))
    await database.write(lambda c: digests.keep(c, [ME, DESK], at(2)))
    assert await digests.periods(database) == {ME: at(1), DESK: at(2)}
    await database.write(lambda c: digests.keep(c, [DESK], at(3)))
    assert await digests.periods(database) == {DESK: at(2)}


async def test_a_period_that_a_wrong_clock_began_begins_anew(database: Database) -> None:
    await database.write(lambda c: digests.keep(c, [ME], at(59)))
    await database.write(lambda c: digests.keep(c, [ME], at(0)))
    assert await digests.periods(database) == {ME: at(59)}
    await database.write(lambda c: digests.keep(c, [ME], at(-2)))
    assert await digests.periods(database) == {ME: at(-2)}


async def test_a_period_moves_only_from_where_it_was(database: Database) -> None:
    await database.write(lambda c: digests.keep(c, [ME], at()))
    assert not await database.write(lambda c: digests.move(c, ME, at(1), at(480)))
    assert not await database.write(lambda c: digests.move(c, DESK, at(), at(480)))
    assert await database.write(lambda c: digests.move(c, ME, at(), at(480)))
    assert await digests.periods(database) == {ME: at(480)}


async def test_it_is_asked_for_until_it_is_answered(database: Database) -> None:
    assert not await digests.is_asked(database)
    await database.write(lambda c: facts.put(c, digests.ASKED, to_integer(at())))
    assert await digests.is_asked(database)
    await database.write(digests.answer)
    assert not await digests.is_asked(database)


# --- digests that were made -------------------------------------------------------------------------------


async def test_the_last_digest_of_each_destination_is_known(database: Database) -> None:
    for one in (Made(ME, at(), at(1)), Made(DESK, at(), at(2)), Made(ME, at(1), at(3), history=True)):
        await made(database, one)
    assert await digests.last(database) == [Made(DESK, at(), at(2), id=2), Made(ME, at(1), at(3), history=True, id=3)]
