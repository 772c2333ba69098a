"""What of a text is shown around its hits: the one or few windows that show the most different ones.

Posts of war bloggers are long (half of them over 1,700 characters) and say what they are about anywhere. So a
window goes where the hits are, begins with a sentence if one begins near, and ends with one.
All is one pass over the text and its hits, and one more for each window.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from bot.render.richtext import Piece, bold, boundary, guard, tidy

#: How many hits are shown, so that an alert keeps within Telegram's number of entities.
MOST_HITS = 50
_BETWEEN = " … "
#: Kept free in each window: ellipses, and joiners that a sign at a cut may need.
_AROUND = 6
_WINDOWS = 3
_SHORTEST = 80

#: The sign between the answers of a poll ends no window and begins none.
_SENTENCE = re.compile(r"\n|[.!?…]\s+(?:·\s+)?")
_WORD = re.compile(r"\s+(?:·\s+)?")

Span = tuple[int, int]


def excerpt(text: str, hits: Sequence[Span], limit: int, *, flat: bool = False, most: int = MOST_HITS) -> list[Piece]:
    """At most ``limit`` code points (20 or more) of a text; all of it if it fits.

    ``hits`` are code point spans in any order; each that is shown, at most ``most`` of them, is bold. Of a text
    without hits it is the beginning. ``flat`` makes it one paragraph.
    """
    text, spans = _prepared(text, hits, flat=flat)
    whole = len(text) <= limit and len(spans) <= most
    windows = [(0, len(text))] if whole else _few(text, _windows(text, spans, limit), spans, most)
    pieces: list[Piece] = []
    for at, (start, end) in enumerate(windows):
        if at or start:
            pieces.append(Piece(_BETWEEN if at else "…"))
        pieces += _marked(text, start, end, spans)
    if windows and windows[-1][1] < len(text):
        pieces.append(Piece(" …" if text[windows[-1][1] - 1] in ".!?…" else "…"))
    return pieces


def _prepared(text: str, hits: Sequence[Span], *, flat: bool) -> tuple[str, list[Span]]:
    """The text as it is shown, and where its hits went, in order; those that overlap or touch as one."""
    tidied = tidy(text, flat=flat)
    guarded = guard(tidied.text)
    spans: list[Span] = []
    for a, b in sorted(hits):
        start, end = guarded.point(tidied.point(a)), min(guarded.point(tidied.point(b)), len(guarded.text))
        if spans and start <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], end)
        elif 0 <= start < end:
            spans.append((start, end))
    return guarded.text, spans


def _marked(text: str, start: int, end: int, spans: Sequence[Span]) -> Iterator[Piece]:
    done = start
    for a, b in spans[bisect_left(spans, (start, 0)) :]:
        if a >= end:
            break
        yield Piece(text[done:a])
        done = min(b, end)
        yield bold(text[a:done])
    yield Piece(text[done:end])


# --- where the windows are --------------------------------------------------------------------------------


def _windows(text: str, spans: Sequence[Span], limit: int) -> list[Span]:
    """Stretches to be shown, in order and apart from each other."""
    if not spans:
        return [_placed(text, (0, 0), max(limit - _AROUND, 1), spans)]
    keys = [text[a:b].casefold() for a, b in spans]
    best: list[Span] = []
    most = room = 0
    for count in range(1, _WINDOWS + 1):
        size = limit // count - _AROUND
        if count > 1 and size < _SHORTEST:
            break
        cores, shown = _densest(spans, keys, max(size, 1), count)
        if shown > most:
            best, most, room = cores, shown, max(size, 1)
    windows: list[Span] = []
    for core in sorted(best):
        start, end = _placed(text, core, room, spans)
        if windows and start <= windows[-1][1] + len(_BETWEEN):
            start, end = windows.pop()[0], max(end, start)
        windows.append((start, end))
    return windows


def _densest(spans: Sequence[Span], keys: Sequence[str], room: int, count: int) -> tuple[list[Span], int]:
    """From the first to the last hit of each of the best windows, and how many different hits they show."""
    cores: list[Span] = []
    shown: set[str] = set()
    for _ in range(count):
        first, last, new = _best(spans, keys, room, shown)
        if not new:
            break
        cores.append((spans[first][0], spans[last][1]))
        shown.update(keys[first : last + 1])
    return cores, len(shown)


def _best(spans: Sequence[Span], keys: Sequence[str], room: int, shown: set[str]) -> tuple[int, int, int]:
    """The window of hits (first, last) with the most different ones that are not shown yet, and their number."""
    counts: dict[str, int] = {}
    first, best = 0, (0, 0, 0)
    for last, (_, end) in enumerate(spans):
        if keys[last] not in shown:
            counts[keys[last]] = counts.get(keys[last], 0) + 1
        while first < last and end - spans[first][0] > room:
            if counts.get(keys[first], 0) > 1:
                counts[keys[first]] -= 1
            else:
                counts.pop(keys[first], None)
            first += 1
        if len(counts) > best[2]:
            best = first, last, len(counts)
    return best


def _placed(text: str, core: Span, room: int, spans: Sequence[Span]) -> Span:
    """A window of at most ``room`` code points that holds the core, or as much of it as there is room for."""
    first, last = core
    spare = room - (last - first)
    if spare <= 0:
        return first, first + len(text[first : max(boundary(text, first + room), first + 1)].rstrip())
    before = first if first <= spare * 3 // 4 else spare // 2
    before = min(first, max(before, spare - (len(text) - last)))
    start = _opening(text, first - before, first, spans)
    end = _closing(text, last, min(len(text), start + room), spans)
    return start, end


def _opening(text: str, start: int, first: int, spans: Sequence[Span]) -> int:
    """The first sentence, else the first word, that begins after ``start`` and before the core."""
    if start == 0:
        return 0
    found = _SENTENCE.search(text, start - 1, first) or _WORD.search(text, start - 1, first)
    if found:
        start = found.end()
    else:
        while start < first and boundary(text, start) != start:
            start += 1
    at = bisect_left(spans, (start, 0)) - 1
    start = max(start, spans[at][1]) if at >= 0 else start
    return first - len(text[start:first].lstrip())


def _closing(text: str, last: int, end: int, spans: Sequence[Span]) -> int:
    """The last sentence, if it does not end too early, else the last word that ends before ``end``."""
    if end < len(text):
        sentence = max((found.start() + 1 for found in _SENTENCE.finditer(text, last, end + 1)), default=last)
        blank = max((found.start() for found in _WORD.finditer(text, last, end + 1)), default=last)
        if sentence - last > (end - last) * 3 // 5:
            end = sentence
        else:
            end = blank if blank > last else max(boundary(text, end), last)
        at = bisect_right(spans, (end, 0)) - 1
        if at >= 0 and spans[at][0] < end < spans[at][1]:
            end = max(spans[at][0], last)
    return last + len(text[last:end].rstrip())


def _few(text: str, windows: Sequence[Span], spans: Sequence[Span], left: int) -> list[Span]:
    """The windows up to the last hit that may be shown."""
    kept: list[Span] = []
    for start, end in windows:
        inside = spans[bisect_left(spans, (start, 0)) : bisect_left(spans, (end, 0))]
        if len(inside) > left:
            shown = text[start : inside[left][0]].rstrip()
            return [*kept, (start, start + len(shown))] if shown else kept
        left -= len(inside)
        kept.append((start, end))
    return kept
