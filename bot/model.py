"""The field's nouns as frozen values. Imports nothing of ours; knows no library but the standard one.

Offsets are code points of the text they point into, except in `Entity`, which is as Telegram counts:
UTF-16 units. Times are aware and in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple

#: Telegram's marked ids: a channel's own number behind this offset.
#: https://core.telegram.org/api/bots/ids
_MARK = 1_000_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel or supergroup as it is known where the post was read.

    ``id`` is Telegram's marked id (``-100…``); ``own`` is what a recording calls it. At least one of
    ``id``, ``username`` and ``own`` is there.
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
    def shown(self) -> str:
        """How a person reads it."""
        return self.title or (f"@{self.username}" if self.username else self.name)


def marked_id(number: int) -> int:
    """The ``-100…`` form of a channel id given in either form."""
    return number if number < 0 else -_MARK - number


@dataclass(frozen=True, slots=True)
class PostId:
    """Where a post stands: its channel's name and its number there (an album's lowest)."""

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
    """A post as it stood at one moment. An album is one post: lowest id, captions joined by a newline."""

    channel: Channel
    number: int
    date: datetime
    text: str
    entities: tuple[Entity, ...] = ()
    media: tuple[Media, ...] = ()
    views: int | None = None
    forwards: int | None = None
    edited: datetime | None = None
    deleted: datetime | None = None
    origin: Origin | None = None
    album: int | None = None
    reply_to: int | None = None
    protected: bool = False
    url: str | None = None

    @property
    def id(self) -> PostId:
        return PostId(self.channel.name, self.number)

    def parts(self) -> list[Part]:
        """What of it is searched, the text first. Of a link preview only the title is."""
        parts = [Part(PartKind.TEXT, self.text)]
        if self.entities:
            parts += [Part(PartKind.LINK, entity.url, entity.offset) for entity in self.entities if entity.url]
        for media in self.media:
            preview = media.kind in ("webpage", "preview")
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
        """Its address: its own, else ``t.me/name/id``, else ``t.me/c/…`` for a channel without a name."""
        if self.url:
            return self.url
        if self.channel.username:
            return f"https://t.me/{self.channel.username}/{self.number}"
        if self.channel.id is not None and self.channel.id < -_MARK:
            return f"https://t.me/c/{-self.channel.id - _MARK}/{self.number}"
        return None


class Happening(StrEnum):
    """What a revision of a post is."""

    POSTED = "posted"
    EDITED = "edited"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Revision:
    """A post, and what happened to it at ``at``: posted, edited or deleted."""

    happening: Happening
    at: datetime
    post: Post


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
class Problem:
    """Something in an input that was skipped (``kind`` "skipped") or taken as it stands ("warning")."""

    kind: Literal["skipped", "warning"]
    where: str
    why: str

    def __str__(self) -> str:
        return f"{self.where}: {self.why}"
