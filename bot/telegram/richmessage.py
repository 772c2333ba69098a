"""The text of a rich message: a tree of blocks, read as lines with the links that hide in it.

Since layer 227 a post's text may be such a tree, and the message's own text empty. The walk goes by the names of
fields, not of types, so that a kind of block which a later layer adds is read too and does not vanish.
https://core.telegram.org/type/PageBlock
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from telethon.tl import TLObject, types

#: Fields whose words a reader sees.
_WORDS = frozenset({"text", "source", "alt", "title", "description", "author"})
#: Fields that hold no words of the post: buttons, files, cards of other chats, what a correction has replaced.
_SILENT = frozenset({"buttons", "channel", "documents", "old_text", "photos", "style", "type", "geo"})

_WIDTHS = ("", "\t", "\n", "\n\n")


class Hidden(NamedTuple):
    """A link under some words; ``offset`` and ``length`` are UTF-16 units."""

    offset: int
    length: int
    url: str


class Flat(NamedTuple):
    """A tree's words: blocks apart by an empty line, what is inside one by newlines, cells of a table by tabs."""

    text: str
    links: tuple[Hidden, ...]


def flattened(blocks: Iterable[types.TypePageBlock] | None) -> Flat:
    """The words of a list of ``PageBlock``."""
    page = _Page()
    for block in blocks or ():
        page.part("\n\n")
        page.walk(block)
    return Flat("".join(page.pieces), tuple(page.links))


class _Page:
    """Words as they are gathered."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.links: list[Hidden] = []
        self._units = 0
        #: What will part the next words from those before; nothing has to where a line begins.
        self._gap = ""
        self._fresh = True

    def part(self, gap: str) -> None:
        """Parts what was said from what will be. Of several gaps the widest counts."""
        if not self._fresh:
            self._gap = max(self._gap, gap, key=_WIDTHS.index)

    def walk(self, node: object) -> None:
        if isinstance(node, list):
            for each in node:
                self.walk(each)
        elif isinstance(node, str):
            self._say(node)
        elif isinstance(node, TLObject):
            url = getattr(node, "url", None)
            start = self._here() if url else 0
            self._fields(node)
            if url:
                self.links.append(Hidden(start, self._units - start, url))

    def _fields(self, node: TLObject) -> None:
        name = type(node).__name__
        inline = name.startswith("Text")
        cell = name == "PageTableCell"
        for key, value in _in_reading_order(node):
            if isinstance(value, TLObject | list) or (isinstance(value, str) and key in _WORDS):
                if not inline and not cell:
                    self.part("\n")
                self.walk(value)
        if not inline:
            self.part("\t" if cell else "\n")

    def _say(self, words: str) -> None:
        if words:
            self._here()
            self._fresh = False
            self.pieces.append(words)
            self._units += len(words.encode("utf-16-le", "surrogatepass")) // 2

    def _here(self) -> int:
        """Where the next words will stand, in UTF-16 units."""
        if self._gap:
            self.pieces.append(self._gap)
            self._units += len(self._gap)
            self._gap, self._fresh = "", True
        return self._units


def _in_reading_order(node: TLObject) -> Iterator[tuple[str, object]]:
    """A node's fields; its title stands above the rest, wherever the schema has it."""
    fields = vars(node)
    if "title" in fields:
        yield "title", fields["title"]
    for key, value in fields.items():
        if key != "title" and key not in _SILENT:
            yield key, value
