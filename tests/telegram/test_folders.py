"""Folders of the account's chats, at the loopback server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from telethon.tl import types

from bot.errors import RefusedError, UnreachableError, WaitError
from bot.model import Peer
from bot.telegram.account import Account
from bot.telegram.folders import ChatFolder, called, listed, listen, of_kind, shown
from tests.telegram.reading import READER, until
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.wire import make
from tests.telegram_server.world import World

FILTERS = "messages.getDialogFilters"
CHANNELS = "channels.getChannels"


@pytest.fixture
def world() -> World:
    world = World()
    world.add_person(READER)
    return world


def some(world: World, count: int, *, megagroup: bool = False) -> list[WorldChannel]:
    """Channels that the reader has joined."""
    first = 1001 + len(world.channels)
    return [
        world.add_channel(first + one, title=f"Channel {first + one}", members=[READER], megagroup=megagroup)
        for one in range(count)
    ]


def hashes(world: World, *channels: WorldChannel) -> dict[int, int]:
    return {channel.marked: world.access_hash(READER, channel.number) for channel in channels}


async def no_pause(_pause: timedelta) -> None:
    pass


# --- which there are -------------------------------------------------------------------------------------------


async def test_the_account_has_its_folders_and_not_the_list_of_all_chats(account: Account, world: World) -> None:
    alfa, bravo = some(world, 2)
    world.add_folder(READER, "War bloggers", [alfa.number, bravo.number])
    world.add_folder(READER, "Погода ☔️")
    first, second = await listed(account)
    assert first == ChatFolder(title="War bloggers", named=hashes(world, alfa, bravo))
    assert second == ChatFolder(title="Погода ☔️", named={})


async def test_pinned_channels_are_in_a_folder_and_excluded_ones_are_not(account: Account, world: World) -> None:
    alfa, bravo, charlie = some(world, 3)
    pinned, excluded = [world.addressed(READER, alfa.number)], [world.addressed(READER, bravo.number)]
    world.add_folder(READER, "War", [bravo.number, charlie.number], pinned_peers=pinned, exclude_peers=excluded)
    [folder] = await listed(account)
    assert folder.named == hashes(world, alfa, charlie)
    assert folder.excluded == {bravo.marked}


async def test_people_bots_and_small_groups_in_a_folder_are_passed_over(account: Account, world: World) -> None:
    [alfa] = some(world, 1)
    others = [types.InputPeerSelf(), types.InputPeerUser(778, 1), types.InputPeerChat(5)]
    world.add_folder(READER, "War", [alfa.number], pinned_peers=others)
    [folder] = await listed(account)
    assert folder.named == hashes(world, alfa)


async def test_a_folder_that_is_shared_by_a_link_is_one_too(account: Account, world: World) -> None:
    [alfa] = some(world, 1)
    title, peers = types.TextWithEntities("War", []), [world.addressed(READER, alfa.number)]
    shared = make(types.DialogFilterChatlist, id=2, title=title, include_peers=peers)
    world.people[READER].folders.append(shared)
    assert await listed(account) == [ChatFolder(title="War", named=hashes(world, alfa))]


async def test_what_a_folder_holds_by_kind_is_said(account: Account, world: World) -> None:
    world.add_folder(READER, "All", broadcasts=True, exclude_archived=True, exclude_muted=True, exclude_read=True)
    world.add_folder(READER, "Groups", groups=True)
    assert await listed(account) == [
        ChatFolder(title="All", named={}, broadcasts=True, archived=False),
        ChatFolder(title="Groups", named={}, groups=True),
    ]


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("War", "War"),
        ("war", "war"),
        ("WAR", " War "),
        ("  погода ☔️", "Погода ☔️"),
        ("Погода", None),
        ("War bloggers", None),
    ],
)
def test_a_folder_is_found_by_its_exact_title_first_and_with_its_emoji(title: str, found: str | None) -> None:
    titles = [" War ", "war", "War", "Погода ☔️"]
    folder = called([ChatFolder(title=one, named={}) for one in titles], title)
    assert (folder.title if folder else None) == found


# --- what channels are called ------------------------------------------------------------------------------------


async def test_channels_are_shown_with_their_names_a_hundred_a_call(
    account: Account, world: World, server: TelegramServer
) -> None:
    channels = some(world, 130)
    channels[7].rename("alfa_demo")
    channels[8].leave(READER)
    wanted = hashes(world, *channels)
    found = await shown(account, wanted)
    assert list(found) == list(wanted)
    assert found[channels[7].marked] == Peer(
        id=channels[7].marked,
        access_hash=wanted[channels[7].marked],
        username="alfa_demo",
        title="Channel 1008",
        joined=True,
    )
    assert [one.marked for one in channels if not found[one.marked].joined] == [channels[8].marked]
    assert server.count(CHANNELS) == 2


async def test_no_channels_are_no_call(account: Account, server: TelegramServer) -> None:
    assert await shown(account, {}) == {}
    assert server.count(CHANNELS) == 0


async def test_of_a_channel_that_shows_nothing_only_its_address_is_known(account: Account, world: World) -> None:
    channels = some(world, 5)
    channels[1].forbid(READER)
    wanted = hashes(world, *channels) | {channels[3].marked: 1}  # not the hash of this account
    found = await shown(account, wanted)
    assert list(found) == list(wanted)
    bare = [peer for peer in found.values() if peer.title is None]
    assert [(peer.id, peer.access_hash, peer.joined) for peer in bare] == [
        (channels[1].marked, wanted[channels[1].marked], False),
        (channels[3].marked, 1, False),
    ]


async def test_the_private_messages_of_a_channel_are_no_channel(account: Account, world: World) -> None:
    alfa, bravo = some(world, 2)
    bravo.monoforum = True
    assert [*await shown(account, hashes(world, alfa, bravo))] == [alfa.marked]
    assert [*await of_kind(account, ChatFolder(title="All", named={}, broadcasts=True), no_pause)] == [alfa.marked]


# --- folders of a kind ---------------------------------------------------------------------------------------------


async def test_a_folder_of_all_channels_holds_those_that_the_account_is_in(account: Account, world: World) -> None:
    alfa, bravo = some(world, 2)
    [group] = some(world, 1, megagroup=True)
    some(world, 1)[0].leave(READER)
    channels = await of_kind(account, ChatFolder(title="All", named={}, broadcasts=True), no_pause)
    groups = await of_kind(account, ChatFolder(title="All", named={}, groups=True), no_pause)
    assert sorted(channels) == sorted([alfa.marked, bravo.marked])
    assert channels[alfa.marked].title == "Channel 1001"
    assert [*groups] == [group.marked]


async def test_both_kinds_at_once_but_not_what_is_excluded(account: Account, world: World) -> None:
    alfa, bravo = some(world, 2)
    [group] = some(world, 1, megagroup=True)
    excluded = frozenset({alfa.marked})
    folder = ChatFolder(title="All", named={}, broadcasts=True, groups=True, excluded=excluded)
    assert {*await of_kind(account, folder, no_pause)} == {bravo.marked, group.marked}


async def test_archived_channels_are_left_out_only_where_the_folder_does_so(account: Account, world: World) -> None:
    alfa, bravo = some(world, 2)
    world.people[READER].archived.add(alfa.number)
    world.people[READER].muted.add(bravo.number)
    for archived, expected in ((True, {alfa.marked, bravo.marked}), (False, {bravo.marked})):
        folder = ChatFolder(title="All", named={}, broadcasts=True, archived=archived)
        assert {*await of_kind(account, folder, no_pause)} == expected


async def test_what_is_not_answered_stays_if_it_was_in_the_folder(
    account: Account, world: World, server: TelegramServer
) -> None:
    alfa, bravo, _ = some(world, 3)
    server.faults.omit_dialogs(alfa.number)  # Telegram's pages of dialogs show it, and this call does not
    folder = ChatFolder(title="All", named={}, groups=True)
    assert {*await of_kind(account, folder, no_pause, keep=[alfa.marked, bravo.marked])} == {alfa.marked}
    assert await of_kind(account, folder, no_pause) == {}


# --- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (lambda server: server.faults.flood_wait(FILTERS, 300), WaitError),
        (lambda server: server.faults.refuse(FILTERS, 400, "FROZEN_METHOD_INVALID"), RefusedError),
        (lambda server: server.faults.refuse(FILTERS, 500, "INTERNAL", times=None), UnreachableError),
    ],
)
async def test_refusals_of_the_list_are_errors_of_ours(
    account: Account, server: TelegramServer, trouble: Callable[[TelegramServer], object], error: type[Exception]
) -> None:
    trouble(server)
    with pytest.raises(error):
        await listed(account)


async def test_it_is_heard_that_a_folder_was_changed_by_another_app(
    account: Account, world: World, server: TelegramServer
) -> None:
    heard: list[None] = []
    listen(account, lambda: heard.append(None))
    changed = types.UpdateDialogFilter(2, world.add_folder(READER, "War"))
    server.push_to(READER, types.Updates([changed], [], [], world.now(), 0))
    await until(lambda: len(heard) == 1)
    world.add_channel(5, members=[READER]).post("Новость")
    server.push_to(READER, types.Updates([types.UpdateDialogFilters()], [], [], world.now(), 0))
    await until(lambda: len(heard) == 2)
    await asyncio.sleep(0.05)
    assert len(heard) == 2
