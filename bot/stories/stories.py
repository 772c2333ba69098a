"""One story, one alert: which story a matched post is of, and what each destination was told of it.

A post joins the story of a post in another channel that is a forward of the same origin or says much the same,
when their dates are at most the window apart; posts of one channel never fold into each other. A batch is
judged in an overlay, which is merged once it is stored: one that is dropped leaves no trace.

A flood costs no more than other posts: of each list the newest `LOOKED_AT` are candidates, and of these the
`COMPARED` that share most with the post (the newer ones of equals) are compared with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.model import Destination, Post, PostId
from bot.stories.fingerprint import KEYS, SHARED, Likeness, count_words, fingerprint, hashes_of, said
from bot.stories.member import Member, origins_of, place
from bot.stories.shelf import Shelf

#: How like two texts must be. On real posts all that were alike by 0.6 reached it and none that were not by 0.35 did;
#: a higher one begins more stories of one template, which then part what is alike (`bench/stories.py`).
ALIKE = 0.44
#: Texts of fewer words fold only within the hour, and when more alike: one changed word is other news.
FEW_WORDS = 8
ALIKE_IN_FEW_WORDS = 0.8
WINDOW_OF_FEW_WORDS = timedelta(hours=1)

#: Members that are kept, whatever the window: 10,000 matched posts in two days take some 50 MB.
MOST = 10_000

LOOKED_AT = 32
#: Where these are all the channel's own, or too old: a channel that repeats itself must not bury the others.
FURTHER = 512
COMPARED = 32

_EVER = datetime.min.replace(tzinfo=UTC)


class Stories:
    """What was merged. Members older than the window are forgotten, the oldest first while there are too many."""

    def __init__(self, window: timedelta, most: int = MOST) -> None:
        self._window = window
        self._most = most
        self._shelf = Shelf()
        self._seats = 0
        self._merges = 0
        self._told: dict[PostId, dict[Destination, dict[str, bool]]] = {}

    @classmethod
    def rebuilt(
        cls,
        window: timedelta,
        members: Iterable[Member],
        told: Iterable[tuple[PostId, Destination, str, bool]] = (),
        *,
        most: int = MOST,
    ) -> Stories:
        """From what was stored: members in the order in which they joined, and what was told of their stories."""
        stories = cls(window, most)
        for member in members:
            seat = stories._shelf.seats.get(member.post, stories._seats)
            stories._shelf.put(seat, member)
            stories._seats = max(stories._seats, seat + 1)
        for story, destination, topic, urgent in told:
            stories._tell(story, destination, {topic: urgent})
        stories._forget()
        return stories

    def __len__(self) -> int:
        """How many members are kept."""
        return len(self._shelf.members)

    def overlay(self, window: timedelta | None = None) -> Overlay:
        """For one batch: sees everything merged so far. ``window``: that of the rules in force, if it has changed."""
        return Overlay(self._shelf, self._told, window or self._window, first=self._seats, merges=self._merges)

    def merge(self, overlay: Overlay) -> None:
        """Takes in what an overlay holds. ValueError when another was merged since it was made."""
        if overlay.merges != self._merges:
            raise ValueError(
                "this overlay does not know the last merge; make one, fill it and merge it before the next"
            )
        self._merges += 1
        self._window = overlay.window
        for seat, member in overlay.seated():
            self._shelf.put(seat, member)
            self._seats = max(self._seats, seat + 1)
        for (story, destination), topics in overlay.tellings():
            self._tell(story, destination, topics)
        self._forget()

    def _tell(self, story: PostId, destination: Destination, topics: Mapping[str, bool]) -> None:
        """Kept longer than the story's members: a late edit of one still belongs to it."""
        told = self._told.pop(story, {})
        told.setdefault(destination, {}).update(topics)
        self._told[story] = told
        if len(self._told) > self._most:
            del self._told[next(iter(self._told))]

    def _forget(self) -> None:
        newest = self._shelf.newest()
        if newest is None:
            return
        before = newest - self._window if newest - _EVER > self._window else _EVER
        for seat in self._shelf.oldest(before, self._most):
            self._shelf.drop(seat)


