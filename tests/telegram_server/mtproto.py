"""One connection of a client: enciphered messages, their numbers and salts, containers, answers and pushes.

https://core.telegram.org/mtproto/description
"""

from __future__ import annotations

import os
import struct
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

from telethon.crypto import AES
from telethon.extensions import BinaryReader
from telethon.tl import TLObject, types
from telethon.tl.core import GzipPacked, MessageContainer

from tests.telegram_server.handshake import Handshake
from tests.telegram_server.transport import Transport, opened
from tests.telegram_server.wire import Refusal

#: How far a message's time may be off, in seconds. https://core.telegram.org/mtproto/description#message-identifier-msg-id
_OLDEST, _NEWEST = 300, 30
_TOO_OLD, _TOO_NEW, _BAD_SALT = 16, 17, 48


@dataclass(slots=True, eq=False)
class Key:
    """An authorisation key and what the server remembers of it. ``person`` is who has signed in with it."""

    auth: Any
    salt: int
    person: int | None = None
    revoked: str | None = None
    layer: int | None = None


class Host(Protocol):
    """The server, as a connection needs it."""

    keys: dict[int, Key]
    sessions: list[int]

    def time(self) -> float:
        """Seconds since 1970, as the server's clock shows them."""

    @property
    def tells_the_time(self) -> bool:
        """Whether messages from another time, or with a wrong salt, are answered so that the client can mend it."""

    @property
    def hangs(self) -> bool:
        """Whether nothing that comes is answered."""

    def received(self, connection: Connection, message: int, request: Any) -> None: ...


class Connection:
    """``key`` and ``session`` are those of the last message."""

    def __init__(self, host: Host, reader: StreamReader, writer: StreamWriter) -> None:
        self._host = host
        self._reader = reader
        self._writer = writer
        self._transport: Transport | None = None
        self._handshake = Handshake()
        self._numbered = 0
        self._last = 0
        self.key: Key | None = None
        self.session: int | None = None
        self.updates = False  # whether the session has asked for anything without declining updates

    @property
    def transport(self) -> str:
        return self._transport.name if self._transport else ""

    async def serve(self) -> None:
        """Until the client is gone."""
        try:
            self._transport = await opened(self._reader, self._writer)
            while True:
                self._packet(await self._transport.read(), self._transport)
        except (IncompleteReadError, OSError):
            pass
        finally:
            self._writer.close()

    def abort(self) -> None:
        self._writer.transport.abort()

    def push(self, updates: bytes) -> None:
        """Sends updates that nobody asked for."""
        self._send(updates, answers=False)

    def answer(self, message: int, result: Any) -> None:
        """Sends what a request has brought: an object, True or False, a list, or a refusal."""
        self._send(struct.pack("<Iq", 0xF35C6D01, message) + _result(result))

    def pong(self, message: int, ping: int) -> None:
        self._send(bytes(types.Pong(message, ping)))

    def acknowledge(self, message: int) -> None:
        self._send(bytes(types.MsgsAck([message])), counts=False)

    def _packet(self, packet: bytes, transport: Transport) -> None:
        if self._host.hangs:
            return
        if packet[:8] == bytes(8):
            self._agree(packet, transport)
            return
        key = self._host.keys.get(struct.unpack_from("<q", packet)[0])
        if key is None:
            transport.write(struct.pack("<i", -404))
            return
        self.key = key
        plain = _deciphered(key.auth.key, packet)
        salt, session, message, number, size = struct.unpack_from("<qqqii", plain)
        if not self._accepted(key, salt, session, message, number):
            return
        self._take(message, plain[32 : 32 + size])

    def _agree(self, packet: bytes, transport: Transport) -> None:
        answer = bytes(self._handshake.step(_object(packet[20:]), int(self._host.time())))
        transport.write(struct.pack("<qqi", 0, self._next(answers=True), len(answer)) + answer)
        auth = self._handshake.key
        if auth is not None:
            self._host.keys[key_id(auth)] = Key(auth, new_salt())
            self._handshake = Handshake()

    def _accepted(self, key: Key, salt: int, session: int, message: int, number: int) -> bool:
        """Whether a message may be read on; if not, the client has been told what was wrong with it."""
        fresh, self.session = session not in self._host.sessions, session
        if self._host.tells_the_time:
            age = self._host.time() - (message >> 32)
            if not -_NEWEST <= age <= _OLDEST:
                code = _TOO_OLD if age > 0 else _TOO_NEW
                self._send(bytes(types.BadMsgNotification(message, number, code)), counts=False)
                return False
            if salt != key.salt:
                self._send(bytes(types.BadServerSalt(message, number, _BAD_SALT, key.salt)), counts=False)
                return False
        if fresh:
            self._host.sessions.append(session)
            self._send(bytes(types.NewSessionCreated(message, new_salt(), key.salt)), answers=False)
        return True

    def _take(self, message: int, data: bytes) -> None:
        self._handle(message, _object(data))

    def _handle(self, message: int, found: Any) -> None:
        match found:
            case MessageContainer():
                for inner in found.messages:
                    self._handle(inner.msg_id, inner.obj)
            case GzipPacked():
                self._take(message, found.data)
            case types.MsgsAck():
                pass
            case _:
                self._host.received(self, message, found)

    def _next(self, *, answers: bool) -> int:
        now = self._host.time()
        number = (int(now) << 32) | (int(now % 1 * 2**32) & ~3)
        self._last = max(number, self._last + 4)
        return self._last | (1 if answers else 3)

    def _send(self, body: bytes, *, answers: bool = True, counts: bool = True) -> None:
        if self.key is None or self.session is None or self._transport is None or self._writer.is_closing():
            return
        sequence = self._numbered * 2 + counts
        self._numbered += counts
        head = struct.pack("<qqqii", self.key.salt, self.session, self._next(answers=answers), sequence, len(body))
        self._transport.write(_enciphered(self.key.auth, head + body))


