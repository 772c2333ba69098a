"""Users' regular expressions: Cyrillic, borders of words, what is refused, and that none of them can hang."""

from __future__ import annotations

import random
import re
import time

import pytest

from bot.query.regex import Compiled, Filter, Refused, compile_pattern


def matches(source: str, text: str, flags: str = "") -> list[str]:
    return [text[start:end] for start, end in compile_pattern(source, flags).finditer(text)]


@pytest.mark.parametrize(
    ("source", "flags", "text", "found"),
    [
        ("С-?[34]00", "", "С-300, С400, с300, С-500", ["С-300", "С400"]),
        ("С-?[34]00", "i", "С-300, с400", ["С-300", "с400"]),
        ("сирия", "i", "СИРИЯ Сирия", ["СИРИЯ", "Сирия"]),
        ("сирия", "", "Сирия", []),
        ("а.б", "", "а\nб", []),
        ("а.б", "s", "а\nб", ["а\nб"]),
        ("(?s)а.б", "", "а\nб", ["а\nб"]),
        ("А.Б", "is", "а\nб", ["а\nб"]),
        ("(?i)сирия", "", "СИРИЯ", ["СИРИЯ"]),
        ("(?m)^б", "", "а\nб", ["б"]),
        ("^б", "", "а\nб", []),
        (r"\w+", "", "Сирия, 2024_й!", ["Сирия", "2024_й"]),
        (r"\w+", "", "سوريا ёлка Їжак", ["سوريا", "ёлка", "Їжак"]),
        (r"\W+", "", "Сирия, да", [", "]),
        (r"\d+", "", "24 и ٢٤", ["24", "٢٤"]),
        (r"\D+", "", "1аб2", ["аб"]),
        (r"а\sб", "", "а\u00a0б", ["а\u00a0б"]),
        (r"\S+", "", "а\u00a0б", ["а", "б"]),
        (r"[\w-]+", "", "аль-Асад!", ["аль-Асад"]),
        (r"[^\w]", "", "аб!", ["!"]),
        (r"[^\d\s]+", "", "1 аб", ["аб"]),
        (r"[^]а]+", "", "]аб", ["б"]),
        (r"[[:alpha:]а]+", "", "zа1", ["zа"]),
        (r"\p{Cyrillic}+", "", "Syria Сирия", ["Сирия"]),
        (r"\x{0430}", "", "а", ["а"]),
        (r"\\b", "", r"\b", [r"\b"]),
        ("(а|б)+в", "", "абв", ["абв"]),
        ("(?:а|б){2}", "", "абв", ["аб"]),
        ("(?P<что>а)б", "", "аб", ["аб"]),
        ("⚡", "", "⚡️Сирия", ["⚡"]),
        ("🇸🇾", "", "🔴 🇸🇾", ["🇸🇾"]),
    ],
)
def test_a_pattern_finds_this(source: str, flags: str, text: str, found: list[str]) -> None:
    assert matches(source, text, flags) == found


