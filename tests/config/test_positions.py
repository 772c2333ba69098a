"""Where keys and values of a TOML text stand. The property writes documents, and notes down what it writes where."""

from __future__ import annotations

import os
import re
import time
import tomllib
from collections.abc import Callable, Mapping

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.config.positions import KeyPath, Place, Positions

cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "150")), deadline=None)

EXAMPLE = """\
timezone = "Europe/London" # "not" = a key
[telegram]
api_id = 123456
server.dc_id = 2
server . "address" = '127.0.0.1:4430'

[watch]
channels = [ # "@comment_demo", ]
  "@rybar_demo",
  { channel = "@starshe_demo", label = "Starshe", topics = ["syria"] },
]
[topics.syria]
title = "Syria"
"""


def test_a_value_is_found_by_its_path() -> None:
    places = Positions(EXAMPLE)
    assert places.value(("timezone",)) == Place(1, 11)
    assert places.value(("telegram", "api_id")) == Place(3, 9)
    assert places.value(("telegram", "server", "address")) == Place(5, 21)
    assert places.value(("watch", "channels", 0)) == Place(9, 2)
    assert places.value(("watch", "channels", 1)) == Place(10, 2)
    assert places.value(("watch", "channels", 1, "topics", 0)) == Place(10, 60)


def test_a_key_is_found_part_by_part() -> None:
    places = Positions(EXAMPLE)
    assert places.key(("telegram",)) == Place(2, 1)
    assert places.key(("telegram", "server")) == Place(4, 0)
    assert places.key(("telegram", "server", "dc_id")) == Place(4, 7)
    assert places.key(("telegram", "server", "address")) == Place(5, 9)
    assert places.key(("watch", "channels", 1, "label")) == Place(10, 31)
    assert places.key(("topics",)) == Place(12, 1)
    assert places.key(("topics", "syria")) == Place(12, 8)


def test_what_is_not_there_has_no_place() -> None:
    places = Positions(EXAMPLE)
    assert places.value(("telegram", "api_hash")) is None
    assert places.key(("digest",)) is None
    assert places.value(("telegram",)) is None
    assert places.key(("watch", "channels", 0)) is None


def test_what_is_missing_is_near_the_table_that_lacks_it() -> None:
    places = Positions(EXAMPLE)
    assert places.nearest(("topics", "syria", "keywords")) == Place(12, 8)
    assert places.nearest(("watch", "channels", 1, "colour", "red")) == Place(10, 2)
    assert places.nearest(("timezone",)) == Place(1, 11)
    assert places.nearest(("digest", "chat")) == Place(1, 0)
    assert places.nearest(()) == Place(1, 0)


def test_an_inline_table_is_named_by_its_key() -> None:
    assert Positions("metrics = { }").nearest(("metrics", "listen")) == Place(1, 0)


def test_each_table_of_an_array_has_its_index() -> None:
    places = Positions("[[a]]\nb = 1\n[[a.c]]\n[[a.c]]\nd = 2\n[[a]]\nb = 3\n[a.e]\nf = 4")
    assert places.value(("a", 0, "b")) == Place(2, 4)
    assert places.value(("a", 0, "c", 1, "d")) == Place(5, 4)
    assert places.value(("a", 1, "b")) == Place(7, 4)
    assert places.value(("a", 1, "e", "f")) == Place(9, 4)
    assert places.key(("a",)) == places.key(("a", 0)) == Place(1, 2)
    assert places.key(("a", 1)) == Place(6, 2)


def test_a_table_stands_at_its_own_header_rather_than_at_that_of_a_part() -> None:
    assert Positions("[topics.syria]\n[topics]").key(("topics",)) == Place(2, 1)


@pytest.mark.parametrize(
    ("source", "columns"),
    [
        ("'a\\b'", [1, 2, 3, 4]),
        (r'"a\tb"', [1, 2, 4, 5]),
        (r'"\"\\x"', [1, 3, 5, 6]),
        (r'"\u0421и\U0001F600!"', [1, 7, 8, 18, 19]),
        ('""', [1]),
        ('"""a""b"""', [3, 4, 5, 6, 7]),
        ('"""a"""""', [3, 4, 5, 6]),
        ("'''a''''", [3, 4, 5]),
    ],
)
def test_a_character_of_a_string_stands_where_it_is_spelt(source: str, columns: list[int]) -> None:
    places = Positions(f"k = {source}  # x")
    assert [places.inside(("k",), offset) for offset in range(len(columns))] == [Place(1, 4 + c) for c in columns]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_characters_of_a_string_over_lines_are_found(newline: str) -> None:
    toml = newline.join(['k = """', "a \\", "  b", "", 'c"""'])
    places = Positions(toml)
    assert tomllib.loads(toml)["k"] == "a b\n\nc"
    expected = [Place(2, 0), Place(2, 1), Place(3, 2), Place(3, 3), Place(4, 0), Place(5, 0), Place(5, 1)]
    assert [places.inside(("k",), offset) for offset in range(7)] == expected


