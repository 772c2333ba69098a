"""All leaves of all queries at once: what of them is seen in a post. No loop over keywords anywhere.

A form of a word is a key of one dictionary, so the tokens of a post are looked up, not compared. A post
none of whose tokens is there, and that holds no sign asked for, is done with after that one pass. Only
where a configuration has words open at one end (дрон*, *база) is each distinct key compared with those,
once, and remembered.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice

from bot.model import Hit, Part, PartKind
from bot.query.leaves import Beginning, Ending, Host, Leaf, Name, Regex, Tag, Words
from bot.query.regex import Filter
from bot.text import signs
from bot.text.tokens import Utf16, cut, keys

#: Keys remembered where words are open at one end; then the memo starts anew.
MEMO = 1 << 16
#: Token numbers between the parts of a post, more than any NEAR may span.
_APART = 1000
#: Numbers of signs begin here, behind those of any token.
_SIGNS = 1 << 40
_EMPTY_LINE = re.compile(r"\n[^\S\n]*\n")

#: Most hidden links are those of a footer, the same under every post.
_link_keys = lru_cache(maxsize=1 << 12)(keys)

Leaves = tuple[Leaf, ...]


#: A part's number, and code points there from start to end.
Stretch = tuple[int, int, int]


class Seen:
    """What was seen in one post: where each leaf stands, by number.

    Tokens are numbered through the whole post; a sign that is no token gets a number behind all of them.
    Where the seen tokens stand in their parts is found out when it is first asked, for all of them in one
    pass: most posts that hold a word of some query satisfy none.
    """

    __slots__ = ("_firsts", "_parts", "_signs", "_tokens", "places")

    def __init__(self, parts: Sequence[Part]) -> None:
        self.places: dict[Leaf, list[int]] = {}
        self._parts = parts
        self._firsts: list[int] = []
        self._signs: list[Stretch] = []
        self._tokens: dict[int, Stretch] | None = None

    def add_sign(self, leaf: Leaf, stretch: Stretch) -> None:
        self.places.setdefault(leaf, []).append(_SIGNS + len(self._signs))
        self._signs.append(stretch)

    def begin(self, first: int) -> None:
        """The next part's tokens are numbered from here."""
        self._firsts.append(first)

    def stretch(self, first: int, last: int) -> Stretch:
        """What is seen from number first to last, which stand in one part."""
        if first >= _SIGNS:
            return self._signs[first - _SIGNS]
        tokens = self._tokens
        if tokens is None:
            tokens = self._tokens = self._locate({n for places in self.places.values() for n in places})
        if first == last:
            return tokens[first]
        return (*tokens[first][:2], tokens[last][2])

    def parted(self, token: int) -> bool:
        """Whether an empty line stands between this token and the next one, both seen."""
        part, _, end = self.stretch(token, token)
        _, start, _ = self.stretch(token + 1, token + 1)
        return _EMPTY_LINE.search(self._parts[part].text, end, start) is not None

    def cased_alike(self, leaf: Words, token: int) -> bool:
        """Whether a token is written in the letter case that this leaf demands."""
        part, start, end = self._locate([token])[token]
        return leaf.accepts(self._parts[part].text[start:end])

    def hit(self, stretch: Stretch) -> Hit:
        number, start, end = stretch
        part = self._parts[number]
        return Hit(part.kind, start, end, part.text[start:end])

    def _locate(self, tokens: Iterable[int]) -> dict[int, Stretch]:
        where: dict[int, Stretch] = {}
        part, following = -1, 0
        upcoming: Iterator[re.Match[str]] = iter(())
        for token in sorted(tokens):
            if token >= _SIGNS:
                break
            number = bisect_right(self._firsts, token) - 1
            if number != part:
                part, following, upcoming = number, self._firsts[number], cut(self._parts[number].text)
            found = next(islice(upcoming, token - following, None))
            following = token + 1
            where[token] = (part, found.start(), found.end())
        return where


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


