"""Crontab lines: what they name, and what is said of those that name nothing."""

from __future__ import annotations

import os
from datetime import date, time, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.cron import Cron, NotACron

cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "150")), deadline=None)


def clock(text: str) -> list[str]:
    """The times of day of a line."""
    return [f"{at:%H:%M}" for at in Cron.parse(text).times]


def week(text: str) -> str:
    """The days on which a line falls in the week from Monday 6 to Sunday 12 January 2025."""
    cron = Cron.parse(text)
    return " ".join(f"{day:%a}".lower() for n in range(7) if cron.falls_on(day := date(2025, 1, 6) + timedelta(n)))


@pytest.mark.parametrize(
    ("line", "times"),
    [
        ("0 8,20 * * *", ["08:00", "20:00"]),
        ("30 20,8,8 * * *", ["08:30", "20:30"]),
        ("*/20 9 * * *", ["09:00", "09:20", "09:40"]),
        ("0 9-11 * * *", ["09:00", "10:00", "11:00"]),
        ("0 9-17/4,23 * * *", ["09:00", "13:00", "17:00", "23:00"]),
        ("05 08 * * *", ["08:05"]),
        ("5-5/1 8 * * *", ["08:05"]),
        ("\t0   8 * *  * \n", ["08:00"]),
        ("@daily", ["00:00"]),
        (" @Midnight ", ["00:00"]),
    ],
)
def test_minutes_and_hours_are_lists_ranges_and_steps(line: str, times: list[str]) -> None:
    assert clock(line) == times


@pytest.mark.parametrize(
    ("line", "days"),
    [
        ("0 8 * * mon-fri", "mon tue wed thu fri"),
        ("0 8 * * 1-5", "mon tue wed thu fri"),  # for APScheduler these would be Tuesday to Saturday
        ("0 8 * * 0", "sun"),
        ("0 8 * * 7", "sun"),
        ("0 8 * * SUN,Wed", "wed sun"),
        ("0 8 * * fri-sun", "fri sat sun"),
        ("0 8 * * sun-tue", "mon tue sun"),
        ("0 8 * * 6-7", "sat sun"),
        ("0 8 * * */2", "tue thu sat sun"),
        ("0 8 7-9 * *", "tue wed thu"),
        ("0 8 * feb *", ""),
        ("0 8 * jan-mar *", "mon tue wed thu fri sat sun"),
        ("@weekly", "sun"),
    ],
)
def test_days_are_counted_from_sunday(line: str, days: str) -> None:
    assert week(line) == days


def test_where_both_kinds_of_day_are_restricted_one_of_them_will_do() -> None:
    assert week("0 8 7 * fri") == "tue fri"


def test_what_begins_with_a_star_is_no_restriction() -> None:
    """As in crontab(5): of the odd days 7, 9 and 11 only the Thursday."""
    assert week("0 8 */2 * thu") == "thu"
    assert week("0 8 * * thu") == "thu"
    assert week("0 8 */2 * wed") == ""


@pytest.mark.parametrize(
    ("nickname", "line"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@weekly", "0 0 * * sun"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
    ],
)
def test_a_nickname_is_a_line(nickname: str, line: str) -> None:
    assert Cron.parse(nickname) == Cron.parse(line)


def test_lines_that_mean_the_same_are_equal() -> None:
    assert Cron.parse("0 8 * * mon,tue,wed") == Cron.parse("00  08 * * 1-3")
    assert Cron.parse("0 8 * * mon") != Cron.parse("0 8 * * tue")


