"""Lines for whoever reads them, at the reader's own pace: nobody who writes here waits.

A terminal that is paused, or a log driver that hangs, lets its pipe run full, and whoever writes to that stands still.
Here it is a thread. What waits for it is bounded; beyond that lines are lost, and counted in one line when somebody
reads on.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TextIO

from bot.telemetry.log import logger

#: In characters: some seconds of the most that is ever said, some minutes of what usually is.
_ROOM = 1 << 22
#: In seconds: what comes after a line so soon is written with it. To wake a thread for each costs more than the line.
_SOON = 0.02

_log = logger(__name__)


class Outlet:
    """In the place of a stream that has a file descriptor. Open while the block of `opened` lasts."""

    def __init__(self, stream: TextIO, *, room: int = _ROOM) -> None:
        # Not by the stream itself: its lock, held by a thread that waits for ever, would be fatal to Python's end.
        self._file = stream.fileno()
        self._encoding = stream.encoding
        self._terminal = stream.isatty()
        self._room = room
        self._changed = threading.Condition()
        #: Set when nothing more is worth waiting for.
        self._hurry = threading.Event()
        self._waiting: list[str] = []
        self._held = 0
        self._lost = 0
        self._pouring = False
        self._closed = False
        #: Whether what stands there ends in the middle of a line.
        self._torn = False

    @classmethod
    @contextmanager
    def opened(cls, stream: TextIO, *, room: int = _ROOM) -> Iterator[Outlet]:
        outlet = cls(stream, room=room)
        # A daemon: a reader that never reads on does not keep the program from ending.
        threading.Thread(target=outlet._run, name="log", daemon=True).start()
        try:
            yield outlet
        finally:
            outlet._hurry.set()
            with outlet._changed:
                outlet._closed = True
                outlet._changed.notify_all()

    def write(self, text: str, /) -> int:
        """Takes one or more whole lines, and returns at once."""
        with self._changed:
            # Once something is lost, what follows is too, until all that waits is read: so there is one gap.
            if self._lost or self._held + len(text) > self._room:
                self._lost += text.count("\n")
            else:
                self._waiting.append(text)
                self._held += len(text)
                self._changed.notify_all()
        return len(text)

    def flush(self) -> None:
        """Nothing: it is on its way."""

    def isatty(self) -> bool:
        return self._terminal

    def emptied(self, within: timedelta) -> bool:
        """Returns when all that was written has been read, or taken by the pipe; False where that takes too long.

        It is written without delay from now on.
        """
        self._hurry.set()
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._pouring, within.total_seconds())

    def _run(self) -> None:
        failed = 0
        while lines := self._taken():
            missed = self._pour(lines)
            with self._changed:
                self._held -= len(lines)
                lost = 0 if self._waiting else self._lost
                self._lost -= lost
            # Where nothing can be written, a line about that cannot either.
            failed, lost = (failed + missed + lost, 0) if missed else (0, lost + failed)
            if lost:
                # At the level that nobody leaves out.
                _log.error("lines lost, since nobody read them", lines=lost)
            with self._changed:
                self._pouring = False
                self._changed.notify_all()

    def _taken(self) -> str:
        """All that waits, once there is something; empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
        self._hurry.wait(_SOON)
        with self._changed:
            lines = "".join(self._waiting)
            self._waiting.clear()
            self._pouring = bool(lines)
            return lines

    def _pour(self, lines: str) -> int:
        """Returns when it is written; how many lines were not, as on a full disk or where the other end is closed."""
        raw = (b"\n" if self._torn else b"") + lines.encode(self._encoding, "backslashreplace")
        left = memoryview(raw)
        try:
            while left:
                try:
                    left = left[os.write(self._file, left) :]
                except BlockingIOError:  # whoever started this process has made it so
                    select.select([], [self._file], [])
        except (OSError, ValueError):
            if len(left) == len(raw):
                return lines.count("\n")
            self._torn = raw[-len(left) - 1 : -len(left)] != b"\n"
            return bytes(left).count(b"\n")
        self._torn = False
        return 0
