"""Which hashtags, names, links and regular expressions of a text satisfy which leaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.model import Part, PartKind
from bot.query.leaves import Host, Leaf, Leaves, Name, Regex, Tag
from bot.query.regex import Filter
from bot.query.word_index import add
from bot.text import signs

#: Code point span of a sign, and the leaves that it satisfies.
SignHit = tuple[int, int, Leaves]


class SignIndex:
    """False when no leaf asks for a sign."""

    def __init__(self, leaves: Iterable[Leaf]) -> None:
        self._tags: dict[str, Leaves] = {}
        self._tag_prefixes: dict[int, dict[str, Leaves]] = {}
        self._names: dict[str, Leaves] = {}
        self._hosts: dict[str, Leaves] = {}
        self._regexes: list[Regex] = []
        for leaf in leaves:
            match leaf:
                case Tag(name=name, prefix=False):
                    add(self._tags, name, leaf)
                case Tag(name=name):
                    add(self._tag_prefixes.setdefault(len(name), {}), name, leaf)
                case Name(name=name):
                    add(self._names, name, leaf)
                case Host(host=host):
                    add(self._hosts, host, leaf)
                case Regex():
                    self._regexes.append(leaf)
                case _:
                    pass
        self._filter = Filter([leaf.compiled for leaf in self._regexes])

    def __bool__(self) -> bool:
        return bool(self._tags or self._tag_prefixes or self._names or self._hosts or self._regexes)

    def hits(self, part: Part) -> Iterator[SignHit]:
        """The signs that satisfy leaves; a link's fragment is no hashtag."""
        text = part.text
        if part.kind is not PartKind.LINK and ("#" in text or "\uff03" in text):
            yield from self._hashtags(text)
        if self._names and ("@" in text or "." in text or ":" in text):
            for key, start, end in signs.names(text):
                if leaves := self._names.get(key):
                    yield start, end, leaves
        if self._hosts and "." in text:
            for key, start, end in signs.links(text):
                for parent in signs.parents(key):
                    if leaves := self._hosts.get(parent):
                        yield start, end, leaves
        if self._regexes:
            for candidate in self._filter.candidates(text):
                leaf = self._regexes[candidate]
                for start, end in leaf.compiled.finditer(text):
                    yield start, end, leaf.solo

    def _hashtags(self, text: str) -> Iterator[SignHit]:
        if not self._tags and not self._tag_prefixes:
            return
        for key, start, end in signs.hashtags(text):
            leaves = self._tags.get(key, ())
            for length, prefixes in self._tag_prefixes.items():
                leaves += prefixes.get(key[:length], ())
            if leaves:
                yield start, end, leaves