def key_id(auth: Any) -> int:
    """A key's id as packets begin with it, signed."""
    found: int = struct.unpack("<q", struct.pack("<Q", auth.key_id))[0]
    return found


def new_salt() -> int:
    """A number of 64 bits."""
    found: int = struct.unpack("<q", os.urandom(8))[0]
    return found


def _object(data: bytes) -> Any:
    with BinaryReader(data) as reader:
        return reader.tgread_object()


def _result(result: Any) -> bytes:
    if isinstance(result, Refusal):
        text: bytes = TLObject.serialize_bytes(result.message)
        return struct.pack("<Ii", 0x2144CA19, result.code) + text
    if isinstance(result, bool):
        return struct.pack("<I", 0x997275B5 if result else 0xBC799737)
    return bytes(result)


def _cipher(key: bytes, digest: bytes, start: int) -> tuple[bytes, bytes]:
    """Key and vector of one message; ``start`` is 0 from the client and 8 to it."""
    one = sha256(digest + key[start : start + 36]).digest()
    two = sha256(key[start + 40 : start + 76] + digest).digest()
    return one[:8] + two[8:24] + one[24:], two[:8] + one[8:24] + two[24:]


def _deciphered(key: bytes, packet: bytes) -> bytes:
    digest = packet[8:24]
    plain: bytes = AES.decrypt_ige(packet[24:], *_cipher(key, digest, 0))
    if sha256(key[88:120] + plain).digest()[8:24] != digest:
        raise ConnectionAbortedError
    return plain


def _enciphered(auth: Any, plain: bytes) -> bytes:
    plain += os.urandom(-(len(plain) + 12) % 16 + 12)
    digest = sha256(auth.key[96:128] + plain).digest()[8:24]
    cipher: bytes = AES.encrypt_ige(plain, *_cipher(auth.key, digest, 8))
    return struct.pack("<Q", auth.key_id) + digest + cipher
