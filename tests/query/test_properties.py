"""Properties of the query language over generated queries and texts; `make fuzz` runs them with many cases."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.errors import QueryError
from bot.model import Media, Post
from bot.query.explanation import written
from bot.query.lexicon import Lexicon
from bot.query.matcher import Matcher, Topic
from bot.query.nodes import And, Form, Hashtag, Link, Mention, Near, Node, Not, Or, Pattern, Phrase, Query, Term
from bot.query.parser import parse
from bot.text.normalise import normalise
from bot.text.tokens import Utf16, tokenise

pytestmark = pytest.mark.fuzz
cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "150")), deadline=None)

VOCABULARY = ("база", "базы", "Сирия", "СИРИИ", "военная", "Асад", "аль", "мид", "МИД", "base", "24")
signs = st.sampled_from(
    [*"()|\"«»„“”-−–=~*/#@:&!+\\[]{}?^$.,' \n", " OR ", " AND ", " NOT ", " NEAR/5 ", "NEAR/", "case:"]
)
adversarial = st.lists(st.one_of(signs, st.sampled_from(VOCABULARY)), max_size=60).map("".join)
anything = st.text(st.characters(), max_size=80)
pieces = st.one_of(
    st.sampled_from(VOCABULARY),
    st.sampled_from([" ", " ", " ", ", ", "-", "\n", "\n\n", "\n \n", "_", "#", "@", "⚡️", "🇸🇾", "👍🏽", "’", "…"]),
    st.sampled_from(["\u200b", "\u00ad", "\u0301", "\ufe0f", "\u0308", "ℹ", "İ", "ß", "𝐒", "سوريا", "\ud83d"]),
    st.sampled_from(["https://example.org/а", "t.me/rybar", "@rybar", "#сирия_24", "Cиpия", "и", "не"]),
)
texts = st.one_of(st.lists(pieces, max_size=25).map("".join), anything)


# --- generated nodes, as the parser makes them ------------------------------------------------------------

words = st.sampled_from([*VOCABULARY, "OR", "AND", "NOT", "NEAR"])
forms = st.sampled_from([Form.INFLECTED, Form.EXACT, Form.CASED, Form.FAMILY])
terms = st.one_of(
    st.builds(Term, words, forms),
    st.builds(Term, st.sampled_from(["баз", "сирия", "воен"]), st.just(Form.BEGINS)),
    st.builds(Term, st.sampled_from(["база", "сирия"]), st.just(Form.ENDS)),
)


@st.composite
def phrases(draw: st.DrawFn) -> Phrase:
    chosen = draw(st.lists(words, min_size=2, max_size=4))
    form = draw(forms)
    row = [Term(word, form) for word in chosen]
    if form is Form.INFLECTED and draw(st.booleans()):
        row[-1] = Term("воен", Form.BEGINS)
    return Phrase(tuple(row))


def either(parts: list[Node]) -> Node:
    """As the parser joins: an OR that stands first is not nested."""
    first, *rest = parts
    return Or((*(first.parts if isinstance(first, Or) else (first,)), *rest))


def both(parts: list[Node]) -> Node:
    first, *rest = parts
    return And((*(first.parts if isinstance(first, And) else (first,)), *rest))


leaves: st.SearchStrategy[Node] = st.one_of(terms, phrases())
groups = st.lists(leaves, min_size=2, max_size=3).map(either)
inner = st.builds(Near, st.integers(0, 4), leaves, st.one_of(leaves, groups))
nears = st.builds(Near, st.integers(0, 6), st.one_of(leaves, groups, inner), st.one_of(leaves, inner))
marks: st.SearchStrategy[Node] = st.sampled_from(
    [
        Pattern(r"Сир\w+", "i"),
        Pattern(r"\bбаз.\b", ""),
        Pattern(r"а\/б|\s+$", "is"),
        Hashtag("сирия_24", prefix=False),
        Hashtag("сир", prefix=True),
        Mention("rybar"),
        Link("example.org"),
    ]
)


def positive(wordings: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Nodes that say something: no side of them is nothing but NOT."""
    return st.recursive(
        wordings,
        lambda below: st.one_of(
            st.lists(below, min_size=2, max_size=3).map(either),
            st.lists(below, min_size=2, max_size=3).map(both),
            st.tuples(below, below.map(Not)).map(lambda pair: both(list(pair))),
            st.tuples(below.map(Not), below).map(lambda pair: both(list(pair))),
        ),
        max_leaves=6,
    )


