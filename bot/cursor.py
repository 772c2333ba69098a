"""How far a channel has been read, and whether it has to be read on: a value, and pure functions of it.

What is promised: every number above `Cursor.floor` and up to `Cursor.verified` that exists on the server is stored.
Pushes move ``verified`` only where they leave no number out; only a page of history may step over numbers that do not
exist. https://core.telegram.org/api/updates says what a push is worth: nothing is guaranteed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

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
    # A page that brought nothing new shows what is the newest now, whatever was heard of or stored before.
    shown = haul.top if haul.verified is not None else None
    top = max(cursor.top, haul.top or 0, *above) if shown is None else shown
    return replace(
        cursor,
        verified=verified,
        top=max(top, verified),
        pts=max(cursor.pts, haul.pts or 0),
        floor=cursor.floor if haul.floor is None else min(cursor.floor, haul.floor),
        history_read=cursor.history_read or haul.history_read,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Where a page moves the cursor, and whether there may be more above it. ``top`` as in `Haul`."""

    verified: int
    top: int | None
    read_on: bool


def page_read(cursor: Cursor, numbers: Collection[int], *, full: bool = False) -> Move:
    """What a page of history means that was asked for from ``verified`` upwards, when the cursor stood so.

    One that holds nothing new says that nothing stands above the cursor, whatever was heard of: it was deleted, or is
    not to be seen yet, and will be heard of again. ``full``: it holds so much that there may be more, heard of or not.
    """
    newest = max(numbers, default=0)
    if newest <= cursor.verified:
        return Move(verified=cursor.verified, top=cursor.verified, read_on=False)
    return Move(verified=newest, top=None, read_on=full or newest < cursor.top)


def history_page_read(
    dates: Mapping[int, datetime | None],
    since: datetime,
    albums: Mapping[int, int] | None = None,
    *,
    full: bool = False,
) -> Back:
    """What a page of history means that was asked for from ``floor`` downwards: ``dates`` of the numbers on it.

    What was posted before ``since`` is left out, and ends the reading; what says nothing (its date is None) does not.
    ``albums``: which album a number belongs to, of those that do. One that goes on below what is kept, or may do so
    where the page is ``full``, is left out whole: it is known by its lowest number.
    """
    older = max((number for number, date in dates.items() if date is not None and date < since), default=None)
    lowest = min(dates, default=1)
    edge = lowest if older is None else older
    album = (albums or {}).get(edge)
    top = max((number for number, other in (albums or {}).items() if other == album), default=edge)
    if older is not None:
        return Back(floor=top, history_read=True)
    # An album that fills the page is taken as it is: left out, it would be asked for without end.
    whole = not full or album is None or top == max(dates)
    floor = lowest - 1 if whole else top
    return Back(floor=floor, history_read=floor == 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """Down to where a page brings the first reading, and whether that is its end. Only what is above it is stored."""

    floor: int
    history_read: bool
