"""What the operators are told: once, by whatever still works, in few messages. Real tables, a clock moved by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bot.model import Notice
from bot.ports import Voice
from bot.storage import attempts, notices, outbox
from bot.storage.database import Database
from bot.storage.notices import mark_of
from tests.made import DESK
from tests.operating import ANNA, ANNAS, BORIS, READER, Account, Service, configured

LOST = "@alfa_demo cannot be read: it went private"
DESK_CHAT, BORISES = str(DESK), str(BORIS)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.opened(tmp_path) as database:
        yield database


Serve = Callable[..., Awaitable[Service]]


class Other(Account):
    """Not the bot's."""

    account = 2


@pytest.fixture
async def serve(database: Database) -> AsyncIterator[Serve]:
    """Starts the loop with this configuration."""
    services = []

    async def start(*users: int, chat: str = "me", bot: bool = True, urls: str = "[]") -> Service:
        service = Service(database, configured(*users, chat=chat, bot=bot, urls=urls))
        services.append(service)
        await service.start()
        return service

    yield start
    for service in services:
        await service.stop()


# --- once, to whom ----------------------------------------------------------------------------------------


async def test_by_default_the_reader_is_told_by_the_bot_and_only_once(serve: Serve) -> None:
    service = await serve()
    await service.tell(LOST, "since noon")
    await service.passes()
    assert service.shown == [f"{LOST}\nsince noon".replace("@", "@\u2060")]
    assert await service.send() == [f"me: {service.shown[0]}"]
    await service.start()
    await service.passes(60)
    assert (await service.send(), await service.untold()) == ([], 0)


async def test_each_operator_is_told_and_the_reader_among_them_as_himself(serve: Serve) -> None:
    service = await serve(ANNA, READER, BORIS, ANNA)
    await service.tell("The session was ended")
    await service.passes()
    told = [f"{chat}: The session was ended" for chat in (ANNAS, "me", BORISES)]
    assert await service.send() == told


async def test_before_it_is_known_who_the_reader_is_he_is_told_all_the_same(serve: Serve) -> None:
    service = await serve()
    service.reader = None
    await service.tell("There is no folder")
    await service.passes()
    assert await service.waiting() == ["speaker to me"]


async def test_a_notice_and_that_it_was_told_are_written_at_once(serve: Serve, database: Database) -> None:
    """Killed between any two writes, nothing is told twice, and nothing is lost."""
    service = await serve()
    await service.tell("a")
    await service.passes()
    rows = await database.rows("SELECT key, lane, voice, state FROM outbox")
    assert rows == [("notice 1 me", "notice", "speaker", "waits")]
    assert service.woken == 1
    await database.write(lambda c: c.execute("UPDATE notice SET told = NULL"))
    await service.start()
    await service.passes()
    assert await database.rows("SELECT key FROM outbox") == [("notice 1 me",)]


# --- in few messages --------------------------------------------------------------------------------------


async def test_what_comes_together_is_told_together_in_one_message_a_notice(serve: Serve) -> None:
    service = await serve()
    for what in "abc":
        await service.tell(what)
    await service.passes()
    assert await service.send() == ["me: a", "me: b", "me: c"]


async def test_hundreds_of_notices_are_one_message(serve: Serve) -> None:
    service = await serve()
    for number in range(500):
        await service.tell(f"channel {number} cannot be watched", "there is nobody of this name")
    await service.passes()
    [said] = await service.send()
    lines = said.splitlines()
    assert lines[:2] == ["me: 500 notices", "• channel 0 cannot be watched"]
    assert lines[-1].endswith(" more lines")
    assert len(service.shown) == 500


async def test_what_goes_on_coming_is_told_seldom_and_all_of_it(serve: Serve) -> None:
    """One channel every four seconds for six minutes is not ninety messages."""
    service = await serve()
    said = []
    for number in range(90):
        await service.tell(f"channel {number}")
        await service.passes(2)
        said += await service.send()
    await service.passes(60)
    said += await service.send()
    assert len(said) <= 12
    told = {line.removeprefix("• ").removeprefix("me: ") for one in said for line in one.splitlines()}
    assert {f"channel {number}" for number in range(90)} <= told


async def test_after_a_while_single_notices_are_told_singly_again(serve: Serve) -> None:
    service = await serve()
    for number in range(20):
        await service.tell(f"channel {number}")
        await service.passes(2)
    await service.passes(12 * 60)
    await service.send()
    for what in "ab":
        await service.tell(what)
    await service.passes()
    assert await service.send() == ["me: a", "me: b"]


