"""A first look at a text, in one pass: whether any word of it may be one that is asked for.

Most posts hold nothing of what a desk watches, and cutting one into its words takes five times as long as seeing that.
The look is coarse on one side only: what it lets through is looked at properly, what it stops holds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from bot.query.leaves import Beginning, Ending, Forms, Leaf
from bot.query.regex import Coarse
from bot.text.tokens import CYRILLIC, KEY_LETTERS, ODD

#: Stems above which nearly every post holds one, so that the look is paid for nothing.
MOST = 400
#: Letters of a stem: in real posts shorter ones are met by chance too often, longer ones stop no more.
_LENGTH = 5
_LETTER = f"0-9A-Za-z{CYRILLIC}"
_BEGINS, _ENDS = f"(?:^|[^{_LETTER}])", f"(?:$|[^{_LETTER}])"
#: Whatever is not folded by lower() and ё -> е alone: signs out of the ordinary, words of two scripts.
_PARTICULAR = (ODD, f"[A-Za-z][0-9]*[{CYRILLIC}]", f"[{CYRILLIC}][0-9]*[A-Za-z]")


class Screen:
    """For the words of these leaves; what is no word is not its business."""

    def __init__(self, leaves: Iterable[Leaf]) -> None:
        stems = frozenset(stem for leaf in leaves for stem in _stems(leaf))
        #: False: it would let nearly everything through.
        self.worthwhile = len(stems) <= MOST
        self._stems = stems

    def passes(self, text: str) -> bool:
        """Whether the text may hold a word that satisfies a leaf. False is certain."""
        return self._coarse.sees(text)

    @cached_property
    def _coarse(self) -> Coarse:
        stems = (stem.replace("е", "[её]") for stem in sorted(self._stems))
        return Coarse("|".join([*_PARTICULAR, *(f"(?i:{stem})" for stem in stems)]))


def _stems(leaf: Leaf) -> Iterator[str]:
    """Patterns of which one is found, whatever the letter case, in every ordinary text that satisfies the leaf."""
    match leaf:
        case Forms(forms=forms):
            for form in filter(_is_plain, forms):
                yield _BEGINS + (form[:_LENGTH] if len(form) > _LENGTH else form + _ENDS)
        case Beginning(prefix=prefix) if _is_plain(prefix):
            yield _BEGINS + prefix[:_LENGTH]
        case Ending(forms=forms):
            for form in filter(_is_plain, forms):
                yield form + _ENDS
        case _:
            pass


def _is_plain(form: str) -> bool:
    """Whether an ordinary text can hold it: the key of another one only comes of signs that are particular."""
    return KEY_LETTERS.issuperset(form)
