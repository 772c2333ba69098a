"""That every fault does what it says to a real client, and nothing else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from telethon import errors, functions, types

from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.conftest import CHANNEL, READER, Connect, until
from tests.telegram_server.faults import Faults, Rule
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.test_updates import difference, heard
from tests.telegram_server.world import World

ME = types.InputPeerSelf()
STATE = functions.updates.GetStateRequest()
HISTORY = "messages.getHistory"


def history(world: World) -> Any:
    peer = types.InputPeerChannel(CHANNEL, world.access_hash(READER, CHANNEL))
    return functions.messages.GetHistoryRequest(peer, 0, None, 0, 100, 0, 0, 0)


def told(faults: Faults, pushes: int = 1000) -> list[int]:
    """How often each of some pushes would be sent."""
    return [len(faults.delivery(CHANNEL, pts).after) for pts in range(pushes)]


def test_the_same_seed_makes_the_same_faults() -> None:
    one, same, other = Faults(3), Faults(3), Faults(4)
    for faults in (one, same, other):
        faults.drop(0.4)
        faults.reorder(0.5)
    assert told(one) == told(same) != told(other)
    assert 330 < told(one).count(0) < 470


def test_what_else_happens_does_not_change_which_pushes_are_hit() -> None:
    calm, busy = Faults(3), Faults(3)
    calm.drop(0.4)
    busy.drop(0.4)
    told(busy, 17)
    assert told(calm) == told(busy)


def test_a_rule_can_be_stopped_and_counts() -> None:
    faults = Faults()
    rule = faults.drop()
    assert told(faults, 3) == [0, 0, 0]
    rule.stop()
    assert told(faults, 3) == [1, 1, 1]
    assert rule.hits == 3


def test_a_limit_says_when_there_is_room_again() -> None:
    faults = Faults()
    faults.limit(HISTORY, 2, 30)
    refusals = [faults.treatment(HISTORY, READER).refusal for _ in range(3)]
    assert refusals[:2] == [None, None]
    assert refusals[2] is not None
    assert refusals[2].message == "FLOOD_WAIT_30"
    assert faults.treatment("users.getUsers", READER).refusal is None
    assert faults.treatment(HISTORY, 801).refusal is None


@pytest.mark.parametrize(
    ("fault", "numbers"),
    [
        (lambda faults: faults.drop(), []),
        (lambda faults: faults.silent(CHANNEL), []),
        (lambda faults: faults.silent(CHANNEL + 1), [1, 2]),
        (lambda faults: faults.unknown_in_push(times=1), [2]),
        (lambda faults: faults.delay(0.05), [1, 2]),
    ],
    ids=["drop", "silent", "silent elsewhere", "unknown", "delay"],
)
async def test_what_is_left_of_pushes(
    channel: WorldChannel,
    server: TelegramServer,
    connect: Connect,
    fault: Callable[[Faults], Rule],
    numbers: list[int],
) -> None:
    """The raw pushes as they come, before Telethon puts them in order."""
    client = await connect()
    pushed = raw(client)
    fault(server.faults)
    channel.post("one")
    channel.post("two")
    await asyncio.sleep(0.15)
    assert [update.message.id for update in pushed] == numbers


def raw(client: Any) -> list[Any]:
    """Updates of channels as they reach a client's queue."""
    found: list[Any] = []
    put = client._updates_queue.put_nowait

    def noted(updates: Any) -> None:
        found.extend(one for one in getattr(updates, "updates", ()) if hasattr(one, "pts"))
        put(updates)

    client._updates_queue.put_nowait = noted
    client._sender._updates_queue.put_nowait = noted
    return found


async def test_pushes_come_twice(channel: WorldChannel, server: TelegramServer, connect: Connect) -> None:
    pushed = raw(await connect())
    server.faults.duplicate()
    channel.post("one")
    await until(lambda: len(pushed) == 2)
    assert [update.message.id for update in pushed] == [1, 1]


