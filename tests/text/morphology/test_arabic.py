"""Arabic keywords: the article, the particles and the pronouns that are written in one word with them."""

from __future__ import annotations

import pytest

from bot.text.morphology.arabic import Arabic
from bot.text.morphology.languages import Morphology
from bot.text.normalise import normalise


@pytest.mark.parametrize(
    ("keyword", "post"),
    [
        ("سوريا", "سوريا وسوريا بسوريا لسوريا فسوريا"),
        ("الأسد", "الأسد الاسد والأسد للأسد بالأسد أسد"),
        ("قاعدة", "قاعدة القاعدة وقاعدة بالقاعدة قاعده قاعدتهم"),
        ("القواعد", "القواعد بالقواعد للقواعد والقواعد وقواعدهم قواعد"),
        ("دمشق", "دمشق ودمشق بدمشق لدمشق"),
        ("إدلب", "إدلب ادلب وإدلب بإدلب"),
    ],
)
def test_a_word_is_found_behind_article_and_particles(without_ukrainian: Morphology, keyword: str, post: str) -> None:
    assert set(map(normalise, post.split())) <= without_ukrainian.inflect(keyword).forms


@pytest.mark.parametrize(
    ("keyword", "others"),
    [
        ("قاعدة", "قاعدتاً قواعد تقاعد"),
        ("سوريا", "السورية السوري سوري"),
        ("الأسد", "الأسدي الأسود"),
        ("دمشق", "الدمشقي"),
    ],
)
def test_a_word_finds_no_other_word(without_ukrainian: Morphology, keyword: str, others: str) -> None:
    assert not set(map(normalise, others.split())) & without_ukrainian.inflect(keyword).forms


def test_persian_letters_are_not_arabic() -> None:
    assert Arabic().claims(normalise("سوريا"))
    assert not Arabic().claims(normalise("پایگاه"))
    assert not Arabic().claims("syria")
