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