async def test_pushes_overtake_each_other(channel: WorldChannel, server: TelegramServer, connect: Connect) -> None:
    pushed = raw(await connect())
    server.faults.reorder(within=0.1)
    for number in range(8):
        channel.post(f"post {number}")
    await until(lambda: len(pushed) == 8)
    numbers = [update.message.id for update in pushed]
    assert sorted(numbers) == list(range(1, 9)) != numbers


async def test_word_of_a_push_that_is_too_long(channel: WorldChannel, server: TelegramServer, connect: Connect) -> None:
    pushed = raw(await connect())
    server.faults.channel_too_long()
    channel.post("one")
    await until(lambda: pushed)
    assert isinstance(pushed[0], types.UpdateChannelTooLong)
    assert pushed[0].pts == channel.pts


async def test_a_channel_that_says_too_little(channel: WorldChannel, server: TelegramServer, connect: Connect) -> None:
    updates = heard(await connect())
    server.faults.min_channel()
    channel.post("one")
    await until(lambda: updates)
    chat = updates[0]._entities[channel.marked]
    assert (chat.min, chat.access_hash) == (True, None)


async def test_a_call_that_is_swallowed_was_carried_out(server: TelegramServer, connect: Connect) -> None:
    client = await connect()
    server.faults.swallow("messages.sendMessage")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client(functions.messages.SendMessageRequest(ME, "note", random_id=5)), 0.1)
    again = await client(functions.messages.SendMessageRequest(ME, "note", random_id=5))
    assert (again.updates[0].id, len(server.sent)) == (1, 1)


async def test_calls_are_refused_as_often_as_told(server: TelegramServer, connect: Connect) -> None:
    client = await connect()
    server.faults.refuse("updates.getState", 400, "CHANNEL_PRIVATE", times=2)
    for _ in range(2):
        with pytest.raises(errors.ChannelPrivateError):
            await client(STATE)
    assert (await client(STATE)).pts == 1


async def test_waiting_is_asked_for(server: TelegramServer, connect: Connect) -> None:
    client = await connect()
    server.faults.flood_wait("updates.getState", 7)
    with pytest.raises(errors.FloodWaitError) as caught:
        await client(STATE)
    assert caught.value.seconds == 7


@pytest.mark.usefixtures("channel")
async def test_a_limit_is_kept(world: World, server: TelegramServer, connect: Connect) -> None:
    client = await connect()
    server.faults.limit(HISTORY, 3, 20)
    for _ in range(3):
        await client(history(world))
    with pytest.raises(errors.FloodWaitError) as caught:
        await client(history(world))
    assert 19 <= caught.value.seconds <= 20


@pytest.mark.parametrize(("after", "sent"), [(False, 0), (True, 1)])
async def test_the_connection_breaks_before_or_after(
    server: TelegramServer, connect: Connect, *, after: bool, sent: int
) -> None:
    client = await connect(connection_retries=0)
    cut = server.faults.cut_after if after else server.faults.cut_before
    cut("messages.sendMessage")
    await server.stop_listening()
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(_never(client(functions.messages.SendMessageRequest(ME, "note"))), 0.2)
    assert len(server.sent) == sent
    assert not server.connections


async def _never(call: Any) -> None:
    """Waits on, whatever a client makes of the broken connection."""
    try:
        await call
    except (ConnectionError, asyncio.CancelledError):
        await asyncio.sleep(1)


async def test_a_client_tries_again_after_a_break(server: TelegramServer, connect: Connect) -> None:
    client = await connect()
    server.faults.cut_after("messages.sendMessage")
    sent = await asyncio.wait_for(client.send_message(ME, "note"), 5)
    assert (sent.id, server.sent[0].repeats) == (1, 1)


async def test_a_slow_call(server: TelegramServer, connect: Connect) -> None:
    client = await connect()
    server.faults.slow("updates.getState", 0.1)
    began = time.monotonic()
    await client(STATE)
    assert time.monotonic() - began >= 0.1


async def test_differences_are_too_long(
    world: World, channel: WorldChannel, server: TelegramServer, connect: Connect
) -> None:
    channel.post("one")
    server.faults.too_long()
    found = await difference(await connect(), world, 1)
    assert isinstance(found, types.updates.ChannelDifferenceTooLong)


