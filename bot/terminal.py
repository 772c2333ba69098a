"""A person at a terminal: highlighted hits, progress, and texts that cannot harm the screen."""

from __future__ import annotations

import asyncio
import functools
import io
import json
import os
import re
import select
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import ParamSpec, TextIO, TypeVar

from bot.errors import VedetteError
from bot.model import Entity

P = ParamSpec("P")
T = TypeVar("T")

#: What a hostile text could steer a terminal or mirror a line with: control characters but tab and newline,
#: bidirectional overrides and isolates. https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
_HOSTILE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_HIT, _HEAD, _DIM, _OFF = "\x1b[1;33m", "\x1b[1;36m", "\x1b[2m", "\x1b[0m"


def harmless(text: str) -> str:
    """The text with every character that could steer a terminal replaced, one for one."""
    return _HOSTILE.sub("\ufffd", text)


class Style:
    """Colours, or none."""

    def __init__(self, *, colour: bool) -> None:
        self.colour = colour

    def hit(self, text: str) -> str:
        return self._painted(text, _HIT)

    def head(self, text: str) -> str:
        return self._painted(text, _HEAD)

    def dim(self, text: str) -> str:
        return self._painted(text, _DIM)

    def _painted(self, text: str, paint: str) -> str:
        return f"{paint}{text}{_OFF}" if self.colour and text else text

    def highlight(self, text: str, spans: Iterable[tuple[int, int]]) -> str:
        """One line of text with these spans highlighted; they may overlap."""
        pieces, done = [], 0
        for start, end in sorted(spans):
            start, end = max(start, done), max(end, done)  # noqa: PLW2901
            pieces += [harmless(text[done:start]), self.hit(harmless(text[start:end]))]
            done = end
        return "".join([*pieces, harmless(text[done:])])


def prepare_streams() -> None:
    """Makes whatever standard streams there are able to take any text; a closed one swallows it."""
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - it lives as long as
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - the process does
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def printing(command: Callable[P, None]) -> Callable[P, None]:
    """The command, ending in peace when nobody reads on, and in exit code 1 when nothing can be written.

    Errors of files go on.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
            sys.stdout.flush()
        except BrokenPipeError:
            _close_quietly()
            sys.exit(0)
        except OSError as error:
            if error.filename is not None:
                raise  # of a file: whoever ends the program names it
            _close_quietly()
            sys.stderr.write(f"vedette: the output cannot be written: {error.strerror}\n")
            sys.exit(1)

    return run


def takes_at_once(stream: TextIO, length: int) -> bool:
    """Whether so many bytes can be written without waiting for whoever reads."""
    try:
        return length <= select.PIPE_BUF and bool(select.select([], [stream], [], 0)[1])
    except (OSError, ValueError):  # it has no descriptor, or is closed
        return False


_PRINTING = "printing"


def is_printing() -> bool:
    """Whether what `in_thread` began is still under way."""
    return any(thread.name == _PRINTING for thread in threading.enumerate())


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What ``work`` returns, done where it may take as long as it likes.

    Whoever writes to a terminal or a pipe waits for its reader. The thread is a daemon: a reader that never reads on
    does not keep the program from ending.
    """
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    outcome: list[T | BaseException] = []

    def run() -> None:
        try:
            outcome.append(work(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            outcome.append(error)
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=run, daemon=True, name=_PRINTING).start()
    await done.wait()
    [result] = outcome
    if isinstance(result, BaseException):
        raise result
    return result


def _close_quietly() -> None:
    """Python would complain once more when it closes what it could not write."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def as_typed(argument: str) -> str:
    """A word of the command line as UTF-8, whatever the locale made of it; bytes that are none as U+FFFD."""
    return argument.encode(sys.getfilesystemencoding(), "surrogateescape").decode("utf-8", "replace")


def json_line(value: object) -> str:
    """One line of JSON that the standard output can hold."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf8")
    return json.dumps(value, ensure_ascii=not utf8)


def one_line(text: str) -> str:
    """The text, harmless and without line breaks."""
    return " ".join(harmless(text).split())


def wants_colour(choice: str, stream: TextIO) -> bool:
    """``always``, ``never``, or ``auto``: a terminal that did not say otherwise. https://no-color.org"""
    if choice not in ("auto", "always", "never"):
        raise VedetteError(f"--colour is auto, always or never, not {choice!r}")
    if choice != "auto":
        return choice == "always"
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Progress:
    """How far a long command is, from its second second on: one renewed line on a terminal, else a line at times."""

    def __init__(self, noun: str, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._noun = noun
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._clock = clock
        self._begun = clock()
        self._due = self._begun + 1
        self._shown = False

    def update(self, count: int, done: int, total: int) -> None:
        """``done`` of ``total`` bytes are behind, which held ``count`` things; ``total`` is 0 when unknown."""
        now = self._clock()
        if now < self._due:
            return
        self._due = now + (0.2 if self._live else 5)
        share = done / total if total else 0
        left = (now - self._begun) * (1 - share) / share if share else 0
        text = f"{count:,} {self._noun}" + (f", {share:.0%}, {left:.0f} s left" if share else "")
        self._stream.write(f"\r\x1b[K{text}" if self._live else f"{text}\n")
        self._stream.flush()
        self._shown = True

    def clear(self) -> None:
        """Makes room for a line of output."""
        if self._live and self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._shown = False


def shown(text: str, entities: Iterable[Entity], style: Style) -> str:
    """A message as it is sent, for a terminal or a file: headings and hits painted, addresses behind their links.

    Offsets are UTF-16 units; of an entity that does not fit the text, or overlaps the one before it, the rest counts.
    """
    units = text.encode("utf-16-le", "surrogatepass")
    pieces, done = [], 0
    for entity in sorted(entities, key=lambda each: each.offset):
        start = max(entity.offset, done)
        end = max(entity.offset + entity.length, start)
        words = _cut(units, start, end)
        if entity.url:
            words += _address(words, entity.url, style)
        elif entity.type == "bold":
            line = all(around in ("", "\n") for around in (_cut(units, start - 1, start), _cut(units, end, end + 1)))
            words = style.head(words) if line else style.hit(words)
        pieces += [_cut(units, done, start), words]
        done = end
    return "".join([*pieces, _cut(units, done, len(units))])


def headed(heading: str, text: str, entities: Iterable[Entity], style: Style) -> str:
    """A message under a line that says what it is, and an empty line."""
    return f"{style.dim(f'──── {heading} ────')}\n{shown(text, entities, style)}\n\n"


def _address(words: str, url: str, style: Style) -> str:
    """What stands behind a link's text: nothing, if that is the address already."""
    bare = words.replace("\u2060", "")
    return "" if bare in (url, url.removeprefix("https://")) else style.dim(f" ({harmless(url)})")


def _cut(units: bytes, start: int, end: int) -> str:
    return harmless(units[2 * max(start, 0) : 2 * end].decode("utf-16-le", "replace"))
