"""Sorting, over random streams: any showing of any true story, in any order, ends in the truth, told once."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.judge import Arrival
from bot.model import Happening, Haul, Post, Sighting, Stands
from bot.recording.albums import join
from bot.recording.jsonl import post_of
from bot.storage.posts import Message
from tests.made import at
from tests.table import ALFA, BEGUN, CHANNEL, Table, said

pytestmark = pytest.mark.fuzz
cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "200")), deadline=None)


#: What stands there, how many edits it has, whether it is deleted in the end, and which edits Telegram hides.
Move = tuple[str, int, bool, tuple[bool, bool, bool]]


class Written(NamedTuple):
    """A message of a true story: how it read, the first version first; None is a service message."""

    versions: tuple[Post, ...] | None
    is_gone: bool


class Glimpse(NamedTuple):
    """Which message is shown, and as it read when; or, if it was deleted in the end, that it is gone."""

    message: int
    version: int
    gone: bool


#: Whether each later version is one that Telegram hides, as one that brings a link preview.
hidings = st.tuples(st.booleans(), st.booleans(), st.booleans())
WHATS = ("post", "post", "post", "album", "album", "next", "service", "hole")
move = st.tuples(st.sampled_from(WHATS), st.integers(0, 3), st.booleans(), hidings)
written = st.lists(move, min_size=1, max_size=12)
glimpses = st.builds(Glimpse, message=st.integers(0, 11), version=st.integers(0, 3), gone=st.booleans())
batches = st.lists(st.lists(st.lists(glimpses, max_size=4), max_size=4), max_size=8)


def story(moves: Iterable[Move]) -> dict[int, Written]:
    """What stood in a channel: of each number that was used how it read, and whether it went."""
    found: dict[int, Written] = {}
    album = 100
    for number, (what, edits, is_gone, hidden) in enumerate(moves, 1):
        album += what == "next"
        if what == "service":
            found[number] = Written(None, is_gone)
        elif what != "hole":
            first = said(number, f"{number} Сирия", album=None if what == "post" else album)
            later = [replace(first, text=f"{number} v{edit}", edited=at(100 + edit)) for edit in range(1, edits + 1)]
            later = [
                replace(one, edited=None, changed=one.edited) if h else one
                for one, h in zip(later, hidden, strict=False)
            ]
            found[number] = Written((first, *later), is_gone)
    return found


def haul_of(seen: Iterable[Glimpse], truth: dict[int, Written]) -> Haul:
    """What of a story is shown; nothing that never was."""
    sightings, numbers = [], []
    for glimpse in seen:
        number = glimpse.message + 1
        one = truth.get(number)
        if one is not None and glimpse.gone and one.is_gone:
            numbers.append(number)
        elif one is not None and one.versions is None:
            sightings.append(Sighting(number, Stands.SERVICE))
        elif one is not None and one.versions is not None:
            shown = one.versions[min(glimpse.version, len(one.versions) - 1)]
            sightings.append(Sighting(number, Stands.POST, shown))
    return Haul(channel=CHANNEL, sightings=tuple(sightings), gone=tuple(numbers))


def last_page(truth: dict[int, Written]) -> Haul:
    """What a deep check shows: all that is left as it reads now, and that the rest is gone."""
    living = [
        Sighting(number, Stands.SERVICE) if one.versions is None else Sighting(number, Stands.POST, one.versions[-1])
        for number, one in truth.items()
        if not one.is_gone
    ]
    return Haul(
        channel=CHANNEL,
        sightings=tuple(living),
        read=True,
        gone=tuple(number for number, one in truth.items() if one.is_gone),
    )


class Twin:
    """What must be known of each message: a version only ever gives way to a newer one, and nothing follows the end."""

    def __init__(self, truth: dict[int, Written]) -> None:
        self.truth = truth
        self.now: dict[int, Post] = {}
        self.before: list[Post] = []
        self.gone: set[int] = set()

    def take(self, haul: Haul) -> None:
        for sighting in haul.sightings:
            stored, shown = self.now.get(sighting.number), sighting.post
            if shown is None or (sighting.number in self.gone and stored is not None):
                continue
            if stored is not None and _edited(shown) > _edited(stored):
                self.before.append(stored)
            if stored is None or _edited(shown) > _edited(stored):
                self.now[sighting.number] = shown
        # That something is gone may be heard before it is shown.
        self.gone.update(haul.gone)


def _edited(post: Post) -> datetime:
    return post.edited or post.changed or at()


def follow(arrivals: Iterable[Arrival], last: dict[int, Post]) -> None:
    """Checks that what is told of posts hangs together; ``last``: each as it was told last, by its number."""
    for arrival in arrivals:
        happening, post = arrival.revision.happening, arrival.revision.post
        assert arrival.history is (happening in (Happening.POSTED, Happening.GREW) and post.number <= BEGUN.began)
        number = post.number if arrival.formerly is None else arrival.formerly.number
        assert (happening is Happening.POSTED) is (arrival.known is None), "first that it was posted, and that once"
        assert (happening is Happening.POSTED) is (number not in last)
        assert number >= post.number
        last.pop(number, None)
        last[post.number] = post


@cases
@given(moves=written, shown=batches)
def test_whatever_is_shown_in_whatever_order_the_truth_is_stored_and_told_once(
    moves: list[Move], shown: list[list[list[Glimpse]]]
) -> None:
    truth, table, last = story(moves), Table(), dict[int, Post]()
    twin = Twin(truth)
    for batch in [*([haul_of(seen, truth) for seen in hauls] for hauls in shown), [last_page(truth)]]:
        for haul in batch:
            twin.take(haul)
        follow(table.take(*batch).arrivals, last)
    stored = {row.number: row for row in table.rows.values() if row.body is not None}
    assert {number: post_of(row.body or "", ALFA) for number, row in stored.items()} == twin.now
    assert {number for number, row in stored.items() if row.deleted is not None} == twin.gone & set(twin.now)
    for number, one in truth.items():
        if not one.is_gone:
            assert one.versions is None or twin.now[number] == one.versions[-1], "the last page shows the truth"
    assert {row.number for row in table.rows.values() if row.body is None} >= {
        number for number, one in truth.items() if one.versions is None and not one.is_gone
    }
    kept = [(one.number, one.until, post_of(one.body, ALFA)) for one in table.versions]
    assert sorted((post.number, post.text) for _, _, post in kept) == sorted((p.number, p.text) for p in twin.before)
    assert len({(number, until) for number, until, _ in kept}) == len(kept)
    check_posts(stored, last)


def check_posts(stored: dict[int, Message], last: dict[int, Post]) -> None:
    """The rows of each post bear its lowest number, and what was told of it last is how it stands now."""
    posts: dict[int, list[Message]] = {}
    for number, row in sorted(stored.items()):
        posts.setdefault(row.album or -number, []).append(row)
    assert set(last) == {rows[0].number for rows in posts.values()}
    for rows in posts.values():
        assert {row.post for row in rows} == {rows[0].number}
        whole = [post_of(row.body or "", ALFA) for row in rows]
        living = [post for post, row in zip(whole, rows, strict=True) if row.deleted is None]
        told = last[rows[0].number]
        assert replace(told, deleted=None) == join(whole, shown=living or whole)
        assert (told.deleted is None) is bool(living)
