"""Matches as lines on standard output: each once, over restarts and kills."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from bot.terminal import in_thread, takes_at_once

if TYPE_CHECKING:
    from bot.storage.database import Database

_FORM = b"%020d\n"
_LENGTH = len(_FORM % 0)


class Mark:
    """Up to which match was printed: a number in memory that is a file, which no kill finds half written.

    Neither a transaction nor a write to the file would do: what a line is noted by must be as quick as a thought, for a
    process that is killed between the line and its note repeats it, or leaves it out.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept: mmap.mmap | None = None

    def read(self) -> int | None:
        """None where nothing was ever printed; 0 where it is not known how far."""
        try:
            return int(self._path.read_text("ascii"))
        except FileNotFoundError:
            return None
        except ValueError:
            return 0

    def write(self, match: int) -> None:
        """Raises OSError the first time, where the file cannot be made."""
        if self._kept is None:
            self._kept = self._opened()
        self._kept[:] = _FORM % match

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)

    def _opened(self) -> mmap.mmap:
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # Written, not only made longer: where the disk is full that fails here, and no later.
            os.pwrite(file, _FORM % (self.read() or 0), 0)
            os.ftruncate(file, _LENGTH)
            return mmap.mmap(file, _LENGTH)
        finally:
            os.close(file)


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
                # Noted first, some microseconds before it is there: who reads it wakes up the moment it is, and may
                # keep us from the core for long enough to be killed before the note.
                self._mark.write(found.id)
                try:
                    self._write(line)
                except OSError:
                    self._mark.write(self._last)
                    raise
            else:
                # Until a reader takes it, it is not printed.
                await in_thread(self._write, line)
                self._mark.write(found.id)
            self._last = found.id

    def _write(self, line: str) -> None:
        self._stream.write(line)
        self._stream.flush()
