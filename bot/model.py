"""The field's nouns as frozen values: what was read, what was found in it, what was decided, what is told.

Imports nothing of ours; knows no library but the standard one.
Offsets are code points of the text they point into, except in `Entity`, which is as Telegram counts:
UTF-16 units. Times are aware and in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, auto
from typing import Literal, NamedTuple

#: Telegram's marked ids: a channel's own number behind this offset. https://core.telegram.org/api/bots/ids
_MARK = 1_000_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel or supergroup as it is known where the post was read.

    ``id`` is Telegram's marked id (``-100…``), ``own`` what a recording calls it; one of them or ``username`` is there.
    """

    id: int | None = None
    username: str | None = None
    title: str | None = None
    own: str | None = None

    @property
    def name(self) -> str:
        """How results name it: the name without @, else the recording's own, else the ``-100…`` id."""
        return self.username or self.own or str(self.id)

    @property
    def key(self) -> str:
        """What tells channels apart: the id, which no renaming changes, else the name, whose letter case is nothing."""
        return str(self.id) if self.id is not None else (self.username or self.own or "").casefold()

    @property
    def shown(self) -> str:
        """How a person reads it."""
        return self.title or (f"@{self.username}" if self.username else self.name)


def marked_id(number: int) -> int:
    """The ``-100…`` form of a channel id given in either form."""
    return number if number < 0 else -_MARK - number


@dataclass(frozen=True, slots=True)
class PostId:
    """Where a post stands: its channel's key and its number there (an album's lowest)."""

    channel: str
    number: int

    def __str__(self) -> str:
        return f"{self.channel}/{self.number}"


class PartKind(StrEnum):
    """The parts of a post that are searched; a phrase stays within one of them."""

    TEXT = "text"
    LINK = "link"
    POLL = "poll"
    FILE = "file"
    MEDIA = "media"
    PREVIEW = "preview"


class Part(NamedTuple):
    """One searched part. ``anchor`` is the UTF-16 unit of the post's text on which a hidden link hangs."""

    kind: PartKind
    text: str
    anchor: int | None = None


#: Kinds of media that only show what a link leads to.
PREVIEWS = ("webpage", "preview")


class Entity(NamedTuple):
    """A stretch of a post's text in UTF-16 units; ``url`` where it hides a link."""

    type: str
    offset: int
    length: int
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a forwarded post came from, as far as Telegram tells."""

    channel: str | None = None
    name: str | None = None
    post: int | None = None
    date: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """What hangs on a post. ``text`` is a poll's question and answers, one a line."""

    kind: str
    file_name: str | None = None
    title: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A post as it stood at one moment. An album is one post: lowest id, captions joined by a newline.

    ``footer``: the code point at which what its channel repeats under its posts begins, once that is known.
    ``changed``: when Telegram last changed it, where it shows no sign of that; else ``edited`` says so.
    """

    channel: Channel
    number: int
    date: datetime
    text: str
    entities: tuple[Entity, ...] = ()
    media: tuple[Media, ...] = ()
    views: int | None = None
    forwards: int | None = None
    edited: datetime | None = None
    changed: datetime | None = None
    deleted: datetime | None = None
    origin: Origin | None = None
    album: int | None = None
    reply_to: int | None = None
    protected: bool = False
    url: str | None = None
    footer: int | None = None

    @property
    def body(self) -> str:
        """What it says: its text without the footer."""
        return self.text if self.footer is None else self.text[: self.footer].rstrip()

    @property
    def id(self) -> PostId:
        return PostId(self.channel.key, self.number)

    def says_the_same_as(self, other: Post) -> bool:
        """Whether only what is no edit differs: views, formatting, a link preview, its date of edit."""
        return self._said() == other._said()

    def _said(self) -> tuple[object, ...]:
        links = [(entity.url, entity.offset) for entity in self.entities if entity.url]
        return self.text, links, [media for media in self.media if media.kind not in PREVIEWS]

    def parts(self) -> list[Part]:
        """What of it is searched, the text first. Of a link preview only the title is."""
        parts = [Part(PartKind.TEXT, self.text)]
        if self.entities:
            parts += [Part(PartKind.LINK, entity.url, entity.offset) for entity in self.entities if entity.url]
        for media in self.media:
            preview = media.kind in PREVIEWS
            poll = media.kind == "poll"
            if media.text and not preview:
                parts.append(Part(PartKind.POLL if poll else PartKind.MEDIA, media.text))
            if media.file_name:
                parts.append(Part(PartKind.FILE, media.file_name))
            if media.title:
                kind = PartKind.PREVIEW if preview else PartKind.POLL if poll else PartKind.MEDIA
                parts.append(Part(kind, media.title))
        return parts

    @property
    def link(self) -> str | None:
        """Its address: ``t.me/name/id``, ``t.me/c/…`` for a channel without a name, else what a recording says."""
        if self.channel.username:
            return f"https://t.me/{self.channel.username}/{self.number}"
        if self.channel.id is not None and self.channel.id < -_MARK:
            return f"https://t.me/c/{-self.channel.id - _MARK}/{self.number}"
        return self.url


class Happening(StrEnum):
    """What a revision of a post is."""

    POSTED = "posted"
    GREW = "grew"  # later parts of its album arrived
    EDITED = "edited"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Revision:
    """A post, and what happened to it at ``at``."""

    happening: Happening
    at: datetime
    post: Post


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A channel as one account addresses it; ``access_hash`` is that account's own and useless to another.

    ``joined``: Telegram pushes to the account what is posted there. ``protected``: none of it can be forwarded.
    """

    id: int
    access_hash: int
    username: str | None = None
    title: str | None = None
    joined: bool = False
    protected: bool = False  # as an answer has shown it, and not stored
    channel: Channel = field(init=False, repr=False, compare=False)  # once: each push asks for it

    def __post_init__(self) -> None:
        object.__setattr__(self, "channel", Channel(id=self.id, username=self.username, title=self.title))


