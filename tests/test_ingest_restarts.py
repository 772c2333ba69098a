"""A process that starts again goes on where the one before it ended, and tells nothing twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.model import Haul
from bot.query.lexicon import Lexicon
from bot.rules import Rules
from bot.storage import bundles, matches, outbox
from bot.storage.database import Database
from tests.clocks import HandClock
from tests.ingesting import ALFA, BETA, LONG, SECRET, begin, everything, found, page, part, push, running, said, shows
from tests.made import DESK, at, rule, rules


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.opened(tmp_path) as opened:
        await begin(opened)
        yield opened


@pytest.fixture
def by(lexicon: Lexicon) -> Rules:
    return rules(
        rule("syria", "Сирия"),
        rule("bases", "Тартус; Хмеймим", "urgent"),
        rule("talks", "переговоры", "digest"),
        rule("desk", "флаг", destination=DESK),
        lexicon=lexicon,
    )


async def test_the_gap_is_known_after_a_restart(database: Database, clock: HandClock, by: Rules) -> None:
    async with running(database, clock, by) as first:
        await push(first, shows(said(12)))
    async with running(database, clock, by) as second:
        assert second.cursors[ALFA.id].behind
        assert (await second.store(page(said(11)))).verified == 12


async def test_what_was_stored_above_a_gap_is_known_after_a_restart(
    database: Database, clock: HandClock, by: Rules
) -> None:
    async with running(database, clock, by) as first:
        await push(first, shows(said(12)))
        clock.set(at(1))
    async with running(database, clock, by) as second:
        await push(second, shows(said(12)), shows(said(12, LONG + " Хмеймим", edited=1)))
    assert await found(database) == ["alfa/12 syria new", "alfa/12 desk new", "alfa/12 bases urgent"]
    assert len(await database.rows("SELECT 1 FROM version")) == 1


async def test_a_line_that_a_channel_repeats_is_no_hit_after_a_restart_either(
    database: Database, clock: HandClock, by: Rules
) -> None:
    async with running(database, clock, by) as first:
        for number in (11, 12, 13):
            await push(first, shows(said(number, f"Новость {number}\nСирия. Подписаться")))
    before = await found(database)
    async with running(database, clock, by) as second:
        await push(second, shows(said(14, "Новость 14\nСирия. Подписаться")))
    assert await found(database) == before == ["alfa/11 syria new", "alfa/12 syria new"]


async def test_nothing_is_stored_or_told_twice_after_a_restart(database: Database, clock: HandClock, by: Rules) -> None:
    hauls = [
        page(said(11), said(12, "Взрыв в Тартусе")),
        shows(said(11, peer=BETA)),
        shows(said(13), part(14, "Сирия"), part(15)),
        shows(said(13, LONG + " Хмеймим", edited=1)),
        Haul(channel=ALFA.id, gone=(12,)),
    ]
    async with running(database, clock, by) as first:
        for minute, haul in enumerate(hauls):
            clock.set(at(minute))
            await push(first, haul)
    before = await everything(database)
    clock.set(at(20))
    async with running(database, clock, by) as second:
        await push(second, *hauls)
        for haul in reversed(hauls):
            await push(second, haul)
        assert (second.stored, second.matched) == (0, 0)
    assert await everything(database) == before


async def test_a_repeat_of_a_story_from_before_a_restart_folds(database: Database, clock: HandClock, by: Rules) -> None:
    async with running(database, clock, by) as first:
        await push(first, shows(said(11)))
    clock.set(at(600))
    async with running(database, clock, by) as second:
        await push(second, shows(said(11, peer=BETA, minutes=600)))
    assert (await found(database))[2:] == ["beta/11 syria folded", "beta/11 desk folded"]


async def test_what_was_missed_folds_into_what_was_near_it_in_time(
    database: Database, clock: HandClock, by: Rules
) -> None:
    async with running(database, clock, by) as first:
        await push(first, shows(said(11)))
    clock.set(at(50 * 60))
    async with running(database, clock, by) as second:
        await second.store(page(said(11, peer=BETA, minutes=40 * 60)))
    assert (await found(database))[2:] == ["beta/11 syria folded", "beta/11 desk folded"]


async def test_an_edit_after_a_restart_is_known_for_what_it_brings(
    database: Database, clock: HandClock, by: Rules
) -> None:
    async with running(database, clock, by) as first:
        await push(first, shows(said(11)))
    clock.set(at(600))
    async with running(database, clock, by) as second:
        await push(second, shows(said(11, LONG + " Хмеймим", edited=600)))
    assert await found(database) == ["alfa/11 syria new", "alfa/11 desk new", "alfa/11 bases urgent"]
    assert {str(one.story) for one in await matches.after(database, 0, 10)} == {f"{ALFA.id}/11"}


async def test_the_pace_of_the_last_minute_survives_a_restart(database: Database, clock: HandClock, by: Rules) -> None:
    two = replace(by, max_per_minute=2)
    sirens = [shows(said(number, f"Сирия {number}")) for number in range(11, 16)]
    async with running(database, clock, two) as first:
        await push(first, sirens[0])
        clock.set(at(0.5))
        await push(first, sirens[1])
    clock.set(at(0.6))
    async with running(database, clock, two) as second:
        await push(second, sirens[2])
    async with running(database, clock, two) as third:
        await push(third, sirens[3])
    clock.set(at(1.8))
    async with running(database, clock, two) as fourth:
        await push(fourth, sirens[4])
    assert [line.split()[-1] for line in await found(database)] == ["new", "new", "burst", "burst", "new"]
    assert [(bundle.due, bundle.posts) for bundle in await bundles.open_bundles(database)] == [(at(1), 2)]


async def test_a_message_has_the_same_number_whenever_it_is_made(tmp_path: Path, clock: HandClock, by: Rules) -> None:
    made = []
    for name, secret in (("one", SECRET), ("same", SECRET), ("other", b"o" * 32)):
        (tmp_path / name).mkdir()
        async with Database.opened(tmp_path / name) as database:
            await begin(database)
            async with running(database, clock, by, secret) as ingest:
                await push(ingest, shows(said(11)))
            made.append(await database.rows("SELECT key, random_id, text, entities FROM outbox ORDER BY id"))
    assert made[0] == made[1]
    assert {number for _, number, *_ in made[0]}.isdisjoint(number for _, number, *_ in made[2])
    assert [number for _, number, *_ in made[0]] == [outbox.random_id(SECRET, key) for key, *_ in made[0]]


WEEK = 7 * 24 * 60
COLUMN = "Колонна техники вышла из Сирии в сторону границы, дорога перекрыта с утра для всех машин, сообщил источник"


async def test_what_was_told_of_an_old_story_is_known_after_a_restart(
    database: Database, clock: HandClock, by: Rules
) -> None:
    """An edit that brings what another post of the story has told already is no news, however late it comes."""
    async with running(database, clock, by) as first:
        await push(first, shows(said(11, COLUMN)))
        await push(first, shows(said(17, COLUMN + " Хмеймим", peer=BETA, minutes=1)))
    clock.set(at(WEEK))
    async with running(database, clock, by) as second:
        await push(second, shows(said(11, COLUMN + ", Хмеймим", edited=WEEK)))
    assert (await found(database))[-1] == "alfa/11 bases story"
    assert len(await database.rows("SELECT 1 FROM outbox")) == 2


async def test_where_an_old_story_ran_is_known_after_a_restart(database: Database, clock: HandClock, by: Rules) -> None:
    async with running(database, clock, by) as first:
        await push(first, shows(said(11, COLUMN)), shows(said(17, COLUMN, peer=BETA, minutes=1)))
    clock.set(at(WEEK))
    async with running(database, clock, by) as second:
        await push(second, shows(said(11, COLUMN + ", Хмеймим", edited=WEEK)))
    [*_, (text,)] = await database.rows("SELECT text FROM outbox ORDER BY id")
    assert "Also in: @\u2060beta_demo 12:01\n" in text
