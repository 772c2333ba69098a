"""Posts as lines: what is written is read back as it was."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Channel, Entity, Media, Origin, Post
from bot.recording.fields import Unfit
from bot.recording.jsonl import parse, post_of
from bot.recording.writer import body, body_and_digest, digest, line

cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "150")), deadline=None)

CHANNEL = Channel(id=-1001900000001, username="post_demo", title="Пост")
DATE = datetime(2024, 12, 8, 1, tzinfo=UTC)
POST = Post(channel=CHANNEL, number=7, date=DATE, text="Сирия")
FULL = replace(
    POST,
    entities=(Entity("bold", 0, 2), Entity("text_url", 2, 3, "https://example.org")),
    media=(Media(kind="document", file_name="a.pdf"), Media(kind="audio", title="Д – Т", text="")),
    views=10,
    forwards=2,
    edited=DATE + timedelta(minutes=5),
    deleted=DATE + timedelta(minutes=6),
    origin=Origin(channel="other_demo", name="Other", post=3, date=DATE),
    album=-5,
    reply_to=6,
    protected=True,
    url="https://example.org/7",
)

#: A zone of seconds cannot be written in a recording, nor in anything else of ours.
MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2199, 12, 30)).flatmap(  # noqa: DTZ001 - given a zone here
    lambda moment: st.integers(-23 * 60, 23 * 60).map(
        lambda minutes: moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    )
)
#: Half surrogate pairs among them.
TEXTS = st.text(st.characters(), max_size=30)
NUMBERS = st.integers(0, (1 << 63) - 1)
ORIGINS = st.builds(
    Origin,
    channel=st.none() | st.sampled_from(["other_demo", "-1001900000021", "Библиотека Go"]),
    name=st.none() | TEXTS,
    post=st.none() | NUMBERS,
    date=st.none() | MOMENTS,
)
MEDIA = st.builds(Media, kind=TEXTS, file_name=st.none() | TEXTS, title=st.none() | TEXTS, text=st.none() | TEXTS)
POSTS = st.builds(
    Post,
    channel=st.just(CHANNEL),
    number=NUMBERS,
    date=MOMENTS,
    text=TEXTS,
    entities=st.lists(st.builds(Entity, TEXTS, NUMBERS, NUMBERS, st.none() | TEXTS), max_size=3).map(tuple),
    media=st.lists(MEDIA, max_size=3).map(tuple),
    views=st.none() | NUMBERS,
    forwards=st.none() | NUMBERS,
    edited=st.none() | MOMENTS,
    deleted=st.none() | MOMENTS,
    origin=st.none() | ORIGINS,
    album=st.none() | st.integers(-(1 << 63), (1 << 63) - 1),
    reply_to=st.none() | NUMBERS,
    protected=st.booleans(),
    url=st.none() | TEXTS,
    changed=st.none() | MOMENTS,
    footer=st.none() | st.integers(0, 9),
)


@pytest.mark.fuzz
@cases
@given(POSTS)
def test_whatever_a_post_holds_it_is_read_back_as_it_was(post: Post) -> None:
    assert post_of(body(post), CHANNEL) == replace(post, footer=None)
    assert body(post).encode()
    assert len(digest(post)) == 8


def test_a_plain_post_is_written_short() -> None:
    assert body(POST) == '{"id":7,"date":"2024-12-08T01:00:00+00:00","text":"Сирия"}'


def test_a_post_with_everything_is_written_with_the_keys_of_a_recording() -> None:
    assert json.loads(body(FULL)) == {
        "id": 7,
        "date": "2024-12-08T01:00:00+00:00",
        "text": "Сирия",
        "entities": [
            {"type": "bold", "offset": 0, "length": 2},
            {"type": "text_url", "offset": 2, "length": 3, "url": "https://example.org"},
        ],
        "media": [{"kind": "document", "file_name": "a.pdf"}, {"kind": "audio", "title": "Д – Т", "text": ""}],
        "fwd_from": {"channel": "other_demo", "name": "Other", "post": 3, "date": "2024-12-08T01:00:00+00:00"},
        "grouped_id": -5,
        "reply_to": 6,
        "protected": True,
        "views": 10,
        "forwards": 2,
        "edit_date": "2024-12-08T01:05:00+00:00",
        "deleted": "2024-12-08T01:06:00+00:00",
        "url": "https://example.org/7",
    }


@pytest.mark.parametrize(
    ("channel", "written"),
    [
        (CHANNEL, {"id": -1001900000001, "username": "post_demo", "title": "Пост"}),
        (Channel(id=-1001900000001), {"id": -1001900000001}),
        (Channel(username="post_demo"), "post_demo"),
        (Channel(username="abc"), {"username": "abc"}),
        (Channel(username="post_demo", title="Пост"), {"username": "post_demo", "title": "Пост"}),
        (Channel(own="Библиотека Go"), "Библиотека Go"),
        (Channel(own="Пост", title="Пост"), {"title": "Пост"}),
    ],
)
def test_a_line_begins_with_the_channel_and_is_read_as_any_other(channel: Channel, written: object) -> None:
    post = replace(FULL, channel=channel)
    whole = line(post)
    assert whole.endswith("\n")
    assert next(iter(json.loads(whole).items())) == ("channel", written)
    assert parse(whole.encode()) == post


def test_a_line_may_be_given_another_channel() -> None:
    assert parse(line(POST, Channel(username="other_demo")).encode()).channel.name == "other_demo"


def test_a_change_that_telegram_hides_is_kept_and_never_recorded() -> None:
    hidden = replace(POST, changed=DATE + timedelta(minutes=5))
    assert post_of(body(hidden), CHANNEL) == hidden
    assert parse(line(hidden).encode()) == POST


def test_half_a_surrogate_pair_is_kept_as_an_escape() -> None:
    post = replace(POST, text="a\ud83d")
    assert body(post).isascii()
    assert post_of(body(post), CHANNEL).text == "a\ud83d"
    assert parse(line(post).encode()).text == "a\ufffd"


def test_the_digest_changes_with_what_is_said_and_not_with_counts_and_dates() -> None:
    counted = replace(FULL, views=11, forwards=3, edited=None, deleted=None, date=DATE + timedelta(1), number=8)
    assert digest(counted) == digest(FULL)
    assert digest(replace(FULL, protected=False, changed=DATE)) == digest(FULL)
    changed = [
        replace(FULL, text="Сирии"),
        replace(FULL, entities=FULL.entities[:1]),
        replace(FULL, entities=(FULL.entities[0], Entity("text_url", 2, 3, "https://example.com"))),
        replace(FULL, media=(*FULL.media, Media(kind="webpage", title="Дамаск"))),
        replace(FULL, origin=None),
        replace(FULL, album=None),
        replace(FULL, reply_to=None),
    ]
    assert len({digest(post) for post in (FULL, *changed)}) == 1 + len(changed)


def test_the_digest_is_the_same_for_ever() -> None:
    """It stands in databases; another way of writing it would make every post look edited."""
    assert digest(FULL).hex() == "b42ccec9149db0ab"


@pytest.mark.parametrize("stored", ["", "{", "[]", "null", '{"id": 7}', "[" * 100_000])
def test_a_stored_post_that_is_none_is_refused_in_words(stored: str) -> None:
    with pytest.raises(Unfit):
        post_of(stored, CHANNEL)


@pytest.mark.fuzz
@cases
@given(POSTS)
def test_body_and_digest_are_the_same_as_one_by_one(post: Post) -> None:
    both, sum_ = body_and_digest(post)
    assert json.loads(both) == json.loads(body(post))
    assert sum_ == digest(post)
