"""Counts and lists of names."""

from __future__ import annotations

import pytest

from bot.render.words import counted, listed


@pytest.mark.parametrize(("number", "told"), [(0, "0 posts"), (1, "1 post"), (2, "2 posts"), (1234, "1,234 posts")])
def test_a_count_has_its_plural_and_its_thousands(number: int, told: str) -> None:
    assert counted(number, "post", "posts") == told


def test_names_that_find_room_are_named() -> None:
    assert listed(["Syria", "Bases"], 100) == "Syria, Bases"
    assert listed([], 100) == ""


def test_names_without_room_are_counted() -> None:
    assert listed(["Syria", "Bases", "Drones", "Oil"], 24) == "Syria, Bases and 2 more"


def test_a_long_list_keeps_within_its_room() -> None:
    names = [f"Channel {number}" for number in range(5000)]
    for room in range(40, 120):
        assert len(listed(names, room)) <= room


def test_a_name_of_nothing_to_be_seen_is_shown_as_such() -> None:
    assert listed(["\u200b", "Syria"], 100) == "…, Syria"


def test_the_first_name_is_told_whatever_the_room() -> None:
    assert listed(["Syria", "Bases"], 3) == "Syria and 1 more"
