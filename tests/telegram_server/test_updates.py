"""That pushes and differences are as https://core.telegram.org/api/updates describes them."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from telethon import errors, functions, types

from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.conftest import CHANNEL, READER, Connect, until
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World


def heard(client: Any) -> list[Any]:
    """Everything that is pushed to a client from now on."""
    updates: list[Any] = []

    async def take(update: Any) -> None:
        updates.append(update)

    client.add_event_handler(take)
    return updates


async def difference(client: Any, world: World, pts: int, limit: int = 100) -> Any:
    channel = types.InputChannel(CHANNEL, world.access_hash(READER, CHANNEL))
    return await client(
        functions.updates.GetChannelDifferenceRequest(channel, types.ChannelMessagesFilterEmpty(), pts, limit)
    )


async def test_every_event_moves_the_pts_by_its_count(channel: WorldChannel, connect: Connect) -> None:
    updates = heard(await connect())
    before = channel.pts
    one, two = channel.post("one"), channel.post("two")
    channel.edit(one, "one, mended")
    channel.delete(one, two)
    await until(lambda: len(updates) == 4)
    assert [(type(one).__name__, one.pts - before, one.pts_count) for one in updates] == [
        ("UpdateNewChannelMessage", 1, 1),
        ("UpdateNewChannelMessage", 2, 1),
        ("UpdateEditChannelMessage", 3, 1),
        ("UpdateDeleteChannelMessages", 5, 2),
    ]
    assert channel.truth() == {}


async def test_only_who_has_joined_gets_pushes(world: World, channel: WorldChannel, connect: Connect) -> None:
    other = world.add_channel(6, username="kettle_demo")
    client = await connect()
    updates = heard(client)
    other.post("not for you")
    channel.post("for you")
    await until(lambda: updates)
    assert [update.message.message for update in updates] == ["for you"]
    await client(functions.channels.JoinChannelRequest(types.InputChannel(6, world.access_hash(READER, 6))))
    other.post("now it is")
    await until(lambda: any(getattr(one, "message", None) and one.message.message == "now it is" for one in updates))


@pytest.mark.usefixtures("world")
async def test_what_a_session_does_itself_is_not_pushed_to_it(connect: Connect) -> None:
    first, second = await connect(), await connect()
    mine, other = heard(first), heard(second)
    await first(functions.messages.SendMessageRequest(types.InputPeerSelf(), "note"))
    await until(lambda: other)
    assert other[0].message.message == "note"
    assert not mine


async def test_a_difference_tells_events_in_order_and_at_most_so_many(
    world: World, channel: WorldChannel, connect: Connect
) -> None:
    for number in range(7):
        channel.post(f"post {number}", push=False)
    client = await connect()
    found = await difference(client, world, 1, limit=5)
    assert [one.message for one in found.new_messages] == [f"post {number}" for number in range(5)]
    assert (found.pts, found.final) == (6, False)
    found = await difference(client, world, found.pts, limit=5)
    assert [one.message for one in found.new_messages] == ["post 5", "post 6"]
    assert (found.pts, found.final) == (channel.pts, True)
    assert isinstance(await difference(client, world, found.pts), types.updates.ChannelDifferenceEmpty)


async def test_a_difference_shows_what_there_is_now(world: World, channel: WorldChannel, connect: Connect) -> None:
    old = channel.post("old")
    since = channel.pts
    new, gone = channel.post("new"), channel.post("gone")
    channel.edit(new, "new, mended")
    channel.edit(old, "old, mended")
    channel.delete(gone)
    channel.burn()
    found = await difference(await connect(), world, since)
    assert [one.message for one in found.new_messages] == ["new, mended"]
    edits = [one for one in found.other_updates if isinstance(one, types.UpdateEditChannelMessage)]
    assert [one.message.message for one in edits] == ["old, mended"]
    deletions = [one for one in found.other_updates if isinstance(one, types.UpdateDeleteChannelMessages)]
    assert [one.messages for one in deletions] == [[gone], [gone + 1]]
    assert found.pts == channel.pts


async def test_a_difference_of_too_much_is_too_long(
    world: World, channel: WorldChannel, server: TelegramServer, connect: Connect
) -> None:
    for number in range(30):
        channel.post(f"post {number}", push=False)
    server.too_long_after = 20
    client = await connect()
    found = await difference(client, world, 5, limit=10)
    assert isinstance(found, types.updates.ChannelDifferenceTooLong)
    assert (found.dialog.pts, found.dialog.top_message) == (channel.pts, 30)
    assert [one.id for one in found.messages] == list(range(30, 20, -1))
    assert isinstance(await difference(client, world, channel.pts - 20), types.updates.ChannelDifference)


async def test_a_pts_that_cannot_be_is_refused(world: World, channel: WorldChannel, connect: Connect) -> None:
    client = await connect()
    with pytest.raises(errors.PersistentTimestampEmptyError):
        await difference(client, world, 0)
    with pytest.raises(errors.PersistentTimestampInvalidError):
        await difference(client, world, channel.pts + 1)


async def test_an_accounts_difference_names_channels_with_news(
    world: World, channel: WorldChannel, server: TelegramServer, connect: Connect
) -> None:
    world.add_channel(6, members=[READER])
    person = world.people[READER]
    server.say(READER, READER, "note to myself")
    channel.post("news", push=False)
    client = await connect()
    hour_ago = world.now() - timedelta(hours=1)
    found = await client(functions.updates.GetDifferenceRequest(pts=1, date=hour_ago, qts=1))
    assert [one.message for one in found.new_messages] == ["note to myself"]
    assert [(one.channel_id, one.pts) for one in found.other_updates] == [(CHANNEL, channel.pts)]
    assert found.state.pts == person.pts == 2
    later = world.now() + timedelta(hours=1)
    assert isinstance(
        await client(functions.updates.GetDifferenceRequest(pts=2, date=later, qts=1)), types.updates.DifferenceEmpty
    )


async def test_catching_up_brings_what_was_missed(channel: WorldChannel, connect: Connect) -> None:
    client = await connect()
    updates = heard(client)
    channel.post("heard")
    await until(lambda: updates)
    missed = [channel.post(f"missed {number}", push=False) for number in range(3)]
    await client.catch_up()
    await until(lambda: len(updates) == 5)  # Telethon hands on an empty Updates, too
    news = [one for one in updates if isinstance(one, types.UpdateNewChannelMessage)]
    assert [one.message.id for one in news][1:] == missed


async def test_a_reaction_is_an_edit_that_changes_nothing(channel: WorldChannel, connect: Connect) -> None:
    updates = heard(await connect())
    number = channel.post("look")
    channel.react(number)
    channel.edit(number, "look here")
    channel.react(number)
    channel.preview(number, "Lantern")
    await until(lambda: len(updates) == 5)
    assert [one.message.edit_hide for one in updates[1:]] == [True, False, False, True]
    assert updates[-1].message.media.webpage.title == "Lantern"
    assert channel.truth() == {number: "look here"}


async def test_losing_access_is_told(world: World, channel: WorldChannel, connect: Connect) -> None:
    client = await connect()
    updates = heard(client)
    channel.forbid(READER)
    await until(lambda: updates)
    assert isinstance(updates[0], types.UpdateChannel)
    peer = types.InputChannel(CHANNEL, world.access_hash(READER, CHANNEL))
    found = await client(functions.channels.GetChannelsRequest([peer]))
    assert isinstance(found.chats[0], types.ChannelForbidden)
    with pytest.raises(errors.ChannelPrivateError):
        await difference(client, world, 1)


@pytest.mark.parametrize("seed", range(3))
async def test_pushes_and_differences_tell_the_same_and_the_truth(
    world: World, channel: WorldChannel, connect: Connect, seed: int
) -> None:
    """Whoever applies all pushes, or all differences from the first pts on, knows what stands in the channel."""
    client = await connect()
    pushes, since = heard(client), channel.pts
    live_through(channel, random.Random(seed))  # noqa: S311 - seeded
    await until(lambda: pushes and pushes[-1].pts == channel.pts)
    pushed: dict[int, str] = {}
    for update in pushes:
        apply(pushed, update)
    asked: dict[int, str] = {}
    found: Any = None
    while found is None or not found.final:
        found = await difference(client, world, since, limit=7)
        assert found.pts > since
        since = found.pts
        asked |= {one.id: one.message for one in found.new_messages if isinstance(one, types.Message)}
        for update in found.other_updates:
            apply(asked, update)
    assert pushed == asked == channel.truth()


def live_through(channel: WorldChannel, chance: random.Random) -> None:
    for step in range(80):
        living = list(channel.truth())
        match chance.choice("pppedds") if living else "p":
            case "p":
                channel.post(f"post {step}")
            case "e":
                channel.edit(chance.choice(living), f"edit {step}")
            case "d":
                channel.delete(*chance.sample(living, min(2, len(living))))
            case _:
                channel.service()


def apply(known: dict[int, str], update: Any) -> None:
    if isinstance(update, types.UpdateDeleteChannelMessages):
        for number in update.messages:
            known.pop(number, None)
    elif isinstance(update.message, types.Message):
        known[update.message.id] = update.message.message