def test_only_one_newline_behind_opening_quotes_is_left_out() -> None:
    assert Positions("k = '''\n\nb'''").inside(("k",), 0) == Place(2, 0)


def test_beyond_a_string_is_its_closing_quote() -> None:
    places = Positions('k = "ab"')
    assert places.inside(("k",), 2) == places.inside(("k",), 99) == Place(1, 7)
    assert places.inside(("k",), -1) == Place(1, 5)


@pytest.mark.parametrize("toml", ["k = 12", "k = ['ab']", "k = {a = 'b'}", "[k]\n", "", "k = "])
def test_nothing_stands_inside_what_is_no_string(toml: str) -> None:
    assert Positions(toml).inside(("k",), 0) is None


def test_a_line_comes_without_its_end_and_without_a_byte_order_mark() -> None:
    places = Positions("\ufeffa = 1\r\nb = 2\n\nc = 3")
    assert [places.line(number) for number in range(6)] == ["", "a = 1", "b = 2", "", "c = 3", ""]
    assert places.value(("a",)) == Place(1, 4)


def test_what_stands_before_an_error_is_known() -> None:
    places = Positions('a = 1\nb = "open\nc = 2')
    assert places.value(("a",)) == Place(1, 4)
    assert places.value(("c",)) is None


def test_ten_thousand_keywords_take_well_under_a_second() -> None:
    keywords = "\n".join(f'  "слово{number} \\"a\\" b",  # {number}' for number in range(10_000))
    started = time.perf_counter()
    places = Positions(f"[topics.a]\nkeywords = [\n{keywords}\n]\n")
    assert time.perf_counter() - started < 1
    assert places.value(("topics", "a", "keywords", 9_999)) == Place(10_002, 2)


@pytest.mark.parametrize(
    "toml",
    [
        "a." * 100_000 + "a = 1",
        "[" * 100_000,
        "a = " + "[" * 100_000,
        "a = " + "{a=" * 100_000,
        'a = ["""' + '\\"""' * 100_000,
        'a = """' + '"' * 100_000,
        "a = '" * 50_000,
        "[[a]]\n" * 50_000,
        "a = [" + "," * 100_000,
        '"\\U00110000" = 1\n' * 10_000,
        "a = [" + "#\n" * 100_000,
    ],
    ids=lambda toml: ascii(toml[:12]),
)
def test_a_hostile_text_takes_linear_time(toml: str) -> None:
    started = time.perf_counter()
    Positions(toml)
    assert time.perf_counter() - started < 2


# --- documents, and where what was written -------------------------------------------------------------------

Draw = Callable[[st.SearchStrategy[str]], str]
BARE = re.compile(r"[A-Za-z0-9_-]+")
SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
COMMENTS = ("", "", "", '# "a" = [', "#]}'''", "  # он's")
#: Values that have one spelling only.
SPELT = {
    "0x1F": 31,
    "-1_000": -1000,
    "6.5e-3": 0.0065,
    "true": True,
    **tomllib.loads("[x]\n'1979-05-27 07:32:00Z' = 1979-05-27 07:32:00Z\n'07:32:00' = 07:32:00")["x"],
}

alphabet = st.one_of(st.sampled_from('abЖ \t\n\r\'""\\#[]{}=.,\u2028😀\x00\x7f'), st.characters(codec="utf-8"))
strings = st.text(alphabet, max_size=8)
names = st.one_of(st.sampled_from(["a", "b-1", "7", "true", "", "a.b", "ключ", 'q"', "l'"]), strings)
scalars = st.one_of(strings, st.sampled_from(list(SPELT.values())))
nested = st.recursive(
    scalars,
    lambda below: st.one_of(st.lists(below, max_size=4), st.dictionaries(names, below, max_size=4)),
    max_leaves=12,
)
documents = st.dictionaries(names, nested, max_size=5)


