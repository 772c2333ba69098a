"""That who may not write is refused by Telegram's own names, that waits are real, and that every request is noted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from telethon import errors, functions, types

from tests.telegram_server.channel import Topic, WorldChannel
from tests.telegram_server.conftest import CHANNEL, READER, Connect
from tests.telegram_server.rights import GENERAL
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World
from tests.telegram_server.writes import Stage, Write, busiest

ME = types.InputPeerSelf()
BOT = 900
SEND = "messages.sendMessage"


@pytest.fixture
def group(world: World) -> WorldChannel:
    world.add_bot(BOT, token="900:x", username="teller_demo_bot")  # noqa: S106
    return world.add_channel(8, username="desk_demo", megagroup=True, members=[READER, BOT])


def peer(world: World, number: int = 8, person: int = READER) -> Any:
    return types.InputPeerChannel(number, world.access_hash(person, number))


def message(to: Any, text: str, *, random_id: int | None = None, topic: int | None = None) -> Any:
    thread = types.InputReplyToMessage(reply_to_msg_id=topic, top_msg_id=topic) if topic else None
    return functions.messages.SendMessageRequest(to, text, random_id=random_id, reply_to=thread)


async def test_a_bot_needs_no_access_hash_where_it_is_a_member_and_its_own_elsewhere(
    world: World, group: WorldChannel, server: TelegramServer, connect: Connect
) -> None:
    """https://core.telegram.org/api/peers: hashes are of an account; bots may use 0 for what they are in."""
    bot = await connect(BOT)
    await bot(message(types.InputPeerChannel(8, 0), "alert"))
    found = await bot(functions.contacts.ResolveUsernameRequest("desk_demo"))
    assert found.chats[0].access_hash == world.access_hash(BOT, 8) != world.access_hash(READER, 8)
    await bot(message(types.InputPeerChannel(8, found.chats[0].access_hash), "alert"))
    with pytest.raises(errors.ChannelInvalidError):
        await bot(message(peer(world), "with the reader's"))
    group.leave(BOT)
    with pytest.raises(errors.ChannelInvalidError):
        await bot(message(types.InputPeerChannel(8, 0), "alert"))
    assert [one.text for one in server.sent] == ["alert", "alert"]


async def test_a_chat_that_is_closed_takes_what_its_admins_write_and_opens_again(
    world: World, group: WorldChannel, connect: Connect
) -> None:
    client = await connect()
    group.closed = True
    with pytest.raises(errors.ChatWriteForbiddenError):
        await client(message(peer(world), "closed"))
    group.admins.add(READER)
    await client(message(peer(world), "as an admin"))
    group.admins.clear()
    group.closed = False
    await client(message(peer(world), "open"))
    group.banned.add(READER)
    with pytest.raises(errors.UserBannedInChannelError):
        await client(message(peer(world), "banned"))
    assert list(group.truth().values()) == ["as an admin", "open"]


@pytest.mark.usefixtures("group")
async def test_a_person_may_block_a_bot_and_take_it_back(world: World, connect: Connect) -> None:
    bot, reader = await connect(BOT), types.InputPeerUser(READER, 0)
    await bot(message(reader, "first"))
    world.people[READER].blocked.add(BOT)
    with pytest.raises(errors.UserIsBlockedError):
        await bot(message(reader, "blocked"))
    world.people[READER].blocked.clear()
    await bot(message(reader, "back"))
    assert [one.text for one in world.people[READER].messages.values()] == ["first", "back"]


async def test_slow_mode_tells_all_but_admins_to_wait(world: World, group: WorldChannel, connect: Connect) -> None:
    """https://core.telegram.org/api/errors: SLOWMODE_WAIT_X is of the chat, and of the account in it."""
    group.slow_mode = 30
    client = await connect()
    await client(message(peer(world), "first", random_id=5))
    with pytest.raises(errors.SlowModeWaitError) as refused:
        await client(message(peer(world), "second", random_id=6))
    assert refused.value.seconds == 30
    assert (await client(message(peer(world), "first", random_id=5))).updates[1].pts_count == 0
    await client(message(ME, "elsewhere"))
    await (await connect(BOT))(message(types.InputPeerChannel(8, 0), "another account"))
    group.admins.add(READER)
    await client(message(peer(world), "second", random_id=6))
    assert list(group.truth().values()) == ["first", "another account", "second"]