@pytest.mark.usefixtures("channel")
async def test_differences_are_outdated(world: World, server: TelegramServer, connect: Connect) -> None:
    server.faults.pts_outdated()
    sender = (await connect())._sender  # which does not wait and try again, as the client does
    with pytest.raises(errors.PersistentTimestampOutdatedError):
        await difference(sender.send, world, 1)
    assert isinstance(await difference(sender.send, world, 1), types.updates.ChannelDifferenceEmpty)


async def test_nothing_can_be_read_that_holds_an_unknown_kind(
    world: World, channel: WorldChannel, server: TelegramServer, connect: Connect
) -> None:
    channel.post("one")
    client = await connect()
    for fault in (server.faults.unknown_in_history, server.faults.unknown_in_difference):
        fault(times=1)
    with pytest.raises(errors.TypeNotFoundError):
        await client(history(world))
    with pytest.raises(errors.TypeNotFoundError):
        await difference(client, world, 1)
    assert len((await client(history(world))).messages) == 1
    assert len((await difference(client, world, 1)).new_messages) == 1


async def test_an_unknown_kind_of_message_stays_unknown(world: World, channel: WorldChannel, connect: Connect) -> None:
    number = channel.unknown()
    client = await connect()
    with pytest.raises(errors.TypeNotFoundError):
        await client(history(world))
    channel.post("after it")
    assert channel.truth() == {number + 1: "after it"}


@pytest.mark.usefixtures("channel")
async def test_dialogs_are_left_out(world: World, server: TelegramServer, connect: Connect) -> None:
    server.faults.omit_dialogs(CHANNEL)
    peer = types.InputDialogPeer(types.InputPeerChannel(CHANNEL, world.access_hash(READER, CHANNEL)))
    assert (await (await connect())(functions.messages.GetPeerDialogsRequest([peer]))).dialogs == []


@pytest.mark.usefixtures("channel")
async def test_a_community_is_among_the_dialogs(server: TelegramServer, connect: Connect) -> None:
    client = await connect()
    server.faults.community()
    found = await client(functions.messages.GetDialogsRequest(None, 0, types.InputPeerEmpty(), 10, 0))
    assert [type(one).__name__ for one in found.dialogs] == ["DialogCommunity", "Dialog"]
    with pytest.raises(AttributeError):
        await client.get_dialogs()


async def test_pings_are_not_answered(server: TelegramServer, connect: Connect) -> None:
    client = await connect()
    rule = server.faults.no_pongs()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client(functions.PingRequest(1)), 0.1)
    rule.stop()
    assert (await client(functions.PingRequest(2))).ping_id == 2


async def test_a_server_that_hangs_lets_nobody_in(server: TelegramServer, connect: Connect) -> None:
    rule = server.faults.hang()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(connect(), 0.2)
    rule.stop()


async def test_a_clock_that_is_off(server: TelegramServer, connect: Connect) -> None:
    """A client can mend its clock where the server complains, and waits for ever where it does not."""
    rule = server.faults.clock_skew(120, told=True)
    assert (await asyncio.wait_for((await connect()).get_me(), 3)).id == READER
    rule.stop()
    server.faults.clock_skew(120)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(connect(), 0.2)


async def test_a_clock_that_is_hours_off_is_told(server: TelegramServer, connect: Connect) -> None:
    server.faults.clock_skew(7200, told=True)
    assert (await asyncio.wait_for((await connect()).get_me(), 3)).id == READER


@pytest.mark.usefixtures("channel")
async def test_anything_can_be_pushed(server: TelegramServer, connect: Connect) -> None:
    updates = heard(await connect())
    server.push_raw(types.UpdateShort(types.UpdateChannelTooLong(CHANNEL), None))
    server.push_raw(types.UpdateShort(types.UpdateUserTyping(READER, types.SendMessageTypingAction()), None))
    await until(lambda: updates)
    assert isinstance(updates[-1], types.UpdateUserTyping)