class Writer:
    """Writes a document in a spelling that is drawn, and takes note of what begins where."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.text = ""
        self.keys: dict[KeyPath, int] = {}
        self.values: dict[KeyPath, int] = {}
        self.characters: dict[KeyPath, list[int]] = {}
        self._draw = draw

    def one_of(self, *choices: str) -> str:
        return self._draw(st.sampled_from(choices))

    def flip(self) -> bool:
        return self._draw(st.booleans())

    def blank(self) -> None:
        self.text += self.one_of("", "", " ", "\t ")

    def end(self) -> None:
        self.text += self.one_of("", " ") + self.one_of(*COMMENTS) + self.one_of("\n", "\r\n", "\n\n")

    def table(self, path: KeyPath, header: tuple[str, ...], table: Mapping[str, object]) -> None:
        """Pairs first; then what gets a header of its own."""
        later: list[tuple[str, object]] = []
        for name, value in table.items():
            if (isinstance(value, dict) or is_array_of_tables(value)) and self.flip():
                later.append((name, value))
            else:
                self.pair(path, (name,), value)
        for name, value in later:
            for index, item in enumerate(value if isinstance(value, list) else [None]):
                below: KeyPath = (*path, name) if item is None else (*path, name, index)
                self.header((*header, name), below, double=item is not None)
                inner = value if item is None else item
                assert isinstance(inner, dict)
                self.table(below, (*header, name), inner)

    def header(self, names: tuple[str, ...], path: KeyPath, *, double: bool) -> None:
        self.text += "[[" if double else "["
        parts = [part for part in path if isinstance(part, str)]
        assert list(names) == parts
        for number, name in enumerate(names):
            self.text += "." if number else ""
            self.blank()
            at = len(self.text)
            for end in range(1, len(path) + 1):
                if sum(isinstance(part, str) for part in path[:end]) == number + 1:
                    self.keys.setdefault(path[:end], at)
            if number == len(names) - 1:
                self.keys[path] = at
            self.key(name)
            self.blank()
        self.text += "]]" if double else "]"
        self.end()

    def pair(self, path: KeyPath, dotted: tuple[str, ...], value: object) -> None:
        if isinstance(value, dict) and value and self.flip():
            for name, inner in value.items():
                self.pair(path, (*dotted, name), inner)
            return
        self.assignment(path, dotted, value)
        self.end()

    def assignment(self, path: KeyPath, dotted: tuple[str, ...], value: object) -> None:
        for number, name in enumerate(dotted, 1):
            self.text += "." if number > 1 else ""
            self.blank()
            self.keys.setdefault((*path, *dotted[:number]), len(self.text))
            self.key(name)
            self.blank()
        self.text += "="
        self.blank()
        self.value((*path, *dotted), value)

    def key(self, name: str) -> None:
        if BARE.fullmatch(name) and self.flip():
            self.text += name
        else:
            self.string((), name, lines=False)

    def value(self, path: KeyPath, value: object) -> None:
        self.values[path] = len(self.text)
        if isinstance(value, str):
            self.string(path, value, lines=self.flip())
        elif isinstance(value, list):
            self.array(path, value)
        elif isinstance(value, dict):
            self.inline_table(path, value)
        else:
            self.text += next(spelt for spelt, known in SPELT.items() if known is value)

    def array(self, path: KeyPath, items: list[object]) -> None:
        self.text += "["
        for index, item in enumerate(items):
            self.gap()
            self.value((*path, index), item)
            self.gap()
            self.text += "," if index < len(items) - 1 or self.flip() else ""
        self.gap()
        self.text += "]"

    def gap(self) -> None:
        self.blank()
        if self.flip():
            self.end()
            self.blank()

    def inline_table(self, path: KeyPath, table: Mapping[str, object]) -> None:
        self.text += "{"
        for number, (name, value) in enumerate(table.items()):
            self.text += "," if number else ""
            if isinstance(value, dict) and len(value) == 1 and self.flip():
                [(inner, value)] = value.items()  # noqa: PLW2901 - one level further down
                self.assignment(path, (name, inner), value)
            else:
                self.assignment(path, (name,), value)
            self.blank()
        self.text += "}"

    def string(self, path: KeyPath, value: str, *, lines: bool) -> None:
        quotable = "'" not in value and all(c >= " " or c == "\t" or (lines and c == "\n") for c in value)
        literal = quotable and "\x7f" not in value and self.flip()
        quote = ("'" if literal else '"') * (3 if lines else 1)
        self.text += quote
        self.text += self.one_of("\n", "\r\n") if lines and (value[:1] == "\n" or self.flip()) else ""
        places, run, joined = [], 0, False
        for character in value:
            if lines and not literal and self._draw(st.integers(0, 5)) == 0:
                self.text += self.one_of("\\\n  ", "\\ \t\n\n", "\\\r\n\t")
                run, joined = 0, True
            places.append(len(self.text))
            raw = literal or (self.flip() and self.may_be_raw(character, lines=lines, run=run, joined=joined))
            run = run + 1 if raw and character == '"' else 0
            joined = False
            self.text += self.spelt(character, raw=raw)
        places.append(len(self.text))
        self.text += quote
        self.characters[path] = places

    @staticmethod
    def may_be_raw(character: str, *, lines: bool, run: int, joined: bool) -> bool:
        if character == '"':
            return lines and run < 2
        if character in " \t\n" and joined:  # a backslash at the end of a line would swallow it
            return False
        return character not in "\\\x7f" and (character >= " " or character == "\t" or (lines and character == "\n"))

    def spelt(self, character: str, *, raw: bool) -> str:
        if raw:
            return self.one_of("\n", "\r\n") if character == "\n" else character
        spellings = [f"\\U{ord(character):08X}"]
        if ord(character) < 0x10000:
            spellings.append(f"\\u{ord(character):04x}")
        if character in SHORT:
            spellings.append(SHORT[character])
        return self.one_of(*spellings)


def is_array_of_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def place(text: str, at: int) -> Place:
    return Place(text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at) - 1)


@pytest.mark.fuzz
@cases
@given(document=documents, data=st.data(), mark=st.sampled_from(["", "\ufeff"]))
def test_everything_in_a_document_stands_where_it_was_written(
    document: dict[str, object], data: st.DataObject, mark: str
) -> None:
    writer = Writer(data.draw)  # type: ignore[arg-type]
    writer.table((), (), document)
    text = writer.text
    assert tomllib.loads(text) == document
    places = Positions(mark + text)
    assert {path: places.value(path) for path in writer.values} == {
        p: place(text, at) for p, at in writer.values.items()
    }
    assert {path: places.key(path) for path in writer.keys} == {p: place(text, at) for p, at in writer.keys.items()}
    for path, starts in writer.characters.items():
        if path:
            found = [places.inside(path, offset) for offset in range(len(starts))]
            assert found == [place(text, at) for at in starts]


def test_the_columns_of_a_string_are_told_line_by_line() -> None:
    places = Positions("a = [\"x\", \"yy\"] # z\nb = '''\none\ntwo''' # z\n")
    assert places.columns(("a", 1), 1) == (10, 14)
    assert [places.columns(("b",), line) for line in (2, 3, 4)] == [(4, 7), (0, 3), (0, 6)]
    assert places.columns(("c",), 1) == (0, 0)
    assert places.columns(("a", 1), 9) == (0, 0)


@pytest.mark.parametrize(
    ("toml", "path"),
    [
        ("", ()),
        ("[a", ("a",)),
        ("[a]\nb = 1", ("a", "b")),
        ("[a]\nb = 1\n", ("a",)),
        ("[a]\nb = [1, ", ("a", "b", 1)),
        ('["a"]\nb = """\n[c]\n', ("a", "b")),
        ("[a]\nb = {c = 1, d = ", ("a", "b", "d")),
        ("[a]\nb = 1\n[ю", ()),
    ],
)
def test_what_is_being_read_where_a_text_breaks_off_is_told(toml: str, path: KeyPath) -> None:
    assert Positions(toml).reading == path


signs = st.sampled_from(
    ['"', "'", '"""', "'''", "\\", "[", "]", "{", "}", "=", ".", ",", "#", "\n", "\r", " ", "a", "1"]
)


@pytest.mark.fuzz
@cases
@given(text=st.one_of(st.text(st.characters()), st.lists(signs, max_size=40).map("".join)))
@example(text="a = ")
@example(text="a = [1, ")
@example(text='"\\ud800" = 1')
def test_no_text_is_too_strange(text: str) -> None:
    places = Positions(text)
    for path in ((), ("a",), ("a", 0), ("",)):
        assert places.nearest(path).line >= 1
        places.inside(path, 1)
        places.inside(path, 10**9)
