"""What happens in the channels while the service watches: seeded, and remembered as what has to be found."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from random import Random

from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.world import World

#: A topic's name, and texts that are of it.
SAID = {
    "syria": ("Колонна идёт по Сирии", "⚡️СИРИЯ сегодня", "Асад улетел", "с Асадом говорили"),
    "bases": ("удар по военной базе", "военные базы пусты"),
}
_NOTHING = ("Погода без осадков", "Курс рубля вырос", "Доброе утро", "Фасад дома покрасили", "Сириус ярче всех")
_FIRST_NUMBER = 2001


class Traffic:
    """Posts by turns in channels ``demo_01``, ``demo_02`` …; every post says something of its own."""

    def __init__(self, world: World, channels: int, seed: int, reader: int) -> None:
        self._chance = Random(f"traffic {seed}")  # noqa: S311 - seeded, not secret
        self._count = itertools.count(1)
        self.posted = 0
        self.names = [f"traffic_{number:02}_demo" for number in range(1, channels + 1)]
        self.channels = [
            world.add_channel(_FIRST_NUMBER + at, username=name, title=f"Канал {at}", members=[reader])
            for at, name in enumerate(self.names)
        ]
        #: Of each post that has to be found its text, and what it is of.
        self._texts: dict[tuple[int, int], str] = {}
        self._topics: dict[tuple[int, int], set[str]] = {}
        self._deleted: set[tuple[int, int]] = set()
        self._singles: dict[int, list[int]] = {}

    def begin(self, posts: int) -> None:
        """Some posts in each channel before anybody watches."""
        for channel in self.channels:
            for _ in range(posts):
                self._post(channel)

    def step(self) -> None:
        """Something happens in some channel."""
        channel = self._chance.choice(self.channels)
        match self._chance.random():
            case share if share < 0.80:
                self._post(channel)
            case share if share < 0.86:
                self._album(channel)
            case share if share < 0.88:
                for _ in range(self._chance.randint(5, 40)):
                    self._post(channel)
            case share if share < 0.91:
                channel.service()
            case share if share < 0.94:
                channel.burn()
            case share if share < 0.941:
                channel.unknown()
            case share if share < 0.98:
                self._edit(channel)
            case _:
                self._delete(channel)

    def topics(self) -> Iterator[tuple[str, int, str]]:
        """Every match that has to be there in the end: channel's name, post's number, topic."""
        for (number, post), topics in self._topics.items():
            if (number, post) not in self._deleted:
                for topic in topics:
                    yield self.names[number - _FIRST_NUMBER], post, topic

    def texts(self) -> dict[tuple[str, int], str]:
        """Every message that has to be stored in the end, and what it says."""
        return {
            (self.names[number - _FIRST_NUMBER], post): text
            for (number, post), text in self._texts.items()
            if (number, post) not in self._deleted
        }

    def deleted(self) -> set[tuple[str, int]]:
        return {(self.names[number - _FIRST_NUMBER], post) for number, post in self._deleted}

    def _text(self) -> tuple[str, set[str]]:
        topics = {topic for topic in SAID if self._chance.random() < 0.2}
        words = [self._chance.choice(SAID[topic]) for topic in sorted(topics)] or [self._chance.choice(_NOTHING)]
        return f"{'. '.join(words)} № {next(self._count)}", topics

    def _post(self, channel: WorldChannel) -> None:
        text, topics = self._text()
        post = channel.post(text)
        self._singles.setdefault(channel.number, []).append(post)
        self._note(channel, post, text, topics)

    def _album(self, channel: WorldChannel) -> None:
        """The caption may hang on any of its members; the post is the first of them."""
        text, topics = self._text()
        size = self._chance.randint(2, 5)
        captioned, album = self._chance.randrange(size), next(self._count)
        members = [channel.post(text if at == captioned else "", album=album) for at in range(size)]
        for at, member in enumerate(members):
            self._note(channel, member, text if at == captioned else "", set())
        if topics:
            self._topics[channel.number, members[0]] = topics

    def _note(self, channel: WorldChannel, post: int, text: str, topics: set[str]) -> None:
        self.posted += 1
        self._texts[channel.number, post] = text
        if topics:
            self._topics[channel.number, post] = topics

    def _edit(self, channel: WorldChannel) -> None:
        """The text changes, but not what it is of."""
        if (post := self._some_single(channel)) is not None:
            text = f"{self._texts[channel.number, post]}, дополнено"
            channel.edit(post, text)
            self._texts[channel.number, post] = text

    def _delete(self, channel: WorldChannel) -> None:
        if (post := self._some_single(channel)) is not None:
            channel.delete(post)
            self._deleted.add((channel.number, post))

    def _some_single(self, channel: WorldChannel) -> int | None:
        """One of the newest posts that is no album and still there."""
        singles = [post for post in self._singles.get(channel.number, ())[-20:] if channel.living(post)]
        return self._chance.choice(singles) if singles else None
