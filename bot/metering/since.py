"""What was added to the tables since the process began: counted a step at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from bot.ports import Lane
from bot.storage import counts, outbox
from bot.storage.counts import Fate
from bot.storage.database import Database


@dataclass(slots=True)
class Since:
    """``matches``: by topic; ``settled``: messages by what became of them; ``open``: how those stand still to be sent.

    ``message``, ``match`` and ``notice`` are the numbers of those that were counted last.
    """

    message: int
    match: int
    notice: int
    _open: dict[int, Fate]
    matches: Counter[str] = field(default_factory=Counter)
    settled: Counter[tuple[Fate, Lane]] = field(default_factory=Counter)
    notices: int = 0

    @classmethod
    async def now(cls, database: Database) -> Since:
        """From now on it is counted."""
        message = await outbox.newest(database)
        waiting = dict.fromkeys(await counts.open_messages(database), Fate.WAITS)
        return cls(message, await counts.newest_match(database), await counts.newest_notice(database), waiting)

    @property
    def open(self) -> Counter[Fate]:
        return Counter(self._open.values())

    async def count(self, database: Database) -> None:
        """Takes in what has come since the last time. Raises StorageError."""
        found = await counts.messages(database, self.message, self._open)
        self._open = {one.id: one.fate for one in found if one.fate.open}
        self.settled.update((one.fate, one.lane) for one in found if not one.fate.open)
        self.message = max([self.message, *(one.id for one in found)])
        matches, self.match = await counts.matches(database, self.match)
        self.matches.update(matches)
        notices, self.notice = await counts.notices(database, self.notice)
        self.notices += notices
