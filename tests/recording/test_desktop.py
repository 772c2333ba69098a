"""Telegram Desktop's export: one message, the stream of them, and its albums."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.errors import RecordingError
from bot.model import Channel, Entity, Media, Origin, Post, Problem, Revision
from bot.recording.desktop import channel, posts, with_albums
from bot.recording.fields import Unfit
from bot.recording.message import parse
from bot.recording.reader import read
from bot.recording.source import Meter, Source

EXPORT = Path(__file__).parents[1] / "recordings" / "zastava_export" / "result.json"
CHANNEL = Channel(id=-1001900000014, title="X")
HEADER = {"name": "X", "type": "public_channel", "id": 1900000014}
MESSAGE: dict[str, object] = {"id": 5, "type": "message", "date_unixtime": "1733605661", "text": "Сирия"}

Told = Callable[..., tuple[list[Revision], list[Problem]]]


def message(**more: object) -> Post:
    post = parse(MESSAGE | more, CHANNEL)
    assert post is not None
    return post


def export(raw: bytes) -> tuple[list[Post], list[str]]:
    problems: list[Problem] = []
    source = Source("a.json", io.BytesIO(raw).read, Meter(0, None))
    return [post for _, post in with_albums(posts(source, problems.append))], [str(problem) for problem in problems]


def exported(*messages: object, **header: object) -> bytes:
    return json.dumps(HEADER | header | {"messages": messages}, ensure_ascii=False).encode()


def photo(number: int, *, second: int = 0, text: str = "", **more: object) -> dict[str, object]:
    return {"id": number, "date_unixtime": str(1733605661 + second), "text": text, "photo": "photos/a.jpg"} | more


def test_the_fixture_is_read_whole(told: Told) -> None:
    revisions, problems = told(EXPORT)
    assert problems == []
    found = {revision.post.number: revision.post for revision in revisions}
    assert list(found) == [
        *(310, 311, 313, 314, 315, 318, 322, 323, 324, 326, 327, 329),
        *(330, 332, 333, 334, 336, 337, 339, 340, 342, 343, 345, 347),
    ]
    assert {post.channel for post in found.values()} == {Channel(id=-1001900000014, title="Седьмая застава — дежурка")}
    assert found[310].date == datetime(2024, 12, 7, 21, 7, 41, tzinfo=UTC)
    assert found[318].media == (Media(kind="photo"),) * 3
    assert found[314].edited == datetime(2024, 12, 8, 0, 25, 47, tzinfo=UTC)
    assert found[332].media == (Media(kind="document", file_name="Сирия_хронология_27.11-08.12.pdf"),)
    assert found[333].media[0].text is not None
    assert found[333].media[0].text.split("\n")[:2] == [
        "Кто будет в Дамаске главным через год?",
        "Шараа (он же Джолани)",
    ]
    assert found[329].origin == Origin(name="Чёрный штурман")
    assert found[339].reply_to == 334


def test_every_entity_of_the_fixture_covers_the_words_it_was_made_of(told: Told) -> None:
    pieces = {
        (each["id"], piece["type"], piece["text"], piece.get("href"))
        for each in json.loads(EXPORT.read_text("utf-8"))["messages"]
        for piece in each["text_entities"]
        if piece["type"] != "plain"
    }
    covered = {
        (post.number, kind, post.text.encode("utf-16-le")[2 * start : 2 * (start + length)].decode("utf-16-le"), url)
        for post in (revision.post for revision in told(EXPORT)[0])
        for kind, start, length, url in post.entities
    }
    assert covered == pieces


def test_offsets_are_counted_in_utf_16_and_only_a_hidden_link_has_an_address() -> None:
    said = ["🚀 ", {"type": "bold", "text": "да"}, {"type": "text_link", "text": "тут", "href": "https://example.org"}]
    post = message(text=[*said, {"type": "link", "text": "example.org"}, {"type": "italic", "text": ""}])
    assert post.text == "🚀 датутexample.org"
    assert post.entities == (
        Entity("bold", 3, 2),
        Entity("text_link", 5, 3, "https://example.org"),
        Entity("link", 8, 11),
    )


def test_text_entities_lead_where_they_are() -> None:
    assert message(text="a", text_entities=[{"type": "plain", "text": "b"}]).text == "b"
    assert message(text="a", text_entities=[]).text == "a"


@pytest.mark.parametrize(
    ("more", "media"),
    [
        ({}, ()),
        ({"photo": "photos/1.jpg"}, (Media(kind="photo"),)),
        ({"file": "files/a.pdf"}, (Media(kind="document", file_name="a.pdf"),)),
        ({"file": "(File not included.)", "media_type": "video_file"}, (Media(kind="video"),)),
        ({"file": "v/video_1@08.mp4", "media_type": "video_message"}, (Media(kind="video_note"),)),
        ({"file": "s.webp", "media_type": "sticker"}, (Media(kind="sticker", file_name="s.webp"),)),
        (
            {"file": "a.mp3", "media_type": "audio_file", "performer": "Хор", "title": "Гимн", "file_name": "b.mp3"},
            (Media(kind="audio", file_name="b.mp3", title="Хор – Гимн"),),
        ),
        (
            {
                "poll": {
                    "question": [{"type": "bold", "text": "Кто?"}],
                    "answers": [{"text": "Я"}, {"text": ["Т", "ы"]}],
                }
            },
            (Media(kind="poll", text="Кто?\nЯ\nТы"),),
        ),
    ],
)
def test_media_are_told_apart(more: dict[str, object], media: tuple[Media, ...]) -> None:
    assert message(**more).media == media


def test_a_forward_from_a_channel_has_its_marked_id() -> None:
    post = message(forwarded_from="X", forwarded_from_id="channel1900000001")
    assert post.origin == Origin(name="X", channel="-1001900000001")
    assert message(forwarded_from="X", forwarded_from_id="user5").origin == Origin(name="X")
    assert message(forwarded_from=None).origin is None


def test_an_edit_before_the_post_is_none_at_all() -> None:
    """Old exports give 1970 for what was never edited."""
    assert message(edited="1970-01-01T03:00:00").edited is None


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"id": None}, "id is missing"),
        ({"id": "5"}, "id must be a whole number"),
        ({"date_unixtime": None}, "date is missing"),
        ({"date_unixtime": "x"}, 'date is no date: "x"'),
        ({"date_unixtime": "9" * 30}, "date is no date"),
        ({"date_unixtime": None, "date": "9999-12-31T23:59:59-05:00"}, "date is beyond the years 1970 to 2199"),
        ({"text": 5}, "text must be a text or a list of pieces, here it is 5"),
        ({"text": [5]}, "a piece of text must be a text or an object"),
        ({"text": [{"text": "x"}]}, "text.type is missing"),
        ({"poll": []}, "poll must be an object"),
        ({"poll": {"answers": {"a": 1}}}, "poll.answers must be a list"),
        ({"poll": {"answers": ["x"]}}, "an answer of a poll must be an object"),
        ({"media_type": 5}, "media_type must be a text"),
        ({"reply_to_message_id": "x"}, "reply_to_message_id must be a whole number"),
    ],
)
def test_a_bad_message_is_refused_in_words(more: dict[str, object], why: str) -> None:
    with pytest.raises(Unfit) as caught:
        parse(MESSAGE | more, CHANNEL)
    assert why in str(caught.value)


def test_service_messages_are_no_posts_and_bad_ones_are_told_with_their_place() -> None:
    found, problems = export(exported(MESSAGE, MESSAGE | {"type": "service"}, 5, MESSAGE | {"id": "x"}, MESSAGE))
    assert len(found) == 2
    assert problems == [
        "a.json: message 3: a message must be an object, here it is 5",
        'a.json: message 4: id must be a whole number, here it is "x"',
    ]


def test_dates_without_zone_are_utc_and_said_to_be_so_once() -> None:
    plain = {"id": 1, "date": "2024-12-08T01:00:00", "text": "a"}
    found, problems = export(exported(plain, plain | {"id": 2}))
    assert [post.date for post in found] == [datetime(2024, 12, 8, 1, tzinfo=UTC)] * 2
    assert problems == ["a.json: message 1: date has no zone; such dates are taken as UTC in all of this file"]


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (HEADER, CHANNEL),
        ({"id": 5}, Channel(id=-1000000000005)),
        ({"id": 5, "type": "private_supergroup", "name": None}, Channel(id=-1000000000005)),
        ({"id": 5, "type": "personal_chat", "name": "Имя"}, Channel(own="Имя", title="Имя")),
        ({}, Channel(own="result")),
    ],
)
def test_only_a_channel_or_supergroup_has_a_marked_id(header: dict[str, object], found: Channel) -> None:
    assert channel(header, "result") == found


@pytest.mark.parametrize(
    ("tail", "why"),
    [
        (b"", "no JSON from here on"),
        (b', {"id": 6, "te', "no JSON from here on"),
        (b', {"id": 6} {"id": 7}]}', "no JSON from here on"),
        (b', {"id": 99999999999999999999}]}', "no JSON from here on"),
        (b', {"text": "\xff"}]}', "no JSON from here on"),
        (b', {"text": "\\ude00"}]}', "no JSON from here on"),
        (b', {"text": ' + b"[" * 200_000 + b"]" * 200_000 + b"}]}", "nested more than 50 deep"),
    ],
)
def test_what_stands_before_the_breakage_is_read(tail: bytes, why: str) -> None:
    found, problems = export(exported(MESSAGE)[:-2] + tail)
    assert [post.number for post in found][:1] == [5]
    assert why in problems[-1]
    assert "\n" not in problems[-1]


def test_what_surrounds_the_messages_is_passed_over() -> None:
    raw = b'{"x": {"messages": [{"id": 1}]}, "messages": [%s], "y": [1], "z": {}, "id": 7}'
    found, problems = export(raw % json.dumps(MESSAGE).encode())
    assert [post.number for post in found] == [5]
    assert problems == []


def test_photos_with_consecutive_ids_in_one_second_are_an_album() -> None:
    found, _ = export(exported(photo(1, text="подпись"), photo(2), photo(3, second=1), photo(5), photo(6)))
    assert [post.album for post in found] == [1, 1, 1, 5, 5]


@pytest.mark.parametrize(
    "second",
    [
        photo(3),
        photo(2, text="своя подпись"),
        photo(2, second=2),
        photo(2, photo=None),
        photo(2, media_type="sticker"),
        photo(2, forwarded_from="X"),
    ],
)
def test_what_differs_is_no_album(second: dict[str, object]) -> None:
    found, _ = export(exported(photo(1), second))
    assert [post.album for post in found] == [None, None]


def test_an_inferred_album_holds_ten_at_most() -> None:
    found, _ = export(exported(*(photo(number) for number in range(1, 13))))
    assert [post.album for post in found] == [1] * 10 + [11] * 2


def test_an_export_of_a_whole_account_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(json.dumps({"about": "x", "chats": {"list": [{"messages": []}]}}, indent=1))
    with pytest.raises(RecordingError, match="export a single chat"):
        next(read([path], lambda _: None))
