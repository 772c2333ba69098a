"""The check of a second password, which is never sent. https://core.telegram.org/api/srp"""

from __future__ import annotations

import os
from functools import cached_property
from hashlib import pbkdf2_hmac, sha256
from typing import Any

from telethon.tl import types

from tests.telegram_server.keys import DH_PRIME, GENERATOR
from tests.telegram_server.wire import make

_SIZE = 256


class PasswordCheck:
    """One check of one password: what the client is told, and whether its proof is right."""

    def __init__(self, password: str) -> None:
        self._password = password.encode()
        self._salts = os.urandom(8), os.urandom(16)
        self._secret = int.from_bytes(os.urandom(_SIZE), "big")
        self.id = int.from_bytes(os.urandom(7), "big")

    @cached_property
    def _verifier(self) -> int:
        one, two = self._salts
        digest = _hash(two, _hash(one, self._password, one), two)
        digest = _hash(two, pbkdf2_hmac("sha512", digest, one, 100_000), two)
        return pow(GENERATOR, int.from_bytes(digest, "big"), DH_PRIME)

    @cached_property
    def _mine(self) -> int:
        factor = int.from_bytes(_hash(_bytes(DH_PRIME), _bytes(GENERATOR)), "big")
        return (factor * self._verifier + pow(GENERATOR, self._secret, DH_PRIME)) % DH_PRIME

    def question(self) -> Any:
        """account.password."""
        algorithm = types.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(
            *self._salts, GENERATOR, _bytes(DH_PRIME)
        )
        return make(
            types.account.Password,
            has_password=True,
            current_algo=algorithm,
            srp_B=_bytes(self._mine),
            srp_id=self.id,
            new_algo=algorithm,
            new_secure_algo=types.SecurePasswordKdfAlgoUnknown(),
            secure_random=os.urandom(_SIZE),
        )

    def proves(self, proof: Any) -> bool:
        """Whether an inputCheckPasswordSRP could only be made by one who knows the password."""
        theirs = int.from_bytes(proof.A, "big")
        mixed = int.from_bytes(_hash(_bytes(theirs), _bytes(self._mine)), "big")
        shared = pow(theirs * pow(self._verifier, mixed, DH_PRIME) % DH_PRIME, self._secret, DH_PRIME)
        signs = zip(_hash(_bytes(DH_PRIME)), _hash(_bytes(GENERATOR)), strict=True)
        expected = _hash(
            bytes(one ^ two for one, two in signs),
            *(_hash(salt) for salt in self._salts),
            _bytes(theirs),
            _bytes(self._mine),
            _hash(_bytes(shared)),
        )
        return bool(proof.srp_id == self.id) and bool(expected == proof.M1)


def _hash(*parts: bytes) -> bytes:
    return sha256(b"".join(parts)).digest()


def _bytes(number: int) -> bytes:
    return number.to_bytes(_SIZE, "big")
