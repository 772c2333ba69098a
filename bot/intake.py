"""From what Telegram showed to what really happened: which messages are new, changed or gone, and what became of posts.

Telegram shows the same message again and again, in any order. What is stored says what of it is news. Pure: stored rows
and hauls in, rows and arrivals out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.cursor import Cursor
from bot.judge import Arrival, Known
from bot.model import Channel, Happening, Haul, Post, PostId, Revision, Sighting, Stands
from bot.recording.albums import join
from bot.recording.jsonl import post_of
from bot.recording.writer import body_and_digest, digest
from bot.storage.posts import Message

#: A channel's marked id and a message's number.
Place = tuple[int, int]


class Version(NamedTuple):
    """How a message read until then."""

    channel: int
    number: int
    until: datetime
    body: str


@dataclass(slots=True)
class Intake:
    """What a batch of hauls comes to.

    ``messages``: rows to be written, whole. ``moves``: posts (channel, old number, new number) that got a lower number.
    ``arrivals`` are for the judge, their ``known`` filled in as far as stored messages tell; `known_posts` are those
    of which the tables may say more: topics and story. ``gone``: deletions that were pushed, of numbers of which
    nothing is stored too; ``early``: edits of posts that the first reading of their channel has still to bring.
    """

    messages: dict[Place, Message] = field(default_factory=dict)
    gone: set[Place] = field(default_factory=set)
    early: dict[Place, Sighting] = field(default_factory=dict)
    versions: list[Version] = field(default_factory=list)
    moves: list[tuple[int, int, int]] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)

    @property
    def known_posts(self) -> set[Place]:
        """Posts that had been stored before, under the numbers that they had."""
        known = (arrival.formerly or arrival.revision.post.id for arrival in self.arrivals if arrival.known is not None)
        return {(int(post.channel), post.number) for post in known}


def wanted(hauls: Iterable[Haul]) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
    """The numbers, and the albums, of each channel of which stored rows have to be at hand.

    So have the other rows of whatever album a stored number is of: a deletion does not name it.
    """
    numbers: dict[int, set[int]] = {}
    albums: dict[int, set[int]] = {}
    for haul in hauls:
        mine = numbers.setdefault(haul.channel, set())
        mine.update(haul.gone)
        for sighting in haul.sightings:
            mine.add(sighting.number)
            if sighting.post is not None and sighting.post.album is not None:
                albums.setdefault(haul.channel, set()).add(sighting.post.album)
    return numbers, albums


@dataclass(slots=True)
class Overtaken:
    """What pushes have said of messages that a page may still show as they were before: it is remembered a while.

    A number that was deleted never comes back. ``early`` as in `Intake`.
    """

    gone: set[Place] = field(default_factory=set)
    early: dict[Place, Sighting] = field(default_factory=dict)

    def take(self, taken: Intake) -> None:
        """Takes note of a batch that is stored. When there is too much, it begins anew: a page is soon there."""
        if len(self.gone) > _REMEMBERED:
            self.gone.clear()
        if len(self.early) > _REMEMBERED:
            self.early.clear()
        self.gone |= taken.gone
        self.early |= taken.early
        if self.early:
            for place in taken.messages:
                self.early.pop(place, None)


_REMEMBERED = 5_000


def intake(  # noqa: PLR0913, PLR0917 - all that a batch is compared with
    hauls: Iterable[Haul],
    seen: datetime,
    stored: Iterable[Message],
    cursors: Mapping[int, Cursor],
    channel_of: Callable[[int], Channel],
    overtaken: Overtaken | None = None,
) -> Intake:
    """Sorts a batch that is seen at one moment. ``stored``: the rows of all numbers and albums that are `wanted`."""
    sorting = _Sorting(seen, stored, cursors, channel_of, overtaken or Overtaken())
    for haul in hauls:
        sorting.take(haul)
    sorting.settle()
    return sorting.intake


class _Sorting:
    """Rows as they were and as they are now, and which posts that touches."""

    def __init__(
        self,
        seen: datetime,
        stored: Iterable[Message],
        cursors: Mapping[int, Cursor],
        channel_of: Callable[[int], Channel],
        overtaken: Overtaken,
    ) -> None:
        self._seen = seen
        self._overtaken = overtaken
        #: Of channels of which a page of this batch has lowered it.
        self._floors: dict[int, int] = {}
        self._before = {(row.channel, row.number): row for row in stored}
        self._cursors = cursors
        self._channel_of = channel_of
        #: Posts of this batch as they came, so that none is read from its row again.
        self._posts: dict[Place, Post] = {}
        #: Messages of a post that something happened to, by the post's key, in the order of happening.
        self._touched: dict[tuple[int, int | None, int], set[int]] = {}
        self._members: dict[tuple[int, int], set[int]] = {}
        self._edits: dict[Place, int] = {}
        for row in self._before.values():
            if row.album is not None:
                self._members.setdefault((row.channel, row.album), set()).add(row.number)
        self.intake = Intake()

    def take(self, haul: Haul) -> None:
        channel = haul.channel
        cursor = self._cursors.get(channel)
        floor = self._floors.get(channel, cursor.floor if cursor else 0)
        if haul.floor is not None:
            floor = self._floors[channel] = min(floor, haul.floor)
        for sighting in haul.sightings:
            place = channel, sighting.number
            if sighting.number <= floor:
                self._remember(place, sighting)
                continue
            self._sight(channel, sighting, read=haul.read)
            if haul.read and (early := self._early(place)) is not None:
                # Which of the two is newer is told by their dates of edit.
                self._sight(channel, early, read=True)
        for number in haul.gone:
            self._delete((channel, number), pushed=not haul.read)

    def _delete(self, place: Place, *, pushed: bool) -> None:
        if pushed:
            self.intake.gone.add(place)
        row = self._row(place)
        if row is not None and row.stands is Stands.POST and row.deleted is None:
            self._write(row._replace(deleted=self._seen))

    def _is_gone(self, place: Place) -> bool:
        """Whether it was pushed that this was deleted, whatever shows it as it was before."""
        return place in self.intake.gone or place in self._overtaken.gone

    def _remember(self, place: Place, sighting: Sighting) -> None:
        """An edit of a post that the first reading has still to bring."""
        cursor = self._cursors.get(place[0])
        if cursor is not None and not cursor.history_read:
            self.intake.early[place] = sighting

    def _early(self, place: Place) -> Sighting | None:
        return self.intake.early.get(place) or self._overtaken.early.get(place)

    def settle(self) -> None:
        """Makes arrivals of all that was touched."""
        for (channel, album, number), numbers in self._touched.items():
            if album is not None:
                self._settle_post(channel, sorted(self._members[channel, album]), numbers)
            elif not self._settle_new(channel, number):
                self._settle_post(channel, [number], numbers)

    def _row(self, place: Place) -> Message | None:
        return self.intake.messages.get(place) or self._before.get(place)

    def _sight(self, channel: int, sighting: Sighting, *, read: bool) -> None:
        place = channel, sighting.number
        row = self._row(place)
        post = sighting.post
        if post is None:
            if row is None:
                self.intake.messages[place] = Message(
                    channel, sighting.number, sighting.stands, None, sighting.number, None, self._seen, None, None, None
                )
            return
        said, content = body_and_digest(post)
        if row is None or row.body is None:
            first = row.seen if row is not None else self._seen
            self._posts[place] = post
            album, date = post.album, post.date
            gone = self._seen if self._is_gone(place) else None
            new = Message(channel, post.number, Stands.POST, album, post.number, date, first, gone, content, said)
            if album is not None:
                self._members.setdefault((channel, album), set()).add(post.number)
            self._write(new)
            return
        if row.deleted is not None:
            if not read or self._is_gone(place):
                return
            # A page shows it, so what seemed to be gone was only not shown.
            row = row._replace(deleted=None)
            self._write(row)
        if row.body is not None and content != row.digest and not _is_older(post, stored := self._post(row)):
            new = row._replace(digest=content, body=said)
            self._posts[place] = post
            if content == digest(stored):
                # The sum of what is stored was once taken of more: of whether the post is protected.
                self.intake.messages[place] = new
                return
            self.intake.versions.append(Version(channel, post.number, self._until(place), row.body))
            self._write(new)

    def _until(self, place: Place) -> datetime:
        """The moment of the batch, for each further version of one message a microsecond later: it is told by that."""
        count = self._edits[place] = self._edits.get(place, -1) + 1
        return self._seen + timedelta(microseconds=count)

    def _write(self, row: Message) -> None:
        self.intake.messages[row.channel, row.number] = row
        key = (row.channel, row.album, row.number if row.album is None else 0)
        self._touched.setdefault(key, set()).add(row.number)

    def _settle_new(self, channel: int, number: int) -> bool:
        """A post of one message that was never seen before, as nearly all are; False if it is another."""
        place = channel, number
        post = self._posts.get(place)
        if post is None or place in self._before or place in self._edits or self.intake.messages[place].deleted:
            return False
        revision = Revision(Happening.POSTED, post.date, post)
        self.intake.arrivals.append(Arrival(revision, self._seen, None, self._is_history(channel, number)))
        return True

    def _settle_post(self, channel: int, numbers: Sequence[int], touched: AbstractSet[int]) -> None:
        """One post: what it was, what it is, and so what happened to it."""
        lead = numbers[0]
        before = [row for number in numbers if (row := self._before.get((channel, number))) and row.body is not None]
        now = [row for number in numbers if (row := self._row((channel, number))) and row.body is not None]
        for row in now:
            if row.post != lead:
                self.intake.messages[channel, row.number] = row._replace(post=lead)
        formerly = next((row.post for row in before if row.post != lead), None)
        if formerly is not None:
            self.intake.moves.append((channel, formerly, lead))
        was = self._composed(before, lead)
        known = None if was is None else Known(post=was)
        renamed = None if formerly is None else PostId(str(channel), formerly)
        for happening in _happenings(before, now, touched):
            gone = happening is Happening.DELETED
            post = self._composed(now, lead, living=not gone)
            if post is None:
                continue
            if gone:
                post = replace(post, deleted=self._seen)
            revision = Revision(happening, _moment(happening, post, self._seen), post)
            history = happening in (Happening.POSTED, Happening.GREW) and self._is_history(channel, lead)
            self.intake.arrivals.append(Arrival(revision, self._seen, known, history, renamed))
            known, renamed = known or Known(post=post), None

    def _is_history(self, channel: int, number: int) -> bool:
        cursor = self._cursors.get(channel)
        return cursor is not None and number <= cursor.began

    def _composed(self, rows: Sequence[Message], lead: int, *, living: bool = True) -> Post | None:
        """The post that messages are. Of one that is wholly deleted, or will be now, as it read last."""
        if not rows:
            return None
        posts = [self._post(row) for row in rows]
        shown = [post for post, row in zip(posts, rows, strict=True) if row.deleted is None] if living else posts
        joined = join(posts, shown=shown or posts)
        return joined if joined.number == lead else replace(joined, number=lead)

    def _post(self, row: Message) -> Post:
        """The post of a row, as this row has it."""
        known = self._posts.get((row.channel, row.number))
        current = self._row((row.channel, row.number))
        if known is not None and current is not None and current.body is row.body:
            return known
        return post_of(row.body or "", self._channel_of(row.channel))


def _happenings(before: Sequence[Message], now: Sequence[Message], touched: AbstractSet[int]) -> list[Happening]:
    """What happened to a post, in order. One that came and went in one batch did both."""
    gone = all(row.deleted is not None for row in now)
    if not before:
        return [Happening.POSTED, Happening.DELETED] if gone else [Happening.POSTED]
    if gone:
        return [Happening.DELETED]
    if any(row.number in touched for row in before):
        return [Happening.EDITED]
    return [Happening.GREW]


def _moment(happening: Happening, post: Post, seen: datetime) -> datetime:
    if happening is Happening.POSTED:
        return post.date
    if happening is Happening.EDITED and post.edited is not None:
        return post.edited
    return seen


def _is_older(post: Post, stored: Post) -> bool:
    """Whether this is how the post read before what is stored: pushes may overtake each other, and pages.

    Told by the dates of all changes, shown or not: Telegram hides the date that an edit has shown when a link preview
    comes after it.
    """
    before = stored.edited or stored.changed
    if before is None:
        return False
    now = post.edited or post.changed
    return now is None or now < before
