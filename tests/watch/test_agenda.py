"""What is read next."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.watch.agenda import Agenda, Job, Work

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALFA, BRAVO = -1001000000001, -1001000000002
CHARLIE = -1001000000003
LONG_AGO = datetime.min.replace(tzinfo=UTC)
cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "100")), deadline=None)


def job(work: Work, channel: int = ALFA, *, minutes: float = 0, upto: int | None = None, behind: int = 0) -> Job:
    return Job(work=work, channel=channel, since=NOON + timedelta(minutes=minutes), upto=upto, behind=behind)


def agenda(*jobs: Job) -> Agenda:
    made = Agenda()
    for one in jobs:
        made.add(one)
    return made


def order(made: Agenda) -> list[int]:
    taken = []
    while (one := made.take(NOON)) is not None:
        taken.append(one.channel)
    return taken


def works(made: Agenda) -> list[Work]:
    taken = []
    while (one := made.take(NOON)) is not None:
        taken.append(one.work)
    return taken


def test_the_most_important_goes_first_whenever_it_came() -> None:
    made = agenda(
        job(Work.CHECK, -1), job(Work.HISTORY, -2), job(Work.POLL, -3), job(Work.GAP, -4, minutes=9), job(Work.NEW, -5)
    )
    assert works(made) == [Work.GAP, Work.NEW, Work.HISTORY, Work.POLL, Work.CHECK]


def test_of_the_same_importance_the_longest_unread_goes_first() -> None:
    made = agenda(job(Work.NEW, ALFA, minutes=2), job(Work.NEW, BRAVO, minutes=1))
    first = made.take(NOON)
    assert first is not None
    assert first.channel == BRAVO


def test_of_two_unread_for_as_long_the_one_that_is_further_behind_goes_first() -> None:
    made = agenda(job(Work.GAP, ALFA, minutes=-2, behind=1), job(Work.NEW, BRAVO, minutes=-2, behind=300))
    assert order(made) == [BRAVO, ALFA]


def test_a_page_ends_no_more_waiting_than_it_can_bring_posts() -> None:
    made = agenda(job(Work.NEW, ALFA, minutes=-2, behind=5_000), job(Work.NEW, BRAVO, minutes=-3, behind=100))
    assert order(made) == [BRAVO, ALFA]


def test_one_post_that_was_long_unknown_goes_before_many_of_just_now() -> None:
    made = agenda(job(Work.NEW, ALFA, minutes=-1, behind=9), job(Work.NEW, BRAVO, minutes=-6, behind=1))
    assert order(made) == [BRAVO, ALFA]


def test_channels_never_read_by_this_process_go_first_the_busiest_before_all() -> None:
    never = replace(job(Work.NEW, BRAVO, behind=1), since=LONG_AGO)
    made = agenda(job(Work.GAP, ALFA, minutes=-60, behind=90), never, replace(never, channel=CHARLIE, behind=7))
    assert order(made) == [CHARLIE, BRAVO, ALFA]


def test_every_fourth_reading_is_of_who_has_waited_longest_for_a_turn() -> None:
    waiting = job(Work.NEW, ALFA, minutes=-1, behind=1)
    busy = [job(Work.GAP, -number, minutes=-9, behind=100) for number in range(1, 6)]
    assert order(agenda(waiting, *busy)) == [-5, -4, -3, ALFA, -2, -1]


def test_how_far_behind_a_channel_is_is_the_most_that_was_heard() -> None:
    made = agenda(job(Work.NEW, upto=20, behind=9), job(Work.GAP, upto=12, behind=1))
    assert made.take(NOON) == job(Work.GAP, upto=20, behind=9)


def test_a_channel_is_read_once_for_all_who_say_that_there_is_something() -> None:
    made = agenda(job(Work.POLL), job(Work.NEW, upto=12), job(Work.GAP, upto=11), job(Work.NEW, upto=15))
    assert works(made) == [Work.GAP]


def test_the_highest_number_that_was_heard_of_is_read_up_to() -> None:
    made = agenda(job(Work.NEW, upto=15), job(Work.GAP, upto=12))
    assert made.take(NOON) == job(Work.GAP, upto=15)


def test_what_is_read_whatever_was_heard_of_stays_so() -> None:
    made = agenda(job(Work.POLL), job(Work.GAP, upto=12))
    assert made.take(NOON) == job(Work.GAP)


def test_history_and_checks_of_a_channel_are_jobs_of_their_own() -> None:
    made = agenda(job(Work.GAP), job(Work.HISTORY), job(Work.CHECK), job(Work.CHECK))
    assert len(made) == 3


def test_a_dropped_channel_is_read_no_more() -> None:
    made = agenda(job(Work.GAP), job(Work.HISTORY), job(Work.GAP, BRAVO))
    made.drop(ALFA)
    assert len(made) == 1


def test_what_failed_waits_for_its_moment_and_holds_up_nobody() -> None:
    later = NOON + timedelta(seconds=10)
    made = agenda(job(Work.GAP).again(later), job(Work.CHECK, BRAVO))
    assert made.next_moment() == later
    assert works(made) == [Work.CHECK]
    tried = made.take(later)
    assert tried is not None
    assert tried.tries == 1


def test_more_word_of_a_channel_does_not_shorten_its_wait() -> None:
    made = agenda(job(Work.NEW).again(NOON + timedelta(seconds=10)), job(Work.GAP))
    assert made.take(NOON) is None


def test_work_that_is_held_back_is_left_standing() -> None:
    made = agenda(job(Work.CHECK))
    assert made.take(NOON, without=[Work.CHECK]) is None
    assert made.take(NOON) == job(Work.CHECK)


def test_polling_does_not_starve_what_is_less_important() -> None:
    made = agenda(*(job(Work.POLL, -number) for number in range(1, 9)), job(Work.HISTORY), job(Work.CHECK))
    taken = works(made)
    assert taken[:4] == [Work.POLL, Work.POLL, Work.HISTORY, Work.POLL]
    assert taken.index(Work.CHECK) == 5


def test_what_is_known_to_be_missing_gives_way_to_history_and_not_to_checks() -> None:
    made = agenda(*(job(Work.GAP, -number) for number in range(1, 9)), job(Work.HISTORY), job(Work.CHECK))
    taken = works(made)
    assert taken[:4] == [Work.GAP, Work.GAP, Work.HISTORY, Work.GAP]
    assert taken[-1] is Work.CHECK


def test_histories_are_read_a_page_each_in_turn() -> None:
    made = agenda(job(Work.HISTORY, ALFA), job(Work.HISTORY, BRAVO, minutes=-5))
    taken = []
    for _ in range(4):
        one = made.take(NOON)
        assert one is not None
        taken.append(one.channel)
        made.add(one)
    assert taken == [ALFA, BRAVO, ALFA, BRAVO]


def test_what_was_alerted_is_checked_before_all_that_is_not_new() -> None:
    made = agenda(job(Work.CHECK, -1), job(Work.ALERTED, -2), job(Work.HISTORY, -3), job(Work.GAP, -4))
    assert works(made) == [Work.GAP, Work.ALERTED, Work.HISTORY, Work.CHECK]


def test_what_was_alerted_is_checked_after_two_pages_of_what_is_new() -> None:
    made = agenda(*(job(Work.GAP, -number) for number in range(1, 9)), job(Work.ALERTED))
    assert works(made)[:4] == [Work.GAP, Work.GAP, Work.ALERTED, Work.GAP]


def test_of_two_checks_of_one_channel_the_one_in_haste_stays() -> None:
    made = agenda(job(Work.CHECK), job(Work.ALERTED), job(Work.CHECK))
    assert works(made) == [Work.ALERTED]


def test_a_check_is_done_at_last_whatever_is_missing() -> None:
    made = agenda(job(Work.CHECK, BRAVO))
    for taken in range(100):
        made.add(job(Work.GAP, -taken))
        one = made.take(NOON)
        assert one is not None
        if one.work is Work.CHECK:
            assert taken == 20
            return
    raise AssertionError("it was never done")


# --- whatever comes ------------------------------------------------------------------------------------------

#: What comes while one waits: a channel, its work, since how many minutes and how far behind.
arrivals = st.tuples(st.integers(1, 12), st.sampled_from(Work), st.integers(-600, 10), st.integers(0, 5_000))


@pytest.mark.fuzz
@cases
@given(st.sampled_from(Work), st.lists(arrivals, max_size=20), st.lists(arrivals, min_size=1, max_size=40))
def test_no_job_starves_however_busy_others_are(
    work: Work, before: list[tuple[int, Work, int, int]], later: list[tuple[int, Work, int, int]]
) -> None:
    made = agenda(*(job(kind, -number, minutes=since, behind=behind) for number, kind, since, behind in before))
    made.add(replace(job(work, ALFA), since=NOON))  # the least there is: of just now, and nothing known to be missing
    ahead = len(made)
    for turn in range(30 * (ahead + 1)):
        now = NOON + timedelta(seconds=turn)
        for number, kind, since, behind in (later[turn % len(later)], later[-1]):
            made.add(job(kind, -number, minutes=since, behind=behind))
        one = made.take(now)
        assert one is not None
        if one.channel == ALFA:
            return
        # Whoever was read is never done, and remembers that nobody knows since when.
        made.add(replace(one, since=LONG_AGO, behind=5_000))
    raise AssertionError("it was never read")
