"""Judges posts: what they match, which story they belong to, and what each destination is told when, with the reason.

This is where the product's judgement lives, so live, replay and demo run the very same function. It stores and
sends nothing; the caller commits what was judged and then merges the stories of the batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.model import Decision, Deliver, Destination, Happening, Match, Post, PostId, Reason, Revision, Verdict
from bot.rules import Rules
from bot.schedule import quiet_until
from bot.stories.stories import Overlay, Stories
from bot.text.footers import Footers
from bot.triage import Case, Pace, triage


class Arrival(NamedTuple):
    """Something that happened to a post, as it reached us at ``seen``.

    ``known`` is what was known of the post before; None for one never seen. ``history``: the first reading of its
    channel brought it. ``formerly``: its id before an album's lower part arrived.
    """

    revision: Revision
    seen: datetime
    known: Known | None = None
    history: bool = False
    formerly: PostId | None = None


class Known(NamedTuple):
    """What was known of a post: the topics that it was ever found to be of, its story, and how it read last.

    ``story`` is None for one that was of no topic, ``post`` where the version before is not kept.
    """

    topics: frozenset[str] = frozenset()
    story: PostId | None = None
    post: Post | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is to be stored and told about one arrival.

    The revision's post bears its channel's label and knows its footer. ``matches``: every topic that it is of now;
    ``decisions``: one for each that is new; ``formerly`` as in `Arrival`. What was told of the story before may have
    something to add now: where else it ran, that the post was edited or is gone.
    """

    revision: Revision
    seen: datetime
    matches: tuple[Match, ...]
    story: PostId
    formerly: PostId | None
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """A batch's judgements by date; its stories, to be merged once they are stored; the pace of alerts after it."""

    judgements: tuple[Judgement, ...]
    stories: Overlay
    pace: Pace


def judge(batch: Iterable[Arrival], rules: Rules, stories: Stories, footers: Footers, pace: Pace) -> Judged:
    """Judges a batch, whatever the order in which it arrived. Nothing that is passed in is changed."""
    bench = _Bench(rules, stories.overlay(rules.fold_window), footers, pace.copy())
    telling = [arrival for arrival in batch if not _says_nothing(arrival, rules)]
    judgements = [bench.judged(arrival) for arrival in sorted(telling, key=_by_date)]
    return Judged(tuple(j for j in judgements if j is not None), bench.stories, bench.pace)


def _says_nothing(arrival: Arrival, rules: Rules) -> bool:
    """A new post in which no topic's word stands, as nearly all are: it need not even be sorted."""
    new = arrival.known is None and arrival.revision.happening is Happening.POSTED
    return new and not rules.matcher.sees(arrival.revision.post)


def _by_date(arrival: Arrival) -> tuple[datetime, str, int, int]:
    happening, at, post = arrival.revision.happening, arrival.revision.at, arrival.revision.post
    return at, post.channel.key, _TURNS[happening], post.number


_TURNS = {happening: turn for turn, happening in enumerate(Happening)}


def _happening(revision: Revision, known: Known | None) -> Happening:
    """What really happened: by an edit that says the same a post has grown, by a link preview, or not at all."""
    if revision.happening is Happening.EDITED and known and known.post and revision.post.says_the_same_as(known.post):
        return Happening.GREW
    return revision.happening


