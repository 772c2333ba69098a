"""Alerts that were held, told in one message: in quiet hours, in a burst, or while the service was away."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from bot.model import Alert, Bundle, DigestStory, Reason
from bot.render.richtext import Message, bold, message, split
from bot.render.story import Flags, compact, topics_line, who_line
from bot.render.times import Times
from bot.render.words import counted

#: Code points of each story; of many stories less is told of each.
_EXCERPT, _SHORT = 320, 160
_MANY = 20


def bundle(told: Bundle, zone: ZoneInfo) -> list[Message]:
    """One message, or as many as it takes; no story is cut in two."""
    times = Times(zone, told.since, told.until)
    limit = _SHORT if len(told.alerts) > _MANY else _EXCERPT
    stories = [_story(each, times, limit) for each in told.alerts]
    heading = message(bold(_heading(told.reason, len(told.alerts))), "\n", times.period())
    return split([heading, *stories])


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


def _story(told: Alert, times: Times, limit: int) -> Message:
    heading = topics_line(told.topics, Flags(told.edited, told.deleted), urgent=told.urgent)
    who = who_line(told.post, times.near(told.post.date))
    return compact([heading, "\n", who], DigestStory(told.post, told.hits, told.also), times, limit)
