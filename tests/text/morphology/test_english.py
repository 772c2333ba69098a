"""English, and Latin script in general: plural and possessive, no verb forms."""

from __future__ import annotations

import pytest

from bot.text.morphology.english import English
from bot.text.morphology.languages import Morphology


@pytest.mark.parametrize(
    ("keyword", "found"),
    [
        ("base", "base bases base's"),
        ("Syria", "syria syria's"),
        ("Assad", "assad assad's assads"),
        ("airbase", "airbase airbases"),
        ("Syrian", "syrian syrians"),
        ("city", "city cities city's"),
        ("boy", "boy boys"),
        ("box", "box boxes"),
        ("bus", "bus buses"),
        ("breach", "breach breaches"),
        ("strike", "strike strikes"),
        ("airman", "airman airmen"),
        ("servicewoman", "servicewoman servicewomen"),
        ("man", "man men"),
        ("human", "human humans"),
        ("child", "child children"),
        ("knife", "knife knives"),
        ("person", "person people"),
    ],
)
def test_a_word_finds_its_plural_and_its_possessive(without_ukrainian: Morphology, keyword: str, found: str) -> None:
    assert set(found.split()) <= without_ukrainian.inflect(keyword).forms


@pytest.mark.parametrize(
    ("keyword", "others"),
    [
        ("base", "based basing baseless basements basis database basic"),
        ("Syria", "syrian syrians assyria"),
        ("Asad", "asadi assad"),
        ("strike", "striking struck striker"),
        ("boy", "boies"),
        ("human", "humen"),
        ("US", "use"),
    ],
)
def test_a_word_finds_no_verb_form_and_no_false_friend(
    without_ukrainian: Morphology, keyword: str, others: str
) -> None:
    assert not set(others.split()) & without_ukrainian.inflect(keyword).forms


def test_a_word_of_two_letters_has_no_plural(without_ukrainian: Morphology) -> None:
    assert without_ukrainian.inflect("US").forms == {"us"}


@pytest.mark.parametrize("key", ["сирия", "f16", "café", "", "naïve"])
def test_only_plain_latin_letters_are_claimed(key: str) -> None:
    assert not English().claims(key)


@pytest.mark.parametrize(
    ("typed", "singular"), [("airstrikes", "airstrike"), ("cities", "city"), ("bases", "base"), ("children", "child")]
)
def test_a_plural_in_small_letters_means_its_singular_too(typed: str, singular: str) -> None:
    [reading] = English().known(typed, typed)
    assert {typed, singular, f"{singular}'s"} <= reading.forms


@pytest.mark.parametrize("typed", ["Hamas", "hamas", "Texas", "news", "series", "means", "crisis", "bus"])
def test_a_word_that_only_ends_like_a_plural_stands_for_itself(typed: str) -> None:
    [reading] = English().known(typed, typed.lower())
    assert reading.lemma == typed.lower()
