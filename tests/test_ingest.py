"""What is taken in is stored, judged and told once, whatever comes in which order and whenever the process ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path
from threading import Event

import pytest

from bot.albums import LONGEST, QUIET
from bot.cursor import began_at
from bot.errors import StorageError
from bot.ingest import Ingest
from bot.model import ChannelRef, Haul, Invite, Post, Reason, Sighting, Stands, Username
from bot.query.lexicon import Lexicon
from bot.query.matcher import Matcher, Topic
from bot.query.parser import parse
from bot.rules import ChannelRule, Rules
from bot.schedule import QuietHours
from bot.storage import bundles, channels, matches
from bot.storage.database import Database
from tests.clocks import HandClock
from tests.ingesting import (
    ALFA,
    BEGUN,
    BETA,
    GAMMA,
    LONG,
    alerted,
    begin,
    found,
    held,
    page,
    part,
    push,
    resumed,
    running,
    said,
    shows,
    stored_numbers,
)
from tests.made import DESK, ME, at, rule, rules


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


@pytest.fixture
async def ingest(database: Database, clock: HandClock, by: Rules) -> AsyncIterator[Ingest]:
    async with running(database, clock, by) as started:
        yield started


# --- stored, and how far a channel was read ---------------------------------------------------------------


async def test_a_page_is_stored_when_its_reader_goes_on(ingest: Ingest, database: Database) -> None:
    cursor = await ingest.store(page(said(11), said(14, "Погода")))
    assert (cursor.verified, cursor.top) == (14, 14)
    assert await stored_numbers(database) == [11, 14]
    assert await channels.cursors(database) == {ALFA.id: cursor, BETA.id: BEGUN, GAMMA.id: BEGUN}
    assert ingest.cursors[ALFA.id] == cursor


async def test_pushes_move_the_cursor_as_far_as_none_is_left_out(ingest: Ingest) -> None:
    behind: list[int] = []
    ingest.behind = behind.append
    await push(ingest, shows(said(11)), shows(said(12)))
    assert (ingest.cursors[ALFA.id].verified, behind) == (12, [])
    await push(ingest, shows(said(15, "Погода")))
    assert (ingest.cursors[ALFA.id].verified, ingest.cursors[ALFA.id].top, behind) == (12, 15, [ALFA.id])


async def test_a_page_closes_the_gap_below_what_was_pushed(ingest: Ingest, database: Database) -> None:
    await push(ingest, shows(said(13)), shows(said(14)))
    cursor = await ingest.store(page(said(11), said(12)))
    assert cursor.verified == 14
    assert (await channels.cursors(database))[ALFA.id] == cursor


async def test_who_was_told_of_a_number_while_a_batch_was_written_remembers_it(
    ingest: Ingest, database: Database
) -> None:
    behind: list[int] = []
    ingest.behind = behind.append
    done = Event()

    def busy(_: object) -> None:
        assert done.wait(5)

    other = asyncio.create_task(database.write(busy))
    storing = asyncio.create_task(ingest.store(page(said(11))))
    await asyncio.sleep(0.05)
    ingest.heard(ALFA.id, 50, 700)
    done.set()
    await asyncio.gather(other, storing)
    cursor = ingest.cursors[ALFA.id]
    assert (cursor.verified, cursor.top, cursor.pts, behind) == (11, 50, 700, [ALFA.id])


async def test_what_comes_while_a_batch_is_written_is_the_next_batch(ingest: Ingest, database: Database) -> None:
    done = Event()

    def busy(_: object) -> None:
        assert done.wait(5)

    other = asyncio.create_task(database.write(busy))
    storing = asyncio.create_task(ingest.store(page(said(11))))
    await asyncio.sleep(0.05)
    ingest.take(shows(said(12)))
    assert not storing.done()
    done.set()
    await asyncio.gather(other, storing)
    await push(ingest)
    assert await stored_numbers(database) == [11, 12]


async def test_a_channel_that_is_not_watched_is_not_taken(ingest: Ingest, database: Database) -> None:
    ingest.take(Haul(channel=-1001999999999, sightings=(Sighting(11, Stands.SERVICE),)))
    await push(ingest)
    assert await database.rows("SELECT 1 FROM message") == []


async def test_a_push_too_many_is_dropped_and_its_channel_is_behind(
    database: Database, clock: HandClock, by: Rules
) -> None:
    ingest, behind = await resumed(database, clock, by), list[int]()
    ingest.behind = behind.append
    for number in range(11, 10_011):
        ingest.take(Haul(channel=ALFA.id, sightings=(Sighting(number, Stands.SERVICE),)))
    assert behind == []
    ingest.take(shows(said(11, peer=BETA)))
    assert behind == [BETA.id]


async def test_stopping_stores_what_waits(database: Database, clock: HandClock, by: Rules) -> None:
    ingest = await resumed(database, clock, by)
    for haul in (shows(said(11)), shows(part(12, "Хомс")), shows(part(13))):
        ingest.take(haul)
    ingest.stop()
    await ingest.run()
    assert await stored_numbers(database) == [11, 12, 13]


async def test_more_than_a_batch_that_waits_when_it_is_stopped_is_stored(
    database: Database, clock: HandClock, by: Rules
) -> None:
    ingest = await resumed(database, clock, by)
    for number in range(11, 1211):
        ingest.take(Haul(channel=ALFA.id, sightings=(Sighting(number, Stands.SERVICE),)))
    ingest.stop()
    await ingest.run()
    assert (await channels.cursors(database))[ALFA.id].verified == 1210


async def test_a_database_that_fails_ends_it(database: Database, clock: HandClock, by: Rules) -> None:
    ingest = await resumed(database, clock, by)
    await database.write(lambda c: c.execute("DROP TABLE message"))
    storing = asyncio.create_task(ingest.store(page(said(11))))
    with pytest.raises(StorageError, match="no such table"):
        await ingest.run()
    with pytest.raises(StorageError, match="no such table"):
        await storing
    assert ingest.cursors[ALFA.id] == BEGUN


async def test_nothing_of_a_batch_is_stored_when_its_last_table_fails(
    database: Database, clock: HandClock, by: Rules
) -> None:
    ingest = await resumed(database, clock, by)
    await database.write(lambda c: c.execute("DROP TABLE outbox"))
    ingest.take(shows(said(11)))
    with pytest.raises(StorageError):
        await ingest.run()
    assert await stored_numbers(database) == []
    assert await found(database) == []
    assert (await channels.cursors(database))[ALFA.id] == BEGUN


# --- judged, with the right reasons -----------------------------------------------------------------------


async def test_a_new_match_is_stored_and_told(ingest: Ingest, database: Database) -> None:
    told: list[int] = []
    ingest.committed = lambda: told.append(1)
    await push(ingest, shows(said(11)))
    assert await found(database) == ["alfa/11 syria new", "alfa/11 desk new"]
    assert await alerted(database) == ["me alert alfa/11", "@desk_demo alert alfa/11"]
    [(text, state, made)] = await database.rows("SELECT text, state, made FROM outbox WHERE destination = 'me'")
    assert LONG in text
    assert (state, made) == ("waits", int(at().timestamp()) * 1_000_000)
    [first, _] = await matches.after(database, 0, 10)
    assert (first.title, json.loads(first.keywords), first.seen) == ("Syria", ["Сирия"], at())
    assert json.loads(first.hits) == [{"in": "text", "start": 16, "end": 21, "text": "Сирии"}]
    assert (str(first.story), first.destination) == (f"{ALFA.id}/11", ME)
    assert (ingest.stored, ingest.matched, told) == (1, 2, [1])


async def test_what_matches_nothing_is_stored_and_not_told(ingest: Ingest, database: Database) -> None:
    told: list[int] = []
    ingest.committed = lambda: told.append(1)
    await push(ingest, shows(said(11, "Погода в Москве")))
    assert await stored_numbers(database) == [11]
    assert (await found(database), await alerted(database), told) == ([], [], [])


async def test_what_is_urgent_goes_in_its_own_lane(ingest: Ingest, database: Database) -> None:
    await push(ingest, shows(said(11, "Взрыв в Тартусе")))
    assert await found(database) == ["alfa/11 bases urgent"]
    assert await alerted(database) == ["me urgent alfa/11"]


async def test_what_only_the_digest_tells_is_no_message(ingest: Ingest, database: Database) -> None:
    await push(ingest, shows(said(11, "Начались переговоры")))
    assert await found(database) == ["alfa/11 talks digest"]
    assert (await alerted(database), await held(database)) == ([], [])


async def test_another_channels_repeat_folds(ingest: Ingest, database: Database) -> None:
    await push(ingest, shows(said(11)))
    await push(ingest, shows(said(11, peer=BETA, minutes=2)))
    assert (await found(database))[2:] == ["beta/11 syria folded", "beta/11 desk folded"]
    assert len(await alerted(database)) == 2
    stories = {one.story for one in await matches.after(database, 0, 10)}
    assert {str(story) for story in stories} == {f"{ALFA.id}/11"}


async def test_a_repeat_in_the_same_batch_folds_into_the_earlier_post(ingest: Ingest, database: Database) -> None:
    await push(ingest, shows(said(11, peer=BETA, minutes=2)), shows(said(11)))
    assert await found(database) == [
        *("alfa/11 syria new", "alfa/11 desk new"),
        *("beta/11 syria folded", "beta/11 desk folded"),
    ]


async def test_a_post_first_seen_late_waits_in_a_bundle(ingest: Ingest, database: Database, clock: HandClock) -> None:
    clock.set(at(31))
    await push(ingest, shows(said(11)))
    assert await found(database) == ["alfa/11 syria late", "alfa/11 desk late"]
    assert await held(database) == ["me late alfa/11", "@desk_demo late alfa/11"]
    assert {bundle.due for bundle in await bundles.open_bundles(database)} == {at(31)}
    assert await alerted(database) == []


async def test_a_post_first_seen_much_too_late_is_left_to_the_digest(
    ingest: Ingest, database: Database, clock: HandClock
) -> None:
    clock.set(at(361))
    await push(ingest, shows(said(11)))
    assert await found(database) == ["alfa/11 syria late", "alfa/11 desk late"]
    assert (await held(database), await alerted(database)) == ([], [])


async def test_a_first_reading_never_alerts(database: Database, clock: HandClock, by: Rules) -> None:
    await begin(database, cursor=began_at(10, pts=100))
    async with running(database, clock, by) as ingest:
        await ingest.store(replace(shows(said(9), said(10, "Взрыв в Тартусе")), floor=8))
        await ingest.store(page(said(11, "Сирия")))
    assert await found(database) == [
        *("alfa/9 syria history", "alfa/9 desk history", "alfa/10 bases history"),
        "alfa/11 syria new",
    ]
    assert await alerted(database) == ["me alert alfa/11"]


async def test_quiet_hours_hold_what_is_not_urgent(database: Database, clock: HandClock, by: Rules) -> None:
    clock.set(at(660))
    quiet = replace(by, quiet=QuietHours(time(23), time(7)))
    async with running(database, clock, quiet) as ingest:
        await push(ingest, shows(said(11, minutes=660)), shows(said(12, "Взрыв в Тартусе", minutes=660)))
    assert await found(database) == ["alfa/11 syria quiet", "alfa/11 desk quiet", "alfa/12 bases urgent"]
    assert await held(database) == ["me quiet alfa/11", "@desk_demo quiet alfa/11"]
    assert {bundle.due for bundle in await bundles.open_bundles(database)} == {at(660) + timedelta(hours=8)}
    assert await alerted(database) == ["me urgent alfa/12"]


async def test_an_edit_that_brings_a_topic_alerts(ingest: Ingest, database: Database, clock: HandClock) -> None:
    await push(ingest, shows(said(11, "Погода в Москве")))
    clock.set(at(5))
    await push(ingest, shows(said(11, "Погода в Сирии", edited=4)))
    assert await found(database) == ["alfa/11 syria edit"]
    [(text,)] = await database.rows("SELECT text FROM outbox")
    assert "edited" in text
    [(body,)] = await database.rows("SELECT body FROM version")
    assert json.loads(body)["text"] == "Погода в Москве"


async def test_an_edit_renews_the_hits_of_what_was_found_before(
    ingest: Ingest, database: Database, clock: HandClock
) -> None:
    await push(ingest, shows(said(11, "Сирия")))
    clock.set(at(5))
    await push(ingest, shows(said(11, "В Сирии тихо", edited=4)))
    [match] = await matches.after(database, 0, 10)
    assert [hit["text"] for hit in json.loads(match.hits)] == ["Сирии"]
    assert (match.reason, match.seen) == (Reason.NEW, at())
    assert len(await alerted(database)) == 1


async def test_a_topic_that_is_new_to_the_rules_makes_no_news_of_an_old_post(
    ingest: Ingest, database: Database, clock: HandClock, lexicon: Lexicon
) -> None:
    await push(ingest, shows(said(11, "Погода в Москве")))
    ingest.obey(rules(rule("city", "Москва"), rule("snow", "снег"), lexicon=lexicon))
    clock.set(at(5))
    await push(ingest, shows(said(11, "Погода в Москве, снег", edited=4)))
    assert await found(database) == ["alfa/11 snow edit"]


async def test_the_rules_are_those_in_force_when_a_batch_is_judged(
    ingest: Ingest, database: Database, lexicon: Lexicon
) -> None:
    ingest.obey(rules(rule("city", "Москва"), lexicon=lexicon))
    await push(ingest, shows(said(11)))
    assert await found(database) == ["alfa/11 city new"]


async def test_a_channel_keeps_label_and_topics_by_whatever_reference_it_was_found(
    database: Database, clock: HandClock, by: Rules
) -> None:
    invite, old_name = Invite("AbCdEfGhIjKlMnOp"), Username("omega_demo")
    configured: dict[ChannelRef, ChannelRule] = {
        invite: ChannelRule(label="Альфа", topics=frozenset({"syria"})),
        old_name: ChannelRule(topics=frozenset({"desk"})),
    }
    async with running(database, clock, replace(by, channels=configured)) as ingest:
        ingest.watch(ALFA, BEGUN, invite)
        ingest.watch(BETA, BEGUN, old_name)
        ingest.watch(ALFA, BEGUN)
        await push(ingest, shows(said(11)), shows(said(11, "Белый флаг над крепостью", peer=BETA)))
        assert await found(database) == ["alfa/11 syria new", "beta/11 desk new"]
        assert ingest.rules.found == {ALFA.id: (invite,), BETA.id: (old_name,)}
        [(text,)] = await database.rows("SELECT text FROM outbox WHERE destination = 'me'")
        assert "Альфа" in text


@pytest.mark.parametrize("together", [True, False])
async def test_an_alert_says_where_else_the_story_ran(
    database: Database, clock: HandClock, lexicon: Lexicon, *, together: bool
) -> None:
    """By the name that the configuration gives the channel."""
    labels = {"alfa_demo": ChannelRule(label="Старший")}
    by = rules(rule("syria", "Сирия"), rule("bases", "Хмеймим", "urgent"), lexicon=lexicon, channels=labels)
    first, second = shows(said(11)), shows(said(11, LONG + " Хмеймим", BETA, minutes=1))
    async with running(database, clock, by) as ingest:
        if not together:
            await push(ingest, first)
        await push(ingest, *([first] if together else []), second)
    [(text,)] = await database.rows("SELECT text FROM outbox WHERE lane = 'urgent'")
    assert "Старший" in text


@pytest.mark.parametrize("together", [True, False])
async def test_an_alert_marks_a_post_elsewhere_that_is_gone(
    database: Database, clock: HandClock, lexicon: Lexicon, *, together: bool
) -> None:
    by = rules(rule("syria", "Сирия"), rule("bases", "Хмеймим", "urgent"), lexicon=lexicon)
    first, second = [shows(said(11)), Haul(channel=ALFA.id, gone=(11,))], shows(said(11, LONG + " Хмеймим", BETA))
    async with running(database, clock, by) as ingest:
        if not together:
            await push(ingest, *first)
        await push(ingest, *(first if together else []), second)
    [(text,)] = await database.rows("SELECT text FROM outbox WHERE lane = 'urgent'")
    assert "\nAlso in: @\u2060alfa_demo 12:00 (deleted)\n" in text


# --- albums -----------------------------------------------------------------------------------------------


async def test_an_album_is_judged_as_one_post(ingest: Ingest, database: Database, clock: HandClock) -> None:
    for haul in (shows(part(11, "Сирия")), shows(part(12)), shows(part(13, "Тартус"))):
        ingest.take(haul)
    await push(ingest)
    assert await stored_numbers(database) == [], "the next may follow"
    await clock.advance(QUIET)
    await push(ingest)
    assert await found(database) == ["alfa/11 syria new", "alfa/11 bases urgent"]
    assert await alerted(database) == ["me urgent alfa/11"]


async def test_an_album_that_does_not_end_is_let_go(ingest: Ingest, database: Database, clock: HandClock) -> None:
    for number in range(11, 11 + 10):
        ingest.take(shows(part(number)))
        await clock.advance(QUIET / 2)
    assert clock.now() > at() + LONGEST
    await push(ingest)
    assert len(await stored_numbers(database)) >= LONGEST // (QUIET / 2)


async def test_a_member_that_is_deleted_leaves_the_album_what_it_is(ingest: Ingest, database: Database) -> None:
    await ingest.store(page(part(11, "Сирия"), part(12, "Тартус"), part(13)))
    for number in (11, 13, 12):
        await push(ingest, Haul(channel=ALFA.id, gone=(number,)))
        assert await database.rows("SELECT DISTINCT post FROM message") == [(11,)], number
    assert {one.number for one in await matches.after(database, 0, 10)} == {11}


async def test_an_album_that_gets_a_lower_number_takes_its_matches_along(
    ingest: Ingest, database: Database, clock: HandClock
) -> None:
    await ingest.store(page(part(12, LONG), part(13)))
    clock.set(at(1))
    await ingest.store(page(part(11, "Тартус"), verified=13))
    assert await found(database) == ["alfa/11 syria new", "alfa/11 desk new", "alfa/11 bases urgent"]
    await push(ingest, shows(said(11, peer=BETA, minutes=2)))
    assert [str(one.story) for one in await matches.after(database, 0, 10)] == [f"{ALFA.id}/12"] * 5
    assert [post for (post,) in await database.rows("SELECT post FROM member ORDER BY id")] == [
        f"{ALFA.id}/11",
        f"{BETA.id}/11",
    ]


# --- what cannot be judged --------------------------------------------------------------------------------


class Fragile(Matcher):
    """Fails on posts that hold a word."""

    def sees(self, post: Post) -> bool:
        if "провал" in post.text:
            raise ValueError(post.text)
        return super().sees(post)


@pytest.fixture
def fragile(by: Rules, lexicon: Lexicon) -> Rules:
    return replace(by, matcher=Fragile([Topic(name="syria", keywords=(parse("Сирия"),))], lexicon))


async def test_what_cannot_be_judged_is_stored_and_the_others_are_judged(
    database: Database, clock: HandClock, fragile: Rules, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(database, clock, fragile) as ingest:
        await push(ingest, shows(said(11)), shows(said(12, "Сирия: провал")), shows(said(13, "Сирия: успех")))
        await push(ingest, shows(said(14, "Сирия: конец")))
        assert ingest.cursors[ALFA.id].verified == 14
    assert await stored_numbers(database) == [11, 12, 13, 14]
    assert await found(database) == ["alfa/11 syria new", "alfa/13 syria new", "alfa/14 syria new"]
    assert len(await alerted(database)) == 3
    assert "batch not judged" in caplog.text


async def test_a_page_that_cannot_be_judged_is_stored_and_its_reader_goes_on(
    database: Database, clock: HandClock, fragile: Rules
) -> None:
    async with running(database, clock, fragile) as ingest:
        cursor = await ingest.store(page(said(11), said(12, "Сирия: провал")))
    assert cursor.verified == 12
    assert await stored_numbers(database) == [11, 12]


async def test_when_a_page_was_last_stored_is_known_whatever_is_pushed(ingest: Ingest, clock: HandClock) -> None:
    await push(ingest, shows(said(11)))
    assert ingest.stored_at is None
    await ingest.store(replace(page(said(11), said(12)), read=True))
    clock.set(at(3))
    await push(ingest, shows(said(13)))
    assert ingest.stored_at == at()
