"""When digests are due and when it is quiet, above all on the nights on which the clocks change."""

from __future__ import annotations

import itertools
import os
import time as stopwatch
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from functools import cache, lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cron import Cron
from bot.schedule import (
    Daily,
    Never,
    NotATime,
    Policy,
    QuietHours,
    last_moment,
    moments,
    next_moment,
    parse_time,
    quiet_until,
)

cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "150")), deadline=None)

MINUTE = timedelta(minutes=1)
LONDON = ZoneInfo("Europe/London")
NEW_YORK = ZoneInfo("America/New_York")
#: Syria stays at +03 since October 2022; Lord Howe puts its clocks back by half an hour.
ZONES = ("Europe/London", "Europe/Kyiv", "Asia/Damascus", "America/New_York", "Australia/Lord_Howe")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def daily(*texts: str) -> Daily:
    return Daily(tuple(map(parse_time, texts)))


def shown(policy: Policy, zone: str, since: str, until: str) -> list[str]:
    """The moments between two days, as UTC and without seconds."""
    found = moments(policy, ZoneInfo(zone), utc(since), utc(until))
    return [f"{moment:%Y-%m-%d %H:%M}" for moment in found]


# --- by example -------------------------------------------------------------------------------------------


def test_two_times_a_day_come_in_turn_and_follow_the_zone() -> None:
    assert shown(daily("20:00", "08:00", "08:00"), "Europe/Kyiv", "2025-01-10", "2025-01-12") == [
        "2025-01-10 06:00",
        "2025-01-10 18:00",
        "2025-01-11 06:00",
        "2025-01-11 18:00",
    ]


def test_the_next_moment_is_strictly_after_and_the_last_one_is_not() -> None:
    eight, day = daily("08:00"), timedelta(days=1)
    at = utc("2025-01-10 08:00")
    assert next_moment(eight, LONDON, at) == at + day
    assert next_moment(eight, LONDON, at - timedelta(microseconds=1)) == at
    assert last_moment(eight, LONDON, at) == at
    assert last_moment(eight, LONDON, at - timedelta(microseconds=1)) == at - day


def test_any_zone_may_ask_and_the_answer_is_in_utc() -> None:
    after = utc("2025-06-10 06:00").astimezone(NEW_YORK)
    moment = next_moment(daily("08:00"), LONDON, after)
    assert moment == utc("2025-06-10 07:00")
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    ("zone", "slot", "day", "moment"),
    [
        ("Europe/London", "01:30", "2025-03-30", "2025-03-30 01:00"),  # 01:00 becomes 02:00
        ("Europe/Kyiv", "03:30", "2025-03-30", "2025-03-30 01:00"),  # 03:00 becomes 04:00
        ("Asia/Damascus", "00:00", "2011-03-31", "2011-03-31 22:00"),  # midnight becomes 01:00
        ("America/New_York", "02:59", "2025-03-09", "2025-03-09 07:00"),  # 02:00 becomes 03:00
        ("Australia/Lord_Howe", "02:15", "2025-10-04", "2025-10-04 15:30"),  # 02:00 becomes 02:30
    ],
)
def test_a_slot_that_spring_leaves_out_happens_as_the_clocks_jump(zone: str, slot: str, day: str, moment: str) -> None:
    assert shown(daily(slot), zone, day, f"{day} 23:59") == [moment]


@pytest.mark.parametrize(
    ("zone", "slot", "day", "moment"),
    [
        ("Europe/London", "01:30", "2025-10-26", "2025-10-26 00:30"),  # 02:00 becomes 01:00
        ("Europe/Kyiv", "03:30", "2025-10-26", "2025-10-26 00:30"),  # 04:00 becomes 03:00
        ("Asia/Damascus", "23:30", "2011-10-27", "2011-10-27 20:30"),  # midnight becomes 23:00
        ("America/New_York", "01:00", "2025-11-02", "2025-11-02 05:00"),  # 02:00 becomes 01:00
        ("Australia/Lord_Howe", "01:45", "2025-04-05", "2025-04-05 14:45"),  # 02:00 becomes 01:30
    ],
)
def test_a_slot_that_autumn_repeats_happens_the_first_time_only(zone: str, slot: str, day: str, moment: str) -> None:
    assert shown(daily(slot), zone, day, f"{day} 23:59") == [moment]


