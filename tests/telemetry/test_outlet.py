"""Whoever writes never waits for whoever reads, and where nobody reads for long it is said how much was lost."""

from __future__ import annotations

import fcntl
import io
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.config.settings import LogFormat, LogLevel
from bot.telemetry.log import configure, logger
from bot.telemetry.outlet import Outlet

SOON, LATER = timedelta(seconds=0.1), timedelta(seconds=10)
_PIPE = 4096


class Pipe:
    """A pipe that takes one page, and its reader."""

    def __init__(self) -> None:
        self.end, into = os.pipe()
        fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, _PIPE)
        self.stream = io.TextIOWrapper(io.FileIO(into, "w"), encoding="utf-8", write_through=True)

    def fill(self) -> None:
        os.write(self.stream.fileno(), b"\n" * _PIPE)

    def read(self, size: int) -> str:
        """At least so many bytes."""
        found = b""
        while len(found) < size:
            found += os.read(self.end, 1 << 16)
        return found.decode()

    def close(self) -> None:
        if self.end >= 0:
            os.close(self.end)
            self.end = -1


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    try:
        yield pipe
    finally:
        pipe.close()
        pipe.stream.close()


@pytest.fixture
def unlogged() -> Iterator[None]:
    """Leaves the log as it was."""
    names = ("", "bot")
    before = [(logging.getLogger(name).level, logging.getLogger(name).handlers[:]) for name in names]
    logging.getLogger().handlers.clear()
    yield
    for name, (level, handlers) in zip(names, before, strict=True):
        logging.getLogger(name).setLevel(level)
        logging.getLogger(name).handlers[:] = handlers


def line(number: int) -> str:
    return f"Сирия № {number:06}\n"


LENGTH = len(line(0).encode())


def test_lines_come_in_their_order_and_none_is_missing(pipe: Pipe) -> None:
    count = 5000
    with Outlet.opened(pipe.stream) as outlet:
        writer = threading.Thread(target=lambda: [outlet.write(line(at)) for at in range(count)])
        writer.start()
        said = pipe.read(count * LENGTH)
        writer.join()
        assert outlet.emptied(LATER)
    assert said == "".join(map(line, range(count)))


def test_who_writes_does_not_wait_for_who_reads(pipe: Pipe) -> None:
    with Outlet.opened(pipe.stream) as outlet:
        began = time.monotonic()
        for at in range(10 * _PIPE // LENGTH):
            outlet.write(line(at))
        assert time.monotonic() - began < 1
        assert not outlet.emptied(SOON)
        pipe.read(10 * _PIPE // LENGTH * LENGTH)
        assert outlet.emptied(LATER)


@pytest.mark.parametrize("level", LogLevel)
@pytest.mark.usefixtures("unlogged")
def test_what_nobody_read_is_counted_in_one_line_where_it_is_missing(pipe: Pipe, level: LogLevel) -> None:
    room = 100
    pipe.fill()
    with Outlet.opened(pipe.stream, room=room * len(line(0))) as outlet:
        configure(level, LogFormat.JSON, outlet)
        for at in range(room + 7):
            outlet.write(line(at))
        said = pipe.read(_PIPE)
        assert outlet.emptied(LATER)
        outlet.write(line(9))
        assert outlet.emptied(LATER)
        said += pipe.read(1)
    *kept, lost, after = said[_PIPE:].splitlines()
    assert kept == [line(at).strip() for at in range(room)]
    assert json.loads(lost).items() >= {"lines": 7, "event": "lines lost, since nobody read them"}.items()
    assert after == line(9).strip()


def test_what_waits_is_bounded(pipe: Pipe) -> None:
    pipe.fill()
    with Outlet.opened(pipe.stream, room=100_000) as outlet:
        for _ in range(1000):
            outlet.write("x" * 999 + "\n")
        assert 99_000 <= outlet._held <= 100_000
        pipe.read(_PIPE + 100_000)
        assert outlet.emptied(LATER)
        assert outlet._held == 0


def test_a_reader_that_has_gone_stops_nothing(pipe: Pipe) -> None:
    with Outlet.opened(pipe.stream) as outlet:
        pipe.close()
        for at in range(3):
            outlet.write(line(at))
            assert outlet.emptied(LATER)


_FULL = """
import resource, sys
from datetime import timedelta
from bot.config.settings import LogFormat, LogLevel
from bot.telemetry.log import configure
from bot.telemetry.outlet import Outlet
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (25, hard))
with Outlet.opened(open(sys.argv[1], "w")) as outlet:
    configure(LogLevel.INFO, LogFormat.JSON, outlet)
    for at in range(5):
        outlet.write(f"line {at:04}\\n")
        outlet.emptied(timedelta(seconds=9))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    outlet.write("there is room again\\n")
    outlet.emptied(timedelta(seconds=9))
"""


def test_what_a_full_disk_did_not_take_is_counted_once_there_is_room(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _FULL, tmp_path / "log"], check=True)
    *lines, lost = (tmp_path / "log").read_text("utf-8").splitlines()
    assert lines == ["line 0000", "line 0001", "line ", "there is room again"]
    assert json.loads(lost).items() >= {"lines": 3, "event": "lines lost, since nobody read them"}.items()


def test_a_pipe_that_does_not_wait_loses_nothing(pipe: Pipe) -> None:
    """Whoever started the process may have made it so: it is theirs too."""
    os.set_blocking(pipe.stream.fileno(), False)
    count = 3 * _PIPE // LENGTH
    with Outlet.opened(pipe.stream) as outlet:
        for at in range(count):
            outlet.write(line(at))
        assert not outlet.emptied(SOON)
        assert pipe.read(count * LENGTH) == "".join(map(line, range(count)))


def test_what_no_encoding_can_say_is_escaped(pipe: Pipe) -> None:
    with Outlet.opened(pipe.stream) as outlet:
        outlet.write("\udcff\n")
        assert pipe.read(7) == "\\udcff\n"


@pytest.mark.usefixtures("unlogged")
def test_the_log_goes_through_it_as_through_any_stream(pipe: Pipe) -> None:
    with Outlet.opened(pipe.stream) as outlet:
        configure(LogLevel.INFO, LogFormat.CONSOLE, outlet)
        logger("bot.demo").info("signed in", api_hash="canary")
        assert outlet.emptied(LATER)
    said = pipe.read(1)
    assert "signed in" in said
    assert "canary" not in said


def test_its_thread_ends_with_it(pipe: Pipe) -> None:
    with Outlet.opened(pipe.stream) as outlet:
        outlet.write(line(1))
        assert outlet.emptied(LATER)
    for thread in [one for one in threading.enumerate() if one.name == "log"]:
        thread.join(5)
        assert not thread.is_alive()
