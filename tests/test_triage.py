"""What becomes of one match, rule by rule."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Deliver, Reason, Verdict
from bot.triage import Case, Pace, triage
from tests.made import DESK, ME, at

CASES = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "150")), deadline=None)
ALERT = Case(deliver=Deliver.ALERT, seen=at())
URGENT = Case(deliver=Deliver.URGENT, seen=at())
DIGEST = Case(deliver=Deliver.DIGEST, seen=at())
LATER = at(60)


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        pytest.param(ALERT, Reason.NEW, id="a new story is told at once"),
        pytest.param(URGENT, Reason.URGENT, id="an urgent one too"),
        pytest.param(DIGEST, Reason.DIGEST, id="a topic of the digest waits for it"),
        pytest.param(replace(ALERT, told=False), Reason.FOLDED, id="a story that is known is not told again"),
        pytest.param(replace(ALERT, told=True), Reason.FOLDED, id="nor one that was told as urgent"),
        pytest.param(replace(ALERT, told=False, changed=True), Reason.STORY, id="nor when an edit brings it"),
        pytest.param(replace(URGENT, told=True), Reason.FOLDED, id="what was told as urgent is not urgent again"),
        pytest.param(replace(URGENT, told=False), Reason.URGENT, id="what becomes urgent is told again"),
        pytest.param(replace(ALERT, changed=True, edited=True), Reason.EDIT, id="an edit that brings a hit is told"),
        pytest.param(replace(ALERT, changed=True), Reason.NEW, id="an album that grew is no edit"),
        pytest.param(replace(URGENT, edited=True), Reason.URGENT, id="urgent goes before edit"),
        pytest.param(replace(ALERT, quiet=LATER), Reason.QUIET, id="alerts wait for the end of quiet hours"),
        pytest.param(replace(URGENT, quiet=LATER), Reason.URGENT, id="urgent ones do not"),
        pytest.param(replace(ALERT, quiet=LATER, rides=True), Reason.NEW, id="an urgent alert takes others along"),
        pytest.param(replace(ALERT, burst=LATER), Reason.BURST, id="too many alerts fold into one message"),
        pytest.param(replace(URGENT, burst=LATER), Reason.URGENT, id="urgent ones are never folded"),
        pytest.param(replace(ALERT, burst=LATER, rides=True), Reason.NEW, id="nor what goes along with one"),
        pytest.param(replace(ALERT, late=timedelta(hours=1)), Reason.LATE, id="a late post is told while away"),
        pytest.param(replace(URGENT, late=timedelta(hours=1)), Reason.LATE, id="an urgent one too"),
        pytest.param(replace(ALERT, late=timedelta(hours=1), quiet=LATER), Reason.QUIET, id="quiet waits for both"),
        pytest.param(replace(ALERT, late=timedelta(hours=7), quiet=LATER), Reason.LATE, id="too late is too late"),
        pytest.param(replace(URGENT, history=True), Reason.HISTORY, id="a first reading never alerts"),
        pytest.param(replace(DIGEST, history=True), Reason.HISTORY, id="nor waits for the next digest"),
        pytest.param(replace(DIGEST, told=False), Reason.DIGEST, id="a digest lists every match"),
    ],
)
def test_the_first_rule_that_applies_decides(case: Case, reason: Reason) -> None:
    assert triage(case).reason is reason


def test_what_is_held_says_until_when() -> None:
    assert triage(replace(ALERT, quiet=LATER)).due == LATER
    assert triage(replace(ALERT, burst=LATER)).due == LATER
    assert triage(replace(ALERT, late=timedelta(hours=6))).due == at()


def test_what_is_older_than_six_hours_is_left_to_the_digest() -> None:
    ruling = triage(replace(ALERT, late=timedelta(hours=6, seconds=1)))
    assert (ruling.reason, ruling.due) == (Reason.LATE, None)


cases = st.builds(
    Case,
    deliver=st.sampled_from(Deliver),
    seen=st.just(at()),
    history=st.booleans(),
    changed=st.booleans(),
    edited=st.booleans(),
    late=st.none() | st.timedeltas(timedelta(minutes=31), timedelta(days=2)),
    told=st.none() | st.booleans(),
    rides=st.booleans(),
    quiet=st.none() | st.just(LATER),
    burst=st.none() | st.just(LATER),
)


@pytest.mark.fuzz
@CASES
@given(cases)
def test_whatever_the_case(case: Case) -> None:
    ruling = triage(case)
    verdict = ruling.reason.verdict
    if case.history or case.deliver is Deliver.DIGEST:
        assert verdict is Verdict.HOLD
    if verdict is Verdict.ALERT:
        assert not case.late
        assert case.deliver is Deliver.URGENT or case.rides or not (case.quiet or case.burst)
    if verdict is Verdict.DROP:
        assert case.told is not None
    assert (ruling.due is not None) <= (verdict is Verdict.HOLD)


def test_the_eleventh_alert_within_a_minute_is_folded_until_there_is_room() -> None:
    pace = Pace()
    for second in range(10):
        assert pace.folded_until(ME, at(second / 60), 10) is None
        pace.alerted(ME, at(second / 60))
    assert pace.folded_until(ME, at(10 / 60), 10) == at(1)
    assert pace.folded_until(DESK, at(10 / 60), 10) is None


def test_what_is_folded_is_told_together_and_counts_as_one() -> None:
    pace = Pace()
    pace.alerted(ME, at(0))
    pace.alerted(ME, at(0.5))
    due = pace.folded_until(ME, at(0.6), 2)
    assert due == at(1)
    pace.folds(ME, due)
    pace.folds(ME, due)
    assert pace.folded_until(ME, at(0.9), 2) == due
    # The message of 1:00 and the alert of 0:30 are two within the minute.
    assert pace.folded_until(ME, at(1.2), 2) == at(1.5)
    assert pace.folded_until(ME, at(1.6), 2) is None


def test_nothing_is_folded_where_the_limit_is_switched_off() -> None:
    pace = Pace()
    for _ in range(50):
        pace.alerted(ME, at())
    assert pace.folded_until(ME, at(), 0) is None


@pytest.mark.fuzz
@CASES
@given(st.integers(1, 5), st.lists(st.integers(0, 600), max_size=60).map(sorted))
def test_no_minute_ever_has_more_messages_than_allowed(most: int, seconds: list[int]) -> None:
    pace = Pace()
    messages: list[datetime] = []
    for second in seconds:
        now = at() + timedelta(seconds=second)
        due = pace.folded_until(ME, now, most)
        if due is None:
            pace.alerted(ME, now)
            messages.append(now)
        else:
            assert due > now
            pace.folds(ME, due)
            if due not in messages:
                messages.append(due)
    for moment in messages:
        assert sum(moment - timedelta(minutes=1) < other <= moment for other in messages) <= most


def test_a_copy_goes_its_own_way() -> None:
    pace = Pace()
    copy = pace.copy()
    copy.alerted(ME, at())
    assert pace.folded_until(ME, at(0.1), 1) is None
    assert copy.folded_until(ME, at(0.1), 1) == at(1)


def test_what_was_told_by_a_clock_that_was_ahead_counts_no_more_when_it_is_right() -> None:
    pace = Pace()
    for _ in range(3):
        pace.alerted(ME, at(99))
    due = pace.folded_until(ME, at(99), 3)
    assert due == at(100)
    pace.folds(ME, due)
    assert pace.folded_until(ME, at(5), 3) is None
    pace.alerted(ME, at(5))
    assert pace.folded_until(ME, at(5.1), 1) == at(6)


def test_a_restart_resumes_the_pace() -> None:
    pace = Pace.resumed({ME: [at()]}, {})
    assert pace.folded_until(ME, at(0.5), 1) == at(1)
