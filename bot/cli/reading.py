"""Reading recordings for a person: progress while it lasts, what could not be read, and the exit code for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from bot.model import Happening, Problem, Revision
from bot.recording.reader import read
from bot.terminal import Progress, harmless
from bot.text.footers import Footers, learning

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE…", help="Recordings: JSON lines or Telegram's result.json, also .gz; - reads standard input."
    ),
]


class Reading:
    """One pass over recordings: what was read, and what could not be."""

    def __init__(self, files: list[Path]) -> None:
        self._files = files
        self.footers = Footers()
        self.posts = 0
        self.skipped = 0
        self._progress = Progress("posts")

    def revisions(self) -> Iterator[Revision]:
        """What happened to the posts, in order; the footers are learnt some posts ahead.

        Raises RecordingError at the call for a file that is missing or is none.
        """
        return learning(self._counted(read(self._files, self._report, self._advance)), self.footers)

    def clear(self) -> None:
        """Makes room for output."""
        self._progress.clear()

    def finish(self) -> None:
        """Says how many lines were skipped, if any; then the exit code is 1."""
        self._progress.clear()
        if self.skipped:
            lines = "line was" if self.skipped == 1 else "lines were"
            sys.stderr.write(f"vedette: {self.skipped} {lines} skipped, see above\n")
            raise typer.Exit(1)

    def _counted(self, revisions: Iterator[Revision]) -> Iterator[Revision]:
        for revision in revisions:
            self.posts += revision.happening is Happening.POSTED
            yield revision

    def _report(self, problem: Problem) -> None:
        self._progress.clear()
        self.skipped += problem.kind == "skipped"
        sys.stderr.write(f"{harmless(str(problem))}\n")

    def _advance(self, done: int, total: int) -> None:
        self._progress.update(self.posts, done, total)
