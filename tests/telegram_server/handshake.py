"""How client and server agree on a key, in the older form that Telethon speaks.

https://core.telegram.org/mtproto/auth_key
"""

from __future__ import annotations

import os
from hashlib import sha1
from typing import Any

from telethon import helpers
from telethon.crypto import AES, AuthKey
from telethon.extensions import BinaryReader
from telethon.tl import functions, types

from tests.telegram_server.keys import DH_PRIME, GENERATOR, deciphered, fingerprint

#: A product of two primes that a client has to find: 494553793 and 494553799 would do as well.
_PQ = 1724114033281923457


def whole_bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


class Handshake:
    """One key exchange. ``key`` is there after its last step."""

    def __init__(self) -> None:
        self.key: Any = None
        self._nonce = 0
        self._new_nonce: Any = None
        self._server_nonce = int.from_bytes(os.urandom(16), "big", signed=True)
        self._secret = int.from_bytes(os.urandom(256), "big")

    def step(self, request: Any, now: int) -> Any:
        """The answer to a client's step; ``now`` in seconds, as the server's clock shows it."""
        match request:
            case functions.ReqPqMultiRequest() | functions.ReqPqRequest():
                self._nonce = request.nonce
                return types.ResPQ(self._nonce, self._server_nonce, whole_bytes(_PQ), [fingerprint()])
            case functions.ReqDHParamsRequest():
                return self._parameters(request, now)
            case functions.SetClientDHParamsRequest():
                return self._agreed(request)
        raise ConnectionAbortedError(type(request).__name__)

    def _parameters(self, request: Any, now: int) -> Any:
        plain = deciphered(request.encrypted_data)
        inner = _object(plain[20:])
        if sha1(bytes(inner)).digest() != plain[:20]:  # noqa: S324 - the protocol's own
            raise ConnectionAbortedError
        self._new_nonce = inner.new_nonce
        answer = bytes(
            types.ServerDHInnerData(
                nonce=self._nonce,
                server_nonce=self._server_nonce,
                g=GENERATOR,
                dh_prime=whole_bytes(DH_PRIME),
                g_a=whole_bytes(pow(GENERATOR, self._secret, DH_PRIME)),
                server_time=now,
            )
        )
        data = sha1(answer).digest() + answer  # noqa: S324
        data += os.urandom(-len(data) % 16)
        return types.ServerDHParamsOk(self._nonce, self._server_nonce, AES.encrypt_ige(data, *self._temporary()))

    def _agreed(self, request: Any) -> Any:
        inner = _object(AES.decrypt_ige(request.encrypted_data, *self._temporary())[20:])
        shared = pow(int.from_bytes(inner.g_b, "big"), self._secret, DH_PRIME)
        self.key = AuthKey(whole_bytes(shared))
        return types.DhGenOk(
            self._nonce, self._server_nonce, new_nonce_hash1=self.key.calc_new_nonce_hash(self._new_nonce, 1)
        )

    def _temporary(self) -> tuple[bytes, bytes]:
        key, vector = helpers.generate_key_data_from_nonce(self._server_nonce, self._new_nonce)
        return key, vector


def _object(data: bytes) -> Any:
    with BinaryReader(data) as reader:
        return reader.tgread_object()
