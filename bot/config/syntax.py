"""What tomllib says of a text that is no TOML, in words that name the usual slip."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from bot.config.positions import KeyPath

#: The words of tomllib's error, and what is wrong and would be right in ours. The first that fits is taken.
_SINGLE = r"write the text in single quotes, where a \ stays as it is"
_SLIPS = (
    (r"Unescaped '\\'", r"a \ in double quotes begins an escape of TOML, and this is none", _SINGLE),
    ("Unterminated string|Expected \"'", "a text that is not closed", "close it with the quote that opened it"),
    (r"Illegal character '\\n'", "a text that ends with its line", "close it with the quote that opened it"),
    ("Illegal character|Found invalid character", "a control character", "remove it"),
    ("Invalid hex|not a Unicode", "an escape that is no character", "write the character itself"),
    ("Unclosed array", "a list that goes wrong here", "write , between values and ] at the end; texts need quotes"),
    ("Unclosed inline table", "braces that go wrong here", "write , between keys and } at the end of the line"),
    ("Cannot (?:declare|redefine)", "a table that stands twice", "write the keys of both under one heading"),
    ("Cannot|Duplicate", "a key that stands twice", "remove one of them"),
    ("Expected '=' ", "a key without a value", "write key = value"),
    (r"Expected '\]", "a heading that is not closed", "write it on a line of its own, as in [topics.syria]"),
    ("Expected newline", "more than one value", "write one key a line; texts, times and durations need quotes"),
    ("Invalid initial|Invalid statement", "neither a key nor a heading", "write key = value, or [table]"),
    (
        "Invalid value",
        "no value of TOML",
        'write texts in straight quotes, as in "@name"; true and false in small letters',
    ),
    ("Invalid date", "no date", "write texts in quotes"),
    ("Exceeds the limit", "a number that is too long", "write a shorter one"),
)
#: tomllib sees these only where the second of the two ends: a caret there would point at nothing.
_TWICE = re.compile("Cannot|Duplicate")
_NAMES_A_TOPIC = re.compile(r"\s*(?:\[\s*topics\s*\.[^\]\"']*\]|topics\s*\.)")
_WHERE = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)$")


class Slip(NamedTuple):
    """Where a text stops being TOML, and why.

    ``line`` counts from 1, ``column`` from 0 in code points, None where it says nothing. ``path`` is the key that it
    belongs to, as far as it is one that a configuration knows: anything else may be a piece of a text, and a secret.
    """

    line: int
    column: int | None
    what: str
    hint: str
    path: KeyPath = ()


def read(toml: str) -> dict[str, object] | Slip:
    """What the text says, or why it says nothing."""
    try:
        return tomllib.loads(toml)
    except RecursionError:
        return Slip(1, 0, "values nested too deep", "write lists and tables side by side")
    except ValueError as error:  # a syntax error, or a number that Python will not read
        return _slip(str(error), toml)


def _slip(message: str, toml: str) -> Slip:
    from bot.config.positions import Positions  # only now: whoever merely reads needs none of it

    line, column = _place(message, toml)
    source = toml.split("\n")
    if re.search(r"Invalid initial|Expected '\]", message) and _NAMES_A_TOPIC.match(source[line - 1]):
        hint = "write it as in [topics.syria], and the name for people in title"
        return Slip(line, None, "a topic's name is one bare word in Latin letters", hint, ("topics",))
    before = Positions("\n".join([*source[: line - 1], source[line - 1][:column]]))
    path = _known(before.reading)
    what, hint = next(
        ((what, hint) for pattern, what, hint in _SLIPS if re.search(pattern, message)),
        ("this is no TOML", "see https://toml.io"),
    )
    if "Unterminated" in message and (opened := before.value(before.reading)):
        line, column = opened
    elif "Unclosed array" in message and (opened := before.value(before.reading[:-1])) and opened.line < line:
        what += f" (it begins on line {opened.line})"
    return Slip(line, None if _TWICE.match(message) else column, what, hint, path)


def _place(message: str, toml: str) -> tuple[int, int]:
    """Line and column of tomllib's message."""
    place = _WHERE.search(message)
    if place and place[1]:
        line, column = int(place[1]), int(place[2]) - 1
        if "Unescaped" in message:  # tomllib has gone past the \ and what it took with it
            column = max(toml.split("\n")[line - 1].rfind("\\", 0, column), 0)
        return line, column
    number = re.search("[0-9_]{4300,}", toml)  # the one mistake that tomllib tells without its place
    end = number.start() if number and not place else len(toml)
    return toml.count("\n", 0, end) + 1, end - (toml.rfind("\n", 0, end) + 1)


def _known(path: KeyPath) -> KeyPath:
    from bot.config.settings import TABLES, table_at

    for length, part in enumerate(path):
        table = table_at(path[:length])
        is_key = table == ("topics",) or (table in TABLES and part in TABLES[table].model_fields)
        if isinstance(part, int) or not is_key:
            return path[:length]
    return path
