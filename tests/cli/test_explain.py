"""``vedette explain``: forms, parse, and why a text matches or not."""

from __future__ import annotations

import json

import pytest

from bot.query import operators
from tests.cli.conftest import Vedette


def test_it_lists_the_forms_of_a_word(vedette: Vedette) -> None:
    ran = vedette("explain", "Хмеймим")
    assert ran.code == 0
    for form in ("хмеймим", "хмеймима", "хмеймиму", "хмеймимом", "хмеймиме"):
        assert form in ran.out


def test_it_shows_how_a_query_is_read(vedette: Vedette) -> None:
    lines = vedette("explain", "Сирия Асад | Ирак").out.splitlines()
    tree = [line.strip().split(":")[0] for line in lines[1:6]]
    assert tree == ["OR", "AND", "Сирия", "Асад", "Ирак"]


@pytest.mark.parametrize(
    ("query", "text", "why"),
    [
        ("Сирия", "Сириус и Ассирия", "«Сириус», «Ассирия» are no forms of it"),
        ('"военная база"', "база военная", "not next to each other"),
        ("база NEAR/1 Сирия", "базы наши в той Сирии", "more than 1 word between"),
        ("case:МИД", "мид", "another letter case"),
        ("=база", "на базе", "another form"),
        ("Сирия -погода", "погода в Сирии", "it is there"),
        ("Сирия Асад", "в Сирии", "missing: Асад"),
    ],
)
def test_it_says_why_a_text_does_not_match(query: str, text: str, why: str, vedette: Vedette) -> None:
    ran = vedette("explain", query, text)
    assert ran.code == 0
    assert "does not match" in ran.out
    assert why in ran.out


def test_it_says_what_hit(vedette: Vedette) -> None:
    ran = vedette("explain", "~Сирия", "сирийцы и Сирии")
    assert "The text matches" in ran.out
    assert "«сирийцы», «Сирии»" in ran.out


def test_a_word_in_the_footer_is_no_hit_and_is_said_to_be_there(vedette: Vedette) -> None:
    ran = vedette("explain", "--footer", "Сирия и мир", "Сирия", "Новости\nСирия и мир")
    assert "does not match" in ran.out
    assert "in footer: «Сирия»" in ran.out


def test_json_is_one_object_with_forms_parse_notes_and_findings(vedette: Vedette) -> None:
    found = json.loads(vedette("explain", "--json", "база", "на базе").out)
    assert found["matches"] is True
    assert found["hits"] == [{"in": "text", "start": 3, "end": 7, "text": "базе"}]
    assert found["terms"][0]["readings"][0]["forms"][0] == "база"
    assert "alone stands in" in found["notes"][0]["text"]
    assert found["findings"]["satisfied"] is True


def test_a_bad_query_ends_in_2(vedette: Vedette) -> None:
    ran = vedette("explain", "ба*за")
    assert ran.code == 2
    assert "* inside a word" in ran.err


def test_help_lists_every_operator(vedette: Vedette) -> None:
    shown = vedette("explain", "--help").out
    for operator in operators.table():
        assert operator.sign in shown
