"""Telegram Desktop's JSON export of one chat (result.json), read as a stream.

It holds every message as it was when it was exported, and knows neither usernames nor views nor albums; the
last are inferred.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bot.model import Channel, Post, Problem, marked_id
from bot.recording.fields import Unfit, maybe_text, maybe_whole, shown
from bot.recording.message import parse
from bot.recording.source import BrokenOff, Source

_INT64 = 1 << 63
#: Real messages nest four deep.
_DEEPEST = 50
_IN_ALBUMS = frozenset({"photo", "video", "audio", "document"})
_LARGEST_ALBUM = 10
_ALBUM_SPREAD = timedelta(seconds=1)
_HEADER = frozenset({"name", "type", "id"})


def posts(source: Source, report: Callable[[Problem], None]) -> Iterator[tuple[str, Post]]:
    """The posts of an export, each with where it stands. What cannot be read is reported."""
    header: dict[str, object] = {}
    zoneless = False
    for where, message in _messages(source, header, report):
        source.meter.line()
        try:
            if not isinstance(message, dict):
                raise Unfit(f"a message must be an object, here it is {shown(message)}")  # noqa: TRY301
            post = parse(message, channel(header, Path(source.name).stem))
        except Unfit as unfit:
            report(Problem("skipped", where, str(unfit)))
            continue
        if post is None:
            continue
        if not zoneless and "date_unixtime" not in message:
            zoneless = True
            report(Problem("warning", where, "date has no zone; such dates are taken as UTC in all of this file"))
        yield where, post


def with_albums(posts: Iterable[tuple[str, Post]]) -> Iterator[tuple[str, Post]]:
    """Gives the members of an album one number to be joined by, that of the first.

    They have consecutive ids, come within a second of each other, all carry media, and only the first has a
    text: so it was in all but a few of the albums we measured.
    """
    held: tuple[str, Post] | None = None
    size = 1
    for where, post in posts:
        found = post
        if held is not None:
            before = held[1]
            size = size + 1 if size < _LARGEST_ALBUM and _continues(before, post) else 1
            if size > 1:
                album = before.number if before.album is None else before.album
                held = held[0], replace(before, album=album)
                found = replace(post, album=album)
            yield held
        held = where, found
    if held is not None:
        yield held


def channel(header: dict[str, object], fallback: str) -> Channel:
    """The chat an export is of; ``fallback`` names one that the export does not. Raises Unfit."""
    title = maybe_text(header.get("name"), "the chat's name") or None
    number = maybe_whole(header.get("id"), "the chat's id", least=-_INT64)
    kind = header.get("type")
    # Persons and basic groups are counted apart; their ids are no channel's.
    if number is not None and (kind is None or str(kind).endswith(("_channel", "_supergroup"))):
        return Channel(id=marked_id(number), title=title)
    return Channel(own=title or fallback, title=title)


def _continues(before: Post, post: Post) -> bool:
    return (
        post.number == before.number + 1
        and not post.text
        and timedelta() <= post.date - before.date <= _ALBUM_SPREAD
        and all(found.media and found.media[0].kind in _IN_ALBUMS for found in (before, post))
        and post.origin == before.origin
    )


def _messages(
    source: Source, header: dict[str, object], report: Callable[[Problem], None]
) -> Iterator[tuple[str, object]]:
    """The messages, each with where it stands; what the export says before them goes into ``header``.

    An export that breaks off, or is no JSON from somewhere on, is reported after its last whole message.
    """
    import ijson

    number = 0
    try:
        events = ijson.basic_parse(_File(source.chunks()), use_float=True)
        for number, message in enumerate(_items(events, header), 1):
            yield f"{source.name}: message {number}", message
    except BrokenOff as broken:
        report(Problem("skipped", f"{source.name}: message {number + 1}", str(broken)))
    except (ijson.JSONError, ValueError) as error:
        # ijson quotes the place over several lines, as bytes if it is no UTF-8.
        why = error.args[0] if error.args and isinstance(error.args[0], str) else "invalid bytes"
        why = f"the export is no JSON from here on: {why.partition(chr(10))[0]}"
        report(Problem("skipped", f"{source.name}: message {number + 1}", why))


class _File:
    """Chunks of bytes as the file that ijson reads."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def read(self, size: int) -> bytes:
        # It asks for nothing once, to see whether it gets bytes.
        return next(self._chunks, b"") if size else b""


def _items(events: Iterator[tuple[str, object]], header: dict[str, object]) -> Iterator[object]:
    """The items of the outermost object's list "messages"; what it says of the chat goes into ``header``.

    Built here and not by ``ijson.items``, which names the path of every value and so needs the square of the
    depth in memory: 100,000 brackets kill the process.
    """
    key = ""
    next(events, None)
    for event, value in events:
        if event == "map_key":
            key = str(value)
        elif event == "start_array" and key == "messages":
            for opening, item in events:
                if opening == "end_array":
                    break
                yield _built(opening, item, events)
        elif event.startswith("start_"):
            _skip(events)
        elif key in _HEADER and event != "end_map":
            header[key] = value


def _skip(events: Iterator[tuple[str, object]]) -> None:
    """Passes over the rest of the list or object that has just begun, however large."""
    depth = 1
    for event, _ in events:
        depth += event.startswith("start_") - event.startswith("end_")
        if not depth:
            return


def _built(event: str, value: object, events: Iterator[tuple[str, object]], depth: int = 0) -> object:
    """The value that begins with an event. Raises ValueError if it nests too deeply."""
    if depth > _DEEPEST:
        raise ValueError(f"brackets nested more than {_DEEPEST} deep")
    if event == "start_map":
        made: dict[str, object] = {}
        key = ""
        for inner, item in events:
            if inner == "end_map":
                break
            if inner == "map_key":
                key = str(item)
            else:
                made[key] = _built(inner, item, events, depth + 1)
        return made
    if event == "start_array":
        items: list[object] = []
        for inner, item in events:
            if inner == "end_array":
                break
            items.append(_built(inner, item, events, depth + 1))
        return items
    return value
