"""Telegram's types as the server writes them: bytes kept ready, objects made with few words, refusals."""

from __future__ import annotations

import inspect
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

#: Of no type that a client knows.
UNKNOWN = 0x0BADF00D


class Refusal(Exception):  # noqa: N818 - it is an answer
    """An answer that is an error: ``code`` as in HTTP, ``message`` as FLOOD_WAIT_7."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Raw:
    """An object that is serialised already; it stands wherever Telethon's own objects can."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __bytes__(self) -> bytes:
        return self.data

    def _bytes(self) -> bytes:
        return self.data


def unknown(number: int) -> Raw:
    """A message of a kind that came after the client was made."""
    return Raw(struct.pack("<IIi", UNKNOWN, 0, number))


def vector(items: list[Any]) -> Raw:
    return Raw(struct.pack("<Ii", 0x1CB5C415, len(items)) + b"".join(bytes(item) for item in items))


def make(kind: Callable[..., Any], **known: Any) -> Any:
    """An object of a Telegram type; what it requires and ``known`` does not give is zero, empty or absent."""
    missing = {name: empty for name, empty in _required(kind) if name not in known}
    return kind(**known, **{name: datetime.now(UTC) if empty is datetime else empty for name, empty in missing.items()})


@cache
def _required(kind: Callable[..., Any]) -> tuple[tuple[str, Any], ...]:
    parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
    named = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD and p.default is p.empty]
    return tuple((parameter.name, _empty(str(parameter.annotation))) for parameter in named)


def _empty(annotation: str) -> Any:
    found: list[Any] = [
        value
        for word, value in (
            ("datetime", datetime),
            ("List", []),
            ("bool", False),
            ("int", 0),
            ("str", ""),
            ("bytes", b""),
        )
        if word in annotation
    ]
    return found[0] if found else None


def method_of(request: Any) -> str:
    """Telegram's own name of a request's method, as messages.getHistory."""
    kind = type(request)
    return _method(kind.__module__, kind.__name__)


@cache
def _method(module: str, name: str) -> str:
    room = module.rpartition(".functions")[2].lstrip(".")
    name = name.removesuffix("Request")
    name = name[:1].lower() + name[1:]
    return f"{room}.{name}" if room else name
