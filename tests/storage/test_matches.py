"""What was found, and what was decided."""

from __future__ import annotations

from bot.model import Hit, Match, PartKind, PostId, Reason
from bot.ports import Lane
from bot.render.richtext import Message as Text
from bot.storage import matches, outbox
from bot.storage.database import Connection, Database
from bot.storage.matches import Revised, StoredMatch
from bot.storage.outbox import Saying
from tests.made import DESK, GROUP, at

ALFA, BETA = -1001000000001, -1001000000002
STORY = PostId(str(BETA), 3)


def match(number: int, topic: str = "syria", channel: int = ALFA) -> StoredMatch:
    return StoredMatch(
        *(channel, number, topic, topic.title(), '["Сирия"]', '[{"in":"text","start":0,"end":5,"text":"Сирия"}]'),
        *(STORY, DESK, Reason.NEW, None, at(number)),
    )


async def test_matches_come_back_in_the_order_in_which_they_were_committed(database: Database) -> None:
    added = [match(9), match(7)._replace(destination=GROUP, reason=Reason.QUIET, due=at(600)), match(9, "turkey")]
    await database.write(lambda c: matches.add(c, added))
    expected = [one._replace(id=id_) for id_, one in enumerate(added, start=1)]
    assert await matches.after(database, 0, 10) == expected
    assert await matches.after(database, 1, 1) == expected[1:2]
    assert await matches.after(database, 3, 10) == []


async def test_a_known_match_stays_as_it_is(database: Database) -> None:
    await database.write(lambda c: matches.add(c, [match(7)]))
    again = match(7)._replace(reason=Reason.EDIT, keywords="[]", seen=at(99))
    await database.write(lambda c: matches.add(c, [again, match(7, channel=BETA)]))
    found = [one._replace(id=0) for one in await matches.after(database, 0, 10)]
    assert found == [match(7), match(7, channel=BETA)]


async def test_an_edit_renews_keywords_and_hits_and_nothing_else(database: Database) -> None:
    await database.write(lambda c: matches.add(c, [match(7), match(7, "turkey")]))
    renewed = match(7)._replace(keywords='["Асад"]', hits="[]", reason=Reason.EDIT, seen=at(99), title="Another")
    await database.write(lambda c: matches.renew(c, [renewed, match(8)]))
    found = await matches.after(database, 0, 10)
    assert found == [match(7)._replace(keywords='["Асад"]', hits="[]", id=1), match(7, "turkey")._replace(id=2)]


async def test_the_topics_of_posts_are_known_with_their_stories(database: Database) -> None:
    others = [match(8), match(9, channel=BETA)._replace(story=PostId(str(BETA), 9))]
    await database.write(lambda c: matches.add(c, [match(7), match(7, "turkey"), *others]))
    assert await matches.topics(database, [(ALFA, 7), (BETA, 9), (BETA, 7), (ALFA, 9)]) == {
        (ALFA, 7): (frozenset({"syria", "turkey"}), STORY),
        (BETA, 9): (frozenset({"syria"}), PostId(str(BETA), 9)),
    }
    assert await matches.topics(database, []) == {}


async def test_the_last_id_is_that_of_the_newest_match(database: Database) -> None:
    assert await matches.last_id(database) == 0
    await database.write(lambda c: matches.add(c, [match(7), match(8)]))
    assert await matches.last_id(database) == 2


def test_hits_are_read_back_as_they_were_made() -> None:
    assert matches.hits_of(match(7)) == (Hit(PartKind.TEXT, 0, 5, "Сирия"),)
    assert matches.match_of(match(7)) == Match("syria", ("Сирия",), (Hit(PartKind.TEXT, 0, 5, "Сирия"),))


async def test_the_matches_of_posts_are_those_of_one_destination(database: Database) -> None:
    added = [
        match(7),
        match(7, "desk")._replace(destination=GROUP),
        match(8),
        match(7, "turkey"),
        match(7, channel=BETA),
    ]
    await database.write(lambda c: matches.add(c, added))
    asked = [PostId(str(ALFA), 7), PostId(str(BETA), 8)]
    assert [(one.id, one.topic) for one in await matches.matches_of(database, asked, DESK)] == [
        (1, "syria"),
        (4, "turkey"),
    ]
    assert await matches.matches_of(database, [], DESK) == []


