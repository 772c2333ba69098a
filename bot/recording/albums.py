"""Joins the members of an album to one post, and keeps it one when a member is edited or deleted later.

A member is a line of its own; nothing says which is the last. An album is taken to be whole when its channel
posts something else, or a minute has gone by. Until then what comes after it waits, so that the order stays;
waiting is bounded too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.model import Entity, Happening, Post, Revision
from bot.recording.history import Event

_WHOLE_AFTER = timedelta(seconds=60)
_REMEMBERED = 500
_MOST_HELD = 5_000
#: Telegram allows ten; more are read as posts of their own, so that no file can make us hold them all.
_MOST_MEMBERS = 100


class _Place:
    """A place in the order of the stream, empty until it is known what stands there."""

    __slots__ = ("revision",)

    def __init__(self) -> None:
        self.revision: Revision | None = None


@dataclass(slots=True, kw_only=True)
class _Album:
    key: tuple[str, int]
    place: _Place | None
    touched: datetime
    members: dict[int, Post] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    number: int | None = None
    """The post's number; it stays what it was when the album was first told."""

    def joined(self) -> Post:
        """The post as it stands now; as it last stood when all members are deleted."""
        living = [post for number, post in self.members.items() if number not in self.gone]
        post = join(self.members.values(), shown=living or self.members.values())
        return post if self.number is None else replace(post, number=self.number)


@dataclass(slots=True)
class _Change:
    """Edits and deletions of one album at one moment: deleting it whole is one happening and not five."""

    album: _Album
    moment: datetime
    at: datetime
    place: _Place


class Albums:
    """Makes revisions of events, members of albums joined."""

    def __init__(self) -> None:
        self._held: deque[_Place] = deque()
        self._open: dict[str, _Album] = {}  # by channel, the longest untouched first
        self._told: dict[tuple[str, int], _Album] = {}
        self._changes: dict[tuple[str, int], _Change] = {}

    def take(self, event: Event) -> Iterator[Revision]:
        """What may leave now that this event has come."""
        revision = event.revision
        if not self._held and revision.post.album is None:
            return iter((revision,))
        self._settle(event.moment)
        if revision.post.album is not None:
            self._take_member(event, (event.channel, revision.post.album))
        else:
            if revision.happening is Happening.POSTED:
                self._close(event.channel)
            self._hold(revision)
        return self._leaving()

    def finish(self) -> Iterator[Revision]:
        """What still waits when the last event has come."""
        self._close_all()
        return self._leaving()

    def _take_member(self, event: Event, key: tuple[str, int]) -> None:
        posted = event.revision.happening is Happening.POSTED
        album = self._open.get(event.channel)
        # Another album begins, or this one changes and so had been seen whole before.
        if album is not None and (album.key != key) is posted:
            self._close(event.channel)
        if key in self._told:
            self._change(self._told[key], event)
        elif posted:
            self._add(event, key)
        else:
            self._hold(event.revision)  # of an album that is forgotten, or older than the recording

    def _add(self, event: Event, key: tuple[str, int]) -> None:
        album = self._open.pop(event.channel, None)
        if album is None:
            album = _Album(key=key, place=self._hold(None), touched=event.moment)
        self._open[event.channel] = album
        if len(album.members) < _MOST_MEMBERS:
            album.touched = event.moment
            album.members[event.revision.post.number] = event.revision.post
        else:
            self._hold(event.revision)

    def _change(self, album: _Album, event: Event) -> None:
        revision = event.revision
        post = revision.post
        if post.number not in album.members and len(album.members) >= _MOST_MEMBERS:
            self._hold(revision)
            return
        album.members[post.number] = post
        if revision.happening is Happening.DELETED:
            album.gone.add(post.number)
        change = self._changes.get(album.key)
        if change is None:
            place = self._hold(None)
            self._changes[album.key] = _Change(album, event.moment, revision.at, place)
        else:
            change.at = max(change.at, revision.at)

    def _hold(self, revision: Revision | None) -> _Place:
        place = _Place()
        place.revision = revision
        self._held.append(place)
        return place

    def _settle(self, moment: datetime) -> None:
        """Closes what can no longer grow at this moment, or must not hold up the stream any more."""
        if self._changes and next(iter(self._changes.values())).moment < moment:
            self._settle_changes()
        while self._open:
            channel, album = next(iter(self._open.items()))
            if moment - album.touched <= _WHOLE_AFTER:
                break
            self._close(channel)
        if len(self._held) > _MOST_HELD:
            self._close_all()

    def _close_all(self) -> None:
        self._settle_changes()
        for channel in list(self._open):
            self._close(channel)

    def _settle_changes(self) -> None:
        for change in self._changes.values():
            album = change.album
            happening = Happening.DELETED if album.gone.issuperset(album.members) else Happening.EDITED
            change.place.revision = Revision(happening, change.at, album.joined())
        self._changes.clear()

    def _close(self, channel: str) -> None:
        album = self._open.pop(channel, None)
        if album is None or album.place is None:
            return
        post = album.joined()
        album.place.revision = Revision(Happening.POSTED, post.date, post)
        album.place, album.number = None, post.number
        if len(self._told) >= _REMEMBERED:
            forgotten = next(iter(self._told))
            if forgotten in self._changes:
                self._settle_changes()
            del self._told[forgotten]
        self._told[album.key] = album

    def _leaving(self) -> Iterator[Revision]:
        held = self._held
        while held and (revision := held[0].revision) is not None:
            held.popleft()
            yield revision


def join(members: Iterable[Post], *, shown: Iterable[Post]) -> Post:
    """The post that these members are; text, entities and media are those of the members ``shown``."""
    members = sorted(members, key=lambda post: post.number)
    shown = sorted(shown, key=lambda post: post.number)
    first = members[0]
    if len(members) == 1:
        return first
    text, entities = _joined_text(shown)
    return replace(
        first,
        date=min(post.date for post in members),
        text=text,
        entities=entities,
        media=tuple(media for post in shown for media in post.media),
        views=_largest(post.views for post in shown),
        forwards=_largest(post.forwards for post in shown),
        edited=_latest(post.edited for post in members),
        deleted=_latest(post.deleted for post in shown) if all(post.deleted for post in shown) else None,
        protected=any(post.protected for post in members),
    )


def _joined_text(posts: list[Post]) -> tuple[str, tuple[Entity, ...]]:
    """The texts that are not empty, a line each, and their entities where they stand now."""
    texts: list[str] = []
    entities: list[Entity] = []
    shift = 0
    for post in posts:
        if not post.text:
            continue
        entities += [entity._replace(offset=entity.offset + shift) for entity in post.entities]
        texts.append(post.text)
        shift += len(post.text.encode("utf-16-le")) // 2 + 1
    return "\n".join(texts), tuple(entities)


def _largest(numbers: Iterable[int | None]) -> int | None:
    return max((number for number in numbers if number is not None), default=None)


def _latest(dates: Iterable[datetime | None]) -> datetime | None:
    return max((date for date in dates if date is not None), default=None)