wordings: st.SearchStrategy[Node] = st.one_of(leaves, groups, nears)
every_node = positive(st.one_of(wordings, marks))


# --- the properties ---------------------------------------------------------------------------------------


def read(text: str) -> Query | None:
    """The query, or None; whatever else is raised is a defect."""
    error = None
    try:
        return parse(text)
    except QueryError as raised:
        error = raised
    assert 0 <= error.column <= len(text)
    assert error.what
    assert error.hint
    return None


@cases
@given(text=st.one_of(anything, texts, adversarial))
@example(text="(" * 4000)
@example(text="-" * 4000)
@example(text="а" * 5000)
@example(text='"' * 4001)
@example(text="а NEAR/5 " * 400)
@example(text="[" * 4000)
@example(text="/[[:a:" + "[:a:]" * 700)
def test_any_text_is_a_query_or_an_error_that_points_into_it_soon(text: str) -> None:
    started = time.perf_counter()
    read(text)
    assert time.perf_counter() - started < 5


@cases
@given(query=st.one_of(adversarial, every_node.map(written)), contents=st.tuples(texts, texts, texts))
def test_a_matcher_never_raises_and_its_hits_are_slices_of_their_parts(
    query: str, contents: tuple[str, str, str], lexicon: Lexicon, post: Callable[..., Post]
) -> None:
    text, poll, url = contents
    parsed = read(query)
    if parsed is None:
        return
    one = post(text, links=[(0, url)], media=[Media(kind="poll", text=poll)])
    for match in Matcher([Topic(name="а", keywords=(parsed,))], lexicon).match(one):
        assert match.keywords == (query,)
        for hit in match.hits:
            whole = [part.text for part in one.parts() if part.kind is hit.kind]
            assert hit.start < hit.end
            assert any(part[hit.start : hit.end] == hit.text for part in whole)
            for part in whole:
                if part[hit.start : hit.end] == hit.text:
                    units = part.encode("utf-16-le", "surrogatepass")
                    start, end = map(Utf16(part).units, (hit.start, hit.end))
                    assert units[2 * start : 2 * end].decode("utf-16-le", "surrogatepass") == hit.text


@cases
@given(node=every_node)
def test_what_a_node_says_is_read_again_as_that_node(node: Node) -> None:
    assert parse(written(node)).node == node


# --- by definition: a slow evaluator that shares nothing with the matcher but the forms of a word -----------

Span = tuple[int, int]


def cut(text: str) -> list[tuple[str, int, int]]:
    """Words by walking characters: letters and digits; invisible signs inside, apostrophes between Cyrillic."""
    found: list[tuple[str, int, int]] = []
    start = None
    for at, character in enumerate([*text, " "]):
        if character.isalnum() and character != "ℹ":
            start = at if start is None else start
        elif start is not None and not joins(text, at):
            end = at
            while not (text[end - 1].isalnum() or text[end - 1] in "\u0301\u0308"):
                end -= 1
            found.append((normalise(text[start:end]), start, end))
            start = None
    return found


def invisible(character: str) -> bool:
    return any(
        low <= character <= high
        for low, high in (("\u00ad",) * 2, ("\u200b", "\u200f"), ("\u2060", "\u2064"), ("\u0300", "\u034e"))
    )


