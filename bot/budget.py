"""How often Telegram's methods may be called: values, and pure functions of them.

Telegram names no numbers, so these are what others have measured, with room left. Where they turn out to be too many,
Telegram asks to wait (https://core.telegram.org/api/errors#420-flood); then the method's share of its budget is
halved, and grows again while all is quiet.

Above the rules of the methods stands one budget for all of them: a bucket of calls that fills at an even pace. What
matters less leaves some in it for what matters more, so that there is always a call left to ask how far channels are.
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
#: The budget for all: twenty calls a minute, and so many at once as it takes to catch up with as many channels as an
#: account may be in (500, a page each) and to ask how they are meanwhile.
_DRIP = timedelta(seconds=3)
BURST = 600
#: How much of it is left to asking how far channels are; and to whatever we ask, by what Telethon asks by itself.
_SPARE = 20
_OURS = 200


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

    ``kept``: its calls have to outlive a restart. ``leaves``: how many calls have to be left of the budget for all once
    this one is made, less than none where it never waits for that; None: it is not of that budget.
    """

    windows: tuple[Window, ...]
    spread: timedelta = timedelta(0)
    kept: bool = True
    leaves: int | None = _SPARE

    @property
    def memory(self) -> timedelta:
        """For how long its calls matter."""
        return max((window.span for window in self.windows), default=timedelta(0))


class Curb(NamedTuple):
    """What Telegram asked for at ``changed``: no call before ``until``. ``share``: what was left of the budget."""

    until: datetime
    share: float
    changed: datetime


class Bucket(NamedTuple):
    """The budget for all methods: how many calls were in it at ``at``."""

    level: float
    at: datetime


#: 30 pages in 30 s is where Telegram begins to ask for waits. What is under way when a connection breaks is asked for
#: twice, by Telethon itself, so some room is left.
_PAGES = Rule(windows=(Window(26, timedelta(seconds=31)),))
#: Messages by number are counted by numbers: waits were seen after some 300. Most calls ask for a few.
_BY_NUMBER = Rule(windows=(Window(40, timedelta(seconds=31)),))
#: Waits were seen after some fifty names in a short time, and of hours where names were asked for all day.
_RESOLVING = Rule(windows=(Window(1, timedelta(seconds=15), free=20), Window(60, _DAY)))
_JOINING = Rule(windows=(Window(1, timedelta(minutes=3), free=5), Window(20, _DAY)), spread=timedelta(minutes=2))
#: Messages are paced where they are sent, chat by chat; only waits that Telegram asks for hold them up here.
_SENDING = Rule(windows=(), kept=False, leaves=None)
_USUAL = (Window(20, timedelta(seconds=30)),)
_ANY = Rule(windows=_USUAL, kept=False)
#: How far channels are, and whether Telegram answers at all: that comes before whatever is to be read.
_ASKING = Rule(windows=_USUAL, kept=False, leaves=0)
#: Without these there is no connection.
_CONNECTING = Rule(windows=(), kept=False, leaves=-1)
#: What Telethon asks for after a gap, or after a reconnection. The sweep finds all of it, so this is the first to go.
_DIFFERENCES = Rule(windows=(Window(30, timedelta(seconds=30)),), kept=False, leaves=_OURS)
_JOIN = "channels.joinChannel"
_RULES = {
    "messages.getHistory": _PAGES,
    "channels.getMessages": _BY_NUMBER,
    "contacts.resolveUsername": _RESOLVING,
    _JOIN: _JOINING,
    "messages.getPeerDialogs": _ASKING,
    "updates.getState": _ASKING,
    "updates.getDifference": _DIFFERENCES,
    "updates.getChannelDifference": _DIFFERENCES,
    "users.getUsers": _CONNECTING,
    "help.getConfig": _CONNECTING,
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


def full(now: datetime) -> Bucket:
    return Bucket(BURST, now)


def filled(bucket: Bucket, now: datetime) -> Bucket:
    """With what has dripped in since. Where the clock was put back, nothing has."""
    return Bucket(min(BURST, bucket.level + max(0.0, (now - bucket.at) / _DRIP)), now)


def drawn(bucket: Bucket, rule: Rule, now: datetime) -> Bucket:
    """After one call. What never waits is counted as long as there is any left."""
    if rule.leaves is None:
        return bucket
    return Bucket(max(0.0, filled(bucket, now).level - 1), now)


def affords(bucket: Bucket, rule: Rule, now: datetime) -> datetime:
    """From when on the budget for all allows one more call; ``now`` where it does already."""
    if rule.leaves is None:
        return now
    return now + _DRIP * max(0.0, rule.leaves + 1 - filled(bucket, now).level)
