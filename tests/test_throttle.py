"""Few things are told one by one, many together, and what goes on coming once a minute."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.throttle import Throttle
from tests.made import at

SECOND = timedelta(seconds=1)


def test_nothing_is_no_message_and_what_has_just_come_waits_for_company() -> None:
    throttle = Throttle()
    assert throttle.room(at(), 0) == 0
    assert [throttle.room(at() + seconds * SECOND, 1) for seconds in (0, 1.9, 2)] == [0, 0, 1]


def test_what_was_told_by_others_begins_anew() -> None:
    throttle = Throttle()
    throttle.room(at(), 1)
    throttle.room(at(1), 0)
    assert throttle.room(at(2), 1) == 0


@pytest.mark.parametrize(("several", "room"), [(1, 1), (5, 5), (6, 1), (500, 1)])
def test_up_to_five_are_told_singly(several: int, room: int) -> None:
    throttle = Throttle()
    throttle.room(at(), several)
    assert throttle.room(at(1), several) == room


def test_five_messages_in_ten_minutes_are_followed_by_one_a_minute() -> None:
    throttle = Throttle()
    throttle.made(at(0), 3)
    throttle.room(at(1), 3)
    assert throttle.room(at(1) + 2 * SECOND, 3) == 1
    throttle.made(at(2), 2)
    throttle.room(at(2), 4)
    assert [throttle.room(at(minute), 4) for minute in (2.9, 3)] == [0, 1]
    assert throttle.room(at(20), 4) == 4


def test_a_clock_that_is_set_back_keeps_nothing_waiting() -> None:
    throttle = Throttle()
    throttle.made(at(0), 5)
    throttle.room(at(0), 1)
    assert throttle.room(at(-600), 1) == 1
