"""The table of languages: who answers for a word, and what happens to a word that none knows."""

from __future__ import annotations

import pytest

from bot.text.morphology.language import How, Reading
from bot.text.morphology.languages import LANGUAGES, Morphology, look_alikes


def _hows(morphology: Morphology, word: str) -> list[How]:
    return [reading.how for reading in morphology.inflect(word).readings]


@pytest.mark.parametrize(
    ("word", "language"),
    [("Сирия", "Russian"), ("Syria", "English"), ("پایگاه", "Persian"), ("الأسد", "Arabic")],
)
def test_the_script_decides_the_language(without_ukrainian: Morphology, word: str, language: str) -> None:
    assert {r.language for r in without_ukrainian.inflect(word).readings} == {language}


@pytest.mark.parametrize("word", ["САА", "ХТШ", "ВКС", "БПЛА", "ВСУ"])
def test_an_unknown_acronym_is_taken_as_typed(without_ukrainian: Morphology, word: str) -> None:
    """The dictionary would make the verb «бпнуть» out of БПЛА."""
    own = without_ukrainian.inflect(word).readings[0]
    assert own.how is How.ACRONYM
    assert own.forms == {word.lower()}


def test_a_known_word_in_capitals_is_inflected(without_ukrainian: Morphology) -> None:
    assert {"сирии", "сирией"} <= without_ukrainian.inflect("СИРИЯ").forms


def test_a_long_unknown_word_in_capitals_is_no_acronym(without_ukrainian: Morphology) -> None:
    assert _hows(without_ukrainian, "ХМЕЙМИМ") == [How.PREDICTED]
    assert "хмеймима" in without_ukrainian.inflect("ХМЕЙМИМ").forms


@pytest.mark.parametrize(
    ("word", "twin"),
    [("САА", "caa"), ("CAA", "саа"), ("С300", "c300"), ("C300", "с300"), ("ВКС", "bkc"), ("В-52", "b-52")],
)
def test_an_acronym_or_designation_is_found_in_the_other_script_too(
    without_ukrainian: Morphology, word: str, twin: str
) -> None:
    assert twin in without_ukrainian.inflect(word).forms


@pytest.mark.parametrize("word", ["ХТШ", "F16", "Сосо", "сор", "300", "США"])
def test_a_word_with_a_letter_of_its_own_or_in_small_letters_has_no_twin(word: str) -> None:
    assert look_alikes(word) == ()


def test_the_twin_stands_beside_the_readings(without_ukrainian: Morphology) -> None:
    assert without_ukrainian.inflect("САА").readings == (
        Reading("", "САА", How.ACRONYM, frozenset({"саа"})),
        Reading("", "CAA", How.LITERAL, frozenset({"caa"})),
    )


@pytest.mark.parametrize("word", ["🇸🇾", "АтомID", "F16", "日本", "שלום", "2024"])
def test_a_word_of_no_language_is_taken_literally(without_ukrainian: Morphology, word: str) -> None:
    assert _hows(without_ukrainian, word) == [How.LITERAL]
    assert without_ukrainian.inflect(word).forms == {word.lower()}


def test_every_form_of_every_reading_is_a_form_of_the_word(with_ukrainian: Morphology) -> None:
    inflection = with_ukrainian.inflect("танк")
    assert len(inflection.readings) == 2
    assert all(reading.forms < inflection.forms for reading in inflection.readings)


@pytest.mark.parametrize(
    ("word", "reading"),
    [
        ("سوريا", {"Arabic", "Persian"}),
        ("پایگاه", {"Persian"}),
    ],
    ids=["both", "persian only"],
)
def test_a_word_in_arabic_letters_may_be_of_two_languages(
    without_ukrainian: Morphology, word: str, reading: set[str]
) -> None:
    assert {r.language for r in without_ukrainian.inflect(word).readings} == reading


def test_a_dictionary_that_is_not_installed_is_not_listed(
    without_ukrainian: Morphology, with_ukrainian: Morphology
) -> None:
    assert [one.name for one in without_ukrainian.dictionaries()] == ["Russian"]
    assert [one.name for one in with_ukrainian.dictionaries()] == ["Russian", "Ukrainian"]


def test_a_morphology_of_its_own_accord_speaks_every_language() -> None:
    inflection = Morphology().inflect("Syria")
    assert inflection.forms >= {"syria", "syria's"}
    assert [language.name for language in LANGUAGES] == ["Russian", "Ukrainian", "English", "Arabic", "Persian"]


@pytest.mark.parametrize("word", ["С-300", "эс", "", " ", "\u0301", "'", "\ud800", "ё" * 4096], ids=ascii)
def test_any_word_has_at_least_itself(without_ukrainian: Morphology, word: str) -> None:
    inflection = without_ukrainian.inflect(word)
    assert inflection.word == word
    assert inflection.forms
    assert without_ukrainian.family(word).forms >= inflection.forms
