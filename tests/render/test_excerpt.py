"""What of a text is shown around its hits."""

from __future__ import annotations

import re
import time

import pytest

from bot.render.excerpt import excerpt
from bot.render.richtext import Message, message
from tests.render.soundness import check, covered

FILLER = "Длинная фраза ни о чём, какие пишут по ночам. "


def spans(text: str, *words: str) -> list[tuple[int, int]]:
    return [found.span() for found in re.finditer("|".join(words), text)]


def shown(text: str, *words: str, limit: int = 700, flat: bool = False, most: int = 50) -> Message:
    made = message(*excerpt(text, spans(text, *words), limit, flat=flat, most=most))
    check(made)
    assert len(made.text) <= limit
    return made


def hits(made: Message) -> list[str]:
    return [covered(made, entity) for entity in made.entities]


def test_a_text_that_fits_is_shown_whole() -> None:
    made = shown("⚡️Взрывы в Сирии и в Дамаске", "Сирии", "Дамаске")
    assert made.text == "⚡️Взрывы в Сирии и в Дамаске"
    assert hits(made) == ["Сирии", "Дамаске"]


def test_of_a_long_text_the_surroundings_of_the_hit_are_shown() -> None:
    made = shown(FILLER * 40 + "Взрывы в Сирии. " + FILLER * 40, "Сирии")
    assert made.text.startswith("…Длинная фраза")
    assert made.text.endswith("по ночам. …")
    assert 300 < made.text.index("Сирии") < 500
    assert len(made.text) > 600
    assert hits(made) == ["Сирии"]


def test_a_hit_near_the_beginning_shows_the_beginning() -> None:
    made = shown(FILLER * 5 + "Взрывы в Сирии. " + FILLER * 40, "Сирии")
    assert made.text.startswith("Длинная")
    assert made.text.endswith(" …")


def test_a_hit_near_the_end_shows_the_end() -> None:
    made = shown(FILLER * 40 + "Взрывы в Сирии.", "Сирии")
    assert made.text.startswith("…")
    assert made.text.endswith("Взрывы в Сирии.")
    assert len(made.text) > 600


def test_hits_far_apart_are_shown_in_windows_of_their_own() -> None:
    made = shown(FILLER * 20 + "В Сирии. " + FILLER * 20 + "В Тартусе. " + FILLER * 20, "Сирии", "Тартусе")
    assert hits(made) == ["Сирии", "Тартусе"]
    assert made.text.count(" … ") == 1


def test_different_hits_are_worth_more_than_the_same_again() -> None:
    made = shown(
        FILLER * 20 + "база " * 30 + FILLER * 20 + "Сирия Асад" + FILLER * 20, "база", "Сирия", "Асад", limit=150
    )
    assert hits(made) == ["Сирия", "Асад"]


def test_near_windows_become_one() -> None:
    made = shown(FILLER * 30 + "В Сирии. " + FILLER * 12 + "В Тартусе. " + FILLER * 30, "Сирии", "Тартусе")
    assert hits(made) == ["Сирии", "Тартусе"]
    assert " … " not in made.text


def test_of_a_text_without_hits_the_beginning_is_shown() -> None:
    made = shown(FILLER * 40)
    assert made.text.startswith("Длинная")
    assert made.text.endswith("ночам. …")
    assert 600 < len(made.text) <= 700


def test_a_cut_inside_a_sentence_stands_between_words() -> None:
    text = "слово " * 300 + "Сирия " + "слово " * 300
    made = shown(text, "Сирия")
    assert made.text.startswith("…слово ")
    assert made.text.endswith("слово…")


def test_a_word_without_end_is_cut_where_no_character_is_harmed() -> None:
    family = "👨‍👩‍👧"
    made = shown(family * 300 + "Сирия" + family * 300, "Сирия", limit=100)
    assert set(made.text.replace(family, "")) == set("…Сирия")
    assert hits(made) == ["Сирия"]


def test_more_hits_than_may_be_bold_end_the_excerpt() -> None:
    made = shown("ах " * 200, "ах")
    assert len(made.entities) == 50
    assert made.text == "ах " * 49 + "ах…"


def test_a_hit_larger_than_the_excerpt_is_shown_from_its_beginning() -> None:
    made = shown("начало " * 10 + "а" * 2000, "а{2000}", limit=100)
    assert re.fullmatch("…а{80,100}…", made.text)
    assert set(hits(made)[0]) == {"а"}


def test_hits_that_overlap_or_touch_are_one() -> None:
    made = message(*excerpt("военная база", [(8, 12), (0, 9), (0, 7)], 100))
    assert hits(made) == ["военная база"]
    made = message(*excerpt("абв", [(0, 1), (1, 2), (2, 3)], 100))
    assert hits(made) == ["абв"]


def test_hits_at_both_ends_are_bold() -> None:
    assert hits(shown("Сирия и Асад", "Сирия", "Асад")) == ["Сирия", "Асад"]


def test_a_flat_excerpt_is_one_paragraph() -> None:
    made = shown("Сирия:\n\n— Тартус\n— Хмеймим", "Тартус", flat=True)
    assert made.text == "Сирия: — Тартус — Хмеймим"
    assert hits(made) == ["Тартус"]


def test_no_more_than_one_empty_line_stands_in_a_row() -> None:
    assert shown("Сирия\n\n \n\u200b\n\nАсад\n\n\n", "Асад").text == "Сирия\n\nАсад"


def test_a_mention_is_shown_and_rings_nowhere() -> None:
    made = shown("пишет @rybar_demo /start", "@rybar_demo")
    assert hits(made) == ["@\u2060rybar_demo"]


@pytest.mark.parametrize("unit", ["а", "а ", "😀", "и\u0306", "\n", " ", "@", "/a", "база ", "\u200b"], ids=ascii)
def test_a_text_of_many_characters_takes_no_longer_than_it_must(unit: str) -> None:
    text = unit * (200_000 // len(unit)) + "Сирия" + unit * 10
    found = [(at, at + 1) for at in range(0, 20_000, 5)]
    started = time.perf_counter()
    made = message(*excerpt(text, found, 700))
    assert time.perf_counter() - started < 10
    assert len(made.text) <= 700


def test_no_window_begins_or_ends_inside_a_hit() -> None:
    phrase = "раз два три четыре"
    assert set(hits(shown(f"{phrase}, " * 200, phrase, limit=200))) == {phrase}
    long = "слово за слово " * 30 + "конец"
    made = shown(f"{long} и ещё Сирия {FILLER * 40}", long, "Сирия", limit=300)
    assert hits(made)[1:] == ["Сирия"]
    assert long.startswith(hits(made)[0])
    assert " … и ещё Сирия Длинная" in made.text
    assert "  " not in made.text
