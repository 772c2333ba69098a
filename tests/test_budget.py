"""How many calls a budget allows, what a wait does to it, and how it recovers."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.budget import (
    BURST,
    LEAST_SHARE,
    QUIET,
    Bucket,
    Curb,
    Rule,
    Window,
    account_of,
    affords,
    curbed,
    drawn,
    filled,
    full,
    opens,
    rebased,
    remembered,
    rule_of,
    share_of,
)

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
PAGES = rule_of("messages.getHistory")
RESOLVING = rule_of("contacts.resolveUsername")
JOINING = rule_of("channels.joinChannel")
cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "150")), deadline=None)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def allowed(rule: Rule, count: int, share: float = 1.0) -> list[float]:
    """When so many calls are made by somebody who calls as soon as it is allowed, in seconds from noon."""
    now, calls, moments = NOON, list[datetime](), []
    for _ in range(count):
        calls = remembered(calls, rule, now)
        now = opens(rule, calls, share, now)
        calls.append(now)
        moments.append((now - NOON).total_seconds())
    return moments


def test_twenty_six_pages_are_read_at_once_and_the_next_after_31_seconds() -> None:
    assert allowed(PAGES, 27) == [0] * 26 + [31]


def test_a_window_slides() -> None:
    calls = [at(-30), *[at(-1)] * 25]
    assert opens(PAGES, calls, 1, NOON) == at(1)


def test_a_call_leaves_the_window_exactly_when_it_is_as_old_as_the_window_is_long() -> None:
    calls = [at(-31)] * 26
    assert remembered(calls, PAGES, NOON) == []
    assert opens(PAGES, calls, 1, NOON) == NOON


def test_an_unnamed_method_has_twenty_calls_in_thirty_seconds_and_is_not_kept() -> None:
    rule = rule_of("messages.getPeerDialogs")
    assert allowed(rule, 21) == [0] * 20 + [30]
    assert not rule.kept


def test_twenty_names_are_resolved_at_once_then_one_in_fifteen_seconds() -> None:
    assert allowed(RESOLVING, 23) == [0] * 20 + [15, 30, 45]


def test_sixty_names_are_resolved_a_day() -> None:
    moments = allowed(RESOLVING, 61)
    assert moments[59] == 40 * 15
    assert moments[60] == 86_400


def test_five_channels_are_joined_at_once_then_one_in_three_minutes() -> None:
    assert allowed(JOINING, 7) == [0] * 5 + [180, 360]


def test_the_pause_between_joins_is_up_to_five_minutes_by_chance() -> None:
    last = at(0.75)
    assert opens(JOINING, [NOON] * 5 + [last], 1, last) == last + timedelta(minutes=4.5)


def test_twenty_channels_are_joined_a_day() -> None:
    moments = allowed(JOINING, 21)
    assert moments[19] == 15 * 180
    assert moments[20] == 86_400


def test_an_accepted_invitation_counts_as_a_channel_joined() -> None:
    assert account_of("messages.importChatInvite") == "channels.joinChannel"
    assert rule_of("messages.importChatInvite") is JOINING
    assert account_of("messages.getHistory") == "messages.getHistory"


@pytest.mark.parametrize("method", ["messages.sendMessage", "messages.editMessage", "messages.forwardMessages"])
def test_messages_are_not_paced_here(method: str) -> None:
    assert allowed(rule_of(method), 100) == [0] * 100


@pytest.mark.parametrize("method", ["messages.getHistory", "channels.getMessages", "channels.joinChannel"])
def test_what_telegram_counts_strictly_outlives_a_restart(method: str) -> None:
    assert rule_of(method).kept


def test_half_a_share_is_half_the_calls() -> None:
    assert allowed(PAGES, 14, 0.5) == [0] * 13 + [31]


def test_half_a_share_of_one_call_is_twice_the_pause() -> None:
    assert allowed(RESOLVING, 12, 0.5) == [0] * 10 + [30, 60]


def test_the_least_share_still_allows_calls() -> None:
    assert allowed(PAGES, 3, LEAST_SHARE) == [0, 0, 31]
    assert allowed(RESOLVING, 4, LEAST_SHARE) == [0] * 2 + [150, 300]


def test_a_wait_halves_the_share() -> None:
    curb = curbed(None, timedelta(seconds=30), NOON)
    assert curb == Curb(at(30), 0.5, NOON)
    assert share_of(curb, NOON) == 0.5


def test_calls_that_were_on_their_way_together_halve_the_share_once() -> None:
    curb = curbed(None, timedelta(seconds=30), NOON)
    assert curbed(curb, timedelta(seconds=40), at(5)) == Curb(at(45), 0.5, NOON)
    assert curbed(curb, timedelta(seconds=1), at(5)) == curb


def test_the_share_grows_by_a_tenth_for_each_ten_quiet_minutes_after_the_wait() -> None:
    curb = Curb(NOON, 0.5, at(-30))
    assert share_of(curb, NOON + QUIET - timedelta(seconds=1)) == 0.5
    assert share_of(curb, NOON + QUIET) == 0.6
    assert share_of(curb, NOON + 5 * QUIET) == 1
    assert share_of(curb, NOON + 500 * QUIET) == 1


def test_a_second_wait_halves_what_has_grown_again() -> None:
    curb = curbed(Curb(NOON, 0.5, NOON), timedelta(seconds=5), NOON + QUIET)
    assert curb.share == 0.3


def test_the_share_never_falls_below_the_least() -> None:
    assert curbed(Curb(NOON, LEAST_SHARE, NOON), timedelta(seconds=5), NOON).share == LEAST_SHARE


def test_a_clock_that_was_ahead_stops_nothing_for_longer_than_it_should() -> None:
    assert remembered([at(86_400)] * 26, PAGES, NOON) == [NOON] * 26
    assert rebased(Curb(at(86_430), 0.5, at(86_400)), NOON) == Curb(at(30), 0.5, NOON)


def test_a_wait_of_the_past_is_left_as_it_is() -> None:
    curb = Curb(at(10), 0.5, at(-20))
    assert rebased(curb, NOON) is curb


# --- the budget for all -------------------------------------------------------------------------------------

SWEEP = rule_of("messages.getPeerDialogs")
DIFFERENCE = rule_of("updates.getChannelDifference")
SENDING = rule_of("messages.sendMessage")
CONNECTING = rule_of("users.getUsers")


def emptied(rule: Rule, bucket: Bucket) -> int:
    """How many calls of a rule there are in a bucket, before they have to wait."""
    count = 0
    while affords(bucket, rule, NOON) <= NOON:
        bucket = drawn(bucket, rule, NOON)
        count += 1
    return count


def test_a_bucket_fills_at_twenty_calls_a_minute_and_never_over() -> None:
    assert filled(Bucket(5, NOON), at(60)) == Bucket(25, at(60))
    assert filled(Bucket(BURST - 1, NOON), at(60)) == full(at(60))


def test_a_channel_each_of_as_many_as_an_account_may_be_in_is_read_out_of_a_full_bucket() -> None:
    assert emptied(PAGES, full(NOON)) >= 500


def test_what_matters_less_leaves_calls_to_what_matters_more() -> None:
    assert emptied(DIFFERENCE, full(NOON)) == BURST - 200
    assert emptied(PAGES, full(NOON)) == BURST - 20
    assert emptied(SWEEP, full(NOON)) == BURST


def test_who_finds_too_little_waits_until_enough_has_dripped_in() -> None:
    assert affords(Bucket(0, NOON), SWEEP, NOON) == at(3)
    assert affords(Bucket(0, NOON), PAGES, NOON) == at(63)
    assert affords(Bucket(20.5, NOON), PAGES, NOON) == at(1.5)


def test_connecting_is_counted_and_waits_for_nothing() -> None:
    assert affords(Bucket(0, NOON), CONNECTING, NOON) == NOON
    assert drawn(Bucket(1.5, NOON), CONNECTING, NOON) == Bucket(0.5, NOON)
    assert drawn(Bucket(0.5, NOON), CONNECTING, NOON) == Bucket(0, NOON)


def test_messages_that_are_sent_are_not_of_the_budget_for_reading() -> None:
    assert affords(Bucket(0, NOON), SENDING, NOON) == NOON
    assert drawn(Bucket(7, NOON), SENDING, NOON) == Bucket(7, NOON)


def test_a_clock_that_was_ahead_neither_fills_nor_empties_the_bucket() -> None:
    assert filled(Bucket(7, at(86_400)), NOON) == Bucket(7, NOON)


# --- any sequence of calls and waits -----------------------------------------------------------------------

seconds = st.floats(0, 400, allow_nan=False)
windows = st.lists(
    st.builds(Window, st.integers(1, 30), st.integers(1, 300).map(lambda n: timedelta(seconds=n)), st.integers(0, 20)),
    max_size=3,
)
rules = st.one_of(
    st.sampled_from([PAGES, RESOLVING, JOINING, rule_of("users.getUsers")]),
    windows.map(lambda some: Rule(windows=tuple(some))),
)
#: A pause before the next call, and the wait that Telegram answers it with, if any.
steps = st.lists(st.tuples(seconds, st.none() | st.integers(1, 1000)), max_size=80)


@pytest.mark.fuzz
@cases
@given(rules, steps)
def test_no_window_ever_holds_more_than_its_share_and_waits_are_obeyed(
    rule: Rule, steps: list[tuple[float, int | None]]
) -> None:
    now, made, curb = NOON, list[datetime](), None
    for pause, wait in steps:
        now += timedelta(seconds=pause)
        if curb is not None:
            now = max(now, curb.until)
        while (opening := opens(rule, remembered(made, rule, now), share_of(curb, now), now)) > now:
            now = opening
        made.append(now)
        part = share_of(curb, now)
        for most, span, free in rule.windows:
            day = [call for call in made if call > now - rule.memory]
            held = [call for call in day if call > now - span]
            assert len(held) <= max(1, most * part, free * part if len(day) <= free * part else 0)
        if wait is not None:
            curb = curbed(curb, timedelta(seconds=wait), now)
            assert curb.until >= now + timedelta(seconds=wait)
            assert LEAST_SHARE <= curb.share <= max(LEAST_SHARE, part / 2)


@pytest.mark.fuzz
@cases
@given(st.lists(st.tuples(seconds, st.integers(1, 1000)), min_size=1, max_size=30))
def test_the_pace_recovers_wholly_from_any_waits(waits: list[tuple[float, int]]) -> None:
    now, curb = NOON, None
    for pause, wait in waits:
        now += timedelta(seconds=pause)
        curb = curbed(curb, timedelta(seconds=wait), now)
    assert curb is not None
    assert share_of(curb, curb.until) < 1
    assert share_of(curb, curb.until + 10 * QUIET) == 1


@pytest.mark.fuzz
@cases
@given(rules, st.lists(seconds, max_size=60), st.floats(LEAST_SHARE, 1))
def test_a_window_opens_no_later_than_its_longest_stretch(rule: Rule, pauses: list[float], share: float) -> None:
    now, calls = NOON, list[datetime]()
    for pause in pauses:
        now += timedelta(seconds=pause)
        calls = remembered([*calls, now], rule, now)
    longest = max((span / min(1, most * share) for most, span, _ in rule.windows), default=timedelta(0))
    assert now <= opens(rule, calls, share, now) <= now + longest + rule.spread


@pytest.mark.fuzz
@cases
@given(st.lists(st.tuples(st.sampled_from([SWEEP, PAGES, DIFFERENCE]), seconds), min_size=1, max_size=200))
def test_however_it_is_called_no_stretch_holds_more_than_twenty_a_minute_and_a_burst(
    wanted: list[tuple[Rule, float]],
) -> None:
    now, bucket, made = NOON, Bucket(30, NOON), list[datetime]()
    for rule, pause in wanted:
        now = max(now + timedelta(seconds=pause / 100), affords(bucket, rule, now))
        if affords(bucket, rule, now) > now:  # it waited for a part of a second, and others were quicker
            continue
        bucket = drawn(bucket, rule, now)
        made.append(now)
    for place, first in enumerate(made):
        for count, last in enumerate(made[place:], 1):
            assert count <= 30 + (last - first).total_seconds() / 3 + 1e-3
