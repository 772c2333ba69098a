"""Alerts that were held, told in one message: in quiet hours, in a burst, or while the service was away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot.model import Alert, Bundle, DigestStory, Reason
from bot.render.richtext import Message, bold, joined, message
from bot.render.story import CARRIERS, Flags, compact, topics_line, who_line
from bot.render.times import Times
from bot.render.words import counted

#: Code points of each story; of many stories less is told of each.
_EXCERPT, _SHORT = 320, 160
#: By so many less where a part has grown too long.
_STEP = 40
_MANY = 20


class Part(NamedTuple):
    """One message, and the alerts that stand in it; only the first has a heading."""

    message: Message
    alerts: tuple[Alert, ...]


def bundle(told: Bundle, zone: ZoneInfo) -> list[Part]:
    """One message, or as many as it takes; no story is cut in two."""
    return list(_parts(told, zone))


def _parts(told: Bundle, zone: ZoneInfo) -> Iterator[Part]:
    style = _Style(told, zone, len(told.alerts))
    whole, here = style.heading(), list[Alert]()
    for each in told.alerts:
        story = style.story(each, style.whole)
        longer = joined([whole, story])
        # A story is short enough to fit into a message alone, and under the heading.
        if not longer.fits():
            yield Part(whole, tuple(here))
            longer, here = story, []
        whole = longer
        here.append(each)
    yield Part(whole, tuple(here))


def part(told: Bundle, zone: ZoneInfo, *, of: int, first: bool) -> Message:
    """The part of a bundle of ``of`` stories in which these stand: whole, or with less of each where it would not fit.

    Whether the least of it fits is left to be asked.
    """
    style = _Style(told, zone, of)
    heading = [style.heading()] if first else []
    made = (joined([*heading, *(style.story(each, one) for each in told.alerts)]) for one in style.measures())
    least = next(made)
    while not least.fits() and (less := next(made, None)) is not None:
        least = less
    return least


class _Measure(NamedTuple):
    """How much is told of a story: code points of it, and of how many posts where else it ran."""

    excerpt: int
    named: int = CARRIERS


class _Style:
    """How the stories of a bundle are told, which depends on how many there are."""

    def __init__(self, told: Bundle, zone: ZoneInfo, stories: int) -> None:
        self._reason = told.reason
        # What is late was posted before anything of it was seen: that is the time of which the message tells.
        late = [each.post.date for each in told.alerts] if told.reason is Reason.LATE else []
        self._times = Times(zone, min([told.since, *late]), told.until)
        self._stories = stories
        self._more = told.more
        self.whole = _Measure(_SHORT if stories > _MANY else _EXCERPT)

    def measures(self) -> tuple[_Measure, ...]:
        """From the whole on less and less."""
        excerpts = [self.whole.excerpt, *range(self.whole.excerpt - _STEP, _SHORT - 1, -_STEP)]
        return self.whole, *(_Measure(excerpt, 0) for excerpt in excerpts)

    def heading(self) -> Message:
        rest = f"\nHere are the {self._stories} most widely carried; the digest counts all." if self._more else ""
        return message(bold(_heading(self._reason, self._stories + self._more)), "\n", self._times.period(), rest)

    def story(self, told: Alert, measure: _Measure) -> Message:
        heading = topics_line(told.topics, Flags(told.edited, told.deleted), urgent=told.urgent)
        who = who_line(told.post, self._times.near(told.post.date))
        story = DigestStory(told.post, told.hits, told.also)
        return compact([heading, "\n", who], story, self._times, measure.excerpt, named=measure.named)


def _heading(reason: Reason, stories: int) -> str:
    match reason:
        case Reason.BURST:
            return f"{counted(stories, 'more alert', 'more alerts')} within a minute"
        case Reason.LATE:
            return f"While away: {counted(stories, 'story', 'stories')}"
        case Reason.QUIET:
            return f"While it was quiet: {counted(stories, 'story', 'stories')}"
        case _:
            return counted(stories, "story", "stories")
