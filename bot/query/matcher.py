"""Every topic against every post, at once. A matcher is built aside from topics and never changed: a reload swaps it.

Of each query one anchor set is remembered (`bot.query.plan`), so a post runs only the queries for which it
has something; a topic's ``exclude`` is asked only when one of its keywords has matched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.model import Hit, Match, Post
from bot.query.index import Index
from bot.query.leaves import Leaf
from bot.query.lexicon import Lexicon
from bot.query.nodes import Query
from bot.query.plan import Mark, Plan, Word
from bot.query.seen import Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A named list of keywords: a post is of the topic when one matches and no exclusion does."""

    name: str
    keywords: tuple[Query, ...]
    exclude: tuple[Query, ...] = ()


class Matcher:
    def __init__(self, topics: Iterable[Topic], lexicon: Lexicon) -> None:
        self._topics = tuple(topics)
        self._excludes = [tuple(lexicon.plan(query) for query in topic.exclude) for topic in self._topics]
        numbers: dict[str, int] = {}
        self._plans: list[Plan] = []
        self._wanted: list[list[tuple[int, int]]] = []  # by query: (topic, place among its keywords)
        for topic_number, topic in enumerate(self._topics):
            for place, query in enumerate(topic.keywords):
                number = numbers.setdefault(query.text, len(numbers))
                if number == len(self._plans):
                    self._plans.append(lexicon.plan(query))
                    self._wanted.append([])
                self._wanted[number].append((topic_number, place))
        # A keyword of one word is satisfied where its leaf is seen: no plan needs to be run for it.
        self._satisfied: dict[Leaf, list[tuple[int, int]]] = {}
        self._waiting: dict[Leaf, list[int]] = {}
        for number, plan in enumerate(self._plans):
            if isinstance(plan, Word):
                self._satisfied.setdefault(plan.leaf, []).extend(self._wanted[number])
            else:
                for leaf in plan.anchors:
                    self._waiting.setdefault(leaf, []).append(number)
        everything = [*self._plans, *(plan for plans in self._excludes for plan in plans)]
        self._index = Index(dict.fromkeys(leaf for plan in everything for leaf in plan.leaves()))

    def sees(self, post: Post) -> bool:
        """Whether the post holds anything that some query asks for; when not, no footer makes it match."""
        return self._index.look(post.parts()) is not None

    def match(self, post: Post, footer: int | None = None) -> tuple[Match, ...]:
        """The topics that this post is of, in their order. ``footer`` as in `Index.look`."""
        seen = self._index.look(post.parts(), footer)
        if seen is None:
            return ()
        found: dict[int, list[tuple[int, Sequence[Mark]]]] = {}
        for leaf, places in seen.places.items():
            if wanted := self._satisfied.get(leaf):
                _note(found, wanted, [(place, place) for place in places])
        for number in {number for leaf in seen.places for number in self._waiting.get(leaf, ())}:
            marks = self._plans[number].find(seen)
            if marks is not None:
                _note(found, self._wanted[number], marks)
        return tuple(
            [
                self._match(topic, sorted(found[topic]), seen)
                for topic in sorted(found)
                if not any(plan.find(seen) is not None for plan in self._excludes[topic])
            ]
        )

    def _match(self, number: int, found: Sequence[tuple[int, Sequence[Mark]]], seen: Seen) -> Match:
        topic = self._topics[number]
        if len(found) == 1:  # nearly always
            [(place, marks)] = found
            return Match(topic.name, (topic.keywords[place].text,), hits(seen, marks))
        keywords = tuple(topic.keywords[place].text for place, _ in found)
        return Match(topic.name, keywords, hits(seen, [mark for _, marks in found for mark in marks]))


def _note(
    found: dict[int, list[tuple[int, Sequence[Mark]]]], wanted: Iterable[tuple[int, int]], marks: Sequence[Mark]
) -> None:
    for topic, place in wanted:
        found.setdefault(topic, []).append((place, marks))


def hits(seen: Seen, marks: Sequence[Mark]) -> tuple[Hit, ...]:
    """Marks as hits, each stretch once, in reading order."""
    if len(marks) == 1:
        return (seen.hit(seen.stretch(*marks[0])),)
    return tuple([seen.hit(stretch) for stretch in sorted({seen.stretch(*mark) for mark in marks})])