class Stands(StrEnum):
    """What can stand under a number of a channel. A number under which nothing stands is no `Sighting`."""

    POST = auto()
    SERVICE = auto()  # somebody joined, a title changed: it uses up a number and says nothing
    UNREADABLE = auto()  # of a kind that the Telegram library does not know yet


@dataclass(frozen=True, slots=True)
class Sighting:
    """What Telegram showed under one number; a member of an album is a sighting of its own.

    ``post`` is there exactly when a post stands there.
    """

    number: int
    stands: Stands
    post: Post | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Haul:
    """What one push or one page of history brought of a channel (marked id), to be stored as a whole.

    ``read``: a page of history brought it, and not a push. ``gone``: numbers that were deleted. Where a page was read,
    all that exists in it is in the haul, and the cursor may be moved over it: ``verified`` is its highest number,
    ``floor`` (of a page read backwards) the number below which reading goes on. ``top``: the newest number that there
    is, where the page has shown it, or that was heard of.
    ``history_read``: the first reading of the channel has come to its end. ``pts``: Telegram's count of the channel's
    events as of then.
    """

    channel: int
    sightings: tuple[Sighting, ...] = ()
    read: bool = False
    gone: tuple[int, ...] = ()
    verified: int | None = None
    floor: int | None = None
    top: int | None = None
    history_read: bool = False
    pts: int | None = None


class Hit(NamedTuple):
    """A stretch that made a match: ``text`` is ``part.text[start:end]``, in code points of that part."""

    kind: PartKind
    start: int
    end: int
    text: str

    def as_json(self) -> dict[str, str | int]:
        return {"in": self.kind.value, "start": self.start, "end": self.end, "text": self.text}


class Match(NamedTuple):
    """A post and a topic: the keywords (queries as typed) that matched, and where, in reading order."""

    topic: str
    keywords: tuple[str, ...]
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Username:
    """A public channel or chat by its name, in small letters and without @."""

    name: str

    def __str__(self) -> str:
        return f"@{self.name}"


@dataclass(frozen=True, slots=True)
class Invite:
    """A private channel by the code of its invite link."""

    code: str

    def __str__(self) -> str:
        return f"t.me/+{self.code}"


@dataclass(frozen=True, slots=True)
class ChatId:
    """A chat by Telegram's marked id: ``-100…`` a channel or supergroup, else negative a group, positive a person."""

    id: int

    def __str__(self) -> str:
        return str(self.id)


