"""Destinations and posts as texts."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import ChatId, Destination, Me, PostId, Username
from bot.storage.places import destination, post_id, written

cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "150")), deadline=None)

chats = st.one_of(
    st.just(Me()),
    st.from_regex(r"[a-z][a-z0-9_]{3,31}", fullmatch=True).map(Username),
    st.integers(-(2**62), 2**62).map(ChatId),
)
destinations = st.builds(Destination, chats, st.none() | st.integers(0, 2**31))
#: A recording may call a channel anything.
posts = st.builds(PostId, st.text(max_size=20), st.integers(0, 2**31))


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Destination(Me()), "me"),
        (Destination(Username("desk_demo")), "@desk_demo"),
        (Destination(Username("desk_demo"), 12), "@desk_demo/12"),
        (Destination(ChatId(-1001234567890), 3), "-1001234567890/3"),
        (Destination(ChatId(77)), "77"),
    ],
    ids=str,
)
def test_a_destination_is_written_as_a_person_writes_it(place: Destination, text: str) -> None:
    assert written(place) == text
    assert destination(text) == place


@pytest.mark.parametrize("text", ["", "desk_demo", "t.me/desk_demo", "@desk_demo/", "1/x"], ids=ascii)
def test_any_other_text_is_no_destination(text: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        destination(text)


@pytest.mark.fuzz
@cases
@given(destinations)
def test_a_written_destination_is_read_as_the_same(place: Destination) -> None:
    assert destination(written(place)) == place


@pytest.mark.fuzz
@cases
@given(posts)
def test_a_written_post_is_read_as_the_same(post: PostId) -> None:
    assert post_id(str(post)) == post
