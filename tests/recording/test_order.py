"""The moments of one file's lines, and what is said of those out of order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bot.model import Channel, Post, Problem, Revision
from bot.recording.order import Late, in_order

Told = Callable[..., tuple[list[Revision], list[Problem]]]
Brief = Callable[[list[Revision]], list[tuple[str, str, int]]]

RECORDING = Path(__file__).parents[1] / "recordings" / "out_of_order.jsonl"


def hour(number: int | None) -> datetime | None:
    return None if number is None else datetime(2024, 12, 8, number, tzinfo=UTC)


def moments(*dates: tuple[int, int | None, int | None]) -> list[int]:
    posts = [
        Post(
            channel=Channel(own="x"),
            number=1,
            date=datetime(2024, 12, 8, date, tzinfo=UTC),
            text="",
            edited=hour(edited),
            deleted=hour(deleted),
        )
        for date, edited, deleted in dates
    ]
    return [each.moment.hour for each in in_order((("a:1", post) for post in posts), Late("a", lambda _: None))]


def test_a_moment_is_the_first_date_of_a_line_that_does_not_go_back() -> None:
    assert moments((3, None, None), (5, 9, None), (3, 6, None), (3, 4, 8), (4, None, None)) == [3, 5, 6, 8, 8]
    assert moments((5, None, None), (3, 4, 7), (3, 4, 6)) == [5, 7, 7]


def test_a_line_out_of_order_is_taken_where_it_stands_with_a_warning(told: Told) -> None:
    revisions, problems = told(RECORDING)
    assert [revision.post.number for revision in revisions] == [11, 12, 14, 13, 15, 17]
    assert [str(problem) for problem in problems] == [f"{RECORDING}:4: out of order by date, taken where it stands"]
    assert problems[0].kind == "warning"


def test_five_warnings_are_given_then_one_that_more_follow_then_the_count(
    told: Told, write: Callable[..., Path], line: Callable[..., dict[str, object]]
) -> None:
    path = write(line(1, 100), *(line(number, number) for number in range(2, 14)))
    _, problems = told(path)
    assert [problem.where for problem in problems] == [*(f"{path}:{number}" for number in range(2, 8)), str(path)]
    assert all("taken where it stands" in problem.why for problem in problems[:5])
    assert "more lines that follow" in problems[5].why
    assert problems[6].why == "12 lines were out of order by date and were taken where they stand"


def test_a_duplicate_is_dropped_without_a_warning(
    told: Told, write: Callable[..., Path], line: Callable[..., dict[str, object]]
) -> None:
    revisions, problems = told(write(line(1), line(2, 5), line(1), line(2, 5)))
    assert len(revisions) == 2
    assert problems == []


def test_a_change_of_a_post_that_another_file_holds_is_in_order(
    told: Told,
    write: Callable[..., Path],
    line: Callable[..., dict[str, object]],
    minute: Callable[[int], str],
    brief: Brief,
) -> None:
    first = write(line(1), line(2, 5), name="1.jsonl")
    second = write(line(3, 10), line(1, edit_date=minute(20)), line(4, 30), name="2.jsonl")
    revisions, problems = told(first, second)
    assert problems == []
    assert brief(revisions) == [
        ("posted", "05:00", 1),
        ("posted", "05:05", 2),
        ("posted", "05:10", 3),
        ("edited", "05:20", 1),
        ("posted", "05:30", 4),
    ]
