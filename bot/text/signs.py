"""What a text holds besides words: hashtags, Telegram names and links. Each is found by one regular expression.

A name counts wherever a reader would recognise it: ``@name``, ``t.me/name``, ``name.t.me``, ``tg://resolve?domain=name``.
https://core.telegram.org/api/links
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from bot.text.normalise import APOSTROPHES, INVISIBLE, normalise


class Sign(NamedTuple):
    """A sign's key and its code point span."""

    key: str
    start: int
    end: int


_HASHTAG = re.compile(rf"(?<![\w&])[#\uff03]([\w{INVISIBLE}{APOSTROPHES}\u00b7]+)")
_MENTION = re.compile(r"(?<![\w@/.])@([A-Za-z][A-Za-z0-9_]{1,31})(?![\w@])")
_TELEGRAM = re.compile(
    r"(?<![\w.-])(?:https?://)?(?:www\.)?(?:t|telegram)\.(?:me|dog)/(?:s/|boost/)?([a-z][a-z0-9_]{1,31})(?![\w+])"
    r"|(?<![\w.-])(?:https?://)?([a-z][a-z0-9_]{1,31})\.t\.me(?![\w.])"
    r"|tg://resolve/?\?(?:[\w=&]*&)?domain=([a-z][a-z0-9_]{1,31})",
    re.IGNORECASE,
)
#: First path components of t.me links that are not names.
_NOT_NAMES = frozenset(
    "addemoji addlist addstickers addtheme bg boost c confirmphone contact giftcode invoice iv joinchat "
    "login m nft proxy s setlanguage share socks".split()
)
# Repetitions are bounded: of an unbounded one each start would read on to the end of the text.
_HOST = re.compile(
    r"(?<![\w@.-])(?:[a-z][a-z0-9+.-]{0,30}://(?:[^\s/?#@]{1,64}@)?)?((?:[\w-]{1,63}\.)+[^\W\d_][\w-]{1,62})(?![\w@-])",
    re.IGNORECASE,
)
_REST_OF_URL = re.compile(r"[^\s<>«»“”\"]{0,2048}")
_GO_ON = ("/", "?", "#", ":")
_HOST_ONLY = re.compile(r"(?:[\w-]{1,63}\.)+[^\W\d_][\w-]{1,62}").fullmatch


def hashtag_key(name: str) -> str:
    """The key of a hashtag without its sign; empty when it is none. Parts between underscores are words."""
    if not re.fullmatch(rf"[\w{INVISIBLE}{APOSTROPHES}\u00b7]+", name) or not any(c.isalpha() for c in name):
        return ""
    return "_".join(map(normalise, name.split("_")))


def host_key(host: str) -> str | None:
    """A host in lower case and in its own script (``xn--`` decoded); None when it is none."""
    host = host.rstrip(".").lower()
    if not _HOST_ONLY(host):
        return None
    if "xn--" in host:
        try:
            host = host.encode("ascii").decode("idna")
        except UnicodeError:
            return None
    return host


def hashtags(text: str) -> Iterator[Sign]:
    for m in _HASHTAG.finditer(text):
        if key := hashtag_key(m[1]):
            yield Sign(key, *m.span())


def names(text: str) -> Iterator[Sign]:
    """Telegram names mentioned or linked to, lower case."""
    for m in _MENTION.finditer(text):
        yield Sign(m[1].lower(), *m.span())
    for m in _TELEGRAM.finditer(text):
        name = (m[1] or m[2] or m[3]).lower()
        if name not in _NOT_NAMES:
            yield Sign(name, *m.span())


def links(text: str) -> Iterator[Sign]:
    """Hosts of the links in a text, with or without a scheme; the span is the whole link.

    What stands in the path or the query of a link is no link of its own.
    """
    at = 0
    while m := _HOST.search(text, at):
        end = at = m.end()
        if key := host_key(m[1]):
            if text[end : end + 1] in _GO_ON and (rest := _REST_OF_URL.match(text, end)):
                end = at = max(end, len(text[: rest.end()].rstrip(".,;:!?)")))
            yield Sign(key, m.start(), end)


def parents(host: str) -> Iterator[str]:
    """The host and every domain above it: news.example.org, example.org, org."""
    while host:
        yield host
        _, _, host = host.partition(".")
