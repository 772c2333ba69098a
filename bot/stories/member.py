"""What is kept of a matched post, in memory and in storage, so that later posts can be told to say the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.model import Channel, Post, PostId


@dataclass(frozen=True, slots=True)
class Member:
    """A post of a story.

    ``fingerprint`` is `bot.stories.fingerprint`'s; ``words`` counts those it was made of. ``origins`` are the
    names under which a forward of the same origin may know it: two posts that share one are the same post.
    """

    post: PostId
    story: PostId
    date: datetime
    fingerprint: bytes
    words: int
    origins: tuple[str, ...]


def origins_of(post: Post) -> tuple[str, ...]:
    """Where the post stands, by each name of its channel; then where it was forwarded from, if that is known.

    An origin without a number is known by its author's name and the second of its writing.
    """
    return tuple(dict.fromkeys([*_own(post.channel, post.number), *_forwarded(post)]))


def place(channel: str, number: int) -> str:
    """A post's place as an origin; Telegram's names have no letter case."""
    return f"{channel.removeprefix('@').casefold()}/{number}"


def _own(channel: Channel, number: int) -> Iterator[str]:
    for name in (channel.username, channel.own, channel.id):
        if name is not None:
            yield place(str(name), number)


def _forwarded(post: Post) -> Iterator[str]:
    origin = post.origin
    if origin is None:
        return
    if origin.channel is not None:
        if origin.post is not None:
            yield place(origin.channel, origin.post)
    elif origin.name is not None and origin.date is not None:
        yield f"@{origin.name} {origin.date.isoformat()}"
