"""The service tells what a replay of the same posts tells: the same messages, at the same moments.

A stream is made from a seed, which a failure prints.
"""

# ruff: noqa: S311 - seeded, not secret

from __future__ import annotations

import os
import random
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.desk import Telling
from bot.model import Alert, Bundle, Happening, Haul, Post, Revision
from bot.query.lexicon import Lexicon
from bot.render.alert import alert
from bot.render.bundle import bundle
from bot.render.digest import digest
from bot.replay import tellings
from bot.rules import ChannelRule, Rules
from bot.schedule import Daily, QuietHours, next_moment
from bot.storage import bundles
from bot.storage.database import Database
from bot.storage.times import from_integer
from bot.text.footers import Footers
from tests.clocks import HandClock
from tests.house import READ, House
from tests.ingesting import LONG, PEERS, begin, running, said, shows
from tests.made import DESK, at, rule, rules

pytestmark = pytest.mark.fuzz
#: Each is some dozens of transactions.
cases = settings(max_examples=max(1, int(os.environ.get("VEDETTE_CASES", "800")) // 100), deadline=None)

TEXTS = (
    LONG,
    "Колонна техники вышла из Тартуса в сторону Латакии, дорога из Сирии перекрыта с утра для всех машин",
    "Сирия: тревога",
    "Переговоры о нефти идут",
)
ADDED = ("", "", "!", " Хмеймим", " и переговоры", " флаг")
#: Minutes after the first noon, when all is over.
_EVER = 99 * 1440
#: What was told: when, to whom, and its parts.
Told = tuple[datetime, str, tuple[str, ...]]


def stream(seed: int, length: int) -> list[Revision]:
    """What happens in three channels over some days, everything at a moment of its own."""
    chance = random.Random(seed)
    minutes, living, made = 0.0, list[Post](), list[Revision]()
    for number in range(length):
        minutes += chance.choice((0.05, 0.3, 1, 20, 200)) + 0.0001
        text = chance.choice(TEXTS) + chance.choice(ADDED)
        what = chance.choice(("post", "post", "post", "edit", "delete")) if living else "post"
        if what == "post":
            living.append(said(11 + number, text, chance.choice(PEERS), minutes=minutes))
            made.append(Revision(Happening.POSTED, at(minutes), living[-1]))
            continue
        place = chance.randrange(len(living))
        if what == "edit":
            # A post that waits is told of the topics that it is of then; a replay names those that it was of when it
            # began to wait. So an edit changes nothing about the topic that only digests tell.
            text = text.replace("ереговоры", "ыль") + " переговоры" * ("ереговоры" in living[place].text)
            living[place] = replace(living[place], text=text, edited=at(minutes))
            made.append(Revision(Happening.EDITED, at(minutes), living[place]))
        else:
            gone = living.pop(place)
            made.append(Revision(Happening.DELETED, at(minutes), replace(gone, deleted=at(minutes))))
    return made


@pytest.fixture(scope="session")
def strict(lexicon: Lexicon) -> Rules:
    """Rules under which everything happens: bursts, quiet hours, stories of several topics and destinations."""
    return rules(
        rule("syria", "Сирия"),
        rule("bases", "Тартус; Хмеймим", "urgent"),
        rule("talks", "переговоры", "digest"),
        rule("desk", "флаг; тревога", destination=DESK),
        lexicon=lexicon,
        channels={peer.username or "": ChannelRule() for peer in PEERS},
        quiet=QuietHours(time(23), time(7)),
        digests=Daily((time(8), time(20))),
        zone="Europe/Berlin",
        max_per_minute=2,
        late_after=timedelta(days=99),
    )


def replayed(revisions: Sequence[Revision], by: Rules) -> list[Told]:
    """What a replay tells of them, without edits of what was told."""
    found = (one for one in tellings(revisions, by, Footers(), at()) if one.instead_of is None)
    return sorted((one.at, str(one.message.destination), _parts(one, by)) for one in found)


def _parts(one: Telling, by: Rules) -> tuple[str, ...]:
    match one.message:
        case Alert():
            texts = [alert(one.message, by.zone).text]
        case Bundle():
            texts = [_without_topics(part.message.text) for part in bundle(one.message, by.zone)]
        case _:
            texts = [_without_foot(message.text) for message in digest(one.message, by.zone)]
    return tuple(texts)


def _without_topics(text: str) -> str:
    """What was edited while it waited may be of others by now."""
    return _EDITED.sub(r"\1", text)


_EDITED = re.compile(r"^[\w, ]+( · edited)", re.MULTILINE)


def _without_foot(text: str) -> str:
    """A replay knows only the channels of its recordings."""
    return text.rpartition("\n\n")[0] if text.endswith(" read") else text


async def served(revisions: Sequence[Revision], by: Rules, folder: Path) -> list[Told]:
    """What a service tells of them, up to the first digest behind the last one."""
    clock = HandClock()
    async with Database.opened(folder) as database:
        await begin(database, cursor=READ)
        house = House(database, clock, by)
        await house.read(_EVER)
        await house.digests.look()
        async with running(database, clock, by) as ingest:
            for revision in revisions:
                await _until(house, revision.at)
                clock.set(revision.at)
                await ingest.store(_pushed(revision))
            await _until(house, at(_EVER), digests=1)
        rows = await database.rows("SELECT made, destination, lane, text, key FROM outbox ORDER BY id")
    told: dict[str, Told] = {}
    for made, to, lane, text, key in rows:
        whole = key if lane in {"alert", "urgent"} and key.startswith("alert") else key.rpartition(" ")[0]
        before = told[whole][2] if whole in told else ()
        shown = _without_foot(text) if lane == "digest" else text
        shown = _without_topics(text) if key.startswith("bundle") else shown
        told[whole] = from_integer(made), to, (*before, shown)
    return sorted(told.values())


def _pushed(revision: Revision) -> Haul:
    post = revision.post
    if revision.happening is Happening.DELETED:
        return Haul(channel=int(post.channel.key), gone=(post.number,))
    return shows(post)


async def _until(house: House, moment: datetime, *, digests: int = 999) -> None:
    """Time goes by until then, or until so many digests were due, and what is due is told at its moment."""
    while digests:
        open_ = await bundles.open_bundles(house.database)
        # A sweep passes at once; a digest holds all of its moment.
        digest = next_moment(house.rules.digests, house.rules.zone, house.clock.now()) or moment
        due = min([digest, *(one.due for one in open_)])
        if due >= moment:
            return
        house.clock.set(max(due, house.clock.now()))
        house.passed = house.clock.now()
        await house.digests.look()
        digests -= due == digest


async def test_of_very_many_it_tells_the_same_ones(strict: Rules, tmp_path: Path) -> None:
    """Many posts at night, some of which other channels repeat."""
    night = 12 * 60
    posts = [
        said(11 + n, f"Сирия: {n} {LONG if n == 7 else n * 7919}", PEERS[n % 3], minutes=night + n / 100)
        for n in range(150)
    ]
    posts += [said(200 + n, posts[n].text, PEERS[2], minutes=night + 5 + n) for n in (7, 30)]
    revisions = [Revision(Happening.POSTED, post.date, post) for post in posts]
    made = replayed(revisions, strict)
    assert any("Here are the 100 most widely carried" in parts[0] for _, _, parts in made)
    assert await served(revisions, strict, tmp_path) == made


@cases
@given(seed=st.integers(0, 2**32), length=st.integers(1, 30))
async def test_a_service_tells_what_a_replay_tells(strict: Rules, seed: int, length: int) -> None:
    revisions = stream(seed, length)
    with TemporaryDirectory() as folder:
        assert await served(revisions, strict, Path(folder)) == replayed(revisions, strict)
