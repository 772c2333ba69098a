"""How far the messages of digests are on their way."""

from __future__ import annotations

from bot.model import Destination
from bot.ports import Lane
from bot.render.richtext import Message
from bot.storage import digests, outbox, sending
from bot.storage.database import Database
from bot.storage.digests import Made
from bot.storage.outbox import Row
from bot.storage.sending import Part
from tests.made import DESK, ME, at


async def made(database: Database, to: Destination, messages: int) -> int:
    """A digest of so many messages; its id."""
    id_ = await database.write(lambda c: digests.add(c, Made(to, at(0), at(1)), at(1)))
    rows = [
        Row(f"digest {id_} {number}", to, Lane.DIGEST, Message("Сирия"), at(1), 1000 * id_ + number)
        for number in range(1, messages + 1)
    ]
    await database.write(lambda c: outbox.add(c, rows))
    return id_


async def test_what_was_made_later_is_told_message_by_message(database: Database) -> None:
    assert await sending.newest(database) == 0
    for _ in range(10):  # so that a key of one begins like that of another: "digest 1" and "digest 11"
        await made(database, ME, 1)
    before = await sending.newest(database)
    assert await sending.parts(database, before) == []
    await made(database, DESK, 2)
    await made(database, ME, 1)
    waits = [Part(to, "waits", None, at(1)) for to in (DESK, DESK, ME)]
    assert await sending.parts(database, before) == waits
    assert len(await sending.parts(database, 0)) == 13
    assert [part.destination for part in await sending.parts(database, 1)][:2] == [ME, ME]


async def test_each_is_told_with_what_became_of_it(database: Database) -> None:
    await made(database, DESK, 3)
    await database.write(lambda c: outbox.confirm(c, 1, 17, -1001, at(2)))
    await database.write(lambda c: outbox.refuse(c, 2, "it is full", at(60)))
    assert await sending.parts(database, 0) == [
        Part(DESK, "sent", None, at(2)),
        Part(DESK, "refused", "it is full", at(60)),
        Part(DESK, "waits", None, at(1)),
    ]
