"""Where a command writes its results: standard output or a file, always UTF-8, the same bytes anywhere."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from bot.errors import VedetteError


@contextmanager
def results(path: Path | None) -> Iterator[TextIO]:
    """A stream for results. A lone surrogate is written as its escape, which is valid JSON too."""
    if path is None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
        yield sys.stdout
        return
    try:
        stream = path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as error:
        raise VedetteError(f"{path} cannot be written: {error.strerror}; name another file with --out") from error
    with stream:
        yield stream
