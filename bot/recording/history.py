"""Which posts were seen before, and with it what a line says: a post, an edit, a deletion, or nothing new.

It is asked after files are merged, so that a post in two files is one post. Memory is bounded: of each
channel at least the newest 20,000 posts are remembered, less only where half a million posts of very many
channels are fresh at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

from bot.model import Channel, Happening, Post, Revision
from bot.recording.order import Line

_PER_CHANNEL = 20_000
_OVER_ALL = 500_000
_MOST_WAITING = 5_000
_MOST_NAMES = 20_000


class Event(NamedTuple):
    """Something new. ``moment`` is where the stream stands and never goes back; ``channel`` is a key of it."""

    moment: datetime
    channel: str
    revision: Revision


class _State(NamedTuple):
    edited: datetime | None
    gone: bool


class Names:
    """Knows a channel again that one line calls by id and another by name, or by a name in other letters."""

    def __init__(self) -> None:
        self._known: dict[Channel, tuple[str, Channel]] = {}
        self._aliases: dict[str, tuple[str, Channel]] = {}

    def know(self, channel: Channel) -> tuple[str, Channel]:
        """A key, and the channel as it was called first: the same for all that is known to be one channel."""
        known = self._known.get(channel)
        if known is None:
            if len(self._known) >= _MOST_NAMES:
                self._known.clear()
                self._aliases.clear()
            known = self._known[channel] = self._resolved(channel)
        return known

    def _resolved(self, channel: Channel) -> tuple[str, Channel]:
        username = f"@{channel.username.lower()}" if channel.username else None
        number = str(channel.id) if channel.id is not None else None
        own = f"={channel.own}" if channel.own else None
        names = [name for name in (number, username, own) if name]
        met = (self._aliases[name] for name in names if name in self._aliases)
        # A name that two ids have borne is that of two channels.
        known = next((one for one in met if None in (one[1].id, channel.id) or one[1].id == channel.id), None)
        known = known or (names[0], channel)
        for name in names:
            self._aliases.setdefault(name, known)
        return known


class _Window:
    """The newest posts of one channel, in two generations: forgetting one is a single step."""

    __slots__ = ("forgotten", "old", "young")

    def __init__(self) -> None:
        self.young: dict[int, _State] = {}
        self.old: dict[int, _State] = {}
        self.forgotten: int | None = None

    def known(self, number: int) -> _State | None:
        return self.young.get(number) or self.old.get(number)

    def turn(self) -> None:
        if self.old:
            newest = max(self.old)
            self.forgotten = newest if self.forgotten is None else max(self.forgotten, newest)
        self.old, self.young = self.young, {}


class History:
    """Makes events of lines that come in the order of their moments.

    A change that a line tells ahead of its time (a post that is in the file only as it was in the end) waits
    until the stream gets there; when 5,000 wait, the next one no longer does.
    """

    def __init__(self, names: Names, *, per_channel: int = _PER_CHANNEL, over_all: int = _OVER_ALL) -> None:
        self._names = names
        self._per_channel = per_channel
        self._over_all = over_all
        self._fresh = 0
        self._windows: dict[str, _Window] = {}
        self._waiting: list[tuple[datetime, int, str, Post]] = []
        self._turn = count()

    def take(self, line: Line) -> Iterator[Event]:
        """What is new with a line, after what waited for its moment."""
        waiting = self._waiting
        while waiting and (waiting[0][0] <= line.moment or len(waiting) > _MOST_WAITING):
            yield from self._due(line.moment)
        late = False
        channel, known = self._names.know(line.post.channel)
        post = line.post if line.post.channel is known else replace(line.post, channel=known)
        for revision in self._said(channel, post, line.moment):
            if revision.at < line.before and not late:
                late = True
                line.late.line(line.where)
            yield Event(line.moment, channel, revision)

    def finish(self) -> Iterator[Event]:
        """What still waits when the last line has been read."""
        while self._waiting:
            yield from self._due(self._waiting[0][0])

    def _due(self, moment: datetime) -> Iterator[Event]:
        at, _, channel, post = heappop(self._waiting)
        for revision in self._changes(channel, post, at):
            yield Event(min(at, moment), channel, revision)

    def _said(self, channel: str, post: Post, now: datetime) -> Iterator[Revision]:
        window = self._windows.get(channel)
        if window is None:
            window = self._windows[channel] = _Window()
        known = window.known(post.number)
        if known is None and not _is_change_of_forgotten(window, post):
            self._remember(channel, post.number, _State(post.edited, gone=False))
            yield Revision(Happening.POSTED, post.date, _living(post))
        if post.edited is not None or post.deleted is not None:
            yield from self._changes(channel, post, now)

    def _changes(self, channel: str, post: Post, now: datetime) -> Iterator[Revision]:
        """The edit and the deletion that a line tells of a known post, as far as they are due; the rest waits."""
        window = self._windows.get(channel)
        before = (window and window.known(post.number)) or _State(None, gone=False)
        edited, gone = before
        ahead = []
        if post.edited is not None and (edited is None or post.edited > edited):
            if post.edited <= now:
                edited = post.edited
                yield Revision(Happening.EDITED, edited, _living(post))
            else:
                ahead.append(post.edited)
        if post.deleted is not None and not gone:
            if post.deleted <= now:
                gone = True
                yield Revision(Happening.DELETED, post.deleted, post)
            else:
                ahead.append(post.deleted)
        if (edited, gone) != before:
            self._remember(channel, post.number, _State(edited, gone))
        if ahead:
            heappush(self._waiting, (min(ahead), next(self._turn), channel, post))

    def _remember(self, channel: str, number: int, state: _State) -> None:
        window = self._windows.get(channel)
        if window is None:
            window = self._windows[channel] = _Window()
        if number not in window.young:
            self._fresh += 1
            if len(window.young) >= self._per_channel:
                self._fresh -= len(window.young)
                window.turn()
        window.young[number] = state
        if self._fresh > self._over_all:
            self._turn_all()

    def _turn_all(self) -> None:
        for window in self._windows.values():
            window.turn()
        self._windows = {channel: window for channel, window in self._windows.items() if window.old}
        self._fresh = 0


def _is_change_of_forgotten(window: _Window, post: Post) -> bool:
    """Whether a post that is not remembered may well have been seen, and the line is about what became of it."""
    if window.forgotten is None or post.number > window.forgotten:
        return False
    return post.deleted is not None or (post.edited is not None and post.edited > post.date)


def _living(post: Post) -> Post:
    """The post before it was deleted, whatever the line knows of its end."""
    return post if post.deleted is None else replace(post, deleted=None)
