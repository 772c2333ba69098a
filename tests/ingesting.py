"""What the tests of taking in make: posts of three channels, processes that begin and end, and what then is stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from bot.cursor import Cursor, began_at
from bot.ingest import Ingest
from bot.model import Haul, Media, Peer, Post, Sighting, Stands
from bot.rules import Rules
from bot.storage import channels, matches
from bot.storage.database import Database
from tests.clocks import HandClock
from tests.made import at

ALFA = Peer(id=-1001000000001, access_hash=1, username="alfa_demo", joined=True)
BETA = Peer(id=-1001000000002, access_hash=2, username="beta_demo", joined=True)
GAMMA = Peer(id=-1001000000003, access_hash=3, username="gamma_demo", joined=True)
PEERS = (ALFA, BETA, GAMMA)
ACCOUNT, SECRET = 77, b"s" * 32
#: Every channel stood at 10 when it was first read.
BEGUN = replace(began_at(10, pts=100), floor=0)
LONG = "Над посольством Сирии в Москве поднят новый флаг, здание работает в обычном режиме, сообщил источник"


def said(number: int, text: str = LONG, peer: Peer = ALFA, *, minutes: float = 0, edited: float | None = None) -> Post:
    """Posted so many minutes after noon."""
    return Post(
        channel=peer.channel,
        number=number,
        date=at(minutes),
        text=text,
        edited=None if edited is None else at(edited),
    )


def part(number: int, text: str = "", album: int = 7) -> Post:
    return replace(said(number, text), album=album, media=(Media(kind="photo"),))


def shows(*shown: Post) -> Haul:
    """A push of posts of one channel."""
    sightings = tuple(Sighting(post.number, Stands.POST, post) for post in shown)
    return Haul(channel=int(shown[0].channel.key), sightings=sightings)


def page(*shown: Post, verified: int | None = None) -> Haul:
    """A page of history that ends with these posts."""
    return replace(shows(*shown), verified=verified or shown[-1].number)


async def begin(database: Database, *peers: Peer, cursor: Cursor = BEGUN) -> None:
    for peer in peers or PEERS:
        await database.write(lambda c, peer=peer: channels.put(c, ACCOUNT, peer, cursor))  # type: ignore[misc]


async def resumed(database: Database, clock: HandClock, by: Rules, secret: bytes = SECRET) -> Ingest:
    """An ingest as a process has it that starts now."""
    ingest = Ingest(database, clock, by, secret)
    await ingest.resume()
    for stored in (await channels.all(database, ACCOUNT)).values():
        ingest.watch(stored.peer, stored.cursor)
    return ingest


@asynccontextmanager
async def running(database: Database, clock: HandClock, by: Rules, secret: bytes = SECRET) -> AsyncIterator[Ingest]:
    """A process from its start to an orderly end."""
    ingest = await resumed(database, clock, by, secret)
    loop = asyncio.create_task(ingest.run())
    yield ingest
    ingest.stop()
    await loop


async def push(ingest: Ingest, *hauls: Haul) -> None:
    """Pushes that are taken as one batch; returns when they are stored."""
    for haul in hauls:
        ingest.take(haul)
    await ingest.store(Haul(channel=ALFA.id))


async def read(ingest: Ingest, hauls: Iterable[Haul]) -> None:
    """The same, of what has been waited for already."""
    await asyncio.gather(*map(ingest.store, hauls))


async def found(database: Database) -> list[str]:
    """The stored matches in the order of commit: where, of which topic, and why it was told or not."""
    stored = await matches.after(database, 0, 10_000)
    return [f"{names(one.channel)}/{one.number} {one.topic} {one.reason}" for one in stored]


async def alerted(database: Database) -> list[str]:
    """The messages to be sent: to whom, in which lane, of which post."""
    rows = await database.rows(
        "SELECT o.destination, o.lane, s.channel, s.number FROM outbox AS o JOIN says AS s ON s.message = o.id "
        "ORDER BY o.id, s.place"
    )
    return [f"{place} {lane} {names(channel)}/{number}" for place, lane, channel, number in rows]


async def held(database: Database) -> list[str]:
    rows = await database.rows(
        "SELECT b.destination, b.reason, h.channel, h.number FROM bundle b JOIN held h ON h.bundle = b.id "
        "ORDER BY b.id, h.channel DESC, h.number"
    )
    return [f"{place} {reason} {names(channel)}/{number}" for place, reason, channel, number in rows]


async def stored_numbers(database: Database, peer: Peer = ALFA) -> list[int]:
    rows = await database.rows("SELECT number FROM message WHERE channel = ? ORDER BY number", (peer.id,))
    return [number for (number,) in rows]


async def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables that an ingest writes."""
    tables = ("message", "version", "match", "member", "told", "bundle", "held", "outbox", "says", "channel")
    return {table: sorted(await database.rows(f"SELECT * FROM {table}"), key=repr) for table in tables}  # noqa: S608


def names(channel: int) -> str:
    return next(peer.username or "" for peer in PEERS if peer.id == channel).removesuffix("_demo")
