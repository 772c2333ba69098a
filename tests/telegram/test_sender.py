"""What becomes of a message that is sent to Telegram: once in its chat, or a word about why not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from telethon.tl import types

from bot.model import ChatId, Destination, Entity, Me, Username
from bot.ports import Later, Outcome, Refused, Sent, Unknown
from bot.render.richtext import Message
from bot.storage import chats
from bot.storage.chats import Address
from bot.telegram.sender import TelegramSender
from tests.telegram.speaking import BOT, READER, STRANGER, Scene, forward, on_stage, outgoing, peopled
from tests.telegram_server.channel import Topic
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

SEND, EDIT, FORWARD = "messages.sendMessage", "messages.editMessage", "messages.forwardMessages"
RESOLVE = "contacts.resolveUsername"
ME, DESK = Destination(Me()), Destination(Username("desk_demo"))
SECOND = timedelta(seconds=1)


@pytest.fixture
def world() -> World:
    return peopled()


@pytest.fixture
async def scene(server: TelegramServer, tmp_path: Path) -> AsyncIterator[Scene]:
    async with on_stage(server, tmp_path) as scene:
        yield scene


# --- where ------------------------------------------------------------------------------------------------


async def test_me_is_the_readers_person_to_a_bot_and_saved_messages_to_the_reader(scene: Scene) -> None:
    for sender in (await scene.bot(), await scene.reader()):
        assert await sender.chat(ME) == READER
        assert isinstance(await sender.send(outgoing(ME)), Sent)
    assert [(one.person, one.peer) for one in scene.server.sent] == [(BOT, READER), (READER, READER)]


async def test_a_bot_waits_until_it_is_known_who_the_reader_is(scene: Scene) -> None:
    scene.reader_id = None
    sender = await scene.bot()
    assert isinstance(await sender.chat(ME), Later)
    assert await sender.send(outgoing(ME)) == Later(31 * SECOND, "it is not known yet who the reader is")
    scene.reader_id = READER
    assert isinstance(await sender.send(outgoing(ME)), Sent)


async def test_a_name_is_looked_up_once_for_each_account(scene: Scene) -> None:
    for _ in range(2):
        for sender in (await scene.bot(), await scene.reader()):
            assert await sender.chat(DESK) == scene.group.marked
            assert isinstance(await sender.send(outgoing(DESK)), Sent)
    assert scene.server.count(RESOLVE) == 2
    for account in (BOT, READER):
        kept = await chats.address(scene.database, account, "@desk_demo")
        assert kept == Address(scene.group.marked, scene.world.access_hash(account, scene.group.number))


async def test_a_name_that_is_looked_up_is_not_looked_up_by_the_next_at_the_same_time(scene: Scene) -> None:
    sender = await scene.bot()
    thread = Destination(Username("desk_demo"), 12)
    found = await asyncio.gather(*(sender.chat(one) for one in (DESK, thread, DESK)))
    assert found == 3 * [scene.group.marked]
    assert scene.server.count(RESOLVE) == 1


async def test_a_chat_by_its_id_is_written_to_by_both(scene: Scene) -> None:
    by_id = Destination(ChatId(scene.group.marked))
    for sender in (await scene.bot(), await scene.reader()):
        assert await sender.chat(by_id) == scene.group.marked
        assert isinstance(await sender.send(outgoing(by_id)), Sent)
    assert scene.server.count(RESOLVE) == 0
    assert [one.peer for one in scene.server.sent] == 2 * [scene.group.marked]


async def test_a_person_by_the_id_is_written_to_by_a_bot_and_not_by_the_reader(scene: Scene) -> None:
    person = Destination(ChatId(READER))
    assert await (await scene.bot()).send(outgoing(person)) == Sent(1)
    reader = await scene.reader()
    refused = await reader.chat(Destination(ChatId(STRANGER)))
    assert refused == Refused("people are found by their names only; write the @name of this person")
    assert await reader.chat(person) == READER


async def test_a_channel_that_the_reader_is_not_in_is_refused_by_its_id(scene: Scene) -> None:
    stranger = scene.world.add_channel(9, megagroup=True)
    refused = await (await scene.reader()).send(outgoing(Destination(ChatId(stranger.marked))))
    assert isinstance(refused, Refused)
    assert "is not in it" in refused.why


async def test_a_name_of_nobody_is_refused(scene: Scene) -> None:
    nobody = Destination(Username("nobody_demo"))
    sender = await scene.bot()
    for outcome in (await sender.chat(nobody), await sender.send(outgoing(nobody))):
        assert isinstance(outcome, Refused)
        assert "nobody of this name" in outcome.why


async def test_a_look_up_that_has_to_wait_holds_up_its_own_chat_only(scene: Scene) -> None:
    scene.server.faults.flood_wait(RESOLVE, 3000)
    sender = await scene.bot()
    assert await sender.chat(DESK) == Later(3001 * SECOND, "looking up its name")
    assert isinstance(await sender.send(outgoing(ME)), Sent)


async def test_an_address_that_is_not_good_any_more_is_looked_up_anew_once(scene: Scene) -> None:
    stale = Address(scene.group.marked, 1234)
    await scene.database.write(lambda c: chats.put(c, READER, "@desk_demo", stale))
    sender = await scene.reader()
    assert isinstance(await sender.send(outgoing(DESK)), Sent)
    assert scene.server.count(RESOLVE) == 1
    scene.server.faults.refuse(SEND, 400, "CHANNEL_INVALID", times=None)
    assert isinstance(await sender.send(outgoing(DESK, random_id=6)), Refused)
    assert scene.server.count(RESOLVE) == 1
    assert len(scene.server.sent) == 1


async def test_of_a_small_group_that_has_become_a_supergroup_the_new_id_is_told(scene: Scene) -> None:
    scene.world.groups[55] = scene.group.number
    for sender in (await scene.bot(), await scene.reader()):
        for _ in range(2):
            outcome = await sender.send(outgoing(Destination(ChatId(-55))))
            assert isinstance(outcome, Refused)
            assert outcome.why.endswith(f"become a supergroup; write {scene.group.marked}")


async def test_a_small_group_that_is_still_one_refuses_in_its_own_words(scene: Scene) -> None:
    scene.world.groups[55] = None
    scene.server.faults.refuse(SEND, 403, "CHAT_WRITE_FORBIDDEN", times=None)
    outcome = await (await scene.bot()).send(outgoing(Destination(ChatId(-55))))
    assert isinstance(outcome, Refused)
    assert "may not write there" in outcome.why


@pytest.mark.parametrize(("closed", "said"), [(Topic.OPEN, None), (Topic.CLOSED, "closed"), (Topic.DELETED, "no such")])
async def test_a_topic_of_a_forum(scene: Scene, closed: Topic, said: str | None) -> None:
    thread = scene.group.add_topic("Сирия")
    scene.group.topics[thread] = closed
    outcome = await (await scene.bot()).send(outgoing(Destination(Username("desk_demo"), thread)))
    if said is None:
        assert isinstance(outcome, Sent)
        assert [one.thread for one in scene.server.sent] == [thread]
    else:
        assert isinstance(outcome, Refused)
        assert said in outcome.why


async def test_the_first_topic_of_a_forum_is_the_chat_itself(scene: Scene) -> None:
    scene.group.add_topic("Сирия")
    sender = await scene.bot()
    general = Destination(Username("desk_demo"), 1)
    assert await sender.chat(general) == scene.group.marked
    assert isinstance(await sender.send(outgoing(general)), Sent)
    assert [one.thread for one in scene.server.sent] == [None]


# --- what -------------------------------------------------------------------------------------------------


async def test_a_message_stands_there_as_it_was_made(scene: Scene) -> None:
    made = Message("Дамаск here", (Entity("bold", 0, 6), Entity("text_url", 7, 4, "https://t.me/lantern_demo/1")))
    outcome = await (await scene.bot()).send(outgoing(DESK, message=made, silent=True))
    [sent] = scene.server.sent
    assert outcome == Sent(sent.number)
    bold, link = sent.entities
    assert (sent.text, sent.silent, sent.random_id) == ("Дамаск here", True, 5)
    assert isinstance(bold, types.MessageEntityBold)
    assert (bold.offset, bold.length) == (0, 6)
    assert isinstance(link, types.MessageEntityTextUrl)
    assert (link.offset, link.length, link.url) == (7, 4, "https://t.me/lantern_demo/1")


async def test_a_message_is_edited_and_no_other(scene: Scene) -> None:
    sender = await scene.bot()
    for at in (1, 2):
        await sender.send(outgoing(DESK, f"Дамаск {at}", random_id=at))
    number = scene.server.sent[1].number
    assert await sender.send(outgoing(DESK, "Дамаск, edited", edits=number)) == Sent(number)
    assert [one.reads for one in scene.server.sent] == ["Дамаск 1", "Дамаск, edited"]


async def test_an_edit_that_changes_nothing_or_finds_nothing_is_done(scene: Scene) -> None:
    sender = await scene.bot()
    await sender.send(outgoing(DESK))
    number = scene.server.sent[0].number
    assert await sender.send(outgoing(DESK, edits=number)) == Sent(number)
    assert await sender.send(outgoing(DESK, edits=999)) == Sent(999)
    scene.server.faults.refuse(EDIT, 400, "MESSAGE_EDIT_TIME_EXPIRED")
    assert await sender.send(outgoing(DESK, "Дамаск, later", edits=number)) == Sent(number)
    assert scene.server.sent[0].edits == []


async def test_an_edit_does_not_follow_a_name_to_another_chat(scene: Scene) -> None:
    """There its number is that of another message."""
    sender = await scene.bot()
    await sender.send(outgoing(DESK))
    number = scene.server.sent[0].number
    other = scene.world.add_channel(77, username="other_demo", megagroup=True, members=[READER, BOT])
    other.post("Welcome")
    await sender.send(outgoing(Destination(Username("other_demo")), random_id=6))
    scene.group.username, other.username = "desk_old_demo", "desk_demo"
    scene.server.faults.refuse(EDIT, 400, "CHANNEL_INVALID")
    for _ in range(2):
        await sender.send(outgoing(DESK, "Дамаск, edited", edits=number))
    assert [one.reads for one in scene.server.sent] == ["Дамаск, edited", "Дамаск: новости"]


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_message_that_was_tried_does_not_follow_a_name_to_another_chat(scene: Scene, *, at_once: bool) -> None:
    sender = await scene.bot(0.3 * SECOND)
    await sender.chat(DESK)
    other = scene.world.add_channel(77, megagroup=True, members=[READER, BOT])
    scene.server.faults.swallow(SEND)
    assert isinstance(await sender.send(outgoing(DESK)), Unknown)
    scene.group.username, other.username = "desk_old_demo", "desk_demo"
    scene.server.faults.refuse(SEND, 400, "CHANNEL_INVALID")
    refused = await sender.send(outgoing(DESK))
    assert refused == Refused("another chat has this name by now; write the id (-100...) of the one that is meant")
    assert await (sender if at_once else await scene.bot()).send(outgoing(DESK)) == Sent(scene.server.sent[0].number)
    assert len(scene.server.sent) == 1


# --- what becomes of it -----------------------------------------------------------------------------------


async def test_an_answer_that_is_lost_leaves_one_message(scene: Scene) -> None:
    scene.server.faults.swallow(SEND)
    lost = await (await scene.bot(0.3 * SECOND)).send(outgoing(DESK))
    assert lost == Unknown("Telegram did not answer in time (messages.sendMessage)")
    assert await (await scene.bot()).send(outgoing(DESK)) == Sent(scene.server.sent[0].number)
    assert [one.repeats for one in scene.server.sent] == [1]


async def test_all_calls_of_a_message_together_end_in_time(scene: Scene) -> None:
    account = await scene.open(BOT)
    sender = TelegramSender(account, scene.database, me=lambda: READER, mine=None, within=0.3 * SECOND)
    await sender.chat(DESK)
    scene.server.faults.swallow(SEND)
    assert await sender.send(outgoing(DESK)) == Unknown("Telegram did not answer in time")


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_whatever_befalls_its_calls_a_message_stands_there_once(scene: Scene, seed: int) -> None:
    faults = scene.server.faults
    faults.seed = seed
    sender = await scene.bot(SECOND)
    assert await sender.chat(DESK) == scene.group.marked
    faults.cut_before(SEND, share=0.2, times=2)
    faults.cut_after(SEND, share=0.2, times=2)
    faults.swallow(SEND, share=0.2, times=1)
    faults.refuse(SEND, 500, "RANDOM_ID_DUPLICATE", share=0.2, times=1)
    numbers = []
    for at in range(15):
        outcome: Outcome = Unknown("not tried yet")
        while not isinstance(outcome, Sent):
            assert isinstance(outcome, Unknown)
            outcome = await sender.send(outgoing(DESK, f"Дамаск {at}", random_id=50 + at))
        numbers.append(outcome.number)
    assert scene.texts == [f"Дамаск {at}" for at in range(15)]
    assert numbers == [one.number for one in scene.server.sent]


@pytest.mark.parametrize("destination", [ME, DESK])
async def test_a_repeat_is_answered_with_the_first_message(scene: Scene, destination: Destination) -> None:
    sender = await scene.bot()
    first = await sender.send(outgoing(destination))
    assert await sender.send(outgoing(destination, "Дамаск: another text")) == first
    assert scene.texts == ["Дамаск: новости"]


@pytest.mark.parametrize("carried_out", [False, True])
async def test_a_connection_that_breaks_leaves_one_message(scene: Scene, *, carried_out: bool) -> None:
    """Telethon would repeat by itself what was under way."""
    faults = scene.server.faults
    (faults.cut_after if carried_out else faults.cut_before)(SEND)
    sender = await scene.bot()
    assert isinstance(await sender.send(outgoing(DESK)), Unknown)
    assert scene.server.count(SEND) == 1
    assert await sender.send(outgoing(DESK)) == Sent(scene.server.sent[0].number)
    assert [one.repeats for one in scene.server.sent] == [int(carried_out)]


async def test_an_edit_that_was_given_up_is_not_made_over_a_newer_one_when_the_link_breaks(scene: Scene) -> None:
    sender = await scene.bot(0.3 * SECOND)
    await sender.send(outgoing(DESK))
    number = scene.server.sent[0].number
    scene.server.faults.swallow(EDIT)
    assert isinstance(await sender.send(outgoing(DESK, "Дамаск: older", edits=number)), Unknown)
    assert await sender.send(outgoing(DESK, "Дамаск: newer", edits=number)) == Sent(number)
    scene.server.faults.cut_after(SEND)
    assert isinstance(await sender.send(outgoing(DESK, random_id=6)), Unknown)
    assert isinstance(await sender.send(outgoing(DESK, random_id=6)), Sent)
    assert scene.server.sent[0].reads == "Дамаск: newer"
    assert scene.server.count(EDIT) == 2


async def test_what_was_given_up_while_there_was_no_link_is_not_sent_by_the_next(scene: Scene) -> None:
    sender = await scene.bot(0.3 * SECOND)
    await sender.chat(DESK)
    scene.server.faults.swallow(SEND, times=3)
    for at in (1, 2, 3):
        assert isinstance(await sender.send(outgoing(DESK, random_id=at)), Unknown)
    scene.server.faults.cut_after(FORWARD)
    told = outgoing(DESK, forward=forward(5, "lantern_demo", scene.news.post("news")))
    assert isinstance(await sender.send(told), Unknown)
    assert isinstance(await sender.send(outgoing(DESK, random_id=4)), Sent)
    assert scene.server.count(SEND) == 4


async def test_a_wait_that_is_asked_for_after_the_link_broke_is_not_of_the_message_that_stands_there(
    scene: Scene,
) -> None:
    sender = await scene.bot()
    await sender.chat(DESK)
    scene.server.faults.cut_after(SEND)
    trying = asyncio.create_task(sender.send(outgoing(DESK)))
    while not scene.server.sent:  # noqa: ASYNC110 - what is waited for knows nothing of tests
        await asyncio.sleep(0)
    scene.server.faults.flood_wait(SEND, 30)
    assert isinstance(await trying, Unknown)


async def test_a_first_attempt_that_is_still_under_way_is_no_answer(scene: Scene) -> None:
    scene.server.faults.random_id_duplicate()
    sender = await scene.bot()
    outcome = await sender.send(outgoing(DESK))
    assert isinstance(outcome, Unknown)
    assert "RANDOM_ID_DUPLICATE" in outcome.why
    assert isinstance(await sender.send(outgoing(DESK)), Sent)


async def test_whoever_is_not_connected_does_not_know(scene: Scene) -> None:
    account = await scene.open(BOT)
    sender = TelegramSender(account, scene.database, me=lambda: READER, mine=None)
    await account.close()
    assert isinstance(await sender.chat(DESK), Unknown)
    assert isinstance(await sender.send(outgoing(ME)), Unknown)


async def test_a_session_that_was_ended_does_not_know(scene: Scene) -> None:
    sender = await scene.bot()
    scene.server.revoke(BOT)
    assert isinstance(await sender.send(outgoing(ME)), Unknown)


@pytest.mark.parametrize(
    ("code", "name", "later"),
    [
        (420, "FLOOD_WAIT_30", Later(31 * SECOND, "Telegram asks to wait", everywhere=True)),
        (420, "FLOOD_PREMIUM_WAIT_4", Later(5 * SECOND, "Telegram asks to wait", everywhere=True)),
        (420, "SLOWMODE_WAIT_9", Later(10 * SECOND, "slow mode")),
    ],
)
@pytest.mark.parametrize("method", [SEND, EDIT, FORWARD])
async def test_a_wait_is_told_at_once(scene: Scene, method: str, code: int, name: str, later: Later) -> None:
    scene.server.faults.refuse(method, code, name)
    asked: dict[str, dict[str, Any]] = {
        SEND: {},
        EDIT: {"edits": 1},
        FORWARD: {"forward": forward(5, "lantern_demo", scene.news.post("news"))},
    }
    assert await (await scene.bot()).send(outgoing(DESK, **asked[method])) == later
    assert scene.server.sent == []


async def test_a_flood_of_complaints_silences_the_account_for_a_day(scene: Scene) -> None:
    sender = await scene.reader()
    scene.server.faults.refuse("*", 400, "PEER_FLOOD", times=None)
    told = forward(5, "lantern_demo", scene.news.post("news"))
    for message in (outgoing(ME), outgoing(ME, forward=told)):
        outcome = await sender.send(message)
        assert isinstance(outcome, Later)
        assert (outcome.wait, outcome.everywhere) == (timedelta(hours=24), True)
        assert "t.me/SpamBot" in outcome.why


@pytest.mark.parametrize(
    ("code", "name", "said"),
    [
        (403, "CHAT_WRITE_FORBIDDEN", "the bot may not write there; make it an administrator with the right to post"),
        (400, "CHAT_ADMIN_REQUIRED", "make it an administrator with the right to post"),
        (400, "USER_BANNED_IN_CHANNEL", "the bot was removed from it; add it there again"),
        (406, "CHANNEL_PRIVATE", "the bot is not in it, or not any more; add it there"),
        (400, "TOPIC_CLOSED", "the topic is closed; open it, or make the bot an administrator"),
        (400, "TOPIC_DELETED", "there is no such topic"),
        (400, "PEER_ID_INVALID", "press its start"),
        (400, "INPUT_USER_DEACTIVATED", "account was deleted"),
        (403, "USER_IS_BLOCKED", "press its start"),
        (403, "ALLOW_PAYMENT_REQUIRED_25", "has to be paid for"),
        (400, "CHAT_RESTRICTED", "Telegram has restricted this chat"),
        (403, "CHAT_SEND_PLAIN_FORBIDDEN", "let the bot do so"),
        (400, "BOT_GROUPS_BLOCKED", "Telegram refuses it (BOT_GROUPS_BLOCKED)"),
        (400, "SOMETHING_NEW_OF_TELEGRAM", "Telegram refuses it (SOMETHING_NEW_OF_TELEGRAM)"),
    ],
)
async def test_a_refusal_says_what_to_do(scene: Scene, code: int, name: str, said: str) -> None:
    scene.server.faults.refuse(SEND, code, name, times=None)
    outcome = await (await scene.bot()).send(outgoing(DESK))
    assert isinstance(outcome, Refused)
    assert said in outcome.why
    assert not outcome.of_message
    assert not outcome.why.endswith(".")


@pytest.mark.parametrize(
    ("text", "entities"),
    [("🌕" * 2049, ()), (" ", ()), ("short", (Entity("bold", 0, 9),))],
    ids=["too long", "empty", "beside"],
)
async def test_a_message_that_telegram_does_not_take_is_not_the_chats_fault(
    scene: Scene, text: str, entities: tuple[Entity, ...]
) -> None:
    outcome = await (await scene.bot()).send(outgoing(DESK, message=Message(text, entities)))
    assert isinstance(outcome, Refused)
    assert outcome.of_message


async def test_a_bot_that_was_never_started_says_how_that_is_done(scene: Scene) -> None:
    sender = await scene.bot()
    for stranger in (Destination(ChatId(STRANGER)), Destination(Username("stranger_demo"))):
        outcome = await sender.send(outgoing(stranger))
        assert isinstance(outcome, Refused)
        assert "press its start" in outcome.why
    scene.world.people[STRANGER].started.add(BOT)
    assert isinstance(await sender.send(outgoing(Destination(ChatId(STRANGER)))), Sent)


async def test_nothing_of_a_text_is_logged(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    sender = await scene.bot()
    for code, name in ((400, "CHAT_WRITE_FORBIDDEN"), (400, "MESSAGE_TOO_LONG"), (500, "RANDOM_ID_DUPLICATE")):
        scene.server.faults.refuse(SEND, code, name)
        outcome = await sender.send(outgoing(DESK))
        assert "новости" not in str(outcome)
    await sender.send(outgoing(DESK))
    await sender.send(outgoing(DESK))
    await sender.send(outgoing(DESK, edits=999))
    assert [one.repeats for one in scene.server.sent] == [1]
    assert "message stays as it is" in caplog.text
    assert "новости" not in caplog.text
