"""What a batch of hauls comes to: what is new, changed or gone, and what became of posts and albums."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from bot.cursor import Cursor
from bot.intake import intake
from bot.model import Channel, Happening, Haul, Media, Post, PostId, Sighting, Stands
from bot.recording.albums import join
from bot.recording.jsonl import post_of
from bot.recording.writer import body
from tests.made import at
from tests.table import ALFA, CHANNEL, Table, gone, page, said, shows, stands


@pytest.fixture
def table() -> Table:
    return Table()


# --- single posts -----------------------------------------------------------------------------------------


def test_a_new_post_is_stored_and_told(table: Table) -> None:
    [arrival] = table.take(shows(said(11))).arrivals
    assert (arrival.revision.happening, arrival.revision.at) == (Happening.POSTED, at(11))
    assert arrival.revision.post == said(11)
    assert (arrival.seen, arrival.known, arrival.history, arrival.formerly) == (at(61), None, False, None)
    row = table.row(11)
    assert (row.stands, row.album, row.post) == (Stands.POST, None, 11)
    assert (row.date, row.seen, row.deleted) == (at(11), at(61), None)
    assert post_of(row.body or "", ALFA) == said(11)


def test_what_is_shown_again_is_nothing(table: Table) -> None:
    hauls = [shows(said(11), said(12)), shows(said(12)), stands(13, Stands.SERVICE)]
    table.take(*hauls)
    before = dict(table.rows)
    for order in permutations(hauls):
        taken = table.take(*order, *order)
        assert (taken.messages, taken.versions, taken.moves, taken.arrivals) == ({}, [], [], [])
    assert table.rows == before


def test_one_batch_tells_a_post_once_however_often_it_is_shown(table: Table) -> None:
    assert table.told(shows(said(11)), shows(said(11), said(11))) == ["posted 11: Сирия"]


def test_more_views_are_no_edit(table: Table) -> None:
    table.take(shows(said(11)))
    assert table.told(shows(replace(said(11), views=900, forwards=3, edited=at(12)))) == []


@pytest.mark.parametrize("protected", [True, False])
def test_protection_that_is_switched_is_no_edit(table: Table, protected: bool) -> None:  # noqa: FBT001 - a parameter
    first, then = (replace(said(11), protected=each) for each in (not protected, protected))
    table.take(shows(first))
    before = dict(table.rows)
    assert table.told(page(then)) == []
    assert (table.rows, table.versions) == (before, [])


def test_a_sum_that_was_taken_of_protection_too_is_renewed_without_a_version(table: Table) -> None:
    shown = replace(said(11), protected=True)
    table.take(shows(shown))
    new = table.row(11)
    table.rows[CHANNEL, 11] = new._replace(digest=b"as once", body=body(replace(shown, views=5)))
    assert table.told(page(shown)) == []
    assert (table.row(11), table.versions) == (new, [])
    table.rows[CHANNEL, 11] = new._replace(digest=b"as once")
    assert table.told(page(replace(shown, text="Асад", edited=at(15)))) == ["edited 11: Асад"]


def test_an_edit_is_told_with_what_stood_there_before(table: Table) -> None:
    table.take(shows(said(11)))
    [arrival] = table.take(shows(said(11, "Асад", edited=15))).arrivals
    assert (arrival.revision.happening, arrival.revision.at) == (Happening.EDITED, at(15))
    assert arrival.revision.post.text == "Асад"
    assert arrival.known is not None
    assert arrival.known.post == said(11)
    assert table.text(11) == "Асад"
    assert table.row(11).seen == at(61), "when it was first seen"
    assert [(one.number, one.until, post_of(one.body, ALFA).text) for one in table.versions] == [(11, at(62), "Сирия")]


def test_a_change_without_a_date_of_edit_happens_when_it_is_seen(table: Table) -> None:
    table.take(shows(said(11)))
    preview = replace(said(11), media=(Media(kind="webpage", title="Дамаск"),))
    [arrival] = table.take(shows(preview)).arrivals
    assert (arrival.revision.happening, arrival.revision.at) == (Happening.EDITED, at(62))


def test_an_edit_that_is_older_than_what_is_stored_is_nothing(table: Table) -> None:
    table.take(shows(said(11, "Асад", edited=15)))
    assert table.told(shows(said(11, "Хама", edited=14)), shows(said(11))) == []
    assert (table.text(11), table.versions) == ("Асад", [])


def test_a_push_that_comes_once_more_after_an_edit_does_not_undo_it(table: Table) -> None:
    table.take(shows(said(11)))
    table.take(shows(said(11, "Асад", edited=15)))
    assert table.told(shows(said(11))) == []
    assert table.text(11) == "Асад"


def test_an_edit_that_is_taken_back_is_an_edit(table: Table) -> None:
    table.take(shows(said(11)))
    table.take(shows(said(11, "Асад", edited=15)))
    assert table.told(shows(said(11, edited=16))) == ["edited 11: Сирия"]


def test_a_post_that_is_edited_within_its_first_batch_is_told_as_it_reads_last(table: Table) -> None:
    assert table.told(shows(said(11)), shows(said(11, "Асад", edited=15))) == ["posted 11: Асад"]
    assert [post_of(one.body, ALFA).text for one in table.versions] == ["Сирия"]


def test_two_edits_in_one_batch_are_one_happening_and_two_versions(table: Table) -> None:
    table.take(shows(said(11)))
    edits = shows(said(11, "Асад", edited=15)), shows(said(11, "Хама", edited=16))
    assert table.told(*edits) == ["edited 11: Хама"]
    assert [post_of(one.body, ALFA).text for one in table.versions] == ["Сирия", "Асад"]
    assert len({(one.number, one.until) for one in table.versions}) == 2, "the table's key"


def test_a_deletion_is_told_of_the_post_as_it_read_last(table: Table) -> None:
    table.take(shows(said(11)))
    table.take(shows(said(11, "Асад", edited=15)))
    [arrival] = table.take(gone(11)).arrivals
    assert (arrival.revision.happening, arrival.revision.at) == (Happening.DELETED, at(63))
    assert (arrival.revision.post.text, arrival.revision.post.deleted) == ("Асад", at(63))
    assert (table.row(11).deleted, table.text(11)) == (at(63), "Асад")


def test_what_is_gone_stays_gone(table: Table) -> None:
    table.take(shows(said(11)))
    table.take(gone(11))
    assert table.told(gone(11), shows(said(11)), shows(said(11, "Асад", edited=15))) == []
    assert table.row(11).deleted == at(62)


def test_a_deletion_of_what_was_never_seen_is_nothing(table: Table) -> None:
    taken = table.take(gone(11, 4000))
    assert (taken.messages, taken.arrivals) == ({}, [])


def test_a_post_that_comes_and_goes_in_one_batch_does_both(table: Table) -> None:
    told = ["posted 11: Сирия", "deleted 11: Сирия"]
    assert table.told(shows(said(11)), gone(11)) == told
    assert Table().told(shows(said(11), gone=[11])) == told


def test_an_edit_and_a_deletion_in_one_batch_are_a_deletion(table: Table) -> None:
    table.take(shows(said(11)))
    assert table.told(shows(said(11, "Асад", edited=15)), gone(11)) == ["deleted 11: Асад"]
    assert [post_of(one.body, ALFA).text for one in table.versions] == ["Сирия"]


@pytest.mark.parametrize("stood", [Stands.SERVICE, Stands.UNREADABLE])
def test_a_number_that_holds_no_post_is_stored_and_not_told(table: Table, stood: Stands) -> None:
    assert table.told(stands(11, stood), stands(11, stood), gone(11)) == []
    row = table.row(11)
    assert (row.stands, row.date, row.seen, row.deleted) == (stood, None, at(61), None)
    assert (row.body, row.digest) == (None, None)


def test_an_unreadable_message_that_can_be_read_later_is_a_new_post(table: Table) -> None:
    table.take(stands(11, Stands.UNREADABLE))
    [arrival] = table.take(shows(said(11))).arrivals
    assert (arrival.revision.happening, arrival.known) == (Happening.POSTED, None)
    assert (table.row(11).stands, table.row(11).seen) == (Stands.POST, at(61))


def test_a_post_that_cannot_be_read_any_more_stays_as_it_was(table: Table) -> None:
    table.take(shows(said(11)))
    assert table.told(stands(11, Stands.UNREADABLE)) == []
    assert table.text(11) == "Сирия"


def test_channels_with_the_same_numbers_are_told_apart() -> None:
    beta = Channel(id=-1001000000002, username="beta_demo")
    there = replace(said(11, "Хама"), channel=beta)
    hauls = [shows(said(11)), Haul(channel=-1001000000002, sightings=(Sighting(11, Stands.POST, there),))]
    taken = intake(hauls, at(60), [], {}, lambda _: ALFA)
    assert {one.revision.post.id: one.revision.post.text for one in taken.arrivals} == {
        said(11).id: "Сирия",
        there.id: "Хама",
    }
    assert set(taken.messages) == {(CHANNEL, 11), (-1001000000002, 11)}


# --- history and what lies before it ----------------------------------------------------------------------


def test_what_stood_there_when_the_channel_was_first_read_is_history(table: Table) -> None:
    assert [one.history for one in table.take(shows(said(9), said(10), said(11))).arrivals] == [True, True, False]


def test_an_edit_of_a_post_of_history_is_none(table: Table) -> None:
    table.take(shows(said(10)))
    assert [one.history for one in table.take(shows(said(10, "Асад", edited=70))).arrivals] == [False]


def test_a_number_that_becomes_visible_behind_the_cursor_is_a_new_post() -> None:
    table = Table(Cursor(floor=0, began=10, verified=20, top=20))
    [arrival] = table.take(shows(said(15))).arrivals
    assert (arrival.revision.happening, arrival.history) == (Happening.POSTED, False)


def test_what_lies_below_the_first_reading_is_not_taken() -> None:
    table = Table(Cursor(floor=5, began=10, verified=10, top=10))
    assert table.told(shows(said(5, "Асад", edited=70), said(6)), gone(4)) == ["posted 6: Сирия"]
    assert set(table.rows) == {(CHANNEL, 6)}


def test_a_page_that_is_read_backwards_brings_its_floor_along() -> None:
    table = Table(Cursor(floor=8, began=10, verified=10, top=10))
    page = replace(shows(said(5), said(6), said(7)), floor=5)
    assert table.told(page) == ["posted 6: Сирия", "posted 7: Сирия"]


# --- albums -----------------------------------------------------------------------------------------------


def part(number: int, text: str = "", *, edited: float | None = None) -> Post:
    return said(number, text, edited=edited, album=77)


WHOLE = (part(11, "Сирия"), part(12), part(13, "Хама"))


def test_an_album_in_one_haul_is_one_post(table: Table) -> None:
    [arrival] = table.take(shows(*WHOLE)).arrivals
    assert (arrival.revision.happening, arrival.revision.at) == (Happening.POSTED, at(11))
    assert arrival.revision.post == join(WHOLE, shown=WHOLE)
    assert {row.number: (row.post, row.album) for row in table.rows.values()} == dict.fromkeys([11, 12, 13], (11, 77))


def test_an_album_in_several_hauls_of_a_batch_is_one_post_whatever_their_order() -> None:
    for order in permutations(WHOLE):
        table = Table()
        assert table.told(*map(shows, order)) == ["posted 11: Сирия\nХама"]
        assert [table.row(number).post for number in (11, 12, 13)] == [11, 11, 11]
        assert table.moves == []


def test_an_album_that_goes_on_in_the_next_batch_grows(table: Table) -> None:
    table.take(shows(WHOLE[0]))
    [grew] = table.take(shows(WHOLE[1])).arrivals
    assert (grew.revision.happening, grew.revision.at, grew.revision.post.number) == (Happening.GREW, at(62), 11)
    assert grew.known is not None
    assert grew.known.post == WHOLE[0]
    assert grew.formerly is None
    assert table.told(shows(WHOLE[2])) == ["grew 11: Сирия\nХама"]
    assert table.moves == []


def test_an_album_whose_lowest_member_comes_last_gets_its_number(table: Table) -> None:
    table.take(shows(WHOLE[1], WHOLE[2]))
    [grew] = (taken := table.take(shows(WHOLE[0]))).arrivals
    assert (grew.revision.happening, grew.revision.post.number) == (Happening.GREW, 11)
    assert grew.formerly == PostId(str(CHANNEL), 12)
    assert grew.known is not None
    assert grew.known.post is not None
    assert (grew.known.post.number, grew.known.post.text) == (11, "Хама")
    assert taken.moves == [(CHANNEL, 12, 11)]
    assert taken.known_posts == {(CHANNEL, 12)}, "the tables know it so"
    assert [table.row(number).post for number in (11, 12, 13)] == [11, 11, 11]


def test_an_album_of_which_history_brings_the_lower_half_later_keeps_together() -> None:
    table = Table(Cursor(floor=12, began=13, verified=13, top=13))
    table.take(shows(WHOLE[2]))
    [grew] = table.take(replace(shows(*WHOLE[:2]), floor=10)).arrivals
    assert (grew.revision.happening, grew.history, grew.revision.post.number) == (Happening.GREW, True, 11)
    assert table.moves == [(13, 11)]


def test_an_edit_of_a_member_is_one_of_the_album(table: Table) -> None:
    table.take(shows(*WHOLE))
    [arrival] = table.take(shows(part(12, "Хомс", edited=20))).arrivals
    assert (arrival.revision.happening, arrival.revision.at) == (Happening.EDITED, at(20))
    assert (arrival.revision.post.number, arrival.revision.post.text) == (11, "Сирия\nХомс\nХама")
    assert arrival.known is not None
    assert arrival.known.post == join(WHOLE, shown=WHOLE)


def test_an_album_that_grows_and_changes_in_one_batch_is_edited(table: Table) -> None:
    table.take(shows(*WHOLE[:2]))
    assert table.told(shows(WHOLE[2], part(12, "Хомс", edited=20))) == ["edited 11: Сирия\nХомс\nХама"]


@pytest.mark.parametrize(("number", "left"), [(11, "Хама"), (12, "Сирия\nХама"), (13, "Сирия")])
def test_a_member_that_is_deleted_is_an_edit_of_the_album(table: Table, number: int, left: str) -> None:
    table.take(shows(*WHOLE))
    [arrival] = table.take(gone(number)).arrivals
    assert (arrival.revision.happening, arrival.revision.post.number) == (Happening.EDITED, 11)
    assert (arrival.revision.post.text, arrival.revision.post.deleted) == (left, None)
    assert len(arrival.revision.post.media) == 2
    assert table.moves == []


def test_an_album_is_deleted_when_the_last_of_it_is(table: Table) -> None:
    table.take(shows(*WHOLE))
    assert table.told(gone(11, 12)) == ["edited 11: Хама"]
    assert table.told(gone(13)) == ["deleted 11: Сирия\nХама"]


def test_an_album_that_is_deleted_at_once_is_so_once(table: Table) -> None:
    table.take(shows(*WHOLE))
    assert table.told(gone(11), gone(13, 12)) == ["deleted 11: Сирия\nХама"]


def test_two_albums_of_a_batch_are_two_posts(table: Table) -> None:
    other = said(14, "Хомс", album=78)
    assert table.told(shows(*WHOLE, other)) == ["posted 11: Сирия\nХама", "posted 14: Хомс"]
