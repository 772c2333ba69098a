"""Albums are one post, also when they change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.model import Entity, Media, Problem, Revision
from bot.recording.jsonl import parse

Told = Callable[..., tuple[list[Revision], list[Problem]]]
Brief = Callable[[list[Revision]], list[tuple[str, str, int]]]
Row = Callable[..., dict[str, object]]
Write = Callable[..., Path]

EDITS = Path(__file__).parents[1] / "recordings" / "edits.jsonl"
PHOTO = {"kind": "photo"}


def test_the_fixture_of_edits_is_told_in_order(told: Told, brief: Brief) -> None:
    revisions, problems = told(EDITS)
    assert problems == []
    assert brief(revisions) == [
        ("posted", "05:10", 501),
        ("posted", "05:30", 504),
        ("edited", "05:41", 501),
        ("posted", "05:50", 77),
        ("edited", "05:53", 77),
        ("edited", "06:02", 504),
        ("posted", "06:10", 80),
        ("edited", "06:30", 504),
        ("deleted", "06:44", 80),
        ("edited", "07:15", 501),
    ]
    albums = [revision.post for revision in revisions if revision.post.number == 504]
    assert [post.text for post in albums] == [
        "Дамаск, площадь Омейядов.",
        "Дамаск, площадь Омейядов.\nВторой кадр: мечеть, снято с крыши. Сирия, утро.",
        "Дамаск, площадь Омейядов.",
    ]
    assert [len(post.media) for post in albums] == [2, 2, 1]


def test_members_become_one_post(told: Told, write: Write, line: Row) -> None:
    link = {"type": "text_url", "offset": 1, "length": 2, "url": "https://example.org"}
    path = write(
        line(6, grouped_id=9, text="", media={"kind": "video"}, views=7, url="six"),
        line(5, grouped_id=9, text="🚀 раз", entities=[link], media=PHOTO, views=5, forwards=1, reply_to=2, url="five"),
        line(7, grouped_id=9, text="два", entities=[link], media=PHOTO, protected=True),
    )
    (revision,), _ = told(path)
    post = revision.post
    assert (post.number, post.text, post.album, post.url, post.reply_to) == (5, "🚀 раз\nдва", 9, "five", 2)
    assert post.media == (Media(kind="photo"), Media(kind="video"), Media(kind="photo"))
    assert (post.views, post.forwards, post.protected) == (7, 1, True)
    # The rocket is two units, the newline one.
    assert post.entities == (
        Entity("text_url", 1, 2, "https://example.org"),
        Entity("text_url", 8, 2, "https://example.org"),
    )


def test_an_album_of_one_is_just_a_post(told: Told, write: Write, line: Row) -> None:
    (revision,), _ = told(write(line(1, grouped_id=9)))
    assert revision.post == parse(write(line(1, grouped_id=9)).read_bytes())


def test_members_may_be_interleaved_with_other_channels(told: Told, write: Write, line: Row) -> None:
    other = {"channel": "other_demo"}
    path = write(
        line(1, grouped_id=9), line(1, **other), line(2, grouped_id=9), line(2, grouped_id=9, **other), line(3)
    )
    revisions, _ = told(path)
    assert [(each.post.channel.name, each.post.text) for each in revisions] == [
        ("post_demo", "текст 1\nтекст 2"),
        ("other_demo", "текст 1"),
        ("other_demo", "текст 2"),
        ("post_demo", "текст 3"),
    ]


@pytest.mark.parametrize("between", [{}, {"grouped_id": 8}])
def test_an_album_ends_with_the_next_post_of_its_channel(
    told: Told, write: Write, line: Row, brief: Brief, between: dict[str, object]
) -> None:
    """A member that comes all the same changes the album; it does not become a second one."""
    revisions, _ = told(write(line(1, grouped_id=9), line(2, **between), line(3, 1, grouped_id=9)))
    assert brief(revisions) == [("posted", "05:00", 1), ("posted", "05:00", 2), ("edited", "05:01", 1)]
    assert revisions[-1].post.text == "текст 1\nтекст 3"


def test_an_album_does_not_wait_for_more_than_a_minute(told: Told, write: Write, line: Row) -> None:
    revisions, _ = told(write(line(1, grouped_id=9), line(2, 2, channel="other_demo"), line(3, 2, grouped_id=9)))
    assert [revision.post.text for revision in revisions] == ["текст 1", "текст 2", "текст 1\nтекст 3"]


def test_an_edit_of_another_post_does_not_end_an_album(
    told: Told, write: Write, line: Row, minute: Callable[[int], str], brief: Brief
) -> None:
    path = write(line(1), line(2, 5, grouped_id=9), line(1, edit_date=minute(5)), line(3, 5, grouped_id=9))
    assert brief(told(path)[0]) == [("posted", "05:00", 1), ("posted", "05:05", 2), ("edited", "05:05", 1)]


def test_an_album_that_is_deleted_whole_is_deleted_once(
    told: Told, write: Write, line: Row, minute: Callable[[int], str], brief: Brief
) -> None:
    members = [line(number, grouped_id=9) for number in (1, 2, 3)]
    path = write(*members, *(each | {"deleted": minute(30)} for each in members), line(4, 40))
    revisions, _ = told(path)
    assert brief(revisions) == [("posted", "05:00", 1), ("deleted", "05:30", 1), ("posted", "05:40", 4)]
    assert revisions[1].post.text == "текст 1\nтекст 2\nтекст 3"
    assert revisions[1].post.deleted == revisions[1].at


def test_an_album_keeps_its_number_and_loses_a_deleted_members_text(
    told: Told, write: Write, line: Row, minute: Callable[[int], str], brief: Brief
) -> None:
    path = write(
        line(1, grouped_id=9, media=PHOTO),
        line(2, grouped_id=9, media=PHOTO),
        line(1, grouped_id=9, media=PHOTO, deleted=minute(10)),
        line(2, grouped_id=9, media=PHOTO, deleted=minute(20)),
    )
    revisions, _ = told(path)
    assert brief(revisions) == [("posted", "05:00", 1), ("edited", "05:10", 1), ("deleted", "05:20", 1)]
    assert (revisions[1].post.text, len(revisions[1].post.media)) == ("текст 2", 1)


def test_a_change_of_an_album_nobody_remembers_is_a_change_of_its_member(line: Row, write: Write, told: Told) -> None:
    albums = [line(number, number // 100, grouped_id=number) for number in range(1, 600)]
    edit = line(5, grouped_id=5, text="новое", edit_date="2024-12-08T12:00:00+00:00")
    revisions, _ = told(write(*albums, edit))
    assert (revisions[-1].happening.value, revisions[-1].post.number, revisions[-1].post.text) == ("edited", 5, "новое")


def test_what_waits_behind_an_album_is_bounded(line: Row, write: Write, told: Told) -> None:
    """A file whose lines all carry one moment cannot make us hold them all."""
    others = [line(number, channel="other_demo") for number in range(5_050)]
    revisions, _ = told(write(line(1, grouped_id=9), *others, line(2, grouped_id=9)))
    assert len(revisions) == 5_052
    assert revisions[0].post.text == "текст 1"
    assert revisions[-1].post.text == "текст 1\nтекст 2"


def test_an_album_without_end_is_cut(line: Row, write: Write, told: Told) -> None:
    revisions, _ = told(write(*(line(number, grouped_id=9) for number in range(1, 151))))
    assert len(revisions) == 51
    assert revisions[0].post.text.count("\n") == 99


def test_albums_of_two_files_are_not_doubled(line: Row, write: Write, told: Told) -> None:
    members = [line(number, grouped_id=9) for number in (1, 2, 3)]
    whole, end = write(*members, name="1.jsonl"), write(*members[1:], name="2.jsonl")
    for files in ((whole, end), (end, whole)):
        revisions, _ = told(*files)
        assert [revision.post.text for revision in revisions] == ["текст 1\nтекст 2\nтекст 3"]
