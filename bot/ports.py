"""What the loops ask of the world outside, and what whoever answers has to keep to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, auto
from typing import Protocol

from bot.model import Destination
from bot.render.richtext import Message


class Clock(Protocol):
    """Time as the loops see it. The real one, and one that tests and the soak run faster."""

    def now(self) -> datetime:
        """The time, aware, in UTC."""

    async def sleep(self, pause: timedelta) -> None:
        """Returns when so much time has gone by; at once for none or less."""


class Alarms(Clock, Protocol):
    """A clock that also wakes."""

    def every(self, interval: timedelta, wake: Callable[[], None]) -> Callable[[], None]:
        """Calls ``wake``, which must not wait, once an interval, the first time after one. Returns what ends it."""


class Lane(StrEnum):
    """Lanes of messages, what goes first first; order holds within a lane."""

    URGENT = auto()
    ALERT = auto()
    NOTICE = auto()
    DIGEST = auto()
    EDIT = auto()


class Voice(StrEnum):
    """Whose account sends: the speaker (the bot where there is one, else the reader), or the reader himself."""

    SPEAKER = auto()
    READER = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """A post to be forwarded, above its header. ``numbers``: those of its messages, ``random_ids`` one for each.

    ``channel`` is a marked id, ``username`` its public name; ``excerpt`` is what is sent where it cannot be forwarded.
    """

    channel: int
    username: str | None
    numbers: tuple[int, ...]
    random_ids: tuple[int, ...]
    excerpt: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message as it is frozen in the outbox. ``random_id`` is the same however often it is tried.

    ``edits``: the number in its chat of the sent message that is to read so; None for a new one. ``silent``: without a
    sound. ``repeated``: it was tried before, so that it may stand there already.
    """

    id: int
    destination: Destination
    lane: Lane
    random_id: int
    message: Message
    silent: bool = False
    forward: Forward | None = None
    edits: int | None = None
    repeated: bool = False

    @property
    def weight(self) -> int:
        """How many messages the chat gets."""
        return 1 if self.forward is None else 1 + len(self.forward.numbers)


@dataclass(frozen=True, slots=True)
class Sent:
    """It stands in the chat, under this number where the chat has numbers.

    ``instead``: why an excerpt stands there and not the forwarded post.
    """

    number: int | None
    instead: str | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """It was not sent; it may be tried after this time. ``everywhere``: until then this account sends nothing."""

    wait: timedelta
    why: str
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """It was not sent, and will not be while things stand as they do: ``why`` says so, and what would be right.

    ``of_message``: it is the message that is refused, and never the chat.
    """

    why: str
    of_message: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer: it may have been sent. The same request has to be repeated, by the same account."""

    why: str


Outcome = Sent | Later | Refused | Unknown


class Sender(Protocol):
    """Puts messages where people read them, as one account."""

    @property
    def account(self) -> int:
        """Who sends: only the same account repeats what was tried without an answer."""

    async def chat(self, destination: Destination) -> int | Later | Refused | Unknown:
        """The marked id of the chat, whatever a destination calls it and whichever of its topics is meant.

        Asked of Telegram once and remembered. Raises nothing but StorageError.
        """

    async def send(self, outgoing: Outgoing) -> Outcome:
        """Sends or edits one message: it stands there once for each ``random_id``. Raises nothing but StorageError."""
