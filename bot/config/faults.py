"""What is wrong with a configuration, as values, and pydantic's findings in our words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.config.positions import KeyPath
from bot.config.references import is_suspect
from bot.config.settings import TABLES, TopicTable, table_at
from bot.config.values import Wrong, kind

_BARE = re.compile("[A-Za-z0-9_-]+")
#: What would be right where a key has to stand, and does not.
_NEEDED = {
    "address": 'write its host and port, as in address = "127.0.0.1:4430"',
    "channel": 'name it, as in channel = "@name"',
    "chat": 'name the chat that is told, as in chat = "me"',
    "keywords": 'write at least one, as in keywords = ["Сирия"]',
    "listen": 'write host and port, as in listen = "127.0.0.1:9108"',
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One error: where, what is wrong there and what would be right.

    ``offset``: the code point of the text value at which it goes wrong. ``at_key``: it is the key that is wrong.
    ``absent``: nothing stands there. ``meant``: what an unknown key was probably meant to be, in its own table.
    """

    path: KeyPath
    what: str
    hint: str
    offset: int | None = None
    at_key: bool = False
    absent: bool = False
    meant: KeyPath | None = None


def named(path: KeyPath) -> str:
    """A path as people read it: ``topics.syria.keywords[3]``."""
    names = [f"[{part}]" if isinstance(part, int) else f".{_key(part)}" for part in path]
    return "".join(names).removeprefix(".")


def _key(name: str) -> str:
    if is_suspect(name) or "://" in name:
        return "…"
    if _BARE.fullmatch(name):
        return name if len(name) <= 60 else name[:59] + "…"
    return json.dumps(name if len(name) <= 60 else name[:59] + "…", ensure_ascii=False)


def fault_of(path: KeyPath, wrong: Wrong) -> Fault:
    return Fault(path + wrong.below, wrong.what, wrong.hint, wrong.offset)


def faults_of(error: ValidationError, raw: Mapping[str, object]) -> list[Fault]:
    """All that pydantic found in a file that tomllib read as ``raw``."""
    return [_fault(details, raw) for details in error.errors(include_url=False)]


def _fault(details: ErrorDetails, raw: Mapping[str, object]) -> Fault:
    path = _within(details["loc"], raw)
    wrong = details.get("ctx", {}).get("error")
    if isinstance(wrong, Wrong):
        return fault_of(path, wrong)
    match details["type"]:
        case "extra_forbidden":
            return _unknown(path)
        case "missing":
            return Fault(path, "missing", _NEEDED.get(str(path[-1]), "write this key"), absent=True)
        case "tuple_type":
            example = 'as in ["…"]' if isinstance(details["input"], str) else "with brackets around it"
            return Fault(path, f"{kind(details['input'])} where a list is expected", f"write a list, {example}")
        case "model_type" | "dict_type":
            return Fault(path, f"{kind(details['input'])} where a table is expected", _table_hint(path))
        case _:
            return Fault(path, "not a value for this key", "see config.example.toml for what stands there")


def _within(loc: KeyPath, raw: object) -> KeyPath:
    """The part of a path that the file has: a channel written as a mere reference has no keys below it."""
    for length, part in enumerate(loc):
        match raw:
            case dict():
                raw = raw.get(part, {})
            case list() if isinstance(part, int) and part < len(raw):
                raw = raw[part]
            case _:
                return loc[:length]
    return loc


def _table_hint(path: KeyPath) -> str:
    if path == ("topics",):
        return "write [topics.name] and the topic's keys below it"
    if path[0] == "topics" and path[-1] in TopicTable.model_fields:
        return f"write [topics.syria], a table with a name of your own, and {path[-1]} below it"
    return f"write [{named(path)}] and its keys below it"


def useful(faults: Iterable[Fault]) -> list[Fault]:
    """Without those that miss what an unknown key was meant to be: one slip is one error."""
    faults = list(faults)
    meant = {fault.meant for fault in faults if fault.meant}
    return [f for f in faults if not (f.absent and any(f.path[:n] in meant for n in range(1, len(f.path) + 1)))]


def _unknown(path: KeyPath) -> Fault:
    """With what was probably meant: a key of its table, or one of another table."""
    key = str(path[-1])
    table = table_at(path[:-1])
    own = list(TABLES[table].model_fields) if table in TABLES else []

    def fault(hint: str, meant: KeyPath | None = None) -> Fault:
        return Fault(path, "unknown key", hint, at_key=True, meant=meant)

    if close := get_close_matches(key.lower()[:100], own, n=1, cutoff=0.8):
        return fault(f"did you mean {close[0]}?", (*path[:-1], close[0]))
    if elsewhere := [_address(other, key) for other in TABLES if other != table and key in TABLES[other].model_fields]:
        return fault(f"did you mean {' or '.join(elsewhere)}?")
    if far := get_close_matches(key.lower()[:100], own, n=1):
        return fault(f"did you mean {far[0]}?", (*path[:-1], far[0]))
    if there := [one for other in TABLES for one in _close_in(key, other) if other != table]:
        return fault(f"did you mean {there[0]}?")
    return fault(f"known here: {', '.join(own)}")


def _close_in(key: str, table: KeyPath) -> Iterator[str]:
    fields = list(TABLES[table_at(table)].model_fields)
    for close in get_close_matches(key.lower()[:100], fields, n=1, cutoff=0.8):
        yield _address(table, close)


def _address(table: KeyPath, key: str) -> str:
    """Where a key belongs: ``[digest] chat``."""
    if not table:
        return f"{key} above the first [table]"
    return f"[{named(table).replace('*', '…')}] {key}" if "*" not in table else f"[topics.…] {key}"
