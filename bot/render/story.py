"""The lines a post and its story are told in, the same in every form: who and when, what was said, what hangs on it.

Each takes a room in code points and keeps within it, whatever a title, a name or a file is called.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import NamedTuple

from bot.model import PREVIEWS, Carrier, DigestStory, Hit, Media, PartKind, Post
from bot.render.excerpt import Span, excerpt
from bot.render.richtext import Line, Message, Piece, Rewritten, bold, joined, lines, link, message, one_line
from bot.render.times import Times
from bot.render.words import counted, listed

#: How long a channel's name and an address may be.
_NAME = 60
_ADDRESS = 64
_MEDIA = 100
_PART = 100
_MOST_PARTS = 3
_PART_HITS = 5
#: Room for where else a story among others ran, and how many of these are named.
_ALSO, CARRIERS = 400, 8
#: Up to so many code points only one part but the text is shown.
_COMPACT = 400

_LABELS = {
    PartKind.TEXT: "Text",
    PartKind.LINK: "Link",
    PartKind.POLL: "Poll",
    PartKind.FILE: "File",
    PartKind.MEDIA: "Media",
    PartKind.PREVIEW: "Preview",
}
_KINDS = {
    "photo": ("photo", "photos"),
    "video": ("video", "videos"),
    "video_note": ("video message", "video messages"),
    "animation": ("GIF", "GIFs"),
    "gif": ("GIF", "GIFs"),
    "audio": ("audio", "audios"),
    "voice": ("voice message", "voice messages"),
    "document": ("file", "files"),
    "poll": ("poll", "polls"),
    "sticker": ("sticker", "stickers"),
    "location": ("location", "locations"),
    "contact": ("contact", "contacts"),
}
_OTHER = ("attachment", "attachments")
#: Between a poll's question and its answers.
_ANSWERS = re.compile(r"(?<=\S)\s*\n\s*")
#: An origin that is none of these is told by its title or its number.
_USERNAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,31}")


class Extra(NamedTuple):
    """A part but the text that is shown on a line of its own, and where its hits stand."""

    kind: PartKind
    text: str
    spans: list[Span]


class Flags(NamedTuple):
    """What became of a post since it was first told."""

    edited: bool = False
    deleted: bool = False

    def words(self) -> list[str]:
        return ["edited"] * self.edited + ["deleted"] * self.deleted


def topics_line(topics: Sequence[str], flags: Flags, *, urgent: bool, room: int = 100) -> Piece:
    """🚨 Urgent · Syria, Bases · edited."""
    mark = ["🚨 Urgent"] if urgent else []
    return bold(" · ".join([*mark, listed(topics, room, longest=50) or "Alert", *flags.words()]))


def who_line(post: Post, when: str, *words: str) -> str:
    """Rybar · 8 Dec 2024, 09:14 · forwarded from Two Majors."""
    parts = [channel(post), when]
    if post.origin is not None:
        source = post.origin.channel or ""
        source = f"@{source}" if _USERNAME.fullmatch(source) else source
        origin = one_line(post.origin.name or "", _NAME) or one_line(source, _NAME)
        # A number is all that is known of some origins; nobody knows a channel by it.
        known = origin and not origin.lstrip("-").isdecimal()
        parts.append(f"forwarded from {origin}" if known else "forwarded")
    return " · ".join([*parts, *words])


def channel(post: Post) -> str:
    return one_line(post.channel.shown, _NAME) or one_line(post.channel.name, _NAME) or "a channel"


def extras(post: Post, hits: Sequence[Hit], limit: int) -> list[Extra]:
    """What is shown besides the text in so many code points: parts that were hit, or any where the text says nothing.

    A post of nothing but a footer says nothing, nor do the links that hang on one.
    """
    most = _MOST_PARTS if limit > _COMPACT else 1
    found = list(islice(_hit(post, hits), most))
    if not found and not post.body.strip():
        others = (part for part in post.parts()[1:] if part.kind is not PartKind.LINK and part.text.strip())
        found = [Extra(part.kind, part.text, []) for part in islice(others, most)]
    return found


def said(post: Post, hits: Sequence[Hit], shown: Sequence[Extra], limit: int, *, flat: bool) -> Message:
    """What was said, in at most ``limit`` code points (160 or more): the text, its footer only for want of more."""
    rows = lines([f"{_LABELS[extra.kind]}: ", *_extra(extra)] for extra in shown)
    room = limit - len(rows.text) - 2 if rows.text else limit
    text = post.body if post.body.strip() or rows.text else post.text
    spans = [(hit.start, hit.end) for hit in hits if hit.kind is PartKind.TEXT and _stands(hit, text)]
    return joined([message(*excerpt(text, spans, room, flat=flat)), rows], "\n" if flat else "\n\n")


def _extra(extra: Extra) -> list[Piece]:
    text, spans = extra.text, extra.spans
    if extra.kind is PartKind.POLL:
        poll = Rewritten(text.rstrip(), _ANSWERS, lambda _: " · ")
        text, spans = poll.text, [(poll.point(a), poll.point(b)) for a, b in spans]
    return excerpt(text, spans, _PART - 10, flat=True, most=_PART_HITS)


def _hit(post: Post, hits: Sequence[Hit]) -> Iterator[Extra]:
    """The parts but the text that hold hits, each with them; a hit goes to the first part that it can be of."""
    others = [hit for hit in hits if hit.kind is not PartKind.TEXT]
    if not others:
        return
    for part in post.parts()[1:]:
        mine = [hit for hit in others if hit.kind is part.kind and _stands(hit, part.text)]
        if mine:
            others = [hit for hit in others if hit not in mine]
            yield Extra(part.kind, part.text, [(hit.start, hit.end) for hit in mine])


def _stands(hit: Hit, text: str) -> bool:
    return 0 <= hit.start < hit.end and text[hit.start : hit.end] == hit.text


def media(post: Post, shown: Sequence[Extra]) -> str:
    """2 photos, video, file report.pdf; "" when nothing hangs on it but files and polls that are shown already."""
    told: list[tuple[PartKind, str | None]] = [(extra.kind, extra.text) for extra in shown]
    kinds: dict[tuple[str, str], list[Media]] = {}
    for each in post.media:
        names = ((PartKind.FILE, each.file_name), (PartKind.POLL, each.text), (PartKind.POLL, each.title))
        if mine := [name for name in names if name in told]:
            told.remove(mine[0])
        elif each.kind not in PREVIEWS:
            kinds.setdefault(_KINDS.get(each.kind, _OTHER), []).append(each)
    return one_line(", ".join(_medium(*kind, found) for kind, found in kinds.items()), _MEDIA)


def _medium(one: str, many: str, found: Sequence[Media]) -> str:
    if len(found) > 1:
        return counted(len(found), one, many)
    name = one_line(found[0].file_name or "", 48)
    return f"{one} {name}" if name else one


def address(post: Post) -> Line:
    """t.me/name/123, leading there; nothing when the post has no address."""
    where = post.link or ""
    shown = one_line(where.removeprefix("https://").removeprefix("http://"), _ADDRESS)
    return [link(shown, f"https://{where}" if where.startswith("t.me/") else where)] if shown else []


def also_in(carriers: Sequence[Carrier], times: Times, room: int, most: int) -> Line:
    """Also in: Starshe Eddy 09:20, 10:05 (deleted), Two Majors 09:31 and 9 more; nothing without room for a count.

    The first ``most`` are named, those of one channel next to each other.
    """
    pieces: list[Piece | str] = []
    used = len("Also in: ")
    for at, (named, when) in enumerate(_carried(carriers[:most], times)):
        rest = len(carriers) - at - 1
        used += len(f"{named.text}{when}, ")
        if used + (len(_more(rest)) if rest else 0) > room:
            break
        pieces += [", " if at else "Also in: ", named, when]
    shown = len(pieces) // 3
    if shown == len(carriers):
        return pieces
    if shown:
        return [*pieces, _more(len(carriers) - shown)]
    count = f"Also in {counted(len(carriers), 'other post', 'other posts')}"
    return [count] if len(count) <= room else []


def _carried(carriers: Sequence[Carrier], times: Times) -> Iterator[tuple[Piece, str]]:
    """What leads to each, and what stands behind it: a channel's name and the time, then only times of that channel."""
    channels: dict[str, list[Carrier]] = {}
    for carrier in carriers:
        channels.setdefault(one_line(carrier.channel, 40) or "a channel", []).append(carrier)
    for name, posts in channels.items():
        yield link(name, posts[0].link), f" {times.near(posts[0].date)}{_gone(posts[0])}"
        for before, carrier in pairwise(posts):
            yield link(Times(times.zone, before.date, before.date).near(carrier.date), carrier.link), _gone(carrier)


def _gone(carrier: Carrier) -> str:
    return " (deleted)" if carrier.deleted else ""


def _more(number: int) -> str:
    return f" and {number:,} more"


def compact(heading: Line, story: DigestStory, times: Times, limit: int, *, named: int = CARRIERS) -> Message:
    """A story among others: its heading lines, then at most ``limit`` code points of it on as few lines as can be.

    ``named``: of so many posts it is told where else it ran; without any they are counted.
    """
    post, shown = story.post, extras(story.post, story.hits, limit)
    foot: list[Piece | str] = [*address(post)]
    if hung := media(post, shown):
        foot += [" · ", hung] if foot else [hung]
    also = also_in(story.also, times, _ALSO, named)
    return joined([message(*heading), said(post, story.hits, shown, limit, flat=True), lines([also, foot])], "\n")
