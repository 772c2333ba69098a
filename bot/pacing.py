"""How fast a chat is written to: at most twenty sends and edits in any minute, as the server counts them.

When the server has carried out a call lies somewhere between its begin and its end, so a call counts from the moment
at which it is begun until a minute, and a second for clocks, after its end. Then no two calls of which the second is
begun when the first counts no longer are within a minute of each other at the server.

Where the end is not known, since the process was killed, it is the latest that it can have been: calls are given up
after half a minute. What got no answer may still be on its way in a connection that comes back, and is taken to end
half a minute after it was given up.

Telegram names no numbers; these are what bots are told to keep to: https://core.telegram.org/bots/faq#broadcasting
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

#: So many messages and edits a chat gets within `SPAN`.
MOST = 20
SPAN = timedelta(seconds=61)
#: Of these, so many are left to new messages by edits.
SPARED = 5
#: The longest that a call is under way, or may be on its way unseen.
CALL = timedelta(seconds=30)
#: How long an edit waits for further changes to what the message says, and how long at least lies between two.
GATHERING = timedelta(seconds=2)
BETWEEN = timedelta(seconds=10)
#: No message is put off for longer: longer waits are those of chats and accounts. What is to be tried again later than
#: this was noted before the clock was put right.
LATEST = timedelta(hours=1)
#: Telegram lets a sent message be edited for two days; this leaves it an hour (contract, promise 4).
EDITABLE = timedelta(hours=47)


class Attempt(NamedTuple):
    """A call that put so many messages into a chat, or may have. ``ended``: by then at the latest it was over."""

    ended: datetime
    messages: int


def counting(attempts: Iterable[Attempt], now: datetime) -> list[Attempt]:
    """Those that count still, in the order in which they cease to.

    One that ends later than a call can last was noted before the clock was put right.
    """
    true = (attempt._replace(ended=min(attempt.ended, now + CALL)) for attempt in attempts)
    return sorted(attempt for attempt in true if attempt.ended + SPAN > now)


def rebased(until: datetime, noted: datetime, now: datetime) -> datetime:
    """The end of a wait; it is as long from now on where the clock was ahead when it was noted."""
    return now + (until - noted) if noted > now else until


def opens(attempts: Iterable[Attempt], weight: int, now: datetime, *, edit: bool = False) -> datetime:
    """From when on a chat may get so many messages more, or an edit; ``now`` where it may already.

    What is heavier than all that is allowed goes when nothing counts any more.
    """
    most = MOST - SPARED if edit else MOST
    counted = counting(attempts, now)
    room = most - min(weight, most) - sum(attempt.messages for attempt in counted)
    at = now
    for attempt in counted:
        if room >= 0:
            break
        room += attempt.messages
        at = attempt.ended + SPAN
    return at
