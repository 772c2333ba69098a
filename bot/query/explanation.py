"""Why a query matched a text, or did not: the same plans that match, asked node by node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from bot.model import Hit, Part
from bot.query import nodes
from bot.query.index import Index
from bot.query.lexicon import Lexicon
from bot.query.matcher import hits
from bot.query.nodes import Form, Node, Query, Term
from bot.query.plan import Plan
from bot.query.seen import Seen
from bot.text.normalise import normalise
from bot.text.tokens import tokenise


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one node of a query: whether the text satisfies it, where, and why (not)."""

    label: str
    satisfied: bool
    hits: tuple[Hit, ...]
    why: str
    parts: tuple[Finding, ...] = ()


_WRITTEN = {
    Form.INFLECTED: "{}",
    Form.EXACT: "={}",
    Form.CASED: "case:{}",
    Form.FAMILY: "~{}",
    Form.BEGINS: "{}*",
    Form.ENDS: "*{}",
}


#: Words that mean themselves only in quotes.
_OPERATORS = frozenset({"AND", "OR", "NOT", "NEAR"})


def written(node: Node) -> str:
    """A node as it could have been typed, every operator spelt out: what it says is read again as this node."""
    match node:
        case Term(word, form):
            bare = f'"{word}"' if word in _OPERATORS else word
            return _WRITTEN[form].format(bare if form is Form.INFLECTED else word)
        case nodes.Phrase(terms):
            return _phrase(terms)
        case nodes.Near(gap, left, right):
            return f"({written(left)} NEAR/{gap} {written(right)})"
        case nodes.And(parts):
            return "(" + " AND ".join(map(written, parts)) + ")"
        case nodes.Or(parts):
            return "(" + " OR ".join(map(written, parts)) + ")"
        case nodes.Not(nodes.Not() as part):
            return f"NOT ({written(part)})"
        case nodes.Not(part):
            return f"NOT {written(part)}"
        case nodes.Pattern(source, flags):
            return f"/{source}/{flags}"
        case nodes.Hashtag(name, prefix):
            return f"#{name}{'*' if prefix else ''}"
        case nodes.Mention(name):
            return f"@{name}"
        case nodes.Link(host):
            return f"link:{host}"
        case _:
            assert_never(node)


def _phrase(terms: Sequence[Term]) -> str:
    """In quotes, which take = and case:; what they do not take is one word whose parts a hyphen joins."""
    words = [term.word for term in terms]
    forms = {term.form for term in terms}
    odd = forms & {Form.BEGINS, Form.ENDS, Form.FAMILY}
    if not odd:
        return _WRITTEN[terms[0].form].format('"' + " ".join(words) + '"')
    # С-300 would also be closed up behind ~; an underscore only separates.
    joint = "_" if Form.FAMILY in odd and any(c.isdecimal() for c in "".join(words)) else "-"
    return _WRITTEN[odd.pop()].format(joint.join(words))


def _word_count(count: int) -> str:
    return "1 word" if count == 1 else f"{count} words"


def label(node: Node) -> str:
    """A node in words."""
    match node:
        case Term(form=form):
            return f"{written(node)}: {form.value}"
        case nodes.Phrase():
            return f"{written(node)}: next to each other, in this order"
        case nodes.Near(gap):
            return f"NEAR/{gap}: at most {_word_count(gap)} between"
        case nodes.And():
            return "AND: all of these"
        case nodes.Or():
            return "OR: any of these"
        case nodes.Not():
            return "NOT: must be absent"
        case nodes.Pattern():
            return f"{written(node)}: regular expression"
        case nodes.Hashtag(prefix=prefix):
            return f"{written(node)}: " + ("hashtags that begin so" if prefix else "this hashtag")
        case nodes.Mention():
            return f"{written(node)}: mention of this name or t.me link to it"
        case nodes.Link():
            return f"{written(node)}: link to this host or below it"
        case _:
            assert_never(node)


def children(node: Node) -> Sequence[Node]:
    match node:
        case nodes.And(parts) | nodes.Or(parts):
            return parts
        case nodes.Near(_, left, right):
            return (left, right)
        case nodes.Phrase(terms):
            return terms
        case nodes.Not(part):
            return (part,)
        case _:
            return ()


class Explainer:
    """One query over one text. ``footer`` as in `Index.look`."""

    def __init__(self, query: Query, parts: Sequence[Part], lexicon: Lexicon, footer: int | None = None) -> None:
        self._query = query
        self._parts = parts
        self._lexicon = lexicon
        plan = lexicon.plan(query)
        words = [lexicon.plan_of(node) for node in self._all(query.node)]
        index = Index(dict.fromkeys(leaf for each in (plan, *words) for leaf in each.leaves()))
        self._seen = index.look(parts, footer) or Seen(parts)
        self._whole = (index.look(parts) or Seen(parts)) if footer is not None else self._seen

    def explain(self) -> Finding:
        return self._finding(self._query.node)

    def _all(self, node: Node) -> list[Node]:
        return [node, *(below for child in children(node) for below in self._all(child))]

    def _finding(self, node: Node) -> Finding:
        plan = self._lexicon.plan_of(node)
        marks = plan.find(self._seen)
        parts = tuple(self._finding(child) for child in children(node))
        found = hits(self._seen, marks) if marks else ()
        return Finding(label(node), marks is not None, found, "" if found else self._why(node, plan, parts), parts)

    def _why(self, node: Node, plan: Plan, parts: Sequence[Finding]) -> str:
        if in_footer := plan.find(self._whole):
            where = ", ".join(f"«{hit.text}»" for hit in hits(self._whole, in_footer))
            return f"in footer: {where}" if not isinstance(node, nodes.Not) else ""
        match node:
            case Term():
                return self._near_misses(node)
            case nodes.Phrase() if all(part.satisfied for part in parts):
                return "all its words are there, but not next to each other in this order"
            case nodes.Near(gap) if all(part.satisfied for part in parts):
                return f"both are there, but with more than {_word_count(gap)} between, or in different parts"
            case nodes.Not() if parts[0].satisfied:
                return "it is there"
            case nodes.Not():
                return "absent, as it must be"
            case nodes.And() | nodes.Near() | nodes.Phrase():
                missing = [
                    written(child) for child, part in zip(children(node), parts, strict=True) if not part.satisfied
                ]
                return f"missing: {', '.join(missing)}"
            case _:
                return "not there"

    def _near_misses(self, term: Term) -> str:
        """Words of the text that look alike, and why each is another word."""
        key = normalise(term.word)
        forms = self._lexicon.inflection(term).forms
        alike: dict[str, None] = {}
        for part in self._parts:
            for token in tokenise(part.text):
                other = normalise(token)
                if other in forms or other[:4] == key[:4] or (len(key) > 3 and key[:-1] in other):
                    alike[token] = None
        if not alike:
            return "not there"
        shown = ", ".join(f"«{token}»" for token in list(alike)[:5])
        one = len(alike) == 1
        match term.form:
            case Form.CASED if any(normalise(token) in forms for token in alike):
                return f"{shown} {'is' if one else 'are'} written in another letter case"
            case Form.EXACT:
                return f"{shown} {'is another form' if one else 'are other forms'} or another word"
            case Form.BEGINS | Form.ENDS:
                return f"{shown} {'does' if one else 'do'} not {'begin' if term.form is Form.BEGINS else 'end'} so"
            case _:
                return f"{shown} {'is no form' if one else 'are no forms'} of it"
