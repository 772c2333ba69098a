"""Chats as answers show them: what they are, and what speaks against writing there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from telethon.tl import types

from bot.errors import RefusedError
from bot.storage.chats import Address
from bot.telegram.chats import Chat, Kind, peer, seen

NO_MESSAGES = types.ChatBannedRights(until_date=None, send_messages=True)
ADMIN = types.ChatAdminRights(post_messages=True)


def channel(**known: Any) -> types.Channel:
    return types.Channel(
        id=5, title="Фонарь", photo=types.ChatPhotoEmpty(), date=datetime(2024, 12, 8, tzinfo=UTC), **known
    )


def group(**known: Any) -> types.Chat:
    told = {"participants_count": 2, "version": 1, **known}
    return types.Chat(id=9, title="Свои", photo=types.ChatPhotoEmpty(), date=datetime(2024, 12, 8, tzinfo=UTC), **told)


def test_a_person_a_bot_a_group_and_a_channel_are_told_apart() -> None:
    assert seen(types.User(id=7, first_name="Анна", last_name="К")) == Chat(id=7, kind=Kind.PERSON, title="Анна К")
    bot = seen(types.User(id=8, first_name="Desk", username="desk_demo_bot", bot=True))
    assert bot == Chat(id=8, kind=Kind.BOT, title="Desk", username="desk_demo_bot")
    assert seen(group()) == Chat(id=-9, kind=Kind.GROUP, title="Свои")
    forum = seen(channel(megagroup=True, forum=True))
    assert forum == Chat(id=-1000000000005, kind=Kind.GROUP, title="Фонарь", forum=True)
    mine = seen(channel(broadcast=True, creator=True))
    assert mine == Chat(id=-1000000000005, kind=Kind.CHANNEL, title="Фонарь")


@pytest.mark.parametrize(
    ("chat", "closed"),
    [
        (channel(broadcast=True), "only its administrators write there"),
        (channel(broadcast=True, admin_rights=types.ChatAdminRights(edit_messages=True)), "only its administrators"),
        (channel(broadcast=True, admin_rights=ADMIN), None),
        (channel(megagroup=True), None),
        (channel(megagroup=True, left=True), "is not in it"),
        (channel(megagroup=True, banned_rights=NO_MESSAGES), "is not allowed to write there"),
        (channel(megagroup=True, default_banned_rights=NO_MESSAGES), "is not allowed to write there"),
        (channel(megagroup=True, default_banned_rights=NO_MESSAGES, admin_rights=ADMIN), None),
        (group(default_banned_rights=NO_MESSAGES), "is not allowed to write there"),
        (group(left=True), "is not in it"),
    ],
)
def test_what_speaks_against_writing_is_seen(chat: Any, closed: str | None) -> None:
    told = seen(chat)
    assert told is not None
    assert (told.closed is None) == (closed is None)
    assert (closed or "") in (told.closed or "")


@pytest.mark.parametrize(
    ("chat", "code"),
    [
        (types.User(id=7, deleted=True), "INPUT_USER_DEACTIVATED"),
        (group(migrated_to=types.InputChannel(5, 1)), "CHAT_MOVED_TO_-1000000000005"),
        (group(migrated_to=types.InputChannelEmpty()), "CHAT_MIGRATED"),
        (types.ChannelForbidden(id=5, access_hash=1, title="Фонарь"), "CHANNEL_FORBIDDEN"),
    ],
)
def test_what_cannot_be_told_at_all_is_refused(chat: Any, code: str) -> None:
    with pytest.raises(RefusedError) as caught:
        seen(chat)
    assert caught.value.code == code


def test_what_is_empty_is_nothing() -> None:
    assert seen(types.UserEmpty(7)) is None


def test_the_marked_id_says_how_a_chat_is_addressed() -> None:
    assert peer(Address(7, 42)).to_dict() == types.InputPeerUser(7, 42).to_dict()
    assert peer(Address(-9)).to_dict() == types.InputPeerChat(9).to_dict()
    assert peer(Address(-1000000000005, 42)).to_dict() == types.InputPeerChannel(5, 42).to_dict()
