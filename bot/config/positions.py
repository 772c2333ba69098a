"""Where in a TOML text each key and value stands: tomllib knows what a file says, and not where.

One pass in linear time over a text that tomllib has read. A text that it would refuse is followed as far as
it can be: fewer places are known, and nothing is raised. https://toml.io/en/v1.0.0
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from itertools import accumulate, count
from typing import NamedTuple

#: Keys and indices from the root of a file down, as tomllib nests them: ``("watch", "channels", 3, "label")``.
KeyPath = tuple[str | int, ...]

#: Deeper than any configuration; a text that nests further is not followed.
_DEEPEST = 32

_BASIC = r'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"'
_LITERAL = r"'[^'\n]*+'"
# Up to two quotes may stand anywhere inside, and right before the closing three.
_BASIC_LINES = r'"""(?:[^"\\]++|\\.|"{1,2}(?!"))*+"{3,5}'
_LITERAL_LINES = r"'''(?:[^']++|'{1,2}(?!'))*+'{3,5}"
_STRING = re.compile(rf"{_BASIC_LINES}|{_LITERAL_LINES}|{_BASIC}|{_LITERAL}", re.DOTALL)
_KEY = re.compile(rf"[ \t]*+([A-Za-z0-9_-]++|{_BASIC}|{_LITERAL})[ \t]*+", re.DOTALL)
# Of dates only the long form may hold a blank.
_BARE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[^\s,\]}#]*+|[^\s,\[\]{}#=\"']++")
#: What may stand between two statements, and between two items of an array.
_BETWEEN = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_BETWEEN_ITEMS = re.compile(r"(?:[ \t\r\n,]++|#[^\n]*+)*+")
_BLANKS = re.compile(r"[ \t]*+")
_NEWLINE = re.compile(r"\r?\n")

#: What stands for one character of a string, or ("none") for none of it.
_BASIC_PIECE = re.compile(
    r"(?P<none>\\[ \t]*+\r?\n[ \t\r\n]*+)|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}|\\x[0-9A-Fa-f]{2}|\\.|\r\n|.", re.DOTALL
)
_LITERAL_PIECE = re.compile(r"\r\n|.", re.DOTALL)


class Place(NamedTuple):
    """``line`` counts from 1; ``column`` is the 0-based code point in it."""

    line: int
    column: int


class Positions:
    """The places of a text. A byte order mark before it is not counted: it is no column of the first line."""

    def __init__(self, toml: str) -> None:
        self._toml = toml.removeprefix("\ufeff")
        self._lines = self._toml.split("\n")
        self._starts = [0, *accumulate(len(line) + 1 for line in self._lines)]
        scan = _Scan(self._toml)
        scan.document()
        self._keys, self._values, self._reading = scan.keys, scan.values, scan.reading

    def key(self, path: KeyPath) -> Place | None:
        """Where this key stands: before its value, or in the header of its table (of an item: in its own header)."""
        return self._place(self._keys.get(path))

    def value(self, path: KeyPath) -> Place | None:
        """Where this value begins; None of a table that has a header, which begins nowhere."""
        return self._place(self._values.get(path))

    def nearest(self, path: KeyPath) -> Place:
        """Where this stands, or the closest thing around it that stands somewhere; of a table, its key."""
        for end in range(len(path), 0, -1):
            value, key = self._values.get(path[:end]), self._keys.get(path[:end])
            is_table = value is None or self._toml.startswith("{", value)
            if (found := self._place(key if is_table and key is not None else value)) is not None:
                return found
        return Place(1, 0)

    def inside(self, path: KeyPath, offset: int) -> Place | None:
        """Where code point ``offset`` of this string value is spelt; at its length or beyond: the closing quote.

        None when no string stands there.
        """
        start = self._values.get(path)
        string = None if start is None else _STRING.match(self._toml, start)
        if string is None:
            return None
        quote = string[0][0]
        width = 3 if string[0].startswith(quote * 3) else 1
        start, end = string.start() + width, string.end() - width
        if width == 3 and (newline := _NEWLINE.match(self._toml, start)):
            start = newline.end()  # right behind the opening quotes it is none of the string
        pieces = _BASIC_PIECE if quote == '"' else _LITERAL_PIECE
        for piece in pieces.finditer(self._toml, start, end):
            if piece.lastgroup == "none":
                continue
            if offset <= 0:
                return self._place(piece.start())
            offset -= 1
        return self._place(end)

    def columns(self, path: KeyPath, number: int) -> tuple[int, int]:
        """From and to which column a line belongs to this string value, its quotes included; (0, 0): to none of it."""
        start = self._values.get(path)
        string = None if start is None else _STRING.match(self._toml, start)
        if string is None or not 0 < number <= len(self._lines):
            return 0, 0
        first, length = self._starts[number - 1], len(self.line(number))
        return max(string.start() - first, 0), max(min(string.end() - first, length), 0)

    @property
    def reading(self) -> KeyPath:
        """The value, or the table, that was being read where the text ends or cannot be followed any further."""
        return self._reading

    def line(self, number: int) -> str:
        """The line of this number (from 1) without its end; empty where there is none."""
        return self._lines[number - 1].removesuffix("\r") if 0 < number <= len(self._lines) else ""

    def _place(self, at: int | None) -> Place | None:
        if at is None:
            return None
        number = bisect_right(self._starts, at)
        return Place(number, at - self._starts[number - 1])


class _Lost(Exception):  # noqa: N818 - it never leaves this file
    """The text cannot be followed from here on."""


class _Scan:
    """One pass: where keys and values begin, in code points of the text."""

    def __init__(self, toml: str) -> None:
        self.keys: dict[KeyPath, int] = {}
        self.values: dict[KeyPath, int] = {}
        self.reading: KeyPath = ()
        self._toml = toml
        self._at = 0
        self._last: dict[KeyPath, int] = {}  # of each array of tables, the index of the one that is open

    def document(self) -> None:
        table: KeyPath = ()
        try:
            while self._next_statement(table):
                if self._next() == "[":
                    self.reading = ()
                    table = self._header()
                else:
                    self._pair(table)
        except _Lost:
            return

    def _next_statement(self, table: KeyPath) -> bool:
        """Moves to it; False at the end of the text."""
        end = self._at
        more = self._skip(_BETWEEN)
        if "\n" in self._toml[end : self._at]:
            self.reading = table
        return more

    def _header(self) -> KeyPath:
        """``[a.b]`` or ``[[a.b]]``; returns the path of the table that it opens."""
        brackets = 2 if self._toml.startswith("[[", self._at) else 1
        self._at += brackets
        names = self._names()
        path: KeyPath = ()
        for number, (name, start) in enumerate(names, 1):
            path = _deeper(path, name)
            if brackets == 2 and number == len(names):
                self._last[path] = self._last.get(path, -1) + 1
            elif number == len(names):
                self.keys[path] = start  # its own header stands for a table rather than those of its subtables
            self.keys.setdefault(path, start)
            if path in self._last:
                path = _deeper(path, self._last[path])
                self.keys.setdefault(path, start)
        self.reading = path
        self._expect("]" * brackets)
        return path

    def _pair(self, table: KeyPath) -> None:
        path = table
        for name, start in self._names():
            path = _deeper(path, name)
            self.keys.setdefault(path, start)
        self._expect("=")
        self._skip(_BLANKS)
        self._value(path)

    def _names(self) -> list[tuple[str, int]]:
        """A key, dotted or not: its parts, and where they begin."""
        names: list[tuple[str, int]] = []
        while True:
            found = _KEY.match(self._toml, self._at)
            if found is None or len(names) == _DEEPEST:
                raise _Lost
            names.append((_read(found[1]), found.start(1)))
            self._at = found.end()
            if self._next() != ".":
                return names
            self._at += 1

    def _value(self, path: KeyPath) -> None:
        self.values[path] = self._at
        self.reading = path
        match self._next():
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case _:
                found = _STRING.match(self._toml, self._at) or _BARE.match(self._toml, self._at)
                if found is None:
                    raise _Lost
                self._at = found.end()

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        for index in count():
            self._skip(_BETWEEN_ITEMS)
            if self._next() == "]":
                break
            self._value(_deeper(path, index))
        self._at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while self._skip(_BETWEEN_ITEMS) and self._next() != "}":
            self._pair(path)
        self._expect("}")

    def _next(self) -> str:
        return self._toml[self._at : self._at + 1]

    def _skip(self, what: re.Pattern[str]) -> bool:
        """Moves over it; False at the end of the text."""
        found = what.match(self._toml, self._at)
        self._at = found.end() if found else self._at
        return self._at < len(self._toml)

    def _expect(self, sign: str) -> None:
        if not self._toml.startswith(sign, self._at):
            raise _Lost
        self._at += len(sign)


def _deeper(path: KeyPath, name: str | int) -> KeyPath:
    if len(path) == _DEEPEST:
        raise _Lost
    return *path, name


def _read(key: str) -> str:
    """What a key says, however it is quoted."""
    if key[0] not in "\"'":
        return key
    if "\\" not in key:
        return key[1:-1]
    try:
        return str(tomllib.loads(f"key = {key}")["key"])
    except tomllib.TOMLDecodeError as error:
        raise _Lost from error
