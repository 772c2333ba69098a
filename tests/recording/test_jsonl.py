"""One line of a recording."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from bot.model import Channel, Entity, Media, Origin
from bot.recording.fields import Unfit
from bot.recording.jsonl import parse

DATE = "2024-12-08T01:00:00+00:00"
GOOD: dict[str, object] = {"channel": "post_demo", "id": 7, "date": DATE, "text": "Сирия"}


def raw(**more: object) -> bytes:
    return json.dumps(GOOD | more, ensure_ascii=False).encode()


def test_a_line_with_every_key_is_read_whole() -> None:
    post = parse(
        raw(
            channel={"id": 1900000001, "username": "@post_demo", "title": "Пост"},
            entities=[{"type": "text_url", "offset": 0, "length": 5, "url": "https://example.org"}],
            views=10,
            forwards=2,
            edit_date="2024-12-08T05:00:00+03:00",
            deleted="2024-12-08T03:00:00Z",
            fwd_from={"channel": "@other_demo", "name": "Other", "post": 3, "date": DATE},
            grouped_id=-5,
            reply_to=6,
            media={"kind": "document", "file_name": "a.pdf", "title": "A", "text": "B"},
            protected=True,
            url="https://t.me/post_demo/7",
        )
    )
    assert post.channel == Channel(id=-1001900000001, username="post_demo", title="Пост")
    assert post.date == datetime(2024, 12, 8, 1, tzinfo=UTC)
    assert post.edited == datetime(2024, 12, 8, 2, tzinfo=UTC)
    assert post.deleted == datetime(2024, 12, 8, 3, tzinfo=UTC)
    assert post.entities == (Entity("text_url", 0, 5, "https://example.org"),)
    assert post.media == (Media(kind="document", file_name="a.pdf", title="A", text="B"),)
    assert post.origin == Origin(channel="other_demo", name="Other", post=3, date=post.date)
    assert (post.views, post.forwards, post.album, post.reply_to) == (10, 2, -5, 6)
    assert post.protected
    assert post.url == "https://t.me/post_demo/7"


def test_unknown_keys_and_nulls_are_ignored() -> None:
    nulls = ("text", "entities", "views", "edit_date", "deleted", "fwd_from", "grouped_id", "media", "protected", "url")
    post = parse(raw(mood="calm", reactions=[{"emoji": "👍"}], **dict.fromkeys(nulls)))
    assert (post.text, post.entities, post.media, post.origin) == ("", (), (), None)


def test_a_missing_text_is_an_empty_one() -> None:
    assert parse(json.dumps({key: GOOD[key] for key in ("channel", "id", "date")}).encode()).text == ""


@pytest.mark.parametrize(
    ("value", "channel", "name"),
    [
        ("post_demo", Channel(username="post_demo"), "post_demo"),
        ("@post_demo", Channel(username="post_demo"), "post_demo"),
        ("Библиотека Go", Channel(own="Библиотека Go"), "Библиотека Go"),
        ("abc", Channel(own="abc"), "abc"),
        ("-1001900000021", Channel(id=-1001900000021), "-1001900000021"),
        ({"id": -1001900000021}, Channel(id=-1001900000021), "-1001900000021"),
        ({"id": 1900000021, "title": "Т"}, Channel(id=-1001900000021, title="Т"), "-1001900000021"),
        ({"username": "x_demo", "id": None}, Channel(username="x_demo"), "x_demo"),
        ({"title": "Только имя"}, Channel(own="Только имя", title="Только имя"), "Только имя"),
    ],
)
def test_a_channel_is_named_in_any_of_these_ways(value: object, channel: Channel, name: str) -> None:
    found = parse(raw(channel=value)).channel
    assert found == channel
    assert found.name == name


@pytest.mark.parametrize(
    ("value", "channel"), [(1900000021, "-1001900000021"), ({"username": "@x_demo"}, "x_demo"), ("Имя", "Имя")]
)
def test_a_forward_names_its_origin_as_a_post_names_its_channel(value: object, channel: str) -> None:
    assert parse(raw(fwd_from={"channel": value})).origin == Origin(channel=channel)


def test_media_may_be_the_list_of_an_album() -> None:
    assert parse(raw(media=[{"kind": "photo"}, {"kind": "video"}])).media == (Media(kind="photo"), Media(kind="video"))


def test_a_length_below_zero_costs_no_post() -> None:
    post = parse(raw(entities=[{"type": "text_url", "offset": 3, "length": -1, "url": "https://example.org"}]))
    assert post.entities == (Entity("text_url", 3, 0, "https://example.org"),)


def test_half_a_surrogate_pair_becomes_one_replacement_character() -> None:
    escaped = rb'{"channel": "post_demo", "id": 1, "date": "%s", "text": "a\uD83D b\ude00\ude00 \ud83d\ude00"}'
    assert parse(escaped % DATE.encode()).text == "a\ufffd b\ufffd\ufffd 😀"


def test_a_byte_order_mark_and_a_carriage_return_are_no_part_of_a_line() -> None:
    assert parse(b"\xef\xbb\xbf" + raw() + b"\r").number == 7


BAD = [
    (b"\xd0\xa1\xd0\xb8", "not JSON: expecting value, character 1"),
    (b'{"channel": "x_demo", "id": 1', "not JSON"),
    (b'{"text": "a\x00b"}', "not JSON: invalid control character"),
    (b'{"text": "\xff"}', "not UTF-8: byte 0xff at position 11"),
    (b'{"text": "\xed\xa0\xbd"}', "not UTF-8: byte 0xed"),
    (b'{"id": ' + b"9" * 5000 + b"}", "thousands of digits"),
    (b'{"id": ' + b"[" * 100_000 + b"}", "nested too deeply"),
    (b'{"text": "\\ud83d", "x": ' + b"[" * 800 + b"]" * 800 + b"}", ""),
    (b"[1]", "a post must be an object in braces, here it is a list"),
    (b"null", "here it is null"),
    (b"NaN", "here it is NaN"),
    (None, "longer than 16 MB"),
    (raw(channel=None), "channel is missing"),
    (raw(channel=""), "channel is empty"),
    (raw(channel="@"), "channel is empty"),
    (raw(channel=5), "channel must be a name or an object"),
    (raw(channel={}), "neither id nor username nor title"),
    (raw(channel={"id": True}), "channel.id must be a whole number, here it is true"),
    (raw(channel={"id": []}), "channel.id must be a whole number, here it is a list"),
    (raw(channel={"username": 5}), "channel.username must be a text"),
    (raw(id=None), "id is missing"),
    (raw(id="x"), 'id must be a whole number, here it is "x"'),
    (raw(id=True), "id must be a whole number, here it is true"),
    (raw(id=1.0), "id must be a whole number, here it is 1.0"),
    (raw(id=float("nan")), "id must be a whole number, here it is NaN"),
    (raw(id=float("-inf")), "id must be a whole number, here it is -Infinity"),
    (raw(id=1 << 63), "id must be a whole number from 0 to 9223372036854775807"),
    (raw(id=-1), "here it is -1"),
    (raw(date=None), "date is missing; write it as 2024-12-08T01:00:00+00:00"),
    (raw(date=5), "date must be a text such as 2024-12-08T01:00:00+00:00, here it is 5"),
    (raw(date="вчера"), 'date is no date: "вчера"'),
    (raw(date="2024-12-08T01:00:00"), "date has no zone; write it as 2024-12-08T01:00:00+00:00"),
    (raw(date="2024-12-08"), "date has no zone"),
    (raw(date="2024-12-08T01:00:00+99:00"), "date is no date"),
    (raw(date="0001-01-01T00:00:00+05:00"), "date is beyond the years 1970 to 2199"),
    (raw(date="9999-12-31T23:59:59-05:00"), "date is beyond the years 1970 to 2199"),
    (raw(date="\0"), "date is no date"),
    (raw(text=112), "text must be a text, here it is 112"),
    (raw(text=["a"]), "text must be a text, here it is a list"),
    (raw(entities={}), "entities must be a list, here it is an object"),
    (raw(entities="bold"), 'entities must be a list, here it is "bold"'),
    (raw(entities=[5]), "entities[0] must be an object"),
    (raw(entities=[{"type": "bold", "offset": -4, "length": 1}]), "entities[0].offset must be a whole number from 0"),
    (raw(entities=[{"type": "bold", "offset": 0, "length": 1 << 63}]), "entities[0].length must be"),
    (raw(entities=[{"type": "bold", "offset": 0, "length": True}]), "entities[0].length must be a whole number"),
    (raw(entities=[{"type": "bold", "length": 1}]), "entities[0].offset is missing"),
    (raw(entities=[{"offset": 0, "length": 1}]), "entities[0].type is missing"),
    (raw(entities=[{"type": "a", "offset": 0, "length": 1, "url": 5}]), "entities[0].url must be a text"),
    (raw(views=True), "views must be a whole number, here it is true"),
    (raw(views="1.2K"), 'views must be a whole number, here it is "1.2K"'),
    (raw(forwards=-1), "forwards must be"),
    (raw(edit_date=5), "edit_date must be a text such as"),
    (raw(deleted=True), "deleted must be a text such as"),
    (raw(fwd_from="x"), "fwd_from must be an object"),
    (raw(fwd_from={"post": "x"}), "fwd_from.post must be a whole number"),
    (raw(fwd_from={"channel": []}), "channel must be a name"),
    (raw(grouped_id="13868220000000501"), "grouped_id must be a whole number"),
    (raw(reply_to=1.5), "reply_to must be a whole number, here it is 1.5"),
    (raw(media="photo"), "media must be an object"),
    (raw(media={}), "media.kind is missing"),
    (raw(media=[None]), "media must be an object"),
    (raw(protected="yes"), "protected must be true or false"),
    (raw(url=5), "url must be a text"),
]


@pytest.mark.parametrize(("line", "why"), BAD, ids=range(len(BAD)))
def test_a_bad_line_is_refused_in_words(line: bytes | None, why: str) -> None:
    with pytest.raises(Unfit) as caught:
        parse(line)
    assert why in str(caught.value)
    assert len(str(caught.value)) < 250


def test_a_text_of_megabytes_is_shown_short_when_it_is_wrong() -> None:
    with pytest.raises(Unfit) as caught:
        parse(raw(id="x" * 5_000_000))
    assert len(str(caught.value)) < 120
