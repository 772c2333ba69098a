"""Sends what is in the outbox: claim, send, confirm; and tells the operators what they have not been told.

A message is marked as tried before it is sent. Whatever happens then (no answer, kill -9), the same message with the
same ``random_id`` is sent again until there is an answer. So none is lost, and where the other side knows
``random_id``, none stands there twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import NoReturn, assert_never

from bot.model import Destination, Notice
from bot.ports import Clock, Later, Outcome, Outgoing, Refused, Sender, Sent, Unknown
from bot.render.notice import notice
from bot.render.richtext import Message
from bot.storage import notices, outbox
from bot.storage.database import Database
from bot.telemetry.log import logger

#: After which a message is repeated that may have been sent.
_AGAIN = timedelta(seconds=10)

_log = logger(__name__)


class Deliver:
    """The loop is `run`; `wake` says that something was added to the outbox or to the notices."""

    def __init__(
        self, database: Database, sender: Sender, clock: Clock, *, tell: Callable[[Message], None] | None = None
    ) -> None:
        """``tell`` says a notice to the operators, without waiting; without it notices stay untold."""
        self._database = database
        self._sender = sender
        self._clock = clock
        self._tell = tell
        self._awake = asyncio.Event()

    def wake(self) -> None:
        self._awake.set()

    async def run(self) -> NoReturn:
        """Sends whatever may go, and waits for more, until it is cancelled. Raises StorageError."""
        while True:
            self._awake.clear()
            while await self._send_next():
                pass
            await self._tell_operators()
            await self._rest()

    async def _send_next(self) -> bool:
        """Sends one message; False when none may go."""
        now = self._clock.now()
        outgoing = await self._database.write(lambda c: outbox.claim(c, now))
        if outgoing is None:
            return False
        await self._note(outgoing, await self._outcome(outgoing))
        return True

    async def _outcome(self, outgoing: Outgoing) -> Outcome:
        try:
            return await self._sender.send(outgoing)
        except Exception as error:  # noqa: BLE001 - whatever it is, the message may stand there
            _log.error("sender failed", message=outgoing.id, error=error)
            return Unknown(type(error).__name__)

    async def _note(self, outgoing: Outgoing, outcome: Outcome) -> None:
        """Writes down what became of a message."""
        now, id_, to = self._clock.now(), outgoing.id, outgoing.destination
        match outcome:
            case Sent(number):
                await self._database.write(lambda c: outbox.confirm(c, id_, number, now))
                await self._database.write(lambda c: notices.settle(c, _subject(to), now))
                _log.info("message sent", message=id_, lane=outgoing.lane, to=to)
            case Later(wait, why):
                await self._database.write(lambda c: outbox.postpone(c, id_, now + wait, why))
                _log.info("message postponed", message=id_, lane=outgoing.lane, to=to, wait=wait, why=why)
            case Unknown(why):
                await self._database.write(lambda c: outbox.postpone(c, id_, now + _AGAIN, why))
                _log.warning("message may have been sent", message=id_, lane=outgoing.lane, to=to, why=why)
            case Refused(why):
                # In this order, so that no crash in between leaves the operators untold.
                told = Notice(f"{to} refuses messages: {why}")
                await self._database.write(lambda c: notices.tell(c, _subject(to), told, now))
                await self._database.write(lambda c: outbox.refuse(c, id_, why))
                _log.warning("message refused", message=id_, lane=outgoing.lane, to=to, why=why)
            case _:
                assert_never(outcome)

    async def _tell_operators(self) -> None:
        if self._tell is None:
            return
        for noted in await notices.untold(self._database):
            self._tell(notice(noted.notice))
            now, ids = self._clock.now(), [noted.id]
            await self._database.write(lambda c: notices.mark_told(c, ids, now))  # noqa: B023 - awaited in the loop

    async def _rest(self) -> None:
        """Returns when the next message may go, or when woken before that."""
        moment = await outbox.next_moment(self._database)
        alarm = None if moment is None else asyncio.create_task(self._wake_after(moment - self._clock.now()))
        try:
            await self._awake.wait()
        finally:
            if alarm is not None:
                alarm.cancel()

    async def _wake_after(self, pause: timedelta) -> None:
        await self._clock.sleep(pause)
        self.wake()


def _subject(destination: Destination) -> str:
    """What notices call a destination."""
    return f"destination {destination}"
