"""What is read next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.watch.agenda import Agenda, Job, Work

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALFA, BRAVO = -1001000000001, -1001000000002


def job(work: Work, channel: int = ALFA, *, minutes: float = 0, upto: int | None = None) -> Job:
    return Job(work=work, channel=channel, since=NOON + timedelta(minutes=minutes), upto=upto)


def agenda(*jobs: Job) -> Agenda:
    made = Agenda()
    for one in jobs:
        made.add(one)
    return made


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
