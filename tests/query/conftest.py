"""What the tests of queries share: posts, and one question: what does a query find there?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import pytest

from bot.model import Channel, Entity, Media, Post, Problem
from bot.query.lexicon import Lexicon
from bot.query.matcher import Matcher, Topic
from bot.query.parser import parse
from bot.recording.reader import read

NEEDS_UKRAINIAN = pytest.mark.skipif(
    find_spec("pymorphy3_dicts_uk") is None, reason="the extra is not installed: pymorphy3_dicts_uk"
)
DEMO = Path(__file__).parents[2] / "bot" / "demo"


@pytest.fixture(scope="session")
def post() -> Callable[..., Post]:
    return made


@pytest.fixture(scope="session")
def found(lexicon: Lexicon) -> Callable[..., list[str] | None]:
    """The texts of a query's hits in a text or a post; None when it does not match."""

    def finding(query: str, where: str | Post, footer: int | None = None) -> list[str] | None:
        matcher = Matcher([Topic(name="t", keywords=(parse(query),))], lexicon)
        matches = matcher.match(where if isinstance(where, Post) else made(where), footer)
        return [hit.text for hit in matches[0].hits] if matches else None

    return finding


@pytest.fixture(scope="session")
def demo() -> list[Post]:
    """The posts of the recordings that ship with Vedette."""
    problems: list[Problem] = []
    posts = [revision.post for revision in read(sorted(DEMO.glob("*.jsonl")), problems.append)]
    assert posts
    assert not problems
    return posts


def made(text: str, *, links: Sequence[tuple[int, str]] = (), media: Sequence[Media] = ()) -> Post:
    """A post with this text; ``links`` are hidden ones: the UTF-16 unit on which each hangs, and its target."""
    return Post(
        channel=Channel(username="post_demo"),
        number=1,
        date=datetime(2024, 12, 8, 5, tzinfo=UTC),
        text=text,
        entities=tuple(Entity("text_url", unit, 1, url) for unit, url in links),
        media=tuple(media),
    )
