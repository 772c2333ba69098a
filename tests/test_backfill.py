"""Reading history into the archive: the real client, a loopback server, a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from pydantic import SecretStr

from bot.backfill import Backfill, Target
from bot.clock import ScaledClock
from bot.config.settings import Server, Telegram
from bot.config.values import Address
from bot.cursor import began_at
from bot.errors import NoAccessError, RefusedError, TelegramError, UnreachableError, WaitError
from bot.model import Channel, ChatId, Invite, Peer, Post, Stands, Username
from bot.quota import Quota
from bot.recording.jsonl import post_of
from bot.recording.writer import body_and_digest
from bot.storage import addresses, channels, posts
from bot.storage.database import Connection, Database
from bot.storage.posts import Message
from bot.telegram.account import Account
from bot.telegram.session import client_for
from tests.made import at
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

READER, OTHER, BOT = 7001, 7002, 7003
HISTORY, RESOLVE = "messages.getHistory", "contacts.resolveUsername"
ALFA = Username("alfa_demo")
EVER = at(-1_000_000)


@pytest.fixture
def world() -> World:
    world = World(1, now=lambda: at(10_000))
    world.add_person(READER)
    return world


@pytest.fixture
def alfa(world: World) -> WorldChannel:
    """A channel of 250 posts, a minute apart."""
    return filled(world.add_channel(1001, username="alfa_demo", title="Альфа", members=[READER]), 250)


def filled(channel: WorldChannel, posts: int) -> WorldChannel:
    for minute in range(posts):
        channel.post(f"Сообщение {minute}", date=at(minute))
    return channel


@pytest.fixture
async def server(world: World) -> AsyncIterator[TelegramServer]:
    async with TelegramServer(world) as server:
        yield server


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.opened(tmp_path) as database:
        yield database


@pytest.fixture
def answer_within() -> float:
    """For how many seconds an answer is waited for."""
    return 10.0


@pytest.fixture
async def backfill(
    server: TelegramServer, database: Database, tmp_path: Path, answer_within: float
) -> AsyncIterator[Backfill]:
    (tmp_path / "server.pem").write_text(server.public_key)
    server.sign_in_session(tmp_path / "reader.session", READER)
    address = Address(server.host, server.port)
    telegram = Telegram.model_construct(
        api_id=1,
        api_hash=SecretStr("0123456789abcdef0123456789abcdef"),
        server=Server.model_construct(address=address, dc_id=server.dc, public_key=tmp_path / "server.pem"),
        proxy=None,
    )
    clock = ScaledClock(at(10_000), 600)
    quota = await Quota.opened(database, clock, Random(1))  # noqa: S311 - seeded, not secret

    def account() -> Account:
        client = client_for(telegram, tmp_path / "reader.session", updates=False, pause=timedelta(seconds=0.1))
        return Account(client, turn=quota.turn, refused=quota.refused, timeout=timedelta(seconds=answer_within))

    made = Backfill(account, database, clock, quota, ignored=frozenset({BOT}))
    await made.open()
    yield made
    await made.close()
    await quota.settled()


async def read(backfill: Backfill, target: Target, since: datetime = EVER) -> Target:
    """All pages down to a date."""
    done = False
    while not done:
        step = await backfill.page(target, since)
        target, done = step.target, step.done
    return target


def row(post: Post, lead: int) -> Message:
    """A post as it is stored by whatever way, being part of the one with this number."""
    body, content = body_and_digest(post)
    seen = post.edited or post.date
    channel = int(post.channel.key)
    return Message(channel, post.number, Stands.POST, post.album, lead, post.date, seen, None, content, body)


async def stored(database: Database, channel: WorldChannel) -> dict[int, str]:
    sql = "SELECT number, body FROM message WHERE channel = ? AND body IS NOT NULL AND deleted IS NULL"
    found = await database.rows(sql, (channel.marked,))
    return {number: post_of(body, Channel(id=channel.marked)).text for number, body in found}


async def test_a_page_lowers_the_floor_to_what_it_has_stored(
    backfill: Backfill, database: Database, alfa: WorldChannel
) -> None:
    target = await backfill.find(ALFA)
    assert target.cursor == replace(began_at(250, alfa.pts), history_read=True)
    step = await backfill.page(target, EVER)
    assert (step.posts, step.newest, step.oldest, step.done) == (100, at(249), at(150), False)
    assert step.target.cursor == replace(target.cursor, floor=150)
    assert (await channels.cursors(database))[alfa.marked] == step.target.cursor
    assert sorted(await stored(database, alfa)) == list(range(151, 251))


async def test_it_goes_on_where_the_last_process_stopped(
    backfill: Backfill, database: Database, server: TelegramServer, alfa: WorldChannel
) -> None:
    await backfill.page(await backfill.find(ALFA), EVER)
    target = await read(backfill, await backfill.find(ALFA))
    assert target.cursor.floor == 0
    assert not target.new
    assert server.count(HISTORY) == 3
    assert await stored(database, alfa) == alfa.truth()
    await read(backfill, await backfill.find(ALFA))
    assert server.count(HISTORY) == 3


async def test_nothing_older_than_wanted_is_stored_and_a_later_wish_goes_deeper(
    backfill: Backfill, database: Database, server: TelegramServer, alfa: WorldChannel
) -> None:
    target = await backfill.find(ALFA)
    steps = [await backfill.page(target, at(100))]
    while not steps[-1].done:
        steps.append(await backfill.page(steps[-1].target, at(100)))
    assert [(step.posts, step.oldest) for step in steps] == [(100, at(150)), (50, at(100))]
    assert sorted(await stored(database, alfa)) == list(range(101, 251))
    asked = server.count(HISTORY)
    for since in (at(100), at(120)):
        target = await read(backfill, await backfill.find(ALFA), since)
        assert target.cursor.floor == 100
    assert server.count(HISTORY) == asked
    await read(backfill, target, at(30))
    assert sorted(await stored(database, alfa)) == list(range(31, 251))


async def test_an_album_of_which_the_service_has_a_part_becomes_one_post(
    backfill: Backfill, database: Database, world: World
) -> None:
    alfa = world.add_channel(1001, username="alfa_demo", members=[READER])
    parts = [alfa.post(f"часть {part}", album=5, date=at(part)) for part in range(2)]
    target = await backfill.find(ALFA)
    later = [alfa.post(f"часть {part}", album=5, date=at(part)) for part in range(2, 4)]
    # The service has taken in what was posted since, before anybody read what stands below.
    new = [row(Post(channel=Channel(id=alfa.marked), number=n, date=at(n), text="", album=5), later[0]) for n in later]
    await database.write(lambda c: posts.put(c, posts.packed(new)))
    await read(backfill, target)
    rows = await database.rows("SELECT number, post FROM message ORDER BY number")
    assert rows == [(number, parts[0]) for number in (*parts, *later)]


async def test_what_is_stored_with_a_later_edit_is_not_overwritten(
    backfill: Backfill, database: Database, alfa: WorldChannel
) -> None:
    alfa.edit(250, "Старое", date=at(300))
    target = await backfill.find(ALFA)
    post = Post(channel=Channel(id=alfa.marked), number=250, date=at(249), text="Новое", edited=at(1_440))
    newer = row(post, 250)
    await database.write(lambda c: posts.put(c, posts.packed([newer])))
    await read(backfill, target)
    assert await stored(database, alfa) == {**alfa.truth(), 250: "Новое"}


async def test_a_first_history_that_the_service_has_to_read_is_seen(
    backfill: Backfill, database: Database, alfa: WorldChannel
) -> None:
    target = await backfill.find(ALFA)
    first = replace(target.cursor, history_read=False)
    await database.write(lambda c: channels.set_cursors(c, {alfa.marked: first}))
    assert (await backfill.find(ALFA)).cursor == first


async def test_a_name_is_looked_up_once_and_found_again_by_whatever_it_is_called(
    backfill: Backfill, server: TelegramServer, alfa: WorldChannel
) -> None:
    target = await backfill.find(ALFA)
    assert target.new
    for ref in (ALFA, ChatId(alfa.marked)):
        assert await backfill.find(ref) == replace(target, new=False)
    assert server.count(RESOLVE) == 1


async def test_what_another_account_has_read_is_read_on_from_there(
    backfill: Backfill, database: Database, alfa: WorldChannel
) -> None:
    cursor = replace(began_at(200, 3), floor=120, history_read=True)
    theirs = Peer(id=alfa.marked, access_hash=1, username="alfa_demo")
    await database.write(lambda c: channels.put(c, OTHER, theirs, cursor))
    target = await read(backfill, await backfill.find(ALFA))
    assert target.cursor == replace(cursor, floor=0)
    assert sorted(await stored(database, alfa)) == list(range(1, 121))


async def test_a_channel_that_was_found_and_never_watched_is_begun(
    backfill: Backfill, database: Database, server: TelegramServer, alfa: WorldChannel
) -> None:
    peer = (await backfill.find(ALFA)).peer
    await database.write(lambda c: c.execute("DELETE FROM channel"))
    await database.write(lambda c: addresses.remember(c, READER, ALFA, peer))
    server.faults.omit_dialogs(alfa.number)
    target = await backfill.find(ALFA)
    assert (target.new, target.cursor.floor) == (True, 250)
    assert server.count(RESOLVE) == 1


async def test_an_invite_is_not_accepted(backfill: Backfill, server: TelegramServer, world: World) -> None:
    world.add_channel(1005, invite="AbCdEfGhIjKlMnOp").post("Тайное")
    with pytest.raises(RefusedError, match="JOIN_NEEDED"):
        await backfill.find(Invite("AbCdEfGhIjKlMnOp"))
    assert not server.count("messages.importChatInvite")


async def test_a_channel_that_turned_private_is_refused(backfill: Backfill, alfa: WorldChannel) -> None:
    target = await backfill.find(ALFA)
    alfa.forbid(READER)
    with pytest.raises(NoAccessError):
        await backfill.page(target, EVER)


async def test_a_wait_that_telegram_asks_for_is_known(
    backfill: Backfill, server: TelegramServer, alfa: WorldChannel
) -> None:
    target = await backfill.find(ALFA)
    server.faults.flood_wait(HISTORY, 300)
    with pytest.raises(WaitError):
        await backfill.page(target, EVER)
    assert timedelta(minutes=4) < backfill.wait() <= timedelta(minutes=6)
    await read(backfill, target)
    assert not backfill.wait()
    assert alfa.truth()


@pytest.mark.parametrize("answer_within", [0.3])
async def test_a_page_that_brings_no_answer_is_asked_for_anew(
    backfill: Backfill, database: Database, server: TelegramServer, alfa: WorldChannel
) -> None:
    target = await backfill.find(ALFA)
    server.faults.swallow(HISTORY, times=2)
    await read(backfill, target)
    assert await stored(database, alfa) == alfa.truth()


@pytest.mark.usefixtures("alfa")
@pytest.mark.parametrize("answer_within", [0.3])
async def test_after_some_tries_it_gives_up(backfill: Backfill, server: TelegramServer) -> None:
    target = await backfill.find(ALFA)
    server.faults.swallow(HISTORY, times=None)
    with pytest.raises(UnreachableError):
        await backfill.page(target, EVER)
    assert server.count(HISTORY) == 6


async def test_posts_of_ours_and_numbers_that_say_nothing_are_passed_over(
    backfill: Backfill, database: Database, world: World
) -> None:
    group = world.add_channel(1001, username="alfa_demo", megagroup=True, members=[READER])
    world.add_person(BOT)
    group.post("Наше", author=READER, date=at(1))
    group.post("Бота", author=BOT, date=at(1))
    group.service()
    group.unknown()
    group.post("Их", date=at(2))
    await read(backfill, await backfill.find(ALFA))
    assert await stored(database, group) == {5: "Их"}
    assert await database.rows("SELECT number, stands FROM message WHERE body IS NULL ORDER BY number") == [
        (1, "service"),
        (2, "service"),
        (3, "service"),
        (4, "unreadable"),
    ]


async def test_an_empty_channel_has_no_history(backfill: Backfill, database: Database, world: World) -> None:
    alfa = world.add_channel(1001, username="alfa_demo", members=[READER])
    assert (await read(backfill, await backfill.find(ALFA))).cursor.floor == 0
    assert await stored(database, alfa) == {}


async def test_a_name_that_another_channel_has_now_is_refused_and_stays_with_what_was_read(
    backfill: Backfill, database: Database, alfa: WorldChannel
) -> None:
    before = Peer(id=-1000000005555, access_hash=1, username="alfa_demo", title="Old Alfa")

    def read_by_another(c: Connection) -> None:
        channels.put(c, OTHER, before, began_at(10, 5))
        channels.refer(c, str(ALFA), before.id)

    await database.write(read_by_another)
    with pytest.raises(TelegramError, match=rf"Альфа \({alfa.marked}\) now, .* another channel \({before.id}\)"):
        await backfill.find(ALFA)
    assert await channels.references(database) == {str(ALFA): before.id}