# --- by whatever works ------------------------------------------------------------------------------------


async def test_where_an_operator_cannot_be_told_the_digests_chat_is_once(serve: Serve) -> None:
    service = await serve(ANNA, BORIS, chat=str(DESK))
    await service.tell("a")
    await service.passes()
    assert await service.send(ANNAS, BORISES) == []
    assert await service.send() == [f"{DESK}: a"]
    await service.passes(300)
    assert await service.send() == []


async def test_where_that_refuses_too_the_reader_writes_to_those_who_were_not_told(serve: Serve) -> None:
    service = await serve(ANNA, READER, BORIS, chat=str(DESK))
    await service.tell("a")
    await service.passes()
    assert await service.send(ANNAS, "me") == [f"{BORIS}: a"]
    assert await service.send(DESK_CHAT) == []
    assert await service.send() == [f"reader {ANNA}: a", "reader me: a"]
    await service.passes(300)
    assert await service.send() == []


async def test_where_the_readers_own_chat_is_the_digests_one_he_writes_to_himself(serve: Serve) -> None:
    service = await serve()
    await service.tell("a")
    await service.passes()
    assert await service.send("me") == []
    assert await service.send() == ["reader me: a"]


async def test_an_operators_chat_that_is_the_digests_one_is_not_told_twice(serve: Serve) -> None:
    service = await serve(ANNA, READER)
    await service.tell("a")
    await service.passes()
    assert await service.send(ANNAS) == ["me: a"]
    assert await service.send() == []


async def test_without_a_bot_nobody_is_told_by_the_reader_a_second_time(serve: Serve) -> None:
    service = await serve(ANNA, chat=str(DESK), bot=False)
    await service.tell("a")
    await service.passes()
    assert [await service.send(ANNAS), await service.send(DESK_CHAT), await service.send()] == [[], [], []]


async def test_that_an_operator_cannot_be_told_is_told_by_the_others_once(serve: Serve) -> None:
    """That notice goes the same ways, of which the first is the closed one: it goes round no circle."""
    service = await serve(ANNA, chat=str(DESK))
    for what in "abc":
        await service.tell(what)
        for _ in range(3):
            await service.passes()
            await service.send(ANNAS)
    assert service.closed == [f"{DESK}: Operator {ANNA} cannot be told in private: BANNED"]


async def test_a_reader_who_cannot_be_told_is_called_so(serve: Serve) -> None:
    service = await serve(chat=str(DESK))
    await service.tell("a")
    for _ in range(3):
        await service.passes()
        await service.send("me")
    assert service.closed == [f"{DESK}: The reader cannot be told in private: BANNED"]


async def test_that_an_operator_can_be_told_again_is_told(serve: Serve) -> None:
    service = await serve(ANNA, chat=str(DESK))
    await service.tell("a")
    await service.passes()
    await service.send(ANNAS)
    await service.passes()
    await service.send(ANNAS)
    await service.passes()
    await service.send(ANNAS)
    await service.tell("b")
    await service.passes()
    assert await service.send() == [f"{ANNA}: b"]
    await service.passes()
    await service.send()
    assert service.closed[-1] == f"{ANNA}: Operator {ANNA} can be told in private again."


async def test_what_found_no_way_by_the_reader_waits_for_the_bot(serve: Serve) -> None:
    service = await serve()
    service.voices.speaks(Voice.SPEAKER, None)
    await service.tell("a")
    await service.passes(70)
    assert await service.send("reader me", voices=[Voice.READER]) == []
    assert await service.waiting() == ["speaker to me"]
    service.voices.speaks(Voice.SPEAKER, Account())
    assert await service.send() == ["me: a"]


async def test_while_the_bot_is_away_for_a_minute_it_is_waited_for_and_then_the_reader_speaks(serve: Serve) -> None:
    service = await serve()
    service.voices.speaks(Voice.SPEAKER, None)
    await service.tell("a")
    await service.passes(50)
    assert (await service.waiting(), await service.untold()) == ([], 1)
    assert service.shown == ["a"]
    await service.passes(14)
    assert (await service.waiting(), await service.untold()) == (["reader to me"], 0)
    assert await service.send() == ["reader me: a"]
    service.voices.speaks(Voice.SPEAKER, Account())
    await service.tell("b")
    await service.passes()
    assert await service.send() == ["me: b"]


