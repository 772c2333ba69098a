"""Reads recordings: from files to what happened to each post, in the order in which it happened."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from operator import itemgetter
from pathlib import Path

from bot.errors import RecordingError
from bot.model import Post, Problem, Revision
from bot.recording import desktop, jsonl
from bot.recording.albums import Albums
from bot.recording.fields import Unfit
from bot.recording.formats import Format, recognise
from bot.recording.history import History, Names
from bot.recording.order import Late, Line, in_order
from bot.recording.source import BrokenOff, Meter, Source, opened, size


def read(
    paths: Sequence[Path],
    report: Callable[[Problem], None],
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Revision]:
    """What happened to the posts of some recordings, merged by date; at equal moments the file given first leads.

    Files are JSON lines or Telegram Desktop's export of a chat, plain or gzip; ``-`` is standard input. They
    are read as a stream, in memory that does not grow with them. What is skipped or doubtful is reported and
    never an exception. ``progress`` is told the bytes read so far and in all (0 when that is unknown) about
    every 1,000 lines and at the end.

    A post that several lines or files hold is told once. Raises RecordingError for a file that is missing or
    is none, at the call; for one that is not a recording of a chat, before the first revision.
    """
    sizes = [size(path) for path in paths]
    if sum(str(path) == "-" for path in paths) > 1:
        raise RecordingError("Standard input can be read only once; give - a single time.")
    total = sum(known for known in sizes if known is not None) if None not in sizes else 0
    return _revisions(paths, report, Meter(total, progress))


def _revisions(paths: Sequence[Path], report: Callable[[Problem], None], meter: Meter) -> Iterator[Revision]:
    history, albums = History(Names()), Albums()
    with ExitStack() as files:
        sources = [files.enter_context(opened(path, meter)) for path in paths]
        lines = [_lines(source, _format(source), report) for source in sources]
        for line in heapq.merge(*lines, key=itemgetter(0)):
            for event in history.take(line):
                yield from albums.take(event)
        for event in history.finish():
            yield from albums.take(event)
        yield from albums.finish()
    meter.tell()


def _format(source: Source) -> Format:
    """What a source holds. Raises RecordingError for an export that is not of one chat."""
    whole = False
    while (found := recognise(source.head, whole=whole)) is None:
        whole = not source.more()
    if found is Format.ACCOUNT:
        raise RecordingError(
            f"{source.name} is an export of a whole account; in Telegram Desktop open the channel and export "
            "a single chat (⋮, Export chat history, format JSON)."
        )
    return found


def _lines(source: Source, kind: Format, report: Callable[[Problem], None]) -> Iterator[Line]:
    posts = _posts(source, report) if kind is Format.LINES else desktop.with_albums(desktop.posts(source, report))
    return in_order(posts, Late(source.name, report))


def _posts(source: Source, report: Callable[[Problem], None]) -> Iterator[tuple[str, Post]]:
    """The posts of JSON lines, each with where it stands. What cannot be read is reported."""
    number = 0
    where = f"{source.name}:1"
    try:
        for number, raw in enumerate(source.lines(), 1):
            source.meter.line()
            where = f"{source.name}:{number}"
            if raw is not None and (not raw or raw.isspace()):
                continue
            try:
                post = jsonl.parse(raw)
            except Unfit as unfit:
                report(Problem("skipped", where, str(unfit)))
            else:
                yield where, post
    except BrokenOff as broken:
        where = f"{source.name}:{number + 1}"
        # The last line may be whole and lack no more than its newline.
        with suppress(Unfit):
            yield where, jsonl.parse(broken.rest)
        report(Problem("skipped", where, str(broken)))
