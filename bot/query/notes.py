"""What is allowed in a query but unwise: said as a note, never refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import NamedTuple

from bot.query import nodes
from bot.query.lexicon import Lexicon
from bot.query.nodes import Form, Node, Query, Term
from bot.text.morphology.language import How
from bot.text.normalise import normalise

_LOWER_CASE = {"or": "OR", "and": "AND", "not": "NOT", "near": "NEAR/5", "или": "OR", "и": "AND", "не": "NOT"} | {
    "або": "OR",
    "та": "AND",
}
_ADJECTIVE = re.compile("(?:ый|ий|ой|ая|яя|ое|ее|ые|ие|ська|зька|цька|ське|цьке|ські|цькі)$")
#: Stretches in which a comma means a comma: quotes and regular expressions.
_QUOTED = re.compile(r'"[^"]*"|«[^»]*»|„[^“”]*[“”]|“[^”]*”|(?<![^\s(|-])/(?:[^/\\]|\\.)*/')


class Note(NamedTuple):
    """Something to think about, and the code point of the query that it is about."""

    column: int
    text: str


def notes(query: Query, lexicon: Lexicon) -> list[Note]:
    """Everything unwise about a query, in reading order."""
    found = [*_lower_case(query), *_phrases(query), *_common(query), *_languages(query, lexicon), *_signs(query)]
    return sorted(dict.fromkeys(found))


def _lower_case(query: Query) -> Iterator[Note]:
    for term in _terms(query.node):
        operator = _LOWER_CASE.get(term.word.lower())
        is_operator_elsewhere = term.word.islower() or not term.word.isascii()
        if operator and is_operator_elsewhere and not _quoted(query, term):
            yield Note(term.column, f"«{term.word}» is a word to be found here; the operator is written {operator}")


def _phrases(query: Query) -> Iterator[Note]:
    """Two bare words side by side of which the first is an adjective, or both are lower-case Latin words."""
    for node in _nodes(query.node):
        if not isinstance(node, nodes.And):
            continue
        for left, right in pairwise(node.parts):
            if not (isinstance(left, Term) and isinstance(right, Term)) or left.form is not Form.INFLECTED:
                continue
            between = query.text[left.column + len(left.word) : right.column]
            latin = f"{left.word}{right.word}".isascii() and f"{left.word}{right.word}".islower()
            if between.isspace() and right.form is Form.INFLECTED and (latin or _ADJECTIVE.search(left.word.lower())):
                pair = f"{left.word} {right.word}"
                yield Note(left.column, f'{pair} finds both words anywhere in a post; for the phrase write "{pair}"')


def _common(query: Query) -> Iterator[Note]:
    """Words that alone, or alone on a side of an OR, find a good part of all posts."""
    sides = query.node.parts if isinstance(query.node, nodes.Or) else (query.node,)
    for side in sides:
        if isinstance(side, Term) and side.form in (Form.INFLECTED, Form.FAMILY):
            share = common_words().get(normalise(side.word))
            if share is not None:
                yield Note(
                    side.column,
                    f"«{side.word}» alone stands in {share} % of real news posts; join it with another word, "
                    f"as in {side.word} NEAR/10 Сирия",
                )


def _languages(query: Query, lexicon: Lexicon) -> Iterator[Note]:
    for term in _terms(query.node):
        inflection = lexicon.inflection(term)
        for text in inflection.notes:
            yield Note(term.column, text)
        if term.form is Form.INFLECTED and all(r.how is How.ACRONYM for r in inflection.readings[:1]):
            yield Note(term.column, f"«{term.word}» is in no dictionary and all capitals: found only as typed")


def _signs(query: Query) -> Iterator[Note]:
    typed = _QUOTED.sub(lambda m: " " * len(m[0]), query.text)
    for m in re.finditer(r",(?=\s)|(?<=[^\W\d]),(?=[^\W\d])", typed):
        yield Note(m.start(), "a comma does not separate keywords; write | for either of them")
    for m in re.finditer(r"https?://\S*|(?<![\w:@/.])t\.me/\S+", query.text):
        yield Note(m.start(), "an address is found as a phrase of its words; for links write link:host or @name")


def _quoted(query: Query, term: Term) -> bool:
    """Whether a word was written in quotes, where it can be nothing but a word."""
    return not query.text.startswith(term.word, term.column)


def _terms(node: Node) -> Iterator[Term]:
    for one in _nodes(node):
        if isinstance(one, Term):
            yield one


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    match node:
        case nodes.And(parts) | nodes.Or(parts):
            for part in parts:
                yield from _nodes(part)
        case nodes.Near(_, left, right):
            yield from _nodes(left)
            yield from _nodes(right)
        case nodes.Phrase(terms):
            yield from terms
        case nodes.Not(part):
            yield from _nodes(part)
        case _:
            pass


@cache
def common_words() -> dict[str, str]:
    """Words that stand in 1.5 % or more of real posts, and in how many per cent; the source is in the file."""
    lines = resources.files("bot.query").joinpath("common.tsv").read_text("utf-8").splitlines()
    return dict(line.split("\t") for line in lines if not line.startswith("#"))
