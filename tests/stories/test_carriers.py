"""Where else a story ran."""

from __future__ import annotations

import itertools

from bot.stories.carriers import also_in
from tests.made import at, post


def test_the_other_posts_are_named_in_order_of_time() -> None:
    lead = post("а", "alfa_demo", 1)
    others = [
        post("б", "beta_demo", 2, minutes=9, title="Бета"),
        post("в", "gamma_demo", 1, minutes=7),
        post("а", "alfa_demo", 2, minutes=1),
        lead,
    ]
    for order in itertools.permutations(others):
        assert also_in(lead, order) == (
            ("@alfa_demo", at(1), "https://t.me/alfa_demo/2", False),
            ("@gamma_demo", at(7), "https://t.me/gamma_demo/1", False),
            ("Бета", at(9), "https://t.me/beta_demo/2", False),
        )
