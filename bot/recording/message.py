"""One message of a Telegram Desktop export as a post.

https://core.telegram.org/import-export describes the fields, as far as they are described.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePosixPath

from bot.model import Channel, Entity, Media, Origin, Post, marked_id
from bot.recording.fields import Unfit, credible, maybe_text, maybe_whole, shown, text, whole

_INT64 = 1 << 63
_KINDS = {
    "video_file": "video",
    "video_message": "video_note",
    "voice_message": "voice",
    "audio_file": "audio",
}


def parse(message: dict[str, object], channel: Channel) -> Post | None:
    """One message as a post; None if it is a service message. Raises Unfit."""
    get = message.get
    if get("type") == "service":
        return None
    date = _date(message, "date")
    if date is None:
        raise Unfit("date is missing")
    edited = _date(message, "edited")
    said, entities = _marked_up(get("text_entities") or get("text"), "text")
    return Post(
        channel=channel,
        # What a supergroup brought along from the group it was has numbers below zero.
        number=whole(get("id"), "id", least=-_INT64),
        date=date,
        text=said,
        entities=entities,
        media=_media(message),
        # Old exports give 1970 for what was never edited.
        edited=edited if edited is not None and edited > date else None,
        origin=_origin(message),
        reply_to=maybe_whole(get("reply_to_message_id"), "reply_to_message_id", least=-_INT64),
    )


def _date(message: dict[str, object], what: str) -> datetime | None:
    """``…_unixtime`` if it is there; the plain form has no zone and is taken as UTC."""
    exact = message.get(f"{what}_unixtime")
    plain = maybe_text(message.get(what), what)
    try:
        if isinstance(exact, str | int):
            when = datetime.fromtimestamp(int(exact), UTC)
        elif plain is None:
            return None
        else:
            when = datetime.fromisoformat(plain)
    except (ValueError, OverflowError, OSError):
        raise Unfit(f"{what} is no date: {shown(plain if exact is None else exact)}") from None
    when = credible(when, plain if exact is None else exact, what)
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def _marked_up(value: object, what: str) -> tuple[str, tuple[Entity, ...]]:
    """A text and its entities, given as one string or as pieces of one or another kind."""
    if value is None:
        return "", ()
    if isinstance(value, str):
        return value, ()
    if not isinstance(value, list):
        raise Unfit(f"{what} must be a text or a list of pieces, here it is {shown(value)}")
    said: list[str] = []
    entities: list[Entity] = []
    offset = 0
    for piece in value:
        kind, words, url = _piece(piece, what)
        length = len(words.encode("utf-16-le")) // 2
        if length and kind != "plain":
            entities.append(Entity(kind, offset, length, url))
        said.append(words)
        offset += length
    return "".join(said), tuple(entities)


def _piece(value: object, what: str) -> tuple[str, str, str | None]:
    if isinstance(value, str):
        return "plain", value, None
    if not isinstance(value, dict):
        raise Unfit(f"a piece of {what} must be a text or an object, here it is {shown(value)}")
    kind, words = value.get("type"), value.get("text")
    return text(kind, f"{what}.type"), text(words, f"{what}.text"), maybe_text(value.get("href"), f"{what}.href")


def _media(message: dict[str, object]) -> tuple[Media, ...]:
    get = message.get
    if get("poll") is not None:
        return (_poll(get("poll")),)
    kind = maybe_text(get("media_type"), "media_type")
    if kind is None and get("photo") is not None:
        return (Media(kind="photo"),)
    if kind is None and get("file") is None and get("file_name") is None:
        return ()
    title, performer = maybe_text(get("title"), "title"), maybe_text(get("performer"), "performer")
    heard = " – ".join(part for part in (performer, title) if part)
    kind = "document" if kind is None else _KINDS.get(kind, kind)
    return (Media(kind=kind, file_name=_file_name(message), title=heard or None),)


def _file_name(message: dict[str, object]) -> str | None:
    """The name the file had; in old exports it stands at the end of the path it was stored under."""
    name = maybe_text(message.get("file_name"), "file_name")
    if name is not None:
        return name
    stored = maybe_text(message.get("file"), "file") or ""
    # "(File not included. …)" is a remark, and an @ stands in names that Desktop makes up.
    if stored.startswith("(") or "@" in stored:
        return None
    return PurePosixPath(stored).name or None


def _poll(value: object) -> Media:
    if not isinstance(value, dict):
        raise Unfit(f"poll must be an object, here it is {shown(value)}")
    answers = value.get("answers") or []
    if not isinstance(answers, list):
        raise Unfit(f"poll.answers must be a list, here it is {shown(answers)}")
    lines = [_marked_up(value.get("question"), "poll.question")[0]]
    for answer in answers:
        if not isinstance(answer, dict):
            raise Unfit(f"an answer of a poll must be an object, here it is {shown(answer)}")
        lines.append(_marked_up(answer.get("text"), "poll.answers.text")[0])
    return Media(kind="poll", text="\n".join(lines))


def _origin(message: dict[str, object]) -> Origin | None:
    name = maybe_text(message.get("forwarded_from"), "forwarded_from")
    source = message.get("forwarded_from_id")
    channel = None
    if isinstance(source, str) and source.startswith("channel"):
        number = source.removeprefix("channel")
        channel = str(marked_id(int(number))) if number.isdecimal() and len(number) < 19 else None
    if name is None and channel is None:
        return None
    return Origin(channel=channel, name=name)
