"""What the loopback server pushes arrives as hauls, at once and whole, or as word that something stirred."""

from __future__ import annotations

from dataclasses import replace

import pytest
from telethon.tl import types

from bot.model import Haul, Peer, Stands
from bot.telegram.account import Account
from bot.telegram.pushes import listen
from tests.telegram.reading import READER, until
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World


class Ears:
    """What was handed on."""

    def __init__(self, account: Account, *watched: WorldChannel, ignored: frozenset[int] = frozenset()) -> None:
        self.hauls: list[Haul] = []
        self.stirred: list[int] = []
        self.known = {one.marked: Peer(id=one.marked, access_hash=1, username=one.username) for one in watched}
        listen(account, peer=self.known.get, take=self.take, stirred=self.stirred.append, ignored=ignored)

    def take(self, haul: Haul) -> None:
        self.hauls.append(haul)


@pytest.fixture
def world() -> World:
    world = World()
    world.add_person(READER)
    return world


@pytest.fixture
def channel(world: World) -> WorldChannel:
    return world.add_channel(1001, username="alfa_demo", members=[READER])


async def test_a_post_is_taken_the_moment_it_is_pushed(account: Account, channel: WorldChannel) -> None:
    ears = Ears(account, channel)
    number = channel.post("Сирия")
    await until(lambda: ears.hauls)
    [haul] = ears.hauls
    [one] = haul.sightings
    assert (haul.channel, haul.pts, haul.verified) == (channel.marked, channel.pts, None)
    assert (one.number, one.stands) == (number, Stands.POST)
    assert one.post is not None
    assert (one.post.text, one.post.channel.username) == ("Сирия", "alfa_demo")
    assert ears.stirred == []


async def test_a_service_message_uses_up_its_number(account: Account, channel: WorldChannel) -> None:
    ears = Ears(account, channel)
    number = channel.service()
    await until(lambda: ears.hauls)
    assert [(one.number, one.stands) for one in ears.hauls[0].sightings] == [(number, Stands.SERVICE)]


async def test_an_edit_and_a_deletion_are_taken(account: Account, channel: WorldChannel) -> None:
    ears = Ears(account, channel)
    number = channel.post("Сирия")
    channel.edit(number, "Сирия и Ирак")
    channel.delete(number)
    await until(lambda: len(ears.hauls) == 3)
    posted, edited, deleted = ears.hauls
    assert edited.sightings[0].post is not None
    assert edited.sightings[0].post.text == "Сирия и Ирак"
    assert edited.sightings[0].post.edited is not None
    assert (deleted.sightings, deleted.gone, deleted.pts) == ((), (number,), channel.pts)
    assert (posted.pts or 0) < (edited.pts or 0) < (deleted.pts or 0)


async def test_what_is_pushed_of_a_channel_is_protected_as_the_channel_is(
    account: Account, channel: WorldChannel
) -> None:
    ears = Ears(account, channel)
    channel.post("Сирия")
    await until(lambda: ears.hauls)
    ears.known[channel.marked] = replace(ears.known[channel.marked], protected=True)
    number = channel.post("Ливан")
    channel.edit(number, "Ливан и Сирия")
    await until(lambda: len(ears.hauls) == 3)
    assert [one.post.protected for haul in ears.hauls for one in haul.sightings if one.post] == [False, True, True]


async def test_nothing_is_taken_of_a_channel_that_is_not_watched(
    account: Account, world: World, channel: WorldChannel
) -> None:
    other = world.add_channel(1002, username="bravo_demo", members=[READER])
    ears = Ears(account, channel)
    other.post("Ливан")
    other.rename("other_demo")
    channel.post("Сирия")
    await until(lambda: ears.hauls)
    assert [haul.channel for haul in ears.hauls] == [channel.marked]
    assert ears.stirred == []


async def test_posts_of_ignored_people_say_nothing(account: Account, world: World) -> None:
    world.add_person(778)
    group = world.add_channel(1002, megagroup=True, members=[READER, 778])
    ears = Ears(account, group, ignored=frozenset([778]))
    group.post("Сирия", author=778)
    await until(lambda: ears.hauls)
    assert [(one.stands, one.post) for one in ears.hauls[0].sightings] == [(Stands.SERVICE, None)]


async def test_a_channel_that_changes_stirs(account: Account, channel: WorldChannel) -> None:
    ears = Ears(account, channel)
    channel.rename("renamed_demo")
    await until(lambda: ears.stirred)
    assert (ears.stirred, ears.hauls) == ([channel.marked], [])


@pytest.mark.parametrize("kind", [types.UpdateChannelWebPage, types.UpdatePinnedChannelMessages])
async def test_an_event_that_changes_no_post_is_counted(
    account: Account, channel: WorldChannel, server: TelegramServer, world: World, kind: type
) -> None:
    ears = Ears(account, channel)
    channel.post("Сирия")
    what = types.WebPageEmpty(5) if kind is types.UpdateChannelWebPage else [1]
    update = kind(channel.number, what, channel.pts + 1, 1)
    server.push_to(READER, types.Updates([update], [], [], world.now(), 0))
    await until(lambda: len(ears.hauls) == 2)
    assert ears.hauls[1] == Haul(channel=channel.marked, pts=channel.pts + 1)
    assert ears.stirred == []


async def test_a_rich_message_that_is_not_whole_stirs(account: Account, channel: WorldChannel) -> None:
    ears = Ears(account, channel)
    channel.post("Начало\nКонец", rich=["Начало", "Конец"], part=1)
    await until(lambda: ears.stirred)
    assert (ears.stirred, ears.hauls) == ([channel.marked], [])


async def test_what_the_library_asked_for_by_itself_is_taken_without_a_count_of_events(
    account: Account, channel: WorldChannel, server: TelegramServer
) -> None:
    ears = Ears(account, channel)
    channel.post("Сирия")
    await until(lambda: ears.hauls)
    server.faults.channel_too_long()
    number = channel.post("Ливан")
    await until(lambda: len(ears.hauls) == 2)
    assert [one.number for one in ears.hauls[1].sightings] == [number]
    assert ears.hauls[1].pts is None


async def test_a_message_that_is_none_stirs(
    account: Account, channel: WorldChannel, server: TelegramServer, world: World
) -> None:
    ears = Ears(account, channel)
    update = types.UpdateNewChannelMessage(types.MessageEmpty(1, channel.peer), 0, 0)
    server.push_to(READER, types.Updates([update], [], [], world.now(), 0))
    await until(lambda: ears.stirred)
    assert (ears.stirred, ears.hauls) == ([channel.marked], [])


async def test_what_cannot_be_taken_stirs_and_ends_nothing(account: Account, channel: WorldChannel) -> None:
    hauls, stirred = list[Haul](), list[int]()

    def take(haul: Haul) -> None:
        if not stirred:
            raise ZeroDivisionError
        hauls.append(haul)

    known = Peer(id=channel.marked, access_hash=1)
    listen(account, peer=lambda _: known, take=take, stirred=stirred.append, ignored=frozenset())
    channel.post("Сирия")
    await until(lambda: stirred)
    channel.post("Ливан")
    await until(lambda: hauls)
    assert stirred == [channel.marked]
    assert [one.number for haul in hauls for one in haul.sightings] == [2]
