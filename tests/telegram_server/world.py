"""What exists on the server's side: persons, bots, channels and their posts. It is the truth that tests compare with.

Nothing here waits or does I/O. The same seed and the same calls make the same world.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from telethon.tl import types

from bot.model import Happening, Revision
from bot.recording.reader import read
from tests.telegram_server.channel import Event, WorldChannel
from tests.telegram_server.posts import Standing
from tests.telegram_server.wire import make

#: Channels of recordings are numbered from here on.
_FIRST = 1001


@dataclass(slots=True, eq=False, kw_only=True)
class Person:
    """An account. ``token`` is there for bots, ``phone`` for people; ``started``: the bots that it talks with,
    ``blocked``: from whom it takes nothing.

    ``messages`` are those outside channels, by number, and ``chats`` says with whom each was exchanged.
    """

    id: int
    phone: str | None = None
    first_name: str = "Reader"
    username: str | None = None
    password: str | None = None
    code: str = "22222"
    token: str | None = None
    premium: bool = False
    started: set[int] = field(default_factory=set)
    blocked: set[int] = field(default_factory=set)
    archived: set[int] = field(default_factory=set)
    muted: set[int] = field(default_factory=set)
    folders: list[Any] = field(default_factory=list)
    pts: int = 1
    messages: dict[int, Standing] = field(default_factory=dict)
    chats: dict[int, int] = field(default_factory=dict)
    events: list[tuple[int, int]] = field(default_factory=list)  # pts, number

    def keep(self, standing: Standing, chat: int) -> int:
        """Puts a message into the account's own box; returns the box's pts."""
        self.messages[standing.number] = standing
        self.chats[standing.number] = chat
        return self.moved(standing.number)

    def moved(self, number: int) -> int:
        """After a message of the box was put there or changed."""
        self.pts += 1
        self.events.append((self.pts, number))
        return self.pts

    def forget(self, most: int) -> None:
        """Lets go, silently, of all messages of the box but so many of the newest."""
        for number in sorted(self.messages)[:-most]:
            del self.messages[number], self.chats[number]
        self.events = [event for event in self.events if event[1] in self.messages]


class World:
    """``now`` dates what has no date of its own."""

    def __init__(self, seed: int = 0, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.seed = seed
        self.now = now
        self.people: dict[int, Person] = {}
        self.channels: dict[int, WorldChannel] = {}
        #: Small groups, with the supergroup that one has become, by their numbers.
        self.groups: dict[int, int | None] = {}
        self.listeners: list[Callable[[WorldChannel, Event], None]] = []

    def add_person(  # noqa: PLR0913 - so many things can be known of one
        self,
        number: int,
        *,
        phone: str | None = None,
        first_name: str = "Reader",
        username: str | None = None,
        password: str | None = None,
        code: str = "22222",
    ) -> Person:
        phone = phone or f"+99966{number % 100_000:05}"
        person = Person(id=number, phone=phone, first_name=first_name, username=username, password=password, code=code)
        self.people[number] = person
        return person

    def add_bot(self, number: int, *, token: str, username: str, started_by: Iterable[int] | None = None) -> Person:
        """``started_by``: who lets the bot write to them; all there are, when nothing is said."""
        bot = Person(id=number, first_name=username, username=username, token=token)
        for person in self.people.values() if started_by is None else (self.people[one] for one in started_by):
            person.started.add(number)
        self.people[number] = bot
        return bot

    def add_channel(  # noqa: PLR0913 - likewise
        self,
        number: int,
        *,
        username: str | None = None,
        title: str | None = None,
        megagroup: bool = False,
        invite: str | None = None,
        approval: bool = False,
        protected: bool = False,
        members: Iterable[int] = (),
        admins: Iterable[int] = (),
    ) -> WorldChannel:
        """``members`` have joined; ``admins`` have too, and may post in a channel that is no megagroup."""
        channel = WorldChannel(
            number=number,
            title=title or username or f"Channel {number}",
            created=self.now(),
            now=self.now,
            tell=self._tell,
            username=username,
            megagroup=megagroup,
            invite=invite,
            approval=approval,
            protected=protected,
            members={*members, *admins},
            admins=set(admins),
        )
        self.channels[number] = channel
        return channel

    def add_folder(self, person: int, title: str, channels: Iterable[int] = (), **more: Any) -> Any:
        """A chat folder of a person, last of all; ``more``: whatever else a dialogFilter is made of."""
        mine = self.people[person].folders
        named = types.TextWithEntities(title, [])
        peers = [self.addressed(person, number) for number in channels]
        mine.append(make(types.DialogFilter, id=len(mine) + 2, title=named, include_peers=peers, **more))
        return mine[-1]

    def addressed(self, person: int, channel: int) -> Any:
        """A channel as an account of this person's writes it into a call."""
        return types.InputPeerChannel(channel, self.access_hash(person, channel))

    def load(self, paths: Sequence[Path]) -> list[WorldChannel]:
        """Adds the channels of recordings and all that happened in them; returns the channels as they appeared."""
        before = set(self.channels)
        for _ in self.play(paths, push=False):
            pass
        return [channel for number, channel in self.channels.items() if number not in before]

    def play(self, paths: Sequence[Path], *, push: bool = True) -> Iterator[Revision]:
        """The same step by step: each revision has happened when it is yielded. Posts keep their numbers."""
        known: dict[str, WorldChannel] = {}
        for revision in read(paths, lambda _: None):
            source = revision.post.channel
            if source.key not in known:
                number = max((_FIRST - 1, *self.channels)) + 1
                known[source.key] = self.add_channel(number, username=source.username, title=source.shown)
            _happen(known[source.key], revision, push=push)
            yield revision

    def access_hash(self, viewer: int, thing: int) -> int:
        """How a viewer's account addresses a channel or person: useless to another account."""
        digest = blake2b(f"{self.seed}/{viewer}/{thing}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big", signed=True)

    def joined(self, person: int) -> list[WorldChannel]:
        return [channel for channel in self.channels.values() if person in channel.members]

    def named(self, username: str) -> WorldChannel | Person | None:
        wanted = username.casefold()
        everybody: list[WorldChannel | Person] = [*self.channels.values(), *self.people.values()]
        for one in everybody:
            if one.username is not None and one.username.casefold() == wanted:
                return one
        return None

    def _tell(self, channel: WorldChannel, event: Event) -> None:
        for listener in self.listeners:
            listener(channel, event)


def _happen(channel: WorldChannel, revision: Revision, *, push: bool) -> None:
    """One revision of a recording. Of an album that the recording's reader joined only its first number is used."""
    post = revision.post
    media = post.media[0] if post.media else None
    if revision.happening is Happening.DELETED:
        channel.delete(post.number, push=push)
    elif channel.living(post.number):
        channel.edit(post.number, post.text, entities=post.entities, media=media, date=revision.at, push=push)
    else:
        channel.post(
            post.text,
            entities=post.entities,
            media=media,
            date=post.date,
            album=post.album,
            forward=post.origin,
            views=post.views,
            forwards=post.forwards or 0,
            reply_to=post.reply_to,
            number=post.number,
            push=push,
        )
