"""A person at a terminal: highlighted hits, progress, and texts that cannot harm the screen."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterable
from typing import TextIO

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


def wants_colour(choice: str, stream: TextIO) -> bool:
    """``always``, ``never``, or ``auto``: a terminal that did not say otherwise. https://no-color.org"""
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
