"""Never more than twenty messages and edits a minute in a chat, whenever within a call the server counts it."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.pacing import CALL, MOST, SPAN, SPARED, Attempt, counting, opens
from tests.made import at

SECOND = timedelta(seconds=1)


def ended(seconds: float, messages: int = 1) -> Attempt:
    return Attempt(at() + seconds * SECOND, messages)


def test_a_chat_that_got_nothing_of_late_may_get_a_message_at_once() -> None:
    assert opens([], 1, at()) == at()
    assert opens([ended(-61, MOST)], 1, at()) == at()


def test_twenty_may_go_at_once_and_the_next_a_minute_after_the_first_ended() -> None:
    made = [ended(-20 + n) for n in range(MOST)]
    assert opens(made[:-1], 1, at()) == at()
    assert opens(made, 1, at()) == at() - 20 * SECOND + SPAN
    assert opens(made, 3, at()) == at() - 18 * SECOND + SPAN


def test_a_call_that_is_under_way_counts_until_a_minute_after_its_end() -> None:
    made = [Attempt(at() + CALL, MOST)]
    assert opens(made, 1, at()) == at() + CALL + SPAN


def test_a_clock_that_was_put_back_does_not_close_a_chat_for_long() -> None:
    assert opens([ended(100_000, MOST)], 1, at()) == at() + CALL + SPAN


def test_an_album_waits_for_as_much_room_as_it_takes() -> None:
    made = [ended(-30, 9), ended(-10, 5)]
    assert opens(made, 6, at()) == at()
    assert opens(made, 11, at()) == at() - 30 * SECOND + SPAN
    assert opens(made, 16, at()) == at() - 10 * SECOND + SPAN


def test_what_is_heavier_than_a_minute_goes_when_nothing_counts() -> None:
    assert opens([], MOST + 5, at()) == at()
    assert opens([ended(-1)], MOST + 5, at()) == at() - SECOND + SPAN


def test_edits_leave_room_for_messages() -> None:
    made = [ended(-20 + n) for n in range(MOST - SPARED)]
    assert opens(made[1:], 1, at(), edit=True) == at()
    assert opens(made, 1, at(), edit=True) == at() - 20 * SECOND + SPAN
    assert opens(made, SPARED, at()) == at()


def test_what_counts_no_longer_is_left_out() -> None:
    assert counting([ended(-5, 2), ended(-61), ended(-60.9)], at()) == [ended(-60.9), ended(-5, 2)]


@pytest.mark.fuzz
@given(seed=st.integers(0, 2**32))
def test_in_no_minute_of_the_server_are_there_more_than_twenty(seed: int) -> None:
    """Calls follow each other as closely as they may; the server carries each out at some moment of it."""
    chance = random.Random(seed)  # noqa: S311 - seeded, not secret
    now = at()
    made: list[Attempt] = []
    served: list[tuple[datetime, int]] = []
    for _ in range(chance.randrange(20, 120)):
        weight, edit = chance.choice((1, 1, 1, 1, 2, 5, 11)), chance.random() < 0.2
        now = opens(made, 1 if edit else weight, now, edit=edit)
        took = chance.choice((0.0, 0.1, 1.0, 30.0)) * chance.random() * SECOND
        served.append((now + took * chance.random(), 1 if edit else weight))
        now += took
        made.append(Attempt(now, 1 if edit else weight))
        if chance.random() < 0.1:
            now += chance.random() * 60 * SECOND
    served.sort()
    for first, _ in served:
        assert sum(n for moment, n in served if first <= moment <= first + 60 * SECOND) <= MOST
