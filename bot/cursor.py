"""How far a channel has been read, and whether it has to be read on: a value, and pure functions of it.

What is promised: every number above `Cursor.floor` and up to `Cursor.verified` that exists on the server is stored.
Pushes move ``verified`` only where they leave no number out; only a page of history may step over numbers that do not
exist. https://core.telegram.org/api/updates says what a push is worth: nothing is guaranteed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from bot.model import Haul


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """``began``: the highest number when the channel was first read; what stands at or below it is history.

    ``top`` is the highest number that was heard of, ``pts`` Telegram's count of the channel's events when it was last
    read or pushed. ``history_read``: the first reading has come to its end, so ``floor`` stays where it is.
    """

    floor: int
    began: int
    verified: int
    top: int
    pts: int = 0
    history_read: bool = False

    @property
    def behind(self) -> bool:
        """Whether there is something above ``verified`` that was heard of and not read."""
        return self.top > self.verified


def began_at(top: int, pts: int) -> Cursor:
    """The cursor of a channel that is read for the first time, when ``top`` is its newest number."""
    return Cursor(floor=top, began=top, verified=top, top=top, pts=pts)


def heard(cursor: Cursor, top: int, pts: int | None = None) -> Cursor:
    """After word of a number, whatever stands there, and of the count of events."""
    return replace(cursor, top=max(cursor.top, top), pts=max(cursor.pts, pts or 0))


def moved(cursor: Cursor, haul: Haul, above: Collection[int]) -> Cursor:
    """After a haul has been stored; ``above``: the numbers above ``verified`` that are stored now, the haul's included.

    A page moves the cursor to its end. From there, and after a push, it goes on as long as no number is left out.
    """
    verified = max(cursor.verified, haul.verified or 0)
    while verified + 1 in above:
        verified += 1
    # What a page has shown to be the newest counts for more than what was heard of before, and less than what is there.
    top = cursor.top if haul.top is None or haul.verified is None else haul.top
    return replace(
        cursor,
        verified=verified,
        top=max(top, haul.top or 0, verified, *above),
        pts=max(cursor.pts, haul.pts or 0),
        floor=cursor.floor if haul.floor is None else min(cursor.floor, haul.floor),
        history_read=cursor.history_read or haul.history_read,
    )


def page_read(cursor: Cursor, numbers: Collection[int]) -> Move:
    """What a page of history means that was asked for from the cursor upwards.

    One that holds nothing new says that nothing stands above the cursor, whatever was heard of: it was deleted, or is
    not to be seen yet, and will be heard of again.
    """
    new = [number for number in numbers if number > cursor.verified]
    if not new:
        return Move(verified=cursor.verified, top=cursor.verified, read_on=False)
    newest = max(new)
    return Move(verified=newest, top=max(newest, cursor.top), read_on=newest < cursor.top)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Where a page moves the cursor, and whether there may be more above it."""

    verified: int
    top: int
    read_on: bool
