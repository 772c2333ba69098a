"""Which words of a text satisfy which leaves. No loop over keywords.

A form of a word is a key of one dictionary, so the tokens of a post are looked up, not compared. Only where
a configuration has words open at one end (дрон*, *база) is each distinct key compared with those, once,
and remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bot.query.leaves import Beginning, Ending, Forms, Leaf, Leaves
from bot.text.tokens import Words

#: Keys remembered where words are open at one end; then the memo starts anew.
MEMO = 1 << 16

#: A word's number and code point span, and the leaves that it satisfies.
WordHit = tuple[int, int, int, Leaves]


class _Memo(dict[str, Leaves]):
    """Key -> the leaves that it satisfies. Bounded."""

    def __init__(self, find: Callable[[str], Leaves]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, key: str) -> Leaves:
        if len(self) >= MEMO:
            self.clear()
        found = self[key] = self._find(key)
        return found


class WordIndex:
    def __init__(self, leaves: Iterable[Leaf]) -> None:
        self._exact: dict[str, Leaves] = {}
        self._beginnings: dict[int, dict[str, Leaves]] = {}
        self._endings: dict[int, dict[str, Leaves]] = {}
        self._cased = False
        for leaf in leaves:
            self._cased |= leaf.cased
            match leaf:
                case Forms(forms=forms):
                    for form in forms:
                        add(self._exact, form, leaf)
                case Beginning(prefix=prefix):
                    add(self._beginnings.setdefault(len(prefix), {}), prefix, leaf)
                case Ending(forms=forms):
                    for form in forms:
                        add(self._endings.setdefault(len(form), {}), form, leaf)
                case _:
                    pass
        self._open = bool(self._beginnings or self._endings)
        self._remembered = _Memo(self._find).__getitem__
        self._forms = self._exact.keys()

    def hits(self, words: Words) -> list[WordHit]:
        """The words that satisfy leaves."""
        if self._open:
            met = enumerate(map(self._remembered, words.keys))
            found = [(number, *words.span(number), leaves) for number, leaves in met if leaves]
        else:
            known = self._forms & words.keys  # one pass in C, empty for nearly every post
            if not known:
                return []
            found = [(*place, self._exact[key]) for key in known for place in words.places(key)]
        return _in_case(words, found) if self._cased else found

    def _find(self, key: str) -> Leaves:
        found = self._exact.get(key, ())
        for length, prefixes in self._beginnings.items():
            found += prefixes.get(key[:length], ())
        for length, endings in self._endings.items():
            found += endings.get(key[-length:], ())
        return tuple(dict.fromkeys(found))


def add(index: dict[str, Leaves], key: str, leaf: Leaf) -> None:
    """Puts a leaf under a key, beside those that stand there."""
    there = index.get(key)
    index[key] = leaf.solo if there is None else (*there, leaf)


def _in_case(words: Words, hits: Iterable[WordHit]) -> list[WordHit]:
    """The hits without the leaves that demand another letter case."""
    kept = []
    for number, start, end, leaves in hits:
        token = words.text[start:end]
        if agreeing := tuple(leaf for leaf in leaves if leaf.accepts(token)):
            kept.append((number, start, end, agreeing))
    return kept
