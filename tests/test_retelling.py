"""What a message that was sent says now."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import time
from pathlib import Path

import pytest

from bot.model import Haul, Reason
from bot.ports import Lane
from bot.query.lexicon import Lexicon
from bot.render.richtext import Message
from bot.retelling import Retelling
from bot.rules import ChannelRule, Rules
from bot.schedule import QuietHours
from bot.storage import outbox
from bot.storage.database import Database
from bot.storage.outbox import Saying
from tests.clocks import HandClock
from tests.ingesting import ALFA, BETA, LONG, begin, page, part, push, resumed, running, said, shows
from tests.made import DESK, ME, at, rule, rules


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.opened(tmp_path) as opened:
        await begin(opened)
        yield opened


@pytest.fixture
def by(lexicon: Lexicon) -> Rules:
    return rules(
        rule("syria", "Сирия"),
        rule("desk", "флаг", destination=DESK),
        lexicon=lexicon,
        channels={"beta_demo": ChannelRule(label="Бета")},
    )


async def story(database: Database, by: Rules, *hauls: Haul) -> None:
    """Each of them a batch of its own, a minute after the one before."""
    clock = HandClock()
    async with running(database, clock, by) as ingest:
        for minute, haul in enumerate(hauls):
            clock.set(at(minute))
            await push(ingest, haul)


async def now(database: Database, by: Rules, message: int = 1) -> Message:
    made = await Retelling(database, lambda: by).as_now(message)
    assert made is not None
    return made


async def changed(database: Database) -> list[int]:
    return [id_ for (id_,) in await database.rows("SELECT id FROM outbox WHERE changed IS NOT NULL ORDER BY id")]


async def frozen(database: Database, message: int = 1) -> str:
    [(text,)] = await database.rows("SELECT text FROM outbox WHERE id = ?", (message,))
    return str(text)


# --- alerts -----------------------------------------------------------------------------------------------


async def test_what_nothing_happened_to_reads_as_it_was_frozen(database: Database, by: Rules) -> None:
    await story(database, by, shows(said(11)), shows(said(12, "Погода")))
    assert (await now(database, by)).text == await frozen(database)
    assert await changed(database) == []


async def test_another_channel_that_carries_a_story_is_named_by_its_label(database: Database, by: Rules) -> None:
    await story(database, by, shows(said(11)), shows(said(17, peer=BETA, minutes=1)))
    assert await changed(database) == [1, 2]
    assert "Also in: Бета 12:01\n" in (await now(database, by)).text
    assert "Also in" not in await frozen(database)


async def test_a_carrier_that_vanished_is_marked(database: Database, by: Rules) -> None:
    gone = Haul(channel=BETA.id, gone=(17,))
    await story(database, by, shows(said(11)), shows(said(17, peer=BETA, minutes=1)), gone)
    assert "\nAlso in: Бета 12:01 (deleted)\n" in (await now(database, by)).text


async def test_an_edited_post_reads_as_it_does_now(database: Database, by: Rules) -> None:
    await story(database, by, shows(said(11)), shows(said(11, "В Сирии тихо", edited=1)))
    text = (await now(database, by)).text
    assert text.startswith("Syria · edited\n")
    assert "\n\nВ Сирии тихо\n\n" in text


async def test_a_post_that_vanished_is_marked_and_keeps_its_words(database: Database, by: Rules) -> None:
    await story(database, by, shows(said(11)), Haul(channel=ALFA.id, gone=(11,)))
    text = (await now(database, by)).text
    assert text.startswith("Syria · deleted\n")
    assert LONG in text


async def test_a_post_that_only_seemed_to_be_gone_is_no_longer_marked(database: Database, by: Rules) -> None:
    await story(database, by, shows(said(11)), replace(page(said(12, "Погода")), gone=(11,)))
    assert (await now(database, by)).text.startswith("Syria · deleted\n")
    await database.write(lambda c: c.execute("UPDATE outbox SET changed = NULL"))
    async with running(database, HandClock(at(5)), by) as ingest:
        await ingest.store(replace(page(said(11), said(12, "Погода")), read=True))
    assert await changed(database) == [1, 2]
    assert (await now(database, by)).text == await frozen(database)


async def test_an_album_that_grew_reads_as_a_whole(database: Database, by: Rules) -> None:
    parts = (shows(part(12, "Сирия: начало"), part(13)), shows(part(14, "и конец")))
    await story(database, by, *parts)
    assert await changed(database) == [1]
    text = (await now(database, by)).text
    assert "\nСирия: начало\nи конец\n" in text
    assert "3 photos" in text


async def test_an_album_that_got_a_lower_number_is_still_the_one_that_was_told(database: Database, by: Rules) -> None:
    await story(database, by, shows(part(12, "Сирия"), part(13)), shows(part(11, "Раньше всех")))
    text = (await now(database, by)).text
    assert "\nРаньше всех\nСирия\n" in text
    assert text.endswith("t.me/alfa_demo/11")


async def test_hits_that_an_edit_has_taken_are_bold_no_more(database: Database, lexicon: Lexicon) -> None:
    """The word is still there, but the topic is asked of the post no more."""
    by = rules(rule("syria", "Сирия"), rule("flag", "флаг -погода"), lexicon=lexicon)
    await story(database, by, shows(said(11, "Сирия, флаг")), shows(said(11, "Сирия, флаг, погода", edited=1)))
    made = await now(database, by)
    units = made.text.encode("utf-16-le")
    bold = [units[2 * e.offset : 2 * (e.offset + e.length)].decode("utf-16-le") for e in made.entities]
    assert "Сирия" in bold
    assert "флаг" not in bold


async def test_the_hits_of_a_topic_that_was_moved_here_are_bold_too(database: Database, lexicon: Lexicon) -> None:
    before, after = (
        rules(rule("syria", "Сирия", destination=place), rule("flag", "флаг", destination=DESK), lexicon=lexicon)
        for place in (ME, DESK)
    )
    await story(database, before, shows(said(11, "Сирия: новость")))
    async with running(database, HandClock(at(5)), after) as ingest:
        await push(ingest, shows(said(11, "Сирия: новость про флаг", edited=5)))
    [(entities,)] = await database.rows("SELECT entities FROM outbox WHERE destination = '@desk_demo'")
    made = await now(database, after, 2)
    assert [[e.type, e.offset, e.length, e.url] for e in made.entities] == json.loads(entities)
    assert [e.type for e in made.entities].count("bold") == 3


async def test_a_topic_is_called_what_it_is_called_now(database: Database, by: Rules) -> None:
    await story(database, by, shows(said(11)))
    renamed = replace(by, topics={**by.topics, "syria": replace(by.topics["syria"], title="The Levant")})
    assert (await now(database, renamed)).text.startswith("The Levant\n")


async def test_a_topic_that_is_gone_is_called_what_it_was(database: Database, by: Rules) -> None:
    await story(database, by, shows(said(11)))
    without = replace(by, topics={"desk": by.topics["desk"]})
    assert (await now(database, without)).text == await frozen(database)


async def test_a_post_that_came_and_went_at_once_is_told_as_gone(database: Database, by: Rules) -> None:
    clock = HandClock()
    async with running(database, clock, by) as ingest:
        await push(ingest, shows(said(11)), Haul(channel=ALFA.id, gone=(11,)))
    assert await changed(database) == [1, 2]
    assert (await now(database, by)).text.startswith("Syria · deleted\n")


async def test_nothing_is_read_anew_that_tells_of_no_post(database: Database, by: Rules) -> None:
    notice = outbox.Row("notice", ME, Lane.NOTICE, Message("Away"), at(), 1)
    says = (Saying(said(99).id, ALFA.id, 99, ("syria",), urgent=False, edited=False),)
    lost = outbox.Row("lost", ME, Lane.ALERT, Message("Сирия"), at(), 2, says=says)
    await database.write(lambda c: outbox.add(c, [notice, lost]))
    retelling = Retelling(database, lambda: by)
    assert [await retelling.as_now(message) for message in (1, 2, 3)] == [None, None, None]


# --- forwards ---------------------------------------------------------------------------------------------


async def test_the_header_of_a_forward_is_kept_up_to_date(database: Database, by: Rules) -> None:
    by = replace(by, forward=True)
    await story(database, by, shows(said(11)), shows(said(17, peer=BETA, minutes=1)))
    assert await frozen(database) == "Syria\n@\u2060alfa_demo · 8 Dec 2024, 12:00\nt.me/alfa_demo/11"
    text = (await now(database, by)).text
    assert text == "Syria\n@\u2060alfa_demo · 8 Dec 2024, 12:00\nAlso in: Бета 12:01\nt.me/alfa_demo/11"


async def test_where_an_excerpt_was_sent_instead_it_stays_one(database: Database, by: Rules) -> None:
    by = replace(by, forward=True)
    await story(database, by, shows(said(11)), Haul(channel=ALFA.id, gone=(11,)))
    await database.write(lambda c: outbox.replace(c, 1, Message("Excerpt")))
    assert LONG in (await now(database, by)).text


# --- bundles ----------------------------------------------------------------------------------------------


async def bundled(database: Database, *parts: tuple[int, ...]) -> None:
    """A bundle of quiet hours in so many parts, each of posts of one channel by their numbers."""
    await database.write(
        lambda c: c.execute(
            "INSERT INTO bundle (id, destination, reason, since, due, told) VALUES (5, 'me', ?, 0, 3600000000, 1)",
            (Reason.QUIET.value,),
        )
    )
    rows = [
        outbox.Row(
            *(f"bundle 5 {number}", ME, Lane.ALERT, Message("as it was"), at(60), number),
            says=tuple(Saying(said(each).id, ALFA.id, each, ("syria",), urgent=False, edited=False) for each in posts),
            bundle=5,
        )
        for number, posts in enumerate(parts)
    ]
    await database.write(lambda c: outbox.add(c, rows))


TOLD = ("Сирия: первая новость", "Сирия: совсем другое дело", "Флаг Сирии спущен")


async def test_each_part_of_a_bundle_keeps_its_stories(database: Database, by: Rules) -> None:
    quiet = replace(by, quiet=QuietHours(time(11), time(13)))
    await story(database, quiet, *(shows(said(number, text)) for number, text in enumerate(TOLD, 11)))
    await bundled(database, (11, 12), (13,))
    async with running(database, HandClock(at(70)), quiet) as ingest:
        await push(ingest, Haul(channel=ALFA.id, gone=(13,)))
    assert await changed(database) == [2]
    first, second = [await now(database, quiet, message) for message in (1, 2)]
    assert first.text.startswith("While it was quiet: 3 stories\n1 Jan 1970, 00:00 – 01:00\n\nSyria\n")
    assert [text in first.text for text in TOLD] == [True, True, False]
    assert second.text.startswith("Syria · deleted\n")
    assert TOLD[2] in second.text


async def test_a_part_that_would_not_fit_any_more_stays_as_it_is(database: Database, by: Rules) -> None:
    long = "Сирия " + "многих дней " * 40
    await story(database, by, *(shows(said(number, f"{number} {long}")) for number in range(11, 36)))
    await bundled(database, tuple(range(11, 36)))
    [(message,)] = await database.rows("SELECT max(id) FROM outbox")
    assert await Retelling(database, lambda: by).as_now(message) is None


async def test_a_part_that_grew_too_long_tells_less_of_each_story(database: Database, by: Rules) -> None:
    long = "Сирия " + "многих дней " * 40
    await story(database, by, *(shows(said(number, f"{number} {long}")) for number in range(11, 26)))
    await bundled(database, tuple(range(11, 26)))
    [(message,)] = await database.rows("SELECT max(id) FROM outbox")
    made = await now(database, by, message)
    assert made.fits()
    assert made.text.count("t.me/alfa_demo/") == 15


# --- new rules --------------------------------------------------------------------------------------------


async def test_new_rules_are_in_force_from_the_next_batch_on(database: Database, by: Rules, lexicon: Lexicon) -> None:
    """Of posts that were there before, a new topic is no news; references by which channels were found stay known."""
    clock = HandClock()
    ingest = await resumed(database, clock, by)
    ingest.watch(ALFA, ingest.cursors[ALFA.id], ref := next(iter(by.channels)))
    others = rules(rule("weather", "погода", destination=DESK), lexicon=lexicon)
    ingest.take(shows(said(11, "Погода в Сирии")))
    ingest.stop()
    await ingest.run()
    ingest.obey(others)
    assert ingest.rules.found == {ALFA.id: (ref,)}
    for haul in (shows(said(11, "Погода в Сирии!", edited=1)), shows(said(12, "Погода", minutes=1))):
        ingest.take(haul)
    ingest.stop()
    await ingest.run()
    found = await database.rows("SELECT number, topic, destination FROM match ORDER BY id")
    assert found == [(11, "syria", "me"), (12, "weather", "@desk_demo")]
