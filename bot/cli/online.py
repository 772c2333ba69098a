"""``vedette check --online``: asks Telegram for the configured channels and destinations, and prints what it says.

Nothing is joined, and without ``--send`` nothing is sent. What is kept is the count of calls, and to which channels the
references lead, so that the service need not ask for that again.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from bot.cli.inquiry import Finding
    from bot.config.settings import Settings


def look_up(settings: Settings, *, send: bool) -> None:
    """A line for each channel and destination; the command ends with 1 if one of them cannot be used as it is.

    ``send``: each destination gets a test message.
    """
    from bot.config.settings import LogLevel
    from bot.folder import held
    from bot.telemetry.log import configure

    configure(LogLevel.ERROR, settings.log.format, sys.stderr)  # what is refused is told here, in other words
    with held(settings.data_dir):
        bad = asyncio.run(_look_up(settings, send=send))
    if bad:
        raise typer.Exit(1)


async def _look_up(settings: Settings, *, send: bool) -> int:
    """Returns how many cannot be used."""
    from bot.cli.accounts import signed_in
    from bot.cli.inquiry import Inquiry, Mark, told_of
    from bot.cli.trial import Trial

    async with signed_in(settings) as line:
        reader, speaker = line.reader, line.speaker
        inquiry = Inquiry(settings, line.database, reader, speaker, line.mine, line.clock.sleep)
        found = await inquiry.channels()
        if settings.watch.folder is not None:
            found.append(await inquiry.folder(settings.watch.folder))
        _print("channels, on Telegram", found)
        told = await inquiry.destinations()
        _print("destinations, on Telegram", told)
        if send:
            sender = None if speaker is None else line.sender(speaker)
            trial = Trial(settings, line.database, line.clock, sender, _number)
            told = await trial.sent(list(zip(told_of(settings), told, strict=True)))
            _print("test messages", told)
    bad = sum(one.mark is Mark.BAD for one in (*found, *told))
    if bad:
        sys.stderr.write(f"{bad} of {len(found) + len(told)} cannot be used as they are\n")
    return bad


def _print(heading: str, found: Sequence[Finding]) -> None:
    sys.stdout.writelines([f"{heading}\n", *(f"  {one}\n" for one in found)])
    sys.stdout.flush()


def _number() -> int:
    """For a message that is made once and never again."""
    return secrets.randbits(63) or 1