def test_slots_that_fall_on_one_instant_are_one_moment() -> None:
    every_ten = Cron.parse("*/10 1,2 * * *")
    assert shown(every_ten, "Europe/London", "2025-03-30", "2025-03-30 01:30") == [
        "2025-03-30 01:00",  # 01:00 to 01:50, which are left out, and 02:00
        "2025-03-30 01:10",
        "2025-03-30 01:20",
        "2025-03-30 01:30",
    ]


def test_every_hour_is_silent_through_the_hour_that_is_repeated() -> None:
    assert shown(Cron.parse("@hourly"), "Europe/London", "2025-10-25 23:30", "2025-10-26 03:00") == [
        "2025-10-26 00:00",
        "2025-10-26 02:00",
        "2025-10-26 03:00",
    ]


def test_within_the_repeated_hour_the_last_moment_is_the_last_that_was() -> None:
    again = utc("2025-10-26 01:10")  # 01:10 for the second time; 01:50 has been
    assert last_moment(daily("01:05", "01:50"), LONDON, again) == utc("2025-10-26 00:50")
    assert next_moment(daily("01:05", "01:50"), LONDON, again) == utc("2025-10-27 01:05")


def test_the_digest_of_a_day_that_a_country_left_out_comes_as_the_next_one_begins() -> None:
    """Samoa went from 29 to 31 December 2011."""
    assert shown(daily("08:00"), "Pacific/Apia", "2011-12-29 12:00", "2011-12-31") == [
        "2011-12-29 18:00",
        "2011-12-30 10:00",
        "2011-12-30 18:00",
    ]


def test_syria_has_no_winter_any_more() -> None:
    assert shown(daily("08:00"), "Asia/Damascus", "2021-12-01", "2021-12-02") == ["2021-12-01 06:00"]
    assert shown(daily("08:00"), "Asia/Damascus", "2022-12-01", "2022-12-02") == ["2022-12-01 05:00"]


@pytest.mark.parametrize("policy", [Never(), Daily(()), Cron.parse("0 8 30 feb *")])
def test_what_never_comes_has_no_moment(policy: Policy) -> None:
    at = utc("2025-01-01")
    started = stopwatch.perf_counter()
    assert next_moment(policy, LONDON, at) is None
    assert last_moment(policy, LONDON, at) is None
    assert list(moments(policy, LONDON, at, at + timedelta(days=9999))) == []
    assert stopwatch.perf_counter() - started < 1


def test_the_rarest_day_of_all_is_found() -> None:
    """29 February on a Sunday: 2100 is no leap year, so after 2088 it is 2128."""
    rarest = Cron.parse("0 8 29 2 */7")
    assert next_moment(rarest, LONDON, utc("2088-03-01")) == utc("2128-02-29 08:00")
    assert last_moment(rarest, LONDON, utc("2128-02-29")) == utc("2088-02-29 08:00")


def test_years_of_working_days_are_walked_in_no_time() -> None:
    started = stopwatch.perf_counter()
    count = len(list(moments(Cron.parse("0 8,20 * * mon-fri"), LONDON, utc("2021-01-01"), utc("2025-01-01"))))
    assert count == 2086  # twice on 1,043 weekdays
    assert stopwatch.perf_counter() - started < 2


# --- quiet hours ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2025-01-10 22:59", None),
        ("2025-01-10 23:00", "2025-01-11 07:00"),
        ("2025-01-11 06:59", "2025-01-11 07:00"),
        ("2025-01-11 07:00", None),
        ("2025-03-29 23:00", "2025-03-30 06:00"),  # the short night
        ("2025-10-25 22:00", "2025-10-26 07:00"),  # the long one
    ],
)
def test_a_night_is_quiet_from_its_start_until_just_before_its_end(now: str, until: str | None) -> None:
    assert quiet_until(QuietHours.parse("23:00-07:00"), LONDON, utc(now)) == (utc(until) if until else None)


def test_quiet_hours_within_a_day() -> None:
    siesta = QuietHours.parse("13:00-15:00")
    assert quiet_until(siesta, LONDON, utc("2025-01-10 14:00")) == utc("2025-01-10 15:00")
    assert quiet_until(siesta, LONDON, utc("2025-01-10 23:00")) is None


def test_quiet_hours_end_the_first_time_that_their_end_is_read() -> None:
    quiet = QuietHours.parse("23:00-01:30")
    assert quiet_until(quiet, LONDON, utc("2025-10-26 00:29")) == utc("2025-10-26 00:30")
    assert quiet_until(quiet, LONDON, utc("2025-10-26 01:10")) is None  # 01:10 again: they are over


