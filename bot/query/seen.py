"""What was seen in one post: where each leaf stands."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.model import Hit, Part
from bot.query.leaves import Leaf, Leaves

#: A part's number, and code points there from start to end.
Stretch = tuple[int, int, int]
#: Numbers of signs begin here, behind those of any token.
SIGNS = 1 << 40
_EMPTY_LINE = re.compile(r"\n[^\S\n]*\n")


class Seen:
    """Where each leaf stands in a post, by number.

    Tokens are numbered through the whole post; a sign that is no token gets a number behind all of them.
    """

    __slots__ = ("_parts", "_stretches", "places")

    def __init__(self, parts: Sequence[Part]) -> None:
        self.places: dict[Leaf, list[int]] = {}
        self._parts = parts
        self._stretches: dict[int, Stretch] = {}

    def add(self, number: int, leaves: Leaves, stretch: Stretch) -> None:
        """Something with this number, which satisfies these leaves, stands there."""
        self._stretches[number] = stretch
        places = self.places
        for leaf in leaves:
            if leaf in places:
                places[leaf].append(number)
            else:
                places[leaf] = [number]

    def stretch(self, first: int, last: int) -> Stretch:
        """What was seen from number first to last, which stand in one part."""
        if first == last:
            return self._stretches[first]
        return (*self._stretches[first][:2], self._stretches[last][2])

    def parted(self, token: int) -> bool:
        """Whether an empty line stands between this token and the next one, both seen."""
        part, _, end = self._stretches[token]
        _, start, _ = self._stretches[token + 1]
        return _EMPTY_LINE.search(self._parts[part].text, end, start) is not None

    def hit(self, stretch: Stretch) -> Hit:
        number, start, end = stretch
        part = self._parts[number]
        return Hit(part.kind, start, end, part.text[start:end])
