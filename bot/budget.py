"""How often Telegram's methods may be called: values, and pure functions of them.

Telegram names no numbers, so these are what others have measured, with room left. Where they turn out to be too many,
Telegram asks to wait (https://core.telegram.org/api/errors#420-flood); then the method's share of its budget is
halved, and grows again while all is quiet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

#: The least share of a budget that is left, however often Telegram asks to wait.
LEAST_SHARE = 0.1
#: What each quiet stretch adds to a share.
STEP = 0.1
QUIET = timedelta(minutes=10)
_DAY = timedelta(days=1)


class Window(NamedTuple):
    """At most so many calls in any stretch of that length.

    The first ``free`` calls that the rule remembers are not held to it: a few channels are added at once, hundreds
    are not.
    """

    most: int
    span: timedelta
    free: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one method is held to. ``spread``: up to so much longer waits, by chance, whoever has to wait for a window.

    ``kept``: its calls have to outlive a restart.
    """

    windows: tuple[Window, ...]
    spread: timedelta = timedelta(0)
    kept: bool = True

    @property
    def memory(self) -> timedelta:
        """For how long its calls matter."""
        return max((window.span for window in self.windows), default=timedelta(0))


class Curb(NamedTuple):
    """What Telegram asked for at ``changed``: no call before ``until``. ``share``: what was left of the budget."""

    until: datetime
    share: float
    changed: datetime


#: 30 pages in 30 s is where Telegram begins to ask for waits. What is under way when a connection breaks is asked for
#: twice, by Telethon itself, so some room is left.
_PAGES = Rule(windows=(Window(26, timedelta(seconds=31)),))
#: Messages by number are counted by numbers: waits were seen after some 300. Most calls ask for a few.
_BY_NUMBER = Rule(windows=(Window(40, timedelta(seconds=31)),))
#: Waits were seen after some fifty names in a short time, and of hours where names were asked for all day.
_RESOLVING = Rule(windows=(Window(1, timedelta(seconds=15), free=40), Window(60, _DAY)))
_JOINING = Rule(windows=(Window(1, timedelta(minutes=3), free=5), Window(20, _DAY)), spread=timedelta(minutes=2))
#: Messages are paced where they are sent, chat by chat; only waits that Telegram asks for hold them up here.
_SENDING = Rule(windows=(), kept=False)
_ANY = Rule(windows=(Window(20, timedelta(seconds=30)),), kept=False)
_JOIN = "channels.joinChannel"
_RULES = {
    "messages.getHistory": _PAGES,
    "channels.getMessages": _BY_NUMBER,
    "contacts.resolveUsername": _RESOLVING,
    _JOIN: _JOINING,
    "messages.sendMessage": _SENDING,
    "messages.editMessage": _SENDING,
    "messages.forwardMessages": _SENDING,
}
#: Methods that use up the budget of another.
_SAME = {"messages.importChatInvite": _JOIN}


def account_of(method: str) -> str:
    """The method under whose name a call is counted: an invitation that is accepted is a channel joined."""
    return _SAME.get(method, method)


def rule_of(method: str) -> Rule:
    return _RULES.get(account_of(method), _ANY)


def remembered(calls: Sequence[datetime], rule: Rule, now: datetime) -> list[datetime]:
    """The calls that still matter, oldest first. One from the future was made before the clock was put right."""
    since = now - rule.memory
    return [min(call, now) for call in calls if call > since]


def opens(rule: Rule, calls: Sequence[datetime], share: float, now: datetime) -> datetime:
    """From when on the windows allow one more call, after these (`remembered`); ``now`` where they do already."""
    at = now
    for most, span, free in (_scaled(window, share) for window in rule.windows):
        if len(calls) >= max(most, free):
            # The last call's microseconds are chance enough, and the same however often it is asked.
            at = max(at, calls[-most] + span + rule.spread * (calls[-1].microsecond / 1_000_000))
    return at


def _scaled(window: Window, share: float) -> Window:
    """A share of a window: fewer calls, and where there is only one, a longer stretch."""
    most, free = window.most * share, int(window.free * share)
    return Window(int(most), window.span, free) if most >= 1 else Window(1, window.span / most, free)


def curbed(curb: Curb | None, wait: timedelta, now: datetime) -> Curb:
    """After Telegram asked for a wait. Of calls that were on their way together, only the first halves the share."""
    if curb is not None and now < curb.until:
        return curb._replace(until=max(curb.until, now + wait))
    return Curb(now + wait, max(LEAST_SHARE, share_of(curb, now) / 2), now)


def share_of(curb: Curb | None, now: datetime) -> float:
    """The part of its budget that a method has: a step more for each quiet stretch since the wait was over."""
    if curb is None:
        return 1.0
    return min(1.0, curb.share + STEP * max(0, (now - curb.until) // QUIET))


def rebased(curb: Curb, now: datetime) -> Curb:
    """The same wait from now on, where the clock was ahead when it was noted; otherwise as it is."""
    return Curb(now + (curb.until - curb.changed), curb.share, now) if curb.changed > now else curb
