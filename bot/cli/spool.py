"""Posts that are read backwards, kept in a file until they can be written in the order of their dates."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from types import TracebackType
from typing import NamedTuple, Self

from bot.model import Channel, Post
from bot.recording.jsonl import post_of
from bot.recording.writer import body


class _Page(NamedTuple):
    start: int
    posts: int


class Spool:
    """The posts of one channel. Pages come newest first, each in the order of its numbers."""

    def __init__(self, channel: Channel) -> None:
        self.posts = 0
        self._channel = channel
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this does
        self._pages: list[_Page] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def put(self, page: Sequence[Post]) -> None:
        """A page whose posts are all older than those of the pages before."""
        self._pages.append(_Page(self._file.tell(), len(page)))
        self._file.writelines(body(post).encode() + b"\n" for post in page)
        self.posts += len(page)

    def __iter__(self) -> Iterator[Post]:
        """All of them, the oldest first."""
        for page in reversed(self._pages):
            self._file.seek(page.start)
            for line in [self._file.readline() for _ in range(page.posts)]:
                yield post_of(line.decode(), self._channel)


def merged(spools: Iterable[Spool]) -> Iterator[Post]:
    """The posts of several channels in the order of their dates."""
    yield from heapq.merge(*spools, key=_date)


_date: attrgetter[datetime] = attrgetter("date")
