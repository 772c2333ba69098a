"""Everything that a server, or the network before it, can do to a client: one line in a test each.

All chance comes from the seed, and for pushes from the channel and its pts alone: whatever else happens in between,
the same pushes are hit. Each line returns its rule, which can be told to `stop` and counts its ``hits``.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum, auto
from hashlib import blake2b
from typing import Any, NamedTuple

from tests.telegram_server.wire import Refusal


class Fault(StrEnum):
    """What can go wrong. The first group befalls pushes, the second calls, the third answers, the last everything."""

    DROP = auto()
    SILENT = auto()
    DUPLICATE = auto()
    REORDER = auto()
    DELAY = auto()
    CHANNEL_TOO_LONG = auto()
    UNKNOWN_IN_PUSH = auto()
    MIN_CHANNEL = auto()

    CUT_BEFORE = auto()
    REFUSE = auto()
    LIMIT = auto()
    SLOW = auto()
    CUT_AFTER = auto()
    SWALLOW = auto()
    FLOOD = auto()
    EXECUTING = auto()

    TOO_LONG = auto()
    UNKNOWN_IN_DIFFERENCE = auto()
    UNKNOWN_IN_HISTORY = auto()
    UNCLAMPED_HISTORY = auto()
    OMIT_DIALOGS = auto()
    COMMUNITY = auto()

    NO_PONGS = auto()
    HANG = auto()
    CLOCK_SKEW = auto()


@dataclass(slots=True, eq=False, kw_only=True)
class Rule:
    """A fault that befalls a share of its cases, at most ``times`` times.

    ``method`` is Telegram's name of one, or * for all; ``channels`` are bare ids, none means all. ``early``: calls
    that came before they were allowed again.
    """

    fault: Fault
    seed: str
    share: float = 1.0
    times: int | None = None
    method: str = "*"
    channels: frozenset[int] = frozenset()
    seconds: float = 0.0
    calls: int = 0
    refusal: Refusal | None = None
    told: bool = False
    hits: int = 0
    early: int = 0
    stopped: bool = False
    least: float = 0.0
    seconds_now: Callable[[], float] = time.monotonic
    _seen: int = 0
    _windows: dict[int | None, deque[float]] = field(default_factory=dict)
    _until: dict[int | None, float] = field(default_factory=dict)

    def stop(self) -> None:
        """From now on it befalls nothing."""
        self.stopped = True

    def concerns(self, *, method: str = "*", channel: int | None = None) -> bool:
        if self.stopped or (self._spent and self.fault is not Fault.FLOOD):
            return False
        return self.method in ("*", method) and (not self.channels or channel in self.channels)

    @property
    def _spent(self) -> bool:
        return self.times is not None and self.hits >= self.times

    def strikes(self, *case: object) -> bool:
        """Whether it befalls a case; without one, the next of a row."""
        self._seen += 1
        hit = self.share >= 1.0 or self.draw(*(case or (self._seen,))) < self.share
        self.hits += hit
        return hit

    def draw(self, *case: object) -> float:
        """A number from 0 up to 1 that only the seed and the case decide."""
        text = "/".join(map(str, (self.seed, self.fault.value, *case)))
        return int.from_bytes(blake2b(text.encode(), digest_size=7).digest(), "big") / 2**56

    def wait(self, person: int | None) -> int:
        """Seconds until a person may call again, 0 if the call is within the limit, which then counts it."""
        now = self.seconds_now()
        window = self._windows.setdefault(person, deque())
        while window and window[0] <= now - self.seconds:
            window.popleft()
        if len(window) < self.calls:
            window.append(now)
            return 0
        self.hits += 1
        return max(1, math.ceil(window[0] + self.seconds - now))

    def asked_to_wait(self, person: int | None) -> int:
        """Seconds that a person is to wait by a wait that falls at random, or that goes on; 0: none."""
        now = self.seconds_now()
        rest = self._until.get(person, now) - now
        if rest > 0:
            self.early += 1
            return math.ceil(rest)
        if self._spent or not self.strikes():
            return 0
        seconds = round(self.least + (self.seconds - self.least) * self.draw("so long", self._seen))
        self._until[person] = now + seconds
        return seconds


class Delivery(NamedTuple):
    """What becomes of a push: after which seconds it is sent (nothing: never), and as what."""

    after: tuple[float, ...]
    form: Fault | None = None
    min_channel: bool = False


class Treatment(NamedTuple):
    """What becomes of a call, in this order."""

    cut_before: bool = False
    refusal: Refusal | None = None
    slow: float = 0.0
    cut_after: bool = False
    swallow: bool = False


class Faults:
    """A share is from 0 to 1; times of None means without end. ``seconds_now``: the time in which limits count."""

    def __init__(self, seed: int = 0, *, seconds_now: Callable[[], float] = time.monotonic) -> None:
        self.seed = seed
        self.seconds_now = seconds_now
        self.rules: list[Rule] = []

    # Pushes

    def drop(self, share: float = 1.0) -> Rule:
        """Pushes are lost."""
        return self._add(Fault.DROP, share=share)

    def silent(self, *channels: int) -> Rule:
        """Nothing of these channels is ever pushed."""
        return self._add(Fault.SILENT, channels=frozenset(channels))

    def duplicate(self, share: float = 1.0) -> Rule:
        """Pushes come twice."""
        return self._add(Fault.DUPLICATE, share=share)

    def reorder(self, share: float = 1.0, *, within: float = 0.2) -> Rule:
        """Pushes are overtaken by others, being late by up to so many seconds."""
        return self._add(Fault.REORDER, share=share, seconds=within)

    def delay(self, seconds: float, *, share: float = 1.0) -> Rule:
        """Pushes are late."""
        return self._add(Fault.DELAY, share=share, seconds=seconds)

    def channel_too_long(self, share: float = 1.0) -> Rule:
        """Instead of what happened comes updateChannelTooLong."""
        return self._add(Fault.CHANNEL_TOO_LONG, share=share)

    def unknown_in_push(self, share: float = 1.0, *, times: int | None = None) -> Rule:
        """The pushed message is of a type that no client knows."""
        return self._add(Fault.UNKNOWN_IN_PUSH, share=share, times=times)

    def min_channel(self, share: float = 1.0) -> Rule:
        """Pushes show their channel as ``min``, without an access hash."""
        return self._add(Fault.MIN_CHANNEL, share=share)

    # Calls

    def swallow(self, method: str, *, times: int | None = 1, share: float = 1.0) -> Rule:
        """A call is carried out and never answered."""
        return self._add(Fault.SWALLOW, method=method, times=times, share=share)

    def refuse(self, method: str, code: int, message: str, *, times: int | None = 1, share: float = 1.0) -> Rule:
        """A call is refused."""
        refusal = Refusal(code, message)
        return self._add(Fault.REFUSE, method=method, times=times, share=share, refusal=refusal)

    def flood_wait(self, method: str, seconds: int, *, times: int | None = 1) -> Rule:
        """A call is answered with FLOOD_WAIT."""
        return self.refuse(method, 420, f"FLOOD_WAIT_{seconds}", times=times)

    def floods(self, method: str, least: int, most: int, *, share: float, times: int | None = None) -> Rule:
        """At random an account is told to wait from so many to so many seconds, and again while it does not."""
        return self._add(Fault.FLOOD, method=method, least=least, seconds=most, share=share, times=times)

    def still_executing(self, seconds: float, *, share: float = 1.0) -> Rule:
        """The first request with a random_id is still being carried out, for so long, when it comes again.

        The message stands there; the repeat is answered with RANDOM_ID_DUPLICATE. A share of the ids is hit; the
        others are answered with the first message at once. https://core.telegram.org/api/errors
        """
        return self._add(Fault.EXECUTING, seconds=seconds, share=share)

    def limit(self, method: str, calls: int, seconds: float) -> Rule:
        """An account that calls more often than so within a sliding window is told to wait until it may again."""
        return self._add(Fault.LIMIT, method=method, calls=calls, seconds=seconds)

    def cut_before(self, method: str, *, share: float = 1.0, times: int | None = 1) -> Rule:
        """The connection breaks when a call comes; it is not carried out."""
        return self._add(Fault.CUT_BEFORE, method=method, share=share, times=times)

    def cut_after(self, method: str, *, share: float = 1.0, times: int | None = 1) -> Rule:
        """The connection breaks when a call was carried out, before the answer."""
        return self._add(Fault.CUT_AFTER, method=method, share=share, times=times)

    def slow(self, method: str, seconds: float, *, share: float = 1.0, times: int | None = None) -> Rule:
        """A call is carried out so much later."""
        return self._add(Fault.SLOW, method=method, seconds=seconds, share=share, times=times)

    def random_id_duplicate(self, *, times: int | None = 1) -> Rule:
        """As if an earlier call with the same random_id were still under way."""
        return self.refuse("messages.sendMessage", 500, "RANDOM_ID_DUPLICATE", times=times)

    def pts_outdated(self, *, times: int | None = 1) -> Rule:
        """The server is behind itself and cannot tell a channel's differences."""
        return self.refuse("updates.getChannelDifference", 500, "PERSISTENT_TIMESTAMP_OUTDATED", times=times)

    # Answers

    def too_long(self, share: float = 1.0) -> Rule:
        """Differences of channels are answered with channelDifferenceTooLong."""
        return self._add(Fault.TOO_LONG, share=share)

    def unknown_in_difference(self, share: float = 1.0, *, times: int | None = None) -> Rule:
        """A difference of a channel ends with a message that no client can read."""
        return self._add(Fault.UNKNOWN_IN_DIFFERENCE, share=share, times=times)

    def unknown_in_history(self, share: float = 1.0, *, times: int | None = None) -> Rule:
        """A page of history ends with a message that no client can read."""
        return self._add(Fault.UNKNOWN_IN_HISTORY, share=share, times=times)

    def unclamped_history(self) -> Rule:
        """A page that reaches above the newest message is shorter by as much, and not moved down to be full."""
        return self._add(Fault.UNCLAMPED_HISTORY)

    def omit_dialogs(self, *channels: int) -> Rule:
        """messages.getPeerDialogs leaves these channels out."""
        return self._add(Fault.OMIT_DIALOGS, channels=frozenset(channels))

    def community(self) -> Rule:
        """A community stands among the dialogs."""
        return self._add(Fault.COMMUNITY)

    # The connection as such

    def no_pongs(self) -> Rule:
        """Pings are not answered."""
        return self._add(Fault.NO_PONGS)

    def hang(self) -> Rule:
        """Connections are accepted, and nothing is ever said."""
        return self._add(Fault.HANG)

    def clock_skew(self, seconds: float, *, told: bool = False) -> Rule:
        """The clocks differ: the server's is ahead by so much.

        ``told``: the server complains about times and salts as Telegram's do, so that the client can mend it.
        """
        return self._add(Fault.CLOCK_SKEW, seconds=seconds, told=told)

    # What the server asks

    def delivery(self, channel: int, pts: int) -> Delivery:
        """What becomes of a push."""
        after, form, few = [0.0], None, False
        for rule in self.rules:
            if rule.fault not in _OF_PUSHES or not rule.concerns(channel=channel):
                continue
            if not rule.strikes(channel, pts):
                continue
            match rule.fault:
                case Fault.DROP | Fault.SILENT:
                    return Delivery(())
                case Fault.DUPLICATE:
                    after.append(after[0])
                case Fault.REORDER:
                    after = [one + rule.seconds * rule.draw("late", channel, pts) for one in after]
                case Fault.DELAY:
                    after = [one + rule.seconds for one in after]
                case Fault.MIN_CHANNEL:
                    few = True
                case Fault.CHANNEL_TOO_LONG | Fault.UNKNOWN_IN_PUSH:
                    form = rule.fault
        return Delivery(tuple(after), form, few)

    def treatment(self, method: str, person: int | None) -> Treatment:
        """What becomes of a call."""
        found = Treatment()
        for rule in self.rules:
            if not rule.concerns(method=method):
                continue
            if rule.fault in _WAITS:
                asked = rule.wait if rule.fault is Fault.LIMIT else rule.asked_to_wait
                if found.refusal is None and (wait := asked(person)):
                    found = found._replace(refusal=Refusal(420, f"FLOOD_WAIT_{wait}"))
            elif rule.fault in _OF_CALLS and rule.strikes():
                found = _treated(found, rule)
                if found.cut_before:
                    break
        return found

    def executing(self, random_id: int, seconds: float) -> bool:
        """Whether a request is still being carried out that came so many seconds ago."""
        return any(
            rule.fault is Fault.EXECUTING and rule.concerns() and seconds < rule.seconds and rule.strikes(random_id)
            for rule in self.rules
        )

    def has(self, fault: Fault, *, channel: int | None = None) -> bool:
        """Whether a fault of answers or connections befalls this one."""
        rules = [rule for rule in self.rules if rule.fault is fault and rule.concerns(channel=channel)]
        struck = [rule.strikes() for rule in rules]  # each has to be asked
        return any(struck)

    def skew(self) -> Rule | None:
        return next((rule for rule in self.rules if rule.fault is Fault.CLOCK_SKEW and not rule.stopped), None)

    def _add(self, fault: Fault, **known: Any) -> Rule:
        rule = Rule(fault=fault, seed=f"{self.seed}/{len(self.rules)}", seconds_now=self.seconds_now, **known)
        self.rules.append(rule)
        return rule


_OF_PUSHES = frozenset(
    (
        *(Fault.DROP, Fault.SILENT, Fault.DUPLICATE, Fault.REORDER, Fault.DELAY),
        *(Fault.CHANNEL_TOO_LONG, Fault.UNKNOWN_IN_PUSH, Fault.MIN_CHANNEL),
    )
)
_WAITS = frozenset((Fault.LIMIT, Fault.FLOOD))
_OF_CALLS = frozenset((Fault.CUT_BEFORE, Fault.REFUSE, Fault.SLOW, Fault.CUT_AFTER, Fault.SWALLOW))


def _treated(found: Treatment, rule: Rule) -> Treatment:
    match rule.fault:
        case Fault.CUT_BEFORE:
            return found._replace(cut_before=True)
        case Fault.REFUSE:
            return found._replace(refusal=found.refusal or rule.refusal)
        case Fault.SLOW:
            return found._replace(slow=found.slow + rule.seconds)
        case Fault.CUT_AFTER:
            return found._replace(cut_after=True)
        case _:
            return found._replace(swallow=True)
