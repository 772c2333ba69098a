"""What becomes of a message that was tried: what is written down of it, when it is tried again, who is told.

A message that was answered without having been sent is anybody's again; one without an answer stays with the account
that tried it. A destination that refuses, or gives no answer for long, is told of once, and its messages are tried
again for a day. What is refused where other messages are taken is refused for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NamedTuple, TypeVar, assert_never

from bot.delivery.turns import Ask, Chat, Turns, is_endless
from bot.model import Destination, Me, Notice
from bot.pacing import CALL, Attempt
from bot.ports import Clock, Forward, Lane, Later, Outcome, Outgoing, Refused, Sent, Unknown, Voice
from bot.render.richtext import Message, split
from bot.render.words import counted
from bot.storage import attempts, notices, outbox
from bot.storage.database import Connection, Database
from bot.storage.vitals import NO_ANSWER
from bot.telemetry.log import logger
from bot.voices import Voices

#: After which a message is repeated that may have been sent: so much longer each time, up to `_MOST`.
_AGAIN = timedelta(seconds=10)
_MOST = timedelta(minutes=1)
#: After which a message is tried again that its chat refused, and for how long after it was made.
_REFUSED = timedelta(minutes=10)
_DAY = timedelta(hours=24)
#: After so many refusals in a row a chat that cannot be found is asked for no more rarely.
_RARELY = 6
#: Of a wait that is shorter the operators need not hear.
_LONG = timedelta(minutes=10)
_WAITS = "speaker waits"
#: After which the operators are told that there is no answer.
_UNANSWERED = timedelta(minutes=10)
_ABSENT = "it may have been sent by an account that speaks no more"
_ENDLESS = "it may have been sent, and there was no answer to it for a day"

_LONG_AGO = datetime.min.replace(tzinfo=UTC)

T = TypeVar("T")

_log = logger(__name__)


class Tried(NamedTuple):
    """A request that was made, by this account; ``attempt`` is its number in the tables."""

    outgoing: Outgoing
    account: int
    chat: Chat
    attempt: int

    def end(self, c: Connection, ended: datetime) -> None:
        """Written down: it was over then."""
        attempts.end(c, self.attempt, ended)

    @property
    def keys(self) -> dict[str, object]:
        """For lines of the log about its message."""
        return {"message": self.outgoing.id, "lane": self.outgoing.lane, "to": self.outgoing.destination}


class Outcomes:
    """Writes down what became of messages. ``added``, ``changed``: messages to be sent, or to be edited, came up."""

    def __init__(  # noqa: PLR0913 - one argument a part
        self,
        database: Database,
        turns: Turns,
        clock: Clock,
        voices: Voices,
        *,
        secret: bytes,
        told: Callable[[], None],
    ) -> None:
        self._database = database
        self._turns = turns
        self._clock = clock
        self._voices = voices
        self._secret = secret
        self._told = told
        self._asked: dict[Destination, int] = {}
        #: Since when there is no answer to a message, or to who asks for a chat; and when accounts last had one.
        self._silent: dict[int | Destination, datetime] = {}
        self._answered: dict[int, datetime] = {}
        #: Messages since whose refusal others were taken where they go to.
        self._doubted: set[int] = set()
        self.added = False
        self.changed = False

    # --- messages ---

    async def sent(self, row: outbox.Waiting, tried: Tried, outcome: Outcome) -> None:
        """An answer to a message, or none."""
        now, keys = self._over(tried, outcome), tried.keys
        if not isinstance(outcome, Unknown):
            self._silent.pop(row.id, None)
            self._answered[tried.account] = now
        doubted = row.id in self._doubted
        self._doubted.discard(row.id)
        match outcome:
            case Sent(number, instead):
                await self._stands(row, tried, number, instead, now)
                _log.info("message sent", **keys, instead=instead)
            case Later(wait, why):
                await self._later(row, tried, outcome, now)
                _log.info("message postponed", **keys, wait=wait, why=why)
            case Unknown(why):
                await self._unknown(row, tried, why, now)
                _log.warning("message may have been sent", **keys, why=why)
            case Refused(why, of_message):
                of_message |= doubted
                if of_message and row.lane is not Lane.NOTICE:
                    await self._unreadable(row, tried, why, now)
                else:
                    await self._refuse([row], why, now + _REFUSED, now, tried)
                    self._turns.know(tried.account, row.destination, None)
                _log.warning("message refused", **keys, why=why, of_message=of_message)
            case _:
                assert_never(outcome)

    async def given_up(self, row: outbox.Waiting, why: str = _ABSENT) -> None:
        """It may have been sent, and nobody is there to repeat it, or nobody answers."""
        self._silent.pop(row.id, None)
        now = self._clock.now()
        called = self._called(row.destination, row.voice)
        notice = Notice(f"A message to {called} is not sent again: {why}.")

        def work(c: Connection) -> None:
            outbox.refuse(c, row.id, why, unsent=False)
            notices.tell(c, f"message {row.id}", notice, now)

        await self._database.write(work)
        self._told()
        _log.warning("message given up", message=row.id, lane=row.lane, to=row.destination, why=why)

    async def _stands(
        self, row: outbox.Waiting, tried: Tried, number: int | None, instead: str | None, now: datetime
    ) -> None:
        forward = tried.outgoing.forward
        others = [each for each in self._turns.first(row.destination) if each.id != row.id]
        retried = [each for each in others if each.refused]
        # While one of its messages is not taken, a destination has not come round.
        mended = row.voice is Voice.SPEAKER and not any(each.refused or each.id in self._silent for each in others)
        rested = self._turns.rests.get(tried.account, now + _LONG) <= now
        called = self._called(row.destination, row.voice, first=True)

        def work(c: Connection) -> tuple[bool, bool]:
            tried.end(c, now)
            changed = outbox.confirm(c, row.id, number, tried.chat.id, now)
            # What the reader says to himself does not say that the bot may.
            told = mended and _takes_again(c, row.destination, called, now)
            outbox.try_again(c, [each.id for each in retried], now)
            if rested:
                told |= notices.mend(c, _WAITS, Notice("Telegram lets the speaker send again."), now)
            if forward is not None and instead is not None:
                outbox.replace(c, row.id, forward.excerpt)
                told |= notices.tell(c, *_not_forwarded(forward, instead), now)
            return changed, told

        changed, told = await self._database.write(work)
        self._turns.drop(row)
        self._doubted.update(each.id for each in retried if each.voice is row.voice)
        for each in retried:
            self._turns.put(each._replace(not_before=now))
        if rested and self._turns.rests.get(tried.account, now) <= now:
            self._turns.rests.pop(tried.account, None)
        self.changed |= changed
        if told:
            self._told()

    async def _later(self, row: outbox.Waiting, tried: Tried, asked: Later, now: datetime) -> None:
        """It was not sent, so that anybody may send it, unless an earlier try may have been."""
        unsent = _unsent(row)
        until = row.not_before if asked.everywhere else now + asked.wait
        wait = self._wait(tried, asked, now)

        def work(c: Connection) -> bool:
            outbox.postpone(c, row.id, until, asked.why, unsent=unsent)
            return wait(c)

        told = await self._write(tried, now, work)
        account = None if unsent else tried.account
        self._turns.put(
            row._replace(tries=row.tries + 1, not_before=until, account=account, chat=tried.chat.id, refused=False)
        )
        if told:
            self._told()

    async def _unknown(self, row: outbox.Waiting, tried: Tried, why: str, now: datetime) -> None:
        """It may have been sent: the same account repeats it, until it is beyond hope."""
        pause = min(_AGAIN * (row.tries + 1), _MOST)
        again = row._replace(account=tried.account, tries=row.tries + 1, not_before=now + pause, refused=False)
        silent = self._is_silent(row.id, now) and row.lane is not Lane.NOTICE
        called = self._called(row.destination, row.voice, first=True)

        def work(c: Connection) -> bool:
            outbox.postpone(c, row.id, again.not_before, why)
            return silent and _tell_silent(c, row.destination, called, why, now)

        told = await self._write(tried, now + CALL, work)
        # Where nobody has an answer it is not for this message that there is none.
        if is_endless(again, now) and now - self._answered.get(tried.account, _LONG_AGO) < _REFUSED:
            self._turns.drop(row)
            await self.given_up(row, _ENDLESS)
            return
        self._turns.put(again)
        if told:
            self._told()

    def _is_silent(self, what: int | Destination, now: datetime) -> bool:
        """Whether there has been no answer for so long that the operators should know."""
        since = self._silent.setdefault(what, now)
        if since > now:
            self._silent[what] = now
        return now - since >= _UNANSWERED

    async def _refuse(
        self, rows: list[outbox.Waiting], why: str, again: datetime, now: datetime, tried: Tried | None = None
    ) -> None:
        """The chat does not take them: notices take another way, the rest is tried for a day."""
        tries = [(row, again if row.lane is not Lane.NOTICE and again < row.made + _DAY else None) for row in rows]

        def work(c: Connection) -> bool:
            told = False
            if tried is not None:
                tried.end(c, now)
            for row, moment in tries:
                if not outbox.is_open(c, row.id):
                    continue
                outbox.refuse(c, row.id, why, moment, unsent=_unsent(row))
                if row.lane is not Lane.NOTICE:
                    called = self._called(row.destination, row.voice, first=True)
                    notice = Notice(f"{called} refuses messages: {why}")
                    told |= notices.tell(c, _subject(row.destination), notice, now)
                    told |= moment is None and _tell_given_up(c, row.destination, called, now)
            return told

        told = await self._database.write(work)
        for row, moment in tries:
            if moment is None:
                self._turns.drop(row)
            else:
                account = row.account if _unsent(row) or tried is None else tried.account
                self._turns.put(row._replace(tries=row.tries + 1, not_before=moment, account=account, refused=True))
        if told or any(row.lane is Lane.NOTICE for row in rows):
            self._told()

    async def _unreadable(self, row: outbox.Waiting, tried: Tried, why: str, now: datetime) -> None:
        """It is the message that is refused: its words are sent without anything else, once."""
        outgoing = tried.outgoing
        told = outgoing.message if outgoing.forward is None else outgoing.forward.excerpt
        parts = split([Message(told.text)])
        once_more = bool(told.entities) or len(parts) > 1 or outgoing.forward is not None
        then = "it is sent again as plain text" if once_more else "it is not sent"
        called = self._called(row.destination, row.voice)
        notice = Notice(f"A message to {called} was refused as it is ({why}); {then}.")

        def work(c: Connection) -> int | None:
            outbox.refuse(c, row.id, why, unsent=_unsent(row))
            notices.tell(c, f"message {row.id}", notice, now)
            return outbox.plain(c, row.id, parts, self._secret, now) if once_more else None

        newest = await self._write(tried, now, work)
        if newest is not None:
            added = await outbox.added(self._database, newest)
            self._turns.put_first([each for each in added[: len(parts)] if each.lane is row.lane])
        self._turns.drop(row)
        self._told()

    # --- edits ---

    async def amended(self, tried: Tried, changes: int, outcome: Outcome) -> None:
        """An answer to an edit, or none; ``changes``: how often what it says had changed by then."""
        now, id_, keys = self._over(tried, outcome), tried.outgoing.id, tried.keys
        self.changed = True
        match outcome:
            case Sent():
                message = tried.outgoing.message
                await self._write(tried, now, lambda c: outbox.edited(c, id_, changes, now, message))
                _log.info("message edited", **keys)
            case Later(wait, why):
                if await self._write(tried, now, self._wait(tried, outcome, now)):
                    self._told()
                _log.info("edit postponed", **keys, wait=wait, why=why)
            case Unknown(why):
                await self._write(tried, now + CALL, lambda c: outbox.postpone(c, id_, now + CALL, why))
                _log.warning("message may have been edited", **keys, why=why)
            case Refused(why, of_message):
                # What the chat refuses now it may take later; whatever it never takes the next digest tells.
                refused = outbox.leave if of_message else partial(outbox.postpone, until=now + _REFUSED, why=why)
                await self._write(tried, now, lambda c: refused(c, id_))
                _log.warning("edit refused", **keys, why=why, of_message=of_message)
            case _:
                assert_never(outcome)

    # --- chats ---

    def _called(self, to: Destination, voice: Voice, *, first: bool = False) -> str:
        """A destination as the operators are told of it, to whom "me" would be themselves; ``first`` in a sentence."""
        if not isinstance(to.chat, Me):
            return str(to)
        if self._voices.is_bot(voice):
            return f"{'The' if first else 'the'} reader's private chat with the bot"
        return "Saved Messages"

    async def asked(self, ask: Ask, answer: int | Later | Refused | Unknown) -> None:
        """In which chat a destination is, or why that is not known."""
        now, to, account = self._clock.now(), ask.row.destination, ask.sender.account
        called = self._called(to, ask.row.voice, first=True)
        tries = self._asked.pop(to, 0) + 1
        if not isinstance(answer, Unknown):
            self._silent.pop(to, None)
        if isinstance(answer, int):
            self._turns.know(account, to, answer)
            return
        self._asked[to] = tries
        match answer:
            case Later(why=why):
                await self._ask_later(to, account, answer, now)
            case Unknown(why):
                self._turns.held[to] = now + min(_AGAIN * tries, _MOST)
                if self._is_silent(to, now) and await self._database.write(
                    lambda c: _tell_silent(c, to, called, why, now)
                ):
                    self._told()
            case Refused(why):
                again = now + _REFUSED * min(tries, _RARELY)
                self._turns.refusing[to] = again
                await self._refuse(self._likewise(ask), why, again, now)
            case _:
                assert_never(answer)
        _log.warning("chat not found", to=to, why=why)

    def _likewise(self, ask: Ask) -> list[outbox.Waiting]:
        """What stands first in its lane and would be refused likewise. A notice is only refused for itself."""
        return [
            row
            for row in self._turns.first(ask.row.destination)
            if row == ask.row
            or (row.lane is not Lane.NOTICE and row.voice is ask.row.voice and row.account is ask.row.account is None)
        ]

    # --- waits ---

    async def _ask_later(self, to: Destination, account: int, asked: Later, now: datetime) -> None:
        self._turns.held[to] = until = now + asked.wait
        everywhere = self._everywhere(account, asked, now) if asked.everywhere else None

        def work(c: Connection) -> bool:
            attempts.hold(c, str(to), until, now)
            return everywhere is not None and everywhere(c)

        if await self._database.write(work):
            self._told()

    def _wait(self, tried: Tried, asked: Later, now: datetime) -> Callable[[Connection], bool]:
        """Telegram asks for a wait: in this chat, or of this account.

        Returns how it is written down, with what became of the message: True where the operators are told.
        """
        if asked.everywhere:
            return self._everywhere(tried.account, asked, now)
        tried.chat.held = until = max(tried.chat.held, now + asked.wait)

        def work(c: Connection) -> bool:
            attempts.hold(c, str(tried.chat.id), until, now)
            return False

        return work

    def _everywhere(self, account: int, asked: Later, now: datetime) -> Callable[[Connection], bool]:
        until = max(now + asked.wait, self._turns.rests.get(account, now))
        self._turns.rests[account] = until
        speaker = self._voices.of(Voice.SPEAKER)
        tell = asked.wait >= _LONG and speaker is not None and speaker.account == account
        end = f"{until:%H:%M}" if until.date() == now.date() else f"{until:%H:%M on %Y-%m-%d}"
        what = f"Telegram lets the speaker send nothing until {end} UTC; what is to be told waits."
        notice = Notice(what, (asked.why,))

        def work(c: Connection) -> bool:
            attempts.rest(c, account, until, asked.why, now)
            return tell and notices.tell(c, _WAITS, notice, now)

        return work

    def _over(self, tried: Tried, outcome: Outcome) -> datetime:
        """Now. From now on the request counts as one that has ended; without an answer it may still be on its way."""
        now = self._clock.now()
        ended = now + CALL if isinstance(outcome, Unknown) else now
        tried.chat.silent = isinstance(outcome, Unknown)
        tried.chat.attempts[tried.attempt] = Attempt(ended, tried.chat.attempts[tried.attempt].messages)
        return now

    async def _write(self, tried: Tried, ended: datetime, work: Callable[[Connection], T]) -> T:
        def both(c: Connection) -> T:
            tried.end(c, ended)
            return work(c)

        return await self._database.write(both)


def _unsent(row: outbox.Waiting) -> bool:
    """Whether an answer that it was not sent is true of all of it.

    Not if an earlier try has no answer, nor of a forwarded post, which may stand there without what belongs under it.
    """
    return row.account is None and row.weight == 1


def _subject(destination: Destination) -> str:
    """What notices call a destination."""
    return f"destination {destination}"


def _takes_again(c: Connection, to: Destination, called: str, now: datetime) -> bool:
    """It has come round; how many messages it has missed is told with it."""
    notices.settle(c, f"given up {to}", now)
    missed = outbox.given_up(c, to)
    lost = f"; {counted(missed, 'message that it refused for a day is', 'messages that it refused for a day are')} lost"
    return notices.mend(c, _subject(to), Notice(f"{called} takes messages again{lost if missed else ''}."), now)


def _tell_given_up(c: Connection, to: Destination, called: str, now: datetime) -> bool:
    outbox.give_up(c, to)
    what = f"{called} has refused messages for a day. Whatever is a day old is given up from now on."
    return notices.tell(c, f"given up {to}", Notice(what), now)


def _tell_silent(c: Connection, to: Destination, called: str, why: str, now: datetime) -> bool:
    notice = Notice(f"{called} {NO_ANSWER}; it is tried again and again.", (why,))
    return notices.tell(c, _subject(to), notice, now)


def _not_forwarded(forward: Forward, why: str) -> tuple[str, Notice]:
    channel = f"@{forward.username}" if forward.username else str(forward.channel)
    return f"forward {channel}", Notice(f"Posts of {channel} cannot be forwarded ({why}); its alerts are excerpts.")
