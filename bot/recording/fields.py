"""Values of a recording, checked one at a time. What is unfit is said in words for the person who has the file."""

from __future__ import annotations

import json
from datetime import UTC, datetime

EXAMPLE = "2024-12-08T01:00:00+00:00"

_LONGEST_SHOWN = 60
_INT64 = 1 << 63
#: No post is older than time is counted; what is years ahead is a mistake, and days ahead of it must still exist.
_FIRST_YEAR, _LAST_YEAR = 1970, 2199


class Unfit(ValueError):  # noqa: N818 - a verdict on one line, caught where the line is read
    """One line or message cannot be taken; the text says why and what would be right."""


def shown(value: object) -> str:
    """A value as a person may be shown it: short, on one line."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    # Cut before it is quoted: the text may be megabytes long.
    cut = value[:_LONGEST_SHOWN] if isinstance(value, str) else value
    quoted = json.dumps(cut, ensure_ascii=False)
    return quoted if len(quoted) <= _LONGEST_SHOWN else quoted[: _LONGEST_SHOWN - 1] + "…"


def whole(value: object, what: str, *, least: int = 0) -> int:
    """A whole number of at most 64 bits; True and 1.0 are none."""
    if type(value) is not int:
        if value is None:
            raise Unfit(f"{what} is missing")
        raise Unfit(f"{what} must be a whole number, here it is {shown(value)}")
    if not least <= value < _INT64:
        raise Unfit(f"{what} must be a whole number from {least} to {_INT64 - 1}, here it is {shown(value)}")
    return value


def text(value: object, what: str) -> str:
    """A text."""
    if type(value) is not str:
        if value is None:
            raise Unfit(f"{what} is missing")
        raise Unfit(f"{what} must be a text, here it is {shown(value)}")
    return value


def moment(value: object, what: str) -> datetime:
    """A date with zone, as UTC."""
    if type(value) is not str:
        if value is None:
            raise Unfit(f"{what} is missing; write it as {EXAMPLE}")
        raise Unfit(f"{what} must be a text such as {EXAMPLE}, here it is {shown(value)}")
    try:
        when = datetime.fromisoformat(value)
    except ValueError:
        raise Unfit(f"{what} is no date: {shown(value)}; write it as {EXAMPLE}") from None
    when = credible(when, value, what)
    if when.tzinfo is UTC:
        return when
    if when.tzinfo is None:
        raise Unfit(f"{what} has no zone; write it as {EXAMPLE}")
    return when.astimezone(UTC)


def credible(when: datetime, value: object, what: str) -> datetime:
    """A date that a post can have; ``value`` is what the person typed."""
    if not _FIRST_YEAR <= when.year <= _LAST_YEAR:
        raise Unfit(f"{what} is beyond the years {_FIRST_YEAR} to {_LAST_YEAR}: {shown(value)}")
    return when


def maybe_whole(value: object, what: str, *, least: int = 0) -> int | None:
    """As `whole`, or nothing."""
    return None if value is None else whole(value, what, least=least)


def maybe_text(value: object, what: str) -> str | None:
    """As `text`, or nothing."""
    return None if value is None else text(value, what)


def maybe_moment(value: object, what: str) -> datetime | None:
    """As `moment`, or nothing."""
    return None if value is None else moment(value, what)
