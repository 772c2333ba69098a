"""What has been found and told so far, and what waits to be: in memory what a service keeps in its tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.alert import Held, alerts, hits_of
from bot.digest import compose
from bot.judge import Judgement
from bot.model import Alert, Bundle, Destination, Digest, Found, Happening, Match, Post, PostId, Reason, Revision
from bot.rules import Rules
from bot.schedule import next_moment
from bot.stories.carriers import also_in

#: Telegram lets a sent message be edited for two days; this leaves it an hour (contract, promise 4).
EDITABLE = timedelta(hours=47)
_MOMENT = timedelta(microseconds=1)


class Telling(NamedTuple):
    """A message at the moment at which it goes out; ``instead_of`` the sent alert that it edits, if it does."""

    at: datetime
    message: Alert | Bundle | Digest
    instead_of: Alert | None = None


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
        self._found: dict[Destination, dict[tuple[PostId, str], Found]] = {}
        self._posts: dict[PostId, Post] = {}
        self._matches: dict[PostId, tuple[Match, ...]] = {}
        self._stories: dict[PostId, list[PostId]] = {}
        self._edited: set[PostId] = set()
        self._deleted: set[PostId] = set()
        self._sent: dict[tuple[PostId, Destination], list[tuple[datetime, Alert]]] = {}
        self._waiting: dict[tuple[Destination, Reason], _Waiting] = {}
        self._bundled: set[tuple[PostId, Destination]] = set()

    def watching(self, revisions: Iterable[Revision]) -> Iterator[Revision]:
        """The same revisions; the desk's clock and its count of channels go with them."""
        for revision in revisions:
            self._channels.add(revision.post.channel.name)
            if self._now is None or self._now < revision.at:
                self._now = revision.at
            if self._period is None:
                self._period = self._after(revision.at - _MOMENT)._replace(since=revision.at)
            yield revision

    def advance(self, now: datetime) -> Iterator[Telling]:
        """What has become due: bundles up to and with ``now``; digests before it, for they hold all of their moment."""
        while True:
            dues = [(waiting.due, key) for key, waiting in self._waiting.items() if waiting.due <= now]
            due, key = min(dues, key=_by_due, default=(None, None))
            digest = self._period.due if self._period is not None else None
            if digest is not None and digest < now and (due is None or digest < due):
                yield from self._digests(digest)
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
        story = judgement.story
        for told in alerts(judgement, self._rules, self._others(story, judgement.revision.post.id)):
            if isinstance(told, Held):
                self._hold(told, judgement.seen)
            else:
                self._sent.setdefault((story, told.destination), []).append((judgement.seen, told))
                yield Telling(judgement.seen, told)
        for destination in self._rules.destinations:
            yield from self._renew(judgement, destination)

    def _note(self, judgement: Judgement) -> None:
        """Remembers the post as it is now, and what was found in it for the digests."""
        happening, post = judgement.revision.happening, judgement.revision.post
        self._posts[post.id] = post
        members = self._stories.setdefault(judgement.story, [])
        if post.id not in members:
            members.append(post.id)
        if happening is Happening.DELETED:
            self._deleted.add(post.id)
            return
        if happening is Happening.EDITED:
            self._edited.add(post.id)
        # Those of before are kept when an edit leaves none: the digest that tells the edit needs a topic.
        self._matches[post.id] = judgement.matches or self._matches.get(post.id, ())
        new = {decision.match.topic for decision in judgement.decisions}
        for match in judgement.matches:
            found = self._found.setdefault(self._rules.topics[match.topic].destination, {})
            if match.topic in new or (post.id, match.topic) in found:
                found[post.id, match.topic] = Found(post, match, judgement.story, judgement.seen)

    def _hold(self, held: Held, now: datetime) -> None:
        key = (held.alert.destination, held.reason)
        waiting = self._waiting.setdefault(key, _Waiting(now, held.due, []))
        waiting.alerts.append(held.alert)

    def _renew(self, judgement: Judgement, destination: Destination) -> Iterator[Telling]:
        """Edits what was sent about a story; a change that can no longer be said so goes to the next digest."""
        post, now = judgement.revision.post.id, judgement.seen
        sent = self._sent.get((judgement.story, destination), [])
        old = (post, destination) in self._bundled
        for number, (at, alert) in enumerate(sent):
            if now - at > EDITABLE:
                old = old or alert.post.id == post
            elif (renewed := self._renewed(alert)) != alert:
                sent[number] = (at, renewed)
                yield Telling(now, renewed, instead_of=alert)
        if old and judgement.revision.happening in (Happening.EDITED, Happening.DELETED):
            self._find_again(post, judgement, destination)

    def _find_again(self, post: PostId, judgement: Judgement, destination: Destination) -> None:
        found = self._found.setdefault(destination, {})
        for match in self._matches.get(post, ()):
            if self._rules.topics[match.topic].destination == destination:
                again = Found(self._posts[post], match, judgement.story, judgement.seen)
                found.setdefault((post, match.topic), again)

    def _renewed(self, alert: Alert) -> Alert:
        """The alert as it would be told now."""
        id_ = alert.post.id
        post = self._posts.get(id_, alert.post)
        here = [m for m in self._matches.get(id_, ()) if self._rules.topics[m.topic].destination == alert.destination]
        return replace(
            alert,
            post=post,
            hits=hits_of(here),
            also=also_in(post, self._others(alert.story, id_)),
            edited=alert.edited or id_ in self._edited,
            deleted=id_ in self._deleted,
        )

    def _others(self, story: PostId, post: PostId) -> list[Post]:
        return [self._posts[id_] for id_ in self._stories.get(story, ()) if id_ != post]

    def _bundle(self, destination: Destination, reason: Reason) -> Iterator[Telling]:
        waiting = self._waiting.pop((destination, reason))
        alerts = tuple(self._renewed(alert) for alert in waiting.alerts if not self._is_told(alert))
        self._bundled.update((alert.post.id, destination) for alert in alerts)
        if alerts:
            bundle = Bundle(
                destination=destination, reason=reason, since=waiting.since, until=waiting.due, alerts=alerts
            )
            yield Telling(waiting.due, bundle)

    def _is_told(self, waiting: Alert) -> bool:
        """Whether an urgent alert has meanwhile told all that waited."""
        sent = self._sent.get((waiting.story, waiting.destination), ())
        return any(set(waiting.topics) <= set(alert.topics) for _, alert in sent)

    def _digests(self, moment: datetime) -> Iterator[Telling]:
        since = self._period.since if self._period is not None else moment
        for destination in self._rules.destinations:
            found = self._found.pop(destination, {})
            if found or self._rules.empty_digests:
                yield Telling(moment, self._digest(destination, list(found.values()), since, moment))
        self._period = self._after(moment)
        self._forget(moment - self._rules.fold_window - EDITABLE)

    def _digest(self, destination: Destination, found: list[Found], since: datetime, until: datetime) -> Digest:
        return compose(
            found,
            destination=destination,
            topics=[(topic.name, topic.title) for topic in self._rules.topics_of(destination)],
            since=since,
            until=until,
            channels=len(self._channels),
            max_stories=self._rules.max_stories,
            carriers={one.story: self._others(one.story, one.post.id) for one in found},
            edited=self._edited,
            deleted=self._deleted,
        )

    def _after(self, moment: datetime) -> _Period:
        return _Period(moment, next_moment(self._rules.digests, self._rules.zone, moment))

    def _forget(self, before: datetime) -> None:
        """Drops stories that nothing can join or change any more."""
        for story, members in list(self._stories.items()):
            if all(self._posts[id_].date < before for id_ in members):
                del self._stories[story]
                for id_ in members:
                    del self._posts[id_]
                    self._matches.pop(id_, None)
                    self._edited.discard(id_)
                    self._deleted.discard(id_)
                for destination in self._rules.destinations:
                    self._sent.pop((story, destination), None)
                    self._bundled.difference_update((id_, destination) for id_ in members)


def _by_due(waiting: tuple[datetime, tuple[Destination, Reason]]) -> tuple[datetime, str, str]:
    due, (destination, reason) = waiting
    return due, str(destination), reason
