"""The bytes of one recording: opened, unpacked if they are gzip, counted as they are read, never held as a whole."""

from __future__ import annotations

import io
import os
import stat
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from bot.errors import RecordingError

#: Bytes read at once. Small enough that what a hostile gzip makes of them (a thousandfold) fits into memory.
CHUNK = 1 << 14
#: A line longer than this is no post: Telegram's largest are below 100 kB.
LONGEST_LINE = 1 << 24

BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_STDIN = "-"
_TICK = 1_000


class BrokenOff(Exception):  # noqa: N818 - it is not an error of ours but the state of a file
    """The bytes end before the file does. ``rest`` is what stood after the last whole line."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.rest = b""


class Meter:
    """Counts the bytes read over all files and tells them now and then.

    ``total`` is 0 when it is unknown, as for a pipe.
    """

    def __init__(self, total: int, tell: Callable[[int, int], None] | None) -> None:
        self.total = total
        self.done = 0
        self._tell = tell
        self._lines = 0

    def line(self) -> None:
        """One line or message more has been read."""
        self._lines += 1
        if self._lines % _TICK == 0:
            self.tell()

    def tell(self) -> None:
        if self._tell is not None:
            self._tell(self.done, self.total)


class Source:
    """A recording's bytes, unpacked and without byte order mark; ``head`` can be looked at before they are read."""

    def __init__(self, name: str, read: Callable[[int], bytes], meter: Meter) -> None:
        self.name = name
        self.meter = meter
        self.head = b""
        self._broken: BrokenOff | None = None
        self._rest = _unpacked(_counted(read, meter))

    def more(self) -> bool:
        """Lengthens ``head`` by one chunk; False when there is no more."""
        try:
            chunk = next(self._rest, b"")
        except BrokenOff as broken:
            self._broken = broken
            return False
        self.head += chunk
        return bool(chunk)

    def chunks(self) -> Iterator[bytes]:
        """All bytes, from the first. Raises BrokenOff after the last that could be read."""
        head, self.head = self.head, b""
        if head:
            yield head
        yield from self._rest
        if self._broken is not None:
            raise self._broken

    def lines(self) -> Iterator[bytes | None]:
        """All lines without their newline; None stands for one that is too long. Raises BrokenOff."""
        pieces: list[bytes] = []
        skipping = False
        try:
            for chunk in self.chunks():
                pieces.append(chunk)
                if b"\n" in chunk:
                    *whole, last = b"".join(pieces).split(b"\n")
                    pieces = [last]
                    if skipping:
                        yield None
                        del whole[0]
                        skipping = False
                    yield from whole
                elif sum(map(len, pieces)) > LONGEST_LINE:
                    skipping = True
                    pieces.clear()
        except BrokenOff as broken:
            broken.rest = b"".join(pieces)
            raise
        if skipping:
            yield None
        elif rest := b"".join(pieces):
            yield rest


def size(path: Path) -> int | None:
    """How many bytes a recording has on disk, None if that cannot be known. Raises RecordingError."""
    if str(path) == _STDIN:
        return None
    try:
        status = path.stat()
    except FileNotFoundError:
        raise RecordingError(f"{path} does not exist; give a recording or Telegram Desktop's result.json.") from None
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if stat.S_ISDIR(status.st_mode):
        inside = path / "result.json"
        right = f"give {inside}" if inside.is_file() else f"give the files in it, for example {path}/*.jsonl"
        raise RecordingError(f"{path} is a directory; {right}.")
    if not os.access(path, os.R_OK):
        raise RecordingError(f"{path} cannot be read: permission denied; make it readable for you.")
    return status.st_size if stat.S_ISREG(status.st_mode) else None


@contextmanager
def opened(path: Path, meter: Meter) -> Iterator[Source]:
    """A recording while it is read; ``-`` is standard input. Raises RecordingError."""
    if str(path) == _STDIN:
        yield Source(_STDIN, _stdin(), meter)
        return
    try:
        file = path.open("rb", buffering=0)
    except OSError as error:
        raise _unreadable(path, error) from error
    with file:
        yield Source(str(path), file.read, meter)


def _unreadable(path: Path, error: Exception) -> RecordingError:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return RecordingError(f"{path} cannot be read: {why}; give a recording or Telegram Desktop's result.json.")


def _stdin() -> Callable[[int], bytes]:
    if sys.stdin is None:
        raise RecordingError("Standard input is closed; give a file or pipe a recording into this command.")
    buffer = sys.stdin.buffer
    # read1 hands over a line of a living pipe at once instead of waiting for a full chunk.
    return buffer.read1 if isinstance(buffer, io.BufferedIOBase) else buffer.read


def _counted(read: Callable[[int], bytes], meter: Meter) -> Iterator[bytes]:
    while True:
        try:
            chunk = read(CHUNK)
        except OSError as error:
            raise BrokenOff(f"cannot be read on ({error.strerror or error})") from error
        if not chunk:
            return
        meter.done += len(chunk)
        yield chunk


def _unpacked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    head = _at_least(len(_GZIP), chunks)
    chunks = chain([head], chunks)
    if head.startswith(_GZIP):
        chunks = _gunzipped(chunks)
    head = _at_least(len(BOM), chunks)
    if plain := head.removeprefix(BOM):
        yield plain
    yield from chunks


def _at_least(length: int, chunks: Iterator[bytes]) -> bytes:
    head = b""
    while len(head) < length and (chunk := next(chunks, b"")):
        head += chunk
    return head


def _gunzipped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Unpacks gzip members one after the other; zero bytes between and after them are padding."""
    unzip = zlib.decompressobj(wbits=31)
    for chunk in chunks:
        packed = chunk
        while packed:
            if unzip.eof:
                packed = packed.lstrip(b"\0")
                if not packed:
                    break
                unzip = zlib.decompressobj(wbits=31)
            spare = unzip.copy()
            try:
                plain = unzip.decompress(packed)
            except zlib.error as error:
                if plain := _until_damage(spare.decompress, packed):
                    yield plain
                raise BrokenOff(f"the gzip stream breaks off, it is damaged here ({error})") from error
            if plain:
                yield plain  # never an empty chunk: to its readers that is the end
            packed = unzip.unused_data
    if not unzip.eof:
        raise BrokenOff("the gzip stream breaks off before its end; the file is not complete")


def _until_damage(decompress: Callable[[bytes], bytes], packed: bytes) -> bytes:
    """What can be had of a damaged chunk: zlib keeps to itself what it made of a call that fails."""
    plain = []
    for at in range(len(packed)):
        try:
            plain.append(decompress(packed[at : at + 1]))
        except zlib.error:
            break
    return b"".join(plain)
