"""Plays recordings to the judge, and tells what the service would have told.

The clock of a replay is the recording's own: a post is committed at its date, an edit at the date of the edit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from bot.desk import Desk, Telling
from bot.judge import Arrival, Judgement, judge
from bot.model import Happening, Post, PostId, Revision
from bot.rules import Rules
from bot.stories.stories import Stories
from bot.text.footers import Footers
from bot.triage import Pace

#: Of how many matched posts an edit is still recognised.
_REMEMBERED = 50_000


def judgements(revisions: Iterable[Revision], rules: Rules, footers: Footers) -> Iterator[Judgement]:
    """What is judged of the posts of recordings, in their order."""
    stories = Stories(rules.fold_window)
    pace = Pace(rules.max_per_minute)
    known: dict[PostId, _Known] = {}
    sees = rules.matcher.sees
    for revision in revisions:
        post = revision.post
        if revision.happening is Happening.POSTED and not sees(post):
            continue  # as the judge would say, at a fraction of the cost: this is nearly every post
        before = known.get(post.id, _UNKNOWN)
        if revision.happening is Happening.EDITED and before.post is not None and post.says_the_same_as(before.post):
            continue
        topics = None if revision.happening is Happening.POSTED else before.topics
        judged = judge((Arrival(revision, revision.at, topics, before.story),), rules, stories, footers, pace)
        if not judged.judgements:
            continue
        stories.merge(judged.stories)
        pace = judged.pace
        for judgement in judged.judgements:
            matched = before.topics | {match.topic for match in judgement.matches}
            known[post.id] = _Known(post, matched, judgement.story)
            if len(known) > _REMEMBERED:
                del known[next(iter(known))]
            yield judgement


class _Known(NamedTuple):
    """What is remembered of a matched post."""

    post: Post | None
    topics: frozenset[str]
    story: PostId | None


_UNKNOWN = _Known(None, frozenset(), None)


def tellings(
    revisions: Iterable[Revision], rules: Rules, footers: Footers, since: datetime | None = None
) -> Iterator[Telling]:
    """What the destinations would have been told, in the order of its moments, up to the digest after the last post.

    The first digest is of the time from ``since``, or from the first post on.
    """
    desk = Desk(rules, since)
    for judgement in judgements(desk.watching(revisions), rules, footers):
        yield from desk.advance(judgement.seen)
        yield from desk.take(judgement)
    yield from desk.close()
