"""Text and entities that Telegram takes as they are: nothing from outside can break the format or ping anyone.

Everything that is shown passes `message`. It replaces what could mirror or steer a line, puts a word joiner
behind every sign that would make a live mention, command or `tg:` link, trims, and only then counts UTF-16
units, so that no entity can point beside its text. It looks at the whole text, for an `@` at the end of one
piece and a name in the next would be a mention too.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bot.model import Entity
from bot.text.tokens import Utf16

#: What one message holds. https://limits.tginfo.me and https://core.telegram.org/api/entities
MOST_UNITS = 4096
MOST_ENTITIES = 100

JOINER = "\u2060"
_JOINED = "\u200d"
#: One for one, so that hits stay where they are. The joiner is as invisible as the bidirectional controls it replaces.
_REPLACED = {
    **dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)), "\ufffd"),
    **dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), JOINER),
    **dict.fromkeys((0x0A, 0x0B, 0x0C, 0x85, 0x2028, 0x2029), "\n"),
    **dict.fromkeys((0x09, 0x0D), " "),
}
_UNSAFE = re.compile("[" + "".join(re.escape(chr(point)) for point in _REPLACED if point != 0x0A) + "]")
#: Where marks may be heaped on a letter, marks being no word characters. Four that take no room of their own are as
#: many as living scripts need on one.
_HEAP = re.compile(r"[^\w\s\x00-\x7f]{5,}")
_MOST_MARKS = 4
#: Between the blocks of a message.
_BETWEEN = "\n\n"
#: Every @; a slash that begins a word, but for those of a URL; the colon of a link into Telegram itself.
_LIVE = re.compile(
    r"[@\uff20](?!\u2060)|(?<![0-9a-z_\u0400-\u045f])(?<!tp:/)(?<!ps:/)/(?=[^\s/\u2060])|(?:tg|ton|tonsite):(?=//)",
    re.IGNORECASE,
)
_BLANK = r"[\s\u200b\u2060\ufeff]"
_BLANKS = re.compile(rf"{_BLANK}{{2,}}|\A{_BLANK}|{_BLANK}\Z")
_BREAKS = re.compile(rf"{_BLANKS.pattern}|\n")
_ADDRESS = re.compile(r"https?://[^\s\x00-\x20\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]{1,2000}", re.IGNORECASE)


class Piece(NamedTuple):
    """Some text in one style: ``type`` as in `bot.model.Entity`, None for plain text."""

    text: str
    type: str | None = None
    url: str | None = None


#: What a line is made of.
Line = Sequence[Piece | str]


def bold(text: str) -> Piece:
    return Piece(text, "bold")


def link(text: str, url: str | None) -> Piece:
    """Text that leads to a web page; plain text when the address is none, `tg:` links being mentions in disguise."""
    return Piece(text, "text_url", url) if url and _ADDRESS.fullmatch(url) else Piece(text)


@dataclass(frozen=True, slots=True)
class Message:
    """A text without lone surrogates, and its entities in order, in UTF-16 units; none is empty or overlaps."""

    text: str
    entities: tuple[Entity, ...] = ()

    @property
    def units(self) -> int:
        return len(self.text.encode("utf-16-le")) // 2

    def fits(self) -> bool:
        """Whether Telegram takes it as one message."""
        return len(self.entities) <= MOST_ENTITIES and self.units <= MOST_UNITS


def message(*pieces: Piece | str) -> Message:
    """The pieces in a row, made safe. Any strings will do."""
    text, spans = "", []
    for piece in pieces:
        words, kind, url = (piece, None, None) if isinstance(piece, str) else piece
        if kind and words:
            spans.append((len(text), len(text) + len(words), kind, url))
        text += words
    return _made(clean(text), spans)


def lines(rows: Iterable[Line]) -> Message:
    """The rows under each other; one with nothing in it is left out."""
    kept = [row for row in rows if any(each if isinstance(each, str) else each.text for each in row)]
    return message(*(piece for row in kept for piece in (*row, "\n")))


def joined(messages: Iterable[Message], between: str = _BETWEEN) -> Message:
    """Messages as one, those without text left out."""
    texts: list[str] = []
    entities: list[Entity] = []
    units = 0
    for each in messages:
        if each.text:
            units += len(between) if texts else 0
            entities += [Entity(kind, offset + units, length, url) for kind, offset, length, url in each.entities]
            texts.append(each.text)
            units += each.units
    return Message(between.join(texts), tuple(entities))


def split(blocks: Iterable[Message]) -> list[Message]:
    """The blocks packed into as few messages as their order allows, an empty line between them.

    No block is cut unless it does not fit into a message alone.
    """
    packs: list[list[Message]] = []
    units = entities = 0
    for part in (part for block in blocks for part in _parts(block)):
        units += len(_BETWEEN) + part.units
        entities += len(part.entities)
        if packs and units <= MOST_UNITS and entities <= MOST_ENTITIES:
            packs[-1].append(part)
        else:
            packs.append([part])
            units, entities = part.units, len(part.entities)
    return [joined(pack) for pack in packs]


def _parts(block: Message) -> Iterator[Message]:
    """A block that is too large, cut at a line, a word, or wherever no character is harmed."""
    while not block.fits():
        utf16 = Utf16(block.text)
        end = utf16.point(min(block.units, MOST_UNITS))
        if len(block.entities) > MOST_ENTITIES:
            end = min(end, utf16.point(block.entities[MOST_ENTITIES].offset))
        cut = max(block.text.rfind("\n", end // 2, end), 0) or max(block.text.rfind(" ", end // 2, end), 0)
        cut = cut or boundary(block.text, end)
        spans = [(utf16.point(e.offset), utf16.point(e.offset + e.length), e.type, e.url) for e in block.entities]
        head = _made(block.text[:cut], [(a, min(b, cut), kind, url) for a, b, kind, url in spans])
        rest = [(a - cut, b - cut, kind, url) for a, b, kind, url in spans]
        if head.text:
            yield head
        block = _made(block.text[cut:], rest)
    if block.text:
        yield block


def _made(clean_text: str, spans: Iterable[tuple[int, int, str, str | None]]) -> Message:
    """A guarded text without blanks around it, and spans of code points as entities, likewise."""
    guarded = guard(clean_text)
    lead = len(guarded.text) - len(guarded.text.lstrip())
    text = guarded.text.strip()
    utf16 = Utf16(text)
    entities = []
    for a, b, kind, url in spans:
        start, end = max(guarded.point(a) - lead, 0), max(guarded.point(b) - lead, 0)
        inside = text[start:end]
        end = start + len(inside.rstrip())
        start += len(inside) - len(inside.lstrip())
        if start < end:
            offset = utf16.units(start)
            entities.append(Entity(kind, offset, utf16.units(end) - offset, url))
    return Message(text, tuple(entities))


# --- text made safe ---------------------------------------------------------------------------------------


def clean(text: str) -> str:
    """The text with every character replaced, one for one, that is none, or steers, mirrors or buries what is near."""
    return _HEAP.sub(_levelled, _UNSAFE.sub(_replaced, text))


def _replaced(found: re.Match[str]) -> str:
    return _REPLACED[ord(found[0])]


def _levelled(found: re.Match[str]) -> str:
    """Joiners for the marks that are too many on their letter; what is as invisible as these parts no mark from it."""
    levelled, marks = "", 0
    for each in found[0]:
        category = unicodedata.category(each)
        mark = category in ("Mn", "Me")
        marks = marks + mark if mark or category == "Cf" else 0
        levelled += JOINER if mark and marks > _MOST_MARKS else each
    return levelled


def one_line(text: str, limit: int) -> str:
    """The text safe, on one line, and cut to so many code points; "" when there is nothing to be seen in it."""
    flat = guard(tidy(text, flat=True).text).text
    if len(flat) > limit:
        # A sign at the cut would be given its joiner again, one beyond the limit.
        flat = flat[: boundary(flat, limit - 1)].rstrip("@\uff20/: ") + "…"
    return flat if any(unicodedata.category(each)[0] in "LNPS" for each in flat) else ""


def tidy(text: str, *, flat: bool) -> Rewritten:
    """The text safe and without needless blanks: at most one empty line in a row, or, ``flat``, no line breaks."""
    return Rewritten(clean(text), _BREAKS, _flat) if flat else Rewritten(clean(text), _BLANKS, _spaced)


def guard(text: str) -> Rewritten:
    """A clean text in which nothing becomes a live mention, command or link into Telegram."""
    return Rewritten(text, _LIVE, _joined)


def boundary(text: str, point: int) -> int:
    """The nearest place at or before ``point`` where a cut takes no emoji or letter apart (if it is near)."""
    at = point
    for _ in range(32):
        if not 0 < at < len(text):
            return at
        before, after = text[at - 1], text[at]
        if _JOINED in (before, after) or _hangs(after) or (_is_flag(after) and _flags_before(text, at) % 2):
            at -= 1
        else:
            return at
    return point


def _hangs(character: str) -> bool:
    """Whether it belongs to the character before it: an accent, a variation, a skin colour, a tag."""
    skin, tag = "\U0001f3fb" <= character <= "\U0001f3ff", "\U000e0020" <= character <= "\U000e007f"
    return skin or tag or unicodedata.category(character)[0] == "M" or character == JOINER


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flags_before(text: str, at: int) -> int:
    """How many halves of flags stand right before this point; only a few are looked at."""
    before = text[max(at - 32, 0) : at]
    return len(before) - len(before.rstrip("".join(map(chr, range(0x1F1E6, 0x1F200)))))


def _joined(found: re.Match[str]) -> str:
    return found[0] + JOINER


def _flat(found: re.Match[str]) -> str:
    run = found[0]
    if found.start() == 0 or found.end() == len(found.string):
        return ""
    return " " if any(each.isspace() for each in run) else run[0]


def _spaced(found: re.Match[str]) -> str:
    breaks = found[0].count("\n")
    return "\n" * min(breaks, 2) if breaks and _flat(found) else _flat(found)


class Rewritten:
    """A text in which some stretches were replaced, and where the points of the old one went."""

    __slots__ = ("_edits", "_starts", "text")

    def __init__(self, text: str, pattern: re.Pattern[str], replace: Callable[[re.Match[str]], str]) -> None:
        """``pattern`` must not match an empty stretch."""
        pieces: list[str] = []
        self._edits: list[tuple[int, int]] = []  # ends of the old and the new stretch
        self._starts: list[int] = []
        done = length = 0
        for found in pattern.finditer(text):
            new = replace(found)
            length += found.start() - done
            pieces += [text[done : found.start()], new]
            self._starts.append(found.start())
            done, length = found.end(), length + len(new)
            self._edits.append((done, length))
        self.text = "".join([*pieces, text[done:]])

    def point(self, old: int) -> int:
        """Where a point of the old text went: behind a replaced stretch, if it lay inside of it."""
        number = bisect_left(self._starts, old) - 1
        if number < 0:
            return old
        end, new = self._edits[number]
        return new + max(old - end, 0)
