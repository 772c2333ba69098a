"""Tells the operators what they have to know: once a change, and by whatever still works.

A notice goes to each operator in the private chat of who speaks. Where a chat does not take it, the digests' chat gets
it, once; where that does not either, or the bot is away, the reader says it to the operator. Away is who is not
connected, and whom Telegram has asked for a long wait. A message of the outbox a route: what is sent once is sent by
`bot.delivery`, in the lane of notices, and a restart tells nothing again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import NamedTuple, NoReturn

from bot.config.settings import Settings
from bot.model import ChatId, Destination, Me, Notice
from bot.pacing import rebased
from bot.ports import Clock, Voice
from bot.render.notice import notice, together
from bot.render.richtext import Message
from bot.storage import attempts, notices, routes
from bot.storage.database import Connection, Database
from bot.storage.notices import CONFIGURATION_ERROR, Noted, mark_of
from bot.storage.routes import Carried
from bot.telemetry.log import logger
from bot.throttle import TOGETHER, of_each_kind
from bot.voices import Voices

_log = logger(__name__)

#: For so long one who speaks may be away before the other does so in its place.
_AWAY = timedelta(minutes=1)
#: One that Telegram asks for a longer wait is away at once.
_RESTS = timedelta(minutes=10)
#: After which what may have been sent is not left to whoever may have sent it: twice is better than never.
_LOST = timedelta(hours=1)
#: Older notices do not look for another route.
_OLD = timedelta(days=1)
#: What the route is called by way of the digests' chat.
_DIGEST = "digest"
#: How the route begins that leads once more to an operator's own chat.
_AGAIN = "again"


class Operators:
    """The loop is `run`; `wake` says that there are notices, or that a chat has refused one."""

    def __init__(  # noqa: PLR0913 - each part of the house that it needs
        self,
        database: Database,
        clock: Clock,
        *,
        settings: Callable[[], Settings],
        voices: Voices,
        secret: bytes,
        reader: Callable[[], int | None],
        show: Callable[[Message], None],
        wake: Callable[[], None],
    ) -> None:
        """``reader`` is his numeric id, None while that is not known; ``show`` prints a notice where we were started.

        ``wake`` is called when there is something in the outbox.
        """
        self._database = database
        self._clock = clock
        self._settings = settings
        self._voices = voices
        self._secret = secret
        self._reader = reader
        self._show = show
        self._wake = wake
        self._awake = asyncio.Event()
        #: The newest notice that was printed.
        self._printed = 0
        self._throttles = of_each_kind()
        #: Since when each cannot speak; and since when this one cannot while the other can.
        self._gone: dict[Voice, datetime] = {}
        self._alone: tuple[Voice, datetime] | None = None

    def wake(self) -> None:
        self._awake.set()

    async def run(self) -> NoReturn:
        """Until it is cancelled. Raises StorageError."""
        self._awake.set()
        while True:
            woken = self._awake.is_set()
            self._awake.clear()
            untold, away = await notices.untold(self._database), await self._who_is_away()
            await self._announce(untold)
            if await self._tell(untold, away) or woken or away:
                await self._go_on(away)
            await self._rest()

    async def _rest(self) -> None:
        """Returns after a while, or when woken before that."""
        waits = [asyncio.ensure_future(self._clock.sleep(TOGETHER)), asyncio.ensure_future(self._awake.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()

    async def _announce(self, untold: Sequence[Noted]) -> None:
        """What is new is printed at once, and is for the notification URLs, whoever may be connected."""
        fresh = [one for one in untold if one.id > self._printed]
        if not fresh:
            return
        marks = [mark_of(url.get_secret_value()) for url in self._settings().operators.notify]
        ids = [one.id for one in fresh]
        await self._database.write(lambda c: notices.owe(c, ids, marks))
        for one in fresh:
            self._show(notice(one.notice))
            self._printed = one.id

    async def _tell(self, untold: Sequence[Noted], away: _Away | None) -> bool:
        """Writes the messages that tell these, if somebody is there to send them and it is time; whether it did."""
        now = self._clock.now()
        voice = Voice.READER if away is not None and away.voice is Voice.SPEAKER else Voice.SPEAKER
        can = self._voices.of(voice) is not None
        messages, told = self._due(untold, await notices.overtaken(self._database, untold), now, can=can)
        if not told:
            return False
        chats = self._chats(self._settings())

        def work(c: Connection) -> None:
            for number, message in messages:
                for chat in chats:
                    routes.send(c, self._secret, number, _route(chat, voice), chat, voice, message, now)
            notices.mark_told(c, told, now)

        await self._database.write(work)
        if not messages:
            return False
        _log.info("operators told", notices=len(told), messages=len(messages), chats=len(chats), voice=voice)
        self._wake()
        return True

    def _due(
        self, untold: Sequence[Noted], late: Collection[int], now: datetime, *, can: bool
    ) -> tuple[list[tuple[int, Message]], list[int]]:
        """The messages that are made now, and which notices are told by them, or are told no more (``late``)."""
        messages: list[tuple[int, Message]] = []
        told: list[int] = []
        kinds = notices.by_kind(one for one in untold if one.id not in late)
        for throttle, several in zip(self._throttles, kinds, strict=True):
            room = throttle.room(now, len(several))
            if room and can:
                made = _messages(several, room=room)
                throttle.made(now, len(made))
                messages += made
                told += [one.id for one in several]
        # Until the last word of something is told, what it has overtaken counts as not told either.
        if not any(one.subject == CONFIGURATION_ERROR and one.id not in told for one in kinds[0]):
            told += late
        return sorted(messages, key=itemgetter(0)), told

    def _chats(self, settings: Settings) -> list[Destination]:
        """The operators' own, each once; the reader's is "me"."""
        reader, users = self._reader(), settings.operators.users
        chats = [Me() if user == reader else ChatId(user) for user in users] or [Me()]
        return [Destination(chat) for chat in dict.fromkeys(chats)]

    # --- other routes -------------------------------------------------------------------------------------

    async def _who_is_away(self) -> _Away | None:
        """Who has been away for a while, where the other can speak in its place."""
        rests, now = await attempts.rests(self._database), self._clock.now()

        def can(voice: Voice) -> bool:
            sender = self._voices.of(voice)
            rest = None if sender is None else rests.get(sender.account)
            return sender is not None and (rest is None or rebased(rest.until, rest.noted, now) - now <= _RESTS)

        self._gone = {voice: self._gone.get(voice, now) for voice in Voice if not can(voice)}
        if len(self._gone) != 1:
            self._alone = None
            return None
        [(voice, gone)] = self._gone.items()
        if self._alone is None or self._alone[0] is not voice:
            self._alone = voice, now
        # One that is there and has to wait is not waited for.
        if self._voices.of(voice) is None and now - self._alone[1] < _AWAY:
            return None
        return _Away(voice, for_long=now - gone >= _LOST)

    async def _go_on(self, away: _Away | None) -> None:
        """Lets what was refused, and what nobody can say just now, go the next way."""
        settings, now = self._settings(), self._clock.now()
        way = _Way(digest=settings.digest.chat, bot=settings.telegram.bot_token is not None, away=away)

        since = now - _OLD
        told = await routes.looked(self._database, since)
        troubles = await notices.standing(self._database, routes.OPERATOR)
        again = [chat for chat, row in _last_tries(told).items() if row.state == "sent" and str(chat) in troubles]
        if not again and not _all_steps(told, way):
            return

        def work(c: Connection) -> int:
            for chat in again:
                notices.mend(
                    c, f"{routes.OPERATOR}{chat}", Notice(f"{_called(chat)} can be told in private again."), now
                )
            steps = _all_steps(routes.carried(c, since), way)
            for step in steps:
                self._take(c, step, now)
            return len(steps)

        if steps := await self._database.write(work):
            _log.info("notices go another way", steps=steps)
            self._wake()

    def _take(self, c: Connection, step: _Step, now: datetime) -> None:
        row = step.row
        if step.back:
            routes.take_back(c, row)
        if step.to is not None:
            for one in step.instead_of:
                routes.give_up(c, one)
                # Where alerts are refused too, that was told already.
                if _is_own(one) and not notices.stands(c, f"destination {one.destination}"):
                    trouble = Notice(f"{_called(one.destination)} cannot be told in private: {one.why}")
                    notices.tell(c, f"{routes.OPERATOR}{one.destination}", trouble, now)
            routes.send(c, self._secret, row.notice, step.route, step.to, step.voice, row.message, now)


class _Away(NamedTuple):
    """Who is away while the other is not; ``for_long``: it may be away for good."""

    voice: Voice
    for_long: bool


class _Way(NamedTuple):
    """What there is, and who is away."""

    digest: Destination
    bot: bool
    away: _Away | None

    @property
    def speaks(self) -> bool:
        """Whether a message of who speaks may be expected to go."""
        return self.away is None or self.away.voice is not Voice.SPEAKER

    def holds(self, row: Carried) -> bool:
        """Whether a row waits for whoever is away."""
        return (
            self.away is not None and row.voice is self.away.voice and (row.waits or (row.tried and self.away.for_long))
        )


class _Step(NamedTuple):
    """What becomes of a row: it is taken back; what it says goes ``to`` a chat, ``instead_of`` those refused before."""

    row: Carried
    back: bool = False
    to: Destination | None = None
    voice: Voice = Voice.SPEAKER
    route: str = ""
    instead_of: tuple[Carried, ...] = ()


def _last_tries(told: Iterable[Sequence[Carried]]) -> dict[Destination, Carried]:
    """Of each operator's own chat the row that was last written for it by who speaks."""
    return {row.destination: row for rows in told for row in rows if _is_own(row)}


