"""What the loops ask of the world outside, and what whoever answers has to keep to."""

from __future__ import annotations

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


class Lane(StrEnum):
    """Lanes of messages, what goes first first; order holds within a lane."""

    URGENT = auto()
    ALERT = auto()
    NOTICE = auto()
    DIGEST = auto()
    EDIT = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message as it is frozen in the outbox. ``random_id`` is the same however often it is tried."""

    id: int
    destination: Destination
    lane: Lane
    random_id: int
    message: Message


@dataclass(frozen=True, slots=True)
class Sent:
    """It stands in the chat, under this number where the chat has numbers."""

    number: int | None


@dataclass(frozen=True, slots=True)
class Later:
    """It was not sent; it may be tried after this time."""

    wait: timedelta
    why: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It will never be sent."""

    why: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer: it may have been sent. The same request has to be repeated."""

    why: str


Outcome = Sent | Later | Refused | Unknown


class Sender(Protocol):
    """Puts messages where people read them: a terminal, or Telegram."""

    async def send(self, outgoing: Outgoing) -> Outcome:
        """Sends one message, once for each ``random_id`` where the other side knows them. Raises nothing."""
