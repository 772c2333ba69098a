"""What an index sees: words by their keys, open words, signs, and nothing below a footer."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import pairwise

import pytest

from bot.model import Part, PartKind, Post
from bot.query.index import Index
from bot.query.leaves import Beginning, Ending, Forms, Host, Leaf, Name, Regex, Tag, same_case
from bot.query.regex import compile_pattern
from bot.query.seen import Seen
from bot.query.word_index import MEMO, WordIndex
from bot.text.normalise import normalise
from bot.text.tokens import Words, tokenise


def text_part(text: str) -> Part:
    return Part(PartKind.TEXT, text)


def places(seen: Seen | None, leaf: Leaf) -> list[str]:
    """The texts at which a leaf was seen, in reading order."""
    assert seen is not None
    return [seen.hit(stretch).text for stretch in sorted(seen.stretch(n, n) for n in seen.places.get(leaf, ()))]


SYRIA = Forms("Сирия", frozenset({"сирия", "сирии"}))
LEAVES: list[tuple[Leaf, list[str]]] = [
    (SYRIA, ["Сирии", "Сирия"]),
    (Forms("МИД", frozenset({"мид", "мида"}), cased=True), ["МИДа"]),
    (Beginning("сир", "сир"), ["Сирии", "сироп", "Сирия"]),
    (Ending("база", frozenset({"база", "базы"})), ["авиабазы"]),
    (Tag("#сирия", "сирия", prefix=False), ["#Сирия"]),
    (Tag("#си", "си", prefix=True), ["#Сирия"]),
    (Name("@rybar", "rybar"), ["@rybar"]),
    (Host("link:example.org", "example.org"), ["a.example.org"]),
    (Regex("/м[ий]д/", compile_pattern("м[ий]д", "")), ["мид"]),
]
TEXT = "Сирии мид МИДа сироп авиабазы #Сирия @rybar a.example.org"


@pytest.mark.parametrize(("leaf", "expected"), LEAVES, ids=lambda value: getattr(value, "label", ""))
def test_a_leaf_is_seen_where_it_stands_alone_or_beside_all_others(leaf: Leaf, expected: list[str]) -> None:
    for leaves in ([leaf], [one for one, _ in LEAVES]):
        assert places(Index(leaves).look([text_part(TEXT)]), leaf) == expected


@pytest.mark.parametrize("leaf", [leaf for leaf, _ in LEAVES], ids=lambda leaf: leaf.label)
def test_nothing_seen_is_none(leaf: Leaf) -> None:
    assert Index([leaf]).look([text_part("Москва сегодня")]) is None
    assert Index([leaf]).look([text_part("")]) is None


def test_an_index_of_nothing_sees_nothing() -> None:
    assert Index([]).look([text_part(TEXT)]) is None


def test_two_leaves_with_one_form_are_both_seen() -> None:
    other = Forms("сирии", frozenset({"сирии"}))
    seen = Index([SYRIA, other]).look([text_part("в Сирии")])
    assert places(seen, SYRIA) == places(seen, other) == ["Сирии"]


def test_words_of_different_parts_are_numbered_too_far_apart_for_any_near() -> None:
    seen = Index([SYRIA]).look([text_part("Сирия"), Part(PartKind.POLL, "Сирия"), Part(PartKind.LINK, "Сирия", 0)])
    assert seen is not None
    numbers = sorted(seen.places[SYRIA])
    assert len(numbers) == 3
    assert all(after - before > 500 for before, after in pairwise(numbers))


def test_a_footer_hides_its_words_and_the_links_that_hang_on_it_and_nothing_else() -> None:
    parts = [
        text_part("🔴Сирия\nСирия"),
        Part(PartKind.LINK, "https://сирия.example.org", 2),
        Part(PartKind.LINK, "https://сирии.example.org", 8),
        Part(PartKind.FILE, "Сирии.pdf"),
    ]
    assert places(Index([SYRIA]).look(parts), SYRIA) == ["Сирия", "Сирия", "сирия", "сирии", "Сирии"]
    assert places(Index([SYRIA]).look(parts, 7), SYRIA) == ["Сирия", "сирия", "Сирии"]
    assert Index([SYRIA]).look([text_part("Сирия")], 0) is None


@pytest.mark.parametrize(
    ("between", "parted"),
    [(" ", False), ("\n", False), (", ", False), ("\n\n", True), ("\n \u00a0\n", True), ("!\n\n— ", True)],
)
def test_an_empty_line_parts_two_words(between: str, parted: bool) -> None:  # noqa: FBT001 - a row of the table
    seen = Index([SYRIA]).look([text_part(f"Сирия{between}Сирия")])
    assert seen is not None
    assert seen.parted(0) is parted


def slow(leaves: Iterable[Leaf], text: str) -> set[tuple[int, Leaf]]:
    """By definition: each token against each leaf."""
    found = set()
    for number, token in enumerate(tokenise(text)):
        key = normalise(token)
        for leaf in leaves:
            match leaf:
                case Forms(forms=forms):
                    right = key in forms
                case Beginning(prefix=prefix):
                    right = key.startswith(prefix)
                case Ending(forms=forms):
                    right = key.endswith(forms)
                case _:
                    right = False
            if right and leaf.accepts(token):
                found.add((number, leaf))
    return found


@pytest.mark.parametrize("open_ended", [False, True])
def test_the_words_seen_are_those_that_a_loop_over_all_leaves_finds(
    demo: list[Post],
    open_ended: bool,  # noqa: FBT001 - a row of the table
) -> None:
    chance = random.Random(5)  # noqa: S311 - seeded, not secret
    keys = sorted({normalise(token) for one in demo for token in tokenise(one.text)})
    leaves: list[Leaf] = [
        Forms(key, frozenset(chance.sample(keys, 3)), cased=number % 4 == 0)
        for number, key in enumerate(chance.sample(keys, 150))
    ]
    if open_ended:
        leaves += [Beginning(key[:3], key[:3]) for key in chance.sample(keys, 60)]
        leaves += [Ending(key, frozenset({key[-3:], key[-4:]})) for key in chance.sample(keys, 60)]
    index = WordIndex(leaves)
    seen = 0
    for one in demo:
        hits = index.hits(Words(one.text))
        got = {(number, leaf) for number, _, _, satisfied in hits for leaf in satisfied}
        assert got == slow(leaves, one.text)
        assert all(one.text[start:end] == tokenise(one.text)[number] for number, start, end, _ in hits)
        seen += len(got)
    assert seen > 300


def test_the_memo_of_open_words_stays_bounded_and_right() -> None:
    index = WordIndex([Beginning("сир", "сир")])
    words = Words(" ".join(f"x{number}" for number in range(MEMO + 10)) + " Сирия")
    assert [words.text[start:end] for _, start, end, _ in index.hits(words)] == ["Сирия"]
    assert [words.text[start:end] for _, start, end, _ in index.hits(words)] == ["Сирия"]


@pytest.mark.parametrize(
    ("typed", "token", "same"),
    [
        ("МИД", "МИД", True),
        ("МИД", "МИДа", True),
        ("МИД", "МИДА", True),
        ("МИД", "мид", False),
        ("МИД", "Мид", False),
        ("МИД", "МИд", False),
        ("Мир", "Мира", True),
        ("Мир", "МИРА", False),
        ("Мир", "МирА", False),
        ("Мир", "мира", False),
        ("мир", "Мира", False),
        ("лев", "льва", True),
        ("Лев", "Льва", True),
        ("Лев", "льва", False),
        ("Я", "Яша", True),
        ("Я", "ЯША", False),
        ("Алёна", "Алене", True),
        ("САА", "CAA", True),
        ("iPhone", "iPhone", True),
        ("iPhone", "IPhone", False),
        ("300", "300", True),
    ],
)
def test_letter_case_is_compared_letter_by_letter(
    typed: str,
    token: str,
    same: bool,  # noqa: FBT001 - a row of the table
) -> None:
    assert same_case(typed, token) is same