@dataclass(frozen=True, slots=True)
class _Bench:
    """One sitting: the rules it goes by, and what it changes as it goes."""

    rules: Rules
    stories: Overlay
    footers: Footers
    pace: Pace
    #: What this batch has taught of posts that come up in it again.
    known: dict[PostId, Known] = field(default_factory=dict)

    def judged(self, arrival: Arrival) -> Judgement | None:
        """None where there is nothing to store or to tell."""
        post = arrival.revision.post
        if arrival.formerly is not None:
            self.stories.rename(arrival.formerly, post.id)
        known = self.known.get(arrival.formerly or post.id, arrival.known)
        happening = _happening(arrival.revision, known)
        story = (known and known.story) or self.stories.story_of(post.id)
        sees = happening is not Happening.DELETED and self.rules.matcher.sees(post)
        if not sees and story is None:
            return None
        post = self._introduced(post)
        matches = self._matches(post) if sees else ()
        if matches:
            story = self.stories.join(post, story).story
        if story is None:
            return None
        fresh = self._fresh(matches, known)
        if happening is not arrival.revision.happening and not fresh:
            return None
        topics = frozenset(match.topic for match in matches)
        self.known[post.id] = Known(topics | (known.topics if known else topics), story, post)
        revision = Revision(happening, arrival.revision.at, post)
        return Judgement(
            revision=revision,
            seen=arrival.seen,
            matches=matches,
            story=story,
            formerly=arrival.formerly,
            decisions=self._decisions(arrival._replace(revision=revision, known=known), fresh, story),
        )

    def _introduced(self, post: Post) -> Post:
        """The post under its channel's label, with its footer."""
        footer = self.footers.start(post.channel.key, post.text)
        return replace(post, channel=self.rules.labelled(post.channel), footer=footer)

    def _matches(self, post: Post) -> tuple[Match, ...]:
        return self.rules.allowed(post.channel, self.rules.matcher.match(post, post.footer))

    def _fresh(self, matches: tuple[Match, ...], known: Known | None) -> list[Match]:
        """Those that this arrival brings: a topic that the rules have had only since then is no news of an old post."""
        if known is None:
            return list(matches)
        fresh = [match for match in matches if match.topic not in known.topics]
        if fresh and known.post is not None:
            before = {match.topic for match in self._matches(self._introduced(known.post))}
            fresh = [match for match in fresh if match.topic not in before]
        return fresh

    def _decisions(self, arrival: Arrival, fresh: Sequence[Match], story: PostId) -> tuple[Decision, ...]:
        decisions: dict[str, Decision] = {}
        by_destination: dict[Destination, list[Match]] = {}
        for match in fresh:
            by_destination.setdefault(self.rules.topics[match.topic].destination, []).append(match)
        for destination, here in by_destination.items():
            for decision in self._decide(arrival, here, story, destination):
                decisions[decision.match.topic] = decision
        return tuple(decisions[match.topic] for match in fresh)

    def _decide(
        self, arrival: Arrival, matches: Sequence[Match], story: PostId, destination: Destination
    ) -> list[Decision]:
        """What one destination is told about one post. An urgent alert takes its other topics along."""
        cases = self._cases(arrival, matches, story, destination)
        rides = any(case.deliver is Deliver.URGENT and triage(case).tells for case in cases)
        rulings = [triage(replace(case, rides=rides)) for case in cases]
        for match, case, ruling in zip(matches, cases, rulings, strict=True):
            if ruling.reason is Reason.BURST and ruling.due is not None:
                self.pace.folds(destination, ruling.due)
            if ruling.tells:
                self.stories.tell(story, destination, match.topic, urgent=case.deliver is Deliver.URGENT)
        if any(ruling.reason.verdict is Verdict.ALERT for ruling in rulings):
            self.pace.alerted(destination, arrival.seen)
        return [
            Decision(match, destination, ruling.reason, ruling.due)
            for match, ruling in zip(matches, rulings, strict=True)
        ]

    def _cases(self, arrival: Arrival, matches: Sequence[Match], story: PostId, destination: Destination) -> list[Case]:
        rules, seen = self.rules, arrival.seen
        told = self.stories.told(story, destination)
        burst = self.pace.folded_until(destination, seen, rules.max_per_minute)
        # What would be told together only when quiet hours have begun waits for their end.
        quiet = quiet_until(rules.quiet, rules.zone, seen) or (burst and quiet_until(rules.quiet, rules.zone, burst))
        return [
            Case(
                deliver=rules.topics[match.topic].deliver,
                seen=seen,
                history=arrival.history,
                changed=arrival.known is not None,
                edited=arrival.revision.happening is Happening.EDITED,
                late=self._lateness(arrival),
                told=told.get(match.topic),
                quiet=quiet,
                burst=burst,
            )
            for match in matches
        ]

    def _lateness(self, arrival: Arrival) -> timedelta | None:
        """How long after its date a post was first seen, where that is late. An edit of a known post never is."""
        if arrival.known is not None and arrival.revision.happening is Happening.EDITED:
            return None
        late = arrival.seen - arrival.revision.post.date
        return late if late > self.rules.late_after else None
