"""Posts as lines of a recording, and the short sum by which two readings of one post are compared.

`bot.recording.jsonl` reads them back: ``post_of(body(post), post.channel) == post`` but for the footer, which is
learnt anew wherever posts are read.
"""

from __future__ import annotations

import json
from hashlib import blake2b

from bot.model import Channel, Entity, Media, Origin, Post
from bot.recording.jsonl import named

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_escaped = json.JSONEncoder(separators=(",", ":")).encode


def body(post: Post) -> str:
    """The post as one JSON object without its channel; always text that can be written as UTF-8.

    It may hold one key that no recording has, "changed": `bot.model.Post.changed`.
    """
    return _written({**_stored(post), **_said(post)})


def line(post: Post, channel: Channel | None = None) -> str:
    """The whole line with its newline. ``channel`` is written in place of the post's own."""
    return _written({"channel": _channel(channel or post.channel), **_around(post), **_said(post)}) + "\n"


def body_and_digest(post: Post) -> tuple[str, bytes]:
    """Both at once, for half the price: what they have in common is written once."""
    said = _compact(_said(post))
    try:
        raw = said.encode()
    except UnicodeEncodeError:
        said = _escaped(_said(post))
        raw = said.encode()
    plain = post.url is None and post.deleted is None and post.changed is None
    around = _plain(post) if plain else _written(_stored(post))[:-1]
    return f"{around},{said[1:]}", blake2b(raw, digest_size=8).digest()


def _plain(post: Post) -> str:
    """As `_around` of nearly any post is written, less its last bracket: numbers and dates need no escaping."""
    views = "" if post.views is None else f',"views":{post.views}'
    forwards = "" if post.forwards is None else f',"forwards":{post.forwards}'
    edited = "" if post.edited is None else f',"edit_date":"{post.edited.isoformat()}"'
    protected = ',"protected":true' if post.protected else ""
    return f'{{"id":{post.number},"date":"{post.date.isoformat()}"{views}{forwards}{edited}{protected}'


def digest(post: Post) -> bytes:
    """8 bytes of BLAKE2b over what makes another version of a post: text, entities, media, origin and the like.

    Views, forwards, dates and protection are no part of it. Link previews are: whether one that arrives is an edit is
    the judge's to say, but its title may bring a match.
    """
    return blake2b(_written(_said(post)).encode(), digest_size=8).digest()


def _written(found: dict[str, object]) -> str:
    text = _compact(found)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which only an escape can hold
        return _escaped(found)
    return text


def _stored(post: Post) -> dict[str, object]:
    """`_around`, and what only we need."""
    found = _around(post)
    if post.changed is not None:
        found["changed"] = post.changed.isoformat()
    return found


def _around(post: Post) -> dict[str, object]:
    """Where and when: what is no part of what it says."""
    found: dict[str, object] = {"id": post.number, "date": post.date.isoformat()}
    if post.views is not None:
        found["views"] = post.views
    if post.forwards is not None:
        found["forwards"] = post.forwards
    if post.edited is not None:
        found["edit_date"] = post.edited.isoformat()
    if post.deleted is not None:
        found["deleted"] = post.deleted.isoformat()
    if post.url is not None:
        found["url"] = post.url
    if post.protected:
        found["protected"] = True
    return found


def _said(post: Post) -> dict[str, object]:
    found: dict[str, object] = {"text": post.text}
    if post.entities:
        found["entities"] = [_entity(entity) for entity in post.entities]
    if post.media:
        found["media"] = _medium(post.media[0]) if len(post.media) == 1 else [_medium(each) for each in post.media]
    if post.origin is not None:
        found["fwd_from"] = _origin(post.origin)
    if post.album is not None:
        found["grouped_id"] = post.album
    if post.reply_to is not None:
        found["reply_to"] = post.reply_to
    return found


def _entity(entity: Entity) -> dict[str, object]:
    kind, offset, length, url = entity
    if url is None:
        return {"type": kind, "offset": offset, "length": length}
    return {"type": kind, "offset": offset, "length": length, "url": url}


def _medium(media: Media) -> dict[str, object]:
    found: dict[str, object] = {"kind": media.kind}
    if media.file_name is not None:
        found["file_name"] = media.file_name
    if media.title is not None:
        found["title"] = media.title
    if media.text is not None:
        found["text"] = media.text
    return found


def _origin(origin: Origin) -> dict[str, object]:
    found: dict[str, object] = {}
    if origin.channel is not None:
        found["channel"] = origin.channel
    if origin.name is not None:
        found["name"] = origin.name
    if origin.post is not None:
        found["post"] = origin.post
    if origin.date is not None:
        found["date"] = origin.date.isoformat()
    return found


def _channel(channel: Channel) -> object:
    """Its one name where that says all there is, else all of its names."""
    if channel.id is None and (named(channel.name) == channel or (channel.own and channel.own != channel.title)):
        return channel.name
    names = {"id": channel.id, "username": channel.username, "title": channel.title}
    return {key: name for key, name in names.items() if name is not None}
