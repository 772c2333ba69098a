"""Destinations and posts as the tables name them: ``@name/12``, ``-100…/34``."""

from __future__ import annotations

import json
from collections.abc import Iterable

from bot.model import ChatId, Destination, Me, PostId, Username


def written(destination: Destination) -> str:
    return str(destination)


def destination(text: str) -> Destination:
    """The one that was `written` so. ValueError for any other text."""
    word, slash, thread = text.partition("/")
    chat: Me | Username | ChatId
    if word == "me":
        chat = Me()
    elif word.startswith("@"):
        chat = Username(word[1:])
    else:
        chat = ChatId(int(word))
    return Destination(chat, int(thread) if slash else None)


def post_id(text: str) -> PostId:
    """The one whose ``str`` this is. ValueError for any other text."""
    channel, _, number = text.rpartition("/")
    return PostId(channel, int(number))


def places(posts: Iterable[PostId]) -> str:
    """Posts of watched channels as JSON that a statement can ask for: ``[[-100…, 34]]``."""
    return json.dumps([(int(post.channel), post.number) for post in posts])
