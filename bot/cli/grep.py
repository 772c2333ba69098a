"""``vedette grep QUERY FILE…``: posts of recordings that match one query, hits highlighted."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from bot.cli.notes import tell_notes
from bot.cli.reading import Files, Reading
from bot.model import Happening, Match, PartKind, Post, Revision
from bot.query.lexicon import Lexicon
from bot.query.matcher import Matcher, Topic
from bot.query.parser import parse
from bot.terminal import Style, as_typed, json_line, one_line, wants_colour
from bot.text.footers import Footers
from bot.text.morphology.languages import Morphology

#: Characters of a long line that are shown, and lines of a post.
WIDTH = 240
LINES = 4


def grep(
    query: Annotated[str, typer.Argument(help="What to find; `vedette explain --help` lists the operators.")],
    files: Files,
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
    reading = Reading(files)
    matching = 0
    for revision, match in _matches(reading, matcher):
        matching += 1
        if count:
            continue
        shown = _as_json(revision, match) if as_json else _as_text(revision, match, style)
        reading.clear()
        sys.stdout.write(shown + "\n")
    reading.clear()
    if count:
        sys.stdout.write(f"{matching}\n")
    elif not as_json:
        sys.stderr.write(f"{matching:,} of {reading.posts:,} posts match\n")
    reading.finish()


def _matches(reading: Reading, matcher: Matcher) -> Iterator[tuple[Revision, Match]]:
    """Each post that matches, once: as it was posted, or at the first edit that made it match."""
    told: set[tuple[str, int]] = set()
    for revision in reading.revisions():
        yield from _new_matches(revision, matcher, reading.footers, told)


def _new_matches(
    revision: Revision, matcher: Matcher, footers: Footers, told: set[tuple[str, int]]
) -> Iterator[tuple[Revision, Match]]:
    post = revision.post
    if revision.happening is Happening.DELETED or not matcher.sees(post):
        return
    key = (post.channel.name, post.number)
    for match in matcher.match(post, footers.start(post.channel.key, post.text)) if key not in told else ():
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
