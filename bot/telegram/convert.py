"""Telegram's messages and chats as ours. The only file that knows both Telethon's types and the model.

Telethon decodes every text of the wire with replacement characters, so no half of a surrogate pair comes from there;
everything else that the wire can hold is taken: numbers below zero, entities out of range, dates before Telegram was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from telethon.tl import types

from bot.model import Channel, Entity, Media, Origin, Peer, Post, Sighting, Stands, marked_id
from bot.telegram.media import Hanging, document, hanging
from bot.telegram.richmessage import flattened

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
#: The names that recordings have for entities: ``MessageEntityTextUrl`` is ``text_url``.
_NAMES: Mapping[type, str] = {
    kind: re.sub(r"(?<!^)(?=[A-Z])", "_", name.removeprefix("MessageEntity")).lower()
    for name, kind in vars(types).items()
    if name.startswith("MessageEntity")
}


def sighting(
    message: types.TypeMessage, channel: Channel, ignored: frozenset[int] = frozenset(), *, protected: bool = False
) -> Sighting | None:
    """What stands under a message's number in this channel; None where nothing does.

    ``ignored``: ids of people whose posts count as service messages, as our own do. ``protected``: all of the
    channel is. Raises nothing.
    """
    number = getattr(message, "id", None)
    if not isinstance(number, int) or number < 1 or isinstance(message, types.MessageEmpty):
        return None
    if isinstance(message, types.MessageService):
        return Sighting(number, Stands.SERVICE)
    if not isinstance(message, types.Message):
        return Sighting(number, Stands.UNREADABLE)
    try:
        if message.out or (message.from_id is not None and getattr(message.from_id, "user_id", None) in ignored):
            return Sighting(number, Stands.SERVICE)
        return Sighting(number, Stands.POST, _post(message, channel, protected=protected))
    except (AttributeError, TypeError, ValueError, RecursionError):
        # A shape that we do not know: its number is used up, and it is told of as unreadable.
        return Sighting(number, Stands.UNREADABLE)


def is_partial(message: types.TypeMessage) -> bool:
    """Whether the rest of a rich message has to be fetched (messages.getRichMessage)."""
    return bool(getattr(getattr(message, "rich_message", None), "part", None))


def peer(chat: types.TypeChat) -> Peer | None:
    """A channel or supergroup that can be addressed; None for other chats, and for one of which only a part is told."""
    if not isinstance(chat, types.Channel) or chat.min or chat.access_hash is None:
        return None
    return Peer(
        id=marked_id(chat.id),
        access_hash=chat.access_hash,
        username=chat.username or next((name.username for name in chat.usernames or () if name.active), None),
        title=chat.title or None,
        joined=not chat.left,
        protected=bool(chat.noforwards),
    )


def _post(message: types.Message, channel: Channel, *, protected: bool) -> Post:
    text, entities, media = message.message or "", message.entities, message.media
    post_entities = tuple([_entity(each) for each in entities]) if entities else ()
    post_media = tuple(map(_media, hanging(media))) if media is not None else ()
    if message.rich_message is not None:
        text, post_entities, rich_media = _rich(message.rich_message, text, post_entities)
        post_media += rich_media
    forwarded = message.fwd_from
    reply = message.reply_to
    # Hidden are the edits that show nothing new: a reaction, a button, a link preview.
    edited, hidden = _date(message.edit_date), message.edit_hide
    return Post(
        channel=channel,
        number=message.id,
        date=_date(message.date) or _FIRST,
        text=text,
        entities=post_entities,
        media=post_media,
        views=_count(message.views),
        forwards=_count(message.forwards),
        edited=None if hidden else edited,
        changed=edited if hidden else None,
        origin=_origin(forwarded) if forwarded is not None else None,
        album=message.grouped_id,
        reply_to=_reply_to(reply) if reply is not None else None,
        protected=protected or bool(message.noforwards),
    )


def _entity(entity: types.TypeMessageEntity) -> Entity:
    kind = type(entity)
    url = entity.url if kind is types.MessageEntityTextUrl else None
    return Entity(_NAMES.get(kind, "unknown"), max(entity.offset, 0), max(entity.length, 0), url)


def _rich(
    rich: types.RichMessage, text: str, entities: tuple[Entity, ...]
) -> tuple[str, tuple[Entity, ...], tuple[Media, ...]]:
    """The words, links and files of a rich message, under a plain text that says something else."""
    flat = flattened(rich.blocks)
    shift = 0
    if text.strip() and text.strip() not in flat.text:
        text = f"{text}\n\n"
        shift = len(text.encode("utf-16-le", "surrogatepass")) // 2
    else:
        text, entities = "", ()
    links = [Entity("text_url", shift + link.offset, link.length, link.url) for link in flat.links]
    files = [*(Hanging("photo") for _ in rich.photos or ()), *map(document, rich.documents or ())]
    return text + flat.text, (*entities, *links), tuple(map(_media, files))


def _media(found: Hanging) -> Media:
    return Media(kind=found.kind, file_name=found.file_name, title=found.title, text=found.text)


def _origin(forwarded: types.MessageFwdHeader) -> Origin:
    """Where a post comes from. The copy of a channel's post in its discussion group says it twice."""
    source, number = forwarded.from_id, forwarded.channel_post
    if number is None and forwarded.saved_from_msg_id is not None:
        saved = forwarded.saved_from_peer
        if isinstance(saved, types.PeerChannel) and (source is None or source == saved):
            source, number = saved, forwarded.saved_from_msg_id
    if isinstance(source, types.PeerChannel):
        return Origin(channel=str(marked_id(source.channel_id)), post=_count(number), date=_date(forwarded.date))
    # A person who can be seen is known by a number, one who cannot by a name.
    person = str(source.user_id) if isinstance(source, types.PeerUser) else None
    return Origin(name=forwarded.from_name or person, date=_date(forwarded.date))


def _reply_to(reply: types.TypeMessageReplyHeader) -> int | None:
    """The number replied to, in this channel."""
    if not isinstance(reply, types.MessageReplyHeader) or reply.reply_to_peer_id is not None:
        return None
    return _count(reply.reply_to_msg_id)


def _date(date: datetime | None) -> datetime | None:
    return None if date is None else max(date, _FIRST)


def _count(number: int | None) -> int | None:
    return number if number is not None and number >= 0 else None
