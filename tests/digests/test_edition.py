"""What is in a digest: all that belongs into it, as it reads now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.model import Haul
from bot.query.lexicon import Lexicon
from bot.rules import ChannelRule
from bot.schedule import QuietHours
from bot.storage import digests, outbox
from bot.storage.times import to_integer
from tests.house import House, Made, another, rules_of, settled
from tests.ingesting import ALFA, BETA, GAMMA, SECRET, said, shows
from tests.made import DESK, ME, at, rule


@pytest.fixture
def by(lexicon: Lexicon) -> Made:
    return rules_of(lexicon)


@pytest.fixture
async def house(tmp_path: Path, by: Made) -> AsyncIterator[House]:
    async with settled(tmp_path, by) as house:
        yield house


async def test_it_holds_what_was_alerted_too_and_how_it_reads_now(house: House, by: Made) -> None:
    await another(house, by(rule("syria", "Сирия", "alert")))
    await house.store(shows(said(11, "В Сирии тихо", minutes=60), said(12, "В Сирии громко", minutes=60)), minutes=60)
    await house.store(shows(said(11, "В Сирии не тихо", minutes=60, edited=90)), minutes=90)
    await house.store(Haul(channel=ALFA.id, gone=(12,)), minutes=91)
    await house.evening()
    [text] = await house.texts()
    assert "• @\u2060alfa_demo · 13:00 · edited\nВ Сирии не тихо" in text
    assert "• @\u2060alfa_demo · 13:00 · deleted\nВ Сирии громко" in text


async def test_what_became_of_an_alerted_post_too_late_for_an_edit_is_told_by_the_next(house: House, by: Made) -> None:
    await another(house, by(rule("syria", "Сирия", "alert")))
    await house.store(shows(said(11, "В Сирии тихо", minutes=60)), minutes=60)
    await house.database.write(lambda c: c.execute("UPDATE outbox SET state = 'sent', sent = made, number = 1"))
    await house.evening()
    two_days = 2 * 1440
    await house.store(shows(said(11, "В Сирии громко", minutes=60, edited=two_days + 70)), minutes=two_days + 70)
    await house.read(two_days + 480.5)
    await house.look(two_days + 480.5)
    _, text = await house.texts()
    assert "UTC · 1 post, 1 story" in text
    assert "· edited\nВ Сирии громко" in text


async def test_a_story_says_where_else_it_ran_and_the_wider_one_comes_first(house: House) -> None:
    await house.store(shows(said(11, "Сирия сама по себе", minutes=1)), minutes=60)
    await house.store(shows(said(12, minutes=60)), minutes=60)
    await house.store(shows(said(31, peer=BETA, minutes=61)), shows(said(51, peer=GAMMA, minutes=62)), minutes=62)
    await house.store(Haul(channel=GAMMA.id, gone=(51,)), minutes=63)
    await house.evening()
    [text] = await house.texts()
    assert text.startswith("Digest: 8 Dec 2024, 12:00 – 20:00\nUTC · 4 posts, 2 stories\n")
    assert "13:00 · 3 channels\n" in text
    assert "Also in: @\u2060beta_demo 13:01, Gamma 13:02 (deleted)\nt.me/alfa_demo/12" in text
    assert text.index("alfa_demo/12") < text.index("alfa_demo/11")


async def test_a_channel_is_called_what_the_configuration_calls_it(house: House) -> None:
    await house.store(shows(said(51, minutes=62, peer=GAMMA)), shows(said(31, peer=BETA, minutes=63)), minutes=63)
    await house.evening()
    [text] = await house.texts()
    assert "• Gamma · 13:02 · 2 channels\n" in text


async def test_stories_beyond_the_most_are_counted(house: House, by: Made) -> None:
    await another(house, by(max_stories=1))
    await house.store(shows(said(11, "Сирия раз", minutes=60)), shows(said(12, "Сирия два", minutes=61)), minutes=61)
    await house.evening()
    [text] = await house.texts()
    assert "Syria: 2 posts, 2 stories" in text
    assert "… and 1 more story" in text
    assert "Сирия два" not in text
    assert await digests.undigested(house.database, ME, history=False) == []


async def test_each_destination_has_a_digest_of_its_own(house: House, by: Made) -> None:
    await another(house, by(rule("syria", "Сирия", "digest"), rule("oil", "нефть", "digest", DESK)))
    await house.store(shows(said(11, "Сирия и нефть", minutes=60)), minutes=60)
    await house.evening()
    [mine], [theirs] = await house.texts(to=ME), await house.texts(to=DESK)
    assert ("Syria: 1 post, 1 story" in mine, "Oil" in mine) == (True, False)
    assert ("Oil: 1 post, 1 story" in theirs, "Syria" in theirs) == (True, False)


async def test_a_topic_that_was_removed_is_told_once_more_as_it_was_called(house: House, by: Made) -> None:
    syria, oil = rule("syria", "Сирия", "digest"), rule("oil", "нефть", "digest", DESK)
    await another(house, by(syria, oil))
    await house.store(shows(said(11, "Сирия и нефть", minutes=60)), minutes=60)
    house.rules = by(rule("gas", "газ", "digest"), channels={"beta_demo": ChannelRule()})
    await house.evening()
    [mine], [theirs] = await house.texts(to=ME), await house.texts(to=DESK)
    assert "Syria: 1 post, 1 story" in mine
    assert "Oil: 1 post, 1 story" in theirs
    await house.read(1920.5)
    await house.look(1920.5)
    assert [len(await house.texts(to=place)) for place in (ME, DESK)] == [2, 1]


async def test_a_destination_that_comes_back_is_not_told_of_the_time_when_it_was_none(house: House, by: Made) -> None:
    house.rules = by(rule("oil", "нефть", "digest", DESK))
    await house.look(100)
    await house.read(3000)
    house.rules = by()
    await house.look(3000)
    assert await house.texts(to=ME) == []


async def test_an_empty_period_may_be_left_out_and_is_over_nevertheless(house: House, by: Made) -> None:
    await another(house, by(empty_digests=False))
    await house.evening()
    assert (await house.texts(), house.woken) == ([], 0)
    await house.store(shows(said(11, "В Сирии тихо", minutes=500)), minutes=500)
    await house.read(1920.5)
    await house.look(1920.5)
    [text] = await house.texts()
    assert text.startswith("Digest: 8 Dec, 20:00 – 9 Dec 2024, 20:00")


@pytest.mark.parametrize(("quiet", "silent"), [("19:00-21:00", True), ("21:00-07:00", False), ("", False)])
async def test_a_digest_within_quiet_hours_comes_silently(house: House, by: Made, quiet: str, silent: bool) -> None:  # noqa: FBT001 - a case
    await another(house, by(quiet=QuietHours.parse(quiet)))
    await house.evening()
    assert await house.database.rows("SELECT silent FROM outbox") == [(silent,)]


async def test_a_large_digest_is_several_messages_in_their_order(house: House, by: Made) -> None:
    await another(house, by(max_stories=1000))
    posts = [said(number, f"Сирия: новость номер {number}, " + "слово " * 40, minutes=60) for number in range(11, 61)]
    await house.store(*map(shows, posts), minutes=61)
    await house.evening()
    texts = await house.texts()
    assert len(texts) > 2
    rows = await house.database.rows("SELECT key, random_id FROM outbox ORDER BY id")
    assert [key for key, _ in rows] == [f"digest 1 {part}" for part in range(1, len(texts) + 1)]
    made = to_integer(at(480.5))
    assert [number for _, number in rows] == [outbox.random_id(SECRET, f"{key} {made}") for key, _ in rows]
    assert sum(text.count("• ") for text in texts) == 50
