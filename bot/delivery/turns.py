"""Whose turn it is: what is still to be sent, in memory, and which of it may go now.

The tables are the truth (`bot.storage.outbox`); this is a picture of them which `bot.delivery.deliver` keeps, so that
nobody has to look through thousands of rows to find the one that goes next.

Order holds within a lane of a destination, among what one voice says. A chat, which several destinations may be in,
gets one message at a time: of its most urgent lane that has one the oldest, and nothing less urgent passes it while it
waits for room in the minute. What refuses, or waits for its moment, holds up its own lane to its destination only.

One message that is refused may be all that its chat refuses, so once it was refused twice the next one of its lane is
tried as well. One that has had no answer for a day holds up nobody any more.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from bot.model import ChatId, Destination
from bot.pacing import EDITABLE, GATHERING, LATEST, SPAN, Attempt, opens
from bot.ports import Lane, Sender, Voice
from bot.storage.outbox import Edit, Waiting
from bot.storage.places import destination
from bot.voices import Voices

#: After which nobody waits any longer for the account that may have sent a message.
PATIENCE = timedelta(hours=24)
#: After so many tries the next one of its lane is tried beside a message that is refused; and one that has none of
#: them answered is beyond patience, when it is so old.
_TWICE, ENDLESS = 2, 100
#: After which a digest goes before all that is newer, however urgent.
_LATE = timedelta(hours=1)
_PAST = datetime.min.replace(tzinfo=UTC)
_RANK = {lane: rank for rank, lane in enumerate(Lane)}


@dataclass(slots=True)
class Chat:
    """A chat by its marked id. ``held``: before then it takes nothing. ``busy``: a request to it is under way.

    ``silent``: to the last one there was no answer.
    """

    id: int
    attempts: dict[int, Attempt] = field(default_factory=dict)
    held: datetime = _PAST
    busy: bool = False
    silent: bool = False

    def note(self, id_: int, attempt: Attempt, now: datetime) -> None:
        """A request was begun. What counts no longer is forgotten."""
        self.attempts = {old: each for old, each in self.attempts.items() if each.ended + SPAN > now}
        self.attempts[id_] = attempt


class Send(NamedTuple):
    """A message that may go."""

    row: Waiting
    sender: Sender
    chat: Chat


class Ask(NamedTuple):
    """Nobody knows yet in which chat the destination is to which this goes."""

    row: Waiting
    sender: Sender


class Amend(NamedTuple):
    """A sent message that may have to be edited."""

    edit: Edit
    sender: Sender
    chat: Chat


class GiveUp(NamedTuple):
    """A message that may have been sent by an account which is not there to repeat it, and will not be."""

    row: Waiting


class Drop(NamedTuple):
    """An edit that nobody can make any more."""

    edit: Edit


Turn = Send | Ask | Amend | GiveUp | Drop


class Turns:
    """What waits, and why. ``asking``: destinations of which the chat is being asked for."""

    def __init__(self, voices: Voices) -> None:
        self._voices = voices
        self._queues: dict[tuple[Destination, Lane, Voice], OrderedDict[int, Waiting]] = {}
        self._chats: dict[int, Chat] = {}
        self._known: dict[tuple[int, Destination], Chat] = {}
        self.edits: list[Edit] = []
        self.asking: set[Destination] = set()
        #: Before then a destination is not asked for, since that was in vain; notices are not held up where it refused.
        self.held: dict[Destination, datetime] = {}
        self.refusing: dict[Destination, datetime] = {}
        #: Before then an account sends nothing.
        self.rests: dict[int, datetime] = {}

    def put(self, row: Waiting) -> None:
        """A message that waits, in place of what was known of it; a new one stands last."""
        self._queues.setdefault((row.destination, row.lane, row.voice), OrderedDict())[row.id] = row

    def put_first(self, rows: Sequence[Waiting]) -> None:
        """Messages that take the place of one that stood first in its lane."""
        for row in reversed(rows):
            self.put(row)
            self._queues[row.destination, row.lane, row.voice].move_to_end(row.id, last=False)

    def shift(self, by: timedelta, now: datetime) -> None:
        """The clock was put back by so much: whoever waits, waits as long as before."""

        def shifted(moment: datetime) -> datetime:
            return moment - by if moment > now else moment

        for queue in self._queues.values():
            for id_, row in queue.items():
                queue[id_] = row._replace(not_before=shifted(row.not_before))
        for chat in self._chats.values():
            chat.held = shifted(chat.held)
        self.held = {to: shifted(moment) for to, moment in self.held.items()}
        self.refusing = {to: shifted(moment) for to, moment in self.refusing.items()}
        self.rests = {account: shifted(moment) for account, moment in self.rests.items()}

    def drop(self, row: Waiting) -> None:
        """It waits no longer."""
        key = row.destination, row.lane, row.voice
        queue = self._queues.get(key, OrderedDict())
        queue.pop(row.id, None)
        if not queue:
            self._queues.pop(key, None)

    def first(self, destination: Destination) -> Iterator[Waiting]:
        """What stands first in each lane to a destination."""
        queues = (self._queues.get((destination, lane, voice)) for lane in Lane for voice in Voice)
        return (next(iter(queue.values())) for queue in queues if queue)

    def chat(self, id_: int) -> Chat:
        return self._chats.setdefault(id_, Chat(id_))

    def hanging(self) -> int:
        """How many requests are under way to chats that gave no answer to the last one."""
        return sum(chat.busy and chat.silent for chat in self._chats.values())

    def hold(self, place: str, until: datetime) -> None:
        """Before then a chat, named by its id, or the destination that is named so, is left alone."""
        to = destination(place)
        self.held[to] = until
        if isinstance(to.chat, ChatId):
            self.chat(to.chat.id).held = until

    def know(self, account: int, destination: Destination, chat: int | None) -> None:
        """In which chat a destination is, as this account sees it; None: that has to be asked again."""
        if chat is None:
            self._known.pop((account, destination), None)
        else:
            self._known[account, destination] = self.chat(chat)

    def due(self, now: datetime) -> tuple[list[Turn], datetime | None]:
        """What may be done now, the most urgent first, and when there will be more to do if nothing happens."""
        look = _Look(now)
        for queue in self._queues.values():
            self._consider(queue.values(), look)
        sends = [
            send
            for send in look.sends.values()
            if look.reached(opens(send.chat.attempts.values(), send.row.weight, now))
        ]
        going: list[Send | Ask] = [*look.asks.values(), *sends]
        going.sort(key=look.urgency)
        turns = [*look.given_up, *going, *self._edits_due(look)]
        return turns, min(look.moments, default=None)

    def _consider(self, queue: Iterable[Waiting], look: _Look) -> None:
        """The first of a lane to a destination, past those that only an absent account may repeat, and its like."""
        beside = False
        for row in queue:
            sender = self._sender(row.voice, row.account)
            if sender is not None:
                self._place(row, sender, look)
                if not is_endless(row, look.now) and (beside or not _is_put_off(row, look.now)):
                    return
                beside |= row.refused
                continue
            if self._voices.of(row.voice) is None:
                return
            if self._is_gone() or look.reached(row.made + PATIENCE):
                look.given_up.append(GiveUp(row))

    def _place(self, row: Waiting, sender: Sender, look: _Look) -> None:
        chat = self._known.get((sender.account, row.destination))
        held = [row.not_before, self.rests.get(sender.account, _PAST), self.held.get(row.destination, _PAST)]
        if chat is not None:
            held.append(chat.held)
        elif row.lane is not Lane.NOTICE:
            held.append(self.refusing.get(row.destination, _PAST))
        if not look.reached(max(held)):
            return
        if chat is not None and chat.busy:
            look.taken.add(chat.id)
        elif chat is not None:
            send = Send(row, sender, chat)
            look.sends[chat.id] = min(send, look.sends.get(chat.id, send), key=look.urgency)
        elif row.destination not in self.asking:
            ask = Ask(row, sender)
            look.asks[row.destination] = min(ask, look.asks.get(row.destination, ask), key=look.urgency)

    def _edits_due(self, look: _Look) -> Iterator[Turn]:
        """Edits of chats in which nothing newer waits, one a chat."""
        taken = look.taken | set(look.sends)
        asked = self.asking | set(look.asks)
        for edit in self.edits:
            if edit.number is None or edit.chat is None or edit.account is None or look.now >= edit.sent + EDITABLE:
                yield Drop(edit)
                continue
            sender, chat = self._sender(Voice.SPEAKER, edit.account), self.chat(edit.chat)
            if sender is None:
                if self._is_gone():
                    yield Drop(edit)
                continue
            if chat.busy or chat.id in taken or edit.destination in asked:
                continue
            # What lies so far ahead was noted before the clock was put right.
            of_edit = [each for each in (edit.changed + GATHERING, edit.not_before) if each <= look.now + LATEST]
            if look.reached(max(*of_edit, chat.held, self.rests.get(sender.account, _PAST))):
                taken.add(chat.id)
                if look.reached(opens(chat.attempts.values(), 1, look.now, edit=True)):
                    yield Amend(edit, sender, chat)

    def _sender(self, voice: Voice, account: int | None) -> Sender | None:
        """Who sends: whoever has this voice, or, of what was tried, only that account, whatever voice it has now."""
        if account is None:
            return self._voices.of(voice)
        speaking = (self._voices.of(each) for each in Voice)
        return next((sender for sender in speaking if sender is not None and sender.account == account), None)

    def _is_gone(self) -> bool:
        """Whether everybody speaks who can: an account that does not is not one of ours any more."""
        return all(self._voices.of(each) is not None for each in Voice)


@dataclass(slots=True)
class _Look:
    """What one look through all that waits has found so far."""

    now: datetime
    sends: dict[int, Send] = field(default_factory=dict)
    asks: dict[Destination, Ask] = field(default_factory=dict)
    given_up: list[GiveUp] = field(default_factory=list)
    moments: list[datetime] = field(default_factory=list)
    #: Chats that are busy and for which more waits.
    taken: set[int] = field(default_factory=set)

    def reached(self, moment: datetime) -> bool:
        """Whether it has come; else it is remembered."""
        if moment > self.now:
            self.moments.append(moment)
        return moment <= self.now

    def urgency(self, turn: Send | Ask) -> tuple[int, int]:
        """What goes first has the least."""
        row = turn.row
        is_late = row.lane is Lane.DIGEST and self.now >= row.made + _LATE
        return 0 if is_late else _RANK[row.lane], row.id


def is_endless(row: Waiting, now: datetime) -> bool:
    """Whether it was tried for a day, and got no answer."""
    return row.account is not None and row.tries >= ENDLESS and now >= row.made + PATIENCE


def _is_put_off(row: Waiting, now: datetime) -> bool:
    """Whether it was refused more than once, and is not to be tried now."""
    return row.refused and row.tries >= _TWICE and row.not_before > now