@pytest.mark.parametrize(
    ("source", "text", "found"),
    [
        (r"\bСирия\b", "Сирия", ["Сирия"]),
        (r"\bСирия\b", "Ассирия и Сирияй", []),
        (r"\bсирия\b", "Ассирия", []),
        (r"\bСирия\b", "«Сирия», Сирия.", ["Сирия", "Сирия"]),
        (r"\bСирия\b", "⚡️Сирия🇸🇾", ["Сирия"]),
        (r"\bСирия\b", "Сирия_1 Сирия1", []),
        (r"\bСирия\b", "Сирия\nСирия", ["Сирия", "Сирия"]),
        (r"\bСирия\b", "Сирия Сирия", ["Сирия", "Сирия"]),
        (r"\bСири", "Сири\u0301я", ["Сири"]),
        (r"Сири\b", "Сири\u0301я", []),  # a stress mark is inside the word
        (r"\bСири.?я\b", "Сири\u0301я", ["Сири\u0301я"]),
        (r"\bСири\w+", "Сири\u0301я", ["Сири\u0301я"]),
        (r"\bС\w*", "Ассирия Сирии", ["Сирии"]),
        (r"\w+\b", "аб вг", ["аб", "вг"]),
        (r"^\bСирия", "Сирия", ["Сирия"]),
        (r"Сирия\b$", "Ассирия Сирия", ["Сирия"]),
        (r"\bа.б\b", "а б", ["а б"]),
        (r"\bа.*б\b", "а в, г б", ["а в, г б"]),
        (r"\bа.б", "а\nб", []),
        (r"\bа\Wб\b", "а б а-б", ["а б", "а-б"]),
        (r"\bа\W\b", "а", []),
        (r"\bа[^в]", "а", []),
        (r"\bа\D", "а", []),
        (r"\bа\S", "а", []),
        (r"\bа\PL", "а", []),
        (r"\bа\PL", "а!", ["а!"]),
        (r"(\bа\b|б)+", "бб а", ["бб", "а"]),
        (r"а\bб|в", "аб в", ["в"]),
        (r"аб\b{0}в", "абв", ["абв"]),
        (r"\b(?:[24]\d|С)-\d{3}\b", "С-300 24-100 124-100", ["С-300", "24-100"]),
        (r"\ba\b", "aа a", ["a"]),
        (r"\b.", "\ue000а", ["а"]),  # the mark itself, should a text hold it
        (r"\b(?:\w+|-)", "а-б", ["а", "-", "б"]),
    ],
)
def test_a_border_of_a_word_knows_every_script(source: str, text: str, found: list[str]) -> None:
    assert matches(source, text) == found
    number = Filter([compile_pattern(source, "")]).candidates(text)
    assert not found or number == [0]


def test_a_border_beside_s_takes_line_ends_and_beside_i_any_case() -> None:
    assert matches(r"\bа.б\b", "А\nБ", "is") == ["А\nБ"]


@pytest.mark.parametrize("source", ["x*", "а*", r"\b", "(?:)", "^", "$", "а|"])
def test_what_matches_nothing_at_all_is_no_match(source: str) -> None:
    assert matches(source, "бвг") == []


@pytest.mark.parametrize(
    ("source", "offset", "what"),
    [
        ("(?=Сирия)", 0, "(?= in a regular expression: look-around"),
        ("а(?!б)", 1, "(?!"),
        ("а(?<=б)", 1, "(?<="),
        ("а(?<!б)", 1, "(?<!"),
        ("а(?#б)", 1, "(?#"),
        ("а(?>б)", 1, "(?>"),
        (r"(\w)\1", 4, r"\1 in a regular expression: this escape"),
        (r"а\Bб", 1, r"\B"),
        (r"аб\Z", 2, r"\Z"),
        (r"[\W]", 1, r"\W inside [ ]"),
        (r"аб[а\S]", 4, r"\S inside [ ]"),
        ("а{1001}", 0, "invalid repetition size"),
        ("а{1,1001}", 0, "invalid repetition size"),
        ("(а", 0, "missing )"),
        ("[а", 0, "missing ]"),
        ("*", 0, "no argument for repetition"),
        ("(" + r"\pL{1000}" * 40 + ")", 0, "too large"),
        ("\ud800", 0, "half of a character"),
    ],
)
def test_what_re2_cannot_run_is_refused_with_its_place_and_reason(source: str, offset: int, what: str) -> None:
    with pytest.raises(Refused) as caught:
        compile_pattern(source, "")
    assert what in caught.value.what
    assert caught.value.hint
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    "source", [r"\bа[\D]", r"\bа[\PLб]", r"\bа[\x{0}-\x{ffff}]", r"\bа\p{^L}", r"\bа\p{Co}", "\\bа\ue000"]
)
def test_what_would_take_the_mark_of_a_border_for_a_character_is_refused(source: str) -> None:
    with pytest.raises(Refused) as caught:
        compile_pattern(source, "")
    assert "beside \\b is not supported" in caught.value.what
    assert caught.value.offset == 3
    assert compile_pattern(source.removeprefix(r"\b"), "").marked is False


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("(а+)+$", "а" * 4_200 + "б"),
        (r"(\w+\s*,?\s*)+!", "слово, " * 600),
        ("(.*)(Сирия)(.*)(Асад)(.*)x", "Сирия Асад " * 382),
        (r"\b(\w+\s*,?\s*)+!\b", "слово, " * 600),
        (r"(а|а|а?)*б", "а" * 4_200),
        (r"((\w{0,9}\s){0,9})!", "слово " * 700),
    ],
)
def test_a_catastrophic_pattern_ends_at_once(source: str, text: str) -> None:
    compiled = compile_pattern(source, "")
    started = time.perf_counter()
    assert list(compiled.finditer(text)) == []
    assert time.perf_counter() - started < 2


