"""What has been found and told so far, and what waits to be: in memory what a service keeps in its tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import NamedTuple

from bot.alert import Held, alerts, hits_of
from bot.digest import compose
from bot.judge import Judgement
from bot.model import (
    Alert,
    Bundle,
    Carrier,
    Destination,
    Digest,
    Found,
    Happening,
    Match,
    Post,
    PostId,
    Reason,
    Revision,
)
from bot.pacing import EDITABLE
from bot.rules import Rules
from bot.schedule import last_moment, next_moment
from bot.stories.carriers import carrier
from bot.untold import Told, foremost, untold

_DATE = attrgetter("date")
_BY_POST = attrgetter("post.date")
_MOMENT = timedelta(microseconds=1)
_GAP = timedelta(days=7)
#: Of how many stories a change is still told.
_REMEMBERED = 50_000


class Telling(NamedTuple):
    """A message at the moment at which it goes out; ``instead_of`` the sent message that it edits, if it does."""

    at: datetime
    message: Alert | Bundle | Digest
    instead_of: Alert | Bundle | None = None


@dataclass(slots=True)
class _Sent:
    """A message that was sent, as it reads now."""

    at: datetime
    message: Alert | Bundle

    def alerts(self, story: PostId) -> Iterator[Alert]:
        """What it says of a story."""
        told = self.message.alerts if isinstance(self.message, Bundle) else (self.message,)
        return (alert for alert in told if alert.story == story)


class _Waiting(NamedTuple):
    since: datetime
    due: datetime
    alerts: list[Alert]


class _Period(NamedTuple):
    """What the next digest is about; ``due`` is None where digests are switched off."""

    since: datetime
    due: datetime | None


class Desk:
    """What has been found and told so far, and what waits to be."""

    def __init__(self, rules: Rules, since: datetime | None = None) -> None:
        """The first digest is of the time from ``since``, or from the first post on."""
        self._rules = rules
        self._channels: set[str] = set()
        self._now: datetime | None = None
        self._period = None if since is None else self._after(since)
        self._found: dict[Destination, dict[PostId, dict[str, Found]]] = {}
        self._posts: dict[PostId, Post] = {}
        self._matches: dict[PostId, tuple[Match, ...]] = {}
        self._stories: dict[PostId, dict[PostId, Carrier]] = {}
        self._edited: set[PostId] = set()
        self._deleted: set[PostId] = set()
        self._sent: dict[tuple[PostId, Destination], list[_Sent]] = {}
        self._waiting: dict[tuple[Destination, Reason], _Waiting] = {}

    def read(self, revision: Revision) -> None:
        """Takes note that a channel was read up to this."""
        self._channels.add(revision.post.channel.key)
        if self._now is None or self._now < revision.at:
            self._now = revision.at
        if self._period is None:
            self._period = self._after(revision.at - _MOMENT)._replace(since=revision.at)

    def advance(self, now: datetime) -> Iterator[Telling]:
        """What has become due: bundles up to and with ``now``; digests before it, for they hold all of their moment."""
        while True:
            dues = [(waiting.due, key) for key, waiting in self._waiting.items() if waiting.due <= now]
            due, key = min(dues, key=_by_due, default=(None, None))
            digest = self._period.due if self._period is not None else None
            if digest is not None and digest < now and (due is None or digest < due):
                yield from self._digests(digest, now)
            elif due is not None and key is not None:
                yield from self._bundle(*key)
            else:
                return

    def close(self) -> Iterator[Telling]:
        """What is still to come when nothing more is posted: up to the next digest, or all that waits."""
        if self._now is None:
            return
        ends = [waiting.due for waiting in self._waiting.values()]
        if self._period is not None and self._period.due is not None:
            ends.append(self._period.due + _MOMENT)
        yield from self.advance(max(ends, default=self._now))

    def take(self, judgement: Judgement) -> Iterator[Telling]:
        """What is told at once because of a judgement; the rest waits."""
        self._note(judgement)
        for told in alerts(judgement, self._rules, self._also(judgement.story, judgement.revision.post.id)):
            if isinstance(told, Held):
                waiting = self._waiting.setdefault(
                    (told.alert.destination, told.reason), _Waiting(judgement.seen, told.due, [])
                )
                waiting.alerts.append(told.alert)
            else:
                yield self._tell(judgement.seen, told, [told])
        for destination in self._rules.destinations:
            yield from self._renew(judgement, destination)

    def _tell(self, at: datetime, message: Alert | Bundle, told: Iterable[Alert]) -> Telling:
        sent = _Sent(at, message)
        for alert in told:
            self._sent.setdefault((alert.story, alert.destination), []).append(sent)
        return Telling(at, message)

    def _note(self, judgement: Judgement) -> None:
        """Remembers the post as it is now, and what was found in it for the digests."""
        happening, post = judgement.revision.happening, judgement.revision.post
        self._posts[post.id] = post
        members = self._stories.pop(judgement.story, {})
        members[post.id] = carrier(post)
        self._stories[judgement.story] = members  # the last one is that about which something happened last
        if len(self._stories) > _REMEMBERED:
            self._forget(next(iter(self._stories)))
        if happening is Happening.DELETED:
            self._deleted.add(post.id)
            return
        if happening is Happening.EDITED:
            self._edited.add(post.id)
        # Those of before are kept when an edit leaves none: the digest that tells the edit needs a topic.
        self._matches[post.id] = judgement.matches or self._matches.get(post.id, ())
        for found in self._found.values():
            for topic, one in found.get(post.id, {}).items():
                found[post.id][topic] = one._replace(post=post)
        new = {decision.match.topic for decision in judgement.decisions}
        for match in judgement.matches:
            destination = self._rules.topics[match.topic].destination
            found_here = self._found.setdefault(destination, {}).setdefault(post.id, {})
            if match.topic in new or match.topic in found_here:
                found_here[match.topic] = Found(post, match, judgement.story, judgement.seen)

    def _renew(self, judgement: Judgement, destination: Destination) -> Iterator[Telling]:
        """Edits what was sent about a story; a change that can no longer be said so goes to the next digest."""
        story, now, post = judgement.story, judgement.seen, judgement.revision.post.id
        too_old = False
        for sent in self._sent.get((story, destination), ()):
            if now - sent.at > EDITABLE:
                too_old = too_old or any(alert.post.id == post for alert in sent.alerts(story))
                continue
            before = sent.message
            sent.message = self._renewed(before, story)
            if sent.message != before:
                yield Telling(now, sent.message, instead_of=before)
        if too_old and judgement.revision.happening in (Happening.EDITED, Happening.DELETED):
            self._find_again(judgement, destination)

    def _find_again(self, judgement: Judgement, destination: Destination) -> None:
        post = judgement.revision.post
        found = self._found.setdefault(destination, {}).setdefault(post.id, {})
        for match in self._matches.get(post.id, ()):
            if self._rules.topics[match.topic].destination == destination:
                found.setdefault(match.topic, Found(post, match, judgement.story, judgement.seen))

    def _renewed(self, message: Alert | Bundle, story: PostId) -> Alert | Bundle:
        """The message as it would say now what it says of a story."""
        if isinstance(message, Alert):
            return self._as_now(message)
        return replace(
            message, alerts=tuple(self._as_now(each) if each.story == story else each for each in message.alerts)
        )

    def _as_now(self, alert: Alert) -> Alert:
        id_ = alert.post.id
        post = self._posts.get(id_, alert.post)
        here = [m for m in self._matches.get(id_, ()) if self._rules.topics[m.topic].destination == alert.destination]
        return replace(
            alert,
            post=post,
            hits=hits_of(here),
            also=self._also(alert.story, id_),
            edited=alert.edited or id_ in self._edited,
            deleted=id_ in self._deleted,
        )

    def _also(self, story: PostId, lead: PostId) -> tuple[Carrier, ...]:
        """Where else a story ran than in one of its posts, by date."""
        members = self._stories.get(story, {}).items()
        there = (each._replace(deleted=id_ in self._deleted) for id_, each in members if id_ != lead)
        return tuple(sorted(there, key=_DATE))

    def _posts_of(self, story: PostId) -> list[Post]:
        """The posts of a story, also those that are gone."""
        return [self._posts[id_] for id_ in self._stories.get(story, ())]

    def _bundle(self, destination: Destination, reason: Reason) -> Iterator[Telling]:
        waiting = self._waiting.pop((destination, reason))
        kept = untold(waiting.alerts, self._told(destination, {alert.story for alert in waiting.alerts}))
        if kept:
            told = tuple(foremost(sorted(map(self._as_now, kept), key=_BY_POST)))
            bundle = Bundle(
                destination=destination,
                reason=reason,
                since=waiting.since,
                until=waiting.due,
                alerts=told,
                more=len(kept) - len(told),
            )
            yield self._tell(waiting.due, bundle, told)

    def _told(self, destination: Destination, stories: Iterable[PostId]) -> Iterator[Told]:
        """What the messages of a destination say of these stories."""
        for story in stories:
            for sent in self._sent.get((story, destination), ()):
                yield from (Told(story, frozenset(alert.names)) for alert in sent.alerts(story))

    def _digests(self, moment: datetime, now: datetime) -> Iterator[Telling]:
        """The digests of a moment, then the next period. A gap that no recording covers is not told day by day."""
        since = self._period.since if self._period is not None else moment
        for destination in self._rules.destinations:
            found = [one for topics in self._found.pop(destination, {}).values() for one in topics.values()]
            if found or (self._rules.empty_digests and self._channels):
                yield Telling(moment, self._digest(destination, found, since, moment))
        missed = last_moment(self._rules.digests, self._rules.zone, now - _MOMENT) if now - moment > _GAP else None
        self._period = self._after(missed or moment)

    def _digest(self, destination: Destination, found: Sequence[Found], since: datetime, until: datetime) -> Digest:
        return compose(
            found,
            destination=destination,
            topics=[(topic.name, topic.title) for topic in self._rules.topics_of(destination)],
            since=since,
            until=until,
            channels=len(self._channels),
            max_stories=self._rules.max_stories,
            carriers={story: self._posts_of(story) for story in dict.fromkeys(one.story for one in found)},
            edited=self._edited,
            deleted=self._deleted,
        )

    def _after(self, moment: datetime) -> _Period:
        return _Period(moment, next_moment(self._rules.digests, self._rules.zone, moment))

    def _forget(self, story: PostId) -> None:
        """Drops the story about which nothing has happened for the longest time."""
        for id_ in self._stories.pop(story):
            self._posts.pop(id_, None)
            self._matches.pop(id_, None)
            self._edited.discard(id_)
            self._deleted.discard(id_)
        for destination in self._rules.destinations:
            self._sent.pop((story, destination), None)


def _by_due(waiting: tuple[datetime, tuple[Destination, Reason]]) -> tuple[datetime, str, str]:
    due, (destination, reason) = waiting
    return due, str(destination), reason