async def test_while_nobody_is_there_notices_wait_and_are_told_when_somebody_is(serve: Serve) -> None:
    service = await serve()
    service.voices.speaks(Voice.READER, None)
    service.voices.speaks(Voice.SPEAKER, None)
    for number in range(7):
        await service.tell(f"trouble {number}")
    await service.passes(200)
    assert await service.waiting() == []
    service.voices.speaks(Voice.SPEAKER, Account())
    await service.passes()
    [said] = await service.send()
    assert said.startswith("me: 7 notices\n• trouble 0\n")


async def test_what_the_bot_had_not_tried_when_it_went_away_the_reader_says_and_the_bot_does_not(serve: Serve) -> None:
    service = await serve(ANNA, chat=str(DESK))
    await service.tell("a")
    await service.passes()
    service.voices.speaks(Voice.SPEAKER, None)
    await service.passes(30)
    assert await service.waiting() == [f"speaker to {ANNA}"]
    await service.passes(40)
    assert await service.waiting() == [f"reader to {ANNA}"]
    assert await service.send() == [f"reader {ANNA}: a"]
    service.voices.speaks(Voice.SPEAKER, Account())
    await service.passes(200)
    assert await service.send() == []


async def test_what_the_digests_chat_had_not_got_when_the_bot_went_away_the_reader_says(serve: Serve) -> None:
    service = await serve(ANNA, chat=str(DESK))
    await service.tell("a")
    await service.passes()
    await service.send(ANNAS)
    assert await service.waiting() == [f"speaker to {DESK}"]
    service.voices.speaks(Voice.SPEAKER, None)
    await service.passes(70)
    assert await service.send() == [f"reader {ANNA}: a"]
    service.voices.speaks(Voice.SPEAKER, Account())
    await service.passes(200)
    assert await service.send() == []


async def test_what_may_have_been_sent_is_said_by_another_only_after_an_hour(serve: Serve, database: Database) -> None:
    service = await serve(ANNA, BORIS, chat=str(DESK))
    await service.tell("a")
    await service.passes()
    for row in await outbox.waiting(database):
        await database.write(lambda c, id_=row.id: outbox.claim(c, id_, 1, None))  # type: ignore[misc]
    service.voices.speaks(Voice.SPEAKER, None)
    await service.passes(59 * 60)
    assert await service.waiting() == [f"speaker to {ANNA}", f"speaker to {BORIS}"]
    await service.passes(2 * 60)
    assert await service.waiting() == [f"reader to {ANNA}", f"reader to {BORIS}"]
    service.voices.speaks(Voice.SPEAKER, Account())
    await service.passes(200)
    assert await service.send() == [f"reader {ANNA}: a", f"reader {BORIS}: a"]


async def test_an_hour_counts_though_the_reader_comes_and_goes(serve: Serve, database: Database) -> None:
    service = await serve(ANNA)
    await service.tell("a")
    await service.passes()
    [row] = await outbox.waiting(database)
    await database.write(lambda c: outbox.claim(c, row.id, 1, None))
    service.voices.speaks(Voice.SPEAKER, None)
    for _ in range(2):
        await service.passes(30 * 60)
        service.voices.speaks(Voice.READER, None)
        await service.passes()
        service.voices.speaks(Voice.READER, Account())
    await service.passes(120)
    assert await service.waiting() == [f"reader to {ANNA}"]


async def test_what_the_digests_chat_may_have_got_is_said_by_the_reader_after_an_hour(
    serve: Serve, database: Database
) -> None:
    service = await serve(ANNA, chat=str(DESK))
    await service.tell("a")
    await service.passes()
    await service.send(ANNAS)
    [row] = [row for row in await outbox.waiting(database) if row.destination == DESK]
    await database.write(lambda c: outbox.claim(c, row.id, 1, None))
    service.voices.speaks(Voice.SPEAKER, None)
    await service.passes(200)
    assert await service.send(voices=[Voice.READER]) == []
    await service.passes(3600)
    assert await service.send(voices=[Voice.READER]) == [f"reader {ANNA}: a"]


async def test_while_telegram_lets_the_bot_send_nothing_for_long_the_reader_speaks(
    serve: Serve, database: Database
) -> None:
    service = await serve()
    service.voices.speaks(Voice.READER, Other())
    await service.tell("a")
    await service.passes()
    assert await service.waiting() == ["speaker to me"]
    now = service.clock.now()
    await database.write(lambda c: attempts.rest(c, Account.account, now + timedelta(minutes=20), "PEER_FLOOD", now))
    await service.tell("b")
    await service.passes()
    assert await service.send() == ["reader me: a", "reader me: b"]
    await service.passes(11 * 60)
    await service.tell("c")
    await service.passes()
    assert await service.waiting() == ["speaker to me"]