def test_quiet_hours_that_spring_leaves_out_are_none() -> None:
    quiet = QuietHours.parse("01:10-01:50")
    assert quiet_until(quiet, LONDON, utc("2025-03-30 01:00")) is None


def test_when_spring_leaves_out_the_minutes_between_two_quiet_spans_they_are_one() -> None:
    quiet = QuietHours.parse("02:45-02:15")
    assert quiet_until(quiet, NEW_YORK, utc("2025-03-09 06:59")) == utc("2025-03-10 06:15")
    assert quiet_until(quiet, NEW_YORK, utc("2025-03-08 17:00")) == utc("2025-03-10 06:15")


def test_without_quiet_hours_it_is_never_quiet() -> None:
    assert QuietHours.parse(" ") is None
    assert quiet_until(None, LONDON, utc("2025-01-10 23:00")) is None


# --- as typed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["08:00", "8:00", " 08:00\n"])
def test_a_time_of_day_is_read(text: str) -> None:
    assert parse_time(text) == time(8, 0)


@pytest.mark.parametrize("text", ["23:00-07:00", "23:00 - 7:00", "23:00–07:00"])
def test_quiet_hours_are_read(text: str) -> None:
    assert QuietHours.parse(text) == QuietHours(time(23), time(7))


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("24:00", "24:00 is no time of day", "midnight is 00:00"),
        ("12:60", "12:60 is no time of day", "00:00 to 23:59"),
        ("8", "'8' is no time of day", "as 08:00"),
        ("8.30", "'8.30' is no time of day", "as 08:00"),
        ("٠٨:٠٠", "'٠٨:٠٠' is no time of day", "as 08:00"),
        ("\ud800\u202e", r"'\ud800\u202e' is no time of day", "as 08:00"),
        ("", "'' is no time of day", "as 08:00"),
    ],
)
def test_what_is_no_time_says_what_would_be(text: str, what: str, hint: str) -> None:
    with pytest.raises(NotATime) as raised:
        parse_time(text)
    assert raised.value.what == what
    assert hint in raised.value.hint
    assert str(raised.value) == f"{raised.value.what}; {raised.value.hint}"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("23:00", "'23:00' are no quiet hours"),
        ("1:00-2:00-3:00", "'1:00-2:00-3:00' are no quiet hours"),
        ("07:00-7:00", "these quiet hours end as they begin"),
        ("23:00-7", "'7' is no time of day"),
        ("-", "'' is no time of day"),
    ],
)
def test_what_are_no_quiet_hours_says_what_would_be(text: str, what: str) -> None:
    with pytest.raises(NotATime) as raised:
        QuietHours.parse(text)
    assert raised.value.what == what
    assert raised.value.hint


# --- by definition: walk UTC minute by minute and look at the wall clock -----------------------------------


class Walk(NamedTuple):
    """Minutes of UTC, each with the minutes of the wall clock that it is the first to show or to have passed."""

    zone: ZoneInfo
    steps: tuple[tuple[datetime, tuple[datetime, ...]], ...]


@cache
def changes(name: str) -> tuple[datetime, ...]:
    """When the clocks of a zone are changed, from 2010 to 2030, to the minute."""
    zone, days = ZoneInfo(name), [utc("2010-01-01") + timedelta(days=n) for n in range(21 * 365)]
    found = []
    for early, late in itertools.pairwise(days):
        low, high = early, late
        while low.astimezone(zone).utcoffset() != high.astimezone(zone).utcoffset() and high - low > MINUTE:
            middle = low + (high - low) // (2 * MINUTE) * MINUTE
            same = middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset()
            low, high = (middle, high) if same else (low, middle)
        if (low, high) != (early, late):
            found.append(high)
    return tuple(found)


@lru_cache(maxsize=64)
def walk(name: str, change: datetime) -> Walk:
    """Three days around a change of the clocks."""
    zone, since = ZoneInfo(name), change - timedelta(days=1.5)
    reached = (since - MINUTE).astimezone(zone).replace(tzinfo=None)
    steps = []
    for moment in (since + n * MINUTE for n in range(3 * 24 * 60)):
        wall = moment.astimezone(zone).replace(tzinfo=None)
        new = tuple(reached + n * MINUTE for n in range(1, (wall - reached) // MINUTE + 1))
        reached = max(reached, wall)
        steps.append((moment, new))
    return Walk(zone, tuple(steps))


nights = st.sampled_from(ZONES).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(changes(name))))
near_midnight = st.builds(time, st.sampled_from([22, 23, 0, 0, 1, 1, 1, 2, 2, 3, 4]), st.integers(0, 59))
times = st.one_of(near_midnight, near_midnight, st.builds(time, st.integers(0, 23), st.integers(0, 59)))

