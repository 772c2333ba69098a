"""What the operators are told of edits of the configuration: apart from trouble, and never after the fact."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.storage.database import Database
from tests.operating import Service, configured

LOST = "a channel cannot be read: it went private"


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with Database.opened(tmp_path) as database:
        service = Service(database, configured())
        await service.start()
        yield service
        await service.stop()


async def test_edits_in_quick_succession_keep_no_trouble_waiting(service: Service) -> None:
    for number in range(9):
        await service.takes_over(f"edit {number}")
        await service.passes(4)
    assert len(await service.send()) == 5
    await service.tell(LOST)
    await service.passes(4)
    assert await service.send() == [f"me: {LOST}"]
    await service.passes(60)
    [said] = await service.send()
    assert said.splitlines()[1:] == [f"• edit {number}" for number in range(5, 9)]


async def test_of_a_configuration_that_is_refused_only_the_last_word_is_told(service: Service) -> None:
    for what in ("is empty", "a", "b"):
        await service.refuses(what)
    await service.passes()
    assert (await service.send(), await service.untold()) == (["me: b"], 0)
    await service.refuses("c")
    await service.takes_over()
    await service.passes()
    assert (await service.send(), await service.untold()) == (["me: it can be read again"], 0)


async def test_an_error_that_was_mended_before_it_was_told_is_not_told(service: Service) -> None:
    await service.refuses("is empty")
    await service.takes_over("edit")
    await service.passes()
    assert (await service.send(), await service.untold()) == (["me: edit"], 0)
    await service.refuses("a")
    await service.takes_over()
    await service.passes()
    assert (await service.send(), await service.untold()) == ([], 0)


async def test_what_has_overtaken_another_error_and_is_mended_too_is_not_told_either(service: Service) -> None:
    for number in range(5):
        await service.takes_over(f"edit {number}")
        await service.passes(2)
    await service.passes()
    await service.send()
    await service.refuses("a")
    await service.passes(4)
    await service.refuses("b")
    await service.passes(4)
    await service.takes_over()
    await service.passes(70)
    assert (await service.send(), await service.untold()) == ([], 0)
    await service.refuses("c")
    await service.passes(70)
    assert await service.send() == ["me: c"]
