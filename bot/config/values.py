"""What stands in a configuration as text, and the values it means. Functions from a TOML value to ours.

Each raises `Wrong` for anything else. `written` is the way back: the canonical text of a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time, timedelta
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from bot.config.positions import KeyPath
from bot.config.references import NotAReference, channel_ref, destination, is_suspect
from bot.cron import Cron, NotACron
from bot.errors import QueryError
from bot.model import ChannelRef, Destination
from bot.query.nodes import Query
from bot.query.parser import parse
from bot.schedule import NotATime, QuietHours, parse_time

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

_CENTURY = timedelta(days=36525)
_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile("".join(rf"(?:(?P<{unit}>[0-9]{{1,50}}){unit})?" for unit in _UNITS))
#: From which count on a duration is written in a unit: 48h and not 2d, 60s and not 1m, 180d and not 4320h.
_FROM = {"d": 3, "h": 1, "m": 2, "s": 0}
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]?#]+)")
#: A number up to here may be an ``api_id``: no message shows it. Ids of channels are negative or longer.
_API_IDS = (1 << 31) - 1
#: So many characters of a secret are too much of it.
_PIECE = 6
#: What an escape of TOML makes of \b and the like: nobody writes these on purpose.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Wrong(ValueError):  # noqa: N818 - it says what a value is
    """A value that does not say what its key needs.

    ``offset`` is the code point of a text value at which it goes wrong. ``below`` leads from the value under
    validation to the one that is wrong, where that is a part of it.
    """

    def __init__(self, what: str, hint: str, *, offset: int | None = None, below: KeyPath = ()) -> None:
        super().__init__(f"{what}; {hint}")
        self.what = what
        self.hint = hint
        self.offset = offset
        self.below = below


class Address(NamedTuple):
    """A host (an IPv6 one without its brackets) and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def kind(value: object) -> str:
    """What a TOML value is, in words."""
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list() | tuple():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or time"


def shown(text: str) -> str:
    """A text of the file as messages quote it: on one line, not too long, and no secret put there by mistake."""
    if is_suspect(text):
        return "this text"
    line = " ".join(text.split())
    return f"«{line if len(line) <= 60 else line[:59] + '…'}»"


def text(value: object, example: str) -> str:
    """The value, when it is a text with something in it."""
    if not isinstance(value, str):
        number = isinstance(value, int) and not 0 <= value <= _API_IDS
        quoted = f"put it in quotes: {str(value)[:25]!r}" if number else f"write a text in quotes, as in {example}"
        raise Wrong(f"{kind(value)} where text is expected", quoted.replace("'", '"'))
    if not value.strip():
        raise Wrong("empty", f"write something such as {example}, or remove the key")
    return value


def words(example: str) -> Callable[[object], str]:
    """Any text; ``example`` is one, quoted."""
    return lambda value: text(value, example)


def flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Wrong(f"{kind(value)} where true or false is expected", "write true or false, without quotes")
    return value


def count(low: int, high: int, means: str) -> Callable[[object], int]:
    """A whole number from ``low`` to ``high``; ``means`` is what it counts."""

    def read(value: object) -> int:
        if isinstance(value, str) and value.strip().isdecimal():
            raise Wrong("text where a number is expected", "write the number without quotes")
        if isinstance(value, bool) or not isinstance(value, int):
            raise Wrong(f"{kind(value)} where a whole number is expected", f"write {means}")
        if not low <= value <= high:
            raise Wrong("this number is out of range", f"write {means}, from {low} to {high}")
        return value

    return read


def choice(options: type[E]) -> Callable[[object], E]:
    """One of a few words."""

    def read(value: object) -> E:
        known = [one.value for one in options]
        if isinstance(value, str) and value in known:
            return options(value)
        quoted = [f'"{one}"' for one in known]
        listed = f"write {', '.join(quoted[:-1])} or {quoted[-1]}"
        if not isinstance(value, str):
            raise Wrong(f"{kind(value)} where text is expected", listed)
        raise Wrong(f"{shown(value)} is none of its values", f"{nearest(value, known)}{listed}")

    return read


def nearest(typed: str, known: list[str]) -> str:
    """A question that names what was probably meant, or nothing; to stand before a hint."""
    near = get_close_matches(typed.lower()[:100], known, n=1)
    return f"did you mean {near[0]}? " if near and not is_suspect(near[0]) else ""


def _refused(error: NotATime | NotACron | NotAReference | QueryError, typed: str, offset: int | None = None) -> Wrong:
    """What another part of the program says of a text, but for any piece of what may be a secret."""
    told = error.what + error.hint
    if is_suspect(typed) and any(typed[at : at + _PIECE] in told for at in range(len(typed) - _PIECE + 1)):
        return Wrong("this looks like a secret", "secrets belong in [telegram]", offset=offset)
    return Wrong(error.what, error.hint, offset=offset)


def zone(value: object) -> ZoneInfo:
    """An IANA time zone."""
    name = text(value, '"Europe/London"')
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # KeyError: no such zone; the others: no file can have that name
        near = {one.lower(): one for one in sorted(available_timezones())}
        meant = get_close_matches(name.lower()[:100], near, n=1)
        hint = f"did you mean {near[meant[0]]}?" if meant else 'write an IANA name such as "Europe/London", or "UTC"'
        raise Wrong(f"{shown(name)} is no time zone", hint) from None


