"""Where else a story ran."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from bot.model import Carrier, Post, PostId


def also_in(lead: Post, others: Iterable[Post], deleted: Collection[PostId] = ()) -> tuple[Carrier, ...]:
    """The other posts of the story, each once and by date; the order in which they are given does not matter.

    ``deleted``: posts that are gone since.
    """
    first = {lead.id: lead}
    for post in sorted(others, key=_place):
        first.setdefault(post.id, post)
    return tuple([carrier(post, deleted=id_ in deleted) for id_, post in first.items() if id_ != lead.id])


def carrier(post: Post, *, deleted: bool = False) -> Carrier:
    return Carrier(post.channel.shown, post.date, post.link, deleted)


def _place(post: Post) -> tuple[datetime, str, int, str, str]:
    """Where a post stands among others; versions of one post are told apart by what a carrier shows of them."""
    return post.date, post.channel.key, post.number, post.channel.shown, post.link or ""
