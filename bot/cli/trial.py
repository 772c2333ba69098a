"""``vedette check --online --send``: a test message to each destination, and what Telegram says to it.

Nothing is kept of it but what the service has to know: how much a chat was written to, and for how long to wait.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, assert_never

from bot.cli.inquiry import Finding, Mark
from bot.model import Destination
from bot.ports import Clock, Lane, Later, Outcome, Outgoing, Refused, Sender, Sent, Unknown
from bot.render.richtext import Message, bold, message
from bot.render.words import listed
from bot.storage import attempts
from bot.storage.database import Database
from bot.vitals import lasting

if TYPE_CHECKING:
    from bot.config.settings import Settings

_TITLES = 1000


def wording(settings: Settings, to: Destination) -> Message:
    """What a destination reads, which is also what will come there."""
    titles = [topic.title for topic in settings.topics if settings.destination_of(topic) == to]
    told = f"Told here: {listed(titles, _TITLES)}." if titles else "No topic is told here."
    return message(bold("Vedette can write here."), f"\nA test by vedette check --online --send. {told}")


class Trial:
    """Tries to write to destinations. ``sender`` None: nobody is signed in who might; ``chance``: a new number."""

    def __init__(
        self, settings: Settings, database: Database, clock: Clock, sender: Sender | None, chance: Callable[[], int]
    ) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._sender = sender
        self._chance = chance

    async def sent(self, found: Sequence[tuple[Destination, Finding]]) -> list[Finding]:
        """One for each; nothing is sent where the look-up has found that a chat cannot be used. Raises StorageError."""
        return [await self._tried(to, finding) for to, finding in found]

    async def _tried(self, to: Destination, finding: Finding) -> Finding:
        if finding.mark is Mark.BAD:
            return Finding(Mark.BAD, str(to), "nothing was sent, for what is said above")
        if self._sender is None:
            return Finding(Mark.BAD, str(to), "nothing was sent: the bot is not signed in; vedette login signs it in")
        outcome = await self._send(self._sender, to)
        match outcome:
            case Sent():
                return Finding(Mark.WELL, str(to), "the test message is there")
            case Refused():
                return Finding(Mark.BAD, str(to), f"nothing was sent: {outcome.why}")
            case Later():
                why = f"nothing was sent: {outcome.why}; try again in {lasting(outcome.wait)}"
                return Finding(Mark.BAD, str(to), why)
            case Unknown():
                return Finding(Mark.UNSURE, str(to), f"it may have been sent, look there: {outcome.why}")
            case _:
                assert_never(outcome)

    async def _send(self, sender: Sender, to: Destination) -> Outcome:
        now = self._clock.now()
        rest = (await attempts.rests(self._database)).get(sender.account)
        if rest is not None and rest.until > now:
            return Later(rest.until - now, rest.why)
        chat = await sender.chat(to)
        if not isinstance(chat, int):
            return chat
        number = await self._database.write(lambda c: attempts.begin(c, chat, 1, now))
        text = wording(self._settings, to)
        outcome = await sender.send(
            Outgoing(id=0, destination=to, lane=Lane.NOTICE, random_id=self._chance(), message=text)
        )
        if not isinstance(outcome, Unknown):
            await self._note(sender.account, number, outcome, self._clock.now())
        return outcome

    async def _note(self, account: int, attempt: int, outcome: Outcome, now: datetime) -> None:
        await self._database.write(lambda c: attempts.end(c, attempt, now))
        if isinstance(outcome, Later) and outcome.everywhere:
            until, why = now + outcome.wait, outcome.why
            await self._database.write(lambda c: attempts.rest(c, account, until, why, now))
