"""Where the words of a text stand. Tokens are cut from the original text, so a token's span *is* its place.

A token is a run of letters and digits of any script; an underscore and a hyphen separate. Invisible
characters inside a word do not break it, an apostrophe between two Cyrillic letters joins it, and a flag
(two regional indicators) is a word of its own.

What words are *equal to* is asked far more often than where they stand. Nine of ten posts hold nothing but
ordinary characters; such a text is folded as a whole, by two string methods, and cut by the simplest
expression there is. Only another text is cut by the full expression and normalised token by token.
`tests/text/test_properties.py` holds both ways to the same answer.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import lru_cache

from bot.text.normalise import APOSTROPHES, INVISIBLE, normalise

_FLAGS = "\U0001f1e6-\U0001f1ff"
_MARKS = "\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u0981-\u0dff\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
_LETTER_EMOJI = "\u2139"

_PLAIN = re.compile(r"[^\W_]+")
_RARE = re.compile(f"[{INVISIBLE}{APOSTROPHES}{_FLAGS}{_MARKS}{_LETTER_EMOJI}]")
_NO_LETTERS = "\u0640\u02b9\u02bc"  # tatweel and two apostrophes: letters to Python, none to a reader
_WORD = rf"[^\W_{_NO_LETTERS}{_LETTER_EMOJI}]+"
_BETWEEN_CYRILLIC = rf"(?<=[\u0400-\u052f])[{INVISIBLE}]*[{APOSTROPHES}][{INVISIBLE}]*(?=[\u0400-\u052f])"
_FULL = re.compile(
    rf"{_WORD}(?:(?:[{INVISIBLE}{_MARKS}]+|{_BETWEEN_CYRILLIC}){_WORD})*[\u0300-\u036f{_MARKS}]*|[{_FLAGS}]{{2}}"
)

# Ordinary characters: those that need no more than lower() and ё -> е to become a key, and those of no word.
#: As the inside of a character class, like `ORDINARY`.
CYRILLIC = "\u0401\u0404\u0406\u0407\u0410-\u044f\u0451\u0454\u0456\u0457\u0490\u0491"
_SIGNS = (
    "\u00a0-\u00a9\u00ab\u00ac\u00ae-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf\u00d7\u00f7"
    "\u2000-\u200a\u2010-\u2018\u201a-\u2027\u2030\u2031\u2033-\u205e\u202f\u20a0-\u20bf\u20e3\u2116\u2122"
    "\u2190-\u23ff\u2500-\u2775\u2794-\u2bff\ufe0f\U0001f170-\U0001f1e5\U0001f200-\U0001f2ff\U0001f300-\U0001faff"
)
_ORDINARY_SIGN = f"\x00-&(-_a-\x7f{CYRILLIC}{_SIGNS}"
_ODD = re.compile(f"[^{_ORDINARY_SIGN}]")
#: Found in every text that is not ordinary; also as a pattern for RE2. An invisible sign between words is no harm.
ODD = (
    f"[^\x00-_a-\x7f\u2019{INVISIBLE}{CYRILLIC}{_SIGNS}]"
    f"|[0-9A-Za-z{CYRILLIC}][{INVISIBLE}{APOSTROPHES}]+[0-9A-Za-z{CYRILLIC}]|[\u0300-\u036f]"
)
_ODD_INDEED = re.compile(ODD)
_ORDINARY = re.compile(f"[A-Za-z0-9{CYRILLIC}]+")
_FOLDED = re.compile("[a-z0-9а-яіїєґ]+")
KEY_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789абвгдежзийклмнопрстуфхцчшщъыьэюяіїєґ")  # those of _FOLDED
_MIXED = re.compile(f"[a-z](?:[0-9]*[{CYRILLIC}]|(?<=[0-9{CYRILLIC}][a-z]))")
_ONE_SCRIPT = re.compile("[a-z0-9]+|[0-9а-яіїєґ]+").fullmatch
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")

#: Normalisation is paid once per distinct token, for as many as this.
_key = lru_cache(maxsize=1 << 16)(normalise)


def tokenise(text: str) -> list[str]:
    """The raw tokens of a text, in order."""
    return _cutter(text).findall(text)


class Words:
    """The words of one text: their keys, and where they stand."""

    __slots__ = ("_folded", "_spans", "keys", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._folded: str | None = None
        self._spans: list[tuple[int, int]] | None = None
        if not _is_ordinary(text):
            #: The keys in order: ``[normalise(token) for token in tokenise(text)]``, faster.
            self.keys = [_key(token) for token in _cutter(text).findall(text)]
            return
        folded = text.lower().replace("ё", "е")
        found = _FOLDED.findall(folded)
        if _MIXED.search(folded) is None:
            self._folded = folded
            self.keys = found
        else:
            raw = _ORDINARY.findall(text)
            self.keys = [key if _ONE_SCRIPT(key) else _key(token) for key, token in zip(found, raw, strict=True)]

    def places(self, key: str) -> list[tuple[int, int, int]]:
        """Every token with this key: its number, and its code point span."""
        if self._folded is None:
            return [(number, *self.span(number)) for number, other in enumerate(self.keys) if other == key]
        # In a folded text each key stands as it is: its occurrences as a whole word are the tokens.
        text, length = self._folded, len(key)
        found: list[tuple[int, int, int]] = []
        number, start = -1, text.find(key)
        while start >= 0:
            end = start + length
            if text[start - 1 : start] in KEY_LETTERS or text[end : end + 1] in KEY_LETTERS:
                start = text.find(key, start + 1)
                continue
            number = self.keys.index(key, number + 1)
            found.append((number, start, end))
            start = text.find(key, end)
        return found

    def span(self, number: int) -> tuple[int, int]:
        """The code point span of one token."""
        if self._spans is None:
            self._spans = [token.span() for token in _cutter(self.text).finditer(self.text)]
        return self._spans[number]


def _is_ordinary(text: str) -> bool:
    return _ODD.search(text) is None or _ODD_INDEED.search(text) is None


def _cutter(text: str) -> re.Pattern[str]:
    if _is_ordinary(text):
        return _ORDINARY
    return _FULL if _RARE.search(text) else _PLAIN


class Utf16:
    """Both directions between code points of one text and Telegram's UTF-16 units.

    https://core.telegram.org/api/entities#entity-length
    """

    def __init__(self, text: str) -> None:
        self._points = [m.start() for m in _ASTRAL.finditer(text)]
        self._units = [point + rank + 1 for rank, point in enumerate(self._points)]

    def units(self, point: int) -> int:
        """UTF-16 units before a code point."""
        return point + bisect_left(self._points, point)

    def point(self, units: int) -> int:
        """The code point that starts at, or holds, this unit."""
        return units - bisect_right(self._units, units)
