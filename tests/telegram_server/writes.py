"""Requests that write: when each came, to which chat, and what became of it; and how many a chat got in a while."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from bot.model import marked_id
from tests.telegram_server.wire import method_of

if TYPE_CHECKING:
    from tests.telegram_server.server import TelegramServer

_WRITING = (
    functions.messages.SendMessageRequest,
    functions.messages.EditMessageRequest,
    functions.messages.ForwardMessagesRequest,
)


class Stage(StrEnum):
    """How far a request has come."""

    ARRIVED = auto()
    DONE = auto()  # carried out or refused, and not answered yet
    ANSWERED = auto()


@dataclass(slots=True, eq=False, kw_only=True)
class Write:
    """A send, an edit or a forward. ``at`` and ``done`` are in seconds of the faults' time; no ``done``: not looked at.

    ``chat`` is the marked id; ``edits`` the number of the message that is edited. ``messages``: how many messages the
    chat got by it, or edits; none where it was refused, or a repeat. ``refused`` is Telegram's own name for why.
    ``lost``: set before it is carried out, and the connection breaks instead.
    """

    at: float
    person: int | None
    method: str
    chat: int | None
    random_ids: tuple[int, ...]
    edits: int | None = None
    done: float | None = None
    messages: int = 0
    refused: str | None = None
    lost: bool = False

    def looked_at(self, server: TelegramServer, before: int, refused: str | None) -> None:
        """It was carried out, or refused; ``before`` is how many messages had been sent until then."""
        self.done = server.faults.seconds_now()
        self.refused = refused
        if refused is None:
            self.messages = 1 if self.edits is not None else len(server.sent) - before


def write_of(request: Any, person: int | None, at: float) -> Write | None:
    """A request that writes, as it is noted; None for all others."""
    if not isinstance(request, _WRITING):
        return None
    peer = getattr(request, "to_peer", None) or request.peer
    ids = getattr(request, "random_id", ())
    return Write(
        at=at,
        person=person,
        method=method_of(request),
        chat=_chat(peer, person),
        random_ids=(ids,) if isinstance(ids, int) else tuple(ids),
        edits=request.id if isinstance(request, functions.messages.EditMessageRequest) else None,
    )


def _chat(peer: Any, person: int | None) -> int | None:
    match peer:
        case types.InputPeerSelf():
            return person
        case types.InputPeerUser():
            return int(peer.user_id)
        case types.InputPeerChannel():
            return marked_id(peer.channel_id)
    return None


def busiest(writes: Iterable[Write], seconds: float = 60.0) -> dict[int, int]:
    """Of each chat the most messages and edits that it got within any such stretch of time."""
    most: dict[int, int] = {}
    windows: dict[int, deque[tuple[float, int]]] = {}
    for one in sorted((one for one in writes if one.messages), key=lambda one: one.done or one.at):
        if one.chat is None:
            continue
        moment = one.done or one.at
        window = windows.setdefault(one.chat, deque())
        window.append((moment, one.messages))
        while window[0][0] <= moment - seconds:
            window.popleft()
        most[one.chat] = max(most.get(one.chat, 0), sum(messages for _, messages in window))
    return most
