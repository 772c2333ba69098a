"""What tomllib says of a text that is no TOML, in words that name the usual slip."""

from __future__ import annotations

import re
import tomllib
from typing import NamedTuple

from bot.config.settings import TABLES

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
_HEADING = re.compile(r"\s*\[+\s*([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")
_WHERE = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)$")


class Slip(NamedTuple):
    """Where a text stops being TOML (line from 1, column from 0, in code points), and why."""

    line: int
    column: int
    what: str
    hint: str


def read(toml: str) -> dict[str, object] | Slip:
    """What the text says, or why it says nothing."""
    try:
        return tomllib.loads(toml)
    except RecursionError:
        return Slip(1, 0, "values nested too deep", "write lists and tables side by side")
    except ValueError as error:  # a syntax error, or a number that Python will not read
        return _slip(str(error), toml)


def _slip(message: str, toml: str) -> Slip:
    lines = toml.split("\n")
    place = _WHERE.search(message)
    if place and place[1]:
        line, column = int(place[1]), int(place[2]) - 1
    elif place:
        line, column = len(lines), len(lines[-1])
    else:
        line, column = 1, 0
    if "Unescaped" in message:  # tomllib has gone past the \ and what it took with it
        column = max(lines[line - 1].rfind("\\", 0, column), 0)
    for pattern, what, hint in _SLIPS:
        if re.search(pattern, message):
            return Slip(line, column, what, hint)
    return Slip(line, column, "this is no TOML", "see https://toml.io")


def near(toml: str, line: int) -> str:
    """The key that a broken line seems to belong to, as a path; "TOML" where none can be told.

    Only names that a configuration knows are believed: anything else may be a piece of a text, and a secret.
    """
    known = {key for table in TABLES.values() for key in table.model_fields}
    key = ""
    for text in reversed(toml.split("\n")[:line]):
        if heading := _HEADING.match(text):
            names = tuple(heading[1].split("."))
            if names in TABLES or (names[0] == "topics" and len(names) == 2):
                return f"{heading[1]}.{key}" if key else heading[1]
        elif not key and (found := _KEY.match(text)) and found[1] in known:
            key = found[1]
    return key or "TOML"
