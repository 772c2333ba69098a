"""Persian keywords: plural, ezafe and possessive endings, with and without the joiner before them."""

from __future__ import annotations

import pytest

from bot.text.morphology.languages import Morphology
from bot.text.morphology.persian import Persian
from bot.text.normalise import normalise

ZWNJ = "\u200c"


@pytest.mark.parametrize(
    ("keyword", "post"),
    [
        ("پایگاه", f"پایگاه پایگاه{ZWNJ}ها پایگاه{ZWNJ}های پایگاهها پایگاهی پایگاهش"),
        ("ایران", f"ایران ايران ایرانی ایران{ZWNJ}ها"),
        ("سوریه", f"سوریه سوریه{ZWNJ}ای"),
    ],
)
def test_a_word_is_found_before_its_endings(without_ukrainian: Morphology, keyword: str, post: str) -> None:
    assert set(map(normalise, post.split())) <= without_ukrainian.inflect(keyword).forms


def test_a_word_finds_no_longer_word(without_ukrainian: Morphology) -> None:
    assert not {normalise("پایگاهداری"), normalise("گاه")} & without_ukrainian.inflect("پایگاه").forms


@pytest.mark.parametrize("word", ["قاعدة", "الأسد", "القواعد"])
def test_a_word_with_arabic_letters_or_article_is_not_persian(word: str) -> None:
    assert list(Persian().known(word, normalise(word))) == []