def _all_steps(told: Iterable[Sequence[Carried]], way: _Way) -> list[_Step]:
    return [step for rows in told for step in _steps(rows, way)]


def _steps(rows: Sequence[Carried], way: _Way) -> Iterator[_Step]:
    """What is to be done about one notice, of which these are all the rows. Done once, it is not asked for again."""
    for row in rows:
        if _is_own(row):
            yield from _of_own(row, rows, way)
        elif row.voice is Voice.READER:
            yield from _of_reader(row, rows, way)
        elif way.holds(row):
            yield _Step(row, back=True)


def _of_own(row: Carried, rows: Sequence[Carried], way: _Way) -> Iterator[_Step]:
    """``row`` is for an operator's own chat, said by who speaks."""
    said = any(one.voice is Voice.READER and one.destination == row.destination for one in rows)
    by_reader = _Step(row, to=row.destination, voice=Voice.READER, route=_route(row.destination, Voice.READER))
    if way.holds(row) and not said:
        yield by_reader._replace(back=True)
    elif row.refused:
        shared = next((one for one in rows if _is_shared(one, way)), None)
        if shared is None and way.speaks:
            yield _Step(row, to=way.digest, route=_DIGEST, instead_of=(row,))
        elif way.bot and not said and (shared is None or shared.state == "refused"):
            yield by_reader._replace(instead_of=(row,) if shared is None else (row, shared))


