"""Lets an album arrive: its members come as messages of their own, and are to be judged as one post.

A value of what is held at the moment. Members that come when it has been let go extend the
post that is stored by then.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.model import Haul

#: How long nothing more must have come, and how long the first member waits at most. In real posts the members of
#: 86 albums were dated at most two seconds apart, of 75 the same second.
QUIET = timedelta(seconds=1)
LONGEST = timedelta(seconds=3)
#: A post is called by its lowest member. While a number below those that came is missing, that one may be a member
#: too, and is about to be read.
LONGEST_WITH_GAP = timedelta(minutes=1)


@dataclass(slots=True)
class _Held:
    first: datetime
    last: datetime
    hauls: list[Haul]
    gap: bool

    @property
    def lowest(self) -> int:
        return min(sighting.number for haul in self.hauls for sighting in haul.sightings)

    @property
    def due(self) -> datetime:
        return self.first + LONGEST_WITH_GAP if self.gap else min(self.last + QUIET, self.first + LONGEST)


class Albums:
    def __init__(self) -> None:
        self._held: dict[tuple[int, int], _Held] = {}

    def __bool__(self) -> bool:
        """Whether anything is held."""
        return bool(self._held)

    def take(self, haul: Haul, now: datetime, *, gap: bool = False) -> list[Haul]:
        """What may go on, in the order of coming: an album stays until its channel says something else.

        ``gap``: the number below this one is missing. An album with a gap stays, and what comes after it goes on.
        """
        album = album_of(haul)
        held = None if album is None else self._held.get((haul.channel, album))
        if held is not None:
            held.gap = gap if haul.sightings[0].number < held.lowest else held.gap
            held.hauls.append(haul)
            held.last = now
            return []
        ready = self._let_go(key for key, other in self._held.items() if key[0] == haul.channel and not other.gap)
        if album is None:
            return [*ready, haul]
        self._held[haul.channel, album] = _Held(now, now, [haul], gap)
        return ready

    def read(self, channel: int, verified: int) -> None:
        """All up to this number has been read: a gap below it is none any more."""
        for (mine, _), held in self._held.items():
            if mine == channel and held.lowest <= verified + 1:
                held.gap = False

    def due(self, now: datetime) -> list[Haul]:
        """What has waited long enough."""
        return self._let_go(key for key, held in self._held.items() if held.due <= now)

    def next_moment(self) -> datetime | None:
        """When `due` will have something."""
        return min((held.due for held in self._held.values()), default=None)

    def _let_go(self, keys: Iterable[tuple[int, int]]) -> list[Haul]:
        return [haul for key in list(keys) for haul in self._held.pop(key).hauls]


def album_of(haul: Haul) -> int | None:
    """The album of which a haul is one member."""
    if len(haul.sightings) != 1:
        return None
    post = haul.sightings[0].post
    return None if post is None else post.album
