"""Pushes overtake pages: a page may show a message as it was before its push, and must not undo it."""

from __future__ import annotations

import pytest

from bot.cursor import Cursor
from tests.table import Table, gone, page, said, shows


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