@pytest.mark.parametrize(
    ("line", "column", "what", "hint"),
    [
        ("60 * * * *", 1, "'60' is no minute", "minute is 0 to 59"),
        ("0 24 * * *", 3, "'24' is no hour", "hour is 0 to 23"),
        ("0 8 0 * *", 5, "'0' is no day of month", "day of month is 1 to 31"),
        ("0 8 * 13 *", 7, "'13' is no month", "month is 1 to 12, or jan to dec"),
        ("0 8 * * 8", 9, "'8' is no day of week", "day of week is 0 to 7, or sun to sat"),
        ("0 8 * * mon,freitag", 13, "'freitag' is no day of week", "sun to sat"),
        ("0 8 * * mon-99", 13, "'99' is no day of week", "0 to 7"),
        ("0,15,75 8 * * *", 6, "'75' is no minute", "0 to 59"),
        ("0,,5 8 * * *", 3, "the minute is missing", "0 to 59"),
        ("0 8- * * *", 5, "the hour is missing", "0 to 23"),
        ("0 22-2 * * *", 3, "'22-2' runs backwards", "write 22-23,0-2"),
        ("0 8 * * fri-mon", 9, "'fri-mon' runs backwards", "write fri-6,0-mon"),
        ("5/15 * * * *", 2, "a step needs a range before it", "write 5-59/… or */…"),
        ("*/0 * * * *", 3, "'0' is no step", "1 to 59"),
        ("*/90 * * * *", 3, "'90' is no step", "1 to 59"),
        ("0 9-17/9 * * *", 8, "'9' is no step", "1 to 8"),
        ("0-10/ * * * *", 6, "'' is no step", "1 to 10"),
        ("0 ٨ * * *", 3, "'٨' is no hour", "0 to 23"),
        ("", 1, "there are 0 fields", "minute, hour, day of month, month, day of week"),
        ("08:00", 6, "there is one field", "write five"),
        ("0 8 * *", 8, "there are 4 fields", "write five"),
        ("0 0 8 * * mon", 11, "there are six fields", "without seconds"),
        ("0 0 8 * * mon 2025", 11, "there are 7 fields", "write five"),
        (" @reboot", 2, "this is no nickname", "@hourly, @daily"),
        ("@daily *", 1, "this is no nickname", "alone"),
    ],
)
def test_what_is_no_crontab_line_says_where_and_what_would_be_right(
    line: str, column: int, what: str, hint: str
) -> None:
    with pytest.raises(NotACron) as raised:
        Cron.parse(line)
    assert raised.value.column == column - 1
    assert raised.value.what == what
    assert hint in raised.value.hint
    assert str(raised.value) == f"column {column}: {what}; {raised.value.hint}"


@pytest.mark.parametrize("line", ["0 22-2 * * *", "0 8 * * fri-mon", "0 8 30-2 * *", "0 8 * nov-feb *"])
def test_what_an_error_says_to_write_can_be_written(line: str) -> None:
    with pytest.raises(NotACron) as raised:
        Cron.parse(line)
    wrong = next(word for word in line.split() if "-" in word)
    Cron.parse(line.replace(wrong, raised.value.hint.removeprefix("write ")))


# --- properties -------------------------------------------------------------------------------------------

scraps = st.one_of(
    st.sampled_from(
        [*"*/-,@ \t", "mon", "SUN", "dec", "0", "7", "59", "60", "007", "9" * 5000, "\u0663", "²", "\ud800"]
    ),
    st.text(max_size=3),
)


@pytest.mark.fuzz
@cases
@given(line=st.one_of(st.text(max_size=40), st.lists(scraps, max_size=40).map("".join)))
@example(line="0," * 2000 + "0 * * * *")
@example(line=" ".join("*" * 2000))
@example(line="-" * 4096)
@example(line="9" * 5000 + " * * * *")
@example(line="*/" + "9" * 5000 + " * * * *")
def test_any_text_is_a_crontab_line_or_an_error_that_points_into_it(line: str) -> None:
    error = None
    try:
        cron = Cron.parse(line)
        assert cron.times
        assert list(cron.times) == sorted(set(cron.times))
    except NotACron as raised:
        error = raised
    if error is not None:
        assert 0 <= error.column <= len(line)
        assert error.what
        assert error.hint
        str(error).encode("utf-8")  # no lone surrogate in it


sets = st.tuples(
    st.sets(st.integers(0, 59), min_size=1),
    st.sets(st.integers(0, 23), min_size=1),
    st.sets(st.integers(1, 31)),
    st.sets(st.integers(1, 12)),
    st.sets(st.integers(0, 7)),
)


@pytest.mark.fuzz
@cases
@given(chosen=sets, day=st.dates(date(2020, 1, 1), date(2030, 12, 31)))
def test_a_list_of_numbers_means_those_numbers(chosen: tuple[set[int], ...], day: date) -> None:
    cron = Cron.parse(" ".join(",".join(map(str, sorted(numbers))) or "*" for numbers in chosen))
    minutes, hours, days, months, weekdays = chosen
    assert set(cron.times) == {time(hour, minute) for hour in hours for minute in minutes}
    in_month, in_week = day.day in days, day.isoweekday() in weekdays or (day.isoweekday() == 7 and 0 in weekdays)
    either = {(True, True): in_month or in_week, (True, False): in_month, (False, True): in_week, (False, False): True}
    assert cron.falls_on(day) == ((not months or day.month in months) and either[bool(days), bool(weekdays)])
