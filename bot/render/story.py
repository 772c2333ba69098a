"""The lines a post and its story are told in, the same in every form: who and when, what was said, what hangs on it.

Each takes a room in code points and keeps within it, whatever a title, a name or a file is called.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from bot.model import Carrier, DigestStory, Hit, Media, PartKind, Post
from bot.render.excerpt import Span, excerpt
from bot.render.richtext import Line, Message, Piece, bold, joined, lines, link, message, one_line
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
_ALSO, _CARRIERS = 400, 8
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
#: Not something that hangs on a post, but what Telegram shows of its link.
_PREVIEWS = ("webpage", "preview")


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
        origin = one_line(post.origin.name or "", _NAME) or one_line(post.origin.channel or "", _NAME)
        # A number is all that is known of some origins; nobody knows a channel by it.
        known = origin and not origin.lstrip("-").isdecimal()
        parts.append(f"forwarded from {origin}" if known else "forwarded")
    return " · ".join([*parts, *words])


def channel(post: Post) -> str:
    return one_line(post.channel.shown, _NAME) or one_line(post.channel.name, _NAME) or "a channel"


def said(post: Post, hits: Sequence[Hit], limit: int, *, flat: bool) -> Message:
    """What was said, in at most ``limit`` code points (160 or more): the text, and other parts that were hit."""
    most = _MOST_PARTS if limit > _COMPACT else 1
    parts = list(islice(_parts(post, hits), most))
    if not parts and not post.body.strip():
        parts = [(part.kind, part.text, []) for part in post.parts()[1:] if part.text.strip()]
    rows = lines(
        [f"{_LABELS[kind]}: ", *excerpt(text, spans, _PART - 10, flat=True, most=_PART_HITS)]
        for kind, text, spans in parts[:most]
    )
    room = limit - len(rows.text) - 2 if rows.text else limit
    spans = [(hit.start, hit.end) for hit in hits if hit.kind is PartKind.TEXT and _stands(hit, post.body)]
    return joined([message(*excerpt(post.body, spans, room, flat=flat)), rows], "\n" if flat else "\n\n")


def _parts(post: Post, hits: Sequence[Hit]) -> Iterator[tuple[PartKind, str, list[Span]]]:
    """The parts but the text that hold hits, each with them; a hit goes to the first part that it can be of."""
    others = [hit for hit in hits if hit.kind is not PartKind.TEXT]
    if not others:
        return
    for part in post.parts()[1:]:
        mine = [hit for hit in others if hit.kind is part.kind and _stands(hit, part.text)]
        if mine:
            others = [hit for hit in others if hit not in mine]
            yield part.kind, part.text, [(hit.start, hit.end) for hit in mine]


def _stands(hit: Hit, text: str) -> bool:
    return 0 <= hit.start < hit.end and text[hit.start : hit.end] == hit.text


def media(post: Post, hits: Sequence[Hit]) -> str:
    """2 photos, video, file report.pdf; "" when nothing hangs on it. A file that was hit has been named already."""
    kinds: dict[tuple[str, str], list[Media]] = {}
    for each in post.media:
        if each.kind not in _PREVIEWS:
            kinds.setdefault(_KINDS.get(each.kind, _OTHER), []).append(each)
    named = not any(hit.kind is PartKind.FILE for hit in hits)
    return one_line(", ".join(_medium(*kind, found, named=named) for kind, found in kinds.items()), _MEDIA)


def _medium(one: str, many: str, found: Sequence[Media], *, named: bool) -> str:
    if len(found) > 1:
        return counted(len(found), one, many)
    name = one_line(found[0].file_name or "", 48) if named else ""
    return f"{one} {name}" if name else one


def address(post: Post) -> Line:
    """t.me/name/123, leading there; nothing when the post has no address."""
    where = post.link or ""
    shown = one_line(where.removeprefix("https://").removeprefix("http://"), _ADDRESS)
    return [link(shown, f"https://{where}" if where.startswith("t.me/") else where)] if shown else []


def also_in(carriers: Sequence[Carrier], times: Times, room: int, most: int) -> Line:
    """Also in: Starshe Eddy 09:20, Two Majors 09:31 and 12 more; nothing when there is no room even for a count."""
    pieces: list[Piece | str] = []
    used = len("Also in: ")
    for at, carrier in enumerate(carriers[:most]):
        name, when = one_line(carrier.channel, 40) or "a channel", times.near(carrier.date)
        rest = len(carriers) - at - 1
        used += len(f"{name} {when}, ")
        if used + (len(_more(rest)) if rest else 0) > room:
            break
        pieces += [", " if at else "Also in: ", link(name, carrier.link), f" {when}"]
    shown = len(pieces) // 3
    if shown == len(carriers):
        return pieces
    if shown:
        return [*pieces, _more(len(carriers) - shown)]
    count = f"Also in {counted(len(carriers), 'other post', 'other posts')}"
    return [count] if len(count) <= room else []


def _more(number: int) -> str:
    return f" and {number:,} more"


def compact(heading: Line, story: DigestStory, times: Times, limit: int) -> Message:
    """A story among others: its heading lines, then at most ``limit`` code points of it on as few lines as can be."""
    post = story.post
    foot: list[Piece | str] = [*address(post)]
    if hung := media(post, story.hits):
        foot += [" · ", hung] if foot else [hung]
    also = also_in(story.also, times, _ALSO, _CARRIERS)
    return joined([message(*heading), said(post, story.hits, limit, flat=True), lines([also, foot])], "\n")
