"""What the operators are told: once a change."""

from __future__ import annotations

from datetime import datetime

from bot.model import Notice
from bot.storage import notices
from bot.storage.database import Database
from tests.made import DAY, at

LOST = Notice("@alfa_demo cannot be read: CHANNEL_PRIVATE", ("since noon", 'it said "bye"\n'))


async def told(database: Database, what: Notice | str, subject: str = "alfa", now: datetime = DAY) -> bool:
    notice = Notice(what) if isinstance(what, str) else what
    return await database.write(lambda c: notices.tell(c, subject, notice, now))


async def test_a_change_is_taken_down_once(database: Database) -> None:
    assert [await told(database, LOST), await told(database, LOST)] == [True, False]
    [noted] = await notices.untold(database)
    assert (noted.subject, noted.notice, noted.made, noted.told) == ("alfa", LOST, at(), None)


async def test_only_what_a_subject_said_last_counts(database: Database) -> None:
    said = [await told(database, what) for what in ("lost", "back", "lost", "lost")]
    assert said == [True, True, True, False]
    assert await told(database, "lost", "bravo")


async def test_details_alone_are_no_change(database: Database) -> None:
    assert await told(database, Notice("3 channels are behind", ("alfa",)))
    assert not await told(database, Notice("3 channels are behind", ("bravo",)))


async def test_what_was_told_is_not_told_again(database: Database) -> None:
    await told(database, "first")
    await told(database, "second")
    [first, second] = await notices.untold(database)
    await database.write(lambda c: notices.mark_told(c, [first.id], at(2)))
    assert await notices.untold(database) == [second]
    assert not await told(database, "second")


async def test_a_trouble_that_ended_and_comes_back_is_told_again(database: Database) -> None:
    await told(database, LOST)
    for _ in range(2):
        await database.write(lambda c: notices.settle(c, "alfa", at(1)))
    assert [noted.notice for noted in await notices.untold(database)] == [LOST]
    assert await told(database, LOST)
    assert len(await database.rows("SELECT id FROM notice")) == 3


async def test_what_was_never_told_is_not_settled(database: Database) -> None:
    await database.write(lambda c: notices.settle(c, "alfa", at()))
    assert await database.rows("SELECT id FROM notice") == []


async def test_the_newest_come_first(database: Database) -> None:
    for number in range(5):
        await told(database, f"notice {number}")
    await database.write(lambda c: notices.settle(c, "alfa", at()))
    assert [noted.notice.what for noted in await notices.recent(database, 3)] == ["notice 4", "notice 3", "notice 2"]


async def mended(database: Database, now: datetime = DAY, subject: str = "alfa") -> bool:
    back = Notice("@alfa_demo can be read again")
    return await database.write(lambda c: notices.mend(c, subject, back, now))


async def whats(database: Database) -> list[str]:
    return [noted.notice.what for noted in await notices.untold(database)]


async def test_what_somebody_did_is_told_each_time(database: Database) -> None:
    for _ in range(5):
        await database.write(lambda c: notices.say(c, "configuration", Notice("1 keyword was added"), at()))
    assert await whats(database) == ["1 keyword was added"] * 5


async def test_the_end_of_a_trouble_is_told_once_and_the_trouble_again_when_it_comes_back(database: Database) -> None:
    await told(database, LOST)
    assert [await mended(database), await mended(database)] == [True, False]
    assert await told(database, LOST)
    back = "@alfa_demo can be read again"
    assert await whats(database) == [LOST.what, back, LOST.what]
    assert await mended(database)


async def test_the_end_of_what_was_never_told_or_is_settled_is_not_told(database: Database) -> None:
    assert not await mended(database)
    await told(database, LOST)
    await database.write(lambda c: notices.settle(c, "alfa", at()))
    assert not await mended(database)
    assert await whats(database) == [LOST.what]


async def test_a_trouble_that_comes_and_goes_does_not_flood(database: Database) -> None:
    """Of forty changes in forty minutes five are heard; the last of them is the trouble, and that it comes and goes."""
    heard = []
    for minute in range(0, 40, 2):
        heard.append(await told(database, LOST, now=at(minute)))
        heard.append(await mended(database, at(minute + 1)))
    assert heard == [*([True] * 5), *([False] * 35)]
    [*_, last] = await notices.untold(database)
    assert (last.notice.what, "comes and goes" in last.notice.details[-1]) == (LOST.what, True)


async def test_a_trouble_that_comes_back_after_it_stayed_away_is_told_again(database: Database) -> None:
    for minute in range(8):
        await told(database, LOST, now=at(minute))
        await mended(database, at(minute))
    assert await told(database, LOST, now=at(69))
    assert await mended(database, at(70))


async def test_a_trouble_that_is_not_told_again_still_is_how_things_stand(database: Database) -> None:
    for minute in range(5):
        await mended(database, at(minute))
        await told(database, "@desk_demo refuses messages: BANNED", "destination @desk_demo", at(minute))
        await mended(database, at(minute), "destination @desk_demo")
    await told(database, "@desk_demo refuses messages: BANNED", "destination @desk_demo", at(6))
    [(what,)] = await database.rows("SELECT what FROM notice ORDER BY id DESC LIMIT 1")
    assert what == "@desk_demo refuses messages: BANNED"


async def test_what_stands_is_what_was_said_last_of_each_subject_of_a_kind(database: Database) -> None:
    for subject, what in (("folder A", "missing"), ("folder B", "missing"), ("folders", "other"), ("folder A", "gone")):
        await told(database, what, subject)
    await database.write(lambda c: notices.settle(c, "folder B", at()))
    assert await notices.standing(database, "folder ") == {"A": "gone"}


async def owed(database: Database) -> dict[str, list[str]]:
    return {mark: [noted.notice.what for noted in ones] for mark, ones in (await notices.owed(database)).items()}


async def test_what_each_url_is_owed_is_asked_for_once_and_paid_once(database: Database) -> None:
    for what in "abc":
        await told(database, what, what)
    await database.write(lambda c: notices.owe(c, [2, 1], ["x", "y"]))
    await database.write(lambda c: notices.paid(c, "x", [1]))
    await database.write(lambda c: notices.owe(c, [1, 2, 3], ["x", "y"]))
    assert await owed(database) == {"x": ["b", "c"], "y": ["a", "b", "c"]}
    await database.write(lambda c: notices.paid(c, "x", [2, 3]))
    assert await owed(database) == {"y": ["a", "b", "c"]}


async def test_where_there_are_no_urls_nothing_is_owed_and_a_new_one_hears_nothing_of_the_past(
    database: Database,
) -> None:
    await told(database, "a", "a")
    await database.write(lambda c: notices.owe(c, [1], []))
    await told(database, "b", "b")
    await database.write(lambda c: notices.owe(c, [1, 2], ["x"]))
    assert await owed(database) == {"x": ["b"]}
    await told(database, "c", "c")
    await database.write(lambda c: notices.owe(c, [3], ["y"]))
    assert await owed(database) == {"y": ["c"]}


async def test_what_is_untold_is_found_without_reading_what_was_told(database: Database) -> None:
    plan = await database.rows("EXPLAIN QUERY PLAN SELECT id FROM notice WHERE told IS NULL ORDER BY id")
    assert [row[-1] for row in plan] == ["SCAN notice USING INDEX notice_untold"]
