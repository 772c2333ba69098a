"""What stands under a number, as Telegram's objects: texts, entities, media, blocks of rich messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from telethon.tl import types

from bot.model import Entity, Media, Origin
from tests.telegram_server.wire import Raw, make

#: Names that recordings use for entities, where they are not the words of Telegram's own type.
_ENTITIES = {"text_link": "TextUrl", "text_url": "TextUrl", "link": "Url", "strikethrough": "Strike"}


@dataclass(slots=True, eq=False)
class Standing:
    """A message and what it says. ``message`` is a Telegram object, or Raw where no client can read it.

    ``parts``: all blocks of a rich message of which the message itself holds only the first.
    """

    message: Any
    text: str | None
    author: int | None = None
    parts: tuple[Any, ...] = ()
    edited: bool = False
    alive: bool = True
    _bytes: bytes | None = None

    @property
    def number(self) -> int:
        found: int = self.message.id
        return found

    def raw(self, viewer: int | None = None) -> Raw:
        """As a person sees it: who wrote it sees it as going out. Serialised once for all others."""
        if isinstance(self.message, Raw):
            return self.message
        if viewer is not None and viewer == self.author:
            self.message.out = True
            mine = Raw(bytes(self.message))
            self.message.out = None
            return mine
        if self._bytes is None:
            self._bytes = bytes(self.message)
        return Raw(self._bytes)

    def changed(self) -> None:
        """To be called after the message was changed."""
        self._bytes = None


def entities(found: Sequence[Any]) -> list[Any] | None:
    """Entities of ours, or Telegram's own, as Telegram's."""
    return [_entity(one) if isinstance(one, Entity) else one for one in found] or None


def _entity(entity: Entity) -> Any:
    words = entity.type.split("_")
    name = _ENTITIES.get(entity.type, "".join(word.title() for word in words))
    kind = getattr(types, f"MessageEntity{name}", types.MessageEntityUnknown)
    known: dict[str, Any] = {"offset": entity.offset, "length": entity.length}
    if kind is types.MessageEntityTextUrl:
        known["url"] = entity.url or ""
    return make(kind, **known)


def media(found: Any) -> Any:
    """Media of ours, or Telegram's own, as Telegram's."""
    if not isinstance(found, Media):
        return found
    match found.kind:
        case "photo":
            return types.MessageMediaPhoto(photo=make(types.Photo, id=1, dc_id=2, file_reference=b""))
        case "webpage" | "preview":
            page = make(types.WebPage, id=1, url="https://example.org/", title=found.title, description=found.text)
            return types.MessageMediaWebPage(page)
        case "poll":
            return _poll(found)
    return _document(found)


def _document(found: Media) -> Any:
    attributes: list[Any] = [types.DocumentAttributeFilename(found.file_name)] if found.file_name else []
    if found.kind in ("audio", "voice"):
        attributes.append(types.DocumentAttributeAudio(1, voice=found.kind == "voice" or None, title=found.title))
    elif found.kind in ("video", "animation", "round"):
        attributes.append(make(types.DocumentAttributeVideo, duration=1.0, w=1, h=1))
    if found.kind == "animation":
        attributes.append(types.DocumentAttributeAnimated())
    document = make(types.Document, id=1, dc_id=2, file_reference=b"", attributes=attributes)
    video = found.kind in ("video", "animation", "round") or None
    return types.MessageMediaDocument(document=document, video=video, voice=found.kind == "voice" or None)


def _poll(found: Media) -> Any:
    question, *answers = (found.text or found.title or "?").splitlines()
    options = [types.PollAnswer(types.TextWithEntities(answer, []), bytes([at])) for at, answer in enumerate(answers)]
    return types.MessageMediaPoll(
        make(types.Poll, id=1, question=types.TextWithEntities(question, []), answers=options), types.PollResults()
    )


def blocks(found: Sequence[Any]) -> list[Any]:
    """Blocks of a rich message; a plain string is a paragraph."""
    return [types.PageBlockParagraph(types.TextPlain(one)) if isinstance(one, str) else one for one in found]


def forwarded(origin: Any, date: datetime) -> Any:
    """Where a post came from: an Origin of ours (whose channel is a marked id or nothing), or Telegram's header."""
    if not isinstance(origin, Origin):
        return origin
    channel = origin.channel or ""
    number = int(channel[4:]) if channel.startswith("-100") and channel[4:].isdigit() else None
    return types.MessageFwdHeader(
        date=origin.date or date,
        from_id=types.PeerChannel(number) if number is not None else None,
        from_name=None if number is not None else origin.name or origin.channel,
        channel_post=origin.post if number is not None else None,
    )
