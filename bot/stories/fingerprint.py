"""What a text says, in less than a kilobyte that two texts can be compared by, and that can be stored.

The measure is the share of runs of five characters (shingles) that two texts have in common; letter case, ё
against е, compatibility forms, blanks, links and mentions make no difference. Of the hashes of these runs the
smallest are kept, which is a fair sample of both texts at once: exact for short texts, within a few hundredths
for long ones. https://en.wikipedia.org/wiki/MinHash#Variant_with_a_single_hash_function
"""

from __future__ import annotations

import re
import struct
import unicodedata
from binascii import crc32
from bisect import bisect_right

#: The first byte of a fingerprint; one of another version is like nothing.
VERSION = b"\x01"
#: Hashes that are kept of a text.
KEPT = 192
#: Of these, the smallest, by which a text is looked up: two texts that are half alike share at least `SHARED`.
KEYS = 12
SHARED = 3

_BYTES_OF_SHINGLE = 2 * 5
_NO_LIMIT = 1 << 32
_LINK = re.compile(r"(?:[a-z][a-z0-9+.-]{0,30}://|www\.|t\.me/|telegram\.me/)\S+|@\w+")
_WORDS = re.compile(r"[^\W_]+").findall


def said(text: str, footer: int | None = None) -> str:
    """What a text says, without its footer (which begins at that code point), links and mentions."""
    plain = unicodedata.normalize("NFKC", text[:footer]).casefold().replace("ё", "е")
    if "@" in plain or "/" in plain or "www." in plain:
        plain = _LINK.sub(" ", plain)
    return " ".join(plain.split())


def count_words(plain: str) -> int:
    return len(_WORDS(plain))


def fingerprint(plain: str) -> bytes:
    """Of what `said` returns: `VERSION` and at most `KEPT` rising 32-bit numbers, little-endian; empty when it is."""
    if not plain:
        return b""
    raw = plain.encode("utf-16-le", "surrogatepass")
    starts = range(0, max(1, len(raw) - _BYTES_OF_SHINGLE + 2), 2)
    hashes: set[int] | list[int] = {crc32(raw[start : start + _BYTES_OF_SHINGLE]) for start in starts}
    if (count := len(hashes)) > 2 * KEPT:  # most are too large by far: sorting them all would cost twice as much
        limit = KEPT * 3 // 2 * _NO_LIMIT // count
        few = [value for value in hashes if value < limit]
        hashes = few if len(few) >= KEPT else hashes
    kept = sorted(hashes)[:KEPT]
    return VERSION + struct.pack(f"<{len(kept)}I", *kept)


def hashes_of(fingerprint: bytes, most: int = KEPT) -> tuple[int, ...]:
    """The numbers of a fingerprint, rising; none when it is empty or of another version."""
    if not fingerprint.startswith(VERSION):
        return ()
    return struct.unpack_from(f"<{min(most, len(fingerprint) // 4)}I", fingerprint, 1)


class Likeness:
    """How like one text others are."""

    __slots__ = ("_fingerprint", "_hashes", "_set")

    def __init__(self, fingerprint: bytes) -> None:
        self._fingerprint = fingerprint
        self._hashes = hashes_of(fingerprint)
        self._set = frozenset(self._hashes)

    def to(self, other: bytes) -> float:
        """The Jaccard index of both texts' shingles, 0 to 1: exact when both have at most `KEPT`, else estimated."""
        mine, theirs = self._hashes, hashes_of(other)
        if not mine or not theirs:
            return 0.0
        if self._fingerprint == other:
            return 1.0
        # Both know all their hashes up to here; beyond, one has forgotten some.
        limit = min(hashes[-1] if len(hashes) == KEPT else _NO_LIMIT for hashes in (mine, theirs))
        common = len(self._set.intersection(theirs))
        return common / (bisect_right(mine, limit) + bisect_right(theirs, limit) - common)
