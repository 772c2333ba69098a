"""``vedette backup``: a consistent copy of the database. Works beside a service that runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.config import Config, settings_from
from bot.terminal import Progress, one_line


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes; nothing may be there yet.")],
    *,
    config: Config = None,
) -> None:
    """A consistent copy of the database, while the service runs. It holds no session."""
    from bot.storage.backups import copy

    settings = settings_from(config)
    progress = Progress("MB")
    try:
        size = copy(settings.data_dir, file, lambda done, total: progress.update(done // 1_000_000, done, total))
    finally:
        progress.clear()
    sys.stderr.write(f"{one_line(str(file))}: {size / 1_000_000:,.1f} MB, read once more and found whole\n")
