"""What stands under the numbers of channels."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cursor import began_at
from bot.model import Channel, Peer, Post, Stands
from bot.recording.writer import body
from bot.storage import channels, posts
from bot.storage.database import Connection, Database
from bot.storage.posts import Message
from tests.made import at

ALFA, BETA = -1001000000001, -1001000000002


def message(  # noqa: PLR0913 - one argument a column
    number: int,
    said: str | None = '{"text":"Сирия"}',
    *,
    channel: int = ALFA,
    album: int | None = None,
    post: int | None = None,
    stands: Stands = Stands.POST,
    deleted: datetime | None = None,
) -> Message:
    return Message(
        channel=channel,
        number=number,
        stands=stands,
        album=album,
        post=post or number,
        date=at(number),
        seen=at(number + 1),
        deleted=deleted,
        digest=b"\x00\xff" * 4 if said else None,
        body=said,
    )


def service(number: int) -> Message:
    return message(number, None, stands=Stands.SERVICE)._replace(date=None)


async def store(database: Database, *messages: Message) -> None:
    await database.write(lambda c: posts.put(c, posts.packed(messages)))


async def begin(database: Database, channel: int, number: int) -> None:
    await database.write(lambda c: channels.put(c, 1, Peer(id=channel, access_hash=1), began_at(number, pts=1)))


async def everything(database: Database) -> list[tuple[int, int, int]]:
    return await database.rows("SELECT channel, number, post FROM message ORDER BY channel DESC, number")


def sorted_by_place(found: Iterable[Message]) -> list[Message]:
    return sorted(found, key=lambda one: (-one.channel, one.number))


async def test_what_is_put_is_found_as_it_was(database: Database) -> None:
    put = [message(7), service(8), message(9, deleted=at(90)), message(3, channel=BETA, album=2**62 + 1, post=2)]
    await store(database, *put)
    found = await posts.known(database, {ALFA: [7, 8, 9, 10], BETA: {3, 4}}, {})
    assert sorted_by_place(found) == put


async def test_a_row_that_is_put_again_is_replaced_as_a_whole(database: Database) -> None:
    await store(database, message(7), message(8))
    changed = Message(ALFA, 7, Stands.UNREADABLE, 5, 6, at(88), at(89), at(90), b"another!", "{}")
    await store(database, changed)
    assert sorted_by_place(await posts.known(database, {ALFA: [7, 8]}, {})) == [changed, message(8)]


async def test_all_rows_of_an_album_are_known_by_it(database: Database) -> None:
    album = [message(number, album=5, post=7) for number in (7, 8, 9)]
    await store(database, *album, message(10), message(3, channel=BETA, album=5))
    assert sorted_by_place(await posts.known(database, {}, {ALFA: [5]})) == album
    assert sorted_by_place(await posts.known(database, {ALFA: [8, 10]}, {ALFA: [5]})) == [*album, message(10)]


async def test_nothing_is_known_of_nothing(database: Database) -> None:
    await store(database, message(7))
    assert await posts.known(database, {}, {}) == []
    assert await posts.known(database, {ALFA: []}, {BETA: []}) == []
    assert await posts.known(database, {ALFA: [8], BETA: [7]}, {ALFA: [7]}) == []


async def test_thousands_are_known_at_once(database: Database) -> None:
    every = [message(number, channel=channel) for channel in (ALFA, BETA) for number in range(1, 3001)]
    await store(database, *every)
    found = await posts.known(database, {ALFA: range(1, 3001), BETA: range(1, 3001)}, {})
    assert sorted_by_place(found) == every


async def test_versions_are_kept_once_each(database: Database) -> None:
    versions = [(ALFA, 7, at(1), "before"), (ALFA, 7, at(2), "then")]
    await database.write(lambda c: posts.keep_versions(c, versions))
    await database.write(lambda c: posts.keep_versions(c, [(ALFA, 7, at(1), "another"), (ALFA, 8, at(1), "more")]))
    found = await database.rows("SELECT number, body FROM version ORDER BY number, until")
    assert found == [(7, "before"), (7, "then"), (8, "more")]


async def test_an_album_moves_to_a_lower_number_with_all_that_hangs_on_it(database: Database) -> None:
    await store(
        database, *[message(number, album=5, post=8) for number in (8, 9)], message(10), message(8, channel=BETA)
    )
    await database.write(_find_and_hold)
    await database.write(lambda c: posts.put(c, posts.packed([message(7, album=5)])))
    await database.write(lambda c: posts.move(c, [(ALFA, 8, 7)]))
    assert await everything(database) == [(ALFA, 7, 7), (ALFA, 8, 7), (ALFA, 9, 7), (ALFA, 10, 10), (BETA, 8, 8)]
    assert await database.rows("SELECT channel, number FROM match ORDER BY id") == [(ALFA, 7), (BETA, 8)]
    assert await database.rows("SELECT channel, number FROM held") == [(ALFA, 7)]


def _find_and_hold(c: Connection) -> None:
    for channel in (ALFA, BETA):
        c.execute(
            "INSERT INTO match (channel, number, topic, title, keywords, hits, story, destination, reason, seen) "
            "VALUES (?, 8, 'syria', 'Syria', '[]', '[]', 'x/8', 'me', 'quiet', 0)",
            (channel,),
        )
    c.execute("INSERT INTO bundle (id, destination, reason, since, due) VALUES (1, 'me', 'quiet', 0, 1)")
    c.execute("INSERT INTO held (bundle, channel, number, seen) VALUES (1, ?, 8, 0)", (ALFA,))


async def test_above_are_the_numbers_behind_the_cursor_of_a_channel(database: Database) -> None:
    await store(database, *[message(number) for number in (6, 7, 9, 12)], message(4, channel=BETA))
    for channel in (ALFA, BETA):
        await begin(database, channel, 7)
    assert await posts.above(database) == {ALFA: {9, 12}}


async def test_living_posts_are_those_that_were_not_deleted(database: Database) -> None:
    await store(
        database,
        *[message(number) for number in (1, 2, 6)],
        message(3, deleted=at(1)),
        service(4),
        message(5, album=1, post=2),
        message(2, channel=BETA),
    )
    assert await posts.numbers(database, ALFA, 2, 5) == {2, 5}
    assert await posts.numbers(database, ALFA, 1, 6) == {1, 2, 5, 6}


async def test_footers_are_learnt_from_the_newest_bodies_oldest_first(database: Database) -> None:
    await store(database, *[message(number, f"{number}") for number in (1, 2, 10, 3)], service(4))
    assert await posts.bodies(database, ALFA, 3) == ["2", "3", "10"]


async def test_an_album_counts_as_one_post(database: Database) -> None:
    assert await posts.count(database) == 0
    await store(database, message(1), *[message(number, album=5, post=7) for number in (7, 8)], service(9))
    assert await posts.count(database) == 2


@pytest.mark.fuzz
@settings(max_examples=int(os.environ.get("VEDETTE_CASES", "60")), deadline=None)
@given(texts=st.lists(st.text(st.characters(codec=None), max_size=30), min_size=1, max_size=4))
def test_a_body_comes_back_to_the_letter(texts: list[str]) -> None:
    """It passes SQLite's JSON on its way; signs that cannot be written, escapes and brackets among it."""
    post = Post(channel=Channel(username="alfa_demo"), number=1, date=at(0), text="")
    rows = [message(number, body(replace(post, text=text))) for number, text in enumerate(texts, 1)]

    async def through(folder: Path) -> list[str | None]:
        async with Database.opened(folder) as database:
            await database.write(lambda c: posts.put(c, posts.packed(rows)))
            found = await posts.known(database, {ALFA: range(1, len(rows) + 1)}, {})
            return [row.body for row in sorted(found)]

    with TemporaryDirectory() as folder:
        assert asyncio.run(through(Path(folder))) == [row.body for row in rows]


async def test_the_dates_of_the_newest_posts_are_found_for_several_channels_at_once(database: Database) -> None:
    other, empty = ALFA - 1, ALFA - 2
    await store(database, message(7), message(9, deleted=at(10)), service(11), message(3, channel=other))
    await store(database, message(12, album=4, post=12), message(13, album=4, post=12))
    assert await posts.newest(database, [ALFA, other, empty]) == {ALFA: at(13), other: at(3)}
    assert await posts.dates(database, [ALFA, other, empty]) == {
        ALFA: [at(7), at(9), at(12), at(13)],
        other: [at(3)],
    }
    assert await posts.newest(database, []) == await posts.dates(database, []) == {}


async def test_dates_reach_back_so_many_numbers_and_no_further(database: Database) -> None:
    await store(database, message(1), message(2), message(posts.MOST_DATED + 1))
    assert await posts.dates(database, [ALFA]) == {ALFA: [at(2), at(posts.MOST_DATED + 1)]}