async def test_topics_of_a_forum_take_messages_until_they_are_closed_or_deleted(
    world: World, group: WorldChannel, server: TelegramServer, connect: Connect
) -> None:
    """https://core.telegram.org/api/forum: a topic's id is that of the message that opened it; General's is 1."""
    topic = group.add_topic("Alerts")
    client = await connect()
    sent = await client(message(peer(world), "in the topic", topic=topic))
    reply = sent.updates[1].message.reply_to
    assert (reply.forum_topic, reply.reply_to_msg_id) == (True, topic)
    await client(message(peer(world), "in General"))
    for stands, refusal in ((Topic.CLOSED, "TOPIC_CLOSED"), (Topic.DELETED, "topic was deleted")):
        group.topics[topic] = stands
        with pytest.raises(errors.BadRequestError, match=refusal):
            await client(message(peer(world), "no more", topic=topic))
    group.topics[GENERAL] = Topic.CLOSED
    with pytest.raises(errors.BadRequestError, match="TOPIC_CLOSED"):
        await client(message(peer(world), "in General"))
    with pytest.raises(errors.BadRequestError, match="REPLY_MESSAGE_ID_INVALID"):
        await client(message(peer(world), "nowhere", topic=99))
    group.topics[GENERAL] = group.topics[topic] = Topic.OPEN
    await client(message(peer(world), "open again", topic=topic))
    assert [(one.text, one.thread) for one in server.sent] == [
        ("in the topic", topic),
        ("in General", None),
        ("open again", topic),
    ]


async def test_what_is_older_than_two_days_is_not_edited_but_in_saved_messages(
    world: World, group: WorldChannel, connect: Connect
) -> None:
    client = await connect()
    numbers = [(await client.send_message(to, "alert")).id for to in (peer(world), ME)]
    world.now = lambda: datetime.now(UTC) + timedelta(hours=48, seconds=1)
    with pytest.raises(errors.MessageEditTimeExpiredError):
        await client(functions.messages.EditMessageRequest(peer(world), numbers[0], message="edited"))
    await client(functions.messages.EditMessageRequest(ME, numbers[1], message="edited"))
    assert list(group.truth().values()) == ["alert"]


async def test_a_bot_forwards_from_public_channels_and_not_from_groups_that_it_is_not_in(
    world: World, channel: WorldChannel, group: WorldChannel, server: TelegramServer, connect: Connect
) -> None:
    source = world.add_channel(9, username="crowd_demo", megagroup=True, members=[READER])
    bot, to = await connect(BOT), types.InputPeerChannel(8, 0)
    topic = group.add_topic("Alerts")
    request = functions.messages.ForwardMessagesRequest(
        *(peer(world, CHANNEL, BOT), [channel.post("news")], to), random_id=[5], silent=True, top_msg_id=topic
    )
    await bot(request)
    assert [(one.text, one.thread, one.silent) for one in server.sent] == [("news", topic, True)]
    request = functions.messages.ForwardMessagesRequest(
        *(peer(world, 9, BOT), [source.post("talk")], to), random_id=[6]
    )
    with pytest.raises(errors.ChannelPrivateError):
        await bot(request)


