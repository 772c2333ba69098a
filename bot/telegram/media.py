"""What hangs on a Telegram message, in plain words: kind, file name, title, text. https://core.telegram.org/type/MessageMedia

Kinds are called as `bot.recording.message` calls them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from telethon.tl import types


class Hanging(NamedTuple):
    """One thing; the fields are those of `bot.model.Media`."""

    kind: str
    file_name: str | None = None
    title: str | None = None
    text: str | None = None


def hanging(media: types.TypeMessageMedia | None) -> tuple[Hanging, ...]:
    """What there is in one ``MessageMedia``: nothing, one thing, or all of an album that is sold."""
    if media is None:
        return ()
    made = _MAKERS.get(type(media))
    return (Hanging("unsupported"),) if made is None else made(media)


def document(found: types.TypeDocument | None, kind: str = "document") -> Hanging:
    """A file by its attributes; ``kind`` where these do not tell."""
    name = title = None
    for attribute in getattr(found, "attributes", None) or ():
        match attribute:
            case types.DocumentAttributeFilename():
                name = attribute.file_name or None
            case types.DocumentAttributeAudio():
                kind = "voice" if attribute.voice else "audio"
                title = " – ".join(part for part in (attribute.performer, attribute.title) if part) or None
            case types.DocumentAttributeVideo() if kind == "document":
                kind = "video_note" if attribute.round_message else "video"
            case types.DocumentAttributeAnimated():
                kind = "animation"
            case types.DocumentAttributeSticker() | types.DocumentAttributeCustomEmoji():
                return Hanging("sticker")  # its file is called so by the program that made it
    return Hanging(kind, name, title)


def _document(media: types.MessageMediaDocument) -> tuple[Hanging, ...]:
    """A message's file. One that has vanished with time still says what it was."""
    kind = "video_note" if media.round else "voice" if media.voice else "video" if media.video else "document"
    return (document(media.document, kind),)


def _poll(media: types.MessageMediaPoll) -> tuple[Hanging, ...]:
    answers = [answer.text for answer in media.poll.answers]
    return Hanging("poll", text=_lines([media.poll.question, *answers])), *hanging(media.attached_media)


def _to_do(media: types.MessageMediaToDo) -> tuple[Hanging, ...]:
    return (Hanging("checklist", text=_lines([media.todo.title, *(item.title for item in media.todo.list)])),)


def _web_page(media: types.MessageMediaWebPage) -> tuple[Hanging, ...]:
    page = media.webpage
    if not isinstance(page, types.WebPage) or not (page.title or page.description):
        return ()
    return (Hanging("webpage", title=page.title or None, text=page.description or None),)


def _venue(media: types.MessageMediaVenue) -> tuple[Hanging, ...]:
    return (Hanging("location", title=media.title or None, text=media.address or None),)


def _contact(media: types.MessageMediaContact) -> tuple[Hanging, ...]:
    return (Hanging("contact", title=f"{media.first_name} {media.last_name}".strip() or None),)


def _game(media: types.MessageMediaGame) -> tuple[Hanging, ...]:
    return (Hanging("game", title=media.game.title or None, text=media.game.description or None),)


def _invoice(media: types.MessageMediaInvoice) -> tuple[Hanging, ...]:
    told = Hanging("invoice", title=media.title or None, text=media.description or None)
    return told, *_sold([media.extended_media] if media.extended_media else [])


def _giveaway(media: types.MessageMediaGiveaway) -> tuple[Hanging, ...]:
    return (Hanging("giveaway", text=media.prize_description or None),)


def _story(media: types.MessageMediaStory) -> tuple[Hanging, ...]:
    return (Hanging("story", text=getattr(media.story, "caption", None) or None),)


def _paid(media: types.MessageMediaPaidMedia) -> tuple[Hanging, ...]:
    return tuple(_sold(media.extended_media))


def _sold(pieces: Iterable[types.TypeMessageExtendedMedia]) -> Iterable[Hanging]:
    """Media behind a price: themselves where they were bought, else what their preview tells."""
    for piece in pieces:
        if isinstance(piece, types.MessageExtendedMedia):
            yield from hanging(piece.media)
        else:
            yield Hanging("photo" if getattr(piece, "video_duration", None) is None else "video")


def _always(kind: str) -> Callable[[Any], tuple[Hanging, ...]]:
    return lambda _: (Hanging(kind),)


def _lines(texts: Iterable[types.TextWithEntities]) -> str | None:
    """``TextWithEntities``, one a line."""
    return "\n".join(text.text for text in texts) or None


_MAKERS: Mapping[type, Callable[[Any], tuple[Hanging, ...]]] = {
    types.MessageMediaEmpty: lambda _: (),
    types.MessageMediaPhoto: _always("photo"),
    types.MessageMediaDocument: _document,
    types.MessageMediaWebPage: _web_page,
    types.MessageMediaPoll: _poll,
    types.MessageMediaToDo: _to_do,
    types.MessageMediaGeo: _always("location"),
    types.MessageMediaGeoLive: _always("location"),
    types.MessageMediaVenue: _venue,
    types.MessageMediaContact: _contact,
    types.MessageMediaDice: _always("dice"),
    types.MessageMediaGame: _game,
    types.MessageMediaInvoice: _invoice,
    types.MessageMediaGiveaway: _giveaway,
    types.MessageMediaGiveawayResults: _giveaway,
    types.MessageMediaPaidMedia: _paid,
    types.MessageMediaStory: _story,
    types.MessageMediaVideoStream: _always("video"),
}
