"""How what comes thick and fast becomes few messages: one each while there is room, then all that has come, seldom."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

#: What comes within so long is looked at together.
TOGETHER = timedelta(seconds=2)
#: So many messages within so long; after that one in so long.
_SINGLY, _WITHIN, _SELDOM = 5, timedelta(minutes=10), timedelta(minutes=1)


def of_each_kind() -> tuple[Throttle, Throttle]:
    """Of what somebody does, and of what happens: edits in quick succession keep no trouble waiting."""
    return Throttle(), Throttle()


class Throttle:
    """Of one kind of message to the same people. Moments that lie ahead were seen on a clock that was set back."""

    def __init__(self) -> None:
        #: When there was something to tell first; when the last messages were made.
        self._since: datetime | None = None
        self._made: deque[datetime] = deque(maxlen=_SINGLY)

    def room(self, now: datetime, several: int) -> int:
        """How many messages may be made now of so many things: 0 for not yet, one for all, or one for each."""
        if not several:
            self._since = None
            return 0
        self._since = self._since or now
        if _is_within(TOGETHER, self._since, now):
            return 0
        late = [moment for moment in self._made if _is_within(_WITHIN, moment, now)]
        if len(late) == _SINGLY and _is_within(_SELDOM, late[-1], now):
            return 0
        return several if several <= _SINGLY - len(late) else 1

    def made(self, now: datetime, messages: int) -> None:
        """So many messages were made of all that there was."""
        self._since = None
        self._made.extend([now] * messages)


def _is_within(span: timedelta, moment: datetime, now: datetime) -> bool:
    return timedelta(0) <= now - moment < span