async def test_a_random_id_is_refused_while_its_first_request_is_executed_and_then_brings_the_message(
    server: TelegramServer, connect: Connect
) -> None:
    """https://core.telegram.org/api/errors: RANDOM_ID_DUPLICATE; api/updates: ids that were used do not expire."""
    now = 100.0
    server.faults.seconds_now = lambda: now
    server.faults.still_executing(5)
    sender = (await connect())._sender
    first = await sender.send(message(ME, "once", random_id=5))
    with pytest.raises(errors.RandomIdDuplicateError):
        await sender.send(message(ME, "once", random_id=5))
    now += 5
    again = await sender.send(message(ME, "once", random_id=5))
    assert (again.updates[0].id, again.updates[0].random_id) == (first.id, 5)
    assert [(one.text, one.repeats) for one in server.sent] == [("once", 2)]


async def test_waits_that_fall_at_random_last_as_long_as_they_say(server: TelegramServer, connect: Connect) -> None:
    now = 100.0
    server.faults.seconds_now = lambda: now
    flood = server.faults.floods(SEND, 3, 30, share=0.5)
    client = await connect()
    waits = []
    for at in range(40):
        try:
            await client(message(ME, f"№ {at}"))
        except errors.FloodWaitError as refused:
            waits.append(refused.seconds)
            now += refused.seconds
            client._flood_waited_requests.clear()
    assert 10 < len(waits) < 30
    assert all(3 <= wait <= 30 for wait in waits)
    assert (flood.early, len(set(waits)) > 3) == (0, True)
    server.faults.floods(SEND, 9, 9, share=1.0, times=1)
    flood.stop()
    for seconds in (9, 7):
        client._flood_waited_requests.clear()
        with pytest.raises(errors.FloodWaitError) as again:
            await client(message(ME, "too early"))
        assert again.value.seconds == seconds
        now += 2
    assert server.faults.rules[-1].early == 1


async def test_every_request_that_writes_is_noted_with_what_became_of_it(
    world: World, group: WorldChannel, server: TelegramServer, connect: Connect
) -> None:
    stages: list[Stage] = []
    server.wrote = lambda _write, stage: stages.append(stage)
    client = await connect()
    number = (await client(message(ME, "alert", random_id=5))).id
    await client(message(ME, "alert", random_id=5))
    await client(functions.messages.EditMessageRequest(ME, number, message="edited"))
    with pytest.raises(errors.MessageNotModifiedError):
        await client(functions.messages.EditMessageRequest(ME, number, message="edited"))
    group.closed = True
    with pytest.raises(errors.ChatWriteForbiddenError):
        await client(message(peer(world), "alert", random_id=6))
    assert [(one.chat, one.random_ids, one.edits, one.messages, one.refused) for one in server.writes] == [
        (READER, (5,), None, 1, None),
        (READER, (5,), None, 0, None),
        (READER, (), number, 1, None),
        (READER, (), number, 0, "MESSAGE_NOT_MODIFIED"),
        (group.marked, (6,), None, 0, "CHAT_WRITE_FORBIDDEN"),
    ]
    assert stages == [Stage.ARRIVED, Stage.DONE, Stage.ANSWERED] * 5
    assert server.sent[0].reads == "edited"


async def test_a_request_may_be_lost_when_it_has_arrived(server: TelegramServer, connect: Connect) -> None:
    """Whoever hears of it first decides: so a process can be killed at the very moment."""

    def lose(write: Write, _: Stage) -> None:
        write.lost = len(server.writes) == 1

    server.wrote = lose
    client = await connect()
    await client(message(ME, "once", random_id=5))  # the client connects anew, and asks again
    assert [(one.lost, one.done is not None, one.messages) for one in server.writes] == [
        (True, False, 0),
        (False, True, 1),
    ]


def test_the_busiest_minute_of_a_chat_is_found_wherever_it_begins() -> None:
    def wrote(at: float, chat: int = 1, messages: int = 1) -> Write:
        return Write(at=at, done=at, person=1, method=SEND, chat=chat, random_ids=(), messages=messages)

    times = [0, 50, 59, 61, 100, 109.5, 110]
    assert busiest(map(wrote, times)) == {1: 5}
    assert busiest([wrote(1), wrote(2, messages=3), wrote(2, messages=0), wrote(5, chat=2)]) == {1: 4, 2: 1}
