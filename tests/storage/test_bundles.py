"""What is held: one open bundle of each destination and reason."""

from __future__ import annotations

from bot.model import Destination, Reason
from bot.storage import bundles
from bot.storage.bundles import Hold, OpenBundle
from bot.storage.database import Database
from tests.made import DESK, GROUP, at

ALFA = -1001000000001


def held(number: int, due: float, to: Destination = DESK, reason: Reason = Reason.QUIET, *, seen: float = 0) -> Hold:
    return Hold(to, reason, at(due), ALFA, number, at(seen))


async def test_what_is_held_for_one_place_and_reason_is_one_bundle(database: Database) -> None:
    await database.write(lambda c: bundles.hold(c, [held(1, 60), held(2, 60, seen=5), held(3, 60, GROUP)]))
    await database.write(lambda c: bundles.hold(c, [held(4, 90, reason=Reason.LATE), held(5, 60, seen=7)]))
    assert await bundles.open_bundles(database) == [
        OpenBundle(1, DESK, Reason.QUIET, at(), at(60), posts=3),
        OpenBundle(2, GROUP, Reason.QUIET, at(), at(60), posts=1),
        OpenBundle(3, DESK, Reason.LATE, at(), at(90), posts=1),
    ]
    assert await database.rows("SELECT number, bundle FROM held ORDER BY number") == [
        (1, 1),
        (2, 1),
        (3, 2),
        (4, 3),
        (5, 1),
    ]


async def test_the_earliest_moment_stands(database: Database) -> None:
    await database.write(lambda c: bundles.hold(c, [held(1, 60), held(2, 30, seen=3), held(3, 90, seen=4)]))
    [bundle] = await bundles.open_bundles(database)
    assert (bundle.since, bundle.due) == (at(), at(30))


async def test_a_post_is_held_once(database: Database) -> None:
    await database.write(lambda c: bundles.hold(c, [held(1, 60), held(1, 60, seen=5)]))
    [bundle] = await bundles.open_bundles(database)
    assert bundle.posts == 1


async def test_what_was_told_is_closed_and_the_next_is_another(database: Database) -> None:
    await database.write(lambda c: bundles.hold(c, [held(1, 60)]))
    await database.write(lambda c: c.execute("UPDATE bundle SET told = 1"))
    assert await bundles.open_bundles(database) == []
    await database.write(lambda c: bundles.hold(c, [held(2, 120, seen=70)]))
    assert await bundles.open_bundles(database) == [OpenBundle(2, DESK, Reason.QUIET, at(70), at(120), posts=1)]


async def test_holding_nothing_opens_nothing(database: Database) -> None:
    await database.write(lambda c: bundles.hold(c, []))
    assert await bundles.open_bundles(database) == []
