"""Whatever became of messages: exported and read again they went through the same, and nothing is out of order."""

from __future__ import annotations

import asyncio
import os
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cursor import began_at
from bot.model import Happening, Peer, Post, Problem, Stands
from bot.recording.reader import read
from bot.recording.writer import body, digest, line
from bot.storage import archive, channels, posts
from bot.storage.database import Database
from bot.storage.posts import Message
from tests.made import at

pytestmark = pytest.mark.fuzz
cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "150")) // 3, deadline=None)

ALFA = Peer(id=-1001000000001, access_hash=7, username="alfa_demo")


class Reading(NamedTuple):
    """How a message read when it was seen; ``edited`` is what it said of its last edit. In minutes."""

    seen: int
    edited: int | None


class Life(NamedTuple):
    date: int
    readings: list[Reading]
    deleted: int | None


@st.composite
def lives(draw: st.DrawFn) -> Life:
    date = draw(st.integers(0, 20))
    seen = sorted(draw(st.sets(st.integers(date, date + 40), min_size=1, max_size=4)))
    readings = [Reading(at_, draw(st.none() | st.integers(date, at_))) for at_ in seen]
    return Life(date, readings, draw(st.none() | st.integers(seen[-1] + 1, 70)))


def post(number: int, life: Life, turn: int) -> Post:
    edited = life.readings[turn].edited
    return Post(
        channel=ALFA.channel,
        number=number,
        date=at(life.date),
        text=f"{number}/{turn}",
        edited=None if edited is None else at(edited),
    )


async def exported(known: list[Life]) -> list[str]:
    with TemporaryDirectory() as folder:
        async with Database.opened(Path(folder)) as database:
            await database.write(lambda c: channels.put(c, 1, ALFA, began_at(1, 1)))
            for number, life in enumerate(known, 1):
                now = post(number, life, len(life.readings) - 1)
                deleted = None if life.deleted is None else at(life.deleted)
                row = Message(
                    *(ALFA.id, number, Stands.POST, None, number, now.date, at(life.readings[0].seen)),
                    *(deleted, digest(now), body(now)),
                )
                versions = [
                    (ALFA.id, number, at(after.seen), body(post(number, life, turn)))
                    for turn, after in enumerate(life.readings[1:])
                ]
                await database.write(lambda c, row=row: posts.put(c, posts.packed([row])))  # type: ignore[misc]
                await database.write(lambda c, versions=versions: posts.keep_versions(c, versions))  # type: ignore[misc]
            async with archive.readings(database, archive.ALL) as found:
                return [line(one) async for one in found]


@cases
@given(st.lists(lives(), min_size=1, max_size=4))
def test_an_export_tells_each_message_as_it_was_seen(known: list[Life]) -> None:
    problems: list[Problem] = []
    with TemporaryDirectory() as folder:
        path = Path(folder, "out.jsonl")
        path.write_text("".join(asyncio.run(exported(known))), "utf-8")
        told = list(read([path], problems.append))
    assert problems == []
    for number, life in enumerate(known, 1):
        mine = [each for each in told if each.post.number == number]
        gone = [each for each in mine if each.happening is Happening.DELETED]
        assert [each.at for each in gone] == ([] if life.deleted is None else [at(life.deleted)])
        texts = [each.post.text for each in mine if each.happening is not Happening.DELETED]
        assert [text for text, _ in groupby(texts)] == [f"{number}/{turn}" for turn in range(len(life.readings))]
        assert mine[0].at == at(life.date)