class Index:
    """Built once from all leaves of a configuration; then only asked."""

    def __init__(self, leaves: Iterable[Leaf]) -> None:
        self._exact: dict[str, Leaves] = {}
        self._beginnings: dict[int, dict[str, Leaves]] = {}
        self._endings: dict[int, dict[str, Leaves]] = {}
        self._tags: dict[str, Leaves] = {}
        self._tag_prefixes: dict[int, dict[str, Leaves]] = {}
        self._names: dict[str, Leaves] = {}
        self._hosts: dict[str, Leaves] = {}
        self._cased = False
        regexes: list[Regex] = []
        for leaf in leaves:
            match leaf:
                case Words(forms=forms, cased=cased):
                    self._cased |= cased is not None
                    for form in forms:
                        _add(self._exact, form, leaf)
                case Beginning(prefix=prefix):
                    _add(self._beginnings.setdefault(len(prefix), {}), prefix, leaf)
                case Ending(forms=forms):
                    for form in forms:
                        _add(self._endings.setdefault(len(form), {}), form, leaf)
                case Tag(name=name, prefix=False):
                    _add(self._tags, name, leaf)
                case Tag(name=name):
                    _add(self._tag_prefixes.setdefault(len(name), {}), name, leaf)
                case Name(name=name):
                    _add(self._names, name, leaf)
                case Host(host=host):
                    _add(self._hosts, host, leaf)
                case Regex():
                    regexes.append(leaf)
        self._regexes = regexes
        self._filter = Filter([leaf.compiled for leaf in regexes])
        self._signs = bool(self._tags or self._tag_prefixes or self._names or self._hosts or regexes)
        self._open = bool(self._beginnings or self._endings)
        self._look_up: Callable[[str], Leaves | None] = _Memo(self._find).__getitem__ if self._open else self._exact.get
        self._forms = self._exact.keys()

    def look(self, parts: Sequence[Part], footer: int | None = None) -> Seen | None:
        """What is seen in these parts; None when nothing is.

        ``footer`` is the code point of the first part at which the channel's footer begins: nothing from
        there on, and no link that hangs there, counts.
        """
        if footer is not None:
            parts = _above(footer, parts)
        of_parts = [_link_keys(part.text) if part.anchor is not None else keys(part.text) for part in parts]
        worded = any(map(self._any_known, of_parts))
        if not worded and not self._signs:
            return None
        seen = Seen(parts)
        if worded:
            self._see_words(of_parts, seen)
        if self._signs:
            self._see_signs(parts, seen)
        return seen if seen.places else None

    def _any_known(self, found: list[str]) -> bool:
        return any(map(self._look_up, found)) if self._open else not self._forms.isdisjoint(found)

    def _see_words(self, of_parts: Sequence[list[str]], seen: Seen) -> None:
        first = 0
        places = seen.places
        for found in of_parts:
            seen.begin(first)
            for number, leaves in [(n, hit) for n, hit in enumerate(map(self._look_up, found), first) if hit]:
                for leaf in leaves:
                    if self._cased and isinstance(leaf, Words) and leaf.cased and not seen.cased_alike(leaf, number):
                        continue
                    if leaf in places:
                        places[leaf].append(number)
                    else:
                        places[leaf] = [number]
            first += len(found) + _APART

    def _see_signs(self, parts: Sequence[Part], seen: Seen) -> None:
        for number, part in enumerate(parts):
            text = part.text
            if (self._tags or self._tag_prefixes) and part.kind is not PartKind.LINK and ("#" in text or "\uff03" in text):
                for key, start, end in signs.hashtags(text):
                    _mark(seen, self._find_tag(key), number, start, end)
            if self._names and ("@" in text or "." in text or ":" in text):
                for key, start, end in signs.names(text):
                    _mark(seen, self._names.get(key, ()), number, start, end)
            if self._hosts and "." in text:
                for key, start, end in signs.links(text):
                    for parent in signs.parents(key):
                        _mark(seen, self._hosts.get(parent, ()), number, start, end)
            if self._regexes:
                for candidate in self._filter.candidates(text):
                    leaf = self._regexes[candidate]
                    for start, end in leaf.compiled.finditer(text):
                        _mark(seen, leaf.solo, number, start, end)

    def _find(self, key: str) -> Leaves:
        found = self._exact.get(key, ())
        for length, prefixes in self._beginnings.items():
            found += prefixes.get(key[:length], ())
        for length, endings in self._endings.items():
            found += endings.get(key[-length:], ())
        return tuple(dict.fromkeys(found))

    def _find_tag(self, key: str) -> Leaves:
        found = self._tags.get(key, ())
        for length, prefixes in self._tag_prefixes.items():
            found += prefixes.get(key[:length], ())
        return found


def _add(index: dict[str, Leaves], key: str, leaf: Leaf) -> None:
    there = index.get(key)
    index[key] = leaf.solo if there is None else (*there, leaf)


def _mark(seen: Seen, leaves: Leaves, number: int, start: int, end: int) -> None:
    for leaf in leaves:
        seen.add_sign(leaf, (number, start, end))


def _above(footer: int, parts: Sequence[Part]) -> list[Part]:
    """The parts without the footer: the text cut there, and no link that hangs below."""
    text = parts[0].text
    unit = Utf16(text).units(footer)
    kept = [part for part in parts[1:] if part.anchor is None or part.anchor < unit]
    return [Part(parts[0].kind, text[:footer]), *kept]
