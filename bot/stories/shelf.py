"""Members, found by what they are, what they say and where they are from. Knows nothing of what joins what.

Every member has a **seat**: a number that rises in the order of joining and stays with it when it is renewed.
The lists below hold seats in rising order, so the newest are at the end of each.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Hashable
from datetime import datetime
from typing import TypeVar

from bot.model import PostId
from bot.stories.fingerprint import KEYS, hashes_of
from bot.stories.member import Member

K = TypeVar("K", bound=Hashable)


class Shelf:
    def __init__(self) -> None:
        self.members: dict[int, Member] = {}
        self.seats: dict[PostId, int] = {}
        self.by_story: dict[PostId, list[int]] = {}
        self.by_origin: dict[str, list[int]] = {}
        self.by_hash: dict[int, list[int]] = {}
        self._by_date: list[tuple[datetime, int]] = []

    def put(self, seat: int, member: Member) -> None:
        """Seats a member, in the place of the one that sat there."""
        if seat in self.members:
            self.drop(seat)
        self.members[seat] = member
        self.seats[member.post] = seat
        insort(self._by_date, (member.date, seat))
        _enter(self.by_story, member.story, seat)
        for origin in member.origins:
            _enter(self.by_origin, origin, seat)
        for value in hashes_of(member.fingerprint, KEYS):
            _enter(self.by_hash, value, seat)

    def drop(self, seat: int) -> None:
        member = self.members.pop(seat)
        del self.seats[member.post]
        del self._by_date[bisect_left(self._by_date, (member.date, seat))]
        _leave(self.by_story, member.story, seat)
        for origin in member.origins:
            _leave(self.by_origin, origin, seat)
        for value in hashes_of(member.fingerprint, KEYS):
            _leave(self.by_hash, value, seat)

    def newest(self) -> datetime | None:
        """The latest date of a member."""
        return self._by_date[-1][0] if self._by_date else None

    def oldest(self, before: datetime, most: int) -> list[int]:
        """The seats of the members older than ``before``, and of the oldest more while more than ``most`` stay."""
        count = max(bisect_left(self._by_date, (before,)), len(self._by_date) - most)
        return [seat for _, seat in self._by_date[:count]]


def _enter(lists: dict[K, list[int]], key: K, seat: int) -> None:
    seats = lists.get(key)
    if seats is None:
        lists[key] = [seat]
    else:
        insort(seats, seat)


def _leave(lists: dict[K, list[int]], key: K, seat: int) -> None:
    seats = lists[key]
    if len(seats) == 1:
        del lists[key]
    else:
        del seats[bisect_left(seats, seat)]
