"""All leaves of all queries at once: what of them is seen in a post."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from bot.model import Part
from bot.query.leaves import Leaf
from bot.query.screen import Screen
from bot.query.seen import SIGNS, Seen
from bot.query.sign_index import SignIndex
from bot.query.word_index import WordIndex
from bot.text.tokens import Utf16, Words

#: Token numbers between the parts of a post, more than any NEAR may span.
_APART = 1000
#: Most hidden links are those of a footer, the same under every post.
_link_words = lru_cache(maxsize=1 << 12)(Words)


class Index:
    """Built once from all leaves of a configuration; then only asked."""

    def __init__(self, leaves: Iterable[Leaf]) -> None:
        leaves = tuple(leaves)
        self._words = WordIndex(leaves)
        self._signs = SignIndex(leaves)
        self._asks_for_signs = bool(self._signs)
        screen = Screen(leaves)
        self._screen = screen if screen.worthwhile else None

    def look(self, parts: Sequence[Part], footer: int | None = None) -> Seen | None:
        """What is seen in these parts; None when nothing is.

        ``footer`` is the code point of the first part at which the channel's footer begins: nothing from
        there on, and no link that hangs there, counts.
        """
        if footer is not None:
            parts = _above(footer, parts)
        seen: Seen | None = None
        first = 0
        for number, part in enumerate(parts):
            if self._screen is not None and not self._screen.passes(part.text):
                continue
            words = Words(part.text) if part.anchor is None else _link_words(part.text)
            if hits := self._words.hits(words):
                seen = seen or Seen(parts)
                for place, start, end, leaves in hits:
                    seen.add(first + place, leaves, (number, start, end))
            first += len(words.keys) + _APART
        if self._asks_for_signs:
            seen = seen or Seen(parts)
            self._see_signs(parts, seen)
        return seen if seen and seen.places else None

    def _see_signs(self, parts: Sequence[Part], seen: Seen) -> None:
        found = ((number, *hit) for number, part in enumerate(parts) for hit in self._signs.hits(part))
        for place, (number, start, end, leaves) in enumerate(found, SIGNS):
            seen.add(place, leaves, (number, start, end))


def _above(footer: int, parts: Sequence[Part]) -> list[Part]:
    """The parts without the footer: the text cut there, and no link that hangs below."""
    text = parts[0].text
    unit = Utf16(text).units(footer)
    kept = [part for part in parts[1:] if part.anchor is None or part.anchor < unit]
    return [Part(parts[0].kind, text[:footer]), *kept]
