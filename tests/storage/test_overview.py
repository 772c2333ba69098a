"""How things stand, counted over the tables."""

from __future__ import annotations

from bot.cursor import Cursor
from bot.model import Channel, Peer
from bot.standing import Standing
from bot.storage import addresses, channels, overview
from bot.storage.addresses import Sought
from bot.storage.database import Database
from bot.storage.overview import ChannelState
from tests.made import at

ALFA, BRAVO = -1001000000001, -1001000000002


async def test_a_channel_is_listed_once_whoever_reads_it(database: Database) -> None:
    cursor = Cursor(floor=1, began=5, verified=10, top=13, history_read=True)
    for account, joined in ((7, True), (8, False)):
        peer = Peer(id=ALFA, access_hash=account, username="alfa_demo", title="Alfa", joined=joined)
        await database.write(lambda c, a=account, p=peer: channels.put(c, a, p, cursor))  # type: ignore[misc]
    await database.write(
        lambda c: channels.put(c, 7, Peer(id=BRAVO, access_hash=1), Cursor(floor=2, began=2, verified=2, top=1))
    )
    await database.write(lambda c: channels.set_read(c, [ALFA], at(5)))
    await database.write(lambda c: channels.set_refused(c, BRAVO, "CHANNEL_PRIVATE"))
    await database.write(lambda c: channels.refer(c, "@alfa_demo", ALFA))
    alfa, bravo = await overview.channels(database)
    assert alfa == ChannelState(
        channel=Channel(id=ALFA, username="alfa_demo", title="Alfa"),
        joined=True,
        verified=10,
        top=13,
        history_read=True,
        read_at=at(5),
        refused=None,
        references=frozenset({"@alfa_demo"}),
        standing=Standing.JOINED,
    )
    assert (alfa.behind, bravo.behind) == (3, 0)
    assert (bravo.joined, bravo.refused, bravo.history_read, bravo.read_at) == (False, "CHANNEL_PRIVATE", False, None)


async def test_an_empty_database_holds_nothing(database: Database) -> None:
    assert await overview.channels(database) == []
    assert await overview.sought(database) == []
    assert await overview.matches(database) == 0


async def test_what_leads_to_no_channel_is_told_with_why_and_since_when(database: Database) -> None:
    await database.write(lambda c: addresses.seek(c, 7, ["@nobody_demo", "t.me/+AbCdEf12"], at(1)))
    asked = Sought("t.me/+AbCdEf12", Standing.ASKED, "its administrators were asked", at(2), 1, at(62))
    await database.write(lambda c: addresses.set_sought(c, 7, asked))
    assert await overview.sought(database) == [Sought("@nobody_demo", Standing.SOUGHT, None, at(1), 0, at(1)), asked]
