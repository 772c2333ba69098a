"""``vedette export``: what is stored, as a recording or as matches. Works beside a service that runs."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.config import Config, settings_from
from bot.cli.output import results
from bot.cli.span import Span
from bot.errors import VedetteError
from bot.terminal import Progress, one_line

if TYPE_CHECKING:
    from typing import TextIO

    from bot.config.settings import Settings
    from bot.storage.archive import Selection
    from bot.storage.database import Database


def export(
    *,
    config: Config = None,
    matches: Annotated[bool, typer.Option("--matches", help="What was found, one object a match.")] = False,
    since: Annotated[
        str | None, typer.Option(help="Posts from then on: 2024-12-08 or 2024-12-08T14:30, in the configured zone.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Posts up to then, and not with it.")] = None,
    channel: Annotated[str | None, typer.Option(help="Of one channel: its @name, link or -100… id.")] = None,
) -> None:
    """Stored posts as a recording, each with its edits and its end, in order of time; or the matches in them."""
    settings = settings_from(config)
    span = Span.typed(since, until, settings.timezone)
    with results(None) as stream:
        asyncio.run(_export(settings, channel, span, stream, matches=matches))


async def _export(settings: Settings, channel: str | None, span: Span, stream: TextIO, *, matches: bool) -> None:
    from bot.storage.archive import Selection
    from bot.storage.database import Database

    async with Database.opened(settings.data_dir, writable=False) as database:
        only = None if channel is None else await _found(database, channel)
        selection = Selection(only, span.since, span.until)
        await (_matches if matches else _posts)(database, selection, stream)


async def _posts(database: Database, selection: Selection, stream: TextIO) -> None:
    from bot.recording.writer import line
    from bot.storage.archive import readings

    progress = Progress("lines")
    async with readings(database, selection) as found:
        count = 0
        async for post in found:
            progress.clear()
            stream.write(line(post))
            count += 1
            progress.update(count, count, found.total)
        progress.clear()
        if found.unreadable:
            many = "1 message" if found.unreadable == 1 else f"{found.unreadable:,} messages"
            sys.stderr.write(f"left out: {many} of a kind that could not be read\n")


async def _matches(database: Database, selection: Selection, stream: TextIO) -> None:
    from bot.cli.matches import as_line
    from bot.storage.archive import matches

    progress = Progress("matches")
    count = 0
    async for found in matches(database, selection):
        progress.clear()
        stream.write(as_line(found))
        count += 1
        progress.update(count, 0, 0)
    progress.clear()


async def _found(database: Database, typed: str) -> int:
    """The id of the stored channel that a person means."""
    from bot.cli.channels import channel_typed
    from bot.storage.archive import find

    ref = channel_typed(typed, "--channel")
    found = await find(database, ref)
    if found is None:
        raise VedetteError(f"--channel {one_line(typed)}: nothing of this channel is stored; see vedette status")
    return found
