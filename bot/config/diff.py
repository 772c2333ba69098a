"""What a reload changes: the difference of two configurations as a value, and as what the operators are told.

Configurations come as plain data in the layout of the file, with defaults filled in. An absent key is None.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

#: What takes effect only after a restart: these keys, and all under them.
RESTART = ("telegram", "data_dir", "log.format", "metrics")
#: What is named but never shown, nor kept here: the credentials, and URLs that hold passwords.
SECRET = ("telegram", "operators.notify")

#: How many names a line holds, how many changed topics and channels are told one by one, how long a text is shown.
_NAMES, _ENTRIES, _LETTERS = 8, 20, 60
_INVITE = re.compile(r"(t\.me/\+[A-Za-z0-9_-]{4})[A-Za-z0-9_-]+")

_Plain = Mapping[str, object]


class Setting(NamedTuple):
    """A key and its value before and after; None where it is absent, and both None where it is a secret."""

    path: str
    old: object
    new: object


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicChange:
    """What is different in a topic; the paths of ``settings`` are keys of its table."""

    name: str
    keywords_added: tuple[str, ...] = ()
    keywords_removed: tuple[str, ...] = ()
    exclude_added: tuple[str, ...] = ()
    exclude_removed: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()

    def __bool__(self) -> bool:
        lists = (self.keywords_added, self.keywords_removed, self.exclude_added, self.exclude_removed)
        return any(lists) or bool(self.settings)


class ChannelChange(NamedTuple):
    """What is different in a channel that is watched before and after: its label, its topics."""

    channel: str
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """All differences; false when there is none.

    ``reordered``: the paths of lists (and ``topics``) in which the same entries stand in another order.
    """

    topics_added: tuple[str, ...] = ()
    topics_removed: tuple[str, ...] = ()
    topics_changed: tuple[TopicChange, ...] = ()
    channels_added: tuple[str, ...] = ()
    channels_removed: tuple[str, ...] = ()
    channels_changed: tuple[ChannelChange, ...] = ()
    settings: tuple[Setting, ...] = ()
    reordered: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self != Changes()

    @property
    def restart(self) -> tuple[str, ...]:
        """The paths of what changed but takes effect only after a restart."""
        return tuple(path for path, _, _ in self.settings if _is_of(path, RESTART))

    def lines(self, waiting: Collection[str] | None = None) -> tuple[str, ...]:
        """What a person is told, one change a line; long lists are shortened, secrets not shown.

        ``waiting``: the paths of which what is in force differs, where that is not what this was compared with.
        """
        restart = [path for path in self.restart if waiting is None or path in waiting]
        return tuple(_INVITE.sub(r"\1…", line) for line in _lines(self, restart))


def changes(old: _Plain, new: _Plain) -> Changes:
    """What is different in ``new``."""
    topics, topics_before = _table(new.get("topics")), _table(old.get("topics"))
    channels, channels_before = _channels(new), _channels(old)
    both = [(name, _table(topics_before[name]), _table(topics[name])) for name in topics if name in topics_before]
    return Changes(
        topics_added=_lacking(topics, topics_before),
        topics_removed=_lacking(topics_before, topics),
        topics_changed=tuple(filter(None, (_topic(name, before, after) for name, before, after in both))),
        channels_added=_lacking(channels, channels_before),
        channels_removed=_lacking(channels_before, channels),
        channels_changed=tuple(
            ChannelChange(channel, found)
            for channel, entry in channels.items()
            if channel in channels_before and (found := tuple(_settings(channels_before[channel], entry)))
        ),
        settings=tuple(_settings(_without_lists(old), _without_lists(new))),
        reordered=tuple(
            path
            for path, before, after in [
                ("topics", tuple(topics_before), tuple(topics)),
                ("watch.channels", tuple(channels_before), tuple(channels)),
                *_queries(both),
            ]
            if before != after and Counter(before) == Counter(after)
        ),
    )


def _topic(name: str, old: _Plain, new: _Plain) -> TopicChange:
    keywords, keywords_before = _texts(new.get("keywords")), _texts(old.get("keywords"))
    exclude, exclude_before = _texts(new.get("exclude")), _texts(old.get("exclude"))
    return TopicChange(
        name=name,
        keywords_added=_lacking(keywords, keywords_before),
        keywords_removed=_lacking(keywords_before, keywords),
        exclude_added=_lacking(exclude, exclude_before),
        exclude_removed=_lacking(exclude_before, exclude),
        settings=tuple(_settings(_but(old, "keywords", "exclude"), _but(new, "keywords", "exclude"))),
    )


def _queries(topics: Iterable[tuple[str, _Plain, _Plain]]) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    for name, before, after in topics:
        for key in ("keywords", "exclude"):
            yield f"topics.{_key(name)}.{key}", _texts(before.get(key)), _texts(after.get(key))


def _settings(old: _Plain, new: _Plain, under: str = "") -> Iterator[Setting]:
    """Every key whose value differs, tables gone through, in the order of the newer file."""
    for key in dict.fromkeys([*new, *old]):
        path, before, after = f"{under}{_key(key)}", old.get(key), new.get(key)
        if isinstance(before, Mapping) or isinstance(after, Mapping):
            yield from _settings(_table(before), _table(after), f"{path}.")
        elif before != after:
            yield Setting(path, None, None) if _is_of(path, SECRET) else Setting(path, before, after)


def _lacking(here: Iterable[str], there: Iterable[str]) -> tuple[str, ...]:
    """What stands here more often than there, in its order."""
    left = dict(Counter(iter(there)))
    lacking = []
    for text in here:
        if left.get(text, 0):
            left[text] -= 1
        else:
            lacking.append(text)
    return tuple(lacking)


def _channels(settings: _Plain) -> dict[str, _Plain]:
    """The watched channels by what they are called in the file."""
    listed = _table(settings.get("watch")).get("channels")
    entries = [_table(entry) for entry in listed] if isinstance(listed, Sequence) else []
    return {str(entry["channel"]): _but(entry, "channel") for entry in entries if "channel" in entry}


def _without_lists(settings: _Plain) -> _Plain:
    """All but topics and channels, which are told in their own way."""
    return {**_but(settings, "topics"), "watch": _but(_table(settings.get("watch")), "channels")}


def _but(table: _Plain, *keys: str) -> _Plain:
    return {key: value for key, value in table.items() if key not in keys}


def _table(value: object) -> _Plain:
    return value if isinstance(value, Mapping) else {}


def _texts(value: object) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, list | tuple) else ()


def _is_of(path: str, keys: Iterable[str]) -> bool:
    return any(path == key or path.startswith(f"{key}.") for key in keys)


# --- what a person is told ---------------------------------------------------------------------------------------


def _lines(found: Changes, restart: Sequence[str]) -> Iterator[str]:
    yield from _named("topic", "added", [_key(name) for name in found.topics_added])
    yield from _named("topic", "removed", [_key(name) for name in found.topics_removed])
    for topic in found.topics_changed[:_ENTRIES]:
        yield from _of_topic(topic)
    yield from _rest("topic", len(found.topics_changed))
    yield from _named("channel", "added", found.channels_added)
    yield from _named("channel", "removed", found.channels_removed)
    for channel in found.channels_changed[:_ENTRIES]:
        yield from (f"channel {channel.channel}: {_told(setting)}" for setting in channel.settings)
    yield from _rest("channel", len(found.channels_changed))
    yield from map(_told, found.settings)
    if found.reordered:
        yield f"only the order changed: {_listed(found.reordered)}"
    if restart:
        yield f"takes effect after a restart: {', '.join(restart)}"


def _of_topic(topic: TopicChange) -> Iterator[str]:
    for what, done, texts in (
        ("keyword", "added", topic.keywords_added),
        ("keyword", "removed", topic.keywords_removed),
        ("exclusion", "added", topic.exclude_added),
        ("exclusion", "removed", topic.exclude_removed),
    ):
        for line in _named(what, done, [_shown(text) for text in texts]):
            yield f"topic {_key(topic.name)}: {line}"
    for setting in topic.settings:
        yield f"topic {_key(topic.name)}: {_told(setting)}"


def _named(what: str, done: str, names: Sequence[str]) -> Iterator[str]:
    """ "2 keywords added: …"."""
    if names:
        yield f"{len(names)} {what}{'s' if len(names) > 1 else ''} {done}: {_listed(names)}"


def _rest(what: str, count: int) -> Iterator[str]:
    if count > _ENTRIES:
        yield f"and {count - _ENTRIES} more {what}{'s' if count - _ENTRIES > 1 else ''} changed"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {more} more" if more > 0 else "")


def _told(setting: Setting) -> str:
    if setting.old is None and setting.new is None:
        return f"{setting.path}: changed"
    return f"{setting.path}: {_shown(setting.old)} → {_shown(setting.new)}"


def _shown(value: object) -> str:
    """A value as the file would have it, on one line and not too long."""
    match value:
        case None:
            return "none"
        case str():
            text = value if len(value) <= _LETTERS else f"{value[:_LETTERS]}…"
            return json.dumps(text, ensure_ascii=False)
        case bool():
            return str(value).lower()
        case list() | tuple():
            return f"[{_listed([_shown(one) for one in value])}]"
        case _:
            return str(value)


def _key(name: str) -> str:
    """A key as the file would have it."""
    return name if re.fullmatch("[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)
