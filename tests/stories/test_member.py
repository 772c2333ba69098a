"""Under which names a post is known to its forwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.model import Channel, Origin, Post
from bot.stories.member import origins_of, place
from tests.stories.conftest import START


def test_a_post_is_known_by_each_name_of_its_channel(post: Callable[..., Post]) -> None:
    one = replace(post("c", 7), channel=Channel(id=-1001234, username="Nord_Demo", own="Север"))
    assert origins_of(one) == ("nord_demo/7", "север/7", "-1001234/7")


def test_a_forward_is_known_by_its_origin_too(post: Callable[..., Post]) -> None:
    assert origins_of(post("c", 7, origin=Origin(channel="@Nord_Demo", post=3))) == ("c/7", "nord_demo/3")


def test_a_hidden_origin_is_a_name_and_a_second(post: Callable[..., Post]) -> None:
    known = origins_of(post("c", 7, origin=Origin(name="Иван", date=START)))
    assert known == ("c/7", "@Иван 2024-12-08T05:00:00+00:00")


def test_an_origin_that_names_no_post_is_none(post: Callable[..., Post]) -> None:
    for origin in (Origin(channel="nord_demo"), Origin(name="Иван"), Origin(date=START), Origin()):
        assert origins_of(post("c", 7, origin=origin)) == ("c/7",)


def test_a_place_has_no_letter_case() -> None:
    assert place("@Nord_Demo", 7) == place("nord_demo", 7) == "nord_demo/7"
