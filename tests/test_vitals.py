"""What ails a service, said of values alone: what it saw of itself, what is seen of it, and the time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.vitals import Ailment, Code, Disk, Link, Outside, Reached, Severity, Vitals, Wait, ailments, lasting
from tests.made import at

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
GB = 1_000_000_000
NOW = at(60)
WELL = Vitals(
    started=at(0),
    written=NOW - 4 * SECOND,
    link=Link.UP,
    answered=NOW - 20 * SECOND,
    passed=NOW - 50 * SECOND,
    behind=0,
    waiting=0,
    skew=None,
    sweep_every=MINUTE,
)
ALFA = Reached("@alfa_demo", NOW - 50 * SECOND, 0)
QUIET = Outside(data_dir=Path("/srv/data"), running=True, disk=Disk(40 * GB, 80 * GB), channels=(ALFA,))
LATE = replace(WELL, passed=NOW - 4 * MINUTE)
BEHIND = Reached("@bravo_demo", NOW - 4 * MINUTE, 1200)


def codes(found: Iterable[Ailment]) -> list[str]:
    return [one.code.value for one in found]


def test_a_service_that_does_its_work_is_well() -> None:
    assert ailments(WELL, QUIET, NOW) == ()


def test_each_code_is_told_apart_by_its_severity() -> None:
    degraded = {
        *("too-old", "clock", "backlog", "refused", "not-found", "folder", "silent", "destination", "behind"),
        *("flood-wait", "configuration"),
    }
    assert {code.value for code in Code if code.severity is Severity.DEGRADED} == degraded
    assert [code.severity for code in Code] == sorted((code.severity for code in Code), reverse=True)


def test_a_service_that_does_not_run_is_told_so_and_nothing_else() -> None:
    [found] = ailments(None, replace(QUIET, running=False, channels=(BEHIND,)), NOW)
    assert found == (Code.NOT_RUNNING, "no service runs in /srv/data; start it: vedette run")


def test_whoever_would_start_it_is_told_that_the_session_has_ended() -> None:
    said = "The reader's session has expired: stop the service, run vedette login, start it again"
    [found] = ailments(None, replace(QUIET, running=False, session=said), NOW)
    assert found.what == f"no service runs in /srv/data; start it: vedette run. It said last: {said}"


def test_what_an_earlier_process_saw_does_not_count_when_none_runs() -> None:
    assert codes(ailments(WELL, replace(QUIET, running=False), NOW)) == ["not-running"]


def test_a_service_that_has_written_nothing_yet_is_starting() -> None:
    assert codes(ailments(None, QUIET, NOW)) == ["starting"]


@pytest.mark.parametrize(("seconds", "found"), [(30, []), (31, ["hangs"]), (-3600, [])])
def test_without_a_sign_of_life_for_half_a_minute_it_hangs(seconds: int, found: list[str]) -> None:
    assert codes(ailments(replace(WELL, written=NOW - seconds * SECOND), QUIET, NOW)) == found


def test_what_follows_from_hanging_is_not_told() -> None:
    hanging = replace(LATE, written=NOW - 20 * MINUTE, answered=NOW - 20 * MINUTE)
    [found] = ailments(hanging, replace(QUIET, channels=(BEHIND,)), NOW)
    assert found.what == "the service has given no sign of life for 20 min; look at its log, and start it anew"


def test_until_the_first_pass_has_ended_it_is_not_healthy_however_much_is_read() -> None:
    first = replace(WELL, started=NOW - 12 * SECOND, passed=None, waiting=312)
    [found] = ailments(first, replace(QUIET, channels=(BEHIND,)), NOW)
    assert found == (
        Code.STARTING,
        "the first pass over the channels, begun 12 s ago, has not ended yet (312 readings wait); wait",
    )


@pytest.mark.parametrize(("seconds", "found"), [(180, []), (181, ["no-answer"])])
def test_telegram_may_be_silent_for_three_minutes(seconds: int, found: list[str]) -> None:
    assert codes(ailments(replace(WELL, answered=NOW - seconds * SECOND), QUIET, NOW)) == found


def test_telegram_that_never_answered_is_silent_since_the_start() -> None:
    unheard = replace(WELL, answered=None, passed=None, link=Link.CONNECTING)
    assert codes(ailments(replace(unheard, started=NOW - 2 * MINUTE), QUIET, NOW)) == ["starting"]
    [found] = ailments(replace(unheard, started=NOW - 4 * MINUTE), QUIET, NOW)
    assert found.what == "Telegram has not answered for 4 min; look at the network, the proxy and the clock"


@pytest.mark.parametrize(
    ("every", "seconds", "found"),
    [
        (60, 180, []),
        (60, 181, ["no-pass"]),
        (10, 180, []),
        (10, 181, ["no-pass"]),
        (600, 1800, []),
        (600, 1801, ["no-pass"]),
    ],
)
def test_passes_may_fail_for_three_intervals_and_at_least_three_minutes(
    every: int, seconds: int, found: list[str]
) -> None:
    slow = replace(WELL, sweep_every=every * SECOND, passed=NOW - seconds * SECOND)
    assert codes(ailments(slow, QUIET, NOW)) == found


def test_a_backlog_that_is_being_read_is_no_illness() -> None:
    found = ailments(replace(LATE, stored_at=NOW - MINUTE), replace(QUIET, channels=(ALFA, BEHIND)), NOW)
    assert codes(found) == ["backlog", "behind"]
    assert found[0].what == "what was missed is being read: 1,200 numbers to go, no pass ended for 4 min; wait"


def test_channels_that_say_nothing_of_how_far_they_are_make_a_backlog_too() -> None:
    [found] = ailments(replace(LATE, waiting=400, stored_at=NOW - MINUTE), QUIET, NOW)
    assert found.what == "what was missed is being read: 400 readings to go, no pass ended for 4 min; wait"


@pytest.mark.parametrize("stored_at", [None, NOW - 3 * MINUTE])
def test_a_backlog_of_which_no_page_is_stored_is_one_however_much_is_asked_for(stored_at: datetime | None) -> None:
    asking = replace(LATE, waiting=400, stored_at=stored_at)
    found = ailments(asking, replace(QUIET, channels=(BEHIND,)), NOW)
    assert codes(found) == ["no-pass", "behind"]


def test_pages_that_are_read_again_are_no_backlog() -> None:
    assert codes(ailments(replace(LATE, stored_at=NOW - SECOND), QUIET, NOW)) == ["no-pass"]


def test_where_nothing_is_known_of_any_channel_no_pass_has_ended_whatever_the_process_says() -> None:
    lost = Reached("@charlie_demo", None, 0, refused=True)
    found = ailments(WELL, replace(QUIET, channels=(BEHIND, lost)), NOW)
    assert codes(found) == ["no-pass", "refused", "behind"]
    assert found[0].what.startswith("of no channel is it known what was posted in the last 3 min; ")


def test_a_lost_session_is_the_reason_for_all_that_follows_from_it() -> None:
    lost = replace(LATE, link=Link.SIGNED_OUT, answered=NOW - HOUR)
    [found] = ailments(lost, replace(QUIET, channels=(BEHIND,)), NOW)
    assert found.code is Code.SIGNED_OUT
    assert "stop the service, run vedette login, start it" in found.what


def test_of_an_account_that_was_closed_it_says_what_the_operators_were_told() -> None:
    closed = "Telegram has closed the reader's account: another account is needed"
    [found] = ailments(replace(LATE, link=Link.SIGNED_OUT), replace(QUIET, session=closed), NOW)
    assert found == (Code.SIGNED_OUT, closed)


@pytest.mark.parametrize(
    ("due", "found"),
    [(None, []), (10, []), (11, ["outbox-stuck"]), (-1, []), (24 * 60, ["outbox-stuck"])],
)
def test_an_outbox_is_stuck_when_a_destination_has_taken_nothing_for_ten_minutes_though_it_might(
    due: float | None, found: list[str]
) -> None:
    moment = None if due is None else NOW - due * MINUTE
    assert codes(ailments(WELL, replace(QUIET, due=moment), NOW)) == found


def test_what_waited_while_the_service_was_down_waits_since_its_start() -> None:
    young = replace(WELL, started=NOW - 2 * MINUTE)
    assert codes(ailments(young, replace(QUIET, due=NOW - 24 * HOUR), NOW)) == []


@pytest.mark.parametrize(
    ("disk", "full"),
    [
        (Disk(99_999_999, 5 * GB), True),
        (Disk(100_000_000, 5 * GB), False),
        (Disk(799_999_999, 80 * GB), True),
        (Disk(800_000_000, 80 * GB), False),
        (Disk(GB, 4000 * GB), False),
    ],
)
def test_a_disk_is_nearly_full_below_a_hundred_megabytes_or_a_hundredth(disk: Disk, *, full: bool) -> None:
    assert codes(ailments(WELL, replace(QUIET, disk=disk), NOW)) == ["disk-full"] * full


def test_a_full_disk_is_told_of_a_service_that_does_not_run() -> None:
    found = ailments(None, replace(QUIET, running=False, disk=Disk(7_000_000, GB)), NOW)
    assert codes(found) == ["not-running", "disk-full"]
    assert found[1].what == "the disk of data_dir is nearly full, 7 MB are left; make room"


def test_tables_that_cannot_be_read_are_a_reason() -> None:
    found = ailments(None, replace(QUIET, fault="data/vedette.db is damaged"), NOW)
    assert found == (Ailment(Code.DATABASE, "data/vedette.db is damaged"),)


def test_channels_that_are_refused_or_behind_or_not_found_are_named_and_do_no_harm() -> None:
    lost = Reached("@charlie_demo", None, 0, refused=True)
    found = ailments(WELL, replace(QUIET, channels=(ALFA, BEHIND, lost), unfound=2), NOW)
    assert [one.what for one in found] == [
        "1 channel cannot be read: @charlie_demo; vedette status says why",
        "2 channels are not found; vedette status says which, and why",
        "1 channel is behind: @bravo_demo; vedette status says how far",
    ]
    assert {one.severity for one in found} == {Severity.DEGRADED}


def test_a_channel_that_is_silent_against_its_rhythm_and_a_destination_that_refuses_are_told() -> None:
    silent = ALFA._replace(silent=True)
    found = ailments(WELL, replace(QUIET, channels=(silent,), refusing=("@desk_demo refuses messages: BANNED",)), NOW)
    assert found == (
        (Code.SILENT, "1 channel is silent for longer than usual: @alfa_demo; look in Telegram whether it has moved"),
        (Code.DESTINATION, "@desk_demo refuses messages: BANNED"),
    )


def test_of_many_channels_a_few_are_named() -> None:
    many = tuple(BEHIND._replace(name=f"@channel_{number}_demo") for number in range(400))
    [found] = ailments(WELL, replace(QUIET, channels=(ALFA, *many)), NOW)
    named = "@channel_0_demo, @channel_1_demo, @channel_2_demo and 397 more"
    assert found.what == f"400 channels are behind: {named}; vedette status says how far"


def test_a_library_that_is_too_old_is_told_of_and_the_rest_goes_on() -> None:
    assert codes(ailments(replace(WELL, link=Link.TOO_OLD), QUIET, NOW)) == ["too-old"]


@pytest.mark.parametrize(("seconds", "side"), [(42, "42 s ahead of"), (-300, "5 min behind")])
def test_a_wrong_clock_is_told_with_how_wrong_it_is(seconds: int, side: str) -> None:
    [found] = ailments(replace(WELL, skew=seconds * SECOND), QUIET, NOW)
    assert found == (Code.CLOCK, f"the clock of this machine is {side} Telegram's; set it right")


@pytest.mark.parametrize(
    ("asked", "until", "found"),
    [
        (NOW - HOUR, NOW + 5 * MINUTE, ["flood-wait"]),
        (NOW - MINUTE, NOW + 5 * MINUTE, []),
        (NOW - HOUR, NOW, []),
    ],
)
def test_a_wait_of_more_than_ten_minutes_is_told(asked: object, until: object, found: list[str]) -> None:
    wait = Wait("contacts.resolveUsername", asked, until)  # type: ignore[arg-type]
    assert codes(ailments(WELL, replace(QUIET, waits=(wait,)), NOW)) == found


def test_the_worst_is_told_first() -> None:
    bad = replace(LATE, link=Link.TOO_OLD, skew=HOUR)
    outside = replace(QUIET, channels=(BEHIND,), due=NOW - HOUR, disk=Disk(0, GB))
    expected = ["no-pass", "outbox-stuck", "disk-full", "too-old", "clock", "behind"]
    assert codes(ailments(bad, outside, NOW)) == expected


def test_what_was_written_while_somebody_looked_is_not_never() -> None:
    long_since = replace(
        WELL, started=NOW - 72 * HOUR, written=NOW + SECOND, answered=NOW + SECOND, passed=NOW + SECOND
    )
    assert ailments(long_since, QUIET, NOW) == ()
    assert codes(ailments(replace(long_since, answered=NOW + HOUR), QUIET, NOW)) == ["no-answer"]


@pytest.mark.parametrize("set_by", [HOUR, -HOUR, 24 * HOUR, -24 * HOUR])
def test_a_clock_that_was_set_makes_nobody_ill_and_hides_nothing_for_long(set_by: timedelta) -> None:
    """The service saw what it saw on the old clock; that the clock was set it has noticed."""
    now = NOW + set_by
    after = replace(WELL, written=now - SECOND, stepped=now - 5 * SECOND)
    assert ailments(after, replace(QUIET, due=at(0)), now) == ()
    later = now + 4 * MINUTE
    assert codes(ailments(replace(after, written=later), QUIET, later))[0] == "no-answer"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (172_799, "47 h"),
        (172_800, "2 days"),
    ],
)
def test_a_time_is_said_as_a_person_says_it(seconds: int, said: str) -> None:
    assert lasting(seconds * SECOND) == said


BOT = replace(WELL, speaker=Link.UP, speaker_answered=NOW - 40 * SECOND)


def test_a_bot_that_speaks_is_well_and_so_is_a_service_without_one() -> None:
    assert ailments(BOT, QUIET, NOW) == ()
    assert ailments(replace(BOT, speaker=Link.CONNECTING), QUIET, NOW) == ()


def test_a_bot_that_is_not_let_in_is_told_at_once_and_that_messages_wait_is_not_told_twice() -> None:
    out = replace(BOT, speaker=Link.SIGNED_OUT, speaker_answered=NOW)
    [found] = ailments(out, replace(QUIET, due=NOW - HOUR), NOW)
    assert found == (Code.SPEAKER, "Telegram does not let the bot in, so messages wait; vedette status says why")
    assert found.severity is Severity.UNHEALTHY


@pytest.mark.parametrize(("seconds", "found"), [(180, []), (181, ["speaker"])])
@pytest.mark.parametrize("link", [Link.CONNECTING, Link.UP])
def test_a_bot_that_has_no_answer_for_three_minutes_is_told(link: Link, seconds: int, found: list[str]) -> None:
    silent = replace(BOT, speaker=link, speaker_answered=NOW - seconds * SECOND)
    assert codes(ailments(silent, QUIET, NOW)) == found


def test_a_bot_that_never_had_an_answer_is_silent_since_the_start() -> None:
    never = replace(BOT, speaker=Link.CONNECTING, speaker_answered=None)
    assert codes(ailments(replace(never, started=NOW - 2 * MINUTE), QUIET, NOW)) == []
    [found] = ailments(replace(never, started=NOW - 4 * MINUTE), QUIET, NOW)
    assert found.what == "Telegram has not answered the bot for 4 min, so messages wait; look at the log for why"


def test_where_telegram_answers_nobody_the_bot_is_not_told_of_too() -> None:
    silent = replace(BOT, answered=NOW - HOUR, passed=NOW - HOUR, speaker_answered=NOW - HOUR)
    assert codes(ailments(silent, QUIET, NOW)) == ["no-answer"]


def test_a_readers_lost_session_does_not_hide_the_bots() -> None:
    lost = replace(BOT, link=Link.SIGNED_OUT, answered=NOW - SECOND, speaker=Link.SIGNED_OUT)
    assert codes(ailments(lost, QUIET, NOW)) == ["signed-out", "speaker"]


def test_a_folder_that_is_not_there_is_told_in_the_words_of_the_notice() -> None:
    told = "There is no folder News in the reader's Telegram"
    assert ailments(WELL, replace(QUIET, folder=told), NOW) == ((Code.FOLDER, told),)
