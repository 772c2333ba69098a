"""The rules in force: a configuration as far as judging a post needs it. A value; a reload swaps the whole of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from bot.model import Channel, ChannelRef, ChatId, Deliver, Destination, Match, Username
from bot.query.matcher import Matcher
from bot.schedule import Policy, QuietHours


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicRule:
    """How a topic is told, and of which channels it is asked (None: of all)."""

    name: str
    title: str
    deliver: Deliver
    destination: Destination
    channels: frozenset[ChannelRef] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRule:
    """What a watched channel is called in messages, and for which topics it is read (None: for all)."""

    label: str | None = None
    topics: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """``topics`` by name, in the configuration's order, the same that ``matcher`` knows; ``channels`` by reference.

    ``found``: by which references of the configuration a channel (its marked id) was found, which its name of today
    need not tell: an invite link, or the name that it had then. ``forward``: an alert is the post
    itself, and a short header under it.
    """

    matcher: Matcher
    topics: Mapping[str, TopicRule]
    channels: Mapping[ChannelRef, ChannelRule]
    zone: ZoneInfo
    digests: Policy
    empty_digests: bool
    max_stories: int
    fold_window: timedelta
    late_after: timedelta
    max_per_minute: int
    quiet: QuietHours | None
    forward: bool = False
    found: Mapping[int, tuple[ChannelRef, ...]] = field(default_factory=dict)
    #: Every destination of a topic once, in the topics' order.
    destinations: tuple[Destination, ...] = field(init=False, repr=False, compare=False)
    _allowed: dict[tuple[ChannelRef, ...], frozenset[str] | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        once = tuple(dict.fromkeys(topic.destination for topic in self.topics.values()))
        object.__setattr__(self, "destinations", once)

    def topics_of(self, destination: Destination) -> tuple[TopicRule, ...]:
        return tuple(topic for topic in self.topics.values() if topic.destination == destination)

    def labelled(self, channel: Channel) -> Channel:
        """The channel under the name that the configuration gives it."""
        label = self._rule(self._names(channel)).label
        return channel if label is None else replace(channel, title=label)

    def allowed(self, channel: Channel, matches: tuple[Match, ...]) -> tuple[Match, ...]:
        """Those of the matches whose topics are asked of this channel."""
        names = self._names(channel)
        if names not in self._allowed:
            self._allowed[names] = self._topics_asked_of(names)
        allowed = self._allowed[names]
        return matches if allowed is None else tuple(match for match in matches if match.topic in allowed)

    def _names(self, channel: Channel) -> tuple[ChannelRef, ...]:
        return (*references(channel), *self.found.get(channel.id or 0, ()))

    def _topics_asked_of(self, names: tuple[ChannelRef, ...]) -> frozenset[str] | None:
        """The names of the topics asked of a channel; None where that is all of them."""
        mine = self._rule(names).topics
        asked = frozenset(
            topic.name
            for topic in self.topics.values()
            if (topic.channels is None or not topic.channels.isdisjoint(names)) and (mine is None or topic.name in mine)
        )
        return None if len(asked) == len(self.topics) else asked

    def _rule(self, names: tuple[ChannelRef, ...]) -> ChannelRule:
        return next((self.channels[name] for name in names if name in self.channels), _ANY)


_ANY = ChannelRule()


def references(channel: Channel) -> tuple[ChannelRef, ...]:
    """The references by which a configuration may mean this channel, as far as they can be told offline."""
    names: tuple[ChannelRef, ...] = (Username(channel.username.lower()),) if channel.username else ()
    return names if channel.id is None else (*names, ChatId(channel.id))
