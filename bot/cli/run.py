"""``vedette run``: the service, until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.config import Config, settings_from
from bot.cli.output import results
from bot.cli.stopping import Stop, end_at_once
from bot.errors import ConfigError, VedetteError
from bot.terminal import Style, is_printing, wants_colour

if TYPE_CHECKING:
    from typing import TextIO

    from bot.app import Mouth
    from bot.config.settings import Settings
    from bot.ports import Outcome, Outgoing


def run(
    *,
    config: Config = None,
    form: Annotated[
        str, typer.Option("--format", help="text: alerts as they go out; jsonl: one object a match, as it is stored.")
    ] = "text",
    colour: Annotated[str, typer.Option("--colour", help="auto, always or never.")] = "auto",
) -> None:
    """The service: watches, matches and tells until SIGTERM or SIGINT."""
    if form not in ("text", "jsonl"):
        raise VedetteError(f"--format {form} is unknown; give text or jsonl")
    end_at_once()
    settings = settings_from(config)
    if settings.telegram.api_id is None or settings.telegram.api_hash is None:
        raise ConfigError(["telegram: api_id and api_hash are missing; write those that my.telegram.org shows"])
    style = Style(colour=wants_colour(colour, sys.stdout))
    from bot.folder import held
    from bot.telemetry.log import configure

    configure(settings.log.level, settings.log.format, sys.stderr)
    stop = Stop()
    with held(settings.data_dir), results(None) as stream:
        asyncio.run(_serve(settings, form, stream, style, stop))
        if is_printing():
            # Its reader does not read on, and would keep us from ending for as long.
            os._exit(0)


async def _serve(settings: Settings, form: str, stream: TextIO, style: Style, stop: Stop) -> None:
    from bot.app import serve

    asked, loop = asyncio.Event(), asyncio.get_running_loop()

    def begun() -> None:
        stop.begun(lambda: loop.call_soon_threadsafe(asked.set))

    await serve(settings, _mouth(settings, form, stream, style), asked, begun)


def _mouth(settings: Settings, form: str, stream: TextIO, style: Style) -> Mouth:
    """Who speaks: messages on standard output, or matches there and no messages; notices on standard error."""
    from bot.app import Mouth
    from bot.cli.printed import Mark, MatchPrinter
    from bot.config.settings import LogFormat
    from bot.printer import TerminalSender, log_notice, print_notice

    mark = Mark(settings.data_dir / "printed")
    printer = MatchPrinter(stream, mark) if form == "jsonl" else None
    if printer is None:
        mark.forget()
    return Mouth(
        sender_for=lambda clock: (
            TerminalSender(stream, settings.timezone, style, clock) if printer is None else _Silent()
        ),
        tell=lambda message: (
            log_notice(message, sys.stderr, datetime.now(UTC))
            if settings.log.format is LogFormat.JSON
            else print_notice(message, sys.stderr, Style(colour=False))
        ),
        begin=None if printer is None else printer.begin,
        matched=None if printer is None else printer.print_new,
    )


class _Silent:
    """Where matches are printed, messages are not."""

    async def send(self, outgoing: Outgoing) -> Outcome:
        from bot.ports import Sent

        return Sent(None)
