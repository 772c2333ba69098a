r"""Users' regular expressions: RE2 only, so that no pattern and no post can take more than linear time.

RE2's ``\w``, ``\d``, ``\s`` and ``\b`` know ASCII only (google/re2#344). The first three are rewritten into
Unicode classes. ``\b`` cannot be: RE2 has no look-around to build it from. A pattern that uses it runs
over a marked copy of the text instead, in which U+E000 stands at every border of a word: there ``\b`` is
that mark, and before every other atom of the pattern one may stand. Spans are counted back.
https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re2

#: Memory that one pattern may take, compiled and running.
MAX_MEMORY = 8 << 20
_SET_MEMORY = 64 << 20
_MARK = "\ue000"
_WORD = r"[\w\u0300-\u036f\u064b-\u065f]"
_BORDER = re.compile(rf"(?<!{_WORD})(?={_WORD})|(?<={_WORD})(?!{_WORD})")

_TOKEN = re.compile(
    r"""
      (?P<border>\\b)
    | (?P<refused>\\B|\\C|\\Q|\\[1-9]|\(\?[=!]|\(\?<[=!]|\(\?\#|\(\?>|\\[zZGKRXkg])
    | (?P<class>\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\])
    | (?P<escape>\\[pP](?:\{\^?\w+\}|\w)|\\x(?:\{[0-9A-Fa-f]+\}|[0-9A-Fa-f]{2})|\\[0-7]{1,3}|\\.)
    | (?P<group>\((?:\?(?:P?<\w+>|[a-zA-Z-]*[:)]))?)
    | (?P<syntax>[|)^$]|[*+?]\??|\{\d+(?:,\d*)?\}\??)
    | (?P<any>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_IN_CLASS = {r"\w": r"\p{L}\p{M}\p{N}_", r"\d": r"\p{Nd}", r"\s": r"\s\p{Z}", r"\D": r"\P{Nd}"}
_NEGATED = {r"\W": r"\p{L}\p{M}\p{N}_", r"\D": r"\p{Nd}", r"\S": r"\s\p{Z}"}
_CLASS_ESCAPE = re.compile(r"\\[wdsWDS]")
_INLINE_S = re.compile(r"\(\?[a-zA-Z]*s")


class Refused(Exception):  # noqa: N818 - it is caught beside its raise, never seen as an error
    """A pattern that cannot be run: what, at which code point of the pattern, what would be right."""

    def __init__(self, what: str, hint: str, offset: int = 0) -> None:
        super().__init__(what)
        self.what, self.hint, self.offset = what, hint, offset


@dataclass(frozen=True, slots=True)
class Compiled:
    """A pattern ready to run. ``loose`` finds at least as much in a text as it is; ``marked`` when the
    program itself must run over the marked copy."""

    program: re2._Regexp[str]
    loose: str
    marked: bool

    def finditer(self, text: str) -> Iterator[tuple[int, int]]:
        """Code point spans of the non-empty matches."""
        text = scalar(text)
        if self.marked:
            yield from self._in_marked(text)
            return
        for m in self.program.finditer(text):
            if m.start() < m.end():
                yield m.span()

    def _in_marked(self, text: str) -> Iterator[tuple[int, int]]:
        borders = [m.start() for m in _BORDER.finditer(text)]
        pieces = [text[a:b] for a, b in zip([0, *borders], [*borders, len(text)], strict=True)]
        marked = _MARK.join(piece.replace(_MARK, "\ufffd") for piece in pieces)
        position, back = 0, []
        for character in marked:
            back.append(position)
            position += character != _MARK
        back.append(position)
        for m in self.program.finditer(marked):
            if back[m.start()] < back[m.end()]:
                yield back[m.start()], back[m.end()]


@lru_cache(maxsize=4096)
def compile_pattern(source: str, flags: str) -> Compiled:
    """Raises `Refused` with the reason in plain words."""
    import re2  # 5 ms that only a configuration with regular expressions pays

    tokens = _tokens(source)
    dot_takes_all = "s" in flags or _INLINE_S.search(source) is not None
    marked = any(kind == "border" for kind, _, _ in tokens)
    prefix = f"(?{flags})" if flags else ""
    loose = prefix + "".join(_piece(*token, mark="", any_="") for token in tokens)
    any_ = f"[^{_MARK}]" if dot_takes_all else f"[^{_MARK}\\n]"
    strict = prefix + "".join(_piece(*token, mark=_MARK, any_=any_) for token in tokens) if marked else loose
    try:
        return Compiled(re2.compile(strict, options()), loose, marked)
    except re2.error as error:
        why = error.args[0] if error.args else ""
        why = why.decode("utf-8", "replace") if isinstance(why, bytes) else str(why)
        what = f"RE2 refuses this regular expression: {why.replace(_MARK, '')}"
        raise Refused(what, "see the syntax in docs/query-language.md") from None
    except UnicodeEncodeError:
        raise Refused("the regular expression holds half of a character", "type it anew") from None


def options(memory: int = MAX_MEMORY) -> re2.Options:
    import re2

    chosen = re2.Options()
    chosen.log_errors = False
    chosen.max_mem = memory
    return chosen


class Filter:
    """Which of many patterns may match a text, in one pass; never leaves out one that does.

    A set too large for its memory matches nothing without saying so. Each set therefore holds one pattern
    more, and is split for as long as a text made for that pattern does not find it.
    """

    _canary = "\ue0fe"

    def __init__(self, patterns: Sequence[Compiled]) -> None:
        self._sets: list[tuple[re2.Set, list[int]]] = []
        self._unfiltered: list[int] = []
        if patterns:
            self._add(patterns, list(range(len(patterns))))

    def candidates(self, text: str) -> list[int]:
        """Indices of the patterns to run over this text, ascending."""
        text = scalar(text)
        found = list(self._unfiltered)
        for one, numbers in self._sets:
            found.extend(numbers[index] for index in one.Match(text) or () if index < len(numbers))
        return sorted(found)

    def _add(self, patterns: Sequence[Compiled], numbers: list[int]) -> None:
        import re2

        one = re2.Set.SearchSet(options(_SET_MEMORY))
        try:
            for number in numbers:
                one.Add(patterns[number].loose)
            one.Add(self._canary)
            one.Compile()
            sound = len(numbers) in (one.Match(self._canary) or ())
        except re2.error:
            sound = False
        if sound:
            self._sets.append((one, numbers))
        elif len(numbers) == 1:
            self._unfiltered.extend(numbers)
        else:
            half = len(numbers) // 2
            self._add(patterns, numbers[:half])
            self._add(patterns, numbers[half:])


class Coarse:
    """A pattern of ours: whether it is found in a text. One that cannot be searched is said to hold it."""

    def __init__(self, pattern: str) -> None:
        import re2

        self._search = re2.compile(pattern.encode(), options()).search

    def sees(self, text: str) -> bool:
        try:
            return self._search(text.encode()) is not None  # of bytes, since nobody asks where
        except UnicodeEncodeError:  # half of a surrogate pair
            return True


def scalar(text: str) -> str:
    """The text with lone surrogates replaced one for one, as RE2's UTF-8 cannot hold them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)
    return text


def _tokens(source: str) -> list[tuple[str, str, int]]:
    tokens = [(m.lastgroup or "any", m[0], m.start()) for m in _TOKEN.finditer(source)]
    for kind, text, offset in tokens:
        if kind == "refused":
            why = "look-around and comments are not" if text.startswith("(?") else "this escape is not"
            raise Refused(f"{text} in a regular expression: {why} supported", "RE2 has none of these", offset)
    return tokens


def _piece(kind: str, text: str, offset: int, *, mark: str, any_: str) -> str:
    """A token of the pattern as RE2 shall read it; with a ``mark``, as it shall read a marked text."""
    match kind:
        case "border":
            return mark or "(?:)"  # something for a quantifier to stand behind
        case "group":
            return text
        case "syntax":
            return f"(?:{mark}?$)" if mark and text == "$" else text
    atom = _atom(kind, text, offset, mark, any_)
    if mark and _takes(atom, mark):
        raise Refused(f"{text} beside \\b is not supported", "name the characters instead", offset)
    return f"(?:{mark}?{atom})" if mark else atom


@lru_cache(maxsize=256)
def _takes(atom: str, character: str) -> bool:
    import re2

    try:
        return re2.compile(atom, options()).fullmatch(character) is not None
    except (re2.error, UnicodeEncodeError):
        return False  # the whole pattern will not compile either, and says why


def _atom(kind: str, text: str, offset: int, mark: str, any_: str) -> str:
    """One character's worth of pattern; on marked text nothing negative may swallow a mark."""
    if kind == "class":
        return _character_class(text, offset, mark)
    if kind == "any":
        return any_ if any_ and text == "." else text
    if text in _NEGATED:
        return f"[^{_NEGATED[text]}{mark}]"
    if text in _IN_CLASS:
        return f"[{_IN_CLASS[text]}]"
    if mark and text.startswith(r"\P"):
        return f"[^{text.replace('P', 'p', 1)}{mark}]"
    return text


def _character_class(text: str, offset: int, mark: str) -> str:
    for m in _CLASS_ESCAPE.finditer(text):
        if m[0] in (r"\W", r"\S"):
            raise Refused(f"{m[0]} inside [ ] is not supported", "name the characters instead", offset + m.start())
    body = _CLASS_ESCAPE.sub(lambda m: _IN_CLASS[m[0]], text)
    if mark and body.startswith("[^"):
        return "[^" + mark + body[2:]
    return body
