"""What was found, and what was decided."""

from __future__ import annotations

from bot.model import PostId, Reason
from bot.storage import matches
from bot.storage.database import Database
from bot.storage.matches import StoredMatch
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
