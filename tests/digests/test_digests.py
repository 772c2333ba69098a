"""Digests are made at their time, each once, whatever happens in between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from bot.digests.coverage import coverage
from bot.digests.digests import ASKED
from bot.digests.edition import Gap, edition, put
from bot.errors import StorageError
from bot.query.lexicon import Lexicon
from bot.rules import ChannelRule
from bot.schedule import Daily, Never, Policy
from bot.standing import Standing
from bot.storage import addresses, channels, digests, facts
from bot.storage.addresses import Sought
from bot.storage.database import Connection
from bot.storage.digests import Made as Kept
from bot.storage.times import from_integer, to_integer
from tests.house import WATCHED, House, Made, another, rules_of, settled
from tests.ingesting import ACCOUNT, ALFA, BETA, SECRET, said, shows
from tests.made import DESK, ME, at, rule

#: Eight in the evening, when the tests' digests are due.
EVENING = at(480)


@pytest.fixture
def by(lexicon: Lexicon) -> Made:
    return rules_of(lexicon)


@pytest.fixture
async def house(tmp_path: Path, by: Made) -> AsyncIterator[House]:
    async with settled(tmp_path, by) as house:
        yield house


# --- when a digest is made ------------------------------------------------------------------------------


async def test_a_digest_is_made_when_a_sweep_has_passed_its_moment(house: House) -> None:
    await house.store(shows(said(11, "В Сирии тихо", minutes=60)), minutes=60)
    await house.read(479)
    await house.look(479.9)
    await house.look(481)
    assert await house.texts() == []
    await house.read(480.5)
    await house.look(481.5)
    [text] = await house.texts()
    assert text == (
        "Digest: 8 Dec 2024, 12:00 – 20:00\nUTC · 1 post, 1 story\n\nSyria: 1 post, 1 story\n▁█▁▁▁▁▁▁▁▁▁▁\n\n"
        "• @\u2060alfa_demo · 13:00\nВ Сирии тихо\nt.me/alfa_demo/11\n\n3 channels read"
    )
    assert house.woken == 1


async def test_it_holds_what_was_committed_while_it_waited_and_nothing_twice(house: House) -> None:
    await house.store(shows(said(11, "В Сирии тихо", minutes=60)), minutes=60)
    await house.look(480)
    await house.store(shows(said(12, "И снова Сирия", minutes=480.1)), minutes=480.2)
    await house.evening()
    await house.look(500)
    [text] = await house.texts()
    assert "2 posts, 2 stories" in text
    await house.read(1920)
    await house.look(1920)
    _, following = await house.texts()
    assert following.startswith("Digest: 8 Dec, 20:00 – 9 Dec 2024, 20:00\nUTC · nothing found\n\n3 channels read")


async def test_it_waits_ten_minutes_and_then_names_who_is_behind_or_lost(house: House) -> None:
    await house.store(shows(said(11, "В Сирии тихо", minutes=60)), minutes=60)
    await house.read(490, ALFA)
    await house.database.write(lambda c: channels.set_refused(c, BETA.id, "private"))
    for minutes in (480, 484, 488, 489.9):
        await house.look(minutes)
    assert await house.texts() == []
    await house.look(490)
    [text] = await house.texts()
    assert text.endswith("1 channel read\nBehind: Gamma\nLost: @\u2060beta_demo")


async def test_after_a_start_it_waits_ten_minutes_from_then_on(house: House) -> None:
    house.passed = None
    house.clock.set(at(600))
    house.begin()
    for minutes in (600, 604, 608, 609.9):
        await house.look(minutes)
    assert await house.texts() == []
    await house.look(610)
    assert len(await house.texts()) == 1


async def test_a_machine_that_slept_reads_first_what_it_missed(house: House) -> None:
    await house.look(479)
    for minutes in (600, 604, 608):  # as if nothing had been in between
        await house.look(minutes)
    assert await house.texts() == []
    await house.read(608.5)
    await house.look(609)
    assert len(await house.texts()) == 1


async def test_references_that_lead_nowhere_are_not_found_and_those_not_asked_for_yet_are_behind(
    house: House, by: Made
) -> None:
    refs = {**WATCHED, "delta_demo": ChannelRule(), "epsilon_demo": ChannelRule(label="Epsilon")}
    await another(house, by(channels=refs))
    seek = ["@delta_demo", "@epsilon_demo", "@not_configured_demo"]
    await house.database.write(lambda c: addresses.seek(c, ACCOUNT, seek, at()))
    tried = Sought("@epsilon_demo", Standing.GONE, "nobody is called so", at(), 1, at(60))
    await house.database.write(lambda c: addresses.set_sought(c, ACCOUNT, tried))
    await house.evening()
    [text] = await house.texts()
    assert text.endswith("3 channels read\nBehind: @\u2060delta_demo\nNot found: Epsilon")


async def test_channels_that_are_watched_no_more_are_not_named(house: House, by: Made) -> None:
    await another(house, by(channels={"alfa_demo": ChannelRule()}))
    await house.read(481, ALFA)
    for minutes in (480, 484, 488, 490):
        await house.look(minutes)
    [text] = await house.texts()
    assert text.endswith("\n\n1 channel read")


async def test_channels_of_the_folder_are_watched_too(house: House, by: Made) -> None:
    await another(house, by(channels={"alfa_demo": ChannelRule()}))
    house.folder = "News"
    kept = json.dumps({"account": ACCOUNT, "name": "News", "channels": {str(BETA.id): "Beta"}})
    await house.database.write(lambda c: facts.put(c, "folder", kept))
    await house.evening()
    [text] = await house.texts()
    assert text.endswith("\n\n2 channels read")


async def test_missed_digests_are_one_that_tells_of_the_time_up_to_now(house: House) -> None:
    await house.store(shows(said(11, "В Сирии тихо", minutes=60)), minutes=60)
    days = 3 * 1440
    house.clock.set(at(days))
    house.begin()
    house.passed = None
    await house.look(days)
    await house.store(shows(said(12, "И снова Сирия", minutes=1000)), minutes=days + 0.5)
    await house.read(days + 1)
    await house.look(days + 1)
    await house.look(days + 2)
    [text] = await house.texts()
    assert text.startswith("Digest: 8 Dec, 12:00 – 11 Dec 2024, 12:01\nUTC · 2 posts, 2 stories")
    await house.read(days + 480.5)
    await house.look(days + 480.5)
    _, following = await house.texts()
    assert following.startswith("Digest: 11 Dec 2024, 12:01 – 20:00\nUTC · nothing found")


async def test_a_schedule_of_every_minute_starves_nobody(house: House, by: Made) -> None:
    """Where sweeps are slower than the schedule, the moment that was passed counts."""
    every = Daily(tuple(time(hour, minute) for hour in range(24) for minute in range(60)))
    await another(house, by(digests=every))
    await house.read(1.5)
    await house.look(3)
    [text] = await house.texts()
    assert text.startswith("Digest: 8 Dec 2024, 12:00 – 12:01")
    for minutes in range(4, 12):
        await house.look(minutes)
    assert len(await house.texts()) == 1
    await house.look(12)
    assert (await house.texts())[1].startswith("Digest: 8 Dec 2024, 12:01 – 12:12")


@pytest.mark.parametrize(
    ("night", "policy"),
    [
        (datetime(2025, 3, 29, 12, tzinfo=UTC), Daily((time(2, 30),))),  # 02:30 does not exist on the 30th
        (datetime(2025, 10, 25, 12, tzinfo=UTC), Daily((time(2, 30),))),  # 02:30 comes twice on the 26th
    ],
)
async def test_the_nights_of_the_change_neither_skip_nor_double_it(
    house: House, by: Made, night: datetime, policy: Policy
) -> None:
    house.rules = by(zone="Europe/Berlin", digests=policy)
    house.clock.set(night - timedelta(days=1))
    await house.database.write(lambda c: c.execute("DELETE FROM period"))
    await house.digests.look()
    for minutes in range(0, 4 * 1440, 4):
        house.clock.set(night - timedelta(days=1) + timedelta(minutes=minutes))
        house.passed = house.clock.now()
        await house.digests.look()
    made = await house.database.rows("SELECT until FROM digest ORDER BY id")
    local = [from_integer(until).astimezone(house.rules.zone) for (until,) in made]
    assert [day.day for day in local] == [(night + timedelta(days=days)).day for days in range(4)]


async def test_a_clock_that_was_wrong_does_not_stop_the_digests(house: House) -> None:
    house.clock.set(at(365 * 1440))
    await house.database.write(lambda c: digests.keep(c, [ME], at()))
    await house.read(365 * 1440)
    await house.digests.look()
    assert len(await house.texts()) == 1
    await house.look(60)
    await house.evening()
    assert (await house.texts())[1].startswith("Digest: 8 Dec 2024, 13:00 – 20:00")


async def test_a_clock_that_steps_back_a_little_makes_no_digest_twice(house: House) -> None:
    await house.evening()
    await house.look(479.9)
    await house.read(481)
    await house.look(481)
    assert len(await house.texts()) == 1


async def test_without_a_schedule_no_digest_comes_by_itself(house: House, by: Made) -> None:
    await another(house, by(digests=Never()))
    await house.store(shows(said(11, "В Сирии тихо", minutes=60)), minutes=60)
    await house.read(9000)
    await house.look(9000)
    assert await house.texts() == []
    house.rules = by()
    await house.look(9001)
    assert await house.texts() == []
    await house.read(6 * 1440 + 481)
    await house.look(6 * 1440 + 481)
    [text] = await house.texts()
    assert text.startswith("Digest: 8 Dec, 12:00 – 14 Dec 2024, 20:00\n")
    assert "В Сирии тихо" in text


async def test_a_moment_that_is_added_when_it_is_past_counts_from_the_next_day_on(house: House, by: Made) -> None:
    await house.evening()
    house.rules = by(digests=Daily((time(11), time(20))))
    for day, (minutes, made) in enumerate([(485, 1), (1320, 1), (1380.5, 2), (1920.5, 3)]):
        await house.read(minutes)
        await house.look(minutes)
        assert len(await house.texts()) == made, day
    assert (await house.texts())[1].startswith("Digest: 8 Dec, 20:00 – 9 Dec 2024, 11:00\n")


async def test_a_moment_that_is_waited_for_is_not_lost_with_a_new_schedule(house: House, by: Made) -> None:
    await house.look(480)
    house.rules = by(digests=Daily((time(11),)))
    await house.look(481)
    assert await house.texts() == []
    await house.read(482)
    await house.look(482)
    [text] = await house.texts()
    assert text.startswith("Digest: 8 Dec 2024, 12:00 – 20:00\n")


async def test_a_schedule_of_a_clock_that_was_ahead_is_kept_when_it_is_right(house: House, by: Made) -> None:
    await house.look(9 * 1440)
    house.rules = by(digests=Daily((time(20),)))
    await house.look(9 * 1440)
    house.rules = by(digests=Daily((time(19), time(20))))
    await house.look(9 * 1440 + 1)
    await house.look(400)
    await house.read(421)
    await house.look(421)
    assert (await house.texts())[-1].startswith("Digest: 8 Dec 2024, 12:00 – 19:00\n")


# --- made once ------------------------------------------------------------------------------------------


async def test_one_that_ends_between_composing_and_writing_is_made_by_the_next(house: House) -> None:
    await house.store(shows(said(11, "В Сирии тихо", minutes=60)), minutes=60)
    await house.read(480.5)
    house.clock.set(at(481))
    for turns in range(40):
        look = asyncio.create_task(house.digests.look())
        for _ in range(turns):
            await asyncio.sleep(0)
        look.cancel()
        await asyncio.wait([look])
        house.begin()
    await house.look(481)
    [text] = await house.texts()
    assert "В Сирии тихо" in text
    assert await digests.periods(house.database) == {ME: EVENING}


async def test_what_comes_while_it_is_composed_is_told_by_the_next(house: House) -> None:
    await house.store(shows(said(11, "В Сирии тихо", minutes=60)), minutes=60)
    seen = await coverage(house.database, house.rules, None)
    one = await edition(house.database, house.rules, Kept(ME, at(), EVENING), seen, Gap((), ()))
    await house.store(shows(said(12, "И снова Сирия", minutes=480)), minutes=480)

    def work(c: Connection) -> bool:
        return put(c, one, at(481), SECRET, silent=False, empty=True)

    assert await house.database.write(work)
    assert not await house.database.write(work)  # the period is another by now
    [text] = await house.texts()
    assert "1 post" in text
    await house.read(1921)
    await house.look(1921)
    assert "И снова Сирия" in (await house.texts())[1]


async def test_a_destination_that_fails_does_not_stop_the_others_and_is_tried_again(house: House, by: Made) -> None:
    await another(house, by(rule("syria", "Сирия", "digest"), rule("oil", "нефть", "digest", DESK)))
    await house.store(shows(said(11, "Сирия и нефть", minutes=60)), minutes=60)
    await house.database.write(lambda c: c.execute("UPDATE match SET hits = '!' WHERE topic = 'syria'"))
    await house.evening()
    assert [len(await house.texts(to=place)) for place in (ME, DESK)] == [0, 1]
    await house.database.write(lambda c: c.execute("UPDATE match SET hits = '[]' WHERE topic = 'syria'"))
    await house.look(480.6)
    assert await house.texts(to=ME) == []
    await house.look(482)
    assert [len(await house.texts(to=place)) for place in (ME, DESK)] == [1, 1]


async def test_what_failed_while_the_clock_was_ahead_is_tried_again_when_it_is_right(house: House) -> None:
    await house.store(shows(said(11, "Сирия", minutes=60)), minutes=60)
    await house.look(481 - 1440 * 3)
    await house.database.write(lambda c: c.execute("UPDATE match SET hits = '!'"))
    house.passed = at(3 * 1440)
    await house.look(1440)
    assert await house.texts() == []
    await house.database.write(lambda c: c.execute("UPDATE match SET hits = '[]'"))
    await house.look(481)
    assert len(await house.texts()) == 1


async def test_a_database_that_is_gone_ends_the_loop(house: House) -> None:
    await house.database.write(lambda c: c.execute("DROP TABLE period"))
    with pytest.raises(StorageError):
        await house.digests.run()


# --- the loop -------------------------------------------------------------------------------------------


async def _is_told(house: House) -> bool:
    for _ in range(500):
        if house.woken:
            return True
        await asyncio.sleep(0.01)
    return False


async def test_the_loop_looks_each_second(house: House) -> None:
    loop = asyncio.create_task(house.digests.run())
    await house.read(480.5)
    for second in range(28_860, 28_864):
        await asyncio.sleep(0.05)
        house.clock.set(at(second / 60))
    assert await _is_told(house)
    loop.cancel()
    assert len(await house.texts()) == 1


async def test_the_loop_looks_when_it_is_woken(house: House) -> None:
    loop = asyncio.create_task(house.digests.run())
    await asyncio.sleep(0.05)
    house.clock.set(at(0.2 / 60))  # between two looks; nobody moves the clock any more
    await asyncio.sleep(0.05)
    await house.database.write(lambda c: facts.put(c, ASKED, to_integer(at())))
    house.digests.wake()
    assert await _is_told(house)
    loop.cancel()
    assert len(await house.texts()) == 1
