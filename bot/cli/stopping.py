"""What SIGTERM and SIGINT do to the service: it ends within three seconds and with exit code 0, whatever it is at.

What it stores it stores whole, and what it has not stored it reads again, so that it may end at any moment.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Thread

STOPS = (signal.SIGINT, signal.SIGTERM)
#: For how long what is under way may be finished; whatever hangs then, a disk or a library, is left.
_PATIENCE = timedelta(seconds=2.5)


def end_at_once() -> None:
    """A stop that comes while the program is still being loaded: there is nothing to be finished yet."""
    for number in STOPS:
        signal.signal(number, lambda *_: os._exit(0))


class Stop:
    """Heeded from its making on: the process ends at once, until there is something to be finished (`begun`).

    Who waits for the signals is a thread of its own: Python would hand them to the main one, which may be waiting for
    a disk, or for a lock on the session file.
    """

    def __init__(self) -> None:
        self._asked: Callable[[], object] | None = None
        # Python writes a byte here the moment a signal comes, whatever its own threads are at.
        self._heard, self._rung = socket.socketpair()
        self._rung.settimeout(0)
        signal.set_wakeup_fd(self._rung.fileno(), warn_on_full_buffer=False)
        for number in STOPS:
            signal.signal(number, lambda *_: None)
        Thread(target=self._wait, name="stop", daemon=True).start()

    def begun(self, asked: Callable[[], object]) -> None:
        """From now on ``asked`` is called, on another thread, and the process has its time to end by itself."""
        self._asked = asked

    def _wait(self) -> None:
        while self._heard.recv(1)[0] not in STOPS:
            pass
        if self._asked is not None:
            self._asked()
            time.sleep(_PATIENCE.total_seconds())
        os._exit(0)
