"""Promises over random streams: whatever is posted, reposted, edited and deleted under whatever rules.

A stream is made of plain moves and a plan of plain values, so what a failure prints can be run again as it stands.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from itertools import groupby, pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cli.matches import as_json
from bot.cli.telling import as_text
from bot.cron import Cron
from bot.desk import Telling
from bot.judge import Arrival, Judgement, Known, judge
from bot.model import Alert, Bundle, Destination, Digest, Happening, Media, Origin, Post, PostId, Reason, Revision
from bot.pacing import EDITABLE
from bot.query.lexicon import Lexicon
from bot.render.alert import alert as rendered_alert
from bot.render.bundle import bundle as rendered_bundle
from bot.render.digest import digest as rendered_digest
from bot.replay import judgements, tellings
from bot.rules import Rules
from bot.schedule import Daily, Never, Policy, QuietHours
from bot.stories.stories import Stories
from bot.terminal import Style, harmless
from bot.text.footers import Footers
from bot.triage import Pace
from tests.made import DESK, ME, at, post, rule, rules
from tests.render.soundness import check, check_all

pytestmark = pytest.mark.fuzz
cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "150")), deadline=None)

CHANNELS = ("alfa_demo", "beta_demo", "gamma_demo")
#: Long enough to fold, short enough not to, and about nothing.
TEXTS = (
    "Над посольством Сирии в Москве поднят новый флаг, здание работает в обычном режиме, сообщил источник",
    "Колонна сирийской техники вышла в сторону Латакии, дорога из города перекрыта с утра для всех машин",
    "Сирия: тревога",
    "Погода на завтра",
)
ADDED = ("", "", "", "!", " знамя", " Хмеймим", " знамя и Хмеймим @vsem /start \ud83d\u202e", "\n\nподпишись")
KEYWORDS = {"syria": "~Сирия", "flag": "знамя", "bases": "Хмеймим", "road": "дорога"}
DESTINATIONS = (ME, DESK)
MINUTE = timedelta(minutes=1)


# --- what happens, and under which rules ------------------------------------------------------------------


class Move(NamedTuple):
    """What is done so many minutes after the move before; ``which`` is the post that is changed or forwarded."""

    what: str
    after: float
    channel: int
    text: int
    added: int
    which: int


class Plan(NamedTuple):
    """Of each topic how it is told and where; then the rules of all."""

    topics: tuple[tuple[str, int], ...]
    quiet: tuple[int, int] | None
    most: int
    digests: str
    empty: bool
    fold: int
    only: bool

    def rules(self, lexicon: Lexicon) -> Rules:
        """``only``: the last topic is asked of the first channel alone."""
        policies: dict[str, Policy] = {
            "daily": Daily((time(13), time(20))),
            "cron": Cron.parse("*/20 * * * *"),
            "never": Never(),
        }
        topics = [
            rule(name, keywords, deliver, DESTINATIONS[where], CHANNELS[:1] if self.only and name == "road" else None)
            for (name, keywords), (deliver, where) in zip(KEYWORDS.items(), self.topics, strict=True)
        ]
        return rules(
            *topics,
            lexicon=lexicon,
            quiet=None if self.quiet is None else QuietHours(*map(time, self.quiet)),
            max_per_minute=self.most,
            max_stories=10_000,
            zone="Europe/London",
            digests=policies[self.digests],
            empty_digests=self.empty,
            fold_window=timedelta(hours=self.fold),
        )


#: Seconds, so that bursts come; minutes, up to the very moments of digests and quiet hours; days, so that much is over.
AFTER = (0, 0, 0.1, 0.1, 0.5, 1, 5, 20, 700, 2900)
WHATS = ("post", "post", "post", "post", "forward", "album", "edit", "edit", "grow", "delete")


def moves_of(whats: Sequence[str] = WHATS, after: Sequence[float] = AFTER) -> st.SearchStrategy[list[Move]]:
    one = st.builds(
        Move,
        what=st.sampled_from(whats),
        after=st.sampled_from(after),
        channel=st.integers(0, len(CHANNELS) - 1),
        text=st.integers(0, len(TEXTS) - 1),
        added=st.integers(0, len(ADDED) - 1),
        which=st.integers(0, 5),
    )
    return st.lists(one, max_size=25)


plans = st.builds(
    Plan,
    topics=st.tuples(
        *[st.tuples(st.sampled_from(["urgent", "alert", "alert", "digest"]), st.integers(0, 1))] * len(KEYWORDS)
    ),
    quiet=st.sampled_from([None, None, (12, 13), (13, 7), (0, 12)]),
    most=st.integers(0, 3),
    digests=st.sampled_from(["daily", "cron", "never"]),
    empty=st.booleans(),
    fold=st.sampled_from([1, 48, 10_000]),
    only=st.booleans(),
)


def stream(moves: Iterable[Move]) -> list[Revision]:
    """The revisions that the moves make; a change of nothing, or of what is gone, makes none."""
    living: list[Post] = []
    made: list[Revision] = []
    minutes = 0.0
    for number, move in enumerate(moves, 1):
        minutes += move.after
        text = TEXTS[move.text] + ADDED[move.added]
        if move.what in ("post", "forward", "album"):
            found = _new(move, text, number, minutes, living)
            living.append(found)
            made.append(Revision(Happening.POSTED, at(minutes), found))
        elif living:
            place = -1 - move.which % len(living)
            made.append(_change(move.what, living[place], text, at(minutes)))
            living[place] = made[-1].post
            if move.what == "delete":
                del living[place]
    return made


def _new(move: Move, text: str, number: int, minutes: float, living: Sequence[Post]) -> Post:
    found = post(text, CHANNELS[move.channel], number, minutes=minutes)
    if move.what == "album":
        return replace(found, album=number, media=(Media(kind="photo"), Media(kind="video", file_name="знамя.mp4")))
    if move.what == "forward" and living:
        source = living[-1 - move.which % len(living)]
        return replace(found, origin=Origin(channel=source.channel.username, post=source.number, date=source.date))
    return found


def _change(what: str, before: Post, text: str, now: datetime) -> Revision:
    match what:
        case "delete":
            return Revision(Happening.DELETED, now, replace(before, deleted=now))
        case "grow":
            return Revision(Happening.GREW, now, replace(before, text=f"{before.text}\n{text}"))
        case _:
            return Revision(Happening.EDITED, now, replace(before, text=text, edited=now))


class Run:
    """A stream judged and told."""

    def __init__(self, moves: Iterable[Move], plan: Plan, lexicon: Lexicon) -> None:
        self.rules = plan.rules(lexicon)
        self.revisions = stream(moves)
        self.judged = list(judgements(self.revisions, self.rules, Footers()))
        self.told = list(tellings(self.revisions, self.rules, Footers()))

    def sent(self) -> Iterator[tuple[datetime, Alert]]:
        """The alerts that are no edits of others."""
        for one in self.told:
            if isinstance(one.message, Alert) and one.instead_of is None:
                yield one.at, one.message

    def bundles(self) -> Iterator[tuple[datetime, Bundle]]:
        """Those that are no edits of others."""
        for one in self.told:
            if isinstance(one.message, Bundle) and one.instead_of is None:
                yield one.at, one.message

    def digests(self) -> Iterator[Digest]:
        return (one.message for one in self.told if isinstance(one.message, Digest))

    def decided(self) -> Iterator[tuple[Judgement, str, Destination, Reason]]:
        for judgement in self.judged:
            for decision in judgement.decisions:
                yield judgement, decision.match.topic, decision.destination, decision.reason

    def urgent(self) -> dict[tuple[PostId, Destination, datetime], list[set[str]]]:
        """Of each post and destination the topics that were decided to be urgent, revision by revision."""
        found: dict[tuple[PostId, Destination, datetime], list[set[str]]] = {}
        for judgement in self.judged:
            for destination in DESTINATIONS:
                topics = {
                    one.match.topic
                    for one in judgement.decisions
                    if one.reason is Reason.URGENT and one.destination == destination
                }
                if topics:
                    found.setdefault((judgement.revision.post.id, destination, judgement.seen), []).append(topics)
        return found


# --- what is decided --------------------------------------------------------------------------------------


@cases
@given(moves=moves_of(after=(*AFTER, -0.5, -80)), plan=plans)
def test_every_match_is_decided_exactly_once(moves: list[Move], plan: Plan, lexicon: Lexicon) -> None:
    run = Run(moves, plan, lexicon)
    decided = [(judgement.revision.post.id, topic) for judgement, topic, _, _ in run.decided()]
    found = {
        (revision.post.id, match.topic)
        for revision in run.revisions
        if revision.happening is not Happening.DELETED
        for match in run.rules.allowed(revision.post.channel, run.rules.matcher.match(revision.post))
    }
    assert sorted(decided, key=str) == sorted(found, key=str)


@cases
@given(moves=moves_of(), plan=plans, cuts=st.lists(st.integers(1, 6), min_size=25, max_size=25))
def test_batches_of_any_size_are_judged_alike(moves: list[Move], plan: Plan, cuts: list[int], lexicon: Lexicon) -> None:
    """Where nothing is forgotten yet: that is done between batches."""
    by = replace(plan._replace(fold=10_000).rules(lexicon), late_after=timedelta.max)  # as in a replay
    turn = list(Happening).index
    revisions = sorted(
        stream(moves),
        key=lambda one: (one.at, one.post.channel.key, turn(one.happening), one.post.number),
    )
    assert list(as_json(_in_batches(revisions, by, cuts))) == list(as_json(judgements(revisions, by, Footers())))


def _in_batches(revisions: Sequence[Revision], by: Rules, cuts: Iterable[int]) -> Iterator[Judgement]:
    stories, pace, known = Stories(by.fold_window), Pace(), dict[PostId, Known]()
    done = 0
    for size in (*cuts, len(revisions)):
        batch = revisions[done : done + size]
        done += size
        arrivals = [Arrival(one, one.at, _known(one, known)) for one in batch]
        outcome = judge(arrivals, by, stories, Footers(), pace)
        stories.merge(outcome.stories)
        pace = outcome.pace
        for one in outcome.judgements:
            post = one.revision.post
            topics = known.get(post.id, Known()).topics | {match.topic for match in one.matches}
            known[post.id] = Known(topics, one.story, post)
        yield from outcome.judgements


def _known(revision: Revision, known: Mapping[PostId, Known]) -> Known | None:
    return None if revision.happening is Happening.POSTED else known.get(revision.post.id, Known())


# --- what is told -----------------------------------------------------------------------------------------


@cases
@given(moves=moves_of(), plan=plans)
def test_within_the_window_a_story_is_told_again_only_for_a_new_topic_or_when_it_becomes_urgent(
    moves: list[Move], plan: Plan, lexicon: Lexicon
) -> None:
    """What a message names is what its readers know."""
    run = Run(moves, plan, lexicon)
    named: dict[tuple[PostId, Destination], list[tuple[datetime, set[str]]]] = {}
    raised: dict[tuple[PostId, Destination], list[tuple[datetime, set[str]]]] = {}
    urgent = run.urgent()
    for one in run.told:
        message = one.message
        if isinstance(message, Digest) or one.instead_of is not None:
            continue
        since = one.at - run.rules.fold_window
        for alert in [message] if isinstance(message, Alert) else message.alerts:
            story = alert.story, alert.destination
            if isinstance(message, Alert) and alert.urgent:
                topics = urgent[alert.post.id, alert.destination, one.at].pop(0)
                assert topics - _of(raised.get(story, ()), since)
                raised.setdefault(story, []).append((one.at, topics))
            elif isinstance(message, Alert):
                assert set(alert.topics) - _of(named.get(story, ()), since)
            named.setdefault(story, []).append((one.at, set(alert.topics)))
    assert not any(urgent.values())


def _of(told: Iterable[tuple[datetime, set[str]]], since: datetime) -> set[str]:
    return {topic for when, topics in told if when >= since for topic in topics}


@cases
@given(moves=moves_of(), plan=plans)
def test_a_message_and_its_edits_are_a_chain_in_which_each_changes_something(
    moves: list[Move], plan: Plan, lexicon: Lexicon
) -> None:
    standing: list[tuple[datetime, Alert | Bundle]] = []
    for one in Run(moves, plan, lexicon).told:
        if isinstance(one.message, Digest):
            assert one.instead_of is None
        elif one.instead_of is None:
            standing.append((one.at, one.message))
        else:
            [place] = [n for n, (_, message) in enumerate(standing) if message == one.instead_of]
            sent, _ = standing[place]
            assert one.message != one.instead_of
            assert one.at - sent <= EDITABLE
            standing[place] = (sent, one.message)


@cases
@given(moves=moves_of(), plan=plans)
def test_what_is_told_never_goes_back_in_time_and_never_ahead_of_its_cause(
    moves: list[Move], plan: Plan, lexicon: Lexicon
) -> None:
    run = Run(moves, plan, lexicon)
    moments = [one.at for one in run.told]
    assert moments == sorted(moments)
    for one in run.told:
        if isinstance(one.message, Bundle | Digest):
            assert one.message.since <= one.message.until <= one.at
            assert one.instead_of is not None or one.message.until == one.at
        else:
            assert one.message.post.date <= one.at


@cases
@given(moves=moves_of(after=(0, 0.1, 0.2, 0.5, 1, 5)), plan=plans)
def test_a_destination_is_not_told_more_a_minute_than_it_allows(
    moves: list[Move], plan: Plan, lexicon: Lexicon
) -> None:
    if plan.most == 0:
        return
    run = Run(moves, plan, lexicon)
    for destination in DESTINATIONS:
        times = sorted(
            [when for when, alert in run.sent() if alert.destination == destination and not alert.urgent]
            + [when for when, b in run.bundles() if b.destination == destination and b.reason is Reason.BURST]
        )
        for start in times:
            assert sum(start <= when < start + MINUTE for when in times) <= plan.most, (destination, times)


@cases
@given(moves=moves_of(), plan=plans)
def test_what_is_held_is_told_when_it_is_due_unless_an_alert_told_it_meanwhile(
    moves: list[Move], plan: Plan, lexicon: Lexicon
) -> None:
    run = Run(moves, plan, lexicon)
    bundles = list(run.bundles())
    held: Counter[tuple[PostId, Destination]] = Counter()
    for judgement in run.judged:
        waiting = [one for one in judgement.decisions if one.due is not None]
        held.update({(judgement.revision.post.id, one.destination) for one in waiting})
        for one in waiting:
            title = run.rules.topics[one.match.topic].title
            here = [
                alert
                for when, bundle in bundles
                if (when, bundle.destination, bundle.reason) == (one.due, one.destination, one.reason)
                for alert in bundle.alerts
                if alert.story == judgement.story and title in alert.topics
            ]
            assert here or any(
                alert.story == judgement.story and title in alert.topics and judgement.seen <= when <= (one.due or when)
                for when, alert in run.sent()
                if alert.destination == one.destination
            )
    assert Counter((alert.post.id, b.destination) for _, b in bundles for alert in b.alerts) <= held
    for when, bundle in bundles:
        for alert in bundle.alerts:
            assert not any(
                sent.story == alert.story and set(alert.topics) <= set(sent.topics) and bundle.since <= at_ < when
                for at_, sent in run.sent()
                if sent.destination == bundle.destination
            )
    keys = [(when, bundle.destination, bundle.reason) for when, bundle in bundles]
    assert len(keys) == len(set(keys))


@cases
@given(moves=moves_of(["post", "forward", "album"]), plan=plans)
def test_each_digest_holds_the_matches_of_its_period_and_no_others(
    moves: list[Move], plan: Plan, lexicon: Lexicon
) -> None:
    run = Run(moves, plan, lexicon)
    decided = list(run.decided())
    digests = list(run.digests())
    for digest in digests:
        here = [
            (run.rules.topics[topic].title, judgement)
            for judgement, topic, destination, _ in decided
            if destination == digest.destination and _within(digest, judgement.seen, digests)
        ]
        assert {topic.title: topic.posts for topic in digest.topics} == Counter(title for title, _ in here)
        assert digest.posts == len({judgement.revision.post.id for _, judgement in here})
        assert digest.stories == len({judgement.story for _, judgement in here})
        for part in digest.topics:
            stories = {judgement.story for title, judgement in here if title == part.title}
            assert (len(part.stories), part.more) == (len(stories), 0)
            assert sum(part.bars) == part.posts


def _within(digest: Digest, moment: datetime, digests: Sequence[Digest]) -> bool:
    """The very first period begins with its first moment, and ends with it if that is a digest's."""
    first = min((one.since, one.until) for one in digests)
    return digest.since < moment <= digest.until or ((digest.since, digest.until) == first and moment == digest.since)


