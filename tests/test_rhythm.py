"""From when on a channel's silence is unusual, on channels of every habit."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bot.rhythm import ENOUGH, MORE, SPAN, rhythm

MONDAY = datetime(2024, 12, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def posts(days: int, wanted: Callable[[datetime], bool], every: timedelta = HOUR) -> list[datetime]:
    """The moments of so many days from a Monday on at which somebody posts."""
    moments = [MONDAY + every * place for place in range(int(days * DAY / every))]
    return [moment for moment in moments if wanted(moment)]


def always(_: datetime) -> bool:
    return True


def by_day(moment: datetime) -> bool:
    return 8 <= moment.hour < 22


def at_work(moment: datetime) -> bool:
    return by_day(moment) and moment.weekday() < 5


def patience(longest: timedelta, posts: int) -> timedelta:
    """As the rule has it, of so many posts."""
    return longest * (1 + math.log(100) / math.log(posts - 1)) + MORE


def silent_after(dates: list[datetime]) -> timedelta:
    """How long after its last post its silence is unusual."""
    found = rhythm(dates)
    assert found is not None
    assert found.last == max(dates)
    assert not found.silent(found.expected)
    assert found.silent(found.expected + timedelta(seconds=1))
    return found.expected - found.last


def test_a_channel_that_never_sleeps_is_missed_within_a_working_day() -> None:
    dates = posts(14, always)
    assert silent_after(dates) == patience(HOUR, len(dates)) < 8 * HOUR


def test_a_night_is_no_silence_for_one_that_posts_by_day() -> None:
    night, dates = 11 * HOUR, posts(14, by_day)
    assert night < silent_after(dates) == patience(night, len(dates)) < 2 * DAY


def test_a_weekend_is_no_silence_for_one_that_posts_on_working_days() -> None:
    weekend, dates = 2 * DAY + 11 * HOUR, posts(19, at_work)
    assert weekend < silent_after(dates) == patience(weekend, len(dates)) < 2 * weekend


@pytest.mark.parametrize("days", [1, 3, 5])
def test_before_a_weekend_was_seen_one_is_allowed_for(days: int) -> None:
    weekend = 2 * DAY + 11 * HOUR
    assert weekend < silent_after(posts(days, at_work, HOUR / 2)) == 3 * DAY


def test_one_that_posts_on_one_morning_a_week_may_miss_one() -> None:
    week, dates = 7 * DAY - 7 * HOUR, posts(30, lambda moment: moment.weekday() == 0 and moment.hour < 8)
    assert 2 * week < silent_after(dates) == patience(week, len(dates)) < 3 * week


def test_the_fewer_pauses_are_known_the_longer_is_waited() -> None:
    few = [MONDAY + DAY * place for place in range(ENOUGH)]
    many = [*few, *(MONDAY + DAY / 2 + DAY / 200 * place for place in range(100))]
    assert silent_after(few) == patience(DAY, ENOUGH) > 2.5 * DAY
    assert silent_after(many) < 2.3 * DAY


@pytest.mark.parametrize("count", [0, 1, 2, ENOUGH - 1])
def test_too_few_posts_show_no_rhythm(count: int) -> None:
    assert rhythm([MONDAY + HOUR * place for place in range(count)]) is None


def test_posts_from_before_do_not_count() -> None:
    ago = MONDAY - SPAN - DAY
    assert rhythm([ago, *(MONDAY + HOUR * place for place in range(ENOUGH - 1))]) is None
    later = posts(14, always)
    assert rhythm([ago, *later]) == rhythm(later)


def test_the_order_and_repetitions_are_nothing() -> None:
    dates = posts(14, by_day)
    assert rhythm([*reversed(dates), *dates]) == rhythm(dates)


def test_the_longest_pause_is_told() -> None:
    dates = [date for date in posts(14, always) if not MONDAY + 2 * DAY < date < MONDAY + 4 * DAY]
    found = rhythm(dates)
    assert found is not None
    assert found.longest == 2 * DAY
