"""What is held: one open bundle of each destination and reason."""

from __future__ import annotations

from bot.model import Destination, PostId, Reason
from bot.ports import Lane
from bot.render.richtext import Message
from bot.storage import bundles, matches, outbox
from bot.storage.bundles import Hold, OpenBundle
from bot.storage.database import Connection, Database
from bot.storage.matches import Revised, StoredMatch
from bot.storage.outbox import Row, Saying
from bot.untold import Told
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


# --- closed -----------------------------------------------------------------------------------------------


def post(number: int) -> PostId:
    return PostId(str(ALFA), number)


def found(number: int, reason: Reason = Reason.QUIET, to: Destination = DESK, topic: str = "syria") -> StoredMatch:
    return StoredMatch(ALFA, number, topic, topic.title(), "[]", "[]", post(number), to, reason, at(60), at())


def says(number: int, to: Destination = DESK, *topics: str) -> Row:
    said = Saying(post(number), ALFA, number, topics or ("syria",), urgent=False, edited=False)
    return Row(f"alert {number} {to}", to, Lane.ALERT, Message("Syria"), at(5), number, says=(said,))


async def held_posts(database: Database, *numbers: int) -> None:
    def work(c: Connection) -> None:
        matches.add(c, map(found, numbers))
        bundles.hold(c, [held(number, 60, seen=number) for number in numbers])

    await database.write(work)


async def test_its_posts_come_in_the_order_in_which_they_were_found(database: Database) -> None:
    await held_posts(database, 3, 1, 2)
    basis = await bundles.basis(database, 1)
    assert (basis.held, basis.until, basis.told) == ((post(3), post(1), post(2)), at(3), frozenset())


async def test_it_knows_what_its_destination_was_told_of_the_stories(database: Database) -> None:
    await held_posts(database, 1, 2)
    rows = [says(1, DESK, "syria", "oil"), says(2, GROUP), says(3, DESK)]
    await database.write(lambda c: outbox.add(c, rows))
    assert (await bundles.basis(database, 1)).told == {Told(post(1), frozenset({"syria", "oil"}))}


async def test_it_is_closed_once_and_its_last_moment_is_kept(database: Database) -> None:
    await held_posts(database, 1)
    basis = await bundles.basis(database, 1)
    assert await database.write(lambda c: bundles.close(c, 1, basis, at(70), at(65)))
    assert not await database.write(lambda c: bundles.close(c, 1, basis, at(71), at(71)))
    assert await bundles.open_bundles(database) == []
    [(due,)] = await database.rows("SELECT due FROM bundle")
    assert due == int(at(65).timestamp() * 1_000_000)


async def test_it_is_not_closed_when_something_in_it_has_changed(database: Database) -> None:
    await held_posts(database, 1)

    def another(c: Connection) -> None:
        matches.add(c, [found(2)])
        bundles.hold(c, [held(2, 60)])

    def edited(c: Connection) -> None:
        matches.revise(c, [Revised(ALFA, 1, at(9), None, ("syria",))])

    for change in (another, edited, lambda c: outbox.add(c, [says(1)])):
        before = await bundles.basis(database, 1)
        await database.write(change)
        assert not await database.write(lambda c, made_of=before: bundles.close(c, 1, made_of, at(70), at(60)))  # type: ignore[misc]
    now = await bundles.basis(database, 1)
    assert await database.write(lambda c: bundles.close(c, 1, now, at(70), at(60)))


async def test_one_of_which_nothing_is_stored_any_more_is_closed_once_too(database: Database) -> None:
    await database.write(lambda c: bundles.hold(c, [held(1, 60)]))
    basis = await bundles.basis(database, 1)
    assert await database.write(lambda c: bundles.close(c, 1, basis, at(70), at(60)))
    assert not await database.write(lambda c: bundles.close(c, 1, basis, at(71), at(60)))
