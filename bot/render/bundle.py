"""Alerts that were held, told in one message: in quiet hours, in a burst, or while the service was away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot.model import Alert, Bundle, DigestStory, Reason
from bot.render.richtext import Message, bold, joined, message
from bot.render.story import Flags, compact, topics_line, who_line
from bot.render.times import Times
from bot.render.words import counted

#: Code points of each story; of many stories less is told of each.
_EXCERPT, _SHORT = 320, 160
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
        story = style.story(each)
        longer = joined([whole, story])
        # A story is short enough to fit into a message alone, and under the heading.
        if not longer.fits():
            yield Part(whole, tuple(here))
            longer, here = story, []
        whole = longer
        here.append(each)
    yield Part(whole, tuple(here))


def part(told: Bundle, zone: ZoneInfo, *, of: int, first: bool) -> Message:
    """The part of a bundle of ``of`` stories in which these stand, whether or not they fit into it."""
    style = _Style(told, zone, of)
    return joined([*([style.heading()] if first else []), *map(style.story, told.alerts)])


class _Style:
    """How the stories of a bundle are told, which depends on how many there are."""

    def __init__(self, told: Bundle, zone: ZoneInfo, stories: int) -> None:
        self._reason = told.reason
        # What is late was posted before anything of it was seen: that is the time of which the message tells.
        late = [each.post.date for each in told.alerts] if told.reason is Reason.LATE else []
        self._times = Times(zone, min([told.since, *late]), told.until)
        self._stories = stories

    def heading(self) -> Message:
        return message(bold(_heading(self._reason, self._stories)), "\n", self._times.period())

    def story(self, told: Alert) -> Message:
        heading = topics_line(told.topics, Flags(told.edited, told.deleted), urgent=told.urgent)
        who = who_line(told.post, self._times.near(told.post.date))
        limit = _SHORT if self._stories > _MANY else _EXCERPT
        return compact([heading, "\n", who], DigestStory(told.post, told.hits, told.also), self._times, limit)


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
