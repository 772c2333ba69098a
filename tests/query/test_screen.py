"""The first look at a text: it stops much, and never what holds a word that is asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.query.leaves import Beginning, Ending, Forms, Leaf
from bot.query.screen import MOST, Screen
from bot.query.word_index import WordIndex
from bot.text.tokens import Words

SYRIA = Forms("Сирия", frozenset({"сирия", "сирии", "сирией", "сирию"}))
HOMS = Forms("Хомс", frozenset({"хомс", "хомса", "хомсе"}))


def passes(text: str, *leaves: Leaf) -> bool:
    return Screen(leaves or (SYRIA, HOMS)).passes(text)


@pytest.mark.parametrize(
    "text",
    ["Сирия", "в СИРИИ.", "#Сирия_сегодня", "под Хомсом и в Хомсе", "Хомс", "«хомса»", "ёж в Сирию", "Сирия " * 200],
)
def test_what_holds_a_word_passes(text: str) -> None:
    assert passes(text)


@pytest.mark.parametrize(
    "text", ["", "Сибирь", "Ассирия", "хомут", "махомс", "Погода 🌧 — дождь, +5 °C", "https://t.me/a"]
)
def test_what_holds_none_is_stopped(text: str) -> None:
    assert not passes(text)


@pytest.mark.parametrize(
    "text", ["Cирия с латинской C", "Си\u00adрия", "Сири\u0301я", "ḾИД", "سوريا", "С300a", "\ud83d"]
)
def test_what_is_not_plain_is_looked_at_properly(text: str) -> None:
    assert passes(text)


def test_short_words_are_asked_for_whole_and_long_ones_by_their_beginning() -> None:
    assert not passes("хомсовский")
    assert passes("сириец")  # as сирией begins
    assert passes("сирийский", Beginning("сир*", "сир"))
    assert passes("авиабазы", Ending("*база", frozenset({"база", "базы"})))
    assert not passes("базы данных, авиабазовый", Ending("*база", frozenset({"база"})))


def test_it_is_of_no_use_for_very_many_words() -> None:
    many = [Forms(str(number), frozenset({f"{number:05}".translate(LETTERS)})) for number in range(MOST + 1)]
    assert not Screen(many).worthwhile
    assert Screen(many[:-1]).worthwhile


LETTERS = str.maketrans("0123456789", "абвгдежзик")
words = st.sampled_from(
    ["Сирия", "сирии", "Хомс", "Ёлка", "елка", "ёлки", "база", "авиабазы", "Syria", "SYRIA", "С300"]
)
between = st.sampled_from(
    [*" \n.,-_#@«»’'`", "\u200b", "\u00ad", "\u0301", "\u2060", "a", "х", "Ё", "2", "ᲃ", "İ", "🇸🇾", "🌧", "\ufe0f"]
)
texts = st.lists(st.one_of(words, between, st.characters()), max_size=14).map("".join)
keys = st.text("сирияхомеёлкбзавsyr03", min_size=1, max_size=7).map(lambda key: key.replace("ё", "е"))
leaves = st.one_of(
    st.builds(lambda forms: Forms("x", forms), st.frozensets(keys, min_size=1, max_size=3)),
    st.builds(lambda key: Beginning("x", key), keys),
    st.builds(lambda forms: Ending("x", forms), st.frozensets(keys, min_size=1, max_size=3)),
    st.just(Forms("x", frozenset({"сирия", "сирии", "хомс", "елка", "елки", "syria", "с300", "база"}))),
)


@pytest.mark.fuzz
@settings(max_examples=int(os.environ.get("VEDETTE_CASES", "300")), deadline=None)
@given(text=texts, asked=st.lists(leaves, min_size=1, max_size=3))
def test_it_stops_no_text_of_which_a_word_is_found(text: str, asked: Sequence[Leaf]) -> None:
    if WordIndex(asked).hits(Words(text)):
        assert passes(text, *asked)
