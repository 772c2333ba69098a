"""What references were resolved to, kept for one account, watched or not."""

from __future__ import annotations

from pathlib import Path

from bot.cursor import began_at
from bot.model import ChatId, Peer, Username
from bot.storage import addresses, channels
from bot.storage.database import Database

ALFA = Peer(id=-1000000001001, access_hash=7, username="alfa_demo", title="Альфа", joined=True)


async def test_a_channel_that_was_never_watched_is_known_by_its_reference(tmp_path: Path) -> None:
    async with Database.opened(tmp_path) as database:
        await database.write(lambda c: addresses.remember(c, 1, Username("alfa_demo"), ALFA))
        [(written, peer)] = (await addresses.known(database, 1)).items()
        assert (written, peer.id, peer.access_hash, peer.joined) == ("@alfa_demo", ALFA.id, 7, True)
        assert await channels.all(database, 1) == {}


async def test_another_account_knows_nothing_of_it(tmp_path: Path) -> None:
    async with Database.opened(tmp_path) as database:
        await database.write(lambda c: addresses.remember(c, 1, Username("alfa_demo"), ALFA))
        assert await addresses.known(database, 2) == {}


async def test_of_a_watched_channel_name_and_title_are_known_too_and_its_cursor_stays(tmp_path: Path) -> None:
    async with Database.opened(tmp_path) as database:
        await database.write(lambda c: channels.put(c, 1, ALFA, began_at(40, 90)))
        await database.write(lambda c: addresses.remember(c, 1, ChatId(ALFA.id), ALFA))
        assert await addresses.known(database, 1) == {str(ALFA.id): ALFA}
        assert (await channels.cursors(database))[ALFA.id] == began_at(40, 90)
