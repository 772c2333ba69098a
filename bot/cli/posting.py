"""``vedette digest --now``: asks the service for digests and looks on, or sends them by itself where none runs."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import typer

from bot.cli.config import rules_of_settings
from bot.digests.digests import ASKED
from bot.errors import NotSignedInError
from bot.model import Destination
from bot.render.times import Times
from bot.render.words import counted
from bot.storage import facts, notices, sending, vitals
from bot.storage.database import Database
from bot.storage.sending import Part
from bot.storage.times import to_integer
from bot.terminal import one_line

if TYPE_CHECKING:
    from bot.config.settings import Settings
    from bot.rules import Rules

#: How long the service may take to make digests, and Telegram to take their messages, while somebody looks on.
_MADE_WITHIN, _SENT_WITHIN = timedelta(minutes=1), timedelta(minutes=2)
#: How often it is looked, in seconds.
_EVERY = 0.1
#: What takes longer is worth a word, in seconds.
_SOON = 1.0
#: A message that is tried again later than this is tried never.
_NEVER = timedelta(days=3650)


def send(settings: Settings) -> None:
    """A line for each destination; the command ends with 1 where not all of its messages are sent."""
    from bot.cli.beside import is_running
    from bot.config.settings import LogLevel
    from bot.folder import held
    from bot.telemetry.log import configure

    configure(LogLevel.ERROR, settings.log.format, sys.stderr)  # what becomes of each message is told here
    rules = rules_of_settings(settings)
    if is_running(settings.data_dir):
        parts = asyncio.run(ask(settings))
    else:
        with held(settings.data_dir):
            parts = asyncio.run(send_by_itself(settings, rules))
    told = list(said(parts, rules.destinations, settings, datetime.now(UTC)))
    sys.stdout.writelines(f"{one_line(line)}\n" for line in told)
    if not all(line.startswith("✓") for line in told):
        raise typer.Exit(1)


async def ask(
    settings: Settings, made_within: timedelta = _MADE_WITHIN, sent_within: timedelta = _SENT_WITHIN
) -> list[Part]:
    """The messages of the digests that the service has made when it was asked. Raises StorageError."""
    async with Database.opened(settings.data_dir, writable=False):
        pass  # it is of this version: a newer one would bring it forward under the service
    async with Database.opened(settings.data_dir) as database:
        before, now = await sending.newest(database), datetime.now(UTC)
        await database.write(lambda c: facts.put(c, ASKED, to_integer(now)))
        sys.stderr.write("the service is asked for digests\n")
        if not await _answered(database, made_within):
            sys.stderr.write(
                f"vedette: no digest was made within {made_within.total_seconds():.0f} s; the service makes it when "
                "it can. vedette status says what it does\n"
            )
            raise typer.Exit(1)
        return await _settled(database, before, sent_within)


async def _answered(database: Database, within: timedelta) -> bool:
    try:
        async with asyncio.timeout(within.total_seconds()):
            while await facts.get(database, ASKED) is not None:  # noqa: ASYNC110 - another process answers
                await asyncio.sleep(_EVERY)
    except TimeoutError:
        return False
    return True


async def _settled(
    database: Database, before: int, within: timedelta, failed: Callable[[], bool] = lambda: False
) -> list[Part]:
    """The messages of all later digests, when of each it is known what becomes of it.

    It is sent or refused, what keeps it is known, ``within`` is over, or it ``failed``.
    """
    loop = asyncio.get_running_loop()
    begun, said = loop.time(), False
    while True:
        parts = await _kept(database, await sending.parts(database, before))
        waiting = sum(part.state not in ("sent", "refused") and not part.why for part in parts)
        lasts = loop.time() - begun
        if not waiting or lasts >= within.total_seconds() or failed():
            return parts
        if lasts > _SOON and not said:
            sys.stderr.write(f"{counted(len(parts), 'message is', 'messages are')} on the way\n")
            said = True
        await asyncio.sleep(_EVERY)


async def _kept(database: Database, parts: Sequence[Part]) -> list[Part]:
    """With why those wait that wait behind others: their chat refuses, or the bot cannot speak."""
    refusing = await vitals.refusing(database)
    speaker = (await notices.standing(database, "speaker")).get("")
    return [
        part
        if part.why or part.state in ("sent", "refused")
        else part._replace(why=refusing.get(str(part.destination)) or speaker)
        for part in parts
    ]


async def send_by_itself(settings: Settings, rules: Rules, sent_within: timedelta = _SENT_WITHIN) -> list[Part]:
    """The same without a service, whose place this takes for as long; what waited to be sent goes out too.

    Raises NotSignedInError, TelegramError, StorageError.
    """
    from bot.cli.accounts import signed_in
    from bot.delivery.deliver import Deliver
    from bot.digests.digests import Digests
    from bot.ports import Voice
    from bot.retelling import Retelling
    from bot.voices import Voices

    async with signed_in(settings) as accounts:
        if accounts.speaker is None:
            raise NotSignedInError("the bot, which sends, is not signed in; run vedette login")
        database, clock, voices = accounts.database, accounts.clock, Voices(bot=settings.telegram.bot_token is not None)
        voices.speaks(Voice.READER, accounts.sender(accounts.reader))
        voices.speaks(Voice.SPEAKER, accounts.sender(accounts.speaker))
        secret = await database.write(lambda c: facts.secret(c, secrets.token_bytes(32)))
        retelling = Retelling(database, lambda: rules)
        deliver = Deliver(database, voices, clock, secret=secret, retell=retelling.as_now)
        digests = Digests(
            database,
            clock,
            rules=lambda: rules,
            secret=secret,
            passed=lambda: None,
            wake=deliver.wake,
            folder=lambda: settings.watch.folder,
        )
        before, now = await sending.newest(database), clock.now()
        await database.write(lambda c: facts.put(c, ASKED, to_integer(now)))
        await digests.look()
        delivery = asyncio.create_task(deliver.run())
        try:
            return await _settled(database, before, sent_within, delivery.done)
        finally:
            delivery.cancel()
            await asyncio.wait([delivery])
            if not delivery.cancelled() and (error := delivery.exception()) is not None:
                raise error


def said(
    parts: Sequence[Part], destinations: Iterable[Destination], settings: Settings, now: datetime
) -> Iterator[str]:
    """What became of the digests, a line for each destination."""
    times = Times(settings.timezone, now, now)
    for to in dict.fromkeys([*destinations, *(part.destination for part in parts)]):
        yield _line(to, [part for part in parts if part.destination == to], times, now)


def _line(to: Destination, parts: Sequence[Part], times: Times, now: datetime) -> str:
    if not parts:
        return f"✗ {to}: no digest was made; the log says why"
    unsent = [part for part in parts if part.state != "sent"]
    messages = f"{len(parts)} messages" if len(parts) > 1 else "1 message"
    if not unsent:
        return f"✓ {to}: sent, {messages}"
    part = unsent[0]
    again = "" if part.not_before - now > _NEVER else f"; tried again at {times.near(part.not_before)}"
    if part.state == "refused":
        return f"✗ {to}: refused, {len(unsent)} of {messages}: {part.why}{again}"
    return f"? {to}: on its way, {len(unsent)} of {messages} not sent yet" + (f": {part.why}" if part.why else "")