def _of_reader(row: Carried, rows: Sequence[Carried], way: _Way) -> Iterator[_Step]:
    """``row`` is for an operator's own chat, said by the reader: the last way, unless who speaks was only away."""
    if not row.refused and not way.holds(row):
        return
    before = [one for one in rows if _is_own(one) and one.destination == row.destination]
    route = _route(row.destination, Voice.SPEAKER)
    if before:
        route = f"{_AGAIN} {row.destination}"
        if not way.speaks or any(one.route == route or not one.is_taken_back for one in before):
            return
    yield _Step(
        row,
        back=way.holds(row),
        to=row.destination,
        route=route,
        instead_of=(row,) if row.refused else (),
    )


def _is_own(row: Carried) -> bool:
    """Whether it is for an operator's own chat, said by who speaks."""
    return row.voice is Voice.SPEAKER and row.route != _DIGEST


def _is_shared(row: Carried, way: _Way) -> bool:
    """Whether it is for the digests' chat, be that an operator's own."""
    return row.voice is Voice.SPEAKER and (row.route == _DIGEST or row.destination == way.digest)


def _called(chat: Destination) -> str:
    """An operator, as the others are told of one; "me" would be whoever reads it."""
    return "The reader" if isinstance(chat.chat, Me) else f"Operator {chat}"


def _route(chat: Destination, voice: Voice) -> str:
    """What the way to an operator's own chat is called."""
    return str(chat) if voice is Voice.SPEAKER else f"reader {chat}"


def _messages(untold: Sequence[Noted], *, room: int) -> list[tuple[int, Message]]:
    """Each under the number of its first notice: one a notice where there is room for all of them, else one."""
    if room == len(untold):
        return [(one.id, notice(one.notice)) for one in untold]
    return [(untold[0].id, notice(together([one.notice for one in untold])))]
