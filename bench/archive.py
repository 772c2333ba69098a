"""How large the archive becomes: real posts taken in by the service's own code, and what the file then holds.

A hundred channels of twenty posts a day, of which some three in a hundred are of a topic and are told.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.data import posts_of
from bot.cursor import began_at
from bot.ingest import Ingest
from bot.model import Haul, Peer, Post, Sighting, Stands
from bot.query.lexicon import Lexicon
from bot.rules import Rules
from bot.storage import channels
from bot.storage.backups import copy
from bot.storage.database import NAME, Connection, Database
from tests.clocks import HandClock
from tests.made import rule, rules

_CHANNELS, _A_DAY = 100, 20
_YEAR = 365 * _CHANNELS * _A_DAY
#: Of the posts of 2024 and 2025 three in a hundred hold one of these.
_KEYWORDS = "Сирия; Израиль; Иран; беспилотник"
_BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
#: Posts that are stored together, as in a quarter of an hour.
_TOGETHER = 20
_ONCE = timedelta(days=1) / (_CHANNELS * _A_DAY)
_PEERS = [Peer(id=-1001000000000 - at, access_hash=1, username=f"bench_{at:03}_demo") for at in range(_CHANNELS)]


def run(paths: Sequence[Path], lexicon: Lexicon) -> None:
    print(f"\nThe archive: {_CHANNELS} channels, {_A_DAY} posts a day each")
    if not paths:
        print("  the recordings of real posts are absent: skipped")
        return
    posts = [post for path in paths for post in posts_of(path) if post.text]
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_taken_in(Path(folder), posts, rules(rule("bench", _KEYWORDS), lexicon=lexicon)))
        _tell(Path(folder), len(posts))


async def _taken_in(folder: Path, posts: Sequence[Post], by: Rules) -> None:
    clock = HandClock(_BEGIN)
    async with Database.opened(folder) as database:
        cursor = replace(began_at(0, pts=0), history_read=True)
        for peer in _PEERS:
            await database.write(lambda c, peer=peer: channels.put(c, 1, peer, cursor))  # type: ignore[misc]
        ingest = Ingest(database, clock, by, b"s" * 32)
        await ingest.resume()
        for peer in _PEERS:
            ingest.watch(peer, cursor)
        loop = asyncio.create_task(ingest.run())
        for start in range(0, len(posts), _TOGETHER):
            hauls = [_haul(posts[at], at) for at in range(start, min(start + _TOGETHER, len(posts)))]
            clock.set(_BEGIN + _ONCE * (start + _TOGETHER))
            await asyncio.gather(*map(ingest.store, hauls))
        ingest.stop()
        await loop
        await database.write(_sent_and_told)


def _haul(post: Post, at: int) -> Haul:
    peer, number = _PEERS[at % _CHANNELS], at // _CHANNELS + 1
    here = replace(post, channel=peer.channel, number=number, date=_BEGIN + _ONCE * at, edited=None, album=None)
    sighting = Sighting(number, Stands.POST, here)
    return Haul(channel=peer.id, sightings=(sighting,), read=True, verified=number)


def _sent_and_told(c: Connection) -> None:
    """As it is once all messages are sent, and two digests a day have told the matches."""
    c.execute("UPDATE outbox SET state = 'sent', sent = made, number = id, chat = 1, account = 1")
    c.execute("UPDATE match SET digest = 1 + (seen - ?) / 43200000000", (int(_BEGIN.timestamp() * 1_000_000),))


def _tell(folder: Path, count: int) -> None:
    size = (folder / NAME).stat().st_size
    compact = copy(folder, folder / "copy.db", lambda _done, _total: None)
    with closing(sqlite3.connect(folder / NAME)) as c:
        matches, posts, text = (
            c.execute(sql).fetchone()[0]
            for sql in (
                "SELECT count(DISTINCT channel || '/' || number) FROM match",
                "SELECT count(*) FROM message",
                "SELECT sum(length(CAST(body AS BLOB))) FROM message",
            )
        )
    year = size / posts * _YEAR
    print(f"  {count:,} posts, {matches / posts:.1%} of them of the topic; a body has {text / posts:,.0f} bytes")
    print(f"  {size / posts:,.0f} bytes a post with all indexes and what was told; {compact / posts:,.0f} in a backup")
    half = year / 365 * 180
    print(f"  a year of {_YEAR:,} posts: {year / 1e9:.2f} GB; 180 days, as is the default: {half / 1e9:.2f} GB")
    matched = (size - _bare(folder)) / matches
    print(f"  of that, {matched:,.0f} bytes for each post of a topic: match, story, message and what it says")


def _bare(folder: Path) -> int:
    """The size of the same without anything that was found."""
    bare = folder / "bare.db"
    bare.write_bytes((folder / "copy.db").read_bytes())
    with closing(sqlite3.connect(bare, isolation_level=None)) as c:
        for table in ("match", "member", "told", "says", "outbox", "held", "bundle"):
            c.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
        c.execute("VACUUM")
    return bare.stat().st_size
