"""That a chat is looked up once by each account, and again when its address is not good any more."""

from __future__ import annotations

from bot.model import Peer
from bot.storage import channels, chats
from bot.storage.chats import Address
from bot.storage.database import Database

READER, BOT = 777, 900
DESK = "@desk_demo"


async def test_what_was_never_looked_up_is_not_known(database: Database) -> None:
    assert await chats.address(database, BOT, DESK) is None
    assert await chats.watched(database, READER, -1000000000005) is None


async def test_an_address_is_one_accounts_own(database: Database) -> None:
    await database.write(lambda c: chats.put(c, BOT, DESK, Address(-1000000000008, -5)))
    await database.write(lambda c: chats.put(c, READER, DESK, Address(-1000000000008, 7)))
    assert await chats.address(database, BOT, DESK) == Address(-1000000000008, -5)
    assert await chats.address(database, READER, DESK) == Address(-1000000000008, 7)


async def test_a_name_may_come_to_mean_another_chat(database: Database) -> None:
    await database.write(lambda c: chats.put(c, BOT, DESK, Address(-1000000000008, 1)))
    await database.write(lambda c: chats.put(c, BOT, DESK, Address(-1000000000009, 1)))
    assert await chats.address(database, BOT, DESK) == Address(-1000000000009, 1)


async def test_what_is_forgotten_is_forgotten_for_one_account(database: Database) -> None:
    await database.write(lambda c: chats.put(c, BOT, DESK, Address(-1000000000008, 1)))
    await database.write(lambda c: chats.put(c, READER, DESK, Address(-1000000000008, 1)))
    await database.write(lambda c: chats.forget(c, BOT, DESK))
    await database.write(lambda c: chats.forget(c, BOT, "@nobody_demo"))
    assert await chats.address(database, BOT, DESK) is None
    assert await chats.address(database, READER, DESK) is not None


async def test_a_watched_channel_is_known_to_who_watches_it(database: Database) -> None:
    peer = Peer(id=-1000000000005, access_hash=42, username="lantern_demo")
    await database.write(lambda c: channels.put(c, READER, peer, None))
    assert await chats.watched(database, READER, peer.id) == Address(peer.id, 42)
    assert await chats.watched(database, BOT, peer.id) is None
