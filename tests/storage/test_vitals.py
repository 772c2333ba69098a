"""The sign of life comes back as it was written; what waits in the outbox is told by what might have gone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.model import Destination, Notice
from bot.ports import Lane
from bot.render.richtext import Message
from bot.storage import attempts, facts, notices, outbox, vitals
from bot.storage.database import Database
from bot.storage.outbox import Row
from bot.storage.times import to_integer
from bot.vitals import Link, Vitals
from bot.watch import folder, silence
from tests.made import DESK, ME, at

#: Where what is read here is written.
SILENCE, FOLDER = Path(silence.__file__).read_text("utf-8"), Path(folder.__file__).read_text("utf-8")
PATIENCE = timedelta(minutes=10)
FULL = Vitals(
    started=at(0),
    written=at(9),
    link=Link.TOO_OLD,
    answered=at(8.5),
    passed=at(8),
    behind=2,
    waiting=7,
    skew=timedelta(seconds=-42.5),
    sweep_every=timedelta(seconds=90),
    stepped=at(3),
    stored_at=at(7.5),
    speaker=Link.SIGNED_OUT,
    speaker_answered=at(6),
)
EMPTY = Vitals(
    started=at(0),
    written=at(0),
    link=Link.CONNECTING,
    answered=None,
    passed=None,
    behind=0,
    waiting=0,
    skew=None,
    sweep_every=timedelta(minutes=1),
)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.opened(tmp_path) as database:
        yield database


@pytest.mark.parametrize("told", [FULL, EMPTY])
async def test_vitals_come_back_as_they_were(database: Database, told: Vitals) -> None:
    assert await vitals.last(database) is None
    await database.write(lambda c: vitals.put(c, told))
    assert await vitals.last(database) == told


@pytest.mark.parametrize("text", ["", "[]", "3", "null", '{"started": "2024-12-08T12:00:00+00:00"}', '{"link": "new"}'])
async def test_what_another_version_has_written_is_nothing(database: Database, text: str) -> None:
    await database.write(lambda c: facts.put(c, "vitals", text))
    assert await vitals.last(database) is None


async def test_the_channels_that_are_silent_are_those_that_their_watch_has_kept(database: Database) -> None:
    assert await vitals.silent(database) == {}
    kept = json.dumps({-1001000000001: to_integer(at(5))})
    await database.write(lambda c: facts.put(c, "silent channels", kept))
    assert await vitals.silent(database) == {-1001000000001: at(5)}
    assert '"silent channels"' in SILENCE


async def test_a_destination_refuses_until_something_was_sent_there(database: Database) -> None:
    for destination in ("@desk_demo", "-1001000000009"):
        said = Notice(f"{destination} refuses messages: CHAT_WRITE_FORBIDDEN")
        await database.write(lambda c, d=destination, n=said: notices.tell(c, f"destination {d}", n, at()))  # type: ignore[misc]
    await database.write(lambda c: notices.tell(c, "destination -5", Notice("Alpha is not watched"), at()))
    assert await vitals.refusing(database) == {
        "@desk_demo": "@desk_demo refuses messages: CHAT_WRITE_FORBIDDEN",
        "-1001000000009": "-1001000000009 refuses messages: CHAT_WRITE_FORBIDDEN",
    }
    await database.write(lambda c: notices.settle(c, "destination @desk_demo", at(1)))
    silent = Notice(f"@news_demo {vitals.NO_ANSWER}.")
    await database.write(lambda c: notices.tell(c, "destination @news_demo", silent, at()))
    assert list(await vitals.refusing(database)) == ["-1001000000009", "@news_demo"]
    await database.write(lambda c: notices.settle(c, "destination @news_demo", at(1)))
    assert list(await vitals.refusing(database)) == ["-1001000000009"]


async def test_a_folder_is_missed_until_it_was_seen(database: Database) -> None:
    what = Notice("There is no folder News in the reader's Telegram.")
    await database.write(lambda c: notices.tell(c, "finding the folder News", what, at()))
    assert (await vitals.folder(database, "News"), await vitals.folder(database, "Other")) == (what.what, None)
    await database.write(lambda c: notices.settle(c, "finding the folder News", at(1)))
    assert await vitals.folder(database, "News") is None
    assert 'f"finding the folder {self._name}"' in FOLDER


async def test_what_was_told_of_the_session_is_known_until_it_is_settled(database: Database) -> None:
    closed = Notice("Telegram has closed the reader's account.")
    await database.write(lambda c: notices.tell(c, "session", closed, at()))
    await database.write(lambda c: notices.tell(c, "sessions of others", Notice("something else"), at()))
    assert await vitals.session(database) == closed.what
    await database.write(lambda c: notices.settle(c, "session", at(1)))
    assert await vitals.session(database) is None


def row(key: str, minutes: float, destination: Destination = ME, lane: Lane = Lane.ALERT) -> Row:
    return Row(key, destination, lane, Message("Сирия"), at(minutes), 42)


async def due(database: Database, minutes: float) -> float | None:
    moment = await vitals.due(database, at(minutes), PATIENCE)
    return None if moment is None else (moment - at()) / timedelta(minutes=1)


async def test_of_what_may_go_the_longest_wait_counts(database: Database) -> None:
    assert await due(database, 60) is None
    await database.write(lambda c: outbox.add(c, [row("a", 5), row("b", 3, DESK), row("c", 1, lane=Lane.DIGEST)]))
    assert await due(database, 60) == 1
    await database.write(lambda c: outbox.refuse(c, 3, "USER_IS_BLOCKED"))
    assert await due(database, 60) == 3


async def test_what_waits_for_another_or_for_its_moment_might_not_have_gone(database: Database) -> None:
    await database.write(lambda c: outbox.add(c, [row("a", 0), row("b", 0)]))
    await database.write(lambda c: outbox.claim(c, 1, 7, None))
    await database.write(lambda c: outbox.postpone(c, 1, at(50), "FLOOD_WAIT"))
    assert await due(database, 40) is None
    assert await due(database, 51) == 50


async def test_what_is_tried_again_and_again_waits_since_it_was_made(database: Database) -> None:
    await database.write(lambda c: outbox.add(c, [row("a", 0)]))
    for minutes in range(1, 6):
        await database.write(lambda c: outbox.claim(c, 1, 7, None))
        await database.write(lambda c, m=minutes: outbox.postpone(c, 1, at(m + 0.2), "no answer"))  # type: ignore[misc]
    assert await due(database, 5.1) is None
    await database.write(lambda c: outbox.postpone(c, 1, at(10.2), "no answer"))
    assert await due(database, 9) is None
    assert await due(database, 10) == 0


async def test_a_destination_is_stuck_since_it_took_something_last_whatever_others_take(database: Database) -> None:
    async def stuck(minutes: float) -> float | None:
        moment = await vitals.stuck(database, at(minutes), PATIENCE)
        return None if moment is None else (moment - at()) / timedelta(minutes=1)

    assert await stuck(60) is None
    await database.write(lambda c: outbox.add(c, [row("a", 0), row("b", 1), row("c", 2, DESK), row("d", 3, DESK)]))
    assert await stuck(60) == 0
    await database.write(lambda c: outbox.confirm(c, 1, 7, None, at(50)))
    assert await stuck(60) == 2
    await database.write(lambda c: outbox.confirm(c, 3, 7, None, at(55)))
    assert await stuck(60) == 50
    assert await stuck(5) == 1  # so soon nobody asks what was sent


async def test_a_wait_that_was_noted_on_a_clock_ahead_hides_nothing(database: Database) -> None:
    await database.write(lambda c: outbox.add(c, [row("a", 0)]))
    await database.write(lambda c: attempts.rest(c, 42, at(9000), "FLOOD_WAIT", at(20)))
    assert (await due(database, 60), await due(database, 10)) == (None, 0)


async def test_a_wait_of_another_account_than_the_one_that_sends_hides_nothing(database: Database) -> None:
    """Telegram lets the reader send nothing, and it is the bot that speaks."""
    bot, reader = 7, 42
    await database.write(lambda c: outbox.add(c, [row("a", 0), row("b", 1, DESK), row("c", 2)]))
    await database.write(lambda c: outbox.claim(c, 1, bot, None))
    await database.write(lambda c: outbox.confirm(c, 1, 9, None, at(0)))
    await database.write(lambda c: attempts.rest(c, reader, at(9000), "PEER_FLOOD", at(2)))
    assert await due(database, 60) == 1
    await database.write(lambda c: attempts.rest(c, bot, at(9000), "FLOOD_WAIT", at(2)))
    assert await due(database, 60) is None


async def test_what_an_account_has_tried_waits_for_that_account(database: Database) -> None:
    await database.write(lambda c: outbox.add(c, [row("a", 0)]))
    await database.write(lambda c: outbox.claim(c, 1, 42, None))
    await database.write(lambda c: attempts.rest(c, 7, at(9000), "FLOOD_WAIT", at(2)))
    assert await due(database, 60) == 0
    await database.write(lambda c: attempts.rest(c, 42, at(9000), "FLOOD_WAIT", at(2)))
    assert await due(database, 60) is None


async def test_a_bot_that_has_tried_and_not_sent_yet_is_the_one_that_speaks(database: Database) -> None:
    """It was exchanged for another, of which Telegram asks to wait."""
    before, now = 7, 8
    await database.write(lambda c: outbox.add(c, [row("a", 0), row("b", 1), row("c", 2, DESK)]))
    await database.write(lambda c: outbox.claim(c, 1, before, None))
    await database.write(lambda c: outbox.confirm(c, 1, 9, None, at(0)))
    await database.write(lambda c: outbox.claim(c, 2, now, None))
    await database.write(lambda c: attempts.rest(c, now, at(9000), "FLOOD_WAIT", at(2)))
    assert await due(database, 60) is None
