"""What the tests of stories share: posts, and the stories that a row of posts makes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import pytest

from bot.model import Channel, Origin, Post
from bot.stories.stories import Stories

START = datetime(2024, 12, 8, 5, tzinfo=UTC)
WINDOW = timedelta(hours=48)


def made(channel: str, number: int, text: str = "", minute: float = 0, origin: Origin | None = None) -> Post:
    """A post of a channel, some minutes after 05:00 on 8 December 2024."""
    date = START + timedelta(minutes=minute)
    return Post(channel=Channel(username=channel), number=number, date=date, text=text, origin=origin)


@pytest.fixture(scope="session")
def post() -> Callable[..., Post]:
    return made


@pytest.fixture(scope="session")
def told() -> Callable[..., list[str]]:
    """The stories of posts that are joined in one batch, or one by one into these stories."""

    def joined(posts: Iterable[Post], stories: Stories | None = None) -> list[str]:
        if stories is None:
            overlay = Stories(WINDOW).overlay()
            return [str(overlay.join(one).story) for one in posts]
        found = []
        for one in posts:
            overlay = stories.overlay()
            found.append(str(overlay.join(one).story))
            stories.merge(overlay)
        return found

    return joined
