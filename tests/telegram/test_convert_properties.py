"""Whatever a message holds that Telethon can parse: it is converted, stored and read back."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telethon.tl import types

from bot.model import Channel, Stands
from bot.recording.jsonl import parse, post_of
from bot.recording.writer import body, digest, line
from bot.telegram.convert import sighting
from tests.telegram.wire import DATE, file, message, words

pytestmark = pytest.mark.fuzz
cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "150")), deadline=None)

HERE = Channel(id=-1001900000001, username="post_demo")
INT32 = st.integers(-(1 << 31), (1 << 31) - 1)
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
DATES = st.datetimes(datetime(1902, 1, 1), datetime(2038, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zone given
ENTITIES = st.one_of(
    *(
        st.builds(kind, INT32, INT32)
        for name, kind in vars(types).items()
        if name.startswith("MessageEntity") and kind.__init__.__code__.co_argcount == 3
    ),
    st.builds(types.MessageEntityTextUrl, INT32, INT32, TEXTS),
    st.builds(types.MessageEntityPre, INT32, INT32, TEXTS),
    st.builds(types.MessageEntityCustomEmoji, INT32, INT32, INT64),
    st.builds(types.MessageEntityDiffReplace, INT32, INT32, TEXTS),
)
PEERS = st.one_of(*(st.builds(kind, INT64) for kind in (types.PeerUser, types.PeerChat, types.PeerChannel)))
ATTRIBUTES = st.one_of(
    st.builds(types.DocumentAttributeFilename, TEXTS),
    st.builds(types.DocumentAttributeAudio, INT32, st.booleans(), st.none() | TEXTS, st.none() | TEXTS),
    st.builds(types.DocumentAttributeVideo, st.just(1.0), INT32, INT32, st.booleans()),
    st.just(types.DocumentAttributeAnimated()),
)
DOCUMENTS = st.none() | st.lists(ATTRIBUTES, max_size=3).map(lambda found: file(*found))
PLAIN_MEDIA = st.one_of(
    st.just(types.MessageMediaUnsupported()),
    st.just(types.MessageMediaPhoto()),
    st.builds(types.MessageMediaDocument, document=DOCUMENTS, voice=st.booleans()),
    st.builds(types.MessageMediaVenue, st.just(types.GeoPointEmpty()), TEXTS, TEXTS, TEXTS, TEXTS, TEXTS),
    st.builds(types.MessageMediaContact, TEXTS, TEXTS, TEXTS, TEXTS, INT64),
    st.builds(
        types.MessageMediaWebPage,
        st.builds(types.WebPage, INT64, TEXTS, TEXTS, INT32, title=st.none() | TEXTS, description=st.none() | TEXTS),
    ),
)
POLLS = st.builds(
    types.MessageMediaPoll,
    st.builds(
        types.Poll,
        INT64,
        TEXTS.map(words),
        st.lists(st.builds(types.PollAnswer, TEXTS.map(words), st.just(b"0")), max_size=3),
        INT64,
    ),
    st.just(types.PollResults()),
    attached_media=st.none() | PLAIN_MEDIA,
)
PAID = st.builds(
    types.MessageMediaPaidMedia,
    INT64,
    st.lists(
        st.builds(types.MessageExtendedMedia, PLAIN_MEDIA) | st.just(types.MessageExtendedMediaPreview()), max_size=3
    ),
)
RICH_TEXTS = st.recursive(
    st.builds(types.TextPlain, TEXTS) | st.just(types.TextEmpty()) | st.builds(types.TextCustomEmoji, INT64, TEXTS),
    lambda inner: (
        st.builds(types.TextBold, inner)
        | st.builds(types.TextUrl, inner, TEXTS, INT64)
        | st.builds(types.TextConcat, st.lists(inner, max_size=3))
    ),
    max_leaves=5,
)
BLOCKS = st.recursive(
    st.builds(types.PageBlockParagraph, RICH_TEXTS) | st.just(types.PageBlockDivider()),
    lambda inner: (
        st.builds(types.PageBlockDetails, st.lists(inner, max_size=3), RICH_TEXTS)
        | st.builds(types.PageBlockList, st.lists(st.builds(types.PageListItemText, RICH_TEXTS), max_size=2))
    ),
    max_leaves=5,
)
HEADERS = st.builds(
    types.MessageFwdHeader,
    DATES,
    from_id=st.none() | PEERS,
    from_name=st.none() | TEXTS,
    channel_post=st.none() | INT32,
    saved_from_msg_id=st.none() | INT32,
    saved_from_peer=st.none() | PEERS,
).filter(lambda header: (header.saved_from_msg_id is None) == (header.saved_from_peer is None))
REPLIES = st.builds(types.MessageReplyHeader, reply_to_msg_id=st.none() | INT32) | st.builds(
    types.MessageReplyStoryHeader, PEERS, INT32
)


def counted(counts: tuple[int, int] | None, **more: Any) -> Any:
    """Views and forwards come together, or neither does."""
    views, forwards = counts or (None, None)
    return message(views=views, forwards=forwards, **more)


MESSAGES = st.builds(
    counted,
    text=TEXTS,
    number=st.integers(1, (1 << 31) - 1),
    date=DATES,
    entities=st.none() | st.lists(ENTITIES, max_size=4),
    media=st.none() | PLAIN_MEDIA | POLLS | PAID,
    counts=st.none() | st.tuples(INT32, INT32),
    grouped_id=st.none() | INT64,
    edit_date=st.none() | DATES,
    edit_hide=st.booleans(),
    noforwards=st.booleans(),
    from_id=st.none() | PEERS,
    fwd_from=st.none() | HEADERS,
    reply_to=st.none() | REPLIES,
    rich_message=st.none() | st.builds(types.RichMessage, st.lists(BLOCKS, max_size=3), st.just([]), st.just([])),
)


@cases
@given(MESSAGES)
def test_any_message_is_converted_stored_and_read_back(sent: Any) -> None:
    seen = sighting(sent, HERE)
    assert seen is not None
    assert seen.stands is Stands.POST
    assert seen.post is not None
    assert seen.post.number == sent.id
    assert post_of(body(seen.post), HERE) == seen.post
    assert parse(line(seen.post).encode()) == replace(seen.post, changed=None)
    assert len(digest(seen.post)) == 8
    assert seen.post.parts()
    units = len(seen.post.text.encode("utf-16-le")) // 2
    if sent.rich_message is not None and not sent.entities:
        assert all(entity.offset + entity.length <= units + 2 for entity in seen.post.entities)


@cases
@given(
    MESSAGES, st.sampled_from(["message", "entities", "media", "fwd_from", "reply_to", "rich_message", "date", "id"])
)
def test_a_field_of_another_shape_raises_nothing(sent: Any, field: str) -> None:
    for strange in (None, 5, "x", [5], object(), [object()], DATE):
        setattr(sent, field, strange)
        seen = sighting(sent, HERE)
        assert seen is None or (seen.post is None) is (seen.stands is not Stands.POST)
