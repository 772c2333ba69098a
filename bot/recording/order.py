"""Gives each line of a file its moment, so that files can be merged by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from bot.model import Post, Problem

_EVER = datetime.min.replace(tzinfo=UTC)
_SAID_ONE_BY_ONE = 5


class Late:
    """Tells of the lines of one file that are out of order: the first few each, then how many there were."""

    def __init__(self, name: str, report: Callable[[Problem], None]) -> None:
        self._name = name
        self._report = report
        self._count = 0

    def line(self, where: str) -> None:
        """A line was taken although a later one stood before it."""
        self._count += 1
        if self._count <= _SAID_ONE_BY_ONE:
            self._report(Problem("warning", where, "out of order by date, taken where it stands"))
        elif self._count == _SAID_ONE_BY_ONE + 1:
            more = "out of order by date too, like more lines that follow; they are counted at the end of the file"
            self._report(Problem("warning", where, more))

    def end(self) -> None:
        """The file ends."""
        if self._count > _SAID_ONE_BY_ONE:
            why = f"{self._count} lines were out of order by date and were taken where they stand"
            self._report(Problem("warning", self._name, why))


class Line(NamedTuple):
    """A post as one line has it.

    ``moment`` never goes back within a file; ``before`` is that of the line before. ``late`` is told when
    what the line turns out to say is older than that.
    """

    moment: datetime
    before: datetime
    post: Post
    where: str
    late: Late


def in_order(posts: Iterable[tuple[str, Post]], late: Late) -> Iterator[Line]:
    """The lines of one file with their moments.

    A line stands for a post, an edit or a deletion, and whether the post was seen before only the merged
    files can tell. Its moment is the first of these three dates that does not go back.
    """
    newest = _EVER
    for where, post in posts:
        before = newest
        if post.date >= before:
            newest = post.date
        elif post.edited is not None or post.deleted is not None:
            changes = (post.edited or _EVER, post.deleted or _EVER)
            newest = min((change for change in changes if change >= before), default=before)
        yield Line(newest, before, post, where, late)
    late.end()
