"""That what is sent arrives once for each random_id, and that what Telegram refuses is refused."""

from __future__ import annotations

from typing import Any

import pytest
from telethon import errors, functions, types

from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.conftest import CHANNEL, READER, Connect, until
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

ME = types.InputPeerSelf()


@pytest.fixture
def group(world: World) -> WorldChannel:
    return world.add_channel(8, username="desk_demo", megagroup=True, members=[READER])


def group_peer(world: World) -> Any:
    return types.InputPeerChannel(8, world.access_hash(READER, 8))


async def test_a_random_id_is_used_once_however_late_it_comes_again(
    world: World, group: WorldChannel, server: TelegramServer, connect: Connect
) -> None:
    client = await connect()
    for chat in (ME, group_peer(world)):
        first = await client(functions.messages.SendMessageRequest(chat, "first", random_id=5))
        again = await client(functions.messages.SendMessageRequest(chat, "another text", random_id=5))
        number = first.id if chat is ME else first.updates[0].id
        assert (again.updates[0].id, again.updates[0].random_id) == (number, 5)
        assert (again.updates[1].message.message, again.updates[1].pts_count) == ("first", 0)
    assert [(one.peer, one.text, one.repeats) for one in server.sent] == [
        (READER, "first", 1),
        (group.marked, "first", 1),
    ]
    assert group.truth() == {1: "first"}


async def test_a_random_id_is_one_accounts_and_one_chats(
    world: World, server: TelegramServer, connect: Connect
) -> None:
    world.add_person(801)
    for person in (READER, 801):
        await (await connect(person))(functions.messages.SendMessageRequest(ME, "note", random_id=5))
    assert [(one.person, one.repeats) for one in server.sent] == [(READER, 0), (801, 0)]


async def test_a_repeat_while_the_first_is_under_way(server: TelegramServer, connect: Connect) -> None:
    server.faults.slow("messages.sendMessage", 0.2, times=2)
    sender = (await connect())._sender  # which does not wait and try again, as the client does
    first = sender.send(functions.messages.SendMessageRequest(ME, "note", random_id=5))
    with pytest.raises(errors.RandomIdDuplicateError):
        await sender.send(functions.messages.SendMessageRequest(ME, "note", random_id=5))
    assert (await first).id == 1
    assert len(server.sent) == 1


@pytest.mark.parametrize(
    ("text", "entities", "error"),
    [
        (" ", [], errors.MessageEmptyError),
        ("🌕" * 2049, [], errors.MessageTooLongError),
        ("short", [types.MessageEntityBold(0, 9)], errors.EntityBoundsInvalidError),
    ],
)
async def test_what_cannot_be_sent(connect: Connect, text: str, entities: list[Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        await (await connect())(functions.messages.SendMessageRequest(ME, text, entities=entities))


async def test_only_admins_post_in_a_channel(world: World, channel: WorldChannel, connect: Connect) -> None:
    client = await connect()
    peer = types.InputPeerChannel(CHANNEL, world.access_hash(READER, CHANNEL))
    with pytest.raises(errors.ChatAdminRequiredError):
        await client(functions.messages.SendMessageRequest(peer, "hello"))
    channel.admins.add(READER)
    sent = await client.send_message(peer, "hello")
    assert channel.truth() == {sent.id: "hello"}


async def test_a_bot_writes_to_those_who_have_started_it(
    world: World, server: TelegramServer, connect: Connect
) -> None:
    world.add_person(801)
    world.add_bot(900, token="900:x", username="teller_demo_bot", started_by=[READER])  # noqa: S106
    bot, reader = await connect(900), await connect()
    got: list[Any] = []

    async def take(update: Any) -> None:
        got.append(update.message)

    reader.add_event_handler(take)
    await bot(functions.messages.SendMessageRequest(types.InputPeerUser(READER, 0), "alert"))
    await until(lambda: got)
    assert (got[0].message, got[0].out, got[0].peer_id.user_id) == ("alert", False, 900)
    with pytest.raises(errors.PeerIdInvalidError):
        await bot(functions.messages.SendMessageRequest(types.InputPeerUser(801, 0), "alert"))
    stranger = types.InputPeerUser(801, world.access_hash(900, 801))
    with pytest.raises(errors.UserIsBlockedError):
        await bot(functions.messages.SendMessageRequest(stranger, "alert"))
    assert [(one.person, one.peer, one.text) for one in server.sent] == [(900, READER, "alert")]


async def test_who_has_written_to_a_bot_has_started_it(world: World, connect: Connect) -> None:
    world.add_bot(900, token="900:x", username="teller_demo_bot", started_by=[])  # noqa: S106
    bot, reader = await connect(900), await connect()
    back = types.InputPeerUser(READER, world.access_hash(900, READER))
    with pytest.raises(errors.UserIsBlockedError):
        await bot(functions.messages.SendMessageRequest(back, "alert"))
    await reader(
        functions.messages.SendMessageRequest(types.InputPeerUser(900, world.access_hash(READER, 900)), "/start")
    )
    await bot(functions.messages.SendMessageRequest(back, "alert"))


async def test_an_edit_changes_both_sides(
    world: World, group: WorldChannel, server: TelegramServer, connect: Connect
) -> None:
    world.add_bot(900, token="900:x", username="teller_demo_bot")  # noqa: S106
    bot = await connect(900)
    sent = await bot(functions.messages.SendMessageRequest(types.InputPeerUser(READER, 0), "alert"))
    await bot(functions.messages.EditMessageRequest(types.InputPeerUser(READER, 0), sent.id, message="alert, edited"))
    assert [one.text for one in world.people[READER].messages.values()] == ["alert, edited"]
    assert server.sent[0].edits == [("alert, edited", ())]
    with pytest.raises(errors.MessageNotModifiedError):
        await bot(
            functions.messages.EditMessageRequest(types.InputPeerUser(READER, 0), sent.id, message="alert, edited")
        )
    with pytest.raises(errors.MessageIdInvalidError):
        await bot(functions.messages.EditMessageRequest(types.InputPeerUser(READER, 0), 99, message="alert"))
    number = group.post("not yours")
    with pytest.raises(errors.MessageAuthorRequiredError):
        await (await connect())(functions.messages.EditMessageRequest(group_peer(world), number, message="mine"))


async def test_forwarding_names_the_origin_and_is_done_once(
    world: World, channel: WorldChannel, server: TelegramServer, connect: Connect
) -> None:
    number = channel.post("news")
    client = await connect()
    source = types.InputPeerChannel(CHANNEL, world.access_hash(READER, CHANNEL))
    request = functions.messages.ForwardMessagesRequest(source, [number], ME, random_id=[5])
    forwarded = (await client(request)).updates[1].message
    assert (await client(request)).updates[1].message.id == forwarded.id
    assert (forwarded.fwd_from.from_id.channel_id, forwarded.fwd_from.channel_post) == (CHANNEL, number)
    assert [(one.forwarded, one.repeats) for one in server.sent] == [((channel.marked, number), 1)]
    channel.protected = True
    with pytest.raises(errors.ChatForwardsRestrictedError):
        await client(functions.messages.ForwardMessagesRequest(source, [number], ME, random_id=[6]))


async def test_what_a_person_says_to_a_bot_reaches_it(world: World, server: TelegramServer, connect: Connect) -> None:
    world.add_bot(900, token="900:x", username="teller_demo_bot")  # noqa: S106
    bot = await connect(900)
    got: list[Any] = []

    async def take(update: Any) -> None:
        got.append(update.message.message)

    bot.add_event_handler(take)
    server.say(READER, 900, "/status")
    await until(lambda: got)
    assert got == ["/status"]
