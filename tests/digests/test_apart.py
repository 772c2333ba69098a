"""Digests beside the scheduled ones: of first readings, those that are asked for, and those that are only looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.digests.digests import ASKED, last, preview
from bot.model import Peer
from bot.query.lexicon import Lexicon
from bot.schedule import Never
from bot.standing import Standing
from bot.storage import addresses, channels, digests, facts
from bot.storage.addresses import Sought
from bot.storage.database import Database
from bot.storage.times import to_integer
from tests.clocks import HandClock
from tests.house import WATCHED, House, Made, another, rules_of, settled
from tests.ingesting import ACCOUNT, ALFA, BEGUN, BETA, GAMMA, begin, running, said, shows
from tests.made import DESK, ME, at, rule


@pytest.fixture
def by(lexicon: Lexicon) -> Made:
    return rules_of(lexicon)


@pytest.fixture
async def house(tmp_path: Path, by: Made) -> AsyncIterator[House]:
    async with settled(tmp_path, by) as house:
        yield house


# --- first readings -------------------------------------------------------------------------------------


_TALES = {9: "мост открыт", 8: "рынок закрыт на день", 7: "дожди идут с утра", 6: "школы ждут детей в понедельник"}


async def first_reading(house: House, number: int, minutes: float, peer: Peer = ALFA, *, ended: bool) -> None:
    """A page of history, which ends the first reading or not."""
    house.clock.set(at(minutes))
    post = said(number, f"Сирия: {_TALES[number]}", peer, minutes=-100 - number)
    shown = replace(shows(post), read=True, floor=0, history_read=ended)
    async with running(house.database, house.clock, house.rules) as ingest:
        await ingest.store(shown)


@pytest.fixture
async def new(tmp_path: Path, by: Made) -> AsyncIterator[House]:
    """A service that has just begun: nothing was read yet, and two channels are watched."""
    async with Database.opened(tmp_path) as opened:
        await begin(opened, ALFA, BETA, cursor=replace(BEGUN, floor=10))
        house = House(opened, HandClock(), by(channels={name: WATCHED[name] for name in ("alfa_demo", "beta_demo")}))
        await house.look(0)
        yield house


async def test_first_readings_are_told_in_one_digest_of_their_own_when_all_have_ended(new: House) -> None:
    await first_reading(new, 9, 1, ended=False)
    await first_reading(new, 8, 2, ended=True)
    await new.look(2)
    await first_reading(new, 7, 3, BETA, ended=False)
    await new.look(20)
    assert await new.texts() == []
    await first_reading(new, 6, 21, BETA, ended=True)
    await new.read(21, ALFA, BETA)
    await new.look(22)
    await new.look(23)
    [text] = await new.texts()
    assert text.startswith("First reading: 8 Dec 2024, 10:11 – 12:22\nUTC · 4 posts, 4 stories")
    assert text.endswith("\n\n2 channels read")
    new.passed = at(481)
    await new.look(481)
    assert (await new.texts())[1].startswith("Digest: 8 Dec 2024, 12:00 – 20:00\nUTC · nothing found")


async def test_after_a_day_first_readings_that_have_not_ended_are_left_to_the_next(new: House, by: Made) -> None:
    new.rules = by(channels={name: WATCHED[name] for name in ("alfa_demo", "beta_demo")}, digests=Never())
    await first_reading(new, 9, 1, ended=True)
    await new.look(1)
    await new.read(1440.5, ALFA)
    await new.look(1440.9)
    assert await new.texts() == []
    await new.look(1441)
    [text] = await new.texts()
    assert text.endswith("1 channel read\nBehind: @\u2060beta_demo")
    await first_reading(new, 9, 1442, BETA, ended=True)
    await new.look(1442)
    assert len(await new.texts()) == 2


async def test_a_first_reading_by_a_clock_that_was_ahead_is_not_waited_for(new: House) -> None:
    await first_reading(new, 9, 9 * 1440, ended=True)
    await new.look(1)
    assert [text.partition(":")[0] for text in await new.texts()] == ["First reading"]


async def test_channels_that_are_not_found_yet_are_waited_for_and_lost_ones_are_not(new: House, by: Made) -> None:
    new.rules = by(channels={name: WATCHED[name] for name in ("alfa_demo", "beta_demo", "gamma_demo")})
    await new.database.write(lambda c: addresses.seek(c, ACCOUNT, ["@gamma_demo"], at()))
    await new.database.write(lambda c: channels.set_refused(c, BETA.id, "private"))
    await first_reading(new, 9, 1, ended=True)
    await new.look(2)
    assert await new.texts() == []
    tried = Sought("@gamma_demo", Standing.GONE, "nobody is called so", at(), 1, at(60))
    await new.database.write(lambda c: addresses.set_sought(c, ACCOUNT, tried))
    await new.look(3)
    [text] = await new.texts()
    assert text.endswith("1 channel read\nLost: @\u2060beta_demo\nNot found: Gamma")


async def test_a_first_reading_that_brings_nothing_is_not_told(new: House) -> None:
    await first_reading(new, 9, 1, ended=True)
    await new.database.write(lambda c: c.execute("DELETE FROM match"))
    await first_reading(new, 9, 1, BETA, ended=True)
    await new.database.write(lambda c: c.execute("DELETE FROM match"))
    await new.look(100)
    assert await new.texts() == []


# --- asked for ------------------------------------------------------------------------------------------


async def test_a_digest_that_is_asked_for_comes_at_once_and_to_every_destination(house: House, by: Made) -> None:
    topics = rule("syria", "Сирия", "digest"), rule("oil", "нефть", "digest", DESK)
    await another(house, by(*topics, digests=Never(), empty_digests=False))
    await house.store(shows(said(11, "В Сирии тихо", minutes=60)), minutes=60)
    await house.database.write(lambda c: facts.put(c, ASKED, to_integer(at(90))))
    await house.read(89)
    await house.look(90)
    await house.look(91)
    [mine], [theirs] = await house.texts(to=ME), await house.texts(to=DESK)
    assert mine.startswith("Digest: 8 Dec 2024, 12:00 – 13:30\nUTC · 1 post, 1 story")
    assert mine.endswith("\n\n3 channels read")
    assert theirs.startswith("Digest: 8 Dec 2024, 12:00 – 13:30\nUTC · nothing found")
    assert await facts.get(house.database, ASKED) is None
    assert await digests.periods(house.database) == {ME: at(90), DESK: at(90)}


async def test_one_that_is_asked_for_when_the_clock_was_set_back_a_little_ends_where_it_begins(house: House) -> None:
    await house.database.write(lambda c: digests.keep(c, [ME], at(0)))
    await house.database.write(lambda c: facts.put(c, ASKED, to_integer(at(-30))))
    [shown] = await preview(house.database, house.rules, at(-30))
    await house.look(-30)
    [text] = await house.texts()
    assert text.startswith("Digest: 8 Dec 2024, 12:00 – 12:00\n")
    assert [one.text for one in shown.messages] == [text]
    assert await digests.periods(house.database) == {ME: at(0)}


async def test_one_that_is_asked_for_says_who_was_left_out_by_the_last_sweeps(house: House) -> None:
    await house.read(85, BETA)
    await house.read(88, ALFA, GAMMA)
    await house.database.write(lambda c: facts.put(c, ASKED, to_integer(at(90))))
    await house.look(90)
    [text] = await house.texts()
    assert text.endswith("2 channels read\nBehind: @\u2060beta_demo")


async def test_a_preview_shows_the_next_digests_and_changes_nothing(house: House, by: Made, tmp_path: Path) -> None:
    await another(house, by(rule("syria", "Сирия", "digest"), rule("oil", "нефть", "digest", DESK)))
    await house.store(shows(said(11, "В Сирии тихо", minutes=60)), minutes=60)
    async with Database.opened(tmp_path, writable=False) as beside:
        mine, theirs = await preview(beside, house.rules, at(90))
    assert mine.messages[0].text.startswith("Digest: 8 Dec 2024, 12:00 – 13:30\nUTC · 1 post, 1 story")
    assert theirs.messages[0].text.startswith("Digest: 8 Dec 2024, 12:00 – 13:30\nUTC · nothing found")
    assert await digests.periods(house.database) == {ME: at(), DESK: at()}
    assert await house.texts() == []


async def test_the_last_digest_is_shown_again_with_all_of_its_stories(house: House, by: Made) -> None:
    await another(house, by(max_stories=1))
    await house.store(shows(said(11, "Сирия раз", minutes=60)), shows(said(12, "Сирия два", minutes=61)), minutes=61)
    assert await last(house.database, house.rules) == []
    await house.evening()
    await house.store(shows(said(13, "Сирия три", minutes=490)), minutes=490)
    [short] = await last(house.database, house.rules)
    [long] = await last(house.database, house.rules, full=True)
    [sent] = await house.texts()
    assert [one.text for one in short.messages] == [sent]
    assert "Сирия два" in long.messages[0].text
    assert "Сирия три" not in long.messages[0].text


async def test_what_waits_for_a_destination_that_was_put_right_comes_to_the_right_one(
    house: House, by: Made, tmp_path: Path
) -> None:
    await another(house, by(rule("syria", "Сирия", "digest", DESK), rule("oil", "нефть", "digest", DESK)))
    await house.store(shows(said(11, "В Сирии тихо", minutes=60)), minutes=60)
    await house.store(shows(said(12, "Цены на нефть", minutes=61)), minutes=61)
    house.rules = by(rule("oil", "нефть", "digest"))
    async with Database.opened(tmp_path, writable=False) as beside:
        shown = await preview(beside, house.rules, at(90))
    assert [one.made.destination for one in shown] == [ME, DESK]
    house.rules = by(rule("syria", "Сирия", "digest"), rule("oil", "нефть", "digest"))
    async with Database.opened(tmp_path, writable=False) as beside:
        [shown_here] = await preview(beside, house.rules, at(90))
    assert shown_here.digest.posts == 2
    await house.look(90)
    await house.evening()
    [text] = await house.texts()
    assert "В Сирии тихо" in text
    assert "Цены на нефть" in text
    assert await house.texts(to=DESK) == []