def joins(text: str, at: int) -> bool:
    """Whether what stands here belongs to the word before it."""
    rest = itertools.takewhile(lambda c: invisible(c) or c in "'’", text[at:])
    between = "".join(rest)
    after = text[at + len(between) : at + len(between) + 1]
    apostrophes = sum(c in "'’" for c in between)
    if not between:
        return False
    if not after.isalnum() or after == "ℹ":
        return text[at] in "\u0301\u0308"
    if not apostrophes:
        return True
    before = [c for c in text[:at] if not invisible(c)][-1:]
    joined = apostrophes == 1 and all("\u0400" <= c <= "\u052f" for c in (*before, after))
    return joined or text[at] in "\u0301\u0308"


def spans(node: Node, text: str, lexicon: Lexicon) -> Iterator[Span]:
    """Where a wording stands, from first word to last, by trying everything."""
    row = cut(text)
    match node:
        case Term():
            yield from ((n, n) for n, (key, start, end) in enumerate(row) if fits(node, key, text[start:end], lexicon))
        case Phrase(members):
            for first in range(len(row) - len(members) + 1):
                here = row[first : first + len(members)]
                gaps = [text[a[2] : b[1]] for a, b in itertools.pairwise(here)]
                if all(fits(t, key, text[s:e], lexicon) for t, (key, s, e) in zip(members, here, strict=True)) and (
                    not any(empty_line(gap) for gap in gaps)
                ):
                    yield first, first + len(members) - 1
        case Or(parts):
            for part in parts:
                yield from spans(part, text, lexicon)
        case Near(gap, left, right):
            for a, b in itertools.product(spans(left, text, lexicon), spans(right, text, lexicon)):
                low, high = sorted([a, b])
                if 0 <= high[0] - low[1] - 1 <= gap:
                    yield low[0], max(a[1], b[1])


def empty_line(gap: str) -> bool:
    return any(not line.strip() for line in gap.split("\n")[1:-1])


def fits(term: Term, key: str, token: str, lexicon: Lexicon) -> bool:
    known = lexicon.inflection(term).forms
    match term.form:
        case Form.BEGINS:
            return key.startswith(normalise(term.word))
        case Form.ENDS:
            return any(key.endswith(form) for form in known)
        case Form.CASED:
            return key in known and cased(term.word, token)
        case _:
            return key in known


def cased(typed: str, token: str) -> bool:
    """By the vocabulary: all capitals, a capital first, or none."""
    if typed.isupper() or typed.isdecimal():
        shared = itertools.takewhile(lambda pair: pair[0] == pair[1].upper(), zip(typed, token, strict=False))
        return all(c.isupper() or not c.isalpha() for _, c in shared)
    rest = any(c.isupper() for c in token[1:])
    return not rest and token[0].isupper() == typed[0].isupper()


def matches(node: Node, text: str, lexicon: Lexicon) -> bool:
    match node:
        case And(parts):
            return all(matches(part, text, lexicon) for part in parts)
        case Or(parts):
            return any(matches(part, text, lexicon) for part in parts)
        case Not(part):
            return not matches(part, text, lexicon)
        case _:
            return any(True for _ in spans(node, text, lexicon))


plain_pieces = st.one_of(
    st.sampled_from(("база", "базы", "Сирия", "СИРИИ", "военная", "Асад", "аль", "МИД", "МИДа")),
    st.sampled_from([" ", " ", " ", ", ", "-", "\n", "\n\n", "\n \n", "_", "⚡️", "’", "\u200b", "\u0301", "ℹ"]),
)


@cases
@given(node=positive(wordings), text=st.lists(plain_pieces, max_size=25).map("".join))
def test_a_matcher_agrees_with_the_definition(
    node: Node, text: str, lexicon: Lexicon, found: Callable[..., list[str] | None]
) -> None:
    assert (found(written(node), text) is not None) == matches(node, text, lexicon)


@cases
@given(text=st.lists(plain_pieces, max_size=25).map("".join))
def test_the_words_of_the_definition_are_those_of_the_tokeniser(text: str) -> None:
    assert [text[start:end] for _, start, end in cut(text)] == tokenise(text)
