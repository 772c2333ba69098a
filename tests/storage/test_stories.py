"""Members of stories, and what was told of them."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.model import Destination, PostId
from bot.storage import stories
from bot.storage.database import Database
from bot.stories.member import Member
from bot.stories.stories import Stories
from tests.made import DESK, GROUP, ME, at, post

ALFA, BETA = "-1001000000001", "-1001000000002"


def member(number: int, *, channel: str = ALFA, story: PostId | None = None, words: int = 12) -> Member:
    id_ = PostId(channel, number)
    return Member(id_, story or id_, at(number), b"\x01\x00\xff\x00\x00", words, (f"{channel}/{number}", "@Имя 2024"))


async def add(database: Database, *members: Member) -> None:
    await database.write(lambda c: stories.add(c, members))


async def tell(database: Database, *told: tuple[PostId, Destination, str, bool, datetime]) -> None:
    await database.write(lambda c: stories.tell(c, told))


async def test_members_come_back_in_the_order_in_which_they_joined(database: Database) -> None:
    await add(database, member(9), member(7), member(8, channel=BETA, story=PostId(ALFA, 9)))
    expected = [member(9), member(7), member(8, channel=BETA, story=PostId(ALFA, 9))]
    assert await stories.members(database, at(0)) == expected
    assert await stories.members(database, at(8)) == [expected[0], expected[2]]


async def test_a_renewed_member_keeps_its_place(database: Database) -> None:
    await add(database, member(7), member(8))
    await add(database, member(7, words=3), member(9))
    assert await stories.members(database, at(0)) == [member(7, words=3), member(8), member(9)]


async def test_a_renamed_member_keeps_its_place_and_its_story(database: Database) -> None:
    await add(database, member(7), member(8))
    await database.write(lambda c: stories.rename(c, [(PostId(ALFA, 7), PostId(ALFA, 6))]))
    renewed = member(6, story=PostId(ALFA, 7), words=3)
    await add(database, renewed)
    assert await stories.members(database, at(0)) == [renewed, member(8)]


async def test_renaming_to_a_member_or_from_none_does_nothing(database: Database) -> None:
    await add(database, member(7), member(8))
    ids = [(PostId(ALFA, 7), PostId(ALFA, 8)), (PostId(ALFA, 5), PostId(ALFA, 4))]
    await database.write(lambda c: stories.rename(c, ids))
    assert await stories.members(database, at(0)) == [member(7), member(8)]


async def test_what_was_told_last_stands_at_the_end(database: Database) -> None:
    one, other = PostId(ALFA, 7), PostId(BETA, 3)
    told = [(one, DESK, "syria", False, at(3)), (other, GROUP, "syria", False, at(1)), (one, ME, "syria", True, at(2))]
    await tell(database, *told)
    expected = [(other, GROUP, "syria", False), (one, ME, "syria", True), (one, DESK, "syria", False)]
    assert await stories.told(database, 2) == expected
    assert await stories.told(database, 1) == expected[1:]


async def test_what_was_urgent_once_stays_so(database: Database) -> None:
    for minute, urgent in enumerate((False, True, False)):
        await tell(database, (PostId(ALFA, 7), DESK, "syria", urgent, at(minute)))
    assert await stories.told(database, 9) == [(PostId(ALFA, 7), DESK, "syria", True)]


async def test_the_stories_of_members_are_known(database: Database) -> None:
    await add(database, member(7), member(3, channel=BETA, story=PostId(ALFA, 7)), member(8))
    asked = [PostId(BETA, 3), PostId(ALFA, 7), PostId(BETA, 7)]
    assert await stories.story_of(database, asked) == {
        PostId(BETA, 3): PostId(ALFA, 7),
        PostId(ALFA, 7): PostId(ALFA, 7),
    }
    assert await stories.story_of(database, []) == {}


async def test_what_is_old_is_forgotten(database: Database) -> None:
    await add(database, member(9), member(7))
    told = [(PostId(ALFA, number), DESK, "syria", False, at(number)) for number in (9, 7)]
    await tell(database, *told)
    await database.write(lambda c: stories.forget(c, at(9)))
    assert await stories.members(database, at(0)) == [member(9)]
    assert await stories.told(database, 9) == [(PostId(ALFA, 9), DESK, "syria", False)]


async def test_stories_are_rebuilt_of_what_was_stored(database: Database) -> None:
    """A batch that is stored and read back goes on as if nothing had happened."""
    text = "Взрыв прогремел на военной базе под Дамаском сегодня утром, пострадали семь человек"
    window = timedelta(hours=48)
    overlay = Stories(window).overlay()
    first = overlay.join(post(text, "alfa_demo", 1))
    overlay.tell(first.story, DESK, "syria", urgent=True)
    await add(database, *overlay.added)
    rows = [
        (story, place, topic, urgent, at(0))
        for (story, place), topics in overlay.tellings()
        for topic, urgent in topics.items()
    ]
    await tell(database, *rows)
    back = Stories.rebuilt(window, await stories.members(database, at(-10)), await stories.told(database, 9))
    again = back.overlay()
    assert again.join(post(text, "beta_demo", 5, minutes=1)).story == first.story
    assert again.told(first.story, DESK) == {"syria": True}
