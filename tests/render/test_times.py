"""Local times, as short as they can be."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.render.times import Times
from tests.render.conftest import KYIV, LONDON, utc

DAY = Times(LONDON, utc(8, 8), utc(8, 20))


def test_a_time_is_told_in_the_zone_with_day_and_year() -> None:
    assert DAY.whole(utc(8, 9, 4)) == "8 Dec 2024, 09:04"
    assert Times(KYIV, utc(8, 8), utc(8, 8)).whole(utc(8, 23, 30)) == "9 Dec 2024, 01:30"


def test_summer_time_is_kept() -> None:
    assert DAY.whole(utc(1, 8, month=7)) == "1 Jul 2024, 09:00"


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (utc(8, 9), "09:00"),
        (utc(7, 23, 59), "7 Dec, 23:59"),
        (utc(31, 23, year=2023), "31 Dec 2023, 23:00"),
    ],
    ids=ascii,
)
def test_day_and_year_are_told_where_they_differ(at: datetime, told: str) -> None:
    assert DAY.near(at) == told


def test_in_a_period_of_days_every_time_has_its_day() -> None:
    assert Times(LONDON, utc(7, 20), utc(8, 8)).near(utc(8, 7)) == "8 Dec, 07:00"


@pytest.mark.parametrize(
    ("since", "until", "told"),
    [
        (utc(8, 8), utc(8, 20), "8 Dec 2024, 08:00 – 20:00"),
        (utc(7, 20), utc(8, 8), "7 Dec, 20:00 – 8 Dec 2024, 08:00"),
        (utc(31, 20), utc(1, 8, month=1, year=2025), "31 Dec 2024, 20:00 – 1 Jan 2025, 08:00"),
    ],
    ids=ascii,
)
def test_a_period_says_nothing_twice(since: datetime, until: datetime, told: str) -> None:
    assert Times(LONDON, since, until).period() == told


@pytest.mark.parametrize("at", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)], ids=str)
def test_the_first_and_the_last_day_of_the_calendar_are_told_too(at: datetime) -> None:
    for zone in ("America/New_York", "Asia/Tokyo"):
        times = Times(ZoneInfo(zone), at, at)
        assert times.whole(at)
        assert times.period()
