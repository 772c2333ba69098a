"""What is counted where it happens, since the process began: connections, calls, waits that were asked for, sweeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(slots=True)
class Tally:
    """One for a process; whoever is handed a function of it need not know that somebody counts.

    ``calls``, ``waits``: by Telegram's method, the reader's; ``swept``: how long all sweeps took together.
    """

    connections: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    waits: Counter[str] = field(default_factory=Counter)
    sweeps: int = 0
    swept: timedelta = timedelta(0)

    def connecting(self, connected: Callable[[], None]) -> Callable[[], None]:
        """What is called at each connection of the reader."""

        def counted() -> None:
            self.connections += 1
            connected()

        return counted

    def calling(self, turn: Callable[[str], Awaitable[None]]) -> Callable[[str], Awaitable[None]]:
        """What is waited for before each call of a method."""

        async def counted(method: str) -> None:
            await turn(method)
            self.calls[method] += 1

        return counted

    def waiting(self, refused: Callable[[str, int], None]) -> Callable[[str, int], None]:
        """What is called where Telegram asks to wait so many seconds before a method is called again."""

        def counted(method: str, seconds: int) -> None:
            self.waits[method] += 1
            refused(method, seconds)

        return counted

    def sweep(self, took: timedelta) -> None:
        """A sweep has ended that asked how far the channels are."""
        self.sweeps += 1
        self.swept += max(took, timedelta(0))
