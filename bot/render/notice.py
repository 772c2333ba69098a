"""What the operators are told: one sentence, and details one a line."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model import Notice
from bot.render.richtext import MOST_UNITS, Message, bold, lines, message, tidy
from bot.render.words import counted

_WHAT = 500
_DETAIL = 500


def notice(told: Notice) -> Message:
    """One message, whatever it is told: details that find no room are counted."""
    heading = message(bold(_cut(told.what, _WHAT) or "Notice"))
    details = [_cut(each, _DETAIL) for each in told.details]
    room = MOST_UNITS - heading.units - 40  # for the count
    used = shown = 0
    for detail in details:
        used += message(detail).units + 1
        if used > room:
            break
        shown += 1
    rest = len(details) - shown
    left = [f"… and {counted(rest, 'more line', 'more lines')}"] if rest else []
    return lines([[bold(heading.text)], *([each] for each in details[:shown] if each), left])


def together(several: Sequence[Notice]) -> Notice:
    """Notices as one: a line each, and under it its details. At least one."""
    if len(several) == 1:
        return several[0]
    told = [line for each in several for line in (f"• {_cut(each.what, _WHAT)}", *each.details)]
    return Notice(f"{len(several):,} notices", tuple(told))


def _cut(text: str, limit: int) -> str:
    safe = tidy(text, flat=False).text
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"
