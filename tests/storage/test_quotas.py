"""What has to be known of Telegram's quotas after a restart."""

from __future__ import annotations

from bot.storage import quotas
from bot.storage.database import Database
from bot.storage.quotas import StoredQuota
from tests.made import at

HISTORY, DIALOGS = "messages.getHistory", "messages.getPeerDialogs"


async def note(database: Database, method: str, minutes: float, forget: float = -10) -> None:
    await database.write(lambda c: quotas.note_call(c, method, at(minutes), at(forget)))


async def test_calls_come_back_in_their_order(database: Database) -> None:
    for method, minutes in ((HISTORY, 0.0), (DIALOGS, 0.5), (HISTORY, 1.0)):
        await note(database, method, minutes)
    assert await quotas.calls(database, at(0)) == [(HISTORY, at(0)), (DIALOGS, at(0.5)), (HISTORY, at(1))]
    assert await quotas.calls(database, at(0.5)) == [(DIALOGS, at(0.5)), (HISTORY, at(1))]


async def test_calls_of_a_method_that_matter_no_more_are_forgotten_with_its_next_one(database: Database) -> None:
    for minutes in (0, 0.5):
        await note(database, HISTORY, minutes)
        await note(database, DIALOGS, minutes)
    await note(database, HISTORY, 2.5, forget=0.5)
    assert [call for call in await quotas.calls(database, at(-10)) if call[0] == HISTORY] == [
        (HISTORY, at(0.5)),
        (HISTORY, at(2.5)),
    ]
    assert len(await quotas.calls(database, at(-10))) == 4


async def test_a_quota_is_what_it_was_set_to_last(database: Database) -> None:
    assert await quotas.quotas(database) == {}
    await database.write(lambda c: quotas.set_quota(c, HISTORY, at(1), 0.5, at(0)))
    await database.write(lambda c: quotas.set_quota(c, DIALOGS, at(2), 1.0, at(0)))
    await database.write(lambda c: quotas.set_quota(c, HISTORY, at(3), 0.25, at(2)))
    assert await quotas.quotas(database) == {
        HISTORY: StoredQuota(at(3), 0.25, at(2)),
        DIALOGS: StoredQuota(at(2), 1.0, at(0)),
    }
