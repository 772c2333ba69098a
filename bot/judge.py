"""Judges posts: what they match, which story they belong to, and what each destination is told when, with the reason.

This is where the product's judgement lives, so live, replay and demo run the very same function. It stores and
sends nothing; the caller commits what was judged and then merges the stories of the batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.model import Decision, Deliver, Destination, Happening, Match, PostId, Reason, Revision, Verdict
from bot.rules import Rules
from bot.schedule import quiet_until
from bot.stories.member import Member
from bot.stories.stories import Overlay, Stories
from bot.text.footers import Footers
from bot.triage import Case, Pace, triage


class Arrival(NamedTuple):
    """Something that happened to a post, as it reached us at ``seen``.

    ``known``: the topics that it was found to be of before, and ``story`` the story that it then joined; None for a
    post never seen. ``history``: the first reading of its channel brought it. ``formerly``: its id before an album's
    lower part arrived.
    """

    revision: Revision
    seen: datetime
    known: frozenset[str] | None = None
    story: PostId | None = None
    history: bool = False
    formerly: PostId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is to be stored and told about one arrival.

    The revision's post bears its channel's label and knows its footer. ``matches``: every topic that it is of now;
    ``decisions``: one for each that is new. What was told of the story before may have something to add now: where
    else it ran, that the post was edited or is gone.
    """

    revision: Revision
    seen: datetime
    matches: tuple[Match, ...]
    story: PostId
    member: Member | None
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """A batch's judgements by date; its stories, to be merged once they are stored; the pace of alerts after it."""

    judgements: tuple[Judgement, ...]
    stories: Overlay
    pace: Pace


def judge(batch: Iterable[Arrival], rules: Rules, stories: Stories, footers: Footers, pace: Pace) -> Judged:
    """Judges a batch, whatever the order in which it arrived. Nothing that is passed in is changed."""
    bench = _Bench(rules, stories.overlay(), footers, pace.copy())
    judgements = [bench.judged(arrival) for arrival in sorted(batch, key=_by_date)]
    return Judged(tuple(j for j in judgements if j is not None), bench.stories, bench.pace)


def _by_date(arrival: Arrival) -> tuple[datetime, str, int, int]:
    happening, at, post = arrival.revision.happening, arrival.revision.at, arrival.revision.post
    return at, post.channel.name, post.number, _TURNS[happening]


_TURNS = {happening: turn for turn, happening in enumerate(Happening)}


@dataclass(frozen=True, slots=True)
class _Bench:
    """One sitting: the rules it goes by, and what it changes as it goes."""

    rules: Rules
    stories: Overlay
    footers: Footers
    pace: Pace

    def judged(self, arrival: Arrival) -> Judgement | None:
        """None where there is nothing to store or to tell."""
        happening, post = arrival.revision.happening, arrival.revision.post
        if arrival.formerly is not None:
            self.stories.rename(arrival.formerly, post.id)
        story = arrival.story or self.stories.story_of(post.id)
        sees = happening is not Happening.DELETED and self.rules.matcher.sees(post)
        if not sees and story is None:
            return None
        footer = self.footers.start(post.channel.name, post.text)
        post = replace(post, channel=self.rules.labelled(post.channel), footer=footer)
        matches = self.rules.allowed(post.channel, self.rules.matcher.match(post, footer)) if sees else ()
        member = self.stories.join(post, story) if matches else None
        story = member.story if member is not None else story
        if story is None:
            return None
        return Judgement(
            revision=replace(arrival.revision, post=post),
            seen=arrival.seen,
            matches=matches,
            story=story,
            member=member,
            decisions=self._decisions(arrival, matches, story),
        )

    def _decisions(self, arrival: Arrival, matches: tuple[Match, ...], story: PostId) -> tuple[Decision, ...]:
        fresh = [match for match in matches if arrival.known is None or match.topic not in arrival.known]
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
        rides = any(triage(case).reason is Reason.URGENT for case in cases)
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
        told = self.stories.told(story, destination)
        shared = Case(
            deliver=self.rules.topics[matches[0].topic].deliver,
            seen=arrival.seen,
            history=arrival.history,
            changed=arrival.known is not None,
            edited=arrival.revision.happening is Happening.EDITED,
            late=self._lateness(arrival),
            quiet=quiet_until(self.rules.quiet, self.rules.zone, arrival.seen),
            burst=self.pace.folded_until(destination, arrival.seen),
        )
        return [
            replace(shared, deliver=self.rules.topics[match.topic].deliver, told=told.get(match.topic))
            for match in matches
        ]

    def _lateness(self, arrival: Arrival) -> timedelta | None:
        """How long after its date a post was first seen, where that is late. A known post never is."""
        if arrival.known is not None:
            return None
        late = arrival.seen - arrival.revision.post.date
        return late if late > self.rules.late_after else None
