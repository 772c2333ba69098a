"""Channels as an account knows them, and how far they were read."""

from __future__ import annotations

from dataclasses import replace

from bot.cursor import Cursor, began_at
from bot.model import Peer
from bot.standing import Standing
from bot.storage import channels
from bot.storage.channels import Stored
from bot.storage.database import Database
from tests.made import at

READER, ANOTHER = 11, 12
JOINED = Standing.JOINED
ALFA = Peer(id=-1001000000001, access_hash=-(2**63), username="alfa_demo", title="Альфа", joined=True)
BETA = Peer(id=-1001000000002, access_hash=2**63 - 1)
CURSOR = Cursor(floor=3, began=7, verified=9, top=12, pts=40, history_read=True)


async def put(database: Database, peer: Peer, cursor: Cursor | None, account: int = READER) -> None:
    await database.write(lambda c: channels.put(c, account, peer, cursor))


async def refer(database: Database, written: str, channel: int) -> None:
    await database.write(lambda c: channels.refer(c, written, channel))


async def test_a_channel_comes_back_as_it_was_put(database: Database) -> None:
    await put(database, ALFA, CURSOR)
    await put(database, BETA, began_at(5, 1))
    assert await channels.all(database, READER) == {
        ALFA.id: Stored(ALFA, CURSOR, None, None, None, None, JOINED),
        BETA.id: Stored(BETA, began_at(5, 1), None, None, None),
    }


async def test_without_a_cursor_the_stored_one_stays(database: Database) -> None:
    await put(database, ALFA, CURSOR)
    renamed = replace(ALFA, username="alfa_new_demo", title=None, access_hash=5, joined=False)
    await put(database, renamed, None)
    assert await channels.all(database, READER) == {ALFA.id: Stored(renamed, CURSOR, None, None, None, None, JOINED)}


async def test_an_answer_that_tells_no_name_takes_none_away(database: Database) -> None:
    await put(database, ALFA, CURSOR)
    await put(database, replace(ALFA, username=None, title=None, access_hash=5), None)
    assert (await channels.all(database, READER))[ALFA.id].peer == replace(ALFA, access_hash=5)


async def test_a_channel_put_again_with_a_cursor_keeps_its_own_and_what_else_is_known(database: Database) -> None:
    await put(database, ALFA, CURSOR)
    await database.write(lambda c: channels.set_read(c, [ALFA.id], at(1)))
    renamed = replace(ALFA, username="alfa_new_demo")
    await put(database, renamed, began_at(99, 500))
    assert await channels.all(database, READER) == {ALFA.id: Stored(renamed, CURSOR, at(1), None, None, None, JOINED)}


async def test_when_a_channel_was_first_read_is_kept(database: Database) -> None:
    for minutes in (1, 2):
        moment = at(minutes)
        await database.write(lambda c: channels.put(c, READER, ALFA, CURSOR, since=moment))  # noqa: B023 - it runs at once
    assert (await channels.all(database, READER))[ALFA.id].since == at(1)


async def test_an_access_hash_is_of_one_account(database: Database) -> None:
    await put(database, ALFA, CURSOR)
    assert await channels.all(database, ANOTHER) == {}
    await put(database, replace(ALFA, access_hash=5, joined=False), None, ANOTHER)
    [seen] = (await channels.all(database, ANOTHER)).values()
    assert (seen.peer.access_hash, seen.peer.joined, seen.cursor) == (5, False, CURSOR)
    assert (await channels.all(database, READER))[ALFA.id].peer == ALFA


async def test_another_account_can_go_on_from_where_one_was(database: Database) -> None:
    await put(database, ALFA, CURSOR)
    assert await channels.cursors(database) == {ALFA.id: CURSOR}


async def test_a_channel_that_is_only_addressed_has_no_cursor(database: Database) -> None:
    await put(database, ALFA, None)
    assert await channels.all(database, READER) == {}
    await put(database, ALFA, CURSOR)
    assert (await channels.all(database, READER))[ALFA.id].cursor == CURSOR


async def test_cursors_move_many_at_once(database: Database) -> None:
    await put(database, ALFA, CURSOR)
    await put(database, BETA, began_at(5, 1))
    moved = {
        ALFA.id: replace(CURSOR, verified=12),
        BETA.id: replace(CURSOR, history_read=False),
        -1001000000009: CURSOR,
    }
    await database.write(lambda c: channels.set_cursors(c, moved))
    found = await channels.cursors(database)
    assert found == {ALFA.id: moved[ALFA.id], BETA.id: moved[BETA.id]}


async def test_it_is_known_when_a_channel_was_read_and_checked_and_why_it_cannot_be(database: Database) -> None:
    await put(database, ALFA, CURSOR)
    await put(database, BETA, CURSOR)
    await database.write(lambda c: channels.set_read(c, [ALFA.id, BETA.id], at(1)))
    await database.write(lambda c: channels.set_checked(c, ALFA.id, at(2)))
    await database.write(lambda c: channels.set_refused(c, BETA.id, "CHANNEL_PRIVATE"))
    assert await channels.all(database, READER) == {
        ALFA.id: Stored(ALFA, CURSOR, at(1), at(2), None, None, JOINED),
        BETA.id: Stored(BETA, CURSOR, at(1), None, "CHANNEL_PRIVATE"),
    }
    await database.write(lambda c: channels.set_refused(c, BETA.id, None))
    assert (await channels.all(database, READER))[BETA.id].refused is None


async def test_a_reference_means_the_channel_it_was_last_resolved_to(database: Database) -> None:
    for written, channel in (("@alfa_demo", 1), ("t.me/+abcdef", BETA.id), ("@alfa_demo", ALFA.id)):
        await refer(database, written, channel)
    assert await channels.references(database) == {"@alfa_demo": ALFA.id, "t.me/+abcdef": BETA.id}


async def test_how_an_account_stands_with_a_channel_is_kept_with_when_to_look_again(database: Database) -> None:
    await put(database, ALFA, CURSOR)
    await database.write(lambda c: channels.set_standing(c, ALFA.id, Standing.GONE, tries=2, look_at=at(60)))
    gone = (await channels.all(database, READER))[ALFA.id]
    assert (gone.standing, gone.tries, gone.look_at) == (Standing.GONE, 2, at(60))
    await database.write(lambda c: channels.set_standing(c, ALFA.id, Standing.POLLED))
    well = (await channels.all(database, READER))[ALFA.id]
    assert (well.standing, well.tries, well.look_at) == (Standing.POLLED, 0, None)


async def test_when_a_channel_may_be_joined_is_of_one_account_and_outlives_what_is_seen_of_it(
    database: Database,
) -> None:
    await put(database, BETA, CURSOR)
    await put(database, BETA, None, ANOTHER)
    await database.write(lambda c: channels.set_join_after(c, READER, BETA.id, at(60)))
    await put(database, replace(BETA, username="beta_demo"), None)
    assert (await channels.all(database, READER))[BETA.id].join_after == at(60)
    assert (await channels.all(database, ANOTHER))[BETA.id].join_after is None