@dataclass(frozen=True, slots=True)
class Me:
    """The reader's own person."""

    def __str__(self) -> str:
        return "me"


#: How a configuration names a channel.
ChannelRef = Username | Invite | ChatId


@dataclass(frozen=True, slots=True)
class Destination:
    """A chat, or a forum topic in one (``thread``, so that it is not mistaken for a topic of ours)."""

    chat: Me | Username | ChatId
    thread: int | None = None

    def __str__(self) -> str:
        return str(self.chat) if self.thread is None else f"{self.chat}/{self.thread}"


class Deliver(StrEnum):
    """How a topic is told."""

    URGENT = auto()
    ALERT = auto()
    DIGEST = auto()


class Verdict(StrEnum):
    """What is done about a match: told at once, told later, or not told again."""

    ALERT = auto()
    HOLD = auto()
    DROP = auto()


class Reason(StrEnum):
    """Why; each reason belongs to one verdict."""

    URGENT = auto()
    NEW = auto()
    EDIT = auto()
    DIGEST = auto()
    QUIET = auto()
    BURST = auto()
    LATE = auto()
    HISTORY = auto()
    FOLDED = auto()  # the post repeats what this destination was already told of
    STORY = auto()  # an edit brings a topic of which this destination knows from another post of the story

    @property
    def verdict(self) -> Verdict:
        return _VERDICTS[self]


_VERDICTS = {
    **dict.fromkeys((Reason.URGENT, Reason.NEW, Reason.EDIT), Verdict.ALERT),
    **dict.fromkeys((Reason.DIGEST, Reason.QUIET, Reason.BURST, Reason.LATE, Reason.HISTORY), Verdict.HOLD),
    **dict.fromkeys((Reason.FOLDED, Reason.STORY), Verdict.DROP),
}


class Decision(NamedTuple):
    """What is done about one match in its destination. ``due``: when what is held is told with its like."""

    match: Match
    destination: Destination
    reason: Reason
    due: datetime | None = None


class Found(NamedTuple):
    """A match as it was committed at ``at``, with the post's story."""

    post: Post
    match: Match
    story: PostId
    at: datetime


class Carrier(NamedTuple):
    """Another post of a story: where else it ran."""

    channel: str  # as a person reads it
    date: datetime
    link: str | None
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What one destination is told of a story at once.

    ``topics`` are titles, ``names`` the same topics' names; ``hits`` those of all of them.
    """

    destination: Destination
    story: PostId
    topics: tuple[str, ...]
    post: Post
    hits: tuple[Hit, ...]
    names: tuple[str, ...] = ()
    also: tuple[Carrier, ...] = ()
    edited: bool = False
    deleted: bool = False
    urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Alerts that were held (``reason`` quiet, burst or late), told in one message. Times are aware.

    ``more``: so many stories wait besides that only the digest tells, for one message must not become a hundred.
    """

    destination: Destination
    reason: Reason
    since: datetime
    until: datetime
    alerts: tuple[Alert, ...]
    more: int = 0


class DigestStory(NamedTuple):
    """A story in a digest: its first post of the period, the hits in it, and who else carried it."""

    post: Post
    hits: tuple[Hit, ...]
    also: tuple[Carrier, ...]
    edited: bool = False
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestTopic:
    """A topic's part of a digest. ``bars``: posts in each equal slice of the period; ``more``: stories left out."""

    title: str
    posts: int
    stories: tuple[DigestStory, ...]
    more: int
    bars: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What one destination is told of a period (since exclusive, until inclusive).

    ``posts`` and ``stories`` count each once, however many topics it is of. ``channels``: how many were read;
    ``behind``, ``lost`` and ``missing`` (never found): those that were not. ``history``: what a first reading brought.
    """

    destination: Destination
    since: datetime
    until: datetime
    topics: tuple[DigestTopic, ...]
    posts: int
    stories: int
    channels: int
    behind: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    history: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the operators are told: one sentence, and details one a line."""

    what: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in an input that was skipped (``kind`` "skipped") or taken as it stands ("warning")."""

    kind: Literal["skipped", "warning"]
    where: str
    why: str

    def __str__(self) -> str:
        return f"{self.where}: {self.why}"
