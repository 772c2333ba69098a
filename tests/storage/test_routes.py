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
