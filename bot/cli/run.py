"""``vedette run``: the service, until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.config import Config, config_path, settings_from
from bot.cli.output import results
from bot.cli.stopping import Stop, end_at_once
from bot.errors import ConfigError, VedetteError
from bot.terminal import Style, is_printing

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO

    from bot.app import Mouth
    from bot.config.settings import Settings


def run(
    *,
    config: Config = None,
    form: Annotated[
        str,
        typer.Option("--format", help="text: the log; jsonl: each match too, one object a line, as it is stored."),
    ] = "text",
) -> None:
    """The service: watches, matches and tells until SIGTERM or SIGINT."""
    if form not in ("text", "jsonl"):
        raise VedetteError(f"--format {form} is unknown; give text or jsonl")
    end_at_once()
    settings = settings_from(config)
    if settings.telegram.api_id is None or settings.telegram.api_hash is None:
        raise ConfigError(["telegram: api_id and api_hash are missing; write those that my.telegram.org shows"])
    from bot.folder import held
    from bot.telemetry.log import configure

    configure(settings.log.level, settings.log.format, sys.stderr)
    stop, file = Stop(), config_path(config, os.environ)
    with held(settings.data_dir), results(None) as stream:
        asyncio.run(_serve(settings, file, form, stream, stop))
        if is_printing():
            # Its reader does not read on, and would keep us from ending for as long.
            os._exit(0)


async def _serve(settings: Settings, file: Path, form: str, stream: TextIO, stop: Stop) -> None:
    from bot.app import File, serve

    asked, loop = asyncio.Event(), asyncio.get_running_loop()

    def begun() -> None:
        stop.begun(lambda: loop.call_soon_threadsafe(asked.set))

    await serve(settings, _mouth(settings, form, stream), asked, begun, File(file, os.environ))


def _mouth(settings: Settings, form: str, stream: TextIO) -> Mouth:
    """What is said here: matches on standard output where they are asked for, notices on standard error."""
    from bot.app import Mouth
    from bot.cli.printed import Mark, MatchPrinter
    from bot.config.settings import LogFormat
    from bot.printer import log_notice, print_notice
    from bot.telemetry.log import configure

    mark = Mark(settings.data_dir / "printed")
    printer = MatchPrinter(stream, mark) if form == "jsonl" else None
    if printer is None:
        mark.forget()
    return Mouth(
        show=lambda message: (
            log_notice(message, sys.stderr, datetime.now(UTC))
            if settings.log.format is LogFormat.JSON
            else print_notice(message, sys.stderr, Style(colour=False))
        ),
        begin=None if printer is None else printer.begin,
        matched=None if printer is None else printer.print_new,
        obey=lambda changed: configure(changed.log.level, settings.log.format, sys.stderr),
    )
