"""Telegram's objects as the wire gives them: written to bytes and read back by Telethon itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from telethon.extensions import BinaryReader
from telethon.tl import TLObject, alltlobjects, types

#: 8 December 2024, 01:00.
DATE = datetime(2024, 12, 8, 1, tzinfo=UTC)
CHANNEL = 1900000001


def wired(sent: TLObject) -> Any:
    """The object after a journey over the wire."""
    # The package of types knows how to read them only when this module has been imported.
    assert alltlobjects.tlobjects
    with BinaryReader(bytes(sent)) as reader:
        return reader.tgread_object()


def message(text: str = "Сирия", number: int = 7, **more: Any) -> Any:
    """A post of the channel `CHANNEL`."""
    given = {"peer_id": types.PeerChannel(CHANNEL), "date": DATE, "post": True} | more
    return wired(types.Message(id=number, message=text, **given))


def file(*attributes: TLObject, kind: str = "application/pdf") -> Any:
    return types.Document(
        id=1, access_hash=2, file_reference=b"", date=DATE, mime_type=kind, size=3, dc_id=2, attributes=attributes
    )


def words(text: str) -> Any:
    return types.TextWithEntities(text, [])
