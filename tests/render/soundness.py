"""What Telegram takes and what pings nobody, by definition: shares nothing with what it judges but the values."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from bot.model import Entity
from bot.render.richtext import Message

#: TDLib's rules: a mention begins with an @ that no letter precedes, a command with a slash likewise. All @ are
#: held to it here, also those of full width and of addresses.
_MENTION = re.compile("[@\uff20](?!\u2060)")
_COMMAND = re.compile(r"/[A-Za-z0-9_]")
_MOST_MARKS = 4
_HOSTILE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def covered(message: Message, entity: Entity) -> str:
    """What an entity covers, by decoding its units; raises where it parts a surrogate pair."""
    units = message.text.encode("utf-16-le")
    return units[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le")


def check(message: Message) -> None:
    """Raises AssertionError for a message that Telegram would refuse, show askew, or make somebody's phone ring."""
    assert message.text
    assert message.text == message.text.strip()
    assert not _HOSTILE.search(message.text)
    units = len(message.text.encode("utf-16-le")) // 2
    assert units <= 4096
    assert len(message.entities) <= 100
    done = 0
    for entity in message.entities:
        assert entity.offset >= done, "in order, and none over another"
        assert entity.length > 0
        done = entity.offset + entity.length
        assert done <= units
        words = covered(message, entity)
        assert words == words.strip()
        assert (entity.type == "text_url") == (entity.url is not None)
        assert entity.type in ("text_url", "bold")
        assert entity.url is None or entity.url.lower().startswith(("https://", "http://"))
    assert not live(message.text)
    assert heaped(message.text) <= _MOST_MARKS


def live(text: str) -> list[str]:
    """What Telegram would make a mention, a command or a link into itself."""
    found = [match[0] for match in _MENTION.finditer(text)]
    for match in _COMMAND.finditer(text):
        before = text[match.start() - 1 : match.start()]
        if not (before and (before in "_/<>" or unicodedata.category(before)[0] in "LN")):
            found.append(match[0])
    return found + re.findall(r"(?i)(?:tg|ton|tonsite)://", text)


def heaped(text: str) -> int:
    """The most marks without room of their own that stand on one character; the invisible parts none from it."""
    most = marks = 0
    for category in map(unicodedata.category, text):
        marks = marks + 1 if category in ("Mn", "Me") else marks if category == "Cf" else 0
        most = max(most, marks)
    return most


def check_all(messages: Iterable[Message]) -> None:
    messages = list(messages)
    assert messages
    for message in messages:
        check(message)


def bare(text: str) -> str:
    """The text as its author wrote it, as far as a message keeps it: without joiners and blanks."""
    return "".join(text.replace("\u2060", "").split())


def written(message: Message) -> str:
    """A message as a golden file holds it: the text, then its entities one a line."""
    rows = [" ".join(filter(None, (e.type, repr(covered(message, e)), e.url))) for e in message.entities]
    return "\n".join([message.text, "-" * 20, *rows, ""])
