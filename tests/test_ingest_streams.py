"""Promises of taking in, over random streams: what a kill leaves behind, and what a replay finds.

A stream is made from a seed, which a failure prints.
"""

# ruff: noqa: S311 - seeded, not secret

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Happening, Haul, Match, Peer, Post, Reason, Revision
from bot.ports import Lane
from bot.query.lexicon import Lexicon
from bot.render.richtext import Message
from bot.replay import judgements
from bot.rules import Rules
from bot.schedule import QuietHours
from bot.storage import bundles, matches, outbox
from bot.storage.database import Connection, Database
from bot.text.footers import Footers
from tests.clocks import HandClock
from tests.ingesting import LONG, PEERS, begin, everything, push, read, running, said, shows
from tests.made import DESK, at, rule, rules

pytestmark = pytest.mark.fuzz
#: Each is some dozens of transactions.
cases = settings(max_examples=max(1, int(os.environ.get("VEDETTE_CASES", "800")) // 100), deadline=None)

TEXTS = (
    LONG,
    "Колонна техники вышла из Тартуса в сторону Латакии, дорога из Сирии перекрыта с утра для всех машин",
    "Сирия: тревога",
    "Погода на завтра",
)
ADDED = ("", "", "!", " Хмеймим", " и переговоры", " флаг")


def history(random: random.Random, length: int) -> list[tuple[datetime, list[Haul]]]:
    """What is read of three channels, in batches, each with its moment: posts, edits, deletions, albums."""
    numbers = dict.fromkeys(PEERS, 10)
    living: dict[Peer, dict[int, Post]] = {peer: {} for peer in PEERS}
    minutes, made = 0.0, []
    for _ in range(length):
        minutes += random.choice((0.05, 0.3, 1, 20, 200))
        batch = [
            _move(random, random.choice(PEERS), numbers, living, minutes + 0.001 * place)
            for place in range(random.choice((1, 1, 2, 4)))
        ]
        made.append((at(minutes + 0.01), batch))
    return made


def _move(
    random: random.Random,
    peer: Peer,
    numbers: dict[Peer, int],
    living: dict[Peer, dict[int, Post]],
    minutes: float,
) -> Haul:
    text = random.choice(TEXTS) + random.choice(ADDED)
    what = random.choice(("post", "post", "post", "post", "album", "edit", "edit", "delete"))
    mine = living[peer]
    if what in ("edit", "delete") and mine:
        number = random.choice(list(mine))
        if what == "delete":
            del mine[number]
            return Haul(channel=peer.id, gone=(number,))
        mine[number] = replace(mine[number], text=text, edited=at(minutes))
        return shows(mine[number])
    count = random.randint(2, 4) if what == "album" else 1
    numbers[peer] += random.choice((1, 1, 1, 2))
    first = numbers[peer]
    numbers[peer] += count - 1
    album = first * 100 if what == "album" else None
    posted = minutes - random.choice((0, 0, 0, 0, 40, 500))
    for number in range(first, first + count):
        said_here = text if number == first + count - 1 else ""
        mine[number] = replace(said(number, said_here, peer, minutes=posted), album=album)
    shown = [mine[number] for number in range(first, first + count)]
    if count > 1 and random.random() < 0.5:
        shown = shown[1:]  # the lowest is shown by the next edit, or never
    return shows(*shown)


@pytest.fixture(scope="session")
def strict(lexicon: Lexicon) -> Rules:
    """Rules under which everything happens: bursts, quiet hours, stories of several topics and destinations."""
    return rules(
        rule("syria", "Сирия"),
        rule("bases", "Тартус; Хмеймим", "urgent"),
        rule("talks", "переговоры", "digest"),
        rule("desk", "флаг; тревога", destination=DESK),
        lexicon=lexicon,
        quiet=QuietHours(time(23), time(7)),
        max_per_minute=2,
    )


async def until(database: Database, clock: HandClock, moment: datetime) -> None:
    """Time goes by, and what was held until then is told."""
    clock.set(moment)
    due = [bundle for bundle in await bundles.open_bundles(database) if bundle.due <= moment]
    rows = [
        outbox.Row(f"bundle {one.id}", one.destination, Lane.ALERT, Message(""), one.due, one.id)
        for one in due
        if one.reason is Reason.BURST
    ]

    def work(c: Connection) -> None:
        c.executemany("UPDATE bundle SET told = due WHERE id = ?", [(one.id,) for one in due])
        outbox.add(c, rows)

    await database.write(work)


async def _uninterrupted(folder: Path, stream: Sequence[tuple[datetime, list[Haul]]], by: Rules) -> Any:
    clock = HandClock()
    async with Database.opened(folder) as database:
        await begin(database)
        async with running(database, clock, by) as ingest:
            for moment, batch in stream:
                await until(database, clock, moment)
                await read(ingest, batch)
        return await everything(database)


async def _killed(folder: Path, stream: Sequence[tuple[datetime, list[Haul]]], by: Rules, seed: int) -> Any:
    """Each batch by a process of its own, killed before it does anything else; then much is shown once more."""
    clock, chance = HandClock(), random.Random(seed)
    async with Database.opened(folder) as database:
        await begin(database)
        for number, (moment, batch) in enumerate(stream):
            await until(database, clock, moment)
            async with running(database, clock, by) as ingest:
                await read(ingest, batch)
            if chance.random() < 0.3:
                again = [haul for _, batch in stream[max(0, number - 4) : number + 1] for haul in batch]
                async with running(database, clock, by) as ingest:
                    await read(ingest, chance.sample(again, len(again)))
        return await everything(database)


@cases
@given(seed=st.integers(0, 1 << 32))
def test_a_process_that_is_killed_after_every_batch_leaves_what_one_that_lives_does(strict: Rules, seed: int) -> None:
    stream = history(random.Random(seed), 25)
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        lived = asyncio.run(_uninterrupted(Path(one), stream, strict))
        killed = asyncio.run(_killed(Path(other), stream, strict, seed))
    assert lived == killed


def revisions(random: random.Random, length: int) -> list[Revision]:
    """A recording of three channels: posts, edits and deletions, one at a time."""
    made: list[Revision] = []
    living: dict[tuple[Peer, int], Post] = {}
    minutes = 0.0
    for number in range(11, 11 + length):
        minutes += random.choice((0.01, 0.3, 1, 20, 200))
        text = random.choice(TEXTS) + random.choice(ADDED)
        what = random.choice(("post", "post", "post", "edit", "delete"))
        if what == "post" or not living:
            peer = random.choice(PEERS)
            living[peer, number] = new = said(number, text, peer, minutes=minutes)
            made.append(Revision(Happening.POSTED, at(minutes), new))
            continue
        place = random.choice(list(living))
        if what == "edit":
            living[place] = new = replace(living[place], text=text, edited=at(minutes))
            made.append(Revision(Happening.EDITED, at(minutes), new))
        else:
            made.append(Revision(Happening.DELETED, at(minutes), replace(living.pop(place), deleted=at(minutes))))
    return made


def replayed(stream: Iterable[Revision], by: Rules) -> dict[tuple[str, int, str], tuple[str, str, list[object]]]:
    """Of each post and topic the reason, the story, and the hits as they were found last."""
    found: dict[tuple[str, int, str], tuple[str, str, list[object]]] = {}
    for judgement in judgements(stream, by, Footers()):
        post = judgement.revision.post.id
        for decision in judgement.decisions:
            place = post.channel, post.number, decision.match.topic
            found[place] = decision.reason.value, str(judgement.story), _hits(decision.match)
        for match in judgement.matches:
            place = post.channel, post.number, match.topic
            found[place] = (*found[place][:2], _hits(match))
    return found


def _hits(match: Match) -> list[object]:
    return [hit.as_json() for hit in match.hits]


async def _lived(folder: Path, stream: Iterable[Revision], by: Rules) -> dict[tuple[str, int, str], Any]:
    clock = HandClock()
    async with Database.opened(folder) as database:
        await begin(database)
        async with running(database, clock, by) as ingest:
            for revision in stream:
                clock.set(revision.at)
                gone, post = revision.happening is Happening.DELETED, revision.post
                await push(ingest, Haul(channel=int(post.id.channel), gone=(post.number,)) if gone else shows(post))
        return {
            (str(one.channel), one.number, one.topic): (one.reason.value, str(one.story), json.loads(one.hits))
            for one in await matches.after(database, 0, 10_000)
        }


@cases
@given(seed=st.integers(0, 1 << 32))
def test_the_service_finds_what_a_replay_of_the_same_posts_finds(strict: Rules, seed: int) -> None:
    stream = revisions(random.Random(seed), 40)
    with TemporaryDirectory() as folder:
        lived = asyncio.run(_lived(Path(folder), stream, strict))
    assert lived == replayed(stream, strict)
