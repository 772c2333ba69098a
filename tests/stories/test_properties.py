"""Properties of stories over generated posts; `make fuzz` runs them with many cases."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.model import Destination, Me, Origin, Post
from bot.stories.fingerprint import KEPT, Likeness, fingerprint, said
from bot.stories.member import Member
from bot.stories.stories import Overlay, Stories
from tests.stories.conftest import WINDOW, made

pytestmark = pytest.mark.fuzz
cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "150")), deadline=None)

DESK = Destination(Me())

words = st.sampled_from(["взрыв", "дамаск", "сообщают", "база", "военные", "тревога", "отбой", "@a", "❗️", "\ud83d"])
texts = st.lists(words, max_size=14).map(" ".join)
anything = st.text(st.characters(), max_size=200)
origins = st.one_of(st.none(), st.builds(Origin, channel=st.sampled_from("abc"), post=st.integers(1, 4)))
posts = st.builds(made, st.sampled_from("abcd"), st.integers(1, 9), texts, st.integers(0, 72 * 60), origins)
rows = st.lists(posts, max_size=30, unique_by=lambda post: post.id)


def in_order(row: Sequence[Post]) -> list[Post]:
    return sorted(row, key=lambda post: (post.date, post.channel.name, post.number))


def joined(row: Sequence[Post], stories: Stories) -> list[Member]:
    """One post a batch."""
    found = []
    for one in row:
        batch = stories.overlay()
        found.append(batch.join(one))
        stories.merge(batch)
    return found


def kept(stories: Stories, row: Sequence[Post]) -> list[object]:
    batch = stories.overlay()
    known = [(post.id, batch.story_of(post.id)) for post in row]
    return [len(stories), known, [batch.members(story) for _, story in known if story]]


@cases
@given(row=rows, order=st.randoms())
def test_posts_in_order_make_the_same_stories_whatever_the_order_before(row: list[Post], order: object) -> None:
    shuffled = list(row)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert joined(in_order(shuffled), Stories(WINDOW)) == joined(in_order(row), Stories(WINDOW))


#: Between the batches the first post of a story is forgotten, while a later one of it is still near.
FORGOTTEN = [
    made("a", 1, "", 0),
    made("b", 2, "", 2, Origin(channel="a", post=2)),
    made("b", 1, "", 3, Origin(channel="a", post=1)),
    made("a", 3, "", 2881),
    made("a", 2, "", 2882, Origin(channel="a", post=1)),
]


@cases
@example(row=FORGOTTEN)
@given(row=rows)
def test_one_batch_and_many_make_the_same_stories(row: list[Post]) -> None:
    overlay = Stories(WINDOW).overlay()
    assert [overlay.join(one) for one in in_order(row)] == joined(in_order(row), Stories(WINDOW))


@cases
@given(before=rows, dropped=rows, after=rows)
def test_an_overlay_that_is_dropped_leaves_no_trace(before: list[Post], dropped: list[Post], after: list[Post]) -> None:
    stories, twin = Stories(WINDOW), Stories(WINDOW)
    joined(before, stories)
    joined(before, twin)
    lost: Overlay = stories.overlay()
    for one in dropped:
        lost.tell(lost.join(one).story, DESK, "topic", urgent=True)
        lost.rename(one.id, replace(one, number=99).id)
    assert kept(stories, [*before, *dropped]) == kept(twin, [*before, *dropped])
    assert joined(after, stories) == joined(after, twin)
    assert kept(stories, after) == kept(twin, after)


@cases
@given(before=rows, after=rows, most=st.integers(1, 20))
def test_rebuilt_stories_behave_like_the_original(before: list[Post], after: list[Post], most: int) -> None:
    stories = Stories(WINDOW, most)
    stored: dict[object, Member] = {}
    for member in joined(before, stories):
        stored[member.post] = member
    again = Stories.rebuilt(WINDOW, stored.values(), most=most)
    assert kept(again, before) == kept(stories, before)
    assert joined(after, again) == joined(after, stories)
    assert kept(again, after) == kept(stories, after)


@cases
@given(row=rows)
def test_nothing_joins_without_a_reason(row: list[Post]) -> None:
    """Whoever joins is like, or of the origin of, a member of another channel, within the window."""
    members = joined(in_order(row), Stories(WINDOW))
    for place, one in enumerate(members):
        if one.story == one.post:
            continue
        others = [m for m in members[:place] if m.story == one.story and m.post.channel != one.post.channel]
        others = [m for m in others if abs(m.date - one.date) <= WINDOW]
        likeness = Likeness(one.fingerprint)
        assert any(not set(m.origins).isdisjoint(one.origins) or likeness.to(m.fingerprint) > 0.35 for m in others)


@cases
@given(text=anything, other=st.one_of(anything, texts), footer=st.one_of(st.none(), st.integers(0, 300)))
def test_any_text_has_a_fingerprint_of_bounded_size_that_is_like_itself(
    text: str, other: str, footer: int | None
) -> None:
    mine, theirs = fingerprint(said(text, footer)), fingerprint(said(other))
    assert len(mine) <= 1 + 4 * KEPT
    assert Likeness(mine).to(mine) == (1 if mine else 0)
    assert 0 <= Likeness(mine).to(theirs) <= 1
    assert Likeness(mine).to(theirs) == Likeness(theirs).to(mine)
    Stories(WINDOW).overlay().join(replace(made("a", 1, text), footer=footer))
