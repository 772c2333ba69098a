"""That history, dialogs and names are answered as https://core.telegram.org/api/offsets and the methods' pages say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from telethon import errors, functions, types

from bot.model import Entity, Media
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.conftest import CHANNEL, READER, Connect
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World


def peer(world: World, number: int = CHANNEL) -> Any:
    return types.InputPeerChannel(number, world.access_hash(READER, number))


async def page(client: Any, world: World, **known: int) -> list[int]:
    asked = {"offset_id": 0, "add_offset": 0, "limit": 100, "max_id": 0, "min_id": 0, "hash": 0} | known
    found = await client(functions.messages.GetHistoryRequest(peer(world), offset_date=None, **asked))
    return [one.id for one in found.messages]


@pytest.fixture
def ten(channel: WorldChannel) -> WorldChannel:
    """Ten posts; the fourth is gone."""
    for number in range(1, 11):
        channel.post(f"post {number}")
    channel.delete(4)
    return channel


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        ({"limit": 3}, [10, 9, 8]),
        ({"offset_id": 6}, [5, 3, 2, 1]),
        ({"offset_id": 6, "limit": 2}, [5, 3]),
        ({"offset_id": 4, "limit": 1}, [3]),
        ({"offset_id": 6, "add_offset": 1, "limit": 2}, [3, 2]),
        ({"offset_id": 3, "add_offset": -3, "limit": 3}, [6, 5, 3]),
        ({"offset_id": 4, "add_offset": -3, "limit": 3}, [7, 6, 5]),
        ({"offset_id": 9, "add_offset": -5, "limit": 5}, [10, 9, 8, 7, 6]),
        ({"offset_id": 99, "add_offset": -2, "limit": 2}, [10, 9]),
        ({"offset_id": 1}, []),
        ({"limit": 4, "min_id": 8}, [10, 9]),
        ({"limit": 4, "max_id": 9}, [8, 7]),
        ({"limit": 2, "min_id": 1, "max_id": 5}, []),
    ],
)
@pytest.mark.usefixtures("ten")
async def test_a_page_of_history(world: World, connect: Connect, asked: dict[str, int], numbers: list[int]) -> None:
    assert await page(await connect(), world, **asked) == numbers


async def test_a_page_holds_at_most_a_hundred(world: World, channel: WorldChannel, connect: Connect) -> None:
    for number in range(120):
        channel.post(f"post {number}", push=False)
    assert len(await page(await connect(), world, limit=500)) == 100


@pytest.mark.usefixtures("ten")
async def test_a_page_that_reaches_above_the_newest(world: World, server: TelegramServer, connect: Connect) -> None:
    """What Telegram does is not documented: by default the page is moved down and full, by a fault it is cut off."""
    client = await connect()
    assert await page(client, world, offset_id=9, add_offset=-4, limit=4) == [10, 9, 8, 7]
    server.faults.unclamped_history()
    assert await page(client, world, offset_id=9, add_offset=-4, limit=4) == [10, 9]


async def test_numbers_under_which_nothing_stands(world: World, ten: WorldChannel, connect: Connect) -> None:
    client = await connect()
    burnt, pinned = ten.burn(), ten.service()
    found = await client.get_messages(peer(world), ids=[3, 4, burnt, pinned, 99])
    assert [type(one).__name__ for one in found] == ["Message", "NoneType", "NoneType", "MessageService", "NoneType"]
    assert await page(client, world, limit=2) == [pinned, 10]


@pytest.mark.usefixtures("ten")
async def test_an_access_hash_is_one_accounts_own(world: World, connect: Connect) -> None:
    world.add_person(801)
    client = await connect(801)
    with pytest.raises(errors.ChannelInvalidError):
        await page(client, world)
    found = await client(functions.contacts.ResolveUsernameRequest("Lantern_demo"))
    assert found.chats[0].left
    assert (
        len((await client(functions.messages.GetHistoryRequest(found.chats[0], 0, None, 0, 5, 0, 0, 0))).messages) == 5
    )


async def test_a_private_channel_cannot_be_read_from_outside(world: World, connect: Connect) -> None:
    world.add_channel(6)
    client = await connect()
    with pytest.raises(errors.ChannelPrivateError):
        await client(functions.messages.GetHistoryRequest(peer(world, 6), 0, None, 0, 5, 0, 0, 0))


@pytest.mark.usefixtures("world")
async def test_names(channel: WorldChannel, connect: Connect) -> None:
    client = await connect()
    channel.rename("beacon_demo")
    with pytest.raises(errors.UsernameNotOccupiedError):
        await client(functions.contacts.ResolveUsernameRequest("lantern_demo"))
    with pytest.raises(errors.UsernameInvalidError):
        await client(functions.contacts.ResolveUsernameRequest("no name"))
    found = await client(functions.contacts.ResolveUsernameRequest("beacon_demo"))
    assert (found.peer.channel_id, found.chats[0].title) == (CHANNEL, "Lantern")


async def test_the_tops_of_many_channels_in_one_call(world: World, ten: WorldChannel, connect: Connect) -> None:
    hidden = world.add_channel(6, members=[READER])
    client = await connect()
    peers = [types.InputDialogPeer(peer(world, number)) for number in (CHANNEL, 6)]
    found = await client(functions.messages.GetPeerDialogsRequest(peers))
    assert [(one.peer.channel_id, one.top_message, one.pts) for one in found.dialogs] == [(5, 10, ten.pts), (6, 0, 1)]
    hidden.forbid(READER)
    with pytest.raises(errors.ChannelPrivateError):
        await client(functions.messages.GetPeerDialogsRequest(peers))


async def test_dialogs_come_in_pages(world: World, connect: Connect) -> None:
    for number in range(10, 33):
        world.add_channel(number, members=[READER]).post(f"in {number}")
    client = await connect()
    dialogs = [dialog async for dialog in client.iter_dialogs(limit=None)]
    assert sorted(dialog.entity.id for dialog in dialogs) == list(range(10, 33))
    first = await client(functions.messages.GetDialogsRequest(None, 0, types.InputPeerEmpty(), 10, 0))
    last = first.dialogs[-1].peer.channel_id
    second = await client(functions.messages.GetDialogsRequest(None, 0, peer(world, last), 20, 0))
    assert (first.count, len(first.dialogs), len(second.dialogs)) == (23, 10, 13)
    assert not {one.peer.channel_id for one in first.dialogs} & {one.peer.channel_id for one in second.dialogs}


@pytest.mark.usefixtures("channel")
async def test_folders_archive_and_muting(world: World, connect: Connect) -> None:
    world.add_folder(READER, "Watch", [CHANNEL])
    client = await connect()
    filters = (await client(functions.messages.GetDialogFiltersRequest())).filters
    assert [(one.title.text, [one.channel_id for one in one.include_peers]) for one in filters[1:]] == [("Watch", [5])]
    await client.edit_folder(peer(world), 1)
    settings = types.InputPeerNotifySettings(mute_until=2**31 - 1)
    notify = types.InputNotifyPeer(peer(world))
    await client(functions.account.UpdateNotifySettingsRequest(notify, settings))
    assert (world.people[READER].archived, world.people[READER].muted) == ({CHANNEL}, {CHANNEL})
    assert await client.get_dialogs(folder=0) == []
    assert len(await client.get_dialogs(folder=1)) == 1


async def test_invites(world: World, connect: Connect) -> None:
    private = world.add_channel(6, title="Cellar", invite="AbCdEfGhIjKl")
    world.add_channel(7, invite="MnOpQrStUvWx", approval=True)
    client = await connect()
    assert (await client(functions.messages.CheckChatInviteRequest("AbCdEfGhIjKl"))).title == "Cellar"
    joined = await client(functions.messages.ImportChatInviteRequest("AbCdEfGhIjKl"))
    assert joined.updates.chats[0].id == 6
    assert READER in private.members
    already = await client(functions.messages.CheckChatInviteRequest("AbCdEfGhIjKl"))
    assert already.chat.access_hash == world.access_hash(READER, 6)
    with pytest.raises(errors.UserAlreadyParticipantError):
        await client(functions.messages.ImportChatInviteRequest("AbCdEfGhIjKl"))
    with pytest.raises(errors.InviteRequestSentError):
        await client(functions.messages.ImportChatInviteRequest("MnOpQrStUvWx"))
    with pytest.raises(errors.InviteHashExpiredError):
        await client(functions.messages.CheckChatInviteRequest("nobodyhasit"))


async def test_a_post_is_read_as_it_was_written(world: World, channel: WorldChannel, connect: Connect) -> None:
    number = channel.post(
        "Bridge closed, see map",
        entities=[Entity("bold", 0, 6), Entity("text_link", 19, 3, "https://example.org/map")],
        media=Media(kind="document", file_name="map.pdf"),
        views=12,
        album=77,
    )
    poll = channel.post("", media=Media(kind="poll", text="Open again?\nYes\nNo"))
    client = await connect()
    found, asked = await client.get_messages(peer(world), ids=[number, poll])
    assert (found.message, found.views, found.grouped_id) == ("Bridge closed, see map", 12, 77)
    assert [type(one).__name__ for one in found.entities] == ["MessageEntityBold", "MessageEntityTextUrl"]
    assert found.file.name == "map.pdf"
    assert [one.text.text for one in asked.poll.poll.answers] == ["Yes", "No"]


async def test_the_rest_of_a_rich_message_has_to_be_asked_for(
    world: World, channel: WorldChannel, connect: Connect
) -> None:
    number = channel.post("One.\nTwo.", rich=["One.", "Two."], part=1)
    client = await connect()
    short = await client.get_messages(peer(world), ids=number)
    assert (short.message, len(short.rich_message.blocks), short.rich_message.part) == ("", 1, True)
    whole = await client(functions.messages.GetRichMessageRequest(peer(world), number))
    assert [one.text.text for one in whole.messages[0].rich_message.blocks] == ["One.", "Two."]
    assert channel.truth()[number] == "One.\nTwo."


async def test_a_world_from_a_recording(world: World, tmp_path: Path) -> None:
    recording = tmp_path / "lantern.jsonl"
    recording.write_text(
        '{"channel": "lantern_demo", "id": 3, "date": "2025-01-01T10:00:00Z", "text": "one"}\n'
        '{"channel": "kettle_demo", "id": 9, "date": "2025-01-01T10:01:00Z", "text": "two",'
        ' "media": {"kind": "photo"}}\n'
        '{"channel": "lantern_demo", "id": 3, "date": "2025-01-01T10:00:00Z", "edit_date": "2025-01-01T10:05:00Z",'
        ' "text": "one, mended"}\n'
    )
    lantern, kettle = world.load([recording])
    assert (lantern.number, lantern.username, lantern.truth()) == (1001, "lantern_demo", {3: "one, mended"})
    assert (kettle.number, kettle.top, kettle.truth()) == (1002, 9, {9: "two"})