def test_a_lone_surrogate_in_a_text_is_one_character_that_shifts_nothing() -> None:
    assert matches("Сирия", "\ud83d Сирия") == ["Сирия"]
    assert matches(r"\bСирия\b", "\udc00Сирия\udc00") == ["Сирия"]
    assert Filter([compile_pattern("Сирия", "")]).candidates("\ud83dСирия") == [0]


def naive(patterns: list[Compiled], text: str) -> set[int]:
    return {number for number, pattern in enumerate(patterns) if any(True for _ in pattern.finditer(text))}


def test_the_filter_never_leaves_out_a_pattern_that_matches() -> None:
    chance = random.Random(12)  # noqa: S311 - seeded, not secret
    atoms = ["Сир", "сирия", r"\w+", r"\d{2}", "[а-я]", ".", "(а|б)?", r"\b", r"\bА", "ад", "z*", r"\s"]
    sources = {"".join(chance.choices(atoms, k=3)) for _ in range(300)}
    patterns = []
    for source in sorted(sources):
        try:
            patterns.append(compile_pattern(source, chance.choice(["", "i", "s"])))
        except Refused:
            assert r"\b" in source  # nothing else among these atoms may be refused
    texts = ["".join(chance.choices(["Сирия", "Асад", " 24", "б\n", "z", "!"], k=9)) for _ in range(40)]
    several = Filter(patterns)
    hits = 0
    for text in texts:
        true = naive(patterns, text)
        candidates = several.candidates(text)
        assert candidates == sorted(set(candidates))
        assert true <= set(candidates)
        hits += len(true)
    assert hits > 1000


def test_the_filter_passes_over_most_patterns_that_do_not_match() -> None:
    patterns = [compile_pattern(f"слово{number}[а-я]+", "") for number in range(2000)]
    assert Filter(patterns).candidates("тут слово1234abc и слово1234вот") == [1234]


def test_a_filter_of_large_patterns_is_split_and_still_finds_each() -> None:
    patterns = [compile_pattern(rf"z{number}(?:\pL{{60}}|\pN{{60}}){{4}}y", "") for number in range(5)]
    patterns.append(compile_pattern("Сирия", ""))
    several = Filter(patterns)
    assert len(several._sets) + len(several._unfiltered) > 1
    for number in range(5):
        assert number in several.candidates(f"z{number}" + "а" * 240 + "y")
    assert len(patterns) - 1 in several.candidates("в Сирия")


def test_a_filter_of_nothing_has_no_candidates() -> None:
    assert Filter([]).candidates("Сирия") == []


def test_borders_agree_with_those_of_python() -> None:
    """Patterns that cannot match nothing, over texts without marks: there both mean the same."""
    chance = random.Random(7)  # noqa: S311 - seeded, not secret
    atoms = ["а", "б", r"\w", r"\W", r"\d", r"\D", r"\S", r"\s", ".", "[аб]", "[^а]", r"[\w-]"]
    checked = 0
    for _ in range(1000):
        pieces = [chance.choice(atoms) + chance.choice(["", "", "", "+", "*", "?", "+?"]) for _ in range(3)]
        pieces.insert(chance.randrange(4), r"\b")
        source = "".join(pieces)
        text = "".join(chance.choices("аббж1- \n!", k=chance.randrange(1, 9)))
        want = re.search(source, text)
        got = next(iter(compile_pattern(source, "").finditer(text)), None)
        if want and want.start() < want.end():
            assert got == want.span(), (source, text)
            checked += 1
        elif want is None:
            assert got is None, (source, text)
    assert checked > 150
