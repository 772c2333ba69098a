"""Times as integers."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.storage.times import from_integer, from_integer_if, to_integer, to_integer_if

cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "150")), deadline=None)


def test_microseconds_are_counted_from_1970() -> None:
    assert to_integer(datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC)) == 1_000_005


def test_a_time_of_another_zone_is_the_same_moment() -> None:
    noon = datetime(2024, 12, 8, 12, tzinfo=UTC)
    assert to_integer(noon.astimezone(timezone(timedelta(hours=3)))) == to_integer(noon)


def test_a_time_without_a_zone_is_none() -> None:
    with pytest.raises(TypeError):
        to_integer(datetime(2024, 12, 8))  # noqa: DTZ001 - that is the point


def test_nothing_stays_nothing() -> None:
    assert to_integer_if(None) is None
    assert from_integer_if(None) is None
    assert from_integer_if(to_integer_if(datetime(2024, 12, 8, tzinfo=UTC))) == datetime(2024, 12, 8, tzinfo=UTC)


@pytest.mark.fuzz
@cases
@given(st.datetimes(timezones=st.just(UTC)))
def test_no_time_loses_anything(time: datetime) -> None:
    back = from_integer(to_integer(time))
    assert back == time
    assert back.tzinfo is UTC
