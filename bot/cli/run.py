"""``vedette run``: the service, until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.config import Config, settings_from
from bot.cli.file import config_path
from bot.cli.output import results
from bot.cli.stopping import Stop, end_at_once
from bot.errors import ConfigError, StorageError, VedetteError
from bot.terminal import Style, is_printing

if TYPE_CHECKING:
    from typing import TextIO

    from bot.app import Mouth
    from bot.config.settings import Settings
    from bot.telemetry.outlet import Outlet

#: How long at the end whoever reads the log has time to read the rest.
_FAREWELL = timedelta(seconds=1)


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

    stop, file = Stop(), config_path(config, os.environ)
    with held(settings.data_dir), results(None) as stream:
        with _standard_error() as said:
            asyncio.run(_serve(settings, file, _mouth(settings, form, stream, said), stop))
        if is_printing():
            # Its reader does not read on, and would keep us from ending for as long.
            os._exit(0)


@contextmanager
def _standard_error() -> Iterator[Outlet]:
    """Where the log and notices go. Whoever reads there holds up nothing, and not the end either."""
    from bot.telemetry.outlet import Outlet

    with Outlet.opened(sys.stderr) as outlet:
        try:
            yield outlet
        finally:
            if not outlet.emptied(_FAREWELL):
                # What is said of an error besides would wait for ever.
                sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - the process ends


async def _serve(settings: Settings, file: Path, mouth: Mouth, stop: Stop) -> None:
    from bot.app import File, serve
    from bot.folder import READER
    from bot.telegram.session import require_session

    # Before the bot is signed in, and anything is stored. A file that cannot be read just now is for whoever needs it.
    with suppress(StorageError):
        require_session(settings.telegram, settings.data_dir / READER)
    asked, loop = asyncio.Event(), asyncio.get_running_loop()

    def begun() -> None:
        stop.begun(lambda: loop.call_soon_threadsafe(asked.set))

    await serve(settings, mouth, asked, begun, File(file, os.environ))


def _mouth(settings: Settings, form: str, stream: TextIO, said: Outlet) -> Mouth:
    """What is said here: matches on standard output where they are asked for, notices and the log beside it."""
    from bot.app import Mouth
    from bot.cli.printed import Mark, MatchPrinter
    from bot.config.settings import LogFormat
    from bot.printer import log_notice, print_notice
    from bot.telemetry.log import configure

    configure(settings.log.level, settings.log.format, said)
    mark = Mark(settings.data_dir / "printed")
    printer = MatchPrinter(stream, mark) if form == "jsonl" else None
    if printer is None:
        mark.forget()
    return Mouth(
        show=lambda message: (
            log_notice(message, said, datetime.now(UTC))
            if settings.log.format is LogFormat.JSON
            else print_notice(message, said, Style(colour=False))
        ),
        begin=None if printer is None else printer.begin,
        matched=None if printer is None else printer.print_new,
        obey=lambda changed: configure(changed.log.level, settings.log.format, said),
    )
