"""What references were resolved to, kept for one account, watched or not."""

from __future__ import annotations

from pathlib import Path

from bot.cursor import began_at
from bot.model import Channel, ChatId, Peer, Username
from bot.standing import Standing
from bot.storage import addresses, channels
from bot.storage.addresses import Referred, Sought
from bot.storage.database import Database
from tests.made import at

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


async def test_what_a_reference_leads_to_is_known_whoever_found_it(tmp_path: Path) -> None:
    async with Database.opened(tmp_path) as database:
        await database.write(lambda c: channels.put(c, 1, ALFA, began_at(40, 90)))
        await database.write(lambda c: channels.refer(c, "@alfa_demo", ALFA.id))
        await database.write(lambda c: addresses.set_checked(c, "@alfa_demo", at(5)))
        channel = Channel(id=ALFA.id, username="alfa_demo", title="Альфа")
        assert await addresses.referred(database) == {"@alfa_demo": Referred(channel, at(5))}
        await database.write(lambda c: channels.refer(c, "@alfa_demo", ALFA.id))
        assert (await addresses.referred(database))["@alfa_demo"].checked == at(5)


async def test_what_is_sought_is_forgotten_with_its_reference_and_with_its_account(tmp_path: Path) -> None:
    async with Database.opened(tmp_path) as database:
        await database.write(lambda c: addresses.seek(c, 1, ["@alfa_demo", "@beta_demo"], at(0)))
        failed = Sought("@beta_demo", Standing.SOUGHT, "nobody", at(0), 3, at(240))
        await database.write(lambda c: addresses.set_sought(c, 1, failed))
        await database.write(lambda c: addresses.seek(c, 1, ["@beta_demo"], at(9)))
        assert await addresses.sought(database) == [failed]
        await database.write(lambda c: addresses.seek(c, 2, ["@beta_demo"], at(9)))
        assert await addresses.sought(database) == [Sought("@beta_demo", Standing.SOUGHT, None, at(9), 0, at(9))]
        await database.write(lambda c: addresses.found(c, "@beta_demo"))
        assert await addresses.sought(database) == []
