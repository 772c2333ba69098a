"""What is known of an installation."""

from __future__ import annotations

import pytest

from bot.storage import facts
from bot.storage.database import Database
from bot.storage.facts import Fact


@pytest.mark.parametrize("value", ["alfa_demo", 2**62, -0.5, b"\x00\xff"], ids=str)
async def test_a_fact_comes_back_as_it_was_put(value: Fact, database: Database) -> None:
    await database.write(lambda c: facts.put(c, "reader", "before"))
    await database.write(lambda c: facts.put(c, "reader", value))
    found = await facts.get(database, "reader")
    assert found == value
    assert type(found) is type(value)


async def test_what_was_never_put_is_not_known(database: Database) -> None:
    assert await facts.get(database, "reader") is None


async def test_the_secret_is_made_once(database: Database) -> None:
    assert await database.write(lambda c: facts.secret(c, b"a" * 32)) == b"a" * 32
    assert await database.write(lambda c: facts.secret(c, b"b" * 32)) == b"a" * 32
