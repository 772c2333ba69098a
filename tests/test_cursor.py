"""How far a channel has been read: single moves, and a channel that loses, repeats and shuffles what it pushes."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cursor import Cursor, began_at, heard, history_page_read, moved, page_read
from bot.model import Haul, Sighting, Stands

CHANNEL = -1001000000001
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "200")), deadline=None)


def push(*numbers: int, pts: int | None = None) -> Haul:
    return Haul(channel=CHANNEL, sightings=sightings(*numbers), pts=pts)


def sightings(*numbers: int) -> tuple[Sighting, ...]:
    return tuple(Sighting(number, Stands.SERVICE) for number in numbers)


def at(verified: int, top: int | None = None) -> Cursor:
    return Cursor(floor=0, began=0, verified=verified, top=verified if top is None else top)


# --- single moves -----------------------------------------------------------------------------------------


def test_a_channel_begins_at_its_newest_number() -> None:
    cursor = began_at(40, 1200)
    assert (cursor.floor, cursor.began, cursor.verified, cursor.top, cursor.pts) == (40, 40, 40, 40, 1200)
    assert not cursor.behind
    assert not cursor.history_read


def test_a_push_of_the_next_number_moves_the_cursor() -> None:
    cursor = moved(at(10), push(11, pts=7), {11})
    assert (cursor.verified, cursor.top, cursor.pts, cursor.behind) == (11, 11, 7, False)


def test_a_push_that_leaves_a_number_out_does_not_move_the_cursor() -> None:
    cursor = moved(at(10), push(12), {12})
    assert (cursor.verified, cursor.top, cursor.behind) == (10, 12, True)


def test_the_missing_number_lets_the_cursor_move_over_all_that_waited() -> None:
    assert moved(at(10, 13), push(11), {11, 12, 13}).verified == 13


def test_a_page_steps_over_numbers_that_do_not_exist() -> None:
    cursor = at(10, 15)
    move = page_read(cursor, [12, 15])
    assert not move.read_on
    assert moved(cursor, Haul(channel=CHANNEL, verified=move.verified, top=move.top), {12, 15}).verified == 15


def test_a_page_that_ends_below_what_was_heard_of_is_read_on() -> None:
    assert page_read(at(10, 300), range(11, 111)).read_on


def test_a_full_page_is_read_on_even_if_nothing_more_was_heard_of() -> None:
    assert not page_read(at(10), range(11, 111)).read_on
    assert page_read(at(10), range(11, 111), full=True).read_on


def test_a_page_without_news_ends_the_reading_and_takes_back_what_was_heard_of() -> None:
    cursor = at(10, 12)
    move = page_read(cursor, [])
    assert (move.verified, move.top, move.read_on) == (10, 10, False)
    after = moved(cursor, Haul(channel=CHANNEL, verified=move.verified, top=move.top), set())
    assert not after.behind


def test_a_page_without_news_takes_back_a_number_that_is_stored_and_was_deleted_since() -> None:
    """Else the channel would be read again and again until its next post."""
    after = moved(at(10, 12), Haul(channel=CHANNEL, verified=10, top=10), {12})
    assert (after.verified, after.top) == (10, 10)


def test_a_page_takes_nothing_back_that_was_pushed_while_it_was_read() -> None:
    cursor = at(10, 12)
    move = page_read(cursor, [11, 12])
    later = moved(cursor, push(14), {14})
    after = moved(later, Haul(channel=CHANNEL, verified=move.verified, top=move.top), {11, 12, 14})
    assert (after.verified, after.top, after.behind) == (12, 14, True)


def test_word_of_an_older_state_moves_nothing_back() -> None:
    cursor = heard(Cursor(floor=0, began=0, verified=10, top=12, pts=99), 9, 50)
    assert (cursor.top, cursor.pts) == (12, 99)


def test_a_page_of_history_goes_on_below_its_lowest_number() -> None:
    back = history_page_read(dict.fromkeys(range(41, 51), NOON), NOON - timedelta(hours=1))
    assert (back.floor, back.history_read) == (40, False)


def test_history_ends_above_the_newest_post_that_is_too_old() -> None:
    dates = {7: NOON - timedelta(hours=9), 8: NOON - timedelta(hours=8), 9: None, 10: NOON}
    back = history_page_read(dates, NOON - timedelta(hours=1))
    assert (back.floor, back.history_read) == (8, True)


def test_history_is_not_ended_by_what_has_no_date() -> None:
    assert not history_page_read({9: None, 10: None}, NOON).history_read


@pytest.mark.parametrize("dates", [{}, {1: NOON, 2: NOON}])
def test_history_ends_where_the_channel_begins(dates: dict[int, datetime | None]) -> None:
    assert history_page_read(dates, NOON).history_read


@pytest.mark.parametrize(
    ("albums", "floor"),
    [({41: 7, 42: 7, 43: 7}, 43), ({41: 7, 42: 8}, 41), ({42: 7, 43: 7}, 40), (dict.fromkeys(range(41, 51), 7), 40)],
)
def test_an_album_at_the_lower_edge_is_left_to_the_next_page_unless_it_fills_this_one(
    albums: dict[int, int], floor: int
) -> None:
    dates = dict.fromkeys(range(41, 51), NOON)
    assert history_page_read(dates, NOON, albums, full=True).floor == floor
    assert history_page_read(dates, NOON, albums, full=False).floor == 40


def test_an_album_of_which_a_part_is_too_old_is_left_out_whole() -> None:
    dates = {8: NOON - timedelta(seconds=1), 9: NOON, 10: NOON}
    back = history_page_read(dates, NOON, {8: 7, 9: 7})
    assert (back.floor, back.history_read) == (9, True)


def test_a_page_of_history_lowers_the_floor_for_good() -> None:
    cursor = moved(began_at(50, 1), Haul(channel=CHANNEL, floor=40), set())
    cursor = moved(cursor, Haul(channel=CHANNEL, floor=45, history_read=True), set())
    assert (cursor.floor, cursor.verified, cursor.history_read) == (40, 50, True)


# --- a whole channel --------------------------------------------------------------------------------------


class SimulatedChannel:
    """A channel, and a reader of it that keeps what it stores and its cursor, as the ingest does."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - seeded, not secret
        self.standing: set[int] = set(range(1, self.chance.randrange(1, 30)))
        self.next = max(self.standing, default=0) + 1
        self.events = self.next
        self.under_way: list[Haul] = []
        self.asked: tuple[Cursor, list[int]] | None = None
        self.cursor = began_at(self.newest, self.events)
        self.stored: set[int] = set()

    @property
    def newest(self) -> int:
        return max(self.standing, default=0)

    def post(self) -> None:
        """A new number; some are never seen. Its push may be lost, come twice, late, or before an earlier one."""
        number, self.next, self.events = self.next, self.next + 1, self.events + 1
        if self.chance.random() < 0.1:
            return
        self.standing.add(number)
        for _ in range(self.chance.choice([0, 1, 1, 1, 2])):
            place = self.chance.randint(0, len(self.under_way))
            self.under_way.insert(place, push(number, pts=self.events))

    def delete(self) -> None:
        if self.standing:
            number = self.chance.choice([self.newest, self.chance.choice(sorted(self.standing))])
            self.standing.discard(number)
            self.events += 1
            if self.chance.random() < 0.5:
                self.under_way.append(Haul(channel=CHANNEL, gone=(number,), pts=self.events))

    def arrive(self) -> None:
        if self.under_way:
            self.store(self.under_way.pop(0))

    def sweep(self) -> None:
        self.cursor = heard(self.cursor, self.newest, self.events)

    def ask(self) -> None:
        """Asks for a page; what happens until it is stored happens while it is on its way."""
        new = sorted(number for number in self.standing if number > self.cursor.verified)
        self.asked = self.cursor, new[:5]

    def answer(self) -> bool:
        """Stores the page that was asked for. Whether it is to be read on."""
        if self.asked is None:
            return False
        (cursor, numbers), self.asked = self.asked, None
        move = page_read(cursor, numbers, full=len(numbers) == 5)
        found = sightings(*numbers)
        self.store(Haul(channel=CHANNEL, sightings=found, verified=move.verified, top=move.top))
        return move.read_on

    def read_back(self) -> None:
        numbers = sorted((n for n in self.standing if n <= self.cursor.floor), reverse=True)[:5]
        albums = {number: number // 3 for number in numbers if number % 4}
        back = history_page_read(dict.fromkeys(numbers, NOON), NOON, albums, full=len(numbers) == 5)
        found = sightings(*(n for n in numbers if n > back.floor))
        self.store(Haul(channel=CHANNEL, sightings=found, floor=back.floor, history_read=back.history_read))

    def store(self, haul: Haul) -> None:
        self.stored |= {sighting.number for sighting in haul.sightings}
        above = {number for number in self.stored if number > self.cursor.verified}
        self.cursor = moved(self.cursor, haul, above)

    @property
    def missing(self) -> set[int]:
        """What should be stored by what the cursor says, and is not."""
        low, high = self.cursor.floor, self.cursor.verified
        return {number for number in self.standing if low < number <= high} - self.stored


steps = st.lists(
    st.sampled_from(["post"] * 6 + ["arrive"] * 6 + ["ask", "ask", "answer", "answer", "sweep", "delete", "read_back"]),
    max_size=120,
)


@pytest.mark.fuzz
@cases
@given(st.integers(0, 2**32), steps)
def test_whatever_is_pushed_lost_and_read_the_cursor_never_says_too_much(seed: int, happenings: list[str]) -> None:
    channel = SimulatedChannel(seed)
    for happening in happenings:
        getattr(channel, happening)()
        assert not channel.missing, f"seed {seed}: after {happening}"


@pytest.mark.fuzz
@cases
@given(st.integers(0, 2**32), steps)
def test_reading_ends_with_everything_stored(seed: int, happenings: list[str]) -> None:
    """Whatever happened before, one sweep and as many pages as there are posts bring all that exists."""
    channel = SimulatedChannel(seed)
    for happening in happenings:
        getattr(channel, happening)()
    channel.answer()
    channel.sweep()
    pages = 0
    while channel.cursor.behind:
        channel.ask()
        channel.answer()
        pages += 1
        assert pages <= len(channel.standing) // 5 + 2, f"seed {seed}"
    while not channel.cursor.history_read:
        channel.read_back()
    assert channel.standing <= channel.stored, f"seed {seed}"
    assert channel.cursor.verified >= channel.newest


@pytest.mark.fuzz
@cases
@given(st.integers(0, 2**32), st.integers(0, 40))
def test_a_channel_that_is_never_heard_of_is_read_by_pages_alone(seed: int, posts: int) -> None:
    channel = SimulatedChannel(seed)
    for _ in range(posts):
        channel.post()
    reading = True
    while reading:
        channel.ask()
        reading = channel.answer()
    began = channel.cursor.began
    assert {number for number in channel.standing if number > began} <= channel.stored
