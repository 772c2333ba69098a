"""The rules that a configuration lays down, as far as judging posts needs them."""

from __future__ import annotations

from bot.config.settings import Form, Settings
from bot.query.lexicon import Lexicon
from bot.query.matcher import Matcher, Topic
from bot.rules import ChannelRule, Rules, TopicRule


def rules_of(settings: Settings, lexicon: Lexicon) -> Rules:
    """Builds them aside from those in force; the lexicon makes it pay only for keywords that it does not know yet."""
    topics = [Topic(name=topic.name, keywords=topic.keywords, exclude=topic.exclude) for topic in settings.topics]
    return Rules(
        matcher=Matcher(topics, lexicon),
        topics={
            topic.name: TopicRule(
                name=topic.name,
                title=topic.title,
                deliver=topic.deliver,
                destination=settings.destination_of(topic),
                channels=None if topic.channels is None else frozenset(topic.channels),
            )
            for topic in settings.topics
        },
        channels={
            watched.channel: ChannelRule(
                label=watched.label, topics=None if watched.topics is None else frozenset(watched.topics)
            )
            for watched in settings.watch.channels
        },
        zone=settings.timezone,
        digests=settings.digest.policy,
        empty_digests=settings.digest.empty,
        max_stories=settings.digest.max_stories,
        fold_window=settings.alerts.fold_window,
        late_after=settings.alerts.late_after,
        max_per_minute=settings.alerts.max_per_minute,
        quiet=settings.alerts.quiet_hours,
        forward=settings.alerts.form is Form.FORWARD,
    )
