"""Whether the parts of a configuration agree with each other: names that exist, and nothing twice.

Works on what tomllib read and passes over what cannot be read there, so that these errors are told beside all others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.config.faults import Fault, named
from bot.config.positions import KeyPath
from bot.config.references import NotAReference, channel_ref, destination
from bot.config.values import nearest, shown
from bot.model import ChannelRef, ChatId, Destination, Me, Username

#: How many unknown names are told with what was meant: beyond that it is no slip but a list of something else.
_GUESSES = 10
_NAME = re.compile("[A-Za-z0-9_-]+")


def disagreements(raw: Mapping[str, object]) -> Iterator[Fault]:
    watch, topics = _table(raw, "watch"), _table(raw, "topics")
    entries = list(_entries(watch))
    references = [(path, reference) for path, entry in entries if (reference := _reference(entry)) is not None]
    yield from _anything_at_all(raw, watch, topics)
    yield from _names(topics)
    yield from _channels_listed_twice(references)
    yield from _topics_of_channels(entries, topics)
    yield from _told_and_watched(raw, topics, references)
    if "folder" not in watch:
        yield from _channels_of_topics(topics, references)


def _anything_at_all(raw: Mapping[str, object], watch: dict[str, Any], topics: dict[str, Any]) -> Iterator[Fault]:
    if isinstance(raw.get("watch", {}), dict) and "folder" not in watch and watch.get("channels", []) == []:
        hint = 'name at least one, as in channels = ["@name"], or a folder'
        yield Fault(("watch", "channels"), "no channel is watched", hint, absent=True)
    if not topics and raw.get("topics", {}) == {}:
        yield Fault(
            ("topics",), "there is no topic", 'write at least one: [topics.syria] and keywords = ["Сирия"]', absent=True
        )


def _names(topics: dict[str, Any]) -> Iterator[Fault]:
    for name in topics:
        if not _NAME.fullmatch(name):
            hint = "write letters a to z, digits, _ and - there, and the name for people in title"
            yield Fault(("topics", name), "a topic's name is one bare word", hint, at_key=True)


def _channels_listed_twice(references: list[tuple[KeyPath, ChannelRef]]) -> Iterator[Fault]:
    first: dict[ChannelRef, KeyPath] = {}
    for path, reference in references:
        if reference in first:
            yield Fault(path, f"{reference} is listed twice, first as {named(first[reference])}", "remove one of them")
        first.setdefault(reference, path)


def _topics_of_channels(entries: list[tuple[KeyPath, object]], topics: dict[str, Any]) -> Iterator[Fault]:
    meant = _Meant(topics)
    for path, entry in entries:
        wanted = entry.get("topics") if isinstance(entry, dict) else None
        for place, name in enumerate(wanted if isinstance(wanted, list) else ()):
            if isinstance(name, str) and name.strip() and name not in topics:
                hint = meant(name) or "write its table, or remove the name"
                yield Fault((*path, "topics", place), f"there is no topic {shown(name)}", hint)


def _told_and_watched(
    raw: Mapping[str, object], topics: dict[str, Any], references: list[tuple[KeyPath, ChannelRef]]
) -> Iterator[Fault]:
    chats: list[tuple[KeyPath, object]] = [(("digest", "chat"), _table(raw, "digest").get("chat"))]
    chats += [
        (("topics", name, "chat"), topic.get("chat")) for name, topic in topics.items() if isinstance(topic, dict)
    ]
    told: dict[ChannelRef | Me | Username | ChatId, KeyPath] = {}
    for path, chat in chats:
        if (parsed := _destination(chat)) is not None:
            told.setdefault(parsed.chat, path)
    for path, reference in references:
        if reference in told:
            what = f"{reference} is told ({named(told[reference])}), and a chat that is told is never watched"
            yield Fault(path, what, "remove it here, or tell another chat")


def _channels_of_topics(topics: dict[str, Any], references: list[tuple[KeyPath, ChannelRef]]) -> Iterator[Fault]:
    """Only where no folder may hold them."""
    watched = dict.fromkeys(reference for _, reference in references)
    meant = _Meant(map(str, watched))
    for name, topic in topics.items():
        asked = topic.get("channels") if isinstance(topic, dict) else None
        for place, typed in enumerate(asked if isinstance(asked, list) else ()):
            reference = _reference(typed)
            if reference is not None and reference not in watched:
                hint = meant(str(reference)) or "add it to [watch] channels, or remove it here"
                yield Fault(("topics", name, "channels", place), f"{reference} is not watched", hint)


class _Meant:
    """What an unknown name was probably meant to be. Only the first few are looked for: it takes its time."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = list(known)
        self._left = _GUESSES

    def __call__(self, typed: str) -> str:
        self._left -= 1
        return nearest(typed, self._known).rstrip() if self._left >= 0 else ""


def _entries(watch: dict[str, Any]) -> Iterator[tuple[KeyPath, object]]:
    channels = watch.get("channels")
    for place, entry in enumerate(channels if isinstance(channels, list) else ()):
        yield ("watch", "channels", place), entry


def _reference(entry: object) -> ChannelRef | None:
    typed = entry.get("channel") if isinstance(entry, dict) else entry
    try:
        return channel_ref(typed) if isinstance(typed, str) else None
    except NotAReference:
        return None


def _destination(typed: object) -> Destination | None:
    try:
        return destination(typed) if isinstance(typed, str) else None
    except NotAReference:
        return None


def _table(raw: Mapping[str, object], key: str) -> dict[str, Any]:
    table = raw.get(key)
    return table if isinstance(table, dict) else {}
