"""``vedette digest``: the next digest of each destination without sending it, the same now, or the last one again."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.config import Config, rules_of_settings, settings_from
from bot.cli.output import results
from bot.errors import VedetteError
from bot.render.times import Times
from bot.terminal import Style, headed, one_line, wants_colour

if TYPE_CHECKING:
    from bot.config.settings import Settings
    from bot.digests.edition import Edition
    from bot.rules import Rules


def digest(  # noqa: PLR0913 - one argument an option
    config: Config = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the next digests as they would be now; this is the default.")
    ] = False,
    now: Annotated[bool, typer.Option("--now", help="Send them now; the next ones tell what comes after.")] = False,
    last: Annotated[bool, typer.Option("--last", help="Show the last digest of each destination again.")] = False,
    full: Annotated[bool, typer.Option("--full", help="With --last: all of its stories.")] = False,
    colour: Annotated[str, typer.Option("--colour", help="auto, always or never.")] = "auto",
) -> None:
    """The next digest of each destination, or the last. Sends nothing without --now; works beside the service."""
    if dry_run + now + last > 1:
        raise VedetteError("--dry-run, --now and --last are three different things; give one of them")
    if full and not last:
        raise VedetteError("--full is of the last digest; write digest --last --full")
    style = Style(colour=wants_colour(colour, sys.stdout))
    settings = settings_from(config)
    if now:
        from bot.cli.posting import send

        send(settings)
        return
    rules, at = rules_of_settings(settings), datetime.now(UTC)
    shown = asyncio.run(_last(settings, rules, full=full) if last else _next(settings, rules, at))
    if not shown:
        sys.stderr.write("no digest has been made yet\n")
    with results(None) as stream:
        for edition in shown:
            stream.write(_as_text(edition, None if last else at, settings, style))


async def _next(settings: Settings, rules: Rules, now: datetime) -> list[Edition]:
    from bot.digests.digests import preview
    from bot.storage.database import Database

    async with Database.opened(settings.data_dir, writable=False) as database:
        return await preview(database, rules, now, folder=settings.watch.folder)


async def _last(settings: Settings, rules: Rules, *, full: bool) -> list[Edition]:
    from bot.digests.digests import last
    from bot.storage.database import Database

    async with Database.opened(settings.data_dir, writable=False) as database:
        return await last(database, rules, full=full, folder=settings.watch.folder)


def _as_text(edition: Edition, now: datetime | None, settings: Settings, style: Style) -> str:
    """As replay shows digests. ``now``: it is the next one, and would be so at this moment."""
    made = edition.made
    at = now or made.until
    when = Times(settings.timezone, at, at).whole(at)
    what = "digest" if now is None else "the next digest"
    return "".join(
        headed(f"{when} · {what}{_part(number, edition.messages)} to {one_line(str(made.destination))}", *part, style)
        for number, part in enumerate(((one.text, one.entities) for one in edition.messages), 1)
    )


def _part(number: int, of: Sequence[object]) -> str:
    return f", part {number} of {len(of)}" if len(of) > 1 else ""