async def test_where_both_have_to_rest_who_speaks_is_waited_for(serve: Serve, database: Database) -> None:
    """Without a bot they are the same."""
    for bot in (True, False):
        service = await serve(bot=bot)
        now = service.clock.now()
        await database.write(lambda c, now=now: attempts.rest(c, 1, now + timedelta(hours=9), "FLOOD", now))  # type: ignore[misc]
        await service.tell("a")
        await service.passes(80)
        assert set(await service.waiting()) == {"speaker to me"}
        await service.stop()


async def test_what_the_reader_had_not_said_when_he_went_away_the_bot_says(serve: Serve) -> None:
    service = await serve(ANNA, chat=str(DESK))
    await service.tell("a")
    await service.passes()
    service.voices.speaks(Voice.SPEAKER, None)
    await service.passes(70)
    await service.tell("b")
    await service.passes()
    assert await service.waiting() == [f"reader to {ANNA}"] * 2
    service.voices.speaks(Voice.READER, None)
    service.voices.speaks(Voice.SPEAKER, Account())
    await service.passes(70)
    assert await service.send() == [f"{ANNA}: a", f"{ANNA}: b"]
    service.voices.speaks(Voice.READER, Account())
    await service.passes(70)
    assert await service.send() == []


async def test_what_the_reader_cannot_say_the_bot_says_when_it_is_back_though_it_was_taken_from_it(
    serve: Serve,
) -> None:
    service = await serve(ANNA, chat=str(DESK))
    await service.tell("a")
    await service.passes()
    service.voices.speaks(Voice.SPEAKER, None)
    await service.passes(70)
    assert await service.send(f"reader {ANNA}") == []
    await service.passes(70)
    assert await service.waiting() == []
    service.voices.speaks(Voice.SPEAKER, Account())
    service.wake()
    await service.passes()
    assert await service.send(ANNAS) == []
    assert await service.send() == [f"{DESK}: a"]
    await service.passes(200)
    assert await service.send() == []


async def test_that_an_operator_cannot_be_told_is_not_told_where_the_same_chat_gets_no_alerts(
    serve: Serve, database: Database
) -> None:
    service = await serve(ANNA, chat=str(DESK))
    now, trouble = service.clock.now(), Notice(f"{ANNA} refuses messages: press its start")
    await database.write(lambda c: notices.tell(c, f"destination {ANNA}", trouble, now))
    await service.passes()
    await service.send(ANNAS)
    assert await service.send() == [f"{DESK}: {trouble.what}"]
    await service.passes(200)
    assert (await service.send(), service.closed) == ([], [])


async def test_an_operator_who_comes_later_does_not_hear_of_the_past(serve: Serve) -> None:
    service = await serve(ANNA, chat=str(DESK))
    await service.tell("a")
    await service.passes()
    await service.send(ANNAS)
    await service.send(DESK_CHAT)
    service.settings = configured(ANNA, BORIS, chat=str(DESK))
    assert await service.send() == [f"reader {ANNA}: a"]
    assert await service.send() == []


# --- notification URLs ------------------------------------------------------------------------------------


async def test_what_is_new_is_owed_to_notification_urls_once_whoever_is_connected(
    serve: Serve, database: Database
) -> None:
    service = await serve(urls='["json://127.0.0.1:9"]')
    service.voices.speaks(Voice.SPEAKER, None)
    service.voices.speaks(Voice.READER, None)
    mark = mark_of("json://127.0.0.1:9")
    await service.tell("a")
    await service.tell("b")
    await service.passes()
    owed = (await notices.owed(database))[mark]
    assert [one.notice.what for one in owed] == ["a", "b"]
    await database.write(lambda c: notices.paid(c, mark, [owed[0].id]))
    await service.start()
    await service.passes()
    assert [one.notice.what for one in (await notices.owed(database))[mark]] == ["b"]


async def test_without_notification_urls_nothing_is_owed_then_or_later(serve: Serve, database: Database) -> None:
    service = await serve()
    service.voices.speaks(Voice.SPEAKER, None)
    await service.tell("a")
    await service.passes()
    service.settings = configured(urls='["json://127.0.0.1:9"]')
    await service.start()
    await service.tell("b")
    await service.passes()
    assert [one.notice.what for one in (await notices.owed(database))[mark_of("json://127.0.0.1:9")]] == ["b"]
