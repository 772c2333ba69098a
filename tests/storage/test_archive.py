"""What is stored, read back as it happened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.cursor import began_at
from bot.model import Channel, ChatId, Invite, Peer, Post, PostId, Reason, Stands, Username
from bot.recording.writer import body, digest
from bot.storage import archive, channels, matches, posts
from bot.storage.archive import Selection, readings
from bot.storage.database import Database
from bot.storage.matches import StoredMatch
from bot.storage.posts import Message
from tests.made import DESK, at

ALFA = Peer(id=-1001000000001, access_hash=7, username="Alfa_demo", title="Альфа")
BETA = Peer(id=-1001000000002, access_hash=7)


def post(number: int, text: str, minutes: float, peer: Peer = ALFA, *, edited: float | None = None) -> Post:
    when = None if edited is None else at(edited)
    return Post(channel=peer.channel, number=number, date=at(minutes), text=text, edited=when)


async def store(database: Database, now: Post, *before: tuple[Post, datetime], deleted: datetime | None = None) -> None:
    """A message as it reads now, and how it read until these moments."""
    channel = now.channel.id or 0
    row = Message(
        *(channel, now.number, Stands.POST, now.album, now.number, now.date, at(90)),
        *(deleted, digest(now), body(now)),
    )
    kept = [(channel, old.number, until, body(old)) for old, until in before]
    await database.write(lambda c: posts.put(c, posts.packed([row])))
    await database.write(lambda c: posts.keep_versions(c, kept))


async def know(database: Database, *peers: Peer) -> None:
    for peer in peers:
        await database.write(lambda c, peer=peer: channels.put(c, 1, peer, began_at(1, 1)))  # type: ignore[misc]


async def read(database: Database, selection: Selection = archive.ALL) -> list[Post]:
    async with readings(database, selection) as found:
        told = [post async for post in found]
        assert found.total == len(told)
    return told


def brief(told: Iterable[Post]) -> list[tuple[int, str, datetime | None, datetime | None]]:
    return [(post.number, post.text, post.edited, post.deleted) for post in told]


async def test_posts_of_all_channels_come_in_the_order_of_their_dates(database: Database) -> None:
    await know(database, ALFA, BETA)
    for one in (post(1, "а", 3), post(2, "в", 1), post(1, "б", 2, BETA), post(3, "г", 2)):
        await store(database, one)
    told = await read(database)
    assert [one.text for one in told] == ["в", "б", "г", "а"]
    assert told[0].channel == ALFA.channel
    assert told[1].channel == Channel(id=BETA.id)


async def test_of_an_edited_and_deleted_post_each_reading_comes_at_its_moment(database: Database) -> None:
    await know(database, ALFA)
    first, second, third = post(1, "а", 0), post(1, "б", 0, edited=5), post(1, "в", 0, edited=9)
    await store(database, third, (first, at(6)), (second, at(10)), deleted=at(20))
    await store(database, post(2, "другой", 7))
    assert brief(await read(database)) == [
        (1, "а", None, None),
        (1, "б", at(5), None),
        (2, "другой", None, None),
        (1, "в", at(9), None),
        (1, "в", None, at(20)),
    ]


async def test_a_change_without_a_date_of_its_own_is_dated_when_it_was_seen(database: Database) -> None:
    """A link preview arrives: before any edit, and after one, whose date Telegram repeats."""
    await know(database, ALFA)
    first, second, third = post(1, "а", 0), post(1, "б", 0), post(1, "в", 0, edited=5)
    await store(database, replace(third, text="г"), (first, at(2)), (second, at(6)), (third, at(7)))
    assert brief(await read(database)) == [
        (1, "а", None, None),
        (1, "б", at(2), None),
        (1, "в", at(5), None),
        (1, "г", at(7), None),
    ]


async def test_an_edit_older_than_what_was_read_before_it_keeps_its_place(database: Database) -> None:
    await know(database, ALFA)
    await store(database, post(1, "в", 0, edited=1), (post(1, "а", 0), at(2)), (post(1, "б", 0), at(3)))
    assert brief(await read(database)) == [(1, "а", None, None), (1, "б", at(2), None), (1, "в", at(3), None)]


async def test_what_was_edited_before_it_was_first_seen_is_one_reading(database: Database) -> None:
    await know(database, ALFA)
    await store(database, post(1, "а", 0, edited=5))
    assert brief(await read(database)) == [(1, "а", at(5), None)]


async def test_a_span_takes_posts_by_their_date_and_changes_up_to_its_end(database: Database) -> None:
    await know(database, ALFA)
    await store(database, post(1, "рано", 0, edited=11), (post(1, "раньше", 0), at(11)))
    await store(database, post(2, "правка", 10, edited=12), (post(2, "пост", 10), at(12)), deleted=at(20))
    await store(database, post(3, "поздно", 15))
    assert [one.text for one in await read(database, Selection(since=at(10), until=at(15)))] == ["пост", "правка"]
    assert [one.text for one in await read(database, Selection(since=at(15)))] == ["поздно"]


async def test_one_channel_may_be_asked_for_and_what_could_not_be_read_is_counted(database: Database) -> None:
    await know(database, ALFA, BETA)
    await store(database, post(1, "а", 0))
    await store(database, post(1, "б", 0, BETA))
    bare = [(Stands.SERVICE, 2), (Stands.UNREADABLE, 3)]
    rows = [Message(BETA.id, at_, stands, None, at_, None, at(1), None, None, None) for stands, at_ in bare]
    await database.write(lambda c: posts.put(c, posts.packed(rows)))
    async with readings(database, Selection(channel=BETA.id)) as found:
        assert [one.text async for one in found] == ["б"]
        assert found.unreadable == 1
    async with readings(database, Selection(channel=ALFA.id)) as found:
        assert found.unreadable == 0


async def test_more_than_a_page_is_read_to_its_end_as_it_stood_at_the_beginning(database: Database) -> None:
    await know(database, ALFA)
    rows = [
        Message(
            ALFA.id, number, Stands.POST, None, number, at(number), at(1), None, b"", body(post(number, "а", number))
        )
        for number in range(1, 1202)
    ]
    await database.write(lambda c: posts.put(c, posts.packed(rows)))
    seen: list[tuple[int, str]] = []
    async with readings(database, archive.ALL) as found:
        async for one in found:
            if not seen:
                await store(database, post(1200, "позже", 1200))
            seen.append((one.number, one.text))
    assert seen == [(number, "а") for number in range(1, 1202)]
    assert len(await read(database)) == 1201


async def test_matches_come_as_they_were_committed_with_the_channel_and_the_date_of_the_post(
    database: Database,
) -> None:
    await know(database, ALFA)
    await store(database, post(1, "Сирия", 5))
    where = (PostId(str(ALFA.id), 1), DESK)
    rows = [
        StoredMatch(ALFA.id, number, topic, "T", '["Сирия"]', '[{"in":"text"}]', *where, Reason.NEW, None, at(9))
        for number, topic in ((1, "syria"), (1, "war"), (2, "syria"))
    ]
    await database.write(lambda c: matches.add(c, rows))
    found = [one async for one in archive.matches(database)]
    assert [(one.number, one.topic, one.date) for one in found] == [
        (1, "syria", at(5)),
        (1, "war", at(5)),
        (2, "syria", at(9)),  # its post is no longer kept: when it was seen is what is left
    ]
    assert found[0].channel == ALFA.channel
    assert (found[0].keywords, found[0].hits, found[0].reason) == (["Сирия"], [{"in": "text"}], Reason.NEW)
    assert [one.id async for one in archive.matches(database, after=found[0].id)] == [one.id for one in found[1:]]
    assert [one.topic async for one in archive.matches(database, Selection(until=at(6)))] == ["syria", "war"]
    assert [one async for one in archive.matches(database, Selection(channel=BETA.id))] == []


@pytest.mark.parametrize("ref", [Username("alfa_demo"), ChatId(ALFA.id), Username("old_demo"), Invite("AbCdEf123")])
async def test_a_channel_is_found_by_what_it_is_or_was_called(
    database: Database, ref: Username | ChatId | Invite
) -> None:
    await know(database, ALFA, BETA)
    await database.write(lambda c: channels.refer(c, "@old_demo", ALFA.id))
    await database.write(lambda c: channels.refer(c, "t.me/+AbCdEf123", ALFA.id))
    assert await archive.find(database, ref) == ALFA.id
    assert await archive.find(database, Username("nobody_demo")) is None
    assert await archive.find(database, ChatId(-1001000000009)) is None


async def test_what_is_exported_tells_time_in_whole_and_not_in_texts(database: Database) -> None:
    """Dates with fractions of a second, which a recording may hold, are as good as others."""
    await know(database, ALFA)
    soon = timedelta(milliseconds=1500)
    first = replace(post(1, "а", 0), date=at(0) + soon)
    await store(database, replace(first, text="б", edited=at(5) + soon), (first, at(6)))
    told = await read(database)
    assert [(one.text, one.date) for one in told] == [("а", at(0) + soon), ("б", at(0) + soon)]
    assert told[1].edited == at(5) + soon
