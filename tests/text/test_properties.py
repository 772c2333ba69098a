"""Properties of words, keys, offsets, signs and footers over any text; `make fuzz` runs them with many cases."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.text import tokens
from bot.text.footers import Footers, line_key, start_of
from bot.text.normalise import normalise, surface, twin
from bot.text.signs import hashtag_key, hashtags, host_key, links, names, parents
from bot.text.tokens import Utf16, Words, tokenise

cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "150")), deadline=None)

PIECES = """
Сирия СИРИЯ сирии Ёлка ещё м'ята м’ята мʼята п`ять Львів їжак АтомID ШтормZ Cнегопад сopy Метa CAA
САА С-300 H2O 1я a1б ёD Syria Syria's base İstanbul ıI ß ẞ Straße ﬁ ſ Å é ó Ĳ ǆ ŉ سوريا والأسد ایران
الله ٣ ۴ ﷺ ﻻ 𝐒𝐲𝐫𝐢𝐚 Ｓｙｒｉａ Ⅷ ½ ² ① ℹ ℹ️ 🇸🇾 🇸 🇾🇺 👨‍👩‍👧 ⚡️ ❤️‍🔥 👉🏽 1️⃣ #️⃣ ĸ ₚ ë Ë ο Α हिन्दी ไทย 日本 한 Σ
ς ѐ ѝ ѣ ұ й ё ї Ґ ʼ ʹ ′ ’ ' ` _ - – # @ . , : / ? ! ( ) « » & + * t.me/ @name #Сирия_сегодня
example.org https:// xn--p1ai .рф tg://resolve?domain= שלום ﹱ ͅ ͺ ٱ ۀ ہ ھ ئ ة
""".split()
MARKS = "\u00ad\u0301\u0306\u0308\u0345\u200b\u200c\u200d\u200e\u2060\ufeff\ufe0f\u064f\u0640\u061c\u0483\u20e3\u034f"
BLANKS = " \n\u00a0\t\u2028\r\x1c\x00\u3000"
LETTERS = "acexpoiсахроіABCHABСНЁёйЙyuуУTТтm19"

pieces = st.one_of(
    st.sampled_from(PIECES),
    st.sampled_from(MARKS + BLANKS),
    st.sampled_from(LETTERS),
    st.characters(min_codepoint=0x21, max_codepoint=0x52F),
    st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF),
    st.characters(),
)
texts = st.lists(pieces, max_size=16).map("".join)


@pytest.mark.fuzz
@pytest.mark.timeout(60)
@cases
@given(texts)
@example("Сирия\u0640")
@example("\u0640")
@example("ʼ")
@example("ß’Сирия")
@example("А321neo a1б")
def test_the_fast_way_to_the_keys_agrees_with_the_full_expression(text: str) -> None:
    expected = [match[0] for match in tokens._FULL.finditer(text)]
    assert tokenise(text) == expected
    assert Words(text).keys == [normalise(token) for token in expected]


@pytest.mark.fuzz
@pytest.mark.timeout(60)
@cases
@given(texts)
@example("Сирия\u0640 Сирия")
@example("базальт база авиабаза база")
def test_every_place_of_a_key_holds_a_word_with_that_key(text: str) -> None:
    words = Words(text)
    places = sorted(place for key in set(words.keys) for place in words.places(key))
    assert [number for number, _, _ in places] == list(range(len(words.keys)))
    assert [text[start:end] for _, start, end in places] == tokenise(text)
    assert [normalise(text[start:end]) for _, start, end in places] == words.keys
    assert [words.span(number) for number, _, _ in places] == [(start, end) for _, start, end in places]


@pytest.mark.fuzz
@cases
@given(texts)
def test_spans_ascend_and_never_overlap(text: str) -> None:
    words = Words(text)
    position = 0
    for number in range(len(words.keys)):
        start, end = words.span(number)
        assert position <= start < end <= len(text)
        position = end


@pytest.mark.fuzz
@cases
@given(texts)
@example("ёD")
@example("еẞ")
def test_a_key_is_its_own_key(text: str) -> None:
    for word in tokenise(text):
        key = normalise(word)
        assert normalise(key) == key


@pytest.mark.fuzz
@cases
@given(texts)
def test_the_surface_in_lower_case_is_the_key(text: str) -> None:
    for word in tokenise(text):
        assert normalise(surface(word)) == normalise(word)


@pytest.mark.fuzz
@cases
@given(texts)
def test_any_string_has_a_key(text: str) -> None:
    for function in (normalise, surface, hashtag_key):
        assert isinstance(function(text), str)


@pytest.mark.fuzz
@cases
@given(texts)
@example("🇸🇾 Сирия 🔻")
def test_offsets_agree_with_utf16_in_both_directions(text: str) -> None:
    places = Utf16(text)
    for point in range(len(text) + 1):
        units = len(text[:point].encode("utf-16-le", "surrogatepass")) // 2
        assert places.units(point) == units
        assert places.point(units) == point


@pytest.mark.fuzz
@cases
@given(texts)
def test_signs_lie_inside_the_text(text: str) -> None:
    for find in (hashtags, names, links):
        for sign in find(text):
            assert sign.key
            assert 0 <= sign.start < sign.end <= len(text)


@pytest.mark.fuzz
@cases
@given(texts)
def test_hashtags_ascend_and_hold_their_key(text: str) -> None:
    position = 0
    for sign in hashtags(text):
        assert position <= sign.start
        assert text[sign.start] in "#＃"
        assert hashtag_key(text[sign.start + 1 : sign.end]) == sign.key
        position = sign.end


@pytest.mark.fuzz
@cases
@given(st.lists(st.sampled_from(["", " ", "а", "б", "Ф", "\t", "Ф "]), max_size=9), st.booleans())
def test_a_footer_begins_a_line_and_never_takes_the_first_one(lines: list[str], repeated: bool) -> None:  # noqa: FBT001 – drawn
    text = "\n".join(lines)
    footers = Footers()
    for number in range(3):
        footers.learn("c", text if repeated else f"{number}\nФ")
    start = footers.start("c", text)
    if start is None:
        return
    assert text[start - 1] == "\n"
    assert text[:start].strip()
    assert line_key(text[start:].split("\n")[0])
    assert start_of({line_key(line) for line in text[start:].split("\n")}, text) == start or repeated


ADVERSARIES = {
    "labels": "a." * 2048,
    "labels that are too long": ".".join("a" * 63 for _ in range(64)),
    "labels and a digit": "x." * 2047 + "1",
    "at signs": "@" * 4096,
    "mentions": "@a" * 2048,
    "addresses": "a@" * 2048,
    "number signs": "#" * 4096,
    "hashtags": "#a" * 2048,
    "names": "t.me/" * 800,
    "subdomains": "a.t.me" * 682,
    "schemes": "a://" * 1024,
    "pluses": "a+" * 2048,
    "colons": "a:" * 2048,
    "hyphens": "a-" * 2048,
    "resolve": "tg://resolve?" + "a=&" * 1361,
    "resolve again and again": "tg://resolve?" * 315,
    "user": "http://" + "a" * 4089,
    "punycode": "xn--a." * 682,
    "one long punycode": "xn--" + "a" * 4088 + ".com",
    "marks": "\u0301" * 4096,
    "a letter and marks": "а" + "\u0301" * 4094 + "!",
    "letters with marks": "а\u0301" * 2048,
    "marks out of order": "a" + "\u0301\u0316" * 2047,
    "apostrophes": "а" + "'" * 4095,
    "letters and apostrophes": "м'" * 2048,
    "letters and invisible characters": "а" + "\u00ad'" * 2047,
    "half flags": "🇸" * 4096,
    "two scripts": "aя" * 2048,
    "digits": "a" + "1" * 4094 + "я",
    "one word": "а" * 4096,
    "ligatures of eighteen letters": "\ufdfa" * 4096,
    "line ends": "\n" * 4096,
    "lines": "а\n" * 2048,
    "blanks": " " * 4096,
}


def _places(text: str) -> None:
    words = Words(text)
    for key in set(words.keys):
        words.places(key)


def _footer(text: str) -> None:
    footers = Footers()
    for _ in range(3):
        footers.learn("c", text)
    footers.start("c", text)


FUNCTIONS: dict[str, Callable[[str], object]] = {
    "normalise": normalise,
    "surface": surface,
    "twin": twin,
    "tokenise": tokenise,
    "words": _places,
    "utf-16": lambda text: Utf16(text).units(len(text)),
    "hashtags": lambda text: list(hashtags(text)),
    "hashtag key": hashtag_key,
    "names": lambda text: list(names(text)),
    "links": lambda text: list(links(text)),
    "host": host_key,
    "parents": lambda text: list(parents(text)),
    "footer": _footer,
}


@pytest.mark.timeout(5)
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("adversary", ADVERSARIES)
def test_no_text_of_the_length_of_a_post_takes_long(adversary: str, function: str) -> None:
    """The work on the longest text takes milliseconds; what backtracks takes minutes."""
    FUNCTIONS[function](ADVERSARIES[adversary])


@pytest.mark.timeout(10)
@pytest.mark.parametrize("adversary", ADVERSARIES)
@pytest.mark.parametrize("function", ["names", "links", "hashtags", "tokenise"])
def test_sixteen_times_the_text_takes_no_square_of_the_time(adversary: str, function: str) -> None:
    FUNCTIONS[function](ADVERSARIES[adversary] * 16)