@cases
@given(moves=moves_of(), plan=plans)
def test_all_digests_together_hold_every_match_and_more_only_of_what_was_changed(
    moves: list[Move], plan: Plan, lexicon: Lexicon
) -> None:
    run = Run(moves, plan, lexicon)
    listed = Counter((d.destination, part.title) for d in run.digests() for part in d.topics for _ in range(part.posts))
    decided = Counter((destination, run.rules.topics[topic].title) for _, topic, destination, _ in run.decided())
    if plan.digests == "never":
        assert not listed
        return
    assert decided <= listed
    changes = sum(one.happening in (Happening.EDITED, Happening.DELETED) for one in run.revisions)
    assert (listed - decided).total() <= changes * len(KEYWORDS)
    for destination, periods in groupby(sorted(run.digests(), key=_place), key=lambda one: one.destination):
        rows = list(periods)
        assert all(a.until <= b.since for a, b in pairwise(rows)), destination


def _place(digest: Digest) -> tuple[str, datetime]:
    return str(digest.destination), digest.since


@cases
@given(moves=moves_of(), plan=plans)
def test_every_message_is_one_that_telegram_takes(moves: list[Move], plan: Plan, lexicon: Lexicon) -> None:
    run = Run(moves, plan, lexicon)
    zone = run.rules.zone
    for one in run.told:
        match one.message:
            case Alert():
                rendered = rendered_alert(one.message, zone)
                check(rendered)
                assert len(rendered.text) <= 1200
            case Bundle():
                check_all([part.message for part in rendered_bundle(one.message, zone)])
            case Digest():
                check_all(rendered_digest(one.message, zone))


@cases
@given(moves=moves_of([what for what in WHATS if what != "grow"]), plan=plans)
def test_a_person_reads_of_every_edit_what_it_adds(moves: list[Move], plan: Plan, lexicon: Lexicon) -> None:
    """A recording's albums are whole before they are judged, so that here none grows."""
    run = Run(moves, plan, lexicon)
    for one in run.told:
        text = as_text(one, run.rules.zone, Style(colour=False))
        assert text.startswith("──── ")
        assert text.endswith("\n\n")
        assert text == harmless(text)
        assert "also in  ────" not in text


@cases
@given(moves=moves_of(after=(*AFTER, -0.5, -80)), plan=plans)
def test_the_same_stream_is_always_told_the_same(moves: list[Move], plan: Plan, lexicon: Lexicon) -> None:
    def told() -> list[Telling]:
        return list(tellings(stream(moves), plan.rules(lexicon), Footers()))

    assert told() == told()
