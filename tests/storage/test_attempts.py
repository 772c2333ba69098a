"""What was sent of late, and who has to wait, outlive a restart."""

from __future__ import annotations

from pathlib import Path

from bot.pacing import CALL, Attempt
from bot.storage import attempts
from bot.storage.attempts import Hold, Rest
from bot.storage.database import Database
from tests.made import at


async def begun(database: Database, chat: int, messages: int = 1, minutes: float = 0) -> int:
    return await database.write(lambda c: attempts.begin(c, chat, messages, at(minutes)))


async def test_a_call_that_was_begun_may_last_as_long_as_a_call_can(database: Database, tmp_path: Path) -> None:
    number = await begun(database, -7, 3)
    async with Database.opened(tmp_path) as after_the_crash:
        assert await attempts.attempts(after_the_crash) == {-7: {number: Attempt(at() + CALL, 3)}}


async def test_its_end_is_put_right(database: Database) -> None:
    first, second = await begun(database, -7), await begun(database, -8)
    await database.write(lambda c: attempts.end(c, first, at(0.1)))
    assert await attempts.attempts(database) == {
        -7: {first: Attempt(at(0.1), 1)},
        -8: {second: Attempt(at() + CALL, 1)},
    }


async def test_what_counts_no_longer_is_forgotten_when_the_chat_gets_something(database: Database) -> None:
    old, elsewhere = await begun(database, -7), await begun(database, -8)
    await database.write(lambda c: attempts.end(c, old, at(0.1)))
    new = await begun(database, -7, minutes=2)
    found = await attempts.attempts(database)
    assert (set(found[-7]), set(found[-8])) == ({new}, {elsewhere})


async def test_of_several_waits_the_latest_counts(database: Database, tmp_path: Path) -> None:
    for account, minutes, why in ((42, 3, "FLOOD_WAIT"), (42, 1, "SLOW"), (43, 2, "PEER_FLOOD")):
        await database.write(lambda c, a=account, m=minutes, w=why: attempts.rest(c, a, at(m), w, at()))  # type: ignore[misc]
    async with Database.opened(tmp_path) as after_the_crash:
        assert await attempts.rests(after_the_crash) == {
            42: Rest(42, at(3), "FLOOD_WAIT", at()),
            43: Rest(43, at(2), "PEER_FLOOD", at()),
        }
    await database.write(lambda c: attempts.rest(c, 42, at(9), "FLOOD_WAIT", at(8)))
    assert (await attempts.rests(database))[42].until == at(9)


async def test_a_wait_gives_way_that_was_noted_before_the_clock_was_put_back(database: Database) -> None:
    await database.write(lambda c: attempts.rest(c, 42, at(1000), "FLOOD_WAIT", at(900)))
    await database.write(lambda c: attempts.rest(c, 42, at(9), "PEER_FLOOD", at(8)))
    assert await attempts.rests(database) == {42: Rest(42, at(9), "PEER_FLOOD", at(8))}


async def test_what_is_left_alone_is_remembered_until_that_is_over(database: Database) -> None:
    await database.write(lambda c: attempts.hold(c, "-7", at(3), at(1)))
    await database.write(lambda c: attempts.hold(c, "@desk_demo", at(9), at(2)))
    assert await attempts.holds(database) == [Hold("-7", at(3), at(1)), Hold("@desk_demo", at(9), at(2))]
    await database.write(lambda c: attempts.hold(c, "-7", at(8), at(4)))
    await database.write(lambda c: attempts.hold(c, "-8", at(20), at(8)))
    assert [each.place for each in await attempts.holds(database)] == ["-8", "@desk_demo"]
