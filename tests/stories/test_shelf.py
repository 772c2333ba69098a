"""Members are found by what they are, and leave nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from bot.model import Post, PostId
from bot.stories.fingerprint import fingerprint
from bot.stories.member import Member, origins_of
from bot.stories.shelf import Shelf
from tests.stories.conftest import START


def _member(post: Post) -> Member:
    return Member(post.id, PostId("s", 1), post.date, fingerprint(post.text), 3, origins_of(post))


def _indexes(shelf: Shelf) -> list[object]:
    return [shelf.members, shelf.seats, shelf.by_story, shelf.by_origin, shelf.by_hash, shelf.newest()]


def test_a_seat_is_found_by_post_story_origin_and_text(post: Callable[..., Post]) -> None:
    shelf = Shelf()
    for seat in (1, 0):
        shelf.put(seat, _member(post(f"c{seat}", 1, "взрыв")))
    assert shelf.seats == {PostId("c0", 1): 0, PostId("c1", 1): 1}
    assert shelf.by_story == {PostId("s", 1): [0, 1]}
    assert shelf.by_origin == {"c0/1": [0], "c1/1": [1]}
    assert list(shelf.by_hash.values()) == [[0, 1]]


def test_what_is_dropped_leaves_nothing(post: Callable[..., Post]) -> None:
    shelf = Shelf()
    for seat in range(3):
        shelf.put(seat, _member(post(f"c{seat}", 1, "взрыв в дамаске", seat)))
    for seat in (1, 0, 2):
        shelf.drop(seat)
    assert _indexes(shelf) == _indexes(Shelf())


def test_who_takes_a_seat_replaces_who_sat_there(post: Callable[..., Post]) -> None:
    shelf, fresh = Shelf(), Shelf()
    member = _member(post("c", 2, "отбой", 5))
    shelf.put(0, _member(post("c", 1, "взрыв")))
    shelf.put(0, member)
    fresh.put(0, member)
    assert _indexes(shelf) == _indexes(fresh)


def test_the_oldest_are_those_before_a_moment_and_those_beyond_a_number(post: Callable[..., Post]) -> None:
    shelf = Shelf()
    for seat, minute in enumerate((3, 1, 2, 0)):
        shelf.put(seat, replace(_member(post("c", seat)), date=START + timedelta(minutes=minute)))
    assert shelf.newest() == START + timedelta(minutes=3)
    assert shelf.oldest(START + timedelta(minutes=1), 9) == [3]
    assert shelf.oldest(START, 9) == []
    assert shelf.oldest(START, 1) == [3, 1, 2]
