"""A channel as it really is: what stands under its numbers, and the row of its events, each with its pts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, auto
from typing import Any, NamedTuple

from telethon.tl import types

from bot.model import marked_id
from tests.telegram_server import posts
from tests.telegram_server.posts import Standing
from tests.telegram_server.wire import make, unknown


class Kind(StrEnum):
    """What can happen in a channel."""

    NEW = auto()
    EDIT = auto()
    DELETE = auto()
    CHANNEL = auto()  # its name or somebody's rights; this one moves no pts


class Topic(StrEnum):
    """How a topic of a forum stands."""

    OPEN = auto()
    CLOSED = auto()
    DELETED = auto()


class Event(NamedTuple):
    """Something that happened: the channel's ``pts`` after it, of which it took ``pts_count``."""

    kind: Kind
    pts: int
    pts_count: int
    at: datetime
    numbers: tuple[int, ...] = ()


@dataclass(slots=True, eq=False, kw_only=True)
class WorldChannel:
    """``number`` is the bare id. What is posted is told to ``tell``, with whether it is to be pushed.

    Who is no admin writes nothing while it is ``closed``, nor more often than each ``slow_mode`` seconds of the faults'
    time; who is ``banned`` writes nothing at all.
    """

    number: int
    title: str
    created: datetime
    now: Callable[[], datetime]
    tell: Callable[[WorldChannel, Event], None]
    username: str | None = None
    megagroup: bool = False
    monoforum: bool = False  # the private messages of a channel
    invite: str | None = None
    approval: bool = False  # whether somebody has to approve those who want to join
    guarded: bool = False  # whether a bot wants to talk with them
    protected: bool = False
    forum: bool = False
    closed: bool = False
    slow_mode: float = 0.0
    restriction: str | None = None
    members: set[int] = field(default_factory=set)
    admins: set[int] = field(default_factory=set)
    forbidden: set[int] = field(default_factory=set)
    banned: set[int] = field(default_factory=set)
    topics: dict[int, Topic] = field(default_factory=dict)
    last_said: dict[int, float] = field(default_factory=dict)
    forbidden_until: datetime | None = None
    pts: int = 1
    top: int = 0
    version: int = 0  # counts what changes how the channel itself looks
    forgotten: int = 0  # what happened up to this pts is not known any more
    standing: dict[int, Standing] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    _numbers: list[int] | None = None

    @property
    def marked(self) -> int:
        return marked_id(self.number)

    @property
    def peer(self) -> Any:
        return types.PeerChannel(self.number)

    def truth(self) -> dict[int, str]:
        """What the posts say that a reader can read now. Service messages and unknown kinds say nothing."""
        return {number: one.text for number, one in self.standing.items() if one.alive and one.text is not None}

    def alive(self) -> list[int]:
        """The numbers under which something stands, the highest first."""
        if self._numbers is None:
            self._numbers = sorted((number for number, one in self.standing.items() if one.alive), reverse=True)
        return self._numbers

    def living(self, number: int) -> Standing | None:
        found = self.standing.get(number)
        return found if found is not None and found.alive else None

    @property
    def newest(self) -> int:
        """The number of the newest message that there still is, 0 if there is none."""
        alive = self.alive()
        return alive[0] if alive else 0

    def post(  # noqa: PLR0913 - a post has as many sides
        self,
        text: str,
        *,
        entities: Sequence[Any] = (),
        media: Any = None,
        date: datetime | None = None,
        album: int | None = None,
        forward: Any = None,
        views: int | None = None,
        forwards: int = 0,
        rich: Sequence[Any] | None = None,
        part: int | None = None,
        reply_to: int | None = None,
        topic: bool = False,
        author: int | None = None,
        number: int | None = None,
        push: bool = True,
    ) -> int:
        """Puts a post there and returns its number.

        ``rich``: blocks (or strings, paragraphs) that a rich message consists of; ``text`` is then what a reader is
        to make of them. ``part``: only so many of them are in the message itself, the rest has to be asked for.
        ``topic``: what is replied to is a topic of a forum.
        """
        date = date or self.now()
        whole = posts.blocks(rich) if rich is not None else []
        message = types.Message(
            id=self._numbered(number),
            peer_id=self.peer,
            date=date,
            message="" if rich is not None else text,
            post=not self.megagroup or None,
            from_id=types.PeerUser(author) if self.megagroup and author is not None else None,
            entities=posts.entities(entities),
            media=posts.media(media),
            fwd_from=posts.forwarded(forward, date),
            views=views if views is not None or self.megagroup else 1,
            forwards=forwards if views is not None or not self.megagroup else None,
            grouped_id=album,
            reply_to=types.MessageReplyHeader(reply_to_msg_id=reply_to, forum_topic=topic or None)
            if reply_to is not None
            else None,
            rich_message=make(types.RichMessage, blocks=whole[:part], part=part is not None or None) if whole else None,
        )
        return self._stand(Standing(message, text, author, tuple(whole)), message.id, push=push)

    def service(self, *, push: bool = True) -> int:
        """Somebody pins something: a number is used up and nothing is said."""
        number = self._numbered(None)
        message = types.MessageService(
            id=number,
            peer_id=self.peer,
            date=self.now(),
            action=types.MessageActionPinMessage(),
            post=not self.megagroup or None,
        )
        return self._stand(Standing(message, None), number, push=push)

    def add_topic(self, title: str) -> int:
        """Opens a topic in a forum; its id is the number of the message that says so."""
        self.forum = True
        number = self._numbered(max(self.top + 1, 2))  # 1 is General
        action = types.MessageActionTopicCreate(title, icon_color=0)
        message = types.MessageService(id=number, peer_id=self.peer, date=self.now(), action=action)
        self.topics[number] = Topic.OPEN
        return self._stand(Standing(message, None), number, push=True)

    def unknown(self, *, push: bool = True) -> int:
        """A message that came after the client's library was made."""
        number = self._numbered(None)
        return self._stand(Standing(unknown(number), None), number, push=push)

    def burn(self) -> int:
        """Something is posted and gone before anybody hears of it."""
        number = self.post("", push=False)
        self.delete(number, push=False)
        return number

    def edit(  # noqa: PLR0913 - likewise
        self,
        number: int,
        text: str,
        *,
        entities: Sequence[Any] = (),
        media: Any = None,
        date: datetime | None = None,
        push: bool = True,
        hide: bool = False,
    ) -> None:
        """``hide``: as Telegram marks some edits that show no sign of it."""
        standing = self.standing[number]
        standing.text = standing.message.message = text
        standing.message.entities = posts.entities(entities)
        standing.message.media = posts.media(media) if media is not None else standing.message.media
        standing.edited = True
        self._edited(standing, hide=hide, date=date, push=push)

    def preview(self, number: int, title: str, *, push: bool = True) -> None:
        """What a link leads to is shown under the post from now on: an edit by Telegram itself."""
        standing = self.standing[number]
        page = make(types.WebPage, id=number, url="https://example.org/", title=title)
        standing.message.media = types.MessageMediaWebPage(page)
        self._edited(standing, hide=True, push=push)

    def react(self, number: int, *, push: bool = True) -> None:
        """Somebody likes it: an edit that changes nothing, and no longer hidden once the post was really edited."""
        standing = self.standing[number]
        before = standing.message.reactions.results[0].count if standing.message.reactions else 0
        counted = types.ReactionCount(types.ReactionEmoji("👍"), before + 1)
        standing.message.reactions = types.MessageReactions([counted])
        self._edited(standing, hide=not standing.edited, push=push)

    def delete(self, *numbers: int, push: bool = True) -> None:
        gone = tuple(number for number in numbers if self.living(number))
        for number in gone:
            self.standing[number].alive = False
        self._numbers = None
        if gone:
            self._happened(Kind.DELETE, gone, push=push)

    def rename(self, username: str | None) -> None:
        self.username = username
        self._changed()

    def restrict(self, why: str | None) -> None:
        """Telegram itself restricts it, or does so no more."""
        self.restriction = why
        self._changed()

    def forbid(self, person: int, *, until: datetime | None = None) -> None:
        """From now on the channel is private to a person."""
        self.forbidden_until = until
        self.members.discard(person)
        self.forbidden.add(person)
        self._changed()

    def allow(self, person: int) -> None:
        """Undoes `forbid`; the person has to join again."""
        self.forbidden.discard(person)
        self._changed()

    def join(self, person: int) -> None:
        self.members.add(person)
        self._changed()

    def leave(self, person: int) -> None:
        self.members.discard(person)
        self._changed()

    def readable_by(self, person: int) -> bool:
        return person not in self.forbidden and (self.username is not None or person in self.members)

    def since(self, pts: int) -> Iterator[Event]:
        """What happened after ``pts``, in order."""
        first = len(self.events)
        while first and self.events[first - 1].pts > pts:
            first -= 1
        return iter(self.events[first:])

    def forget(self, number: int, before: datetime) -> None:
        """Lets go, for good and silently, of what stands below a number, and of what happened before a time.

        Whoever asks for differences since then is told that these are too many.
        """
        self.standing = {at: one for at, one in self.standing.items() if at >= number}
        self._numbers = None
        gone = [event for event in self.events if event.at < before]
        if gone:
            self.forgotten = gone[-1].pts
            del self.events[: len(gone)]

    def _numbered(self, number: int | None) -> int:
        number = self.top + 1 if number is None else number
        self.top = max(self.top, number)
        return number

    def _stand(self, standing: Standing, number: int, *, push: bool) -> int:
        self.standing[number] = standing
        if self._numbers is not None:
            if number > (self._numbers[0] if self._numbers else 0):
                self._numbers.insert(0, number)
            else:
                self._numbers = None
        self._happened(Kind.NEW, (number,), push=push)
        return number

    def _edited(self, standing: Standing, *, hide: bool, push: bool, date: datetime | None = None) -> None:
        standing.message.edit_date = date or self.now()
        standing.message.edit_hide = hide or None
        standing.changed()
        self._happened(Kind.EDIT, (standing.number,), push=push)

    def _happened(self, kind: Kind, numbers: tuple[int, ...], *, push: bool) -> None:
        count = len(numbers)
        self.pts += count
        event = Event(kind, self.pts, count, self.now(), numbers)
        self.events.append(event)
        if push:
            self.tell(self, event)

    def _changed(self) -> None:
        self.version += 1
        self.tell(self, Event(Kind.CHANNEL, self.pts, 0, self.now()))
