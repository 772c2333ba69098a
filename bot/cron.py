"""A crontab line as a value: at which times of day, and on which days. Knows no zone and no clock.

As crontab(5) has it: five fields of lists, ranges, steps and names; the weekdays 0 and 7 are both Sunday; where
day of month and day of week are both restricted, a day needs only one of them. A field that begins with ``*``,
``*/2`` too, does not count as restricted. https://man7.org/linux/man-pages/man5/crontab.5.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time
from typing import NamedTuple


class NotACron(ValueError):  # noqa: N818 - it says what the text is
    """A text that is no crontab line.

    ``column`` is the 0-based code point where it goes wrong, ``what`` says what is wrong there and ``hint``
    what would be right.
    """

    def __init__(self, what: str, *, hint: str, column: int) -> None:
        super().__init__(f"column {column + 1}: {what}; {hint}")
        self.what = what
        self.hint = hint
        self.column = column


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """``times`` in order, on every day that fits: weekdays count from Sunday, 0. Equal when they mean the same."""

    times: tuple[time, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Reads five fields or a nickname such as ``@daily``; raises `NotACron`."""
        minutes, hours, days, months, weekdays = map(_values, _FIELDS, _words(text))
        return cls(
            times=tuple(time(hour, minute) for hour in sorted(hours.numbers) for minute in sorted(minutes.numbers)),
            days=days.numbers,
            months=months.numbers,
            weekdays=frozenset(number % 7 for number in weekdays.numbers),
            either=days.restricted and weekdays.restricted,
        )

    def falls_on(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return in_month or in_week if self.either else in_month and in_week


class _Word(NamedTuple):
    text: str
    column: int


class _Values(NamedTuple):
    numbers: frozenset[int]
    restricted: bool


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()  # the first of them is ``low``

    @property
    def hint(self) -> str:
        named = f", or {self.names[0]} to {self.names[-1]}" if self.names else ""
        return f"{self.name} is {self.low} to {self.high}{named}"


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")),
    _Field("day of week", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)
_NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_ORDER = "minute, hour, day of month, month, day of week"
_NUMBER = re.compile("[0-9]{1,4}")


def _words(text: str) -> list[_Word]:
    """The five fields of a line."""
    words = [_Word(found[0], found.start()) for found in re.finditer(r"\S+", text)]
    if words and words[0].text.startswith("@"):
        nickname = _NICKNAMES.get(words[0].text.lower())
        if nickname is None or len(words) > 1:
            known = ", ".join(_NICKNAMES)
            raise NotACron("this is no nickname", hint=f"those are {known}, alone", column=words[0].column)
        return _words(nickname)
    if len(words) == 6:
        raise NotACron("there are six fields", hint=f"write five, without seconds: {_ORDER}", column=words[5].column)
    if len(words) != 5:
        what = f"there are {len(words)} fields" if len(words) != 1 else "there is one field"
        column = words[5].column if len(words) > 5 else len(text)
        raise NotACron(what, hint=f"write five: {_ORDER}, as in 0 8,20 * * mon-fri", column=column)
    return words


def _values(field: _Field, word: _Word) -> _Values:
    numbers = frozenset(number for item in _items(word) for number in _range(field, item))
    return _Values(numbers, restricted=not word.text.startswith("*"))


def _items(word: _Word) -> Iterator[_Word]:
    column = word.column
    for item in word.text.split(","):
        yield _Word(item, column)
        column += len(item) + 1


def _range(field: _Field, item: _Word) -> range:
    """One item of a list: ``*``, ``5``, ``1-5``, any range with ``/2``."""
    base, slash, step = item.text.partition("/")
    if base == "*":
        low, high = field.low, field.high
    else:
        low, high = _bounds(field, _Word(base, item.column))
        if slash and "-" not in base:
            hint = f"write {low}-{field.high}/… or */…"
            raise NotACron("a step needs a range before it", hint=hint, column=item.column + len(base))
    if not slash:
        return range(low, high + 1)
    most = max(high - low, 1)
    if not _NUMBER.fullmatch(step) or not 1 <= int(step) <= most:
        here = item.column + len(base) + 1
        raise NotACron(f"{step[:20]!r} is no step", hint=f"a step here is 1 to {most}", column=here)
    return range(low, high + 1, int(step))


def _bounds(field: _Field, base: _Word) -> tuple[int, int]:
    first, dash, last = base.text.partition("-")
    low = _number(field, _Word(first, base.column))
    if not dash:
        return low, low
    high = _number(field, _Word(last, base.column + len(first) + 1))
    if field.high == 7 and high == 0 < low:  # fri-sun: a range that ends with Sunday ends with 7
        high = 7
    if low > high:
        top = 6 if field.high == 7 else field.high
        hint = f"write {first}-{top},{field.low}-{last}"
        raise NotACron(f"{base.text[:20]!r} runs backwards", hint=hint, column=base.column)
    return low, high


def _number(field: _Field, word: _Word) -> int:
    name = word.text.lower()
    if name in field.names:
        return field.low + field.names.index(name)
    if _NUMBER.fullmatch(name) and field.low <= int(name) <= field.high:
        return int(name)
    what = f"{word.text[:20]!r} is no {field.name}" if word.text else f"the {field.name} is missing"
    raise NotACron(what, hint=field.hint, column=word.column)
