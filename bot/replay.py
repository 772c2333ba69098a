"""Plays recordings to the judge, and tells what the service would have told.

The clock of a replay is the recording's own: a post is committed at its date, an edit at the date of the edit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from bot.desk import Desk, Telling
from bot.judge import Arrival, Judgement, Known, judge
from bot.model import Happening, Post, PostId, Revision
from bot.rules import Rules
from bot.stories.stories import Stories
from bot.text.footers import Footers
from bot.triage import Pace

#: Of how many matched posts an edit is still recognised.
_REMEMBERED = 50_000


def judgements(
    revisions: Iterable[Revision], rules: Rules, footers: Footers, since: datetime | None = None
) -> Iterator[Judgement]:
    """What is judged of the posts of recordings, in their order; of what happened before ``since``, nothing."""
    replay = Replay(rules, footers, since)
    for revision in revisions:
        yield from replay.take(revision)


def tellings(
    revisions: Iterable[Revision], rules: Rules, footers: Footers, since: datetime | None = None
) -> Iterator[Telling]:
    """What the destinations would have been told, in the order of its moments, up to the digest after the last post.

    The first digest is of the time from ``since``, or from the first post on.
    """
    replay, desk = Replay(rules, footers, since), Desk(rules, since)
    for revision in revisions:
        if since is None or revision.at >= since:
            yield from desk.advance(revision.at)
            desk.read(revision)
        for judgement in replay.take(revision):
            yield from desk.take(judgement)
    yield from desk.close()


class Replay:
    """Judges what happens to posts one by one, with the memory that a service has in its tables."""

    def __init__(self, rules: Rules, footers: Footers, since: datetime | None = None) -> None:
        """What happened before ``since`` is remembered, so that a later edit is known for what it brings."""
        # A post is committed at its date, so none is late; one out of order is committed when it comes.
        self._rules = replace(rules, late_after=timedelta.max)
        self._footers = footers
        self._since = since
        self._stories = Stories(rules.fold_window)
        self._pace = Pace()
        self._known: dict[PostId, Known] = {}
        self._now: datetime | None = None

    def take(self, revision: Revision) -> tuple[Judgement, ...]:
        post = revision.post
        posted = revision.happening is Happening.POSTED
        if self._now is None or self._now < revision.at:
            self._now = revision.at
        if posted and not self._rules.matcher.sees(post):
            return ()  # as the judge would say, at a fraction of the cost: this is nearly every post
        if self._since is not None and revision.at < self._since:
            self._remember(post, Known(post=post))
            return ()
        known = None if posted else self._known.get(post.id, Known())
        arrival = Arrival(revision, self._now, known)
        judged = judge((arrival,), self._rules, self._stories, self._footers, self._pace)
        if judged.judgements:
            self._stories.merge(judged.stories)
            self._pace = judged.pace
        for judgement in judged.judgements:
            topics = frozenset(match.topic for match in judgement.matches)
            self._remember(post, Known(topics | (known.topics if known else topics), judgement.story, post))
        return judged.judgements

    def _remember(self, post: Post, known: Known) -> None:
        self._known.pop(post.id, None)
        self._known[post.id] = known
        if len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]
