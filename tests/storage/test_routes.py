"""The rows of the outbox that carry notices, one a notice and a route."""

from __future__ import annotations

import pytest

from bot.ports import Lane, Voice
from bot.render.richtext import Message
from bot.storage import outbox, routes
from bot.storage.database import Database
from bot.storage.routes import Carried
from tests.made import DESK, ME, at

SECRET = b"secret" * 6


@pytest.fixture
async def two(database: Database) -> Database:
    """A notice by two routes, and another by one."""
    for number, route, to, voice in (
        (7, "me", ME, Voice.SPEAKER),
        (8, "me", ME, Voice.SPEAKER),
        (7, "reader me", ME, Voice.READER),
    ):
        await database.write(
            lambda c, n=number, r=route, t=to, v=voice: routes.send(c, SECRET, n, r, t, v, Message("a"), at())  # type: ignore[misc]
        )
    return database


async def looked(database: Database) -> list[list[Carried]]:
    return await routes.looked(database, at(-1))


async def test_rows_come_back_by_their_notices(two: Database) -> None:
    [seven, eight] = await looked(two)
    assert [(one.id, one.notice, one.route, one.destination, one.voice) for one in seven] == [
        (1, 7, "me", ME, Voice.SPEAKER),
        (3, 7, "reader me", ME, Voice.READER),
    ]
    assert [(one.id, one.message, one.waits, one.refused) for one in eight] == [(2, Message("a"), True, False)]
    assert await two.write(lambda c: routes.carried(c, at(-1))) == [seven, eight]
    assert await routes.looked(two, at(1)) == []


async def test_the_same_route_of_the_same_notice_is_taken_once(two: Database) -> None:
    await two.write(lambda c: routes.send(c, SECRET, 8, "me", ME, Voice.SPEAKER, Message("b"), at(5)))
    assert len(await outbox.waiting(two)) == 3


async def test_what_others_have_in_the_outbox_is_no_notice(database: Database) -> None:
    row = outbox.Row("alert 7 me", DESK, Lane.ALERT, Message("a"), at(), 42)
    await database.write(lambda c: outbox.add(c, [row, row._replace(key="notices")]))
    assert await looked(database) == []


async def test_what_is_taken_back_or_given_up_is_not_sent_any_more(two: Database) -> None:
    [seven, _] = await looked(two)
    await two.write(lambda c: routes.take_back(c, seven[0]))
    await two.write(lambda c: outbox.refuse(c, 3, "BANNED", at(10)))
    [[back, refused], _] = await looked(two)
    assert (back.waits, back.refused, refused.refused) == (False, False, True)
    await two.write(lambda c: routes.give_up(c, refused))
    assert [row.id for row in await outbox.waiting(two)] == [2]
    assert [(one.why, one.again) for one in await outbox.refused(two, 5)] == [
        ("BANNED", None),
        (routes.TAKEN_BACK, None),
    ]


async def test_what_may_have_been_sent_stays_with_its_account_when_it_is_taken_back(two: Database) -> None:
    await two.write(lambda c: outbox.claim(c, 1, 555, None))
    [[tried, _], [waits]] = await looked(two)
    assert (tried.tried, tried.waits, waits.tried, waits.waits) == (True, False, False, True)
    for row in (tried, waits):
        await two.write(lambda c, taken=row: routes.take_back(c, taken))  # type: ignore[misc]
    [[tried, _], [waits]] = await looked(two)
    assert (tried.is_taken_back, tried.tried, waits.is_taken_back) == (True, False, True)
    assert await two.rows("SELECT account FROM outbox WHERE id < 3 ORDER BY id") == [(555,), (None,)]
    assert await routes.refused(two) == 2


async def test_what_was_told_long_ago_is_not_read(two: Database) -> None:
    """It is looked each second, and notices are kept for weeks."""
    plan = await two.rows(f"EXPLAIN QUERY PLAN {routes._CARRIED}", (0,))
    assert plan[0][-1] == "SEARCH outbox USING INDEX outbox_notice (made>?)"
