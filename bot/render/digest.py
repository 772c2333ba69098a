"""The scheduled message about everything since the last one: topics, their stories, and what was not read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from bot.model import Digest, DigestStory, DigestTopic, PostId
from bot.render.richtext import Message, bold, joined, lines, message, one_line, split
from bot.render.story import Flags, compact, who_line
from bot.render.times import Times
from bot.render.words import counted, listed

#: Code points of each story, and of one of which another topic has told already.
_EXCERPT, _AGAIN = 300, 160
_TITLE = 100
#: Room for the names of channels that were not read.
_NAMES = 600
_BARS = "▁▂▃▄▅▆▇█"
#: Fewer show no course of time.
_FEWEST_BARS = 3


def digest(told: Digest, zone: ZoneInfo) -> list[Message]:
    """One message, or as many as it takes: no story is cut in two, no heading parted from its first story."""
    times = Times(zone, told.since, told.until)
    seen: set[PostId] = set()
    blocks = [block for topic in told.topics for block in _topic(topic, times, seen)] or [Message("")]
    blocks[0] = joined([_heading(told, times), blocks[0]])
    blocks[-1] = joined([blocks[-1], _foot(told)])
    return split(blocks)


def _heading(told: Digest, times: Times) -> Message:
    what = "First reading" if told.history else "Digest"
    counts = f"{counted(told.posts, 'post', 'posts')}, {counted(told.stories, 'story', 'stories')}"
    found = counts if told.posts else "nothing found"
    zone = one_line(times.zone.key or "", _TITLE) or "local time"
    return message(bold(f"{what}: {times.period()}"), f"\n{zone} · {found}")


def _topic(topic: DigestTopic, times: Times, seen: set[PostId]) -> Iterator[Message]:
    """Its stories, the heading with the first and the count of those left out with the last.

    ``seen``: posts of which other topics have told; less is said of them here.
    """
    number = len(topic.stories) + topic.more
    if not number:
        return
    title = one_line(topic.title, _TITLE) or "A topic"
    counts = f"{counted(topic.posts, 'post', 'posts')}, {counted(number, 'story', 'stories')}"
    heading = lines([[bold(f"{title}: {counts}")], [bars(topic.bars) if len(topic.bars) >= _FEWEST_BARS else ""]])
    more = message(f"… and {counted(topic.more, 'more story', 'more stories')}" if topic.more else "")
    stories = [_story(story, times, _AGAIN if story.post.id in seen else _EXCERPT) for story in topic.stories]
    seen.update(story.post.id for story in topic.stories)
    last = len(stories) - 1
    if not stories:
        yield joined([heading, more])
    for at, story in enumerate(stories):
        yield joined([heading if at == 0 else Message(""), story, more if at == last else Message("")])


def _story(story: DigestStory, times: Times, limit: int) -> Message:
    flags = Flags(story.edited, story.deleted)
    who = who_line(story.post, times.near(story.post.date), *_carried(story), *flags.words())
    return compact(["• ", who], story, times, limit)


def _carried(story: DigestStory) -> list[str]:
    """How many channels carried it, where that is more than one: what the order of the stories goes by."""
    channels = {story.post.channel.shown, *(carrier.channel for carrier in story.also)}
    return [f"{len(channels):,} channels"] if len(channels) > 1 else []


def bars(counts: Sequence[int]) -> str:
    """A line of bars as high as the counts, the highest full; an empty slice alone has the lowest: ▁▂▅█."""
    top = max(counts, default=0)
    steps = len(_BARS) - 1
    return "".join(_BARS[-(-count * steps // top) if count > 0 else 0] for count in counts)


def _foot(told: Digest) -> Message:
    return lines(
        [
            [f"{counted(told.channels, 'channel', 'channels')} read"],
            [f"Behind: {listed(told.behind, _NAMES)}" if told.behind else ""],
            [f"Lost: {listed(told.lost, _NAMES)}" if told.lost else ""],
            [f"Not found: {listed(told.missing, _NAMES)}" if told.missing else ""],
        ]
    )
