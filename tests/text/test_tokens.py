"""Where the words of a text stand, and what counts as one word."""

from __future__ import annotations

import pytest

from bot.text.tokens import Utf16, Words, tokenise

CUT = {
    "blanks and signs": ("Взрыв, в Сирии!", "Взрыв в Сирии"),
    "hashtag": ("#Сирия_новости", "Сирия новости"),
    "quotes": ("«Сирия»", "Сирия"),
    "slash": ("Сирия/Ливан", "Сирия Ливан"),
    "hyphen": ("аль-Асада", "аль Асада"),
    "hyphen and particle": ("сирии-то", "сирии то"),
    "compound adjective": ("сирийско-ливанской", "сирийско ливанской"),
    "typographic dashes": ("Алеппо–Дамаск—Хомс", "Алеппо Дамаск Хомс"),
    "designation": ("С-300 и Х-47М2", "С 300 и Х 47М2"),
    "spaced out letters": ("С и р и я", "С и р и я"),
    "markdown": ("**Сирия**", "Сирия"),
    "emoji glued before": ("⚡️Сирия", "Сирия"),
    "emoji glued behind": ("Сирия🔻", "Сирия"),
    "pointing hand": ("👉Сирия👈", "Сирия"),
    "family of joined emoji": ("👨\u200d👩\u200d👧Сирия", "Сирия"),
    "keycap": ("1️⃣Сирия", "1 Сирия"),
    "information emoji": ("ℹ️Сирия ℹСирия", "Сирия Сирия"),
    "flag": ("в 🇸🇾 взрыв", "в 🇸🇾 взрыв"),
    "flag between letters": ("Сирия🇸🇾Ливан", "Сирия 🇸🇾 Ливан"),
    "two flags": ("🇸🇾🇷🇺", "🇸🇾 🇷🇺"),
    "half a flag": ("🇸 Сирия", "Сирия"),
    "no-break space": ("в\u00a0Сирии", "в Сирии"),
    "apostrophe in Cyrillic": ("м'ята О’Кей п`ять", "м'ята О’Кей п`ять"),
    "modifier apostrophe": ("мʼята", "мʼята"),
    "apostrophe in Latin": ("Syria's base Syria’s", "Syria s base Syria s"),
    "apostrophe between scripts": ("ß’Сирия", "ß Сирия"),
    "a quoted word": ("'Сирия'", "Сирия"),
    "an apostrophe alone": ("ʼ ' ʹ", ""),
    "soft hyphen inside": ("Си\u00adрия", "Си\u00adрия"),
    "zero-width space inside": ("Си\u200bрия", "Си\u200bрия"),
    "zero-width space outside": ("\u200bСирия\u200b", "Сирия"),
    "stress inside": ("Сири\u0301я", "Сири\u0301я"),
    "stress at the end": ("Дамаска\u0301.", "Дамаска\u0301"),
    "decomposed й": ("И\u0306емен", "И\u0306емен"),
    "Arabic comma": ("في سوريا،", "في سوريا"),
    "Arabic vowel marks": ("سُورِيَا", "سُورِيَا"),
    "tatweel inside": ("سوريـــا", "سوريـــا"),
    "tatweel at the end": ("Сирия\u0640 سوريا\u0640", "Сирия سوريا"),
    "tatweel alone": ("\u0640", ""),
    "joiner in Persian": ("پایگاه\u200cها", "پایگاه\u200cها"),
    "Hindi": ("हिन्दी", "हिन्दी"),
    "mathematical letters": ("𝐒𝐲𝐫𝐢𝐚!", "𝐒𝐲𝐫𝐢𝐚"),
    "lone surrogate": ("Сирия\ud800Ливан", "Сирия Ливан"),
    "line ends": ("Сирия\nЛиван\r\n\r\nИран", "Сирия Ливан Иран"),
    "nothing": ("", ""),
    "no words": ("⚡️ — … 🔻", ""),
}


@pytest.mark.parametrize("case", CUT)
def test_a_text_is_cut_into_words(case: str) -> None:
    text, words = CUT[case]
    assert tokenise(text) == words.split(" ") if words else tokenise(text) == []


@pytest.mark.parametrize("case", CUT)
def test_the_span_of_a_word_is_its_place_in_the_original_text(case: str) -> None:
    text, words = CUT[case]
    found = Words(text)
    spans = [found.span(number) for number in range(len(found.keys))]
    assert [text[start:end] for start, end in spans] == (words.split(" ") if words else [])


@pytest.mark.parametrize(
    ("text", "key", "places"),
    [
        ("База у базы, база.", "база", [(0, 0, 4), (3, 13, 17)]),
        ("авиабаза база", "база", [(1, 9, 13)]),
        ("базальт, база", "база", [(1, 9, 13)]),
        ("ёлка ЕЛКА", "елка", [(0, 0, 4), (1, 5, 9)]),
        ("⚡️Cирия", "сирия", [(0, 2, 7)]),
        ("🇸🇾 Сири\u0301я", "сирия", [(1, 3, 9)]),
        ("Си\u00adрия и Сирия", "сирия", [(0, 0, 6), (2, 9, 14)]),
        ("Сирия\u0640", "сирия", [(0, 0, 5)]),
        ("\u0640Сирия Сирия", "сирия", [(0, 1, 6), (1, 7, 12)]),
        ("Ливан", "сирия", []),
        ("", "сирия", []),
    ],
    ids=ascii,
)
@pytest.mark.timeout(10)
def test_places_name_every_word_with_a_key(text: str, key: str, places: list[tuple[int, int, int]]) -> None:
    assert Words(text).places(key) == places


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Cнегопад в АтомID", "снегопад в атомid"),
        ("А321neo Метa a1б", "a321neo мета а1б"),
        ("CAA и САА", "caa и саа"),
        ("Ещё ЕЩË", "еще еще"),
        ("İstanbul Straße", "istanbul strasse"),
    ],
    ids=ascii,
)
def test_keys_stand_in_the_order_of_the_text(text: str, keys: str) -> None:
    assert Words(text).keys == keys.split(" ")


@pytest.mark.parametrize(
    ("text", "point", "units"),
    [("Сирия", 3, 3), ("⚡️Сирия", 2, 2), ("🔻Сирия", 1, 2), ("🇸🇾 Сирия", 3, 5), ("а🔻б🔻в", 5, 7), ("", 0, 0)],
    ids=ascii,
)
def test_an_offset_counts_an_astral_character_twice(text: str, point: int, units: int) -> None:
    assert Utf16(text).units(point) == units
    assert Utf16(text).point(units) == point


def test_a_unit_inside_a_character_belongs_to_it() -> None:
    places = Utf16("а🔻б")
    assert [places.point(unit) for unit in range(5)] == [0, 1, 1, 2, 3]
