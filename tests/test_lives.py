"""Pauses and probes of connections; over a real server in tests/promises/test_connections_lives.py."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.lives import quiet
from tests.made import at

_MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("asked", "answered", "minutes"), [(0, None, 30), (0, 20, 10), (20, 0, 10), (10, 45, 20), (30, 45, 0)]
)
def test_a_clock_that_was_set_back_does_not_silence_the_probe(
    asked: float, answered: float | None, minutes: float
) -> None:
    """Half an hour after noon; what was heard later than now was heard before the clock was set."""
    assert quiet(at(30), at(asked), None if answered is None else at(answered)) == minutes * _MINUTE
