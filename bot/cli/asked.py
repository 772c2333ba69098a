"""What `health` and `status` know of the configuration: beside a service that runs on with a former one, its folder."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bot.errors import ConfigError, NoConfigError
from bot.terminal import harmless

if TYPE_CHECKING:
    from bot.config.settings import Settings
    from bot.inforce import InForce

_LARGEST = 8_000_000
_DATA_DIR = re.compile(r"""^[ \t]*data_dir[ \t]*=[ \t]*(["'])([^"'\r\n]+)\1""", re.MULTILINE)


class Asked(NamedTuple):
    """``folder`` is the data directory; ``known`` is None where the file has errors: ``fault`` says so, a line.

    ``settings``: all of it, where all of it was read.
    """

    folder: Path
    known: InForce | None
    fault: str | None = None
    settings: Settings | None = None


def asked_of(option: Path | None, environment: Mapping[str, str] = os.environ) -> Asked:
    """What the configuration says. One with errors ends the command with 2, unless a process works in its folder.

    A service does not take such a file over: what it does is worth knowing all the same.
    """
    import typer

    from bot import inforce
    from bot.cli.beside import is_running
    from bot.cli.config import tell_errors
    from bot.cli.file import config_path
    from bot.config.load import load

    path = config_path(option, environment)
    try:
        settings = load(path, environment)
    except ConfigError as error:
        folder = folder_of(path)
        if not is_running(folder):
            tell_errors(error)
            sys.stderr.write(harmless(f"and no service runs in {folder.absolute()}\n"))
            raise typer.Exit(2) from None
        return Asked(folder, None, _fault(path, error))
    return Asked(settings.data_dir, inforce.of(settings), settings=settings)


def _fault(path: Path, error: ConfigError) -> str:
    """Why the file is not what is in force. What it would take to begin with it would do damage here."""
    stays = "the former configuration stays in force"
    if isinstance(error, NoConfigError):
        return f"{path.name} is {'empty' if path.exists() else 'gone'}; {stays}; put it back"
    first = error.errors[0].partition("\n")[0]
    return f"{path.name} has errors and was not taken over; {stays}: {first}".rstrip(".")


def folder_of(path: Path) -> Path:
    """The data directory that a file names, with errors or without; where it names none, the default.

    Of a file in which nothing can be read any more: where a service runs, the default or the one such folder here.
    """
    from bot.config.syntax import Slip, read

    try:
        with path.open("rb") as file:
            toml = file.read(_LARGEST).decode("utf-8-sig", "replace")
    except (OSError, ValueError):
        toml = ""
    if isinstance(raw := read(toml), Slip):
        found = _DATA_DIR.search(toml)
        named: object = found[2] if found else None
    else:
        named = raw.get("data_dir", None if not raw else "data")
    return Path(named) if isinstance(named, str) and named and "\0" not in named else _likely()


def _likely() -> Path:
    from bot.cli.beside import is_alive, is_running

    default = Path("data")
    if is_running(default):
        return default
    try:
        held = [folder for folder in Path().iterdir() if is_alive(folder)]
    except OSError:  # nobody may list it
        held = []
    return held[0] if len(held) == 1 else default
