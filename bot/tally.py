"""What is counted where it happens, since the process began: connections, calls, waits that were asked for, sweeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta


def _nothing(*_: object) -> None:
    """Nobody else wants to know."""


@dataclass(slots=True)
class Counted:
    """Of one account; whoever is handed a function of it need not know that somebody counts.

    ``calls``, ``waits``: by Telegram's method.
    """

    connections: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    waits: Counter[str] = field(default_factory=Counter)

    def connecting(self, connected: Callable[[], None] = _nothing) -> Callable[[], None]:
        """What is called at each connection."""

        def counted() -> None:
            self.connections += 1
            connected()

        return counted

    def asked(self, method: str) -> None:
        """A method is called."""
        self.calls[method] += 1

    def waiting(self, refused: Callable[[str, int], None] = _nothing) -> Callable[[str, int], None]:
        """What is called where Telegram asks to wait so many seconds before a method is called again."""

        def counted(method: str, seconds: int) -> None:
            self.waits[method] += 1
            refused(method, seconds)

        return counted


@dataclass(slots=True)
class Tally:
    """One for a process. ``bot`` stays empty where there is none; ``swept``: how long all sweeps took together."""

    reader: Counted = field(default_factory=Counted)
    bot: Counted = field(default_factory=Counted)
    sweeps: int = 0
    swept: timedelta = timedelta(0)

    def accounts(self, *, bot: bool) -> Mapping[str, Counted]:
        """By what metrics call them; ``bot``: whether there is one."""
        return {"reader": self.reader, "bot": self.bot} if bot else {"reader": self.reader}

    def sweep(self, took: timedelta) -> None:
        """A sweep has ended that asked how far the channels are."""
        self.sweeps += 1
        self.swept += max(took, timedelta(0))
