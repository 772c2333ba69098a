"""Ukrainian keywords, with the extra's dictionary and by endings without it."""

from __future__ import annotations

import pytest

from bot.text.morphology.language import How
from bot.text.morphology.languages import Morphology
from bot.text.morphology.ukrainian import Ukrainian

KNOWN = {
    "Сирія": ("сирії сирію сирією", "сирійський сирієць сирі ассирія сирий"),
    "база": ("бази базі базу базою баз базам базами базах", "базування базар базарі базовий"),
    "Львів": ("львова львову львові львовом", "львівський"),
    "Харків": ("харкова харкову харковом харкові", "харківський"),
    "м'ята": ("м'яти м'яту м'ятою м'яті", "мята"),
    "сирійський": ("сирійське сирійські сирійської сирійського сирійсько", "сирія сирієць"),
    "враховувати": ("враховує враховував враховуючи враховувавши", "облік"),
}

GUESSED = {
    "Сирія": "сирії сирію сирією",
    "Ідліб": "ідліба ідлібу ідлібом ідлібі",
    "Хмеймім": "хмейміма хмейміму хмеймімом хмеймімі",
    "Львів": "львова львову львові львовом",
    "Київ": "києва києву києвом києві",
    "м'ята": "м'яти м'яту м'ятою м'яті",
    "сирійський": "сирійського сирійської сирійські сирійських сирійськими",
    "військо": "війська війську військом",
    "Тріполі": "тріполі",
    "хусієць": "хусійця хусійцю хусійцем хусійці хусійців",
}


@pytest.mark.parametrize("keyword", KNOWN)
def test_a_ukrainian_word_finds_its_forms_and_no_false_friend(with_ukrainian: Morphology, keyword: str) -> None:
    forms, others = KNOWN[keyword]
    found = with_ukrainian.inflect(keyword).forms
    assert set(forms.split()) <= found
    assert not set(others.split()) & found


def test_a_family_holds_the_derived_words_and_no_stranger(with_ukrainian: Morphology) -> None:
    family = with_ukrainian.family("Сирія").forms
    assert {"сирія", "сирійський", "сирійської", "сирієць", "сирійка"} <= family
    assert not {"сирі", "сирий", "сирин", "сириус"} & family


def test_a_derived_word_leads_back_to_its_root(with_ukrainian: Morphology) -> None:
    assert {"сирія", "сирії"} <= with_ukrainian.family("сирійський").forms


def test_a_word_of_both_languages_has_the_forms_of_both(with_ukrainian: Morphology) -> None:
    inflection = with_ukrainian.inflect("порт")
    assert [r.language for r in inflection.readings] == ["Russian", "Ukrainian"]
    assert {"порты", "портов", "порти", "портів"} <= inflection.forms


def test_a_russian_verb_is_no_form_of_a_ukrainian_one(with_ukrainian: Morphology) -> None:
    """Ukrainian knows представлять as a form of представити; where it is a lemma that does not count."""
    readings = with_ukrainian.inflect("представлять").readings
    assert [(r.language, r.lemma) for r in readings] == [("Russian", "представлять")]


@pytest.mark.parametrize("keyword", GUESSED)
def test_without_its_dictionary_ukrainian_goes_by_endings(without_ukrainian: Morphology, keyword: str) -> None:
    readings = without_ukrainian.inflect(keyword).readings
    assert ("Ukrainian", How.PREDICTED) in [(r.language, r.how) for r in readings]
    assert {keyword.lower(), *GUESSED[keyword].split()} <= readings[-1].forms


def test_without_its_dictionary_ukrainian_says_what_to_install(without_ukrainian: Morphology) -> None:
    [note] = without_ukrainian.inflect("Львів").notes
    assert note.startswith("the Ukrainian dictionary is not installed, so endings are guessed; ")
    assert note.endswith("pip install pymorphy3-dicts-uk")


def test_with_its_dictionary_ukrainian_has_nothing_to_say(with_ukrainian: Morphology) -> None:
    assert with_ukrainian.inflect("Львів").notes == ()


@pytest.mark.parametrize("keyword", ["порт", "Сирия", "съезд", "Хмеймим"])
def test_without_its_dictionary_ukrainian_keeps_out_of_words_that_may_be_russian(
    without_ukrainian: Morphology, keyword: str
) -> None:
    inflection = without_ukrainian.inflect(keyword)
    assert [r.language for r in inflection.readings] == ["Russian"]
    assert inflection.notes == ()


def test_without_its_dictionary_there_is_no_ukrainian_family(without_ukrainian: Morphology) -> None:
    assert without_ukrainian.family("Сирія") == without_ukrainian.inflect("Сирія")


@pytest.mark.parametrize("key", ["сыр", "съезд", "эхо"])
def test_russian_letters_are_not_ukrainian(key: str) -> None:
    assert not Ukrainian().claims(key)