def duration(low: timedelta, example: str) -> Callable[[object], timedelta]:
    """A length of time such as 90s, 30m, 48h, 180d or 1h30m; at least ``low``."""

    def read(value: object) -> timedelta:
        typed = text(value, f'"{example}"') if not _is_number(value) else ""
        found = _DURATION.fullmatch(typed.removeprefix("-"))
        if not typed or not found:
            what = f"{shown(typed)} is no duration" if typed else "a number without a unit"
            raise Wrong(what, f'write a number and s, m, h or d in quotes, as in "{example}"')
        if typed.startswith("-"):
            raise Wrong("below zero", f'write "{written_duration(low)}" or more')
        seconds = sum(int(found[unit] or 0) * size for unit, size in _UNITS.items())
        if seconds > _CENTURY.total_seconds():
            raise Wrong("longer than a century", f'write less, as in "{example}"')
        length = timedelta(seconds=seconds)
        if length < low:
            raise Wrong("too short", f'write "{written_duration(low)}" or more')
        return length

    return read


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def written_duration(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    for unit, size in _UNITS.items():
        if seconds % size == 0 and seconds // size >= _FROM[unit]:
            return f"{seconds // size}{unit}"
    raise AssertionError("every whole number of seconds is one of seconds")


def keep(value: object) -> timedelta | None:
    """How long posts are stored; None: forever."""
    return None if value == "forever" else duration(timedelta(seconds=1), "180d")(value)


def moment(value: object) -> time:
    """A time of day."""
    if isinstance(value, time):
        raise Wrong("a bare time where text is expected", f'write it in quotes, as in "{value:%H:%M}"')
    typed = text(value, '"08:00"')
    try:
        return parse_time(typed)
    except NotATime as error:
        raise _refused(error, typed) from None


@dataclass(frozen=True, slots=True)
class CronLine:
    """A crontab line and what it means."""

    text: str
    cron: Cron

    def __str__(self) -> str:
        return self.text


def cron(value: object) -> CronLine:
    typed = text(value, '"0 8,20 * * mon-fri"')
    try:
        return CronLine(" ".join(typed.split()), Cron.parse(typed))
    except NotACron as error:
        raise _refused(error, typed, error.column) from None


def quiet_hours(value: object) -> QuietHours | None:
    """Two times of day; None where the text is empty."""
    if value == "":
        return None
    typed = text(value, '"23:00-07:00"')
    try:
        return QuietHours.parse(typed)
    except NotATime as error:
        raise _refused(error, typed) from None


def watched(value: object) -> ChannelRef:
    """A channel as a configuration names it."""
    typed = text(value, '"@name"')
    try:
        return channel_ref(typed)
    except NotAReference as error:
        raise _refused(error, typed) from None


def told(value: object) -> Destination:
    """A chat to which is sent."""
    typed = text(value, '"me"')
    try:
        return destination(typed)
    except NotAReference as error:
        raise _refused(error, typed) from None


def some(what: str, example: str) -> Callable[[tuple[T, ...]], tuple[T, ...]]:
    """A list with something in it."""

    def check(found: tuple[T, ...]) -> tuple[T, ...]:
        if not found:
            raise Wrong(what, f"write at least one, as in {example}")
        return found

    return check


def query(value: object) -> Query:
    """A keyword. What TOML made of a ``\\b`` in double quotes is told for what it is."""
    if not isinstance(value, str):
        text(value, '"Сирия"')
    typed = str(value)
    if not typed.strip():
        raise Wrong("an empty keyword", "write a word to be found, or remove it", offset=0)
    if control := _CONTROL.search(typed):
        escape = {"\b": r"\b", "\f": r"\f"}.get(control[0])
        made = f"TOML made a control character of {escape} in double quotes" if escape else "a control character"
        raise Wrong(made, r"write the keyword in single quotes, where a \ stays as it is", offset=control.start())
    try:
        return parse(typed)
    except QueryError as error:
        raise _refused(error, typed, error.column) from None


def address(example: str) -> Callable[[object], Address]:
    """A host and a port, as in ``example``."""

    def read(value: object) -> Address:
        typed = text(value, f'"{example}"')
        found = split_address(typed)
        if found is None:
            raise Wrong(f"{shown(typed)} is no address", f'write host:port, as in "{example}"')
        return found

    return read


def split_address(typed: str) -> Address | None:
    """``host:port`` (an IPv6 host in brackets), or None."""
    host, _, port = typed.rpartition(":")
    if not _HOST.fullmatch(host) or not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 1 << 16:
        return None
    return Address(host.strip("[]"), int(port))


def path(example: str) -> Callable[[object], Path]:
    """A file or folder, as typed; a relative one is meant from the working directory."""

    def read(value: object) -> Path:
        typed = text(value, f'"{example}"')
        if "\0" in typed:
            raise Wrong("a path with a NUL in it", "write the path without it")
        return Path(typed)

    return read


def written(value: object) -> object:
    """A value as plain data with canonical texts: what would be typed to say it."""
    match value:
        case bool() | int():
            return value
        case timedelta():
            return written_duration(value)
        case time():
            return f"{value:%H:%M}"
        case QuietHours(start=start, end=end):
            return f"{start:%H:%M}-{end:%H:%M}"
        case Query(text=typed):
            return typed
        case _:
            return str(value)
