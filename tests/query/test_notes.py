"""What is allowed in a query but unwise: said as a note, where it stands."""

from __future__ import annotations

import pytest

from bot.query.lexicon import Lexicon
from bot.query.notes import common_words, notes
from bot.query.parser import parse
from bot.text.morphology.languages import LANGUAGES, Morphology
from bot.text.morphology.ukrainian import Ukrainian


class WithoutDictionary(Ukrainian):
    """Ukrainian whose extra is not installed."""

    code = "uk-absent"


@pytest.mark.parametrize(
    ("query", "column", "text"),
    [
        ("Сирия or Асад", 6, "«or» is a word to be found here; the operator is written OR"),
        ("Сирия and Асад", 6, "the operator is written AND"),
        ("Сирия not Асад", 6, "the operator is written NOT"),
        ("Сирия near Асад", 6, "the operator is written NEAR/5"),
        ("Сирия или Асад", 6, "«или» is a word to be found here; the operator is written OR"),
        ("Сирия ИЛИ Асад", 6, "«ИЛИ» is a word to be found here; the operator is written OR"),
        ("Сирия и Асад", 6, "the operator is written AND"),
        ("Сирия не Асад", 6, "the operator is written NOT"),
        ("Сирия або Асад", 6, "the operator is written OR"),
        ("Сирия (Асад и база)", 12, "the operator is written AND"),
        ("военная база", 0, 'for the phrase write "военная база"'),
        ("Сирия военная база", 6, 'for the phrase write "военная база"'),
        ("air base", 0, 'for the phrase write "air base"'),
        ("база", 0, "«база» alone stands in "),
        ("Сирия | база", 8, "«база» alone stands in "),
        ("базы | Россия", 7, "«Россия» alone stands in "),
        ("~Россия", 0, "«Россия» alone stands in "),
        ("Сирия, Асад", 5, "a comma does not separate keywords"),
        ("Сирия,Асад", 5, "a comma does not separate keywords"),
        ("ХТШ", 0, "«ХТШ» is in no dictionary and all capitals"),
        ("https://example.org/news", 0, "for links write link:host or @name"),
        ("t.me/rybar", 0, "for links write link:host or @name"),
        ("~Хмеймим", 0, "no words derived from «Хмеймим» are known"),
    ],
)
def test_a_query_gets_this_note(query: str, column: int, text: str, lexicon: Lexicon) -> None:
    found = notes(parse(query), lexicon)
    assert [note.column for note in found if text in note.text] == [column], found


@pytest.mark.parametrize(
    "query",
    [
        "Хмеймим",
        "Хмеймим OR Тартус",
        'Сирия "или"',
        '"to be or not to be"',
        "=или",
        '"военная база"',
        "военная -база",
        "Башар Асад",
        "военная | авиабаза",
        "база NEAR/5 Сирия",
        "база Сирия",
        "Сирия -база",
        "МИД Франция",
        "case:ХТШ",
        "=ХТШ",
        '"Сирия, Асад"',
        "«Сирия, Асад»",
        "/Сирия, Асад/",
        "3,5",
        "#или",
        "@rybar",
        "link:example.org",
        r"/https?:\/\/t\.me/",
    ],
)
def test_a_query_that_is_well_written_gets_no_note(query: str, lexicon: Lexicon) -> None:
    assert notes(parse(query), lexicon) == []


def test_notes_come_once_each_and_in_reading_order(lexicon: Lexicon) -> None:
    found = notes(parse("ХТШ, ХТШ или ХТШ"), lexicon)
    assert [note.column for note in found] == sorted(note.column for note in found)
    assert len(set(found)) == len(found)
    assert {note.column for note in found} == {0, 3, 5, 9, 13}


@pytest.mark.parametrize(("query", "noted"), [("Київ", True), ("Сирія Асад", True), ("выборы", False), ("base", False)])
def test_without_the_ukrainian_dictionary_a_ukrainian_word_is_noted(
    query: str,
    noted: bool,  # noqa: FBT001 - a row of the table
) -> None:
    languages = [WithoutDictionary() if one is Ukrainian else one() for one in LANGUAGES]
    found = notes(parse(query), Lexicon(Morphology(languages)))
    assert any("pymorphy3-dicts-uk" in note.text for note in found) is noted


def test_the_common_words_are_keys_with_their_share() -> None:
    assert float(common_words()["база"]) >= 1.5
    assert "сирия" not in common_words()
    assert all(word == word.lower() and "ё" not in word for word in common_words())
