"""That what may stand in a chat of a forwarded post is known after the process has ended."""

from __future__ import annotations

from bot.storage import forms, outbox
from bot.storage.database import Database
from tests.delivering import row


async def test_what_was_begun_is_known_until_it_is_taken_back(database: Database) -> None:
    await database.write(lambda c: outbox.add(c, [row("one"), row("two")]))
    assert await forms.begun(database, 1) is None
    await database.write(lambda c: forms.begin(c, 1, forms.POST))
    assert (await forms.begun(database, 1), await forms.begun(database, 2)) == (forms.POST, None)
    await database.write(lambda c: forms.begin(c, 1, None))
    assert await forms.begun(database, 1) is None
    assert await forms.begun(database, 3) is None


async def test_of_an_excerpt_it_is_known_why_it_was_begun(database: Database) -> None:
    await database.write(lambda c: outbox.add(c, [row("one")]))
    await database.write(lambda c: forms.begin(c, 1, forms.excerpt("CHAT_FORWARDS_RESTRICTED")))
    assert forms.refusal(await forms.begun(database, 1)) == "CHAT_FORWARDS_RESTRICTED"
    assert [forms.refusal(form) for form in (None, forms.POST, forms.HEADER)] == [None, None, None]
