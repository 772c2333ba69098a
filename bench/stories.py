"""How well posts that say the same become one story, and what that costs, on real posts that all match.

The yardstick shares nothing with the program but where footers begin: texts in NFKC and small letters, ё as е,
without links and names; the Jaccard index of their runs of five characters, punctuation and all. Pairs in
different channels, of eight words or more, at most `WINDOW` apart and alike by `ALIKE` should be of one story;
a post should be alike by `NOT_ALIKE` to some post of the story that it joins. The halves of a file are counted
apart, to see whether what was tuned on one holds on the other.
"""

from __future__ import annotations

import re
import time
import tracemalloc
import unicodedata
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import NamedTuple

from bench.data import posts_of, recordings
from bot.model import Channel, Post, PostId
from bot.stories.fingerprint import fingerprint, said
from bot.stories.member import origins_of
from bot.stories.stories import Stories
from bot.text.footers import Footers

WINDOW = timedelta(hours=48)
ALIKE, NOT_ALIKE = 0.6, 0.35
#: Posts from which footers are learnt ahead, as grep does.
AHEAD = 1000
ROUNDS = 3
FLOOD = 20_000
_URL = re.compile(r"(?:https?://|www\.|t\.me/)\S+|@\w+", re.IGNORECASE)
_WORDS = re.compile(r"[^\W_]+").findall


class Read(NamedTuple):
    """A post, where its footer begins, and its text by the yardstick."""

    post: Post
    footer: int | None
    shingles: frozenset[str]
    words: int


def run(folder: Path) -> None:
    print("\nStories: every post matches")
    paths = recordings(folder)
    if not paths:
        print("  the recordings of real posts are absent: skipped")
    for path in paths:
        posts = list(_read(path))
        _quality(path.name, posts)
        _speed(posts)
        _memory(posts)
    _floods()


def _read(path: Path) -> Iterator[Read]:
    """The posts of a file by date."""
    footers = Footers()
    ahead: deque[Post] = deque()
    posts: list[Read] = []
    for post in posts_of(path):
        footers.learn(post.channel.key, post.text)
        ahead.append(post)
        if len(ahead) > AHEAD:
            posts.append(_measured(ahead.popleft(), footers))
    posts += [_measured(post, footers) for post in ahead]
    yield from sorted(posts, key=lambda one: (one.post.date, one.post.channel.name, one.post.number))


def _measured(post: Post, footers: Footers) -> Read:
    footer = footers.start(post.channel.key, post.text)
    plain = unicodedata.normalize("NFKC", post.text[:footer]).casefold().replace("ё", "е")
    text = " ".join(_URL.sub(" ", plain).split())
    shingles = frozenset(text[start : start + 5] for start in range(max(1, len(text) - 4))) if text else frozenset()
    return Read(post, footer, shingles, len(_WORDS(text)))


def _quality(name: str, posts: Sequence[Read]) -> None:
    pairs = list(_pairs(posts))
    stories, strangers, joined = _folded(posts)
    print(f"  {name}: {len(posts):,} posts, {len(set(stories))} stories, {joined:,} posts joined one")
    middle = len(posts) // 2
    for half, numbers in (("first half", range(middle)), ("held out", range(middle, len(posts)))):
        here = [(a, b) for a, b in pairs if b in numbers]
        folded = sum(stories[a] == stories[b] for a, b in here)
        strange = sum(number in numbers for number in strangers)
        print(
            f"    {half:10} {len(here):5,} pairs alike by {ALIKE}, {folded / max(1, len(here)):.2%} of one story "
            f"(goal 95 %); {strange} joined a story to no post of which it is alike by {NOT_ALIKE} (goal 0)"
        )


def _pairs(posts: Sequence[Read]) -> Iterator[tuple[int, int]]:
    """Every pair that should be of one story, exactly.

    Two sets alike by t share one of the rarest (1 - t) of each: only these are looked up, all are compared.
    """
    standing = Counter(shingle for one in posts for shingle in one.shingles)
    where: dict[str, list[int]] = defaultdict(list)
    for number, one in enumerate(posts):
        if one.words < 8:
            continue
        rarest = sorted(one.shingles, key=lambda shingle: (standing[shingle], shingle))
        found: dict[int, None] = {}
        for shingle in rarest[: len(rarest) - ceil(ALIKE * len(rarest)) + 1]:
            found.update(dict.fromkeys(where[shingle]))
            where[shingle].append(number)
        for other in found:
            before = posts[other]
            apart = before.post.channel != one.post.channel and one.post.date - before.post.date <= WINDOW
            if apart and _jaccard(before.shingles, one.shingles) >= ALIKE:
                yield other, number


