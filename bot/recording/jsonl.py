"""One line of JSON lines as a post: unknown keys are ignored, known ones have to be right.

A stored post is such a line without its channel (`bot.recording.writer` writes both).

This is the hot path of a replay: no regular expression and no copy that a plain line can do without.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import lru_cache

from bot.model import Channel, Entity, Media, Origin, Post, marked_id
from bot.recording.fields import Unfit, maybe_moment, maybe_text, maybe_whole, moment, shown, text, whole
from bot.recording.source import BOM, LONGEST_LINE

_INT64 = 1 << 63
_LONE = re.compile("[\ud800-\udfff]")
_USERNAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,31}")
_MARKED = re.compile(r"-100[0-9]{1,15}")


def parse(raw: bytes | None) -> Post:
    """The post a line holds; None is a line too long to be held. Raises Unfit, whatever the bytes."""
    found = _object(raw)
    return _post(found, _channel(found.get("channel")))


def post_of(body: str, channel: Channel) -> Post:
    """The post of a channel that `bot.recording.writer.body` has written. Raises Unfit for what it never writes."""
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unfit(f"a stored post is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise Unfit(f"a stored post must be an object in braces, here it is {shown(found)}")
    post, changed = _post(found, channel), found.get("changed")
    return post if changed is None else replace(post, changed=moment(changed, "changed"))


def _post(found: dict[str, object], channel: Channel) -> Post:
    get = found.get
    entities, media, origin = get("entities"), get("media"), get("fwd_from")
    return Post(
        channel=channel,
        number=whole(get("id"), "id"),
        date=moment(get("date"), "date"),
        text=maybe_text(get("text"), "text") or "",
        entities=_entities(entities) if entities is not None else (),
        media=_media(media) if media is not None else (),
        views=maybe_whole(get("views"), "views"),
        forwards=maybe_whole(get("forwards"), "forwards"),
        edited=maybe_moment(get("edit_date"), "edit_date"),
        deleted=maybe_moment(get("deleted"), "deleted"),
        origin=_origin(origin) if origin is not None else None,
        album=maybe_whole(get("grouped_id"), "grouped_id", least=-_INT64),
        reply_to=maybe_whole(get("reply_to"), "reply_to"),
        protected=_flag(get("protected"), "protected"),
        url=maybe_text(get("url"), "url"),
    )


@lru_cache(maxsize=4096)
def named(name: str) -> Channel:
    """A channel of which a recording gives one name: a username, a marked id as text, or what it calls it."""
    bare = name.strip().removeprefix("@")
    if not bare:
        raise Unfit("channel is empty; give its name")
    if _USERNAME.fullmatch(bare):
        return Channel(username=bare)
    if _MARKED.fullmatch(bare):
        return Channel(id=int(bare))
    return Channel(own=bare)


@lru_cache(maxsize=4096)
def described(number: int | None, username: str | None, title: str | None) -> Channel:
    """A channel of which a recording gives several names."""
    username = (username or "").strip().removeprefix("@") or None
    title = title or None
    if number is not None:
        return Channel(id=marked_id(number), username=username, title=title)
    if username is not None:
        return Channel(username=username, title=title)
    if title is not None:
        return Channel(own=title, title=title)
    raise Unfit("channel has neither id nor username nor title; give one of them")


def _object(raw: bytes | None) -> dict[str, object]:
    if raw is None:
        raise Unfit(f"the line is longer than {LONGEST_LINE >> 20} MB; no post is")
    try:
        # Decoded here and strictly: json.loads would let half surrogate pairs pass as bytes.
        value: object = json.loads(raw.removeprefix(BOM).decode())
        # Half a pair can still come as an escape.
        if b"\\ud" in raw or b"\\uD" in raw:
            value = _mended(value)
    except UnicodeDecodeError as error:
        raise Unfit(f"not UTF-8: byte 0x{error.object[error.start]:02x} at position {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise Unfit(f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}, character {error.pos + 1}") from None
    except ValueError:
        raise Unfit("not JSON that can be read: a number in it has thousands of digits") from None
    except RecursionError:
        raise Unfit("not JSON that can be read: brackets are nested too deeply") from None
    if not isinstance(value, dict):
        raise Unfit(f"a post must be an object in braces, here it is {shown(value)}")
    return value


def _mended(value: object) -> object:
    if isinstance(value, str):
        return _LONE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_mended(each) for each in value]
    if isinstance(value, dict):
        return {key: _mended(each) for key, each in value.items()}
    return value


def _channel(value: object) -> Channel:
    if type(value) is str:
        return named(value)
    if value is None:
        raise Unfit("channel is missing; give its name, or an object with its id and username")
    if not isinstance(value, dict):
        raise Unfit(f"channel must be a name or an object with id and username, here it is {shown(value)}")
    return described(
        maybe_whole(value.get("id"), "channel.id", least=-_INT64),
        maybe_text(value.get("username"), "channel.username"),
        maybe_text(value.get("title"), "channel.title"),
    )


def _entities(value: object) -> tuple[Entity, ...]:
    if not isinstance(value, list):
        raise Unfit(f"entities must be a list, here it is {shown(value)}")
    return tuple([_entity(each, at) for at, each in enumerate(value)])


def _entity(value: object, at: int) -> Entity:
    """One entity. A length below zero, which real collections hold, is one of nothing and no reason to lose a post."""
    if not isinstance(value, dict):
        raise Unfit(f"entities[{at}] must be an object, here it is {shown(value)}")
    get = value.get
    kind, offset, length, url = get("type"), get("offset"), get("length"), get("url")
    # Checked at once: there are more entities than posts, and hardly one is wrong.
    if (
        (type(kind) is str and type(offset) is int and type(length) is int)
        and (0 <= offset < _INT64 and -_INT64 <= length < _INT64)
        and (url is None or type(url) is str)
    ):
        return Entity(kind, offset, max(length, 0), url)
    what = f"entities[{at}]"
    return Entity(
        text(kind, f"{what}.type"),
        whole(offset, f"{what}.offset"),
        whole(length, f"{what}.length", least=-_INT64),
        maybe_text(url, f"{what}.url"),
    )


def _media(value: object) -> tuple[Media, ...]:
    """One object, or a list of them as we write for an album."""
    if isinstance(value, list):
        return tuple([_medium(each) for each in value])
    return (_medium(value),)


def _medium(value: object) -> Media:
    if not isinstance(value, dict):
        raise Unfit(f'media must be an object such as {{"kind": "photo"}}, here it is {shown(value)}')
    return Media(
        kind=text(value.get("kind"), "media.kind"),
        file_name=maybe_text(value.get("file_name"), "media.file_name"),
        title=maybe_text(value.get("title"), "media.title"),
        text=maybe_text(value.get("text"), "media.text"),
    )


def _origin(value: object) -> Origin:
    if not isinstance(value, dict):
        raise Unfit(f"fwd_from must be an object, here it is {shown(value)}")
    channel = value.get("channel")
    # A bare number is an id; everything else is named as the channel of a post is.
    named_so = {"id": channel} if type(channel) is int else channel
    return Origin(
        channel=None if channel is None else _channel(named_so).name,
        name=maybe_text(value.get("name"), "fwd_from.name"),
        post=maybe_whole(value.get("post"), "fwd_from.post"),
        date=maybe_moment(value.get("date"), "fwd_from.date"),
    )


def _flag(value: object, what: str) -> bool:
    if value is None or value is False:
        return False
    if value is not True:
        raise Unfit(f"{what} must be true or false, here it is {shown(value)}")
    return True
