"""Channels as an account finds, joins and counts them, at the loopback server."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from telethon.extensions import BinaryReader
from telethon.tl import types

from bot.errors import NoAccessError, RefusedError, WaitError
from bot.model import ChatId, Invite, Peer, Username
from bot.telegram.account import Account
from bot.telegram.peers import (
    FORBIDDEN,
    JOIN_NEEDED,
    MOVED,
    NEEDS_PERSON,
    NOT_A_CHANNEL,
    NOT_A_MEMBER,
    PAUSE,
    _joined,
    _only,
    join,
    limit,
    look,
    mine,
    resolve,
    tops,
)
from bot.telegram.salvage import _page
from tests.telegram.reading import READER, peer_of, reader_at
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.posts import Standing
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.wire import make, unknown, vector
from tests.telegram_server.world import World

DIALOGS = "messages.getPeerDialogs"
CODE = "Abcdefgh12345678"


@pytest.fixture
def world() -> World:
    world = World()
    world.add_person(READER)
    return world


class Pauses:
    """Sleeps that are over at once."""

    def __init__(self) -> None:
        self.taken: list[timedelta] = []

    async def sleep(self, pause: timedelta) -> None:
        self.taken.append(pause)


def some(world: World, count: int) -> list[WorldChannel]:
    """Channels that the reader has joined, the first with one post, each further one with one more."""
    made = [world.add_channel(1001 + one, username=f"c{one}_demo", members=[READER]) for one in range(count)]
    for posts, channel in enumerate(made, 1):
        for _ in range(posts if count < 20 else 1):
            channel.post("Новость", push=False)
    return made


async def none_of_mine() -> Mapping[int, Peer]:
    return {}


# --- how far they are ------------------------------------------------------------------------------------------


async def test_it_is_told_how_far_channels_are_and_what_they_are_called_now(account: Account, world: World) -> None:
    channels = some(world, 3)
    channels[1].rename("renamed_demo")
    found = await tops(account, [peer_of(world, channel) for channel in channels])
    assert found.refused == {}
    assert [(found.tops[one.marked].number, found.tops[one.marked].pts) for one in channels] == [
        (1, channels[0].pts),
        (2, channels[1].pts),
        (3, channels[2].pts),
    ]
    told = found.tops[channels[1].marked].peer
    assert told is not None
    assert (told.username, told.joined) == ("renamed_demo", True)


async def test_a_hundred_channels_are_one_call(account: Account, world: World, server: TelegramServer) -> None:
    channels = some(world, 230)
    found = await tops(account, [peer_of(world, channel) for channel in channels])
    assert found.tops.keys() == {channel.marked for channel in channels}
    assert server.count(DIALOGS) == 3


async def test_no_channels_are_no_call(account: Account, server: TelegramServer) -> None:
    assert await tops(account, []) == ({}, {}, frozenset())
    assert server.count(DIALOGS) == 0


async def test_one_that_is_closed_does_not_hide_the_others(
    account: Account, world: World, server: TelegramServer
) -> None:
    channels = some(world, 100)
    channels[41].forbid(READER)
    found = await tops(account, [peer_of(world, channel) for channel in channels])
    assert found.refused == {channels[41].marked: "CHANNEL_PRIVATE"}
    assert len(found.tops) == 99
    assert server.count(DIALOGS) <= 15


async def test_a_wrong_access_hash_is_one_channels_matter(account: Account, world: World) -> None:
    channels = some(world, 4)
    peers = [peer_of(world, channel) for channel in channels]
    peers[2] = replace(peers[2], access_hash=1)
    found = await tops(account, peers)
    assert found.refused == {channels[2].marked: "CHANNEL_INVALID"}
    assert len(found.tops) == 3


async def test_one_that_is_left_out_of_the_answer_is_not_answered(
    account: Account, world: World, server: TelegramServer
) -> None:
    channels = some(world, 3)
    server.faults.omit_dialogs(channels[0].number)
    found = await tops(account, [peer_of(world, channel) for channel in channels])
    assert found.tops.keys() == {channels[1].marked, channels[2].marked}
    assert found.refused == {}


async def test_one_whose_newest_message_cannot_be_read_is_not_answered(account: Account, world: World) -> None:
    channels = some(world, 3)
    channels[1].unknown(push=False)
    found = await tops(account, [peer_of(world, channel) for channel in channels])
    assert found.tops.keys() == {channels[0].marked, channels[2].marked}
    assert found.refused == {}


async def test_a_wait_is_not_mistaken_for_a_closed_channel(
    account: Account, world: World, server: TelegramServer
) -> None:
    server.faults.flood_wait(DIALOGS, 30)
    with pytest.raises(WaitError):
        await tops(account, [peer_of(world, channel) for channel in some(world, 3)])


# --- what people call them -------------------------------------------------------------------------------------


async def test_a_name_is_a_channel(account: Account, world: World, server: TelegramServer) -> None:
    channel = world.add_channel(1001, username="alfa_demo", title="Альфа")
    peer = await resolve(account, Username("alfa_demo"), none_of_mine)
    assert peer == replace(peer_of(world, channel), title="Альфа", joined=False)
    assert server.count("contacts.resolveUsername") == 1


@pytest.mark.parametrize(
    ("name", "code"),
    [("nobody_demo", "USERNAME_NOT_OCCUPIED"), ("_", "USERNAME_INVALID"), ("rita_demo", NOT_A_CHANNEL)],
)
async def test_a_name_that_is_none_of_a_channel_says_what_it_is(
    account: Account, world: World, name: str, code: str
) -> None:
    world.add_person(778, username="rita_demo")
    with pytest.raises(RefusedError) as caught:
        await resolve(account, Username(name), none_of_mine)
    assert caught.value.code == code


async def test_an_invite_is_accepted_and_the_channel_muted_and_archived(account: Account, world: World) -> None:
    channel = world.add_channel(1001, title="Закрытый", invite=CODE)
    peer = await resolve(account, Invite(CODE), none_of_mine)
    assert (peer.id, peer.title, peer.joined) == (channel.marked, "Закрытый", True)
    assert READER in channel.members
    assert (world.people[READER].muted, world.people[READER].archived) == ({1001}, {1001})


async def test_an_invite_to_where_one_is_already_is_only_looked_at(
    account: Account, world: World, server: TelegramServer
) -> None:
    channel = world.add_channel(1001, invite=CODE, members=[READER])
    peer = await resolve(account, Invite(CODE), none_of_mine)
    assert (peer.id, peer.joined) == (channel.marked, True)
    assert server.count("messages.importChatInvite") == 0


async def test_an_invite_is_not_accepted_where_joining_is_not_wanted(account: Account, world: World) -> None:
    channel = world.add_channel(1001, invite=CODE)
    with pytest.raises(RefusedError) as caught:
        await resolve(account, Invite(CODE), none_of_mine, join=False)
    assert caught.value.code == JOIN_NEEDED
    assert READER not in channel.members


async def test_an_invite_that_somebody_has_to_approve_says_so(account: Account, world: World) -> None:
    world.add_channel(1001, invite=CODE, approval=True)
    with pytest.raises(RefusedError) as caught:
        await resolve(account, Invite(CODE), none_of_mine)
    assert caught.value.code == "INVITE_REQUEST_SENT"


async def test_an_invite_that_is_over_says_so(account: Account) -> None:
    with pytest.raises(RefusedError) as caught:
        await resolve(account, Invite(CODE), none_of_mine)
    assert caught.value.code == "INVITE_HASH_EXPIRED"


async def test_an_id_is_one_of_mine_or_nothing(account: Account, world: World, server: TelegramServer) -> None:
    [channel] = some(world, 1)
    peer = peer_of(world, channel)

    async def of_mine() -> Mapping[int, Peer]:
        return {peer.id: peer}

    before = len(server.calls)
    assert await resolve(account, ChatId(peer.id), of_mine) == peer
    assert len(server.calls) == before
    with pytest.raises(RefusedError) as caught:
        await resolve(account, ChatId(-1009999999999), of_mine)
    assert caught.value.code == NOT_A_MEMBER
    assert [call.method for call in server.calls[before:]] == ["messages.getChats"]


@pytest.mark.parametrize(("became", "code"), [(None, NOT_A_CHANNEL), (1001, f"{MOVED}-1000000001001")])
async def test_a_small_group_under_a_channels_id_says_what_it_is(
    account: Account, world: World, became: int | None, code: str
) -> None:
    world.groups[55] = became
    with pytest.raises(RefusedError) as caught:
        await resolve(account, ChatId(-1000000000055), none_of_mine)
    assert caught.value.code == code


def test_an_invite_to_a_group_that_has_moved_names_the_new_id() -> None:
    moved = make(types.Chat, id=55, migrated_to=types.InputChannel(1001, 1))
    with pytest.raises(RefusedError) as caught:
        _only([moved])
    assert caught.value.code == f"{MOVED}-1000000001001"


# --- how it stands with one ------------------------------------------------------------------------------------


async def test_a_look_says_whether_a_channel_can_be_read_and_why_not(account: Account, world: World) -> None:
    alfa, closed, thrown_out, gone = some(world, 4)
    peers = [peer_of(world, channel) for channel in (alfa, closed, thrown_out, gone)]
    alfa.restrict("Not here")
    closed.rename(None)
    closed.leave(READER)
    until = datetime(2031, 1, 1, tzinfo=UTC)
    thrown_out.forbid(READER, until=until)
    del world.channels[gone.number]
    looks = [await look(account, peer) for peer in peers]
    assert [(one.code, one.until, one.restriction) for one in looks] == [
        (None, None, "Not here"),
        ("CHANNEL_PRIVATE", None, None),
        (FORBIDDEN, until, None),
        ("CHANNEL_INVALID", None, None),
    ]
    assert looks[0].peer is not None
    assert looks[0].peer.joined


@pytest.mark.parametrize("until", [datetime.fromtimestamp(0, UTC), datetime.fromtimestamp(2**31 - 1, UTC)])
async def test_a_ban_for_good_has_no_end(account: Account, world: World, until: datetime) -> None:
    [alfa] = some(world, 1)
    alfa.forbid(READER, until=until)
    assert (await look(account, peer_of(world, alfa))).until is None


@pytest.mark.parametrize(("premium", "most"), [(False, 500), (True, 1000)])
async def test_who_pays_may_be_in_twice_as_many(account: Account, world: World, most: int, *, premium: bool) -> None:
    world.people[READER].premium = premium
    assert await limit(account) == most


# --- joining ---------------------------------------------------------------------------------------------------


async def test_a_channel_is_joined_muted_and_archived(account: Account, world: World) -> None:
    channel = world.add_channel(1001, username="alfa_demo", title="Альфа")
    peer = await join(account, peer_of(world, channel))
    assert (peer.id, peer.title, peer.joined) == (channel.marked, "Альфа", True)
    assert READER in channel.members
    assert (world.people[READER].muted, world.people[READER].archived) == ({1001}, {1001})


@pytest.mark.parametrize("method", ["account.updateNotifySettings", "folders.editPeerFolders"])
async def test_a_channel_is_joined_even_if_it_cannot_be_put_away(
    account: Account, world: World, server: TelegramServer, method: str
) -> None:
    channel = world.add_channel(1001, username="alfa_demo")
    server.faults.flood_wait(method, 60)
    assert (await join(account, peer_of(world, channel))).joined
    assert READER in channel.members


async def test_a_channel_that_was_joined_before_is_joined(
    account: Account, world: World, server: TelegramServer
) -> None:
    [channel] = some(world, 1)
    server.faults.refuse("channels.joinChannel", 400, "USER_ALREADY_PARTICIPANT")
    peer = peer_of(world, channel)
    assert await join(account, peer) == replace(peer, joined=True)
    assert world.people[READER].archived == {1001}


async def test_a_refusal_to_join_is_told_by_its_code(account: Account, world: World, server: TelegramServer) -> None:
    channel = world.add_channel(1001, username="alfa_demo")
    server.faults.refuse("channels.joinChannel", 400, "CHANNELS_TOO_MUCH")
    with pytest.raises(RefusedError) as caught:
        await join(account, peer_of(world, channel))
    assert caught.value.code == "CHANNELS_TOO_MUCH"
    channel.forbid(READER)
    with pytest.raises(NoAccessError):
        await join(account, peer_of(world, channel))


async def test_where_a_bot_guards_the_channel_a_person_is_needed() -> None:
    with pytest.raises(RefusedError) as caught:
        _joined(types.messages.ChatInviteJoinResultWebView(bot_id=1, query_id=2, users=[]))
    assert caught.value.code == NEEDS_PERSON


async def test_a_channel_that_threw_one_out_is_forbidden_and_not_unknown() -> None:
    with pytest.raises(NoAccessError) as caught:
        _only([types.ChannelForbidden(id=1001, access_hash=1, title="Закрытый")])
    assert caught.value.why == FORBIDDEN


# --- one's own -------------------------------------------------------------------------------------------------


async def test_ones_own_are_all_there_page_by_page(account: Account, world: World, server: TelegramServer) -> None:
    channels, pauses = some(world, 230), Pauses()
    world.add_channel(5000, username="other_demo").post("Новость")
    found = await mine(account, pauses.sleep)
    assert found.keys() == {channel.marked for channel in channels}
    assert found[channels[7].marked] == replace(peer_of(world, channels[7]), title="c7_demo", joined=True)
    assert server.count("messages.getDialogs") == 3
    assert pauses.taken == [PAUSE, PAUSE]


async def test_archived_ones_are_ones_own(account: Account, world: World) -> None:
    [channel] = some(world, 1)
    world.people[READER].archived.add(channel.number)
    assert channel.marked in await mine(account, Pauses().sleep)


async def test_people_and_communities_are_no_channels(account: Account, world: World, server: TelegramServer) -> None:
    [channel] = some(world, 1)
    world.add_person(778)
    said = types.Message(id=1, peer_id=types.PeerUser(778), date=world.now(), message="Привет")
    world.people[READER].keep(Standing(said, "Привет", 778), 778)
    server.faults.community()
    assert list(await mine(account, Pauses().sleep)) == [channel.marked]


async def test_whoever_is_in_no_channel_has_none(account: Account) -> None:
    assert await mine(account, Pauses().sleep) == {}


async def test_after_a_wait_the_same_page_is_asked_for_again(
    account: Account, world: World, server: TelegramServer
) -> None:
    channels, pauses = some(world, 150), Pauses()
    server.faults.flood_wait("messages.getDialogs", 2)  # more, and Telethon would not ask before that time is over
    assert len(await mine(account, pauses.sleep)) == len(channels)
    assert pauses.taken == [timedelta(seconds=2), PAUSE]
    assert server.count("messages.getDialogs") == 3


# --- one's own where something cannot be read ------------------------------------------------------------------


async def test_a_newest_message_that_cannot_be_read_hides_no_channel(
    account: Account, world: World, server: TelegramServer
) -> None:
    channels = some(world, 5)
    for one in (channels[0], channels[3], channels[4]):
        one.unknown(push=False)
    found = await mine(account, Pauses().sleep)
    assert found.keys() == {channel.marked for channel in channels}
    assert found[channels[0].marked] == replace(peer_of(world, channels[0]), title="c0_demo", joined=True)
    assert server.count("messages.getDialogs") == 1


async def test_nor_does_one_of_each_page_that_cannot_be_read(
    account: Account, world: World, server: TelegramServer
) -> None:
    channels = some(world, 230)
    for one in (channels[229], channels[130], channels[129], channels[30], channels[0]):
        one.unknown(push=False)
    found = await mine(account, Pauses().sleep)
    assert found.keys() == {channel.marked for channel in channels}
    assert server.count("messages.getDialogs") <= 4


async def test_people_are_read_beside_what_cannot_be(account: Account, world: World, server: TelegramServer) -> None:
    channels, pauses = some(world, 120), Pauses()
    for number in range(1, 31):
        world.add_person(10_000 + number)
        said = types.Message(id=number, peer_id=types.PeerUser(10_000 + number), date=world.now(), message="Привет")
        world.people[READER].keep(Standing(said, "Привет", 10_000 + number), 10_000 + number)
    channels[60].unknown(push=False)
    assert (await mine(account, pauses.sleep)).keys() == {channel.marked for channel in channels}
    assert server.count("messages.getDialogs") == 2


async def test_where_nothing_is_pushed_what_cannot_be_read_hides_no_channel_either(
    world: World, server: TelegramServer, tmp_path: Path
) -> None:
    channels = some(world, 3)
    channels[1].unknown(push=False)
    async with reader_at(server, tmp_path, updates=False) as account:
        found = await mine(account, Pauses().sleep)
    assert found.keys() == {channel.marked for channel in channels}
    assert server.count("messages.getDialogs") == 2


async def test_people_alone_are_read_beside_what_cannot_be() -> None:
    said = types.Message(id=1, peer_id=types.PeerUser(5), date=datetime(2026, 1, 1, tzinfo=UTC), message="Привет")
    page = _page(BinaryReader(_answer([types.PeerUser(5), types.PeerUser(6)], [said], [], [5, 6])))
    assert [one.id for one in page.messages] == [1]
    assert (page.chats, [one.id for one in page.users]) == ([], [5, 6])


async def test_what_is_wrong_with_chats_is_not_taken_for_being_in_none() -> None:
    assert _page(BinaryReader(_answer([types.PeerChannel(5)], [], [unknown(5)], []))) is None


def _answer(peers: list[Any], messages: list[Any], chats: list[Any], people: list[int]) -> bytes:
    """A page of dialogs; the first of its messages is of a kind that no client knows."""
    dialogs = [
        make(types.Dialog, peer=peer, top_message=1, notify_settings=types.PeerNotifySettings()) for peer in peers
    ]
    lists = dialogs, [unknown(1), *messages], chats, [make(types.User, id=one, access_hash=1) for one in people]
    return struct.pack("<I", types.messages.Dialogs.CONSTRUCTOR_ID) + b"".join(bytes(vector(one)) for one in lists)
