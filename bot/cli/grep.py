"""``vedette grep QUERY FILE…``: posts of recordings that match one query, hits highlighted."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.notes import tell_notes
from bot.model import Happening, Match, PartKind, Post, Problem, Revision
from bot.query.lexicon import Lexicon
from bot.query.matcher import Matcher, Topic
from bot.query.parser import parse
from bot.recording.reader import read
from bot.terminal import Progress, Style, as_typed, harmless, json_line, one_line, wants_colour
from bot.text.footers import Footers
from bot.text.morphology.languages import Morphology

#: Characters of a long line that are shown, and lines of a post.
WIDTH = 240
LINES = 4
#: Posts from which footers are learnt before the first of them is matched.
AHEAD = 1000


def grep(
    query: Annotated[str, typer.Argument(help="What to find; `vedette explain --help` lists the operators.")],
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE…", help="Recordings: JSON lines or Telegram's result.json, also .gz; - reads standard input."
        ),
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a post.")] = False,
    count: Annotated[bool, typer.Option("--count", help="Only how many posts match.")] = False,
    colour: Annotated[str, typer.Option("--colour", help="auto, always or never.")] = "auto",
) -> None:
    """Posts of recordings that match one query, in every word form, hits highlighted."""
    style = Style(colour=wants_colour(colour, sys.stdout))
    lexicon = Lexicon(Morphology())
    parsed = parse(as_typed(query))
    matcher = Matcher([Topic(name="grep", keywords=(parsed,))], lexicon)
    tell_notes(parsed, lexicon)
    run = _Run(files)
    matching = 0
    for revision, match in run.matches(matcher):
        matching += 1
        if count:
            continue
        shown = _as_json(revision, match) if as_json else _as_text(revision, match, style)
        run.progress.clear()
        sys.stdout.write(shown + "\n")
    run.progress.clear()
    if count:
        sys.stdout.write(f"{matching}\n")
    elif not as_json:
        sys.stderr.write(f"{matching:,} of {run.posts:,} posts match\n")
    if run.skipped:
        lines = "line was" if run.skipped == 1 else "lines were"
        sys.stderr.write(f"vedette: {run.skipped} {lines} skipped, see above\n")
        raise typer.Exit(1)


class _Run:
    """One pass over recordings: what was read, and what could not be."""

    def __init__(self, files: list[Path]) -> None:
        self._files = files
        self.posts = 0
        self.skipped = 0
        self.progress = Progress("posts")

    def matches(self, matcher: Matcher) -> Iterator[tuple[Revision, Match]]:
        """Each post that matches, once: as it was posted, or at the first edit that made it match.

        Footers are learnt some posts ahead, so that a channel's first ones are known for what they are.
        """
        footers = Footers()
        told: set[tuple[str, int]] = set()
        ahead: deque[Revision] = deque()
        for revision in read(self._files, self._report, self._advance):
            if revision.happening is Happening.POSTED:
                self.posts += 1
                footers.learn(revision.post.channel.name, revision.post.text)
            ahead.append(revision)
            if len(ahead) > AHEAD:
                yield from _new_matches(ahead.popleft(), matcher, footers, told)
        for revision in ahead:
            yield from _new_matches(revision, matcher, footers, told)

    def _report(self, problem: Problem) -> None:
        self.progress.clear()
        self.skipped += problem.kind == "skipped"
        sys.stderr.write(f"{harmless(str(problem))}\n")

    def _advance(self, done: int, total: int) -> None:
        self.progress.update(self.posts, done, total)


def _new_matches(
    revision: Revision, matcher: Matcher, footers: Footers, told: set[tuple[str, int]]
) -> Iterator[tuple[Revision, Match]]:
    post = revision.post
    if revision.happening is Happening.DELETED or not matcher.sees(post):
        return
    key = (post.channel.name, post.number)
    for match in matcher.match(post, footers.start(post.channel.name, post.text)) if key not in told else ():
        told.add(key)
        yield revision, match


def _as_json(revision: Revision, match: Match) -> str:
    post = revision.post
    found = {
        "channel": post.channel.name,
        "id": post.number,
        "date": post.date.isoformat(),
        "edit_date": post.edited.isoformat() if post.edited else None,
        "keywords": list(match.keywords),
        "hits": [hit.as_json() for hit in match.hits],
        "text": post.text,
        "url": post.link,
    }
    return json_line({key: value for key, value in found.items() if value is not None})


def _as_text(revision: Revision, match: Match, style: Style) -> str:
    post = revision.post
    edited = " · edited" if revision.happening is Happening.EDITED else ""
    head = style.head(one_line(post.channel.shown)) + f" · {post.date:%-d %b %Y %H:%M} UTC{edited}"
    link = style.dim(" · " + one_line(post.link)) if post.link else ""
    return "\n".join([head + link, *(f"  {line}" for line in _lines(post, match, style)), ""])


def _lines(post: Post, match: Match, style: Style) -> list[str]:
    """The lines of the post that hold hits, cut around them; then what hit elsewhere in it."""
    spans = [(hit.start, hit.end) for hit in match.hits if hit.kind is PartKind.TEXT]
    lines = []
    start = 0
    for line in post.text.split("\n"):
        end = start + len(line)
        here = [(max(a, start) - start, min(b, end) - start) for a, b in spans if a < end and b > start]
        if here:
            lines.append(_cut(line, here, style))
        start = end + 1
    for part in post.parts()[1:]:
        here = [(h.start, h.end) for h in match.hits if h.kind is part.kind and part.text[h.start : h.end] == h.text]
        if here:
            lines.append(f"{part.kind.value}: " + _cut(part.text.replace("\n", " "), here, style))
    more = len(lines) - LINES
    return [*lines[:LINES], style.dim(f"… and {more} more lines")] if more > 0 else lines


def _cut(line: str, spans: list[tuple[int, int]], style: Style) -> str:
    """A line of at most `WIDTH` characters or so, around its first hits."""
    if len(line) <= WIDTH:
        return style.highlight(line, spans)
    start = max(0, min(spans[0][0] - WIDTH // 3, len(line) - WIDTH))
    start = line.find(" ", start) + 1 if start else 0
    end = min(len(line), max(start + WIDTH, spans[0][1]))
    end = end if end == len(line) else max(line.rfind(" ", start, end), spans[0][1])
    inside = [(a - start, min(b, end) - start) for a, b in spans if a >= start and a < end]
    return ("… " if start else "") + style.highlight(line[start:end], inside) + (" …" if end < len(line) else "")
