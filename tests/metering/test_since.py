"""What the tables are added to is counted once, whatever became of it in between, and from the start of the process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.metering.since import Since
from bot.model import Notice, Reason
from bot.ports import Lane
from bot.render.richtext import Message
from bot.storage import counts, matches, notices, outbox
from bot.storage.counts import Fate
from bot.storage.database import Database
from bot.storage.matches import StoredMatch
from bot.storage.outbox import Row
from bot.storage.places import post_id
from bot.storage.routes import TAKEN_BACK
from tests.made import ME, at


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.opened(tmp_path) as opened:
        yield opened


async def add(database: Database, *keys: str, lane: Lane = Lane.ALERT) -> list[int]:
    """Messages to be sent; their numbers."""
    rows = [Row(key, ME, lane, Message("Взрыв"), at(0), outbox.random_id(b"s", key)) for key in keys]
    before = await outbox.newest(database)
    await database.write(lambda c: outbox.add(c, rows))
    return [row.id for row in await outbox.added(database, before)]


async def match(database: Database, number: int, topic: str = "syria") -> None:
    row = StoredMatch(
        channel=-1001,
        number=number,
        topic=topic,
        title=topic.title(),
        keywords="[]",
        hits="[]",
        story=post_id(f"-1001/{number}"),
        destination=ME,
        reason=Reason.NEW,
        due=None,
        seen=at(0),
        footer=None,
    )
    await database.write(lambda c: matches.add(c, [row]))


async def test_what_was_there_before_is_not_counted(database: Database) -> None:
    [old] = await add(database, "old")
    await database.write(lambda c: outbox.confirm(c, old, 1, 7, at(1)))
    await match(database, 1)
    await database.write(lambda c: notices.say(c, "demo", Notice("Something happened."), at(0)))
    since = await Since.now(database)
    await since.count(database)
    assert (since.matches, since.settled, since.notices, since.open) == ({}, {}, 0, {})


async def test_a_message_is_counted_when_it_is_settled_and_once(database: Database) -> None:
    [before] = await add(database, "before")
    since = await Since.now(database)
    sent, refused, back, waits, again = await add(database, *"abcde", lane=Lane.DIGEST)
    await since.count(database)
    assert (since.open, since.settled) == ({Fate.WAITS: 6}, {})
    await database.write(lambda c: outbox.confirm(c, before, 1, 7, at(1)))
    await database.write(lambda c: outbox.confirm(c, sent, 2, 7, at(1)))
    await database.write(lambda c: outbox.refuse(c, refused, "no"))
    await database.write(lambda c: outbox.refuse(c, back, TAKEN_BACK))
    await database.write(lambda c: outbox.claim(c, waits, 42, 7))
    await database.write(lambda c: outbox.refuse(c, again, "not now", at(60)))
    for _ in range(3):
        await since.count(database)
        assert since.open == {Fate.TRIED: 1, Fate.REFUSED: 1}
        assert since.settled == {
            (Fate.SENT, Lane.ALERT): 1,
            (Fate.SENT, Lane.DIGEST): 1,
            (Fate.GIVEN_UP, Lane.DIGEST): 1,
            (Fate.TAKEN_BACK, Lane.DIGEST): 1,
        }
    await database.write(lambda c: outbox.confirm(c, again, 3, 7, at(61)))
    await since.count(database)
    assert since.settled[Fate.SENT, Lane.DIGEST] == 2


async def test_a_message_that_was_made_and_sent_between_two_looks_is_counted(database: Database) -> None:
    since = await Since.now(database)
    [quick] = await add(database, "quick", lane=Lane.URGENT)
    await database.write(lambda c: outbox.confirm(c, quick, 1, 7, at(1)))
    await since.count(database)
    assert (since.settled, since.open) == ({(Fate.SENT, Lane.URGENT): 1}, {})


async def test_a_message_that_is_swept_out_is_forgotten(database: Database) -> None:
    since = await Since.now(database)
    await add(database, "gone")
    await since.count(database)
    await database.write(lambda c: c.execute("DELETE FROM outbox"))
    await since.count(database)
    assert (since.open, since.settled) == ({}, {})


async def test_matches_are_counted_by_topic(database: Database) -> None:
    since = await Since.now(database)
    for number, topic in ((1, "syria"), (2, "syria"), (2, "drones")):
        await match(database, number, topic)
        await since.count(database)
    await since.count(database)
    assert since.matches == {"syria": 2, "drones": 1}


async def test_notices_are_counted_but_not_that_a_trouble_is_over(database: Database) -> None:
    since = await Since.now(database)
    await database.write(lambda c: notices.tell(c, "demo", Notice("It is broken."), at(0)))
    await database.write(lambda c: notices.settle(c, "demo", at(1)))
    await since.count(database)
    await since.count(database)
    assert since.notices == 1


class Explained(Database):
    """A database that keeps how it finds what it is asked for."""

    steps: list[str]

    async def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        self.steps += [str(row[3]) for row in await super().rows(f"EXPLAIN QUERY PLAN {sql}", parameters)]
        return await super().rows(sql, parameters)


async def test_a_table_of_years_is_not_read_as_a_whole(tmp_path: Path) -> None:
    async with Explained.opened(tmp_path) as database:
        assert isinstance(database, Explained)
        database.steps = []
        since = await Since.now(database)
        await since.count(database)
        await counts.edits(database)
    read = [step for step in database.steps if step.startswith("SCAN") and "json_each" not in step]
    assert all("outbox_" in step for step in read), read  # indexes of the few that are still to be sent
