"""Where else a story ran."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.model import Carrier, Post


def also_in(lead: Post, others: Iterable[Post]) -> tuple[Carrier, ...]:
    """Of each other channel its first post of the story, by date; in which order posts are given does not matter."""
    first: dict[str, Carrier] = {}
    for post in sorted(others, key=_place):
        if post.channel.name != lead.channel.name:
            first.setdefault(post.channel.name, Carrier(post.channel.shown, post.date, post.link))
    return tuple(first.values())


def _place(post: Post) -> tuple[datetime, str, int, str, str]:
    """Where a post stands among others, and what a carrier shows of it: versions of one post differ in that only."""
    return post.date, post.channel.name, post.number, post.channel.shown, post.link or ""
