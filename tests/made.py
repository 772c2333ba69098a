"""Values that the tests of judging and telling make: posts, rules, and what happened to a post."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.model import Channel, ChatId, Deliver, Destination, Happening, Me, Origin, Post, Revision, Username
from bot.query.lexicon import Lexicon
from bot.query.matcher import Matcher, Topic
from bot.query.parser import parse
from bot.rules import ChannelRule, Rules, TopicRule
from bot.schedule import Daily, Policy, QuietHours

#: The evening before the day on which most tests play.
DAY = datetime(2024, 12, 8, 12, tzinfo=UTC)
ME = Destination(Me())
DESK = Destination(Username("desk_demo"))
GROUP = Destination(ChatId(-1001234567890), 12)


def at(minutes: float = 0) -> datetime:
    """So many minutes after noon."""
    return DAY + timedelta(minutes=minutes)


def post(  # noqa: PLR0913 - one argument a fact
    text: str,
    channel: str = "alfa_demo",
    number: int = 1,
    *,
    minutes: float = 0,
    origin: Origin | None = None,
    title: str | None = None,
) -> Post:
    return Post(
        channel=Channel(username=channel, title=title), number=number, date=at(minutes), text=text, origin=origin
    )


def posted(said: Post) -> Revision:
    return Revision(Happening.POSTED, said.date, said)


def edited(said: Post, minutes: float) -> Revision:
    return Revision(Happening.EDITED, at(minutes), said)


def deleted(said: Post, minutes: float) -> Revision:
    return Revision(Happening.DELETED, at(minutes), said)


def rule(
    name: str,
    keywords: str,
    deliver: str = "alert",
    destination: Destination = ME,
    channels: Iterable[str] | None = None,
) -> tuple[TopicRule, Topic]:
    """A topic; ``keywords`` are separated by semicolons."""
    asked = None if channels is None else frozenset(Username(name) for name in channels)
    return (
        TopicRule(name=name, title=name.title(), deliver=Deliver(deliver), destination=destination, channels=asked),
        Topic(name=name, keywords=tuple(parse(keyword.strip()) for keyword in keywords.split(";"))),
    )


def rules(  # noqa: PLR0913 - one argument a setting
    *topics: tuple[TopicRule, Topic],
    lexicon: Lexicon,
    channels: Mapping[str, ChannelRule] | None = None,
    quiet: QuietHours | None = None,
    max_per_minute: int = 10,
    max_stories: int = 15,
    zone: str = "UTC",
    digests: Policy | None = None,
    empty_digests: bool = False,
    late_after: timedelta = timedelta(minutes=30),
    fold_window: timedelta = timedelta(hours=48),
) -> Rules:
    return Rules(
        matcher=Matcher([topic for _, topic in topics], lexicon),
        topics={rule.name: rule for rule, _ in topics},
        channels={Username(name): rule for name, rule in (channels or {}).items()},
        zone=ZoneInfo(zone),
        digests=digests or Daily((time(20),)),
        empty_digests=empty_digests,
        max_stories=max_stories,
        fold_window=fold_window,
        late_after=late_after,
        max_per_minute=max_per_minute,
        quiet=quiet,
    )
