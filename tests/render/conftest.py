"""What the tests of messages share: posts that mention things, and messages as they should be."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.model import Alert, Carrier, Channel, Destination, Hit, Me, Part, Post
from bot.render.richtext import Message
from tests.render.soundness import check, written

LONDON = ZoneInfo("Europe/London")
KYIV = ZoneInfo("Europe/Kyiv")
ME = Destination(Me())
GOLDEN = Path(__file__).parent / "golden"

STAFF = """Где в Сирии стоят наши. Напоминаю, пока не началось «а что мы там забыли»:

— авиабаза Хмеймим, провинция Латакия: полоса, С-400, жилой городок;
— Тартус: пункт обеспечения флота, два причала.



Всё остальное, что вам рисуют на картах, — фантазии. Связь: @svyaz_demo"""


def utc(day: int, hour: int, minute: int = 0, *, month: int = 12, year: int = 2024) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def posted(text: str = "Взрывы в Сирии", *, title: str | None = "Седьмая застава", **fields: Any) -> Post:
    channel = Channel(username="zastava_demo", title=title)
    return Post(**{"channel": channel, "number": 17, "date": utc(8, 9, 14), "text": text, **fields})


def hits(post: Post, *words: str) -> tuple[Hit, ...]:
    """Every place of these words in the post, whatever its part."""
    return tuple(
        Hit(part.kind, found.start(), found.end(), found[0])
        for part in dict.fromkeys(Part(part.kind, part.text) for part in post.parts())
        for found in re.finditer("|".join(map(re.escape, words)) or "(?!)", part.text)
    )


def alerted(post: Post, *words: str, topics: Sequence[str] = ("Syria",), also: Sequence[Carrier] = ()) -> Alert:
    return Alert(
        destination=ME, story=post.id, topics=tuple(topics), post=post, hits=hits(post, *words), also=tuple(also)
    )


@pytest.fixture
def golden() -> Callable[..., None]:
    """Holds messages to a golden file; VEDETTE_GOLDEN=write renews it, to be read before it is committed."""

    def compare(name: str, *messages: Message) -> None:
        for message in messages:
            check(message)
        text = "=====\n".join(map(written, messages))
        path = GOLDEN / f"{name}.txt"
        if os.environ.get("VEDETTE_GOLDEN") == "write":
            path.write_text(text, "utf-8")
        assert text == path.read_text("utf-8")

    return compare
