"""What was told of late is found from its end, however much was told before it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from time import perf_counter

from bot.ports import Lane
from bot.render.richtext import Message
from bot.storage import outbox
from bot.storage.database import Database
from bot.storage.outbox import Row
from tests.made import DESK, at

MINUTE = timedelta(minutes=1)


def row(number: int, minutes: float, lane: Lane = Lane.ALERT) -> Row:
    return Row(f"row {number}", DESK, lane, Message("."), at(minutes), number)


async def test_a_row_that_was_made_before_one_that_was_written_before_it_hides_nothing(tmp_path: Path) -> None:
    rows = [row(1, -9), row(2, -0.9), row(3, -0.1), row(4, -1.5), row(5, -5, Lane.DIGEST), row(6, -0.5)]
    async with Database.opened(tmp_path) as database:
        await database.write(lambda c: outbox.add(c, rows))
        assert await outbox.told_since(database, at(-1)) == [(DESK, at(made)) for made in (-0.9, -0.5, -0.1)]
        assert await outbox.told_since(database, at(-99)) == [(DESK, at(made)) for made in (-9, -1.5, -0.9, -0.5, -0.1)]


async def test_what_was_told_long_ago_is_not_looked_at(tmp_path: Path) -> None:
    """The table is gone through nowhere: its index of numbers leads, from the newest back."""
    async with Database.opened(tmp_path) as database:
        plan = [str(one[3]) for one in await database.rows(f"EXPLAIN QUERY PLAN {outbox._TOLD_SINCE}", (0, 0))]
        assert plan[0] == "SEARCH outbox USING INTEGER PRIMARY KEY (rowid>?)"
        await database.write(lambda c: outbox.add(c, [row(number, -9) for number in range(1, 20_001)]))
        began = perf_counter()
        await outbox.told_since(database, at(-1))
        of_late = perf_counter() - began
        began = perf_counter()
        assert len(await outbox.told_since(database, at(-99))) == 20_000
        assert of_late < (perf_counter() - began) / 3