class Overlay:
    """What one batch adds. Seats that it holds are its word against that of the shelf below."""

    def __init__(
        self,
        below: Shelf,
        told: Mapping[PostId, Mapping[Destination, Mapping[str, bool]]],
        window: timedelta,
        *,
        first: int,
        merges: int,
    ) -> None:
        self.merges = merges
        self._below = below
        self._here = Shelf()
        self.window = window
        self._next = first
        self._told_below = told
        self._told_here: dict[tuple[PostId, Destination], dict[str, bool]] = {}

    def join(self, post: Post, story: PostId | None = None) -> Member:
        """Finds or begins the story of a post and adds it; its footer says nothing.

        A post that is a member already keeps its story, and one that was, long ago, is given it as ``story``; its
        text and origins are taken anew.
        """
        found = _member(post, said(post.text, post.footer))
        seat = self._seat(post.id)
        if seat is None:
            seat = self._next
            self._next += 1
            story = story or self._of_origin(found) or self._of_text(found)
        else:
            story = self._member(seat).story
        if story is not None and story != found.story:
            found = replace(found, story=story)
        self._here.put(seat, found)
        return found

    def rename(self, old: PostId, new: PostId) -> None:
        """An album has got a lower id. Nothing happens when ``old`` is no member or ``new`` is one."""
        seat = self._seat(old)
        if seat is not None and self._seat(new) is None:
            member = self._member(seat)
            origins = tuple(dict.fromkeys([*member.origins, place(new.channel, new.number)]))
            self._here.put(seat, replace(member, post=new, origins=origins))

    def story_of(self, id: PostId) -> PostId | None:  # noqa: A002 - it is an id
        """The story of a post; None when it is no member, or no longer."""
        seat = self._seat(id)
        return None if seat is None else self._member(seat).story

    def members(self, story: PostId) -> tuple[PostId, ...]:
        """The posts of a story that are kept, in order of joining."""
        seats = {seat for shelf in (self._below, self._here) for seat in shelf.by_story.get(story, ())}
        return tuple([self._member(seat).post for seat in sorted(seats)])

    def told(self, story: PostId, destination: Destination) -> Mapping[str, bool]:
        """The names of the topics that a destination was told of, each with whether as urgent."""
        below = self._told_below.get(story, {}).get(destination, {})
        return {**below, **self._told_here.get((story, destination), {})}

    def tell(self, story: PostId, destination: Destination, topic: str, *, urgent: bool) -> None:
        """Takes note that a destination is told of a topic; what was urgent once stays so."""
        urgent = urgent or self.told(story, destination).get(topic, False)
        self._told_here.setdefault((story, destination), {})[topic] = urgent

    @property
    def added(self) -> tuple[Member, ...]:
        """The members joined or renewed in this batch, in order of joining: what has to be stored."""
        return tuple([member for _, member in self.seated()])

    def seated(self) -> list[tuple[int, Member]]:
        """The same with their seats."""
        return sorted(self._here.members.items(), key=lambda item: item[0])

    def tellings(self) -> Iterable[tuple[tuple[PostId, Destination], Mapping[str, bool]]]:
        """What was told in this batch."""
        return self._told_here.items()

    def _seat(self, post: PostId) -> int | None:
        seat = self._here.seats.get(post)
        if seat is None:
            seat = self._below.seats.get(post)
            if seat in self._here.members:  # it was renamed since
                return None
        return seat

    def _member(self, seat: int) -> Member:
        return self._here.members.get(seat) or self._below.members[seat]

    def _shelves(self) -> tuple[Shelf, ...]:
        return (self._below, self._here) if self._here.members else (self._below,)

    def _of_origin(self, post: Member) -> PostId | None:
        """The story that holds a post of the same origin; that of the earliest one when there are several."""
        seats: set[int] = set()
        for shelf in self._shelves():
            for origin in post.origins:
                seats.update(shelf.by_origin.get(origin, ())[-LOOKED_AT:])
        same = [
            other
            for other in map(self._member, seats)
            if _near(post, other, self.window) and not set(post.origins).isdisjoint(other.origins)
        ]
        return min(same, key=_by_date).story if same else None

    def _of_text(self, post: Member) -> PostId | None:
        """The story that holds the text most like this one; that of the earliest one of equals."""
        alike: list[tuple[float, Member]] = []
        likeness = Likeness(post.fingerprint)
        for other in self._candidates(post):
            few = min(post.words, other.words) < FEW_WORDS
            how = likeness.to(other.fingerprint)
            if how >= (ALIKE_IN_FEW_WORDS if few else ALIKE) and not (few and self._speaks_in(other.story, post)):
                alike.append((how, other))
        return min(alike, key=lambda pair: (-pair[0], *_by_date(pair[1])))[1].story if alike else None

    def _speaks_in(self, story: PostId, post: Member) -> bool:
        """Whether the post's channel has a post in a story: with few words, another one is a second siren.

        What lies further back than the window does not count: it may have been forgotten, or not yet.
        """
        seats = {seat for shelf in (self._below, self._here) for seat in shelf.by_story.get(story, ())}
        return any(
            other.post.channel == post.post.channel and abs(other.date - post.date) <= self.window
            for other in map(self._member, seats)
        )

    def _candidates(self, post: Member) -> list[Member]:
        """Members of other channels, near in time, whose text may be like this one's.

        Looked for further back when all that is newest is the channel's own.
        """
        keys = hashes_of(post.fingerprint, KEYS)
        least = min(SHARED, len(keys))
        near: list[tuple[int, int]] = []
        for depth in (LOOKED_AT, FURTHER):
            seats: list[int] = []
            for shelf in self._shelves():
                for key in keys:
                    if key in shelf.by_hash:
                        seats += shelf.by_hash[key][-depth:]
            shared = [(count, seat) for seat, count in Counter(seats).items() if count >= least]
            near = [(count, seat) for count, seat in shared if self._may_fold(post, self._member(seat))]
            if near or len(shared) < depth:
                break
        return [self._member(seat) for _, seat in sorted(near, reverse=True)[:COMPARED]]

    def _may_fold(self, post: Member, other: Member) -> bool:
        few = min(post.words, other.words) < FEW_WORDS
        return _near(post, other, min(self.window, WINDOW_OF_FEW_WORDS) if few else self.window)


def _member(post: Post, plain: str) -> Member:
    """A post that is alone in its story. Emoji alone say nothing."""
    words = count_words(plain)
    return Member(post.id, post.id, post.date, fingerprint(plain) if words else b"", words, origins_of(post))


def _by_date(member: Member) -> tuple[datetime, str, int]:
    return member.date, member.post.channel, member.post.number


def _near(post: Member, other: Member, window: timedelta) -> bool:
    """Whether two posts are of different channels and at most this far apart in time."""
    return other.post.channel != post.post.channel and abs(other.date - post.date) <= window
