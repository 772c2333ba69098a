"""How texts are made comparable, and how like they are."""

from __future__ import annotations

import random

import pytest

from bot.stories.fingerprint import KEPT, VERSION, Likeness, count_words, fingerprint, hashes_of, said


def like(a: str, b: str) -> float:
    return Likeness(fingerprint(said(a))).to(fingerprint(said(b)))


def shingles(text: str) -> set[str]:
    return {text[start : start + 5] for start in range(max(1, len(text) - 4))}


def exact(a: str, b: str) -> float:
    """By definition."""
    mine, theirs = shingles(said(a)), shingles(said(b))
    return len(mine & theirs) / len(mine | theirs)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("ЕЩЁ  взрыв\n\nв\u00a0Дамаске", "еще взрыв в дамаске"),
        ("Взрыв https://example.org/a?b#c в t.me/rybar/12 Сирии", "взрыв в сирии"),
        ("Взрыв @rybar_demo в www.example.org Сирии", "взрыв в сирии"),
        ("\uff21\uff22", "ab"),
        ("и/или, 3.14", "и/или, 3.14"),
        ("", ""),
        ("@rybar_demo", ""),
    ],
    ids=ascii,
)
def test_a_text_says_the_same_in_other_letters_with_other_links(text: str, plain: str) -> None:
    assert said(text) == plain


def test_a_footer_says_nothing() -> None:
    text = "Взрыв в Дамаске\nПодписаться"
    assert said(text, text.index("Под")) == "взрыв в дамаске"


def test_words_are_letters_and_digits() -> None:
    assert count_words("❗️ взрыв — в 12_домах, с-300") == 6


def test_short_texts_are_compared_exactly() -> None:
    a, b = "Взрывы в Дамаске, сообщает агентство", "Взрывы в Алеппо, сообщает агентство"
    assert like(a, b) == exact(a, b)
    assert 0 < like(a, b) < 1


@pytest.mark.parametrize("changed", [0, 10, 40, 100, 300])
def test_long_texts_are_compared_nearly_exactly(changed: int) -> None:
    chance = random.Random(changed)  # noqa: S311
    words = ["".join(chance.choices("оеаинтсрвл", k=chance.randint(2, 9))) for _ in range(400)]
    other = list(words)
    for place in chance.sample(range(400), changed):
        other[place] = other[place][::-1] + "ы"
    a, b = " ".join(words), " ".join(other)
    assert abs(like(a, b) - exact(a, b)) < 0.12
    assert (like(a, b) == 1) == (changed == 0)


def test_a_part_of_a_long_text_is_as_like_it_as_it_is_long() -> None:
    chance = random.Random(5)  # noqa: S311
    text = " ".join("".join(chance.choices("оеаинтсрвл", k=6)) for _ in range(300))
    assert abs(like(text, text[: len(text) // 2]) - 0.5) < 0.12


def test_a_fingerprint_has_a_version_and_a_bound() -> None:
    chance = random.Random(1)  # noqa: S311
    long = fingerprint("".join(chance.choices("абвгдежз ", k=4096)))
    assert long.startswith(VERSION)
    assert len(long) == 1 + 4 * KEPT
    assert list(hashes_of(long)) == sorted(set(hashes_of(long)))
    assert hashes_of(long, 3) == hashes_of(long)[:3]


def test_the_form_of_a_fingerprint_does_not_change() -> None:
    """It is stored: whoever changes it raises the version."""
    assert fingerprint("взрыв!").hex() == "01bf9730a82c5efef2"


def test_nothing_is_like_what_says_nothing_or_is_of_another_version() -> None:
    known = fingerprint("взрыв в дамаске")
    foreign = b"\x02" + known[1:]
    assert fingerprint("") == b""
    assert hashes_of(b"") == hashes_of(foreign) == ()
    for a, b in ((b"", b""), (b"", known), (known, b""), (known, foreign), (foreign, known), (foreign, foreign)):
        assert Likeness(a).to(b) == 0


def test_a_text_shorter_than_a_run_is_one_run() -> None:
    assert like("да", "да") == 1
    assert like("да", "нет") == 0
