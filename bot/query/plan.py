"""A query made ready to run: leaves in place of words, and how their sightings make a match.

A plan asks what was *seen* in one post (`bot.query.index.Seen`) and answers with marks, or with None when
the post does not satisfy it. ``anchors`` is a set of leaves of which at least one is seen in every post
that satisfies the plan: only then is it worth running.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from bot.query.leaves import Leaf

if TYPE_CHECKING:
    from bot.query.seen import Seen

#: From first to last, by the numbers that `Seen` gave.
Mark = tuple[int, int]
#: Tokens from first to last, and the marks that made them.
Reach = tuple[int, int, tuple[Mark, ...]]


class Plan(ABC):
    anchors: tuple[Leaf, ...] = ()
    cost: float = float("inf")

    @abstractmethod
    def find(self, seen: Seen) -> Sequence[Mark] | None:
        """What made it match, or None when it does not."""

    @abstractmethod
    def leaves(self) -> Iterable[Leaf]:
        """All leaves it asks for, anchors or not."""


class Wording(Plan):
    """A plan over tokens, which may stand beside NEAR."""

    @abstractmethod
    def reach(self, seen: Seen) -> list[Reach]:
        """Every place where it stands, by first token."""

    def find(self, seen: Seen) -> Sequence[Mark] | None:
        return list(dict.fromkeys(mark for _, _, marks in self.reach(seen) for mark in marks)) or None


class Sign(Plan):
    """A hashtag, a name, a link or a regular expression: there where its leaf is seen, and never beside NEAR."""

    def __init__(self, leaf: Leaf) -> None:
        self.leaf = leaf
        self.anchors = leaf.solo
        self.cost = leaf.cost

    def leaves(self) -> Iterable[Leaf]:
        return self.leaf.solo

    def find(self, seen: Seen) -> Sequence[Mark] | None:
        return [(place, place) for place in seen.places.get(self.leaf, ())] or None


class Word(Sign, Wording):
    """One word, in any of the ways that a term may be compared."""

    def reach(self, seen: Seen) -> list[Reach]:
        return [(place, place, ((place, place),)) for place in sorted(seen.places.get(self.leaf, ()))]


class InARow(Wording):
    """Words next to each other; punctuation between them is fine, an empty line is not."""

    def __init__(self, words: Sequence[Leaf]) -> None:
        self.words = tuple(words)
        rarest = min(self.words, key=lambda leaf: leaf.cost)
        self.anchors = rarest.solo
        self.cost = rarest.cost

    def leaves(self) -> Iterable[Leaf]:
        return self.words

    def reach(self, seen: Seen) -> list[Reach]:
        places = [seen.places.get(leaf) for leaf in self.words]
        if not all(places):
            return []
        first = places[0] or ()
        rest = [frozenset(place or ()) for place in places[1:]]
        last = len(self.words) - 1
        return [
            (start, start + last, ((start, start + last),))
            for start in sorted(first)
            if all(start + step in others for step, others in enumerate(rest, 1))
            and not any(seen.parted(start + step) for step in range(last))
        ]


class Nearby(Wording):
    """Two wordings with at most ``gap`` tokens between them, in either order, without overlap."""

    def __init__(self, gap: int, left: Wording, right: Wording) -> None:
        self.gap, self.left, self.right = gap, left, right
        cheaper = min(left, right, key=lambda side: side.cost)
        self.anchors, self.cost = cheaper.anchors, cheaper.cost

    def leaves(self) -> Iterable[Leaf]:
        return [*self.left.leaves(), *self.right.leaves()]

    def reach(self, seen: Seen) -> list[Reach]:
        left = self.left.reach(seen)
        right = self.right.reach(seen) if left else []
        if not right:
            return []
        firsts = [first for first, _, _ in right]
        longest = max(last - first for first, last, _ in right)
        found = []
        for first, last, marks in left:
            lowest = bisect_left(firsts, first - self.gap - longest - 1)
            for other_first, other_last, other_marks in right[lowest:]:
                if other_first - last - 1 > self.gap:
                    break
                between = other_first - last - 1 if other_first > last else first - other_last - 1
                if 0 <= between <= self.gap:
                    found.append((min(first, other_first), max(last, other_last), marks + other_marks))
        return sorted(found)

    def find(self, seen: Seen) -> Sequence[Mark] | None:
        """What stands near something of the other side, without pairing everything up as `reach` must."""
        left = self.left.reach(seen)
        right = self.right.reach(seen) if left else []
        marks = (marks for _, _, marks in [*self._beside(left, right), *self._beside(right, left)])
        return list(dict.fromkeys(mark for some in marks for mark in some)) or None

    def _beside(self, ones: Sequence[Reach], others: Sequence[Reach]) -> Iterator[Reach]:
        """Those of the ones that stand near any of the others."""
        firsts, lasts = [first for first, _, _ in others], sorted(last for _, last, _ in others)
        for one in ones:
            first, last, _ = one
            behind = bisect_left(firsts, last + 1)
            before = bisect_left(lasts, first)
            if (behind < len(firsts) and firsts[behind] - last - 1 <= self.gap) or (
                before and first - lasts[before - 1] - 1 <= self.gap
            ):
                yield one


class Any(Plan):
    def __init__(self, sides: Sequence[Plan]) -> None:
        self.sides = tuple(sides)
        self.anchors = tuple(dict.fromkeys(leaf for side in self.sides for leaf in side.anchors))
        self.cost = sum(side.cost for side in self.sides)

    def leaves(self) -> Iterable[Leaf]:
        return [leaf for side in self.sides for leaf in side.leaves()]

    def find(self, seen: Seen) -> Sequence[Mark] | None:
        found = [marks for side in self.sides if (marks := side.find(seen)) is not None]
        return [mark for marks in found for mark in marks] if found else None


class AnyWording(Any, Wording):
    """An OR of wordings, which may stand beside NEAR."""

    def __init__(self, sides: Sequence[Wording]) -> None:
        super().__init__(sides)
        self.wordings = tuple(sides)

    def reach(self, seen: Seen) -> list[Reach]:
        return sorted(place for side in self.wordings for place in side.reach(seen))

    def find(self, seen: Seen) -> Sequence[Mark] | None:
        return Any.find(self, seen)


class All(Plan):
    """Every side; the rarest is asked first."""

    def __init__(self, sides: Sequence[Plan]) -> None:
        self.sides = tuple(sorted(sides, key=lambda side: side.cost))
        self.anchors, self.cost = self.sides[0].anchors, self.sides[0].cost

    def leaves(self) -> Iterable[Leaf]:
        return [leaf for side in self.sides for leaf in side.leaves()]

    def find(self, seen: Seen) -> Sequence[Mark] | None:
        found: list[Mark] = []
        for side in self.sides:
            marks = side.find(seen)
            if marks is None:
                return None
            found.extend(marks)
        return found


class Absent(Plan):
    """Satisfied, with no marks, where its side is not. It has no anchors and is never asked first."""

    def __init__(self, side: Plan) -> None:
        self.side = side

    def leaves(self) -> Iterable[Leaf]:
        return self.side.leaves()

    def find(self, seen: Seen) -> Sequence[Mark] | None:
        return [] if self.side.find(seen) is None else None
