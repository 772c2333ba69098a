"""Pushes overtake pages: a page may show a message as it was before its push, and must not undo it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.cursor import Cursor
from bot.model import Happening, Haul, Post
from bot.recording.jsonl import post_of
from tests.table import ALFA, Table, gone, page, said, shows


@pytest.fixture
def table() -> Table:
    return Table()


def test_a_deletion_that_overtakes_its_post_is_not_forgotten(table: Table) -> None:
    assert table.told(gone(11)) == []
    assert table.told(page(said(11))) == ["posted 11: Сирия", "deleted 11: Сирия"]
    assert table.row(11).deleted is not None
    assert table.told(page(said(11)), shows(said(11))) == []


def test_a_member_that_was_deleted_while_its_album_waited_stays_deleted(table: Table) -> None:
    table.take(gone(12))
    table.take(shows(said(11, "Сирия", album=7)), shows(said(12, "Асад", album=7)))
    assert table.row(12).deleted is not None
    assert table.row(11).deleted is None


def test_what_a_check_did_not_show_lives_again_when_a_page_shows_it(table: Table) -> None:
    table.take(shows(said(11)))
    table.take(page(gone=[11]))
    assert table.row(11).deleted is not None
    assert table.told(page(said(11))) == ["edited 11: Сирия"]
    assert table.row(11).deleted is None


def test_a_push_of_long_ago_does_not_make_a_deleted_post_live_again(table: Table) -> None:
    table.take(shows(said(11)))
    table.take(page(gone=[11]))
    assert table.told(shows(said(11))) == []
    assert table.row(11).deleted is not None


def test_an_edit_of_a_post_that_the_first_reading_has_still_to_bring_is_not_lost() -> None:
    table = Table(Cursor(floor=8, began=10, verified=10, top=10))
    assert table.told(shows(said(6, "Сирия, дополнено", edited=90))) == []
    table.take(page(said(6), said(7), floor=5))
    assert table.text(6) == "Сирия, дополнено"


@pytest.mark.parametrize("show", [shows, page])
def test_a_change_that_telegram_hides_brings_the_edit_of_which_the_push_was_lost(
    table: Table, show: Callable[[Post], Haul]
) -> None:
    table.take(shows(said(11)))
    table.take(shows(said(11, "Погода", edited=15)))
    [arrival] = table.take(show(said(11, "Асад", changed=20))).arrivals
    assert (arrival.revision.happening, arrival.revision.post.text) == (Happening.EDITED, "Асад")
    assert arrival.revision.post.edited is None
    assert [post_of(one.body, ALFA).text for one in table.versions] == ["Сирия", "Погода"]


@pytest.mark.parametrize("show", [shows, page])
def test_what_comes_late_does_not_undo_a_change_that_telegram_hides(table: Table, show: Callable[[Post], Haul]) -> None:
    table.take(shows(said(11, "Асад", changed=20)))
    assert table.told(show(said(11)), show(said(11, "Погода", edited=15)), show(said(11, "Хама", changed=19))) == []
    assert (table.text(11), table.versions) == ("Асад", [])
    assert table.told(show(said(11, "Хомс", edited=21))) == ["edited 11: Хомс"]


def test_a_hidden_change_within_the_second_of_an_edit_is_taken(table: Table) -> None:
    table.take(shows(said(11, "Асад", edited=15)))
    assert table.told(shows(said(11, "Хама", changed=15))) == ["edited 11: Хама"]


def test_an_edit_in_the_batch_of_its_page_is_taken_whichever_comes_first() -> None:
    edit = shows(said(6, "Сирия, дополнено", edited=90))
    for hauls in ((edit, page(said(6), floor=5)), (page(said(6), floor=5), edit)):
        table = Table(Cursor(floor=8, began=10, verified=10, top=10))
        table.take(*hauls)
        assert table.text(6) == "Сирия, дополнено"


def test_an_edit_of_which_the_page_shows_a_newer_one_does_not_undo_that() -> None:
    table = Table(Cursor(floor=8, began=10, verified=10, top=10))
    table.take(shows(said(6, "Сирия, дополнено", edited=90)))
    table.take(page(said(6, "Сирия, исправлено", edited=95), floor=5))
    assert table.text(6) == "Сирия, исправлено"
