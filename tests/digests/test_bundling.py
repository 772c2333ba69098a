"""What was held is told in one message when it is due, and what was told meanwhile is not told again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.digests import bundling
from bot.model import Haul, Reason
from bot.query.lexicon import Lexicon
from bot.render.richtext import Message
from bot.retelling import Retelling
from bot.rules import ChannelRule, Rules
from bot.schedule import QuietHours
from bot.storage import bundles
from bot.storage.database import Database
from bot.storage.outbox import random_id
from bot.storage.times import to_integer
from tests.clocks import HandClock
from tests.house import READ, House
from tests.ingesting import ALFA, BETA, GAMMA, LONG, SECRET, alerted, begin, push, running, said, shows
from tests.made import DESK, at, rule, rules

#: From one in the afternoon to three.
QUIET = QuietHours.parse("13:00-15:00")
OTHER = "На рынке в Дамаске подорожали овощи и хлеб, жители жалуются на перебои с водой и светом"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.opened(tmp_path) as opened:
        await begin(opened, cursor=READ)
        yield opened


def of(lexicon: Lexicon, *, quiet: QuietHours | None = QUIET, most: int = 10) -> Rules:
    return rules(
        rule("syria", "Сирия; Дамаск"),
        rule("bases", "посольство", "urgent"),
        rule("bread", "хлеб", "digest"),
        rule("city", "Дамаск", destination=DESK),
        lexicon=lexicon,
        quiet=quiet,
        max_per_minute=most,
        channels={"gamma_demo": ChannelRule(label="Gamma")},
    )


@pytest.fixture
async def house(database: Database, lexicon: Lexicon) -> House:
    """One in which it is quiet from one to three."""
    return House(database, HandClock(), of(lexicon))


async def messages(house: House) -> list[str]:
    return await house.texts("alert")


async def as_now(house: House) -> list[Message | None]:
    """How the messages of bundles would be edited to read."""
    ids = await house.database.rows("SELECT id FROM outbox WHERE bundle IS NOT NULL ORDER BY id")
    retelling = Retelling(house.database, lambda: house.rules)
    return [await retelling.as_now(id_) for (id_,) in ids]


# --- when ------------------------------------------------------------------------------------------------


async def test_what_waited_for_the_end_of_quiet_hours_is_one_message_to_each_destination(house: House) -> None:
    await house.store(shows(said(11, OTHER, minutes=70)), minutes=70)
    await house.store(shows(said(31, "Сирия: новость без повода", BETA, minutes=80)), minutes=80)
    await house.look(179.9)
    assert await messages(house) == []
    await house.look(180)
    await house.look(181)
    mine, theirs = await messages(house)
    assert mine == (
        "While it was quiet: 2 stories\n8 Dec 2024, 13:10 – 15:00\n\n"
        f"Syria, Bread\n@\u2060alfa_demo · 13:10\n{OTHER}\nt.me/alfa_demo/11\n\n"
        "Syria\n@\u2060beta_demo · 13:20\nСирия: новость без повода\nt.me/beta_demo/31"
    )
    assert theirs.startswith("While it was quiet: 1 story\n8 Dec 2024, 13:10 – 15:00\n\nCity\n")
    assert await alerted(house.database) == ["me alert alfa/11", "me alert beta/31", "@desk_demo alert alfa/11"]
    assert (house.woken, await bundles.open_bundles(house.database)) == (2, [])


async def test_what_was_folded_in_a_burst_is_told_after_a_minute(database: Database, lexicon: Lexicon) -> None:
    house = House(database, HandClock(), of(lexicon, quiet=None, most=1))
    for number, text in enumerate(("Сирия раз", "Сирия два", "Сирия три"), start=11):
        await house.store(shows(said(number, text, minutes=number / 100)), minutes=number / 100)
    await house.look(1.1)
    assert len(await messages(house)) == 1
    await house.look(1.11)
    assert (await messages(house))[1].startswith("2 more alerts within a minute\n")


async def late(house: House, minutes: float, *posts: tuple[int, str]) -> None:
    """Posts of noon that are read only now."""
    house.clock.set(at(minutes))
    async with running(house.database, house.clock, house.rules) as ingest:
        await push(ingest, *(shows(said(number, text)) for number, text in posts))


async def test_what_was_late_is_told_when_a_sweep_has_passed_after_it(database: Database, lexicon: Lexicon) -> None:
    house = House(database, HandClock(), of(lexicon, quiet=None))
    house.passed = at(49)
    await late(house, 50, (11, "Сирия раз"))
    await house.look(50.5)
    await late(house, 51, (12, "Сирия два"))
    await house.look(51)
    assert await messages(house) == []
    house.passed = at(50)
    await house.look(51.1)
    [text] = await messages(house)
    assert text.startswith("While away: 2 stories\n8 Dec 2024, 12:00 – 12:51\n\n")
    assert [one.text for one in await as_now(house) if one] == [text]


async def test_what_was_late_is_told_of_the_channel_that_had_it_first(database: Database, lexicon: Lexicon) -> None:
    """Whichever was read first, and the first story first."""
    house = House(database, HandClock(), of(lexicon, quiet=None))
    house.clock.set(at(95))
    async with running(database, house.clock, house.rules) as ingest:
        await push(ingest, shows(said(51, LONG, GAMMA, minutes=30)), shows(said(52, "Сирия два", GAMMA, minutes=15)))
        await push(ingest, shows(said(11, LONG)), shows(said(12, f"{LONG}!", minutes=31)))
        await push(ingest, shows(said(31, LONG, BETA, minutes=10)), shows(said(30, "Сирия раз", BETA, minutes=-5)))
    await house.look(105)
    [text] = await messages(house)
    assert text.startswith("While away: 3 stories\n8 Dec 2024, 11:55 – 13:35\n\nSyria\n@\u2060beta_demo · 11:55\n")
    assert "\n@\u2060alfa_demo · 12:00\n" in text
    assert "\nAlso in: @\u2060beta_demo 12:10, Gamma 12:30, @\u2060alfa_demo 12:31\nt.me/alfa_demo/11\n" in text
    assert text.index("Сирия два") > text.index("t.me/alfa_demo/11")
    assert [one.text for one in await as_now(house) if one] == [text]


async def test_what_was_late_waits_ten_minutes_at_most(database: Database, lexicon: Lexicon) -> None:
    house = House(database, HandClock(), of(lexicon, quiet=None))
    await late(house, 50, (11, "Сирия раз"))
    await house.look(59.9)
    assert await messages(house) == []
    await house.look(60)
    assert len(await messages(house)) == 1


# --- quiet hours -----------------------------------------------------------------------------------------


async def test_what_was_late_waits_where_it_has_become_quiet(house: House) -> None:
    await late(house, 55, (11, "Сирия раз"))
    house.passed = at(61)
    await house.look(61)
    assert await messages(house) == []
    await house.store(shows(said(12, "Сирия два", minutes=70)), minutes=70)
    await house.look(180)
    assert [text.partition(":")[0] for text in await messages(house)] == ["While away", "While it was quiet"]
    assert await house.database.rows("SELECT DISTINCT silent FROM outbox") == [(0,)]


async def test_what_was_late_is_told_in_quiet_hours_where_some_of_it_is_urgent(house: House) -> None:
    await late(house, 55, (11, "Сирия раз"))
    await late(house, 65, (12, "Посольство закрыто"))
    house.passed = at(66)
    await house.look(66)
    [text] = await messages(house)
    assert text.startswith("While away: 2 stories\n")
    assert "\n\nSyria\n" in text
    assert "\n\n🚨 Urgent · Bases\n" in text
    assert await house.database.rows("SELECT silent FROM outbox") == [(0,)]
    assert [one.text for one in await as_now(house) if one] == [text]


async def test_what_waits_for_quiet_hours_that_were_made_longer_waits_for_their_end(
    house: House, lexicon: Lexicon
) -> None:
    await house.store(shows(said(11, "Сирия раз", minutes=70)), minutes=70)
    house.rules = of(lexicon, quiet=QuietHours.parse("13:00-17:00"))
    await house.look(180)
    await house.store(shows(said(12, "Сирия два", minutes=200)), minutes=200)
    await house.look(299.9)
    assert await messages(house) == []
    await house.look(300)
    [text] = await messages(house)
    assert text.startswith("While it was quiet: 2 stories\n8 Dec 2024, 13:10 – 15:20\n")


async def test_what_waits_for_quiet_hours_that_were_removed_is_told(house: House, lexicon: Lexicon) -> None:
    await house.store(shows(said(11, "Сирия раз", minutes=70)), minutes=70)
    house.rules = of(lexicon, quiet=None)
    await house.look(75)
    [text] = await messages(house)
    assert text.startswith("While it was quiet: 1 story\n8 Dec 2024, 13:10 – 13:15\n")


async def test_what_nobody_told_at_the_end_of_quiet_hours_waits_through_the_next_ones(house: House) -> None:
    await house.store(shows(said(11, "Сирия раз", minutes=70)), minutes=70)
    house.begin()
    await house.look(1440 + 70)
    assert await messages(house) == []
    await house.look(1440 + 180)
    [text] = await messages(house)
    assert text.startswith("While it was quiet: 1 story\n8 Dec 2024, 13:10 – 15:00\n")


async def test_what_would_be_folded_into_quiet_hours_waits_for_their_end(database: Database, lexicon: Lexicon) -> None:
    house = House(database, HandClock(), of(lexicon, most=1))
    for minutes, text in ((59.5, "Сирия раз"), (59.7, "Сирия два")):
        await house.store(shows(said(int(minutes * 10), text, minutes=minutes)), minutes=minutes)
        await house.look(minutes + 0.1)
    assert len(await messages(house)) == 1
    await house.look(180)
    assert (await messages(house))[1].startswith("While it was quiet: 1 story\n8 Dec 2024, 12:59 – 15:00\n")


async def test_what_is_folded_waits_where_it_has_become_quiet(database: Database, lexicon: Lexicon) -> None:
    house = House(database, HandClock(), of(lexicon, quiet=None, most=1))
    for number in (11, 12):
        await house.store(shows(said(number, f"Сирия {number}", minutes=100)), minutes=100)
    house.rules = of(lexicon)
    await house.look(101)
    assert len(await messages(house)) == 1
    await house.look(180)
    assert len(await messages(house)) == 2


# --- a clock that was ahead ------------------------------------------------------------------------------


async def test_what_was_late_by_a_clock_that_was_ahead_is_told_when_it_is_right(
    database: Database, lexicon: Lexicon
) -> None:
    house = House(database, HandClock(), of(lexicon, quiet=None))
    house.passed = at(5)
    await late(house, 300, (11, "Сирия раз"))
    await house.look(5)
    assert len(await messages(house)) == 1


async def test_what_is_folded_by_a_clock_that_was_ahead_is_told_when_it_is_right(
    database: Database, lexicon: Lexicon
) -> None:
    house = House(database, HandClock(), of(lexicon, quiet=None, most=1))
    for number in (11, 12):
        await house.store(shows(said(number, f"Сирия {number}", minutes=1440)), minutes=1440)
    await house.look(1440.5)
    assert len(await messages(house)) == 1
    await house.look(5)
    assert len(await messages(house)) == 2


# --- what ------------------------------------------------------------------------------------------------


async def test_it_reads_as_the_posts_do_when_it_is_told(house: House) -> None:
    await house.store(shows(said(11, "Сирия: сперва так", minutes=70), said(12, OTHER, minutes=70)), minutes=70)
    await house.store(shows(said(51, OTHER, GAMMA, minutes=75)), minutes=75)
    await house.store(shows(said(11, "Сирия: потом иначе", minutes=70, edited=80)), minutes=80)
    await house.store(Haul(channel=ALFA.id, gone=(12,)), minutes=90)
    await house.look(180)
    mine, theirs = await messages(house)
    assert "Syria · edited\n@\u2060alfa_demo · 13:10\nСирия: потом иначе" in mine
    assert f"Syria, Bread · deleted\n@\u2060alfa_demo · 13:10\n{OTHER}\nAlso in: Gamma 13:15" in mine
    assert "City · deleted" in theirs
    assert [one.text for one in await as_now(house) if one] == [mine, theirs]


async def test_it_names_what_a_post_was_held_for_and_what_else_it_is_still_of(house: House) -> None:
    await house.store(shows(said(11, "Сирия: хлеб и соль", minutes=70), said(12, OTHER, minutes=70)), minutes=70)
    await house.store(shows(said(11, "Сирия: соль", minutes=70, edited=80)), minutes=80)
    await house.store(shows(said(12, "Хлеб и соль", minutes=70, edited=81)), minutes=81)
    await house.look(180)
    mine, _ = await messages(house)
    assert "\n\nSyria · edited\n@\u2060alfa_demo · 13:10\nСирия: соль" in mine
    assert "\n\nSyria, Bread · edited\n@\u2060alfa_demo · 13:10\nХлеб и соль" in mine


async def test_what_an_urgent_alert_has_told_is_told_no_more(house: House) -> None:
    await house.store(shows(said(11, "Посол Сирии вернулся, сообщают из Дамаска", minutes=70)), minutes=70)
    await house.store(shows(said(12, "Сирия: ещё одна история", minutes=71)), minutes=71)
    await house.store(shows(said(11, "Посол Сирии вернулся в посольство в Дамаске", minutes=70, edited=75)), minutes=75)
    assert await alerted(house.database) == ["me urgent alfa/11"]
    await house.look(180)
    mine, _ = await messages(house)
    assert mine.startswith("While it was quiet: 1 story\n")
    assert "ещё одна история" in mine


async def test_where_all_was_told_meanwhile_there_is_no_message(house: House) -> None:
    await house.store(shows(said(11, "Посол Сирии вернулся", minutes=70)), minutes=70)
    await house.store(shows(said(11, "Посол Сирии вернулся в посольство", minutes=70, edited=75)), minutes=75)
    await house.look(180)
    assert (await messages(house), await bundles.open_bundles(house.database)) == ([], [])


async def test_a_topic_that_is_removed_is_named_as_it_was(house: House, lexicon: Lexicon) -> None:
    await house.store(shows(said(11, "В Сирии тихо", minutes=70)), minutes=70)
    house.rules = rules(rule("oil", "нефть"), lexicon=lexicon, quiet=QUIET)
    await house.look(180)
    [text] = await messages(house)
    assert "\n\nSyria\n@\u2060alfa_demo" in text


async def test_many_are_several_messages_each_of_which_knows_what_it_tells(house: House) -> None:
    topics = "абвгдежзиклмнопрстуфхцчшщэюя"
    posts = [said(11 + at, f"Сирия: {letter * 9} " + f"{letter * 5}-{at} " * 30) for at, letter in enumerate(topics)]
    house.clock.set(at(70))
    fresh = [shows(said(post.number, post.text, minutes=70)) for post in posts]
    await house.store(*fresh, minutes=70)
    await house.look(180)
    texts = await messages(house)
    assert len(texts) > 1
    rows = await house.database.rows("SELECT key, bundle, random_id FROM outbox ORDER BY id")
    keys, made = [f"bundle 1 {part}" for part in range(1, len(texts) + 1)], to_integer(at(180))
    assert rows == [(key, 1, random_id(SECRET, f"{key} {made}")) for key in keys]
    says = await house.database.rows("SELECT message, number FROM says ORDER BY message, place")
    assert sorted(number for _, number in says) == [post.number for post in posts]
    assert all(f"alfa_demo/{number}" in texts[message - 1] for message, number in says)
    assert [one.text for one in await as_now(house) if one] == texts


# --- once ------------------------------------------------------------------------------------------------


async def test_what_has_changed_while_it_was_composed_is_composed_anew(house: House) -> None:
    await house.store(shows(said(11, "Посол Сирии вернулся", minutes=70)), minutes=70)
    [bundle] = await bundles.open_bundles(house.database)
    before = await bundling.compose(house.database, bundle, house.rules, at(180))
    changes = [
        shows(said(12, "И снова Сирия", minutes=71)),
        shows(said(11, "Посол Сирии не вернулся", minutes=70, edited=72)),
        Haul(channel=ALFA.id, gone=(12,)),
    ]
    for minutes, change in enumerate(changes, start=72):
        await house.store(change, minutes=minutes)
        closed = await house.database.write(lambda c, b=before: bundles.close(c, 1, b.basis, at(180), at(180)))  # type: ignore[misc]
        assert not closed
        before = await bundling.compose(house.database, bundle, house.rules, at(180))
    close = lambda c: bundles.close(c, 1, before.basis, at(180), at(180))  # noqa: E731 - used twice
    assert [await house.database.write(close), await house.database.write(close)] == [True, False]


async def test_two_that_close_it_at_once_tell_it_once(house: House) -> None:
    await house.store(shows(said(11, OTHER, minutes=70)), minutes=70)
    [bundle, _] = await bundles.open_bundles(house.database)
    closing = [bundling.close(house.database, bundle, house.rules, at(180), SECRET) for _ in range(4)]
    assert sorted(await asyncio.gather(*closing), key=str) == [1, None, None, None]
    assert len(await messages(house)) == 1


async def test_what_is_late_is_told_though_more_comes_all_the_while(database: Database, lexicon: Lexicon) -> None:
    """What has come since it was composed waits for the next one."""
    house = House(database, HandClock(), of(lexicon, quiet=None))
    await late(house, 50, (11, "Сирия раз"), (12, LONG))
    house.clock.set(at(60))
    closing, last = asyncio.create_task(house.digests.look()), 12
    async with running(database, house.clock, house.rules) as ingest:
        while not closing.done():
            last += 1
            await push(ingest, shows(said(last, f"Сирия: {last} тонн {last * 7919}")))
    assert len([text for text in await messages(house) if text.startswith("While away: ")]) >= 1
    house.passed = at(61)
    await house.look(61)
    told = await database.rows("SELECT number FROM says ORDER BY number")
    assert told == [(number,) for number in range(11, last + 1)]
    assert await bundles.open_bundles(database) == []


async def test_what_has_changed_of_what_is_late_is_looked_at_again(database: Database, lexicon: Lexicon) -> None:
    house = House(database, HandClock(), of(lexicon, quiet=None))
    await late(house, 50, (11, "Сирия раз"), (12, LONG))
    [bundle] = await bundles.open_bundles(database)
    before = await bundling.compose(database, bundle, house.rules, at(60))
    await late(house, 51, (13, "Сирия три"))
    await house.store(shows(said(51, LONG, GAMMA, minutes=52)), minutes=52)
    cut = lambda c: bundles.cut(c, bundle.id, before.basis, at(60), at(60), more=7)  # noqa: E731 - used twice
    assert await database.write(cut) == {said(12).id}
    assert await database.write(cut) is None
    [rest] = await bundles.open_bundles(database)
    assert (rest.reason, rest.since, rest.posts) == (Reason.LATE, at(51), 1)
    assert await database.rows("SELECT more FROM bundle ORDER BY id") == [(7,), (0,)]


async def test_what_another_message_tells_meanwhile_is_composed_anew(database: Database, lexicon: Lexicon) -> None:
    house = House(database, HandClock(), of(lexicon, quiet=None))
    await late(house, 50, (11, "Посол Сирии вернулся"))
    [bundle] = await bundles.open_bundles(database)
    before = await bundling.compose(database, bundle, house.rules, at(60))
    await house.store(shows(said(11, "Посол Сирии вернулся в посольство", edited=51)), minutes=51)
    assert await alerted(database) == ["me urgent alfa/11"]
    assert await database.write(lambda c: bundles.cut(c, bundle.id, before.basis, at(60), at(60))) is None
    await house.look(60)
    assert (await messages(house), await bundles.open_bundles(database)) == ([], [])


async def test_of_very_many_the_foremost_are_told_and_the_others_are_counted(house: House) -> None:
    house.clock.set(at(70))
    posts = [said(number, f"Сирия: {number} тонн {number * 7919}", minutes=70) for number in range(11, 151)]
    await house.store(*map(shows, posts), minutes=70)
    await house.store(shows(said(51, posts[0].text, GAMMA, minutes=71)), minutes=71)
    await house.look(180)
    texts = await messages(house)
    assert texts[0].startswith(
        "While it was quiet: 140 stories\n8 Dec 2024, 13:10 – 15:00\n"
        "Here are the 100 most widely carried; the digest counts all.\n\n"
    )
    told = [number for (number,) in await house.database.rows("SELECT number FROM says ORDER BY message, place")]
    assert told == [11, *range(52, 151)]
    assert [one.text for one in await as_now(house) if one] == texts


async def test_one_that_ends_in_between_leaves_it_to_the_next(house: House) -> None:
    await house.store(shows(said(11, OTHER, minutes=70)), minutes=70)
    house.clock.set(at(180))
    for turns in range(40):
        look = asyncio.create_task(house.digests.look())
        for _ in range(turns):
            await asyncio.sleep(0)
        look.cancel()
        await asyncio.wait([look])
        house.begin()
    await house.look(180)
    assert len(await messages(house)) == 2
