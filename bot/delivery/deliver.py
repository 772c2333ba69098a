"""Sends what is in the outbox: claim, send, confirm; and edits what was sent and would say something else by now.

A message is marked as tried before it is sent. Whatever happens then (no answer, kill -9), the same account sends the
same message with the same ``random_id`` again until there is an answer. So none is lost, and where the other side
knows ``random_id``, none stands there twice.

Chats are served side by side, each by one request at a time (`bot.delivery.turns` says which), and no faster than they
may be written to (`bot.pacing`). What became of each message is in `bot.delivery.outcomes`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, NoReturn, assert_never

from bot.delivery.outcomes import Outcomes, Tried
from bot.delivery.turns import Amend, Ask, Chat, Drop, GiveUp, Send, Turn, Turns
from bot.errors import StorageError
from bot.pacing import CALL, LATEST, Attempt, rebased
from bot.ports import Clock, Lane, Outcome, Outgoing, Sender, Unknown
from bot.render.richtext import Message
from bot.storage import attempts, outbox
from bot.storage.database import Connection, Database
from bot.telemetry.log import logger
from bot.voices import Voices

#: So many chats are written to at once; and so many of those that gave no answer to the last request, which may hang
#: for half a minute again.
_AT_ONCE, _HANGING = 30, 10
#: How long requests that are under way have to end when the service stops.
_GRACE = timedelta(seconds=0.8)
#: How often at most it is looked what has to be edited.
_LOOK = timedelta(seconds=1)

_log = logger(__name__)


def _nobody() -> None:
    """Nobody wants to know."""


class Deliver:
    """The loop is `run`; `wake` says that the outbox has changed, or who can speak."""

    def __init__(  # noqa: PLR0913 - one argument a part
        self,
        database: Database,
        voices: Voices,
        clock: Clock,
        *,
        secret: bytes,
        retell: Callable[[int], Awaitable[Message | None]],
        told: Callable[[], None] = _nobody,
    ) -> None:
        """``secret``: of which ``random_id`` is made.

        ``retell``: how a sent message reads now, by its number in the outbox; None: as it stands. ``told`` is called
        when a notice was written, or one was refused and has to take another way.
        """
        self._database = database
        self._clock = clock
        self._retell = retell
        self._turns = Turns(voices)
        self._outcomes = Outcomes(database, self._turns, clock, voices, secret=secret, told=told)
        self._awake = asyncio.Event()
        self._fresh = True
        self._newest = 0
        self._now = clock.now()
        self._looked: datetime | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None

    def wake(self) -> None:
        self._fresh = True
        self._awake.set()

    async def run(self) -> NoReturn:
        """Sends whatever may go, and waits for more, until it is cancelled. Raises StorageError."""
        await self._resume()
        try:
            while True:
                self._awake.clear()
                await self._take_in()
                await self._rest(self._start())
                if self._failure is not None:
                    raise self._failure
        finally:
            await self._stop()

    async def _resume(self) -> None:
        """What waits, what was sent of late, and who has to wait, as the last process left it."""
        self._newest = await outbox.newest(self._database)
        for chat, made in (await attempts.attempts(self._database)).items():
            self._turns.chat(chat).attempts = made
        self._now = now = self._clock.now()
        for account, until, _, noted in (await attempts.rests(self._database)).values():
            self._turns.rests[account] = rebased(until, noted, now)
        for place, until, noted in await attempts.holds(self._database):
            self._turns.hold(place, rebased(until, noted, now))
        for row in await outbox.waiting(self._database):
            self._newest = max(self._newest, row.id)
            # What is put off for longer was so before the clock was put right, or waits for its chat.
            self._turns.put(row if row.not_before <= now + LATEST else row._replace(not_before=now))

    async def _take_in(self) -> None:
        """Reads what was added, and, now and then, what has to be edited."""
        fresh, self._fresh = self._fresh, False
        if fresh or self._outcomes.added:
            self._outcomes.added = False
            for row in await outbox.added(self._database, self._newest):
                self._turns.put(row)
                self._newest = row.id
        self._outcomes.changed |= fresh
        now = self._clock.now()
        if self._outcomes.changed and (self._looked is None or not self._looked <= now < self._looked + _LOOK):
            self._outcomes.changed, self._looked = False, now
            self._turns.edits = await outbox.edits(self._database)

    def _start(self) -> datetime | None:
        """Starts what may be done now. Returns when there will be more to do if nothing happens; None: only then."""
        now = self._clock.now()
        if now < self._now:
            self._turns.shift(self._now - now, now)
        self._now = now
        turns, moment = self._turns.due(now)
        # Finding a chat may take its time, for names are resolved slowly, and holds up nobody else.
        room = _AT_ONCE - len(self._tasks) + len(self._turns.asking)
        patience = _HANGING - self._turns.hanging()
        for turn in turns:
            silent = isinstance(turn, Send | Amend) and turn.chat.silent
            if isinstance(turn, Ask) or (room > 0 and (patience > 0 or not silent)):
                room -= not isinstance(turn, Ask)
                patience -= silent
                task = asyncio.create_task(self._take(turn))
                self._tasks.add(task)
                task.add_done_callback(self._ended)
        if self._outcomes.changed and self._looked is not None:
            return min(moment or self._looked + _LOOK, self._looked + _LOOK)
        return moment

    def _take(self, turn: Turn) -> Coroutine[Any, Any, None]:
        """What is to be done about it. What it is about is taken from now on."""
        match turn:
            case Send(row, sender, chat):
                chat.busy = True
                return self._send(row, sender, chat)
            case Amend(edit, sender, chat):
                self._turns.edits.remove(edit)
                chat.busy = True
                return self._amend(edit, sender, chat)
            case Ask():
                self._turns.asking.add(turn.row.destination)
                return self._ask(turn)
            case GiveUp(row):
                self._turns.drop(row)
                return self._outcomes.given_up(row)
            case Drop(edit):
                self._turns.edits.remove(edit)
                return self._leave(edit)
            case _:
                assert_never(turn)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            self._failure = task.exception() or self._failure
        self._awake.set()

    async def _ask(self, ask: Ask) -> None:
        """Finds out in which chat a destination is."""
        to = ask.row.destination
        try:
            try:
                answer = await ask.sender.chat(to)
            except StorageError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it is asked again
                _log.error("chat not found", to=to, error=error)
                answer = Unknown(type(error).__name__)
            await self._outcomes.asked(ask, answer)
        finally:
            self._turns.asking.discard(to)

    async def _send(self, row: outbox.Waiting, sender: Sender, chat: Chat) -> None:
        account = sender.account

        def work(c: Connection) -> tuple[Outgoing, int, datetime] | None:
            outgoing = outbox.claim(c, row.id, account, chat.id)
            # Not before: another process may have held the tables for minutes.
            now = self._clock.now()
            return None if outgoing is None else (outgoing, attempts.begin(c, chat.id, row.weight, now), now)

        try:
            claimed = await self._database.write(work)
            if claimed is None:
                self._turns.drop(row)
                return
            outgoing, attempt, now = claimed
            chat.note(attempt, Attempt(now + CALL, row.weight), now)
            outcome = await _outcome(sender, outgoing)
            await self._outcomes.sent(row, Tried(outgoing, account, chat, attempt), outcome)
        finally:
            chat.busy = False

    async def _amend(self, edit: outbox.Edit, sender: Sender, chat: Chat) -> None:
        """Edits a message if it reads otherwise by now."""
        try:
            standing = await outbox.standing(self._database, edit.id)
            self._outcomes.changed = True
            now = self._clock.now()
            if standing is None or edit.number is None or now < standing.not_before <= now + LATEST:
                return
            message = await self._retold(edit)
            if message is None:
                await self._leave(edit)
                return
            if message == standing.message and not standing.editing:
                now = self._clock.now()
                await self._database.write(lambda c: outbox.edited(c, edit.id, standing.changes, now))
                return
            outgoing = Outgoing(
                id=edit.id,
                destination=edit.destination,
                lane=Lane.EDIT,
                random_id=standing.random_id,
                message=message,
                edits=edit.number,
                repeated=standing.editing,
            )
            tried = await self._begun(outgoing, sender.account, chat)
            await self._outcomes.amended(tried, standing.changes, await _outcome(sender, outgoing))
        finally:
            chat.busy = False

    async def _begun(self, outgoing: Outgoing, account: int, chat: Chat) -> Tried:
        def work(c: Connection) -> tuple[int, datetime]:
            outbox.edit(c, outgoing.id)
            now = self._clock.now()
            return attempts.begin(c, chat.id, 1, now), now

        attempt, now = await self._database.write(work)
        chat.note(attempt, Attempt(now + CALL, 1), now)
        return Tried(outgoing, account, chat, attempt)

    async def _retold(self, edit: outbox.Edit) -> Message | None:
        """How it reads now. What cannot be put into words stays as it stands, and holds nothing up."""
        try:
            return await self._retell(edit.id)
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 - a defect of ours
            _log.error("message not retold", message=edit.id, error=error)
            return None

    async def _leave(self, edit: outbox.Edit) -> None:
        """It is not edited: nobody can any more, or it cannot be said in it."""
        await self._database.write(lambda c: outbox.leave(c, edit.id))

    async def _rest(self, moment: datetime | None) -> None:
        """Returns when woken, or when that moment has come."""
        alarm = None if moment is None else asyncio.create_task(self._wake_after(moment - self._clock.now()))
        try:
            await self._awake.wait()
        finally:
            if alarm is not None:
                alarm.cancel()

    async def _wake_after(self, pause: timedelta) -> None:
        await self._clock.sleep(pause)
        self._awake.set()

    async def _stop(self) -> None:
        """Lets requests that are under way come to their end; what is left stays tried, and is repeated."""
        if self._tasks and self._failure is None:
            await asyncio.wait(self._tasks, timeout=_GRACE.total_seconds())
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)


async def _outcome(sender: Sender, outgoing: Outgoing) -> Outcome:
    try:
        return await sender.send(outgoing)
    except StorageError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the message may stand there
        _log.error("sender failed", message=outgoing.id, error=error)
        return Unknown(type(error).__name__)
