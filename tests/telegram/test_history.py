"""Pages of history from the loopback server: whole ones, and ones with messages that no library of today can read."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import NoAccessError, UnreadableError
from bot.model import Stands
from bot.telegram.account import Account
from bot.telegram.history import PAGE, Page, above, below, numbered
from tests.telegram.reading import READER, peer_of
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

HISTORY, NUMBERED = "messages.getHistory", "channels.getMessages"


@pytest.fixture
def world() -> World:
    world = World()
    world.add_person(READER)
    return world


@pytest.fixture
def channel(world: World) -> WorldChannel:
    return world.add_channel(1001, username="alfa_demo", title="Альфа", members=[READER])


def filled(channel: WorldChannel, kinds: str) -> None:
    """Puts a message under each number: p a post, s a service message, ? an unknown kind, - nothing."""
    for kind in kinds:
        match kind:
            case "p":
                channel.post(f"Новость {channel.top + 1}", push=False)
            case "s":
                channel.service(push=False)
            case "?":
                channel.unknown(push=False)
            case _:
                channel.burn()


def shown(page: Page, length: int) -> str:
    """The same letters for the numbers of a page."""
    letters = {Stands.POST: "p", Stands.SERVICE: "s", Stands.UNREADABLE: "?"}
    seen = {one.number: letters[one.stands] for one in page.sightings}
    return "".join(seen.get(number, "-") for number in range(1, length + 1))


def numbers(page: Page) -> list[int]:
    return [one.number for one in page.sightings]


async def test_a_page_above_a_number_holds_the_oldest_hundred_of_whatever_kind(
    account: Account, world: World, channel: WorldChannel, server: TelegramServer
) -> None:
    filled(channel, "ps" * 150)
    page = await above(account, peer_of(world, channel), 20)
    assert numbers(page) == list(range(21, 121))
    assert shown(page, 120) == "-" * 20 + "ps" * 50
    assert page.pts == channel.pts
    assert page.peer is not None
    assert (page.peer.title, page.peer.joined) == ("Альфа", True)
    assert server.count(HISTORY) == 1


async def test_a_post_is_what_it_says_in_its_channel(account: Account, world: World, channel: WorldChannel) -> None:
    filled(channel, "p")
    [one] = (await above(account, peer_of(world, channel), 0)).sightings
    assert one.post is not None
    assert one.post.text == "Новость 1"
    assert (one.post.channel.id, one.post.channel.title) == (channel.marked, "Альфа")


async def test_numbers_under_which_nothing_stands_do_not_shorten_a_page(
    account: Account, world: World, channel: WorldChannel
) -> None:
    filled(channel, "p-" * 150)
    assert numbers(await above(account, peer_of(world, channel), 0)) == list(range(1, 200, 2))


@pytest.mark.parametrize("clamped", [True, False])
async def test_above_the_newest_there_is_nothing(
    account: Account, world: World, channel: WorldChannel, server: TelegramServer, *, clamped: bool
) -> None:
    filled(channel, "ppp")
    if not clamped:
        server.faults.unclamped_history()
    assert numbers(await above(account, peer_of(world, channel), 1)) == [2, 3]
    assert numbers(await above(account, peer_of(world, channel), 3)) == []


async def test_a_page_below_a_number_holds_the_newest_hundred(
    account: Account, world: World, channel: WorldChannel
) -> None:
    filled(channel, "p" * 250)
    assert numbers(await below(account, peer_of(world, channel), 201)) == list(range(101, 201))
    assert numbers(await below(account, peer_of(world, channel))) == list(range(151, 251))
    assert numbers(await below(account, peer_of(world, channel), 1)) == []


async def test_a_channel_that_is_closed_says_why(account: Account, world: World, channel: WorldChannel) -> None:
    channel.forbid(READER)
    with pytest.raises(NoAccessError) as caught:
        await above(account, peer_of(world, channel), 0)
    assert caught.value.why == "CHANNEL_PRIVATE"


async def test_posts_of_ignored_people_are_service_messages(account: Account, world: World) -> None:
    world.add_person(778)
    group = world.add_channel(1002, megagroup=True, members=[READER, 778])
    group.post("Вижу", author=778)
    group.post("Слышу")
    page = await above(account, peer_of(world, group), 0, frozenset([778]))
    assert shown(page, 2) == "sp"


async def test_posts_of_a_protected_channel_are_protected(account: Account, world: World) -> None:
    closed = world.add_channel(1002, username="bravo_demo", protected=True, members=[READER])
    closed.post("Сирия")
    [one] = (await above(account, peer_of(world, closed), 0)).sightings
    assert one.post is not None
    assert one.post.protected


# --- what cannot be read --------------------------------------------------------------------------------------


async def test_a_message_of_an_unknown_kind_is_found_and_the_page_ends_after_it(
    account: Account, world: World, channel: WorldChannel, server: TelegramServer
) -> None:
    filled(channel, "p" * 60 + "?" + "p" * 60)
    page = await above(account, peer_of(world, channel), 0)
    assert shown(page, 120) == "p" * 60 + "?p" + "-" * 58
    assert server.count(HISTORY) + server.count(NUMBERED) <= 12
    rest = await above(account, peer_of(world, channel), 62)
    assert numbers(rest) == list(range(63, 122))


async def test_downwards_it_is_found_as_well(
    account: Account, world: World, channel: WorldChannel, server: TelegramServer
) -> None:
    filled(channel, "p" * 60 + "?" + "p" * 60)
    page = await below(account, peer_of(world, channel), 122)
    assert shown(page, 121) == "-" * 59 + "p?" + "p" * 60
    assert server.count(HISTORY) + server.count(NUMBERED) <= 12


async def test_several_in_a_row_cost_a_call_each(
    account: Account, world: World, channel: WorldChannel, server: TelegramServer
) -> None:
    filled(channel, "pp" + "?" * 15 + "pp")
    page = await above(account, peer_of(world, channel), 0)
    assert shown(page, 19) == "pp" + "?" * 15 + "p-"
    assert server.count(HISTORY) + server.count(NUMBERED) <= 9 + 15


async def test_a_page_of_nothing_else_ends_and_moves_on(
    account: Account, world: World, channel: WorldChannel, server: TelegramServer
) -> None:
    filled(channel, "?" * 50)
    page = await above(account, peer_of(world, channel), 0)
    assert shown(page, 50) == "?" * 20 + "-" * 30
    assert page.pts == 0
    assert server.count(HISTORY) + server.count(NUMBERED) <= 30
    assert numbers(await above(account, peer_of(world, channel), 20)) == list(range(21, 41))


@pytest.mark.parametrize("hole", [1, 40, 99, 100, 101, 350])
async def test_one_behind_a_hole_is_found_from_both_sides(
    account: Account, world: World, channel: WorldChannel, hole: int
) -> None:
    filled(channel, "p" + "-" * hole + "?" + "-" * hole + "p" * 3)
    bad, peer = hole + 2, peer_of(world, channel)
    read, at = list[int](), 0
    while page := numbers(await above(account, peer, at)):
        read += page
        at = page[-1]
    assert read == [1, bad, *range(2 * hole + 3, 2 * hole + 6)]
    back, at = list[int](), 0
    while page := numbers(await below(account, peer, at)):
        back = page + back
        at = page[0]
    assert sorted(set(back)) == read


@pytest.mark.parametrize("clamped", [True, False])
async def test_where_the_newest_cannot_be_read_nothing_is_above_it_soon(
    account: Account, world: World, channel: WorldChannel, server: TelegramServer, *, clamped: bool
) -> None:
    filled(channel, "ppp?")
    if not clamped:
        server.faults.unclamped_history()
    page = await above(account, peer_of(world, channel), 4)
    assert numbers(page) == []
    assert server.count(HISTORY) + server.count(NUMBERED) <= 7


async def test_what_comes_after_one_that_was_passed_is_read_at_once(
    account: Account, world: World, channel: WorldChannel, server: TelegramServer
) -> None:
    filled(channel, "ppp?pp")
    assert numbers(await above(account, peer_of(world, channel), 4)) == [5, 6]
    assert server.count(HISTORY) + server.count(NUMBERED) <= 4


async def test_a_short_page_is_the_last_or_ends_with_what_cannot_be_read(
    account: Account, world: World, channel: WorldChannel
) -> None:
    filled(channel, ("p" + "-" * 99) * 3 + "-" * 100 + "p" + "-" * 99 + "?")
    assert numbers(await above(account, peer_of(world, channel), 0)) == [1, 101, 201, 401, 501]
    assert numbers(await below(account, peer_of(world, channel), 501)) == [1, 101, 201, 401]


async def test_the_newest_are_read_even_if_the_very_newest_cannot_be(
    account: Account, world: World, channel: WorldChannel
) -> None:
    filled(channel, "p" * 150 + "???")
    page = await below(account, peer_of(world, channel))
    assert numbers(page) == list(range(49, 154))
    assert [one.number for one in page.sightings if one.stands is Stands.UNREADABLE] == [151, 152, 153]


async def test_a_small_channel_of_nothing_else_is_read(account: Account, world: World, channel: WorldChannel) -> None:
    filled(channel, "-" + "?" * 50)
    assert shown(await below(account, peer_of(world, channel)), 51) == "-" + "?" * 50


async def test_a_large_channel_of_nothing_else_is_said_to_be_one(
    account: Account, world: World, channel: WorldChannel
) -> None:
    filled(channel, "p" + "?" * 70)
    with pytest.raises(UnreadableError, match="newest 64 messages"):
        await below(account, peer_of(world, channel))


async def test_an_empty_channel_has_an_empty_page(account: Account, world: World, channel: WorldChannel) -> None:
    for page in (await above(account, peer_of(world, channel), 0), await below(account, peer_of(world, channel))):
        assert page.sightings == ()


# --- rich messages ----------------------------------------------------------------------------------------------


async def test_the_rest_of_a_rich_message_is_fetched(
    account: Account, world: World, channel: WorldChannel, server: TelegramServer
) -> None:
    channel.post("Начало\nКонец", rich=["Начало", "Конец"], part=1)
    [one] = (await above(account, peer_of(world, channel), 0)).sightings
    assert one.post is not None
    assert "Конец" in one.post.text
    assert server.count("messages.getRichMessage") == 1


async def test_a_rich_message_whose_rest_is_refused_says_what_there_is(
    account: Account, world: World, channel: WorldChannel, server: TelegramServer
) -> None:
    channel.post("Начало\nКонец", rich=["Начало", "Конец"], part=1)
    server.faults.refuse("messages.getRichMessage", 400, "MESSAGE_ID_INVALID")
    [one] = (await above(account, peer_of(world, channel), 0)).sightings
    assert one.post is not None
    assert one.post.text == "Начало"


# --- any channel ------------------------------------------------------------------------------------------------

channels = st.lists(
    st.tuples(st.sampled_from("ppps?-"), st.integers(1, 40) | st.integers(95, 130)), min_size=1, max_size=8
).map(lambda runs: "".join(kind * count for kind, count in runs))
cases = settings(
    max_examples=max(1, int(os.environ.get("VEDETTE_CASES", "150")) // 10),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.fuzz
@cases
@given(channels, st.booleans())
async def test_page_by_page_all_that_exists_is_read_with_its_holes_and_kinds(
    account: Account,
    world: World,
    server: TelegramServer,
    kinds: str,
    clamped: bool,  # noqa: FBT001 - hypothesis hands it over
) -> None:
    channel = world.add_channel(len(world.channels) + 2000, username=None, members=[READER])
    filled(channel, kinds + "p")
    rule = server.faults.unclamped_history()
    rule.stopped = clamped
    read, at = "", 0
    while (page := await above(account, peer_of(world, channel), at)).sightings:
        top = page.sightings[-1].number
        read += shown(page, top)[at:]
        at = top
        assert len(page.sightings) <= PAGE + 20
    rule.stop()
    assert read == kinds + "p"


@pytest.mark.fuzz
@cases
@given(channels)
async def test_backwards_nothing_is_left_out_either(account: Account, world: World, kinds: str) -> None:
    channel = world.add_channel(len(world.channels) + 2000, members=[READER])
    filled(channel, kinds + "p")
    seen, at = dict[int, Stands](), 0
    while (page := await below(account, peer_of(world, channel), at)).sightings:
        seen |= {one.number: one.stands for one in page.sightings}
        at = page.sightings[0].number
    letters = {"p": Stands.POST, "s": Stands.SERVICE, "?": Stands.UNREADABLE}
    assert seen == {at: letters[kind] for at, kind in enumerate(kinds + "p", 1) if kind != "-"}


# --- by number ------------------------------------------------------------------------------------------------


async def test_of_numbers_it_is_told_what_stands_under_them_and_what_does_not(
    account: Account, world: World, server: TelegramServer
) -> None:
    channel = world.add_channel(1001, username="alfa_demo", members=[READER])
    for number in range(1, 151):
        channel.post(f"Пост номер {number}")
    channel.delete(3, 140)
    found = await numbered(account, peer_of(world, channel), range(1, 151))
    assert [one.number for one in found.sightings] == [one for one in range(1, 151) if one not in {3, 140}]
    assert found.gone == {3, 140}
    assert found.pts == channel.pts
    assert server.count("channels.getMessages") == 2


async def test_what_cannot_be_read_hides_no_other_number(
    account: Account, world: World, server: TelegramServer
) -> None:
    channel = world.add_channel(1001, username="alfa_demo", members=[READER])
    channel.post("Первый")
    channel.unknown()
    channel.post("Третий")
    channel.delete(3)
    channel.post("Четвёртый")
    found = await numbered(account, peer_of(world, channel), [1, 2, 3, 4])
    assert [(one.number, one.stands) for one in found.sightings] == [
        (1, Stands.POST),
        (2, Stands.UNREADABLE),
        (4, Stands.POST),
    ]
    assert found.gone == {3}
    assert server.count("channels.getMessages") == 5


async def test_where_nothing_can_be_read_it_is_not_asked_for_ever(
    account: Account, world: World, server: TelegramServer
) -> None:
    channel = world.add_channel(1001, username="alfa_demo", members=[READER])
    for _ in range(100):
        channel.unknown(push=False)
    found = await numbered(account, peer_of(world, channel), range(1, 101))
    assert found.gone == frozenset()
    assert server.count("channels.getMessages") == 21
