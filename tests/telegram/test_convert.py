"""Telegram's messages and chats as posts and peers, as the wire gives them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from telethon.tl import types

from bot.model import Channel, Entity, Media, Origin, PartKind, Peer, Post, Sighting, Stands
from bot.stories.member import origins_of
from bot.telegram.convert import is_partial, peer, sighting
from tests.telegram.wire import CHANNEL, DATE, file, message, wired

HERE = Channel(id=-1001900000001, username="post_demo", title="Пост")


def post(found: Any) -> Post:
    seen = sighting(found, HERE)
    assert seen is not None
    assert seen.stands is Stands.POST
    assert seen.post is not None
    return seen.post


def test_a_plain_post_is_its_text_and_its_counts() -> None:
    found = post(message(views=10, forwards=2, grouped_id=-5, edit_date=DATE + timedelta(minutes=1)))
    assert found == Post(
        channel=HERE,
        number=7,
        date=DATE,
        text="Сирия",
        views=10,
        forwards=2,
        album=-5,
        edited=DATE + timedelta(minutes=1),
    )


def test_entities_are_named_as_recordings_name_them_and_keep_their_units() -> None:
    entities = [
        types.MessageEntityBold(0, 2),
        types.MessageEntityTextUrl(3, 5, "https://example.org"),
        types.MessageEntityCustomEmoji(9, 2, 5),
        types.MessageEntityMentionName(3, 5, 12),
    ]
    assert post(message("😀 здесь 🙂", entities=entities)).entities == (
        Entity("bold", 0, 2),
        Entity("text_url", 3, 5, "https://example.org"),
        Entity("custom_emoji", 9, 2),
        Entity("mention_name", 3, 5),
    )


def test_entities_that_fit_no_text_lose_no_link() -> None:
    entities = [types.MessageEntityTextUrl(-4, -1, "https://a.example"), types.MessageEntityBold(99, 2**31 - 1)]
    found = post(message("а", entities=entities))
    assert found.entities == (Entity("text_url", 0, 0, "https://a.example"), Entity("bold", 99, 2**31 - 1))


def test_an_edit_that_shows_nothing_new_is_none() -> None:
    hidden, shown, never = message(edit_date=DATE, edit_hide=True), message(edit_date=DATE), message()
    assert [(one.edited, one.changed) for one in map(post, (hidden, shown, never))] == [
        (None, DATE),
        (DATE, None),
        (None, None),
    ]


def test_numbers_and_dates_that_cannot_be_are_left_out() -> None:
    early = datetime(1950, 1, 1, tzinfo=UTC)
    found = post(message(views=-1, forwards=-(2**31), date=early, edit_date=early))
    assert (found.views, found.forwards) == (None, None)
    assert found.date == found.edited == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("number", [0, -1])
def test_nothing_stands_under_a_number_that_is_none(number: int) -> None:
    assert sighting(message(number=number), HERE) is None


def test_an_empty_message_is_nothing() -> None:
    assert sighting(wired(types.MessageEmpty(7, None)), HERE) is None


@pytest.mark.parametrize(
    "action",
    [
        types.MessageActionChannelCreate("Пост"),
        types.MessageActionChatEditTitle("Сирия"),
        types.MessageActionPinMessage(),
    ],
)
def test_a_service_message_uses_up_a_number(action: Any) -> None:
    service = wired(types.MessageService(id=7, peer_id=types.PeerChannel(CHANNEL), date=DATE, action=action))
    assert sighting(service, HERE) == Sighting(7, Stands.SERVICE)


def test_what_we_or_somebody_ignored_wrote_counts_as_a_service_message() -> None:
    theirs = message(from_id=types.PeerUser(5), post=False)
    assert sighting(message(out=True), HERE) == Sighting(7, Stands.SERVICE)
    assert sighting(theirs, HERE, frozenset({5})) == Sighting(7, Stands.SERVICE)
    assert post(theirs).text == "Сирия"
    # A channel may have the number of a person.
    seen = sighting(message(from_id=types.PeerChannel(5)), HERE, frozenset({5}))
    assert seen is not None
    assert seen.stands is Stands.POST


def test_a_shape_that_is_not_understood_uses_up_its_number() -> None:
    strange = message()
    strange.entities = [object()]
    assert sighting(strange, HERE) == Sighting(7, Stands.UNREADABLE)
    assert sighting(wired(types.StoryItemDeleted(7)), HERE) == Sighting(7, Stands.UNREADABLE)
    assert sighting(wired(types.PeerUser(7)), HERE) is None


def test_a_text_with_half_a_surrogate_pair_is_taken() -> None:
    strange = message()
    strange.message = "Сирия \ud83d"
    assert post(strange).text == "Сирия \ud83d"


def test_a_post_or_its_channel_may_be_protected() -> None:
    assert post(message(noforwards=True)).protected
    assert not post(message()).protected
    seen = sighting(message(), HERE, protected=True)
    assert seen is not None
    assert seen.post is not None
    assert seen.post.protected


def test_a_reply_is_to_a_number_of_this_channel() -> None:
    assert post(message(reply_to=types.MessageReplyHeader(reply_to_msg_id=3))).reply_to == 3
    elsewhere = types.MessageReplyHeader(reply_to_msg_id=3, reply_to_peer_id=types.PeerChannel(9))
    assert post(message(reply_to=elsewhere)).reply_to is None
    assert post(message(reply_to=types.MessageReplyStoryHeader(types.PeerUser(1), 3))).reply_to is None
    assert post(message(reply_to=types.MessageReplyHeader())).reply_to is None


OTHER = types.PeerChannel(1900000002)


@pytest.mark.parametrize(
    ("header", "origin"),
    [
        ({"from_id": OTHER, "channel_post": 12}, Origin(channel="-1001900000002", post=12, date=DATE)),
        ({"from_id": OTHER}, Origin(channel="-1001900000002", date=DATE)),
        ({"from_name": "Кто-то"}, Origin(name="Кто-то", date=DATE)),
        ({"from_id": types.PeerUser(5)}, Origin(name="5", date=DATE)),
        (
            {"from_id": OTHER, "saved_from_peer": OTHER, "saved_from_msg_id": 12},
            Origin(channel="-1001900000002", post=12, date=DATE),
        ),
        # What a discussion group copies of a channel, when the channel itself had it from elsewhere.
        (
            {"from_id": types.PeerChannel(3), "channel_post": 4, "saved_from_peer": OTHER, "saved_from_msg_id": 12},
            Origin(channel="-1000000000003", post=4, date=DATE),
        ),
        (
            {"from_id": types.PeerUser(5), "saved_from_peer": OTHER, "saved_from_msg_id": 12},
            Origin(name="5", date=DATE),
        ),
    ],
)
def test_a_forward_names_its_origin(header: dict[str, Any], origin: Origin) -> None:
    assert post(message(fwd_from=types.MessageFwdHeader(date=DATE, **header))).origin == origin


def test_a_forward_and_the_post_itself_know_each_other() -> None:
    forward = post(
        message(fwd_from=types.MessageFwdHeader(date=DATE, from_id=types.PeerChannel(CHANNEL), channel_post=7))
    )
    copy = replace(forward, channel=Channel(id=-1001900000009), number=1)
    assert set(origins_of(copy)) & set(origins_of(post(message())))


def rich(*blocks: Any, **more: Any) -> Any:
    return types.RichMessage(blocks=list(blocks), **({"photos": [], "documents": []} | more))


def test_the_text_of_a_rich_message_is_that_of_its_blocks() -> None:
    paragraph = types.PageBlockParagraph(
        types.TextConcat([types.TextPlain("😀 о "), types.TextUrl(types.TextPlain("Сирии"), "https://example.org", 0)])
    )
    found = post(message("", rich_message=rich(types.PageBlockHeading1(types.TextPlain("Дамаск")), paragraph)))
    assert found.text == "Дамаск\n\n😀 о Сирии"
    assert found.entities == (Entity("text_url", 13, 5, "https://example.org"),)
    assert [part.kind for part in found.parts()] == [PartKind.TEXT, PartKind.LINK]


def test_a_plain_text_stands_above_a_rich_one_that_does_not_hold_it() -> None:
    blocks = rich(types.PageBlockParagraph(types.TextUrl(types.TextPlain("Сирия"), "https://example.org", 0)))
    bold = [types.MessageEntityBold(0, 2)]
    above = post(message("Итог 😀", entities=bold, rich_message=blocks))
    assert above.text == "Итог 😀\n\nСирия"
    assert above.entities == (Entity("bold", 0, 2), Entity("text_url", 9, 5, "https://example.org"))
    held = post(message("Сирия", entities=bold, rich_message=blocks))
    assert (held.text, held.entities) == ("Сирия", (Entity("text_url", 0, 5, "https://example.org"),))


def test_what_hangs_on_a_rich_message_is_media() -> None:
    document = file(types.DocumentAttributeFilename("сводка.pdf"))
    found = post(message("", rich_message=rich(photos=[types.PhotoEmpty(1)], documents=[document])))
    assert found.media == (Media(kind="photo"), Media(kind="document", file_name="сводка.pdf"))


def test_a_rich_message_may_be_partial() -> None:
    assert is_partial(message("", rich_message=rich(part=True)))
    assert not is_partial(message("", rich_message=rich()))
    assert not is_partial(message())
    assert not is_partial(wired(types.MessageEmpty(7, None)))


def chat(**more: Any) -> Any:
    given = {"id": CHANNEL, "title": "Пост", "photo": types.ChatPhotoEmpty(), "date": DATE, "access_hash": -5} | more
    return wired(types.Channel(**given))


def test_a_channel_is_addressed_by_id_and_hash() -> None:
    assert peer(chat(username="Post_demo", broadcast=True)) == Peer(
        id=-1001900000001, access_hash=-5, username="Post_demo", title="Пост", joined=True
    )
    left = peer(chat(left=True))
    assert left is not None
    assert not left.joined
    assert not left.protected
    protected = peer(chat(noforwards=True))
    assert protected is not None
    assert protected.protected
    assert left.username is None


def test_of_several_names_the_first_that_is_in_use_counts() -> None:
    names = [types.Username("old_demo"), types.Username("new_demo", active=True), types.Username("x_demo", active=True)]
    found = peer(chat(usernames=names))
    assert found is not None
    assert found.username == "new_demo"


@pytest.mark.parametrize(
    "other",
    [
        chat(min=True),
        chat(access_hash=None),
        wired(types.ChannelForbidden(CHANNEL, 5, "Пост")),
        wired(types.ChatEmpty(5)),
        None,
    ],
)
def test_what_cannot_be_addressed_is_no_peer(other: Any) -> None:
    assert peer(other) is None
