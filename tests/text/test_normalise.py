"""Which spellings are one word, and which are not."""

from __future__ import annotations

import unicodedata
from typing import Literal

import pytest

from bot.text.normalise import normalise, surface, twin

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]

SAME = {
    "letter case": ("Сирия", "СИРИЯ"),
    "ё and е": ("Алёна", "Алена"),
    "capital Ё": ("ЁЛКА", "елка"),
    "decomposed ё": ("е\u0308лка", "ёлка"),
    "decomposed й": ("И\u0306емен", "Йемен"),
    "decomposed ї": ("і\u0308жак", "їжак"),
    "ё as Latin ë": ("ещë", "ещё"),
    "Ё as Latin Ë": ("САМОЛËТ", "самолёт"),
    "stress mark": ("Сири\u0301я", "Сирия"),
    "stress on the last letter": ("Дамаска\u0301", "Дамаска"),
    "Latin accented letter": ("бóльшем", "большем"),
    "Latin accented letters in names": ("Бурбóн", "бурбон"),
    "zero-width space": ("Си\u200bрия", "Сирия"),
    "soft hyphen": ("Си\u00adрия", "Сирия"),
    "soft hyphens": ("ана\u00adли\u00adти\u00adке", "аналитике"),
    "word joiners": ("С\u2060и\u2060р\u2060и\u2060я", "Сирия"),
    "byte order mark": ("\ufeffСирия", "Сирия"),
    "direction marks": ("\u200eСирия\u200f", "Сирия"),
    "Latin C": ("Cирия", "Сирия"),
    "Latin i and p": ("Cиpия", "Сирия"),
    "Latin vowels": ("Пpaздник", "Праздник"),
    "Latin c inside": ("согласилиcь", "согласились"),
    "Latin B and K": ("BKС", "ВКС"),
    "Cyrillic с in a word of nothing but look-alikes": ("сopy", "copy"),
    "Latin C in an acronym": ("CША", "США"),
    "Latin T in a Cyrillic word": ("IТ", "ІТ"),
    "Cyrillic с in a Latin word": ("сopyright", "copyright"),
    "Cyrillic Т in a Latin word": ("Тelegram", "telegram"),
    "Cyrillic а in a Latin word": ("mеdiа", "media"),
    "Ukrainian word with Latin i": ("Львiв", "Львів"),
    "two Latin i": ("Укрiнформ", "Укрінформ"),
    "kra for к": ("Человеĸ", "человек"),
    "Greek capitals": ("\u0391\u03a4\u0391КА", "атака"),
    "apostrophe, typographic": ("м\u2019ята", "м'ята"),
    "apostrophe, modifier letter": ("м\u02bcята", "м'ята"),
    "apostrophe, backtick": ("м`ята", "м'ята"),
    "mathematical letters": ("𝐒𝐲𝐫𝐢𝐚", "Syria"),
    "full width letters": ("Ｓｙｒｉａ", "Syria"),
    "ligature": ("ﬁre", "fire"),
    "sharp s": ("Straße", "STRASSE"),
    "capital sharp s": ("STRAẞE", "strasse"),
    "dotted capital I": ("İdlib", "idlib"),
    "vowel marks": ("سُورِيَا", "سوريا"),
    "tatweel": ("سوريـــا", "سوريا"),
    "alef with hamza": ("الأسد", "الاسد"),
    "Persian yeh": ("ایران", "ايران"),
    "Persian kaf": ("کرد", "كرد"),
    "teh marbuta": ("قاعدة", "قاعده"),
    "alef maksura": ("موسى", "موسي"),
    "joiner in Persian": ("پایگاه\u200cها", "پایگاهها"),
    "Arabic digits": ("٣٠٠", "300"),
    "Persian digits": ("۳۰۰", "300"),
    "Hebrew points": ("שָׁלוֹם", "שלום"),
}

DIFFERENT = {
    "й and и": ("йод", "иод"),
    "ї and і": ("їх", "іх"),
    "ґ and г": ("ґрати", "грати"),
    "soft sign": ("мат", "мать"),
    "a Latin u is no и": ("Сиpuя", "Сирия"),
    "one letter more": ("Ассирия", "Сирия"),
    "САА and CAA are twins, not equal": ("САА", "CAA"),
    "C-300 likewise": ("С300", "C300"),
    "apostrophe inside": ("м'ята", "мята"),
    "mixed on purpose": ("АтомID", "АтомИД"),
}


@pytest.mark.parametrize("case", SAME)
def test_two_spellings_are_one_word(case: str) -> None:
    one, other = SAME[case]
    assert one != other
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize("case", DIFFERENT)
def test_two_words_stay_two(case: str) -> None:
    one, other = DIFFERENT[case]
    assert normalise(one) != normalise(other)


@pytest.mark.parametrize(
    ("token", "key"),
    [
        ("АтомID", "атомid"),
        ("ШтормZ", "штормz"),
        ("VKВидео", "vkвидео"),
        ("ДроZденко", "дроzденко"),
        ("niggaдяй", "niggaдяй"),
    ],
    ids=ascii,
)
def test_what_a_writer_mixes_on_purpose_stays_mixed(token: str, key: str) -> None:
    assert normalise(token) == key


@pytest.mark.parametrize(
    ("token", "key"),
    [
        ("Сирия", "сирия"),
        ("'Сирия'", "сирия"),
        ("'base`", "base"),
        ("", ""),
        ("\u0301", ""),
        ("🇸🇾", "🇸🇾"),
        ("A320", "a320"),
    ],
    ids=ascii,
)
def test_a_key_is_lower_case_without_marks_or_outer_apostrophes(token: str, key: str) -> None:
    assert normalise(token) == key


@pytest.mark.parametrize("token", ["ёD", "Ёlka", "еẞ", "яÑ", "\u0451\u010f"], ids=ascii)
def test_a_key_is_its_own_key_also_where_scripts_mix(token: str) -> None:
    assert normalise(normalise(token)) == normalise(token)


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
@pytest.mark.parametrize("word", ["ёлка", "Йемен", "їжак", "Сирия", "الأسد", "café", "Ѐ"])
def test_unicode_forms_do_not_matter(form: Form, word: str) -> None:
    spelt = unicodedata.normalize(form, word)
    assert normalise(spelt) == normalise(word)


@pytest.mark.parametrize(
    ("token", "shape"),
    [
        ("МИД", "МИД"),
        ("МИДа", "МИДа"),
        ("мид", "мид"),
        ("Cирия", "Сирия"),
        ("Ёж", "Еж"),
        ("Си\u00adРИЯ", "СиРИЯ"),
        ("Ｓｙｒｉａ", "Syria"),
        ("'base'", "base"),
    ],
    ids=ascii,
)
def test_the_surface_keeps_the_letter_case_and_forgets_the_rest(token: str, shape: str) -> None:
    assert surface(token) == shape


@pytest.mark.parametrize(
    ("word", "other"),
    [("САА", "CAA"), ("CAA", "САА"), ("С-300", "C-300"), ("C300", "С300"), ("ВКС", "BKC"), ("В52", "B52")],
    ids=ascii,
)
def test_a_word_of_look_alikes_has_a_twin_in_the_other_script(word: str, other: str) -> None:
    assert twin(word) == other
    assert twin(other) == word


@pytest.mark.parametrize("word", ["ХТШ", "F16", "300", "", "АтомID", "CАА", "وسوريا"], ids=ascii)
def test_other_words_have_no_twin(word: str) -> None:
    assert twin(word) is None
