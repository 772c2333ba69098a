"""``vedette run``: the service, until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.config import Config, settings_from
from bot.cli.output import results
from bot.errors import ConfigError, VedetteError
from bot.terminal import Style, in_thread, is_printing, takes_at_once, wants_colour

if TYPE_CHECKING:
    from typing import TextIO

    from bot.app import Mouth
    from bot.config.settings import Settings
    from bot.ports import Outcome, Outgoing
    from bot.storage.database import Database


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
    end_at_once_when_asked()
    settings = settings_from(config)
    if settings.telegram.api_id is None or settings.telegram.api_hash is None:
        raise ConfigError(["telegram: api_id and api_hash are missing; write those that my.telegram.org shows"])
    style = Style(colour=wants_colour(colour, sys.stdout))
    from bot.folder import held
    from bot.telemetry.log import configure

    configure(settings.log.level, settings.log.format, sys.stderr)
    with held(settings.data_dir), results(None) as stream:
        asyncio.run(_serve(settings, form, stream, style))
        if is_printing():
            # Its reader does not read on, and would keep us from ending for as long.
            os._exit(0)


def end_at_once_when_asked() -> None:
    """A stop that comes while the service is still being loaded: there is nothing to be finished."""
    for number in _STOPS:
        signal.signal(number, lambda *_: os._exit(0))


_STOPS = (signal.SIGTERM, signal.SIGINT)


async def _serve(settings: Settings, form: str, stream: TextIO, style: Style) -> None:
    stop = asyncio.Event()
    for number in _STOPS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    from bot.app import serve

    await serve(settings, _mouth(settings, form, stream, style), stop)


def _mouth(settings: Settings, form: str, stream: TextIO, style: Style) -> Mouth:
    """Who speaks: messages on standard output, or matches there and no messages; notices on standard error."""
    from bot.app import Mouth
    from bot.printer import TerminalSender, print_notice

    mark = Mark(settings.data_dir / "printed")
    printer = MatchPrinter(stream, mark) if form == "jsonl" else None
    if printer is None:
        mark.forget()
    return Mouth(
        sender_for=lambda clock: (
            TerminalSender(stream, settings.timezone, style, clock) if printer is None else _Silent()
        ),
        tell=lambda message: print_notice(message, sys.stderr, Style(colour=False)),
        begin=None if printer is None else printer.begin,
        matched=None if printer is None else printer.print_new,
    )


class _Silent:
    """Where matches are printed, messages are not."""

    async def send(self, outgoing: Outgoing) -> Outcome:
        from bot.ports import Sent

        return Sent(None)


class Mark:
    """Up to which match was printed, in a file of its own.

    Written after each line without waiting for the disk: a process that is killed between the two has printed one match
    too often, never one too few. A transaction of the database would leave a thousand times as much time for that.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def read(self) -> int | None:
        """None where nothing was ever printed; 0 where it is not known how far."""
        try:
            return int(self._path.read_text("ascii"))
        except FileNotFoundError:
            return None
        except ValueError:
            return 0

    def write(self, match: int) -> None:
        if self._file is None:
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.pwrite(self._file, b"%020d\n" % match, 0)

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)


class MatchPrinter:
    """Prints each stored match once, also those whose printing a crash prevented."""

    def __init__(self, stream: TextIO, mark: Mark) -> None:
        self._stream = stream
        self._mark = mark
        self._last = 0

    async def begin(self, database: Database) -> None:
        """Finds out where to go on: behind what an earlier process has printed, or behind all that is stored."""
        from bot.storage import matches

        newest, printed = await matches.last_id(database), self._mark.read()
        # The mark may be of another database than the one that lies there now.
        self._last = newest if printed is None else min(printed, newest)
        self._mark.write(self._last)

    async def print_new(self, database: Database) -> None:
        """Those that were stored since; the first time, what an earlier process left unprinted.

        Whoever reads them may be slow, and holds up nothing else by it. Raises OSError when nobody reads any more.
        """
        from bot.cli.matches import as_line
        from bot.storage import archive

        async for found in archive.matches(database, archive.Selection(), after=self._last):
            line = as_line(found)
            if takes_at_once(self._stream, len(line.encode("utf-8", "replace"))):
                self._write(line, found.id)
            else:
                await in_thread(self._write, line, found.id)
            self._last = found.id

    def _write(self, line: str, match: int) -> None:
        self._stream.write(line)
        self._stream.flush()
        self._mark.write(match)