Fits = Callable[[datetime], bool]


@st.composite
def crons(draw: st.DrawFn) -> tuple[Policy, Fits]:
    minutes, hours = draw(st.sets(st.integers(0, 59), max_size=8)), draw(st.sets(st.integers(0, 23), max_size=8))
    weekdays = draw(st.sets(st.integers(1, 7), max_size=6))
    typed = [",".join(map(str, sorted(numbers))) or "*" for numbers in (minutes, hours, weekdays)]

    def fits(slot: datetime) -> bool:
        wanted = ((slot.minute, minutes), (slot.hour, hours), (slot.isoweekday(), weekdays))
        return all(not numbers or number in numbers for number, numbers in wanted)

    return Cron.parse(f"{typed[0]} {typed[1]} * * {typed[2]}"), fits


def every_day(chosen: list[time]) -> tuple[Policy, Fits]:
    return Daily(tuple(chosen)), lambda slot: slot.time() in chosen


policies = st.one_of(st.lists(times, max_size=5).map(every_day), crons())


def test_the_zones_do_change_their_clocks() -> None:
    assert [len(changes(name)) for name in ZONES] == [42, 42, 25, 42, 42]
    assert utc("2025-10-26 01:00") in changes("Europe/London")


@pytest.mark.fuzz
@cases
@given(night=nights)
def test_the_definition_counts_every_minute_of_the_wall_clock_once(night: tuple[str, datetime]) -> None:
    way = walk(*night)
    slots = [slot for _, new in way.steps for slot in new]
    assert all(late - early == MINUTE for early, late in itertools.pairwise(slots))


@pytest.mark.fuzz
@cases
@given(night=nights, wanted=policies)
def test_each_slot_happens_once_and_moments_only_increase(
    night: tuple[str, datetime], wanted: tuple[Policy, Fits]
) -> None:
    way, (policy, fits) = walk(*night), wanted
    first, last = way.steps[0][0], way.steps[-1][0]
    found = list(moments(policy, way.zone, first - MINUTE, last))
    assert found == [moment for moment, new in way.steps if any(map(fits, new))]
    assert all(early < late for early, late in itertools.pairwise(found))


@pytest.mark.fuzz
@cases
@given(night=nights, wanted=policies, seconds=st.integers(0, 3 * 86400 - 60))
def test_the_moments_around_an_instant_do_not_depend_on_it(
    night: tuple[str, datetime], wanted: tuple[Policy, Fits], seconds: int
) -> None:
    way, (policy, fits) = walk(*night), wanted
    at = way.steps[0][0] + timedelta(seconds=seconds)
    expected = [moment for moment, new in way.steps if any(map(fits, new))]
    before, after = [m for m in expected if m <= at], [m for m in expected if m > at]
    if after:
        assert next_moment(policy, way.zone, at) == after[0]
    if before:
        assert last_moment(policy, way.zone, at) == before[-1]
    assert list(moments(policy, way.zone, at, way.steps[-1][0])) == after


@pytest.mark.fuzz
@cases
@given(night=nights, ends=st.tuples(times, times).filter(lambda pair: pair[0] != pair[1]), data=st.data())
def test_quiet_is_what_a_watchman_would_call_so(
    night: tuple[str, datetime], ends: tuple[time, time], data: st.DataObject
) -> None:
    way, quiet = walk(*night), QuietHours(*ends)
    now: bool | None = None  # until its first start or end has been seen, nobody knows
    calls: list[tuple[datetime, bool | None]] = []
    for moment, new in way.steps:
        for slot in new:
            now = True if slot.time() == quiet.start else False if slot.time() == quiet.end else now
        calls.append((moment, now))
    for number in data.draw(st.lists(st.integers(0, len(calls) - 1), min_size=20, max_size=20)):
        moment, is_quiet = calls[number]
        until = quiet_until(quiet, way.zone, moment + timedelta(seconds=data.draw(st.integers(0, 59))))
        if is_quiet is None:
            continue
        assert (until is not None) == is_quiet
        over = [later for later, still in calls[number:] if not still]
        if is_quiet and over:
            assert until == over[0]
            assert until > moment
