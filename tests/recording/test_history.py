"""What a line says, knowing those before it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bot.model import Channel, Post
from bot.recording.history import Event, History, Names
from bot.recording.order import Late, Line

START = datetime(2024, 12, 8, tzinfo=UTC)
CHANNEL = Channel(username="x_demo")


def at(minute: int | None) -> datetime | None:
    return None if minute is None else START + timedelta(minutes=minute)


def line(number: int, minute: int, edited: int | None = None, deleted: int | None = None, now: int = 0) -> Line:
    date = START + timedelta(minutes=minute)
    post = Post(channel=CHANNEL, number=number, date=date, text="", edited=at(edited), deleted=at(deleted))
    moment = START + timedelta(minutes=max(minute, now))
    return Line(moment, START, post, "a:1", Late("a", lambda _: None))


def said(history: History, *lines: Line) -> list[tuple[str, int, int]]:
    def events() -> Iterator[Event]:
        for each in lines:
            yield from history.take(each)
        yield from history.finish()

    return [
        (revision.happening.value, revision.post.number, (revision.at - START) // timedelta(minutes=1))
        for _, _, revision in events()
    ]


def test_a_change_told_ahead_of_its_time_comes_in_its_time() -> None:
    lines = line(1, 0, edited=5, deleted=7), line(1, 0, edited=6), line(2, 5), line(3, 9)
    assert said(History(Names()), *lines) == [
        ("posted", 1, 0),
        ("posted", 2, 5),
        ("edited", 1, 6),
        ("deleted", 1, 7),
        ("posted", 3, 9),
    ]


def test_an_edit_between_what_two_files_know_is_not_lost() -> None:
    """One file holds every version, the other only the last."""
    lines = line(1, 0), line(1, 0, edited=9), line(1, 0, edited=4, now=4), line(1, 0, edited=9, now=9)
    assert said(History(Names()), *lines) == [("posted", 1, 0), ("edited", 1, 4), ("edited", 1, 9)]


def test_an_edit_and_a_deletion_in_one_line_are_both_told() -> None:
    assert said(History(Names()), line(1, 0), line(1, 0, edited=3, deleted=4, now=4)) == [
        ("posted", 1, 0),
        ("edited", 1, 3),
        ("deleted", 1, 4),
    ]


def test_a_post_is_alive_until_it_is_deleted() -> None:
    events = list(History(Names()).take(line(1, 0, deleted=0)))
    assert [event.revision.post.deleted for event in events] == [None, START]


def test_of_a_forgotten_post_a_change_is_a_change_and_the_rest_is_new() -> None:
    history = History(Names(), per_channel=10)
    said(history, *(line(number, number) for number in range(1, 40)))
    assert said(history, line(1, 1, edited=50, now=50)) == [("edited", 1, 50)]
    assert said(history, line(2, 2, deleted=51, now=51)) == [("deleted", 2, 51)]
    assert said(history, line(3, 3, edited=3, now=51)) == [("posted", 3, 3)]
    assert said(history, line(39, 39, now=51)) == []
    assert said(history, line(40, 40, edited=60, now=60)) == [("posted", 40, 40)]


def test_very_many_channels_are_forgotten_together() -> None:
    history = History(Names(), over_all=100)
    for number in range(1_000):
        post = Post(channel=Channel(own=f"канал {number}"), number=1, date=START, text="")
        assert len(list(history.take(Line(START, START, post, "", Late("a", lambda _: None))))) == 1
    assert len(history._windows) <= 202


def test_no_more_than_some_changes_wait() -> None:
    history = History(Names())
    posts = [line(number, 0, deleted=10_000 + number) for number in range(6_000)]
    for each in posts:
        list(history.take(each))
    assert len(history._waiting) <= 5_001


def test_one_channel_is_one_however_it_is_called() -> None:
    names, first = Names(), Channel(username="Some_demo")
    known = names.know(first)
    assert known[1] is first
    assert names.know(Channel(id=-1005, username="some_demo", title="Some")) == known
    assert names.know(Channel(id=-1005, title="Some")) == known
    assert names.know(Channel(own="Some_demo")) != known


def test_a_name_that_two_channels_have_borne_is_that_of_two() -> None:
    names = Names()
    first, second = Channel(id=-1005, username="some_demo"), Channel(id=-1006, username="some_demo")
    assert names.know(first)[0] != names.know(second)[0]
    assert names.know(Channel(id=-1006))[1] == second


def test_the_names_remembered_are_bounded() -> None:
    names = Names()
    for number in range(30_000):
        names.know(Channel(id=-number - 1))
    assert len(names._known) <= 20_000