async def told_by(database: Database) -> list[int | None]:
    return [digest for (digest,) in await database.rows("SELECT digest FROM match ORDER BY id")]


async def test_a_match_is_told_by_one_digest(database: Database) -> None:
    await database.write(lambda c: matches.add(c, [match(7), match(8), match(9)]))
    await database.write(lambda c: matches.mark_digested(c, [1, 3], 5))
    assert await told_by(database) == [5, None, 5]


async def test_what_became_of_a_post_is_noted_with_all_its_matches(database: Database) -> None:
    await database.write(lambda c: matches.add(c, [match(7), match(7, "turkey"), match(8)]))
    await database.write(lambda c: matches.revise(c, [Revised(ALFA, 7, at(9), 3, ("turkey", "bases"))]))
    seen = [(one.topic, one.edited, one.footer, one.stale) for one in await matches.after(database, 0, 9)]
    assert seen == [("syria", at(9), 3, True), ("turkey", at(9), 3, False), ("syria", None, None, False)]


async def test_what_was_edited_stays_so_and_a_new_match_of_it_is_too(database: Database) -> None:
    await database.write(lambda c: matches.add(c, [match(7)]))
    await database.write(lambda c: matches.revise(c, [Revised(ALFA, 7, at(9), None, ("turkey",))]))
    await database.write(lambda c: matches.add(c, [match(7, "turkey")]))
    await database.write(lambda c: matches.revise(c, [Revised(ALFA, 7, None, None, None)]))
    seen = [(one.edited, one.stale) for one in await matches.after(database, 0, 9)]
    assert seen == [(at(9), True), (at(9), False)]


async def test_what_a_message_can_say_no_more_is_told_by_the_next_digest(database: Database) -> None:
    """Of the topics that the post is still of, in places of which a message tells that is too old."""
    added = [match(7), match(7, "turkey"), match(7, "desk")._replace(destination=GROUP), match(8)]
    says = (Saying(STORY, ALFA, 7, ("syria",), urgent=False, edited=False),)
    old = outbox.Row("a", DESK, Lane.ALERT, Text("Сирия"), at(5), 1, says=says)
    new = outbox.Row("b", GROUP, Lane.ALERT, Text("Сирия"), at(6), 2, says=says)

    def work(c: Connection) -> None:
        matches.add(c, added)
        outbox.add(c, [old, new])
        matches.mark_digested(c, [1, 2, 3, 4], 1)
        matches.revise(c, [Revised(ALFA, 7, at(9), None, ("syria", "desk"))])
        matches.find_again(c, [(ALFA, 7), (ALFA, 8)], at(5))

    await database.write(work)
    assert await told_by(database) == [None, 1, 1, 1]


async def test_it_counts_from_when_the_message_was_sent(database: Database) -> None:
    says = (Saying(STORY, ALFA, 7, ("syria",), urgent=False, edited=False),)
    row = outbox.Row("a", DESK, Lane.ALERT, Text("Сирия"), at(5), 1, says=says)

    def work(c: Connection) -> None:
        matches.add(c, [match(7)])
        outbox.add(c, [row])
        matches.mark_digested(c, [1], 1)
        outbox.confirm(c, 1, 9, 3, at(60))
        matches.find_again(c, [(ALFA, 7)], at(59))

    await database.write(work)
    assert await told_by(database) == [1]
    await database.write(lambda c: matches.find_again(c, [(ALFA, 7)], at(60)))
    assert await told_by(database) == [None]


async def test_what_a_first_reading_brought_is_not_told_as_one_again(database: Database) -> None:
    """An edit has brought another topic since, which the next digest tells again."""
    says = (Saying(STORY, ALFA, 7, ("syria", "turkey"), urgent=False, edited=False),)

    def work(c: Connection) -> None:
        matches.add(c, [match(7)._replace(reason=Reason.HISTORY), match(7, "turkey")])
        outbox.add(c, [outbox.Row("a", DESK, Lane.ALERT, Text("Сирия"), at(5), 1, says=says)])
        matches.mark_digested(c, [1, 2], 1)
        matches.find_again(c, [(ALFA, 7)], at(5))

    await database.write(work)
    assert await told_by(database) == [1, None]
