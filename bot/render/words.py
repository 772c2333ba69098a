"""Counts, and lists of names."""

from __future__ import annotations

from collections.abc import Sequence

from bot.render.richtext import one_line


def counted(number: int, one: str, many: str) -> str:
    """1 story, 1,234 stories."""
    return f"{number:,} {one if number == 1 else many}"


def listed(names: Sequence[str], room: int, *, longest: int = 40) -> str:
    """The first name, and as many more as there is room for in code points: A, B and 3 more."""
    shown = ""
    for at, name in enumerate(names):
        following = (f"{shown}, " if at else "") + (one_line(name, longest) or "…")
        if at and len(following) + len(_more(len(names) - at - 1)) > room:
            return shown + _more(len(names) - at)
        shown = following
    return shown


def _more(number: int) -> str:
    return f" and {number:,} more" if number else ""