def _jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    common = len(a & b)
    return common / max(1, len(a) + len(b) - common)


def _folded(posts: Sequence[Read]) -> tuple[list[PostId], list[int], int]:
    """The story of each post; the numbers of those that are strangers in theirs; how many joined one."""
    stories = Stories(WINDOW)
    texts: dict[PostId, list[Read]] = defaultdict(list)
    found: list[PostId] = []
    strangers = []
    for number, one in enumerate(posts):
        overlay = stories.overlay()
        story = overlay.join(replace(one.post, footer=one.footer)).story
        stories.merge(overlay)
        found.append(story)
        known = texts[story]
        alike = any(_jaccard(one.shingles, other.shingles) >= NOT_ALIKE for other in known)
        forwarded = any(not set(origins_of(one.post)).isdisjoint(origins_of(other.post)) for other in known)
        if known and not alike and not forwarded:
            strangers.append(number)
        texts[story].append(one)
    return found, strangers, sum(story != one.post.id for story, one in zip(found, posts, strict=True))


def _speed(posts: Sequence[Read]) -> None:
    base = _median(posts, lambda one: _WORDS(one.post.text))
    prints = _median(posts, lambda one: fingerprint(said(one.post.text, one.footer)))
    whole = min(_median(posts, _joining(Stories(WINDOW))) for _ in range(ROUNDS))
    print(
        f"    at the median post a fingerprint takes {prints:.0f} µs, {prints / base:.1f} times re [^\\W_]+ "
        f"({base:.1f} µs); with joining and merging, a post a batch, {whole:.0f} µs, {whole / base:.1f} times"
    )


def _joining(stories: Stories) -> Callable[[Read], None]:
    def join(one: Read) -> None:
        overlay = stories.overlay()
        overlay.join(replace(one.post, footer=one.footer))
        stories.merge(overlay)

    return join


def _median(posts: Sequence[Read], work: Callable[[Read], object]) -> float:
    """Microseconds that the median post takes."""
    return sorted(_times(posts, work))[len(posts) // 2] * 1e6


def _times(posts: Sequence[Read], work: Callable[[Read], object]) -> Iterator[float]:
    for one in posts:
        start = time.perf_counter()
        work(one)
        yield time.perf_counter() - start


def _memory(posts: Sequence[Read], count: int = 5000) -> None:
    """Of posts an instant apart, so that none is forgotten."""
    tracemalloc.start()
    stories = Stories(WINDOW)
    for start in range(0, min(count, len(posts)), 100):
        overlay = stories.overlay()
        for one in posts[start : start + 100]:
            overlay.join(replace(one.post, date=datetime(2024, 12, 8, tzinfo=UTC), footer=one.footer))
        stories.merge(overlay)
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    if len(stories):
        each = used / len(stories)
        print(f"    memory: {each / 1000:.1f} kB a member, {each * 20_000 / 1e6:.0f} MB of 20,000")


def _floods() -> None:
    text = "Взрывы в районе аэродрома: жители сообщают о работе ПВО и просят не выходить из домов до отбоя тревоги"
    for name, channels, wording in (
        ("the same text in as many channels", FLOOD, text),
        ("one template in 50 channels", 50, text + ". Сообщение номер {}, подробности в {} часов"),
        ("one template in one channel", 1, text + ". Сообщение номер {}, подробности в {} часов"),
    ):
        stories = Stories(WINDOW)
        posts = [
            Read(
                Post(
                    channel=Channel(username=f"flood{number % channels}_demo"),
                    number=number,
                    date=datetime(2024, 12, 8, tzinfo=UTC) + timedelta(seconds=number),
                    text=wording.format(number * 7919, number % 24),
                ),
                None,
                frozenset(),
                0,
            )
            for number in range(FLOOD)
        ]
        times = list(_times(posts, _joining(stories)))
        tenth = FLOOD // 10
        first, last = (sum(some) / tenth * 1e6 for some in (times[:tenth], times[-tenth:]))
        print(f"  a flood of {FLOOD:,}, {name}: {first:.0f} µs a post in the first tenth, {last:.0f} µs in the last")
