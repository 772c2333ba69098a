"""Why a query matches or not, in words; and that what it says can be written down and read again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.model import Part, PartKind
from bot.query.explanation import Explainer, Finding, children, label, written
from bot.query.lexicon import Lexicon
from bot.query.parser import parse


@pytest.fixture
def explained(lexicon: Lexicon) -> Callable[..., Finding]:
    def explaining(query: str, *texts: str, footer: int | None = None) -> Finding:
        parts = [Part(PartKind.TEXT, texts[0]), *(Part(PartKind.POLL, text) for text in texts[1:])]
        return Explainer(parse(query), parts, lexicon, footer).explain()

    return explaining


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("Сирия", "Сирия"),
        ("Сирия Асад | -база дрон*", "((Сирия AND Асад) OR (NOT база AND дрон*))"),
        ('"военная база" NEAR/5 (Сирия | Ирак)', '("военная база" NEAR/5 (Сирия OR Ирак))'),
        ('="военная база"', '="военная база"'),
        ('case:"МИД России"', 'case:"МИД России"'),
        ("аль-Асад", '"аль Асад"'),
        ("~аль-Асад", "~аль-Асад"),
        ("мини-дрон*", "мини-дрон*"),
        ("*база-склад", "*база-склад"),
        ("=С-300", '(="С 300" OR =С300)'),
        ("~С-300", "(~С_300 OR ~С300)"),
        ('"OR" =OR case:NOT', '("OR" AND =OR AND case:NOT)'),
        ("Сирия -(-погода)", "(Сирия AND NOT (NOT погода))"),
        ("/а б/si | #сирия* | #сирия", "(/а б/is OR #сирия* OR #сирия)"),
        ("@Rybar link:Example.org", "(@rybar AND link:example.org)"),
    ],
)
def test_a_query_is_written_with_every_operator_spelt_out_and_read_again_as_the_same(query: str, text: str) -> None:
    node = parse(query).node
    assert written(node) == text
    assert parse(text).node == node


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("Сирия", "Сирия: all forms"),
        ("=Сирия", "=Сирия: exactly this form"),
        ('"военная база"', '"военная база": next to each other, in this order'),
        ("а NEAR/5 б", "NEAR/5: at most 5 words between"),
        ("а б", "AND: all of these"),
        ("а | б", "OR: any of these"),
        ("#сирия*", "#сирия*: hashtags that begin so"),
        ("#сирия", "#сирия: this hashtag"),
        ("/а/i", "/а/i: regular expression"),
        ("@rybar", "@rybar: mention of this name or t.me link to it"),
        ("link:example.org", "link:example.org: link to this host or below it"),
    ],
)
def test_a_node_is_labelled_in_words(query: str, said: str) -> None:
    assert label(parse(query).node) == said


@pytest.mark.parametrize(
    ("query", "texts", "why"),
    [
        ("Сирия", ["Сирийская Ассирия"], "«Сирийская», «Ассирия» are no forms of it"),
        ("Сирия", ["Сириус"], "«Сириус» is no form of it"),
        ("Сирия", ["Москва"], "not there"),
        ("=база", ["базы"], "«базы» is another form or another word"),
        ("case:МИД", ["мид"], "«мид» is written in another letter case"),
        ("дрон*", ["аэродрон"], "«аэродрон» does not begin so"),
        ("*база", ["базис"], "«базис» does not end so"),
        ('"военная база"', ["база военная"], "all its words are there, but not next to each other in this order"),
        ('"военная база"', ["база"], "missing: военная"),
        ("база NEAR/1 Сирия", ["база там и тут Сирия"], "both are there, but with more than 1 word between"),
        ("база NEAR/9 Сирия", ["база", "Сирия"], "or in different parts"),
        ("база NEAR/9 Сирия", ["база"], "missing: Сирия"),
        ("Сирия Асад", ["Сирия"], "missing: Асад"),
        ("Сирия | Асад", ["Москва"], "not there"),
        ("#сирия", ["Сирия"], "not there"),
    ],
)
def test_what_does_not_match_says_why(
    query: str, texts: list[str], why: str, explained: Callable[..., Finding]
) -> None:
    finding = explained(query, *texts)
    assert not finding.satisfied
    assert not finding.hits
    assert why in finding.why


@pytest.mark.parametrize(
    ("query", "satisfied", "why"),
    [
        ("Асад", False, "in footer: «Асад»"),
        ("Сирия", True, ""),
        ('"канал Асад"', False, "in footer: «канал Асад»"),
        ("Сирия Асад", False, "in footer: «Сирия», «Асад»"),
        ("@channel", False, "in footer: «@channel»"),
    ],
)
def test_what_stands_in_the_footer_alone_is_said_to(
    query: str,
    satisfied: bool,  # noqa: FBT001 - a row of the table
    why: str,
    explained: Callable[..., Finding],
) -> None:
    text = "Сирия\nканал Асад @channel"
    finding = explained(query, text, footer=text.index("канал"))
    assert (finding.satisfied, finding.why) == (satisfied, why)


def test_not_says_whether_it_is_there(explained: Callable[..., Finding]) -> None:
    absent = explained("Сирия -погода", "Сирия").parts[1]
    assert (absent.satisfied, absent.hits, absent.why) == (True, (), "absent, as it must be")
    there = explained("Сирия -погода", "Сирия, погода").parts[1]
    assert (there.satisfied, there.why) == (False, "it is there")
    below = explained("Сирия -погода", "Сирия\nпогода", footer=6).parts[1]
    assert below.satisfied
    assert below.parts[0].why == "in footer: «погода»"


def test_every_node_has_its_finding_and_hits_of_its_own(explained: Callable[..., Finding]) -> None:
    finding = explained('"военная база" | (Сирия -погода)', "военные базы в Сирии")
    assert finding.satisfied
    assert [hit.text for hit in finding.hits] == ["военные базы", "Сирии"]
    phrase, rest = finding.parts
    assert [[hit.text for hit in part.hits] for part in phrase.parts] == [["военные"], ["базы"]]
    assert [part.satisfied for part in rest.parts] == [True, True]
    assert [len(children(parse(query).node)) for query in ("а", "а б", "а NEAR/1 б", '"а б"', "#а")] == [0, 2, 2, 2, 0]
