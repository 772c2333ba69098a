"""Tells the operators what they have to know: once a change, and by whatever still works.

A notice goes to each operator in the private chat of who speaks. Where a chat does not take it, the digests' chat gets
it, once; where that does not either, or the bot is not connected, the reader says it to the operator. A message of the
outbox a route: what is sent once is sent by `bot.delivery`, in the lane of notices, and a restart tells nothing again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, NoReturn

from bot.config.settings import Settings
from bot.model import ChatId, Destination, Me, Notice
from bot.ports import Clock, Voice
from bot.render.notice import notice, together
from bot.render.richtext import Message
from bot.storage import notices, routes
from bot.storage.database import Connection, Database
from bot.storage.notices import Noted
from bot.storage.routes import Carried
from bot.telemetry.log import logger
from bot.throttle import TOGETHER, Throttle
from bot.voices import Voices

_log = logger(__name__)

#: For so long the bot may be away before the reader speaks in its place.
_AWAY = timedelta(minutes=1)
#: Older notices do not look for another route.
_OLD = timedelta(days=1)
#: What the route is called by way of the digests' chat.
_DIGEST = "digest"


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
        self._throttle = Throttle()
        #: Since when the bot is away, and the reader is not.
        self._away: datetime | None = None

    def wake(self) -> None:
        self._awake.set()

    async def run(self) -> NoReturn:
        """Until it is cancelled. Raises StorageError."""
        self._awake.set()
        while True:
            woken = self._awake.is_set()
            self._awake.clear()
            untold, away = await notices.untold(self._database), self._is_away()
            await self._announce(untold)
            if await self._tell(untold, away=away) or woken or away:
                await self._go_on(away=away)
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
        urls, ids = bool(self._settings().operators.notify), [one.id for one in fresh]
        await self._database.write(lambda c: notices.owe(c, ids, to_urls=urls))
        for one in fresh:
            self._show(notice(one.notice))
            self._printed = one.id

    async def _tell(self, untold: Sequence[Noted], *, away: bool) -> bool:
        """Writes the messages that tell these, if somebody is there to send them and it is time; whether it did."""
        now = self._clock.now()
        voice = Voice.READER if away else Voice.SPEAKER
        room = self._throttle.room(now, len(untold))
        if not room or self._voices.of(voice) is None:
            return False
        messages, chats = _messages(untold, room=room), self._chats(self._settings())

        def work(c: Connection) -> None:
            for number, message in messages:
                for chat in chats:
                    routes.send(c, self._secret, number, _route(chat, voice), chat, voice, message, now)
            notices.mark_told(c, [one.id for one in untold], now)

        await self._database.write(work)
        self._throttle.made(now, len(messages))
        _log.info("operators told", notices=len(untold), messages=len(messages), chats=len(chats), voice=voice)
        self._wake()
        return True

    def _chats(self, settings: Settings) -> list[Destination]:
        """The operators' own, each once; the reader's is "me"."""
        reader, users = self._reader(), settings.operators.users
        chats = [Me() if user == reader else ChatId(user) for user in users] or [Me()]
        return [Destination(chat) for chat in dict.fromkeys(chats)]

    # --- other routes -------------------------------------------------------------------------------------

    def _is_away(self) -> bool:
        """Whether the bot has been away for a while, and the reader can speak in its place."""
        can = self._voices.of
        if can(Voice.SPEAKER) is not None or can(Voice.READER) is None:
            self._away = None
            return False
        now = self._clock.now()
        self._away = self._away or now
        return now - self._away >= _AWAY

    async def _go_on(self, *, away: bool) -> None:
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
                    c, f"{routes.OPERATOR}{chat}", Notice(f"Operator {chat} can be told in private again."), now
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
                if one.route == _route(one.destination, Voice.SPEAKER):
                    trouble = Notice(f"Operator {one.destination} cannot be told in private: {one.why}")
                    notices.tell(c, f"{routes.OPERATOR}{one.destination}", trouble, now)
            route = _DIGEST if step.shared else _route(step.to, step.voice)
            routes.send(c, self._secret, row.notice, route, step.to, step.voice, row.message, now)


class _Way(NamedTuple):
    """What there is; ``away``: the bot is not connected, and the reader is."""

    digest: Destination
    bot: bool
    away: bool


class _Step(NamedTuple):
    """What becomes of a row: it is taken back; what it says goes ``to`` a chat, ``instead_of`` those refused before."""

    row: Carried
    back: bool = False
    to: Destination | None = None
    voice: Voice = Voice.SPEAKER
    shared: bool = False
    instead_of: tuple[Carried, ...] = ()


def _last_tries(told: Iterable[Sequence[Carried]]) -> dict[Destination, Carried]:
    """Of each operator's own chat the row that was last written for it by who speaks."""
    own = (row for rows in told for row in rows if row.route == _route(row.destination, Voice.SPEAKER))
    return {row.destination: row for row in own}


def _all_steps(told: Iterable[Sequence[Carried]], way: _Way) -> list[_Step]:
    return [step for rows in told for step in _steps(rows, way)]


def _steps(rows: Sequence[Carried], way: _Way) -> Iterator[_Step]:
    """What is to be done about one notice, of which these are all the rows. Done once, it is not asked for again."""
    taken = {row.route for row in rows}
    for row in rows:
        if row.route == _route(row.destination, Voice.SPEAKER):
            yield from _of_own(row, rows, way)
        elif row.voice is Voice.SPEAKER and row.waits and way.away:
            yield _Step(row, back=True)
        elif row.voice is Voice.READER and row.refused and _route(row.destination, Voice.SPEAKER) not in taken:
            yield _Step(row, to=row.destination, instead_of=(row,))


def _of_own(row: Carried, rows: Sequence[Carried], way: _Way) -> Iterator[_Step]:
    """``row`` is for an operator's own chat, said by who speaks."""
    said = any(one.voice is Voice.READER and one.destination == row.destination for one in rows)
    if row.waits and way.away and not said:
        yield _Step(row, back=True, to=row.destination, voice=Voice.READER)
    elif row.refused:
        shared = next((one for one in rows if _is_shared(one, way)), None)
        if shared is None and not way.away:
            yield _Step(row, to=way.digest, shared=True, instead_of=(row,))
        elif way.bot and not said and (shared is None or shared.state == "refused"):
            failed = (row,) if shared is None else (row, shared)
            yield _Step(row, to=row.destination, voice=Voice.READER, instead_of=failed)


def _is_shared(row: Carried, way: _Way) -> bool:
    """Whether it is for the digests' chat, be that an operator's own."""
    return row.voice is Voice.SPEAKER and (row.route == _DIGEST or row.destination == way.digest)


def _route(chat: Destination, voice: Voice) -> str:
    """What the way to an operator's own chat is called."""
    return str(chat) if voice is Voice.SPEAKER else f"reader {chat}"


def _messages(untold: Sequence[Noted], *, room: int) -> list[tuple[int, Message]]:
    """Each under the number of its first notice: one a notice where there is room for all of them, else one."""
    if room == len(untold):
        return [(one.id, notice(one.notice)) for one in untold]
    return [(untold[0].id, notice(together([one.notice for one in untold])))]
