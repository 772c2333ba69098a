"""What is still to be told of alerts that waited."""

from __future__ import annotations

from dataclasses import replace

from bot.model import Alert, Carrier, PostId
from bot.untold import MOST, Told, foremost, untold
from tests.made import ME, at, post

ONE, TWO = PostId("alfa_demo", 1), PostId("alfa_demo", 2)


def alert(number: int, story: PostId, *names: str) -> Alert:
    return Alert(
        destination=ME, story=story, topics=names, names=names, post=post("Сирия", number=number), hits=(), also=()
    )


def left(*waiting: Alert, told: tuple[Told, ...] = ()) -> list[int]:
    return [each.post.number for each in untold(waiting, told)]


def test_what_nothing_else_says_is_left_in_its_order() -> None:
    assert left(alert(3, TWO, "syria"), alert(1, ONE, "syria"), alert(2, ONE, "oil")) == [3, 1, 2]


def test_what_was_told_with_all_of_its_topics_is_not_told_again() -> None:
    told = (Told(ONE, frozenset({"syria", "oil"})), Told(TWO, frozenset({"oil"})))
    assert left(alert(1, ONE, "syria"), alert(2, TWO, "oil", "syria"), told=told) == [2]


def test_topics_that_were_told_apart_do_not_add_up() -> None:
    told = (Told(ONE, frozenset({"syria"})), Told(ONE, frozenset({"oil"})))
    assert left(alert(1, ONE, "syria", "oil"), told=told) == [1]


def test_one_that_tells_more_takes_the_place_of_those_before_it() -> None:
    assert left(alert(1, ONE, "syria"), alert(2, TWO, "oil"), alert(3, ONE, "syria", "oil")) == [2, 3]


def test_of_two_that_tell_the_same_the_first_is_left() -> None:
    assert left(alert(1, ONE, "syria", "oil"), alert(2, ONE, "oil"), alert(3, ONE, "oil", "syria")) == [1]


def test_of_very_many_the_urgent_the_widely_carried_and_the_latest_are_told_in_their_order() -> None:
    many = [alert(number, PostId("alfa_demo", number), "syria") for number in range(MOST + 3)]
    many[1] = replace(many[1], urgent=True)
    many[2] = replace(many[2], also=(Carrier("Gamma", at(), None),))
    assert [each.post.number for each in foremost(many)] == [1, 2, *range(5, MOST + 3)]
    assert foremost(many[:MOST]) == many[:MOST]
