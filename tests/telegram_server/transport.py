"""The four ways in which clients frame what they send over TCP, told apart by the first bytes.

https://core.telegram.org/mtproto/mtproto-transports
"""

from __future__ import annotations

import struct
import zlib
from asyncio import StreamReader, StreamWriter
from typing import Any, Protocol

from telethon.crypto import AESModeCTR


class Transport(Protocol):
    """Whole packets, in and out."""

    name: str

    async def read(self) -> bytes:
        """The next packet. Raises IncompleteReadError or OSError when the client is gone."""

    def write(self, packet: bytes) -> None: ...


class Wire:
    """Bytes of a connection; enciphered where the client obfuscates them."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._incoming: Any = None
        self._outgoing: Any = None
        self.head = b""

    async def take(self, size: int) -> bytes:
        if self.head:
            head, self.head = self.head[:size], self.head[size:]
            return head if len(head) == size else head + await self.take(size - len(head))
        data = await self._reader.readexactly(size)
        return self._incoming.encrypt(data) if self._incoming else data

    def give(self, data: bytes) -> None:
        self._writer.write(self._outgoing.encrypt(data) if self._outgoing else data)

    def obfuscated(self, start: bytes) -> bytes:
        """Enciphers both directions by keys from the client's first 64 bytes, which it returns in clear."""
        back = start[55:7:-1]
        self._incoming = AESModeCTR(start[8:40], start[40:56])
        self._outgoing = AESModeCTR(back[:32], back[32:48])
        clear: bytes = self._incoming.encrypt(start)
        return clear


class Full:
    """Length, running number, checksum."""

    name = "full"

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._sent = 0

    async def read(self) -> bytes:
        head = await self._wire.take(8)
        rest = await self._wire.take(struct.unpack_from("<i", head)[0] - 8)
        if zlib.crc32(head + rest[:-4]) != struct.unpack("<I", rest[-4:])[0]:
            raise ConnectionAbortedError
        return rest[:-4]

    def write(self, packet: bytes) -> None:
        framed = struct.pack("<ii", len(packet) + 12, self._sent) + packet
        self._sent += 1
        self._wire.give(framed + struct.pack("<I", zlib.crc32(framed)))


class Abridged:
    """The length in words, in one byte or four."""

    name = "abridged"

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def read(self) -> bytes:
        words = (await self._wire.take(1))[0]
        if words >= 0x7F:
            words = int.from_bytes(await self._wire.take(3), "little")
        return await self._wire.take(words * 4)

    def write(self, packet: bytes) -> None:
        words = len(packet) // 4
        head = bytes([words]) if words < 0x7F else b"\x7f" + words.to_bytes(3, "little")
        self._wire.give(head + packet)


class Intermediate:
    """The length in bytes, in four."""

    name = "intermediate"

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def read(self) -> bytes:
        return await self._wire.take(struct.unpack("<i", await self._wire.take(4))[0])

    def write(self, packet: bytes) -> None:
        self._wire.give(struct.pack("<i", len(packet)) + packet)


async def opened(reader: StreamReader, writer: StreamWriter) -> Transport:
    """The transport that a client has chosen."""
    wire = Wire(reader, writer)
    head = await wire.take(1)
    if head == b"\xef":
        return Abridged(wire)
    head += await wire.take(3)
    if head == b"\xee" * 4:
        return Intermediate(wire)
    head += await wire.take(4)
    if head[4:] == bytes(4):  # the number of the first packet
        wire.head = head
        return Full(wire)
    tag = wire.obfuscated(head + await wire.take(56))[56:60]
    return Abridged(wire) if tag == b"\xef" * 4 else Intermediate(wire)
