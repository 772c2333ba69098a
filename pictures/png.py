"""A screenshot with a palette instead of 16 million colours: a third of its size, and nothing is seen of it.

https://www.w3.org/TR/png-3/
"""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOURS = 256
#: Bytes of a pixel.
_DEPTH = 3


def with_palette(png: bytes) -> bytes:
    """The picture with its 256 most frequent colours, and the nearest of them for the others.

    ``png``: eight bits a channel, RGB, not interlaced, as Chromium writes it. Raises ValueError for another.
    """
    chunks = dict(_chunks(png))  # of several with one name the last, but for the pixels
    width, height, *kind = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    if kind != [8, 2, 0, 0, 0]:
        raise ValueError(f"a PNG of kind {kind} and not of eight bits a channel, RGB, not interlaced")
    raw = zlib.decompress(b"".join(data for name, data in _chunks(png) if name == b"IDAT"))
    rows = list(_rows(raw, width * _DEPTH, height))
    pixels = [[row[at : at + _DEPTH] for at in range(0, len(row), _DEPTH)] for row in rows]
    colours = [colour for colour, _ in Counter(each for row in pixels for each in row).most_common()]
    palette = colours[:_COLOURS]
    index = {colour: _nearest(colour, palette) for colour in colours}
    packed = zlib.compress(b"".join(b"\0" + bytes(map(index.__getitem__, row)) for row in pixels), 9)
    made = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", b"".join(palette)),
        (b"IDAT", packed),
        (b"IEND", b""),
    )
    return _SIGNATURE + b"".join(_chunk(name, data) for name, data in made)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not png.startswith(_SIGNATURE):
        raise ValueError("no PNG")
    at = len(_SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _nearest(colour: bytes, palette: list[bytes]) -> int:
    def distance(at: int) -> int:
        return sum((mine - theirs) ** 2 for mine, theirs in zip(colour, palette[at], strict=True))

    return min(range(len(palette)), key=distance)


def _rows(raw: bytes, length: int, height: int) -> Iterator[bytes]:
    """The rows of pixels, each without its filter. https://www.w3.org/TR/png-3/#9Filters"""
    above = bytearray(length)
    for number in range(height):
        start = number * (length + 1)
        row = bytearray(raw[start + 1 : start + 1 + length])
        _unfilter(raw[start], row, above)
        yield bytes(row)
        above = row


def _unfilter(kind: int, row: bytearray, above: bytearray) -> None:
    for at in range(len(row)):
        left = row[at - _DEPTH] if at >= _DEPTH else 0
        match kind:
            case 1:
                row[at] = (row[at] + left) & 255
            case 2:
                row[at] = (row[at] + above[at]) & 255
            case 3:
                row[at] = (row[at] + (left + above[at]) // 2) & 255
            case 4:
                corner = above[at - _DEPTH] if at >= _DEPTH else 0
                row[at] = (row[at] + _paeth(left, above[at], corner)) & 255


def _paeth(left: int, above: int, corner: int) -> int:
    """Of the three the one that is nearest to left + above - corner."""
    guess = left + above - corner
    return min(left, above, corner, key=lambda one: abs(guess - one))
