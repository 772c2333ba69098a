"""From queries to plans. Everything that a word costs is paid here, once a word, and kept by word.

A configuration that changes ten keywords of ten thousand therefore expands ten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import assert_never

from bot.query import nodes
from bot.query.leaves import Beginning, Ending, Forms, Host, Leaf, Name, Regex, Tag
from bot.query.nodes import Form, Node, Query, Term
from bot.query.plan import Absent, All, Any, AnyWording, InARow, Nearby, Plan, Sign, Word, Wording
from bot.query.regex import compile_pattern
from bot.text.morphology.language import How, Inflection, Reading
from bot.text.morphology.languages import Morphology, look_alikes
from bot.text.normalise import normalise


class Lexicon:
    """The leaves and plans made so far, and the languages that make them."""

    def __init__(self, morphology: Morphology) -> None:
        self._morphology = morphology
        self._leaves: dict[Node, Leaf] = {}
        self._plans: dict[str, Plan] = {}

    def plan(self, query: Query) -> Plan:
        """The plan of a query, made at most once."""
        plan = self._plans.get(query.text)
        if plan is None:
            plan = self._plans[query.text] = self.plan_of(query.node)
        return plan

    def keep(self, queries: Iterable[Query]) -> None:
        """Forgets what none of these queries needs."""
        wanted = {query.text for query in queries}
        self._plans = {text: plan for text, plan in self._plans.items() if text in wanted}
        used = {leaf for plan in self._plans.values() for leaf in plan.leaves()}
        self._leaves = {node: leaf for node, leaf in self._leaves.items() if leaf in used}

    def inflection(self, term: Term) -> Inflection:
        """The forms that a term stands for, and why."""
        match term.form:
            case Form.INFLECTED | Form.CASED | Form.ENDS:
                return self._morphology.inflect(term.word)
            case Form.FAMILY:
                return self._morphology.family(term.word)
            case Form.EXACT | Form.BEGINS:
                literal = Reading("", term.word, How.LITERAL, frozenset({normalise(term.word)}))
                more = look_alikes(term.word) if term.form is Form.EXACT else ()
                return Inflection(term.word, (literal, *more))
            case _:
                assert_never(term.form)

    def plan_of(self, node: Node) -> Plan:
        match node:
            case Term() | nodes.Phrase() | nodes.Near():
                return self._wording(node)
            case nodes.Or(parts):
                plans = [self.plan_of(part) for part in parts]
                wordings = [plan for plan in plans if isinstance(plan, Wording)]
                return AnyWording(wordings) if len(wordings) == len(plans) else Any(plans)
            case nodes.And(parts):
                return All([self.plan_of(part) for part in parts])
            case nodes.Not(part):
                return Absent(self.plan_of(part))
            case nodes.Pattern() | nodes.Hashtag() | nodes.Mention() | nodes.Link():
                return Sign(self._leaf(node, lambda: _sign(node)))
            case _:
                assert_never(node)

    def _wording(self, node: Node) -> Wording:
        match node:
            case Term():
                return Word(self._word(node))
            case nodes.Phrase(terms):
                return InARow([self._word(term) for term in terms])
            case nodes.Near(gap, left, right):
                return Nearby(gap, self._wording(left), self._wording(right))
            case nodes.Or(parts):
                return AnyWording([self._wording(part) for part in parts])
            case _:
                raise TypeError(f"{node} cannot stand beside NEAR; the parser refuses it")

    def _word(self, term: Term) -> Leaf:
        return self._leaf(term, lambda: self._make_word(term))

    def _make_word(self, term: Term) -> Leaf:
        if term.form is Form.BEGINS:
            return Beginning(term.word, normalise(term.word))
        forms = self.inflection(term).forms
        if term.form is Form.ENDS:
            return Ending(term.word, forms)
        return Forms(term.word, forms, cased=term.form is Form.CASED)

    def _leaf(self, node: Node, make: Callable[[], Leaf]) -> Leaf:
        leaf = self._leaves.get(node)
        if leaf is None:
            leaf = self._leaves[node] = make()
        return leaf


def _sign(node: nodes.Pattern | nodes.Hashtag | nodes.Mention | nodes.Link) -> Leaf:
    match node:
        case nodes.Pattern(source, flags):
            return Regex(f"/{source}/{flags}", compile_pattern(source, flags))
        case nodes.Hashtag(name, prefix):
            return Tag(f"#{name}", name, prefix=prefix)
        case nodes.Mention(name):
            return Name(f"@{name}", name)
        case nodes.Link(host):
            return Host(f"link:{host}", host)
        case _:
            assert_never(node)
