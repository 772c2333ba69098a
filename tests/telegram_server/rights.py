"""Who may write where: members, admins, those who were silenced, slow mode, topics, private chats."""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from typing import Any

from tests.telegram_server.asking import Ask
from tests.telegram_server.channel import Topic, WorldChannel
from tests.telegram_server.posts import Standing
from tests.telegram_server.wire import Refusal
from tests.telegram_server.world import Person

#: General, which every forum has. https://core.telegram.org/api/forum
GENERAL = 1
#: https://core.telegram.org/method/messages.editMessage, as the client's configuration says it.
_MAY_BE_EDITED = timedelta(hours=48)


def may_write(ask: Ask, chat: WorldChannel | Person, thread: int | None) -> None:
    """Raises Telegram's refusal where this account may not write. https://core.telegram.org/method/messages.sendMessage"""
    if isinstance(chat, Person):
        _may_write_privately(ask, chat)
        return
    admin = ask.me in chat.admins
    if ask.me in chat.banned:
        raise Refusal(400, "USER_BANNED_IN_CHANNEL")
    if ask.me not in chat.members or (chat.closed and not admin):
        raise Refusal(403, "CHAT_WRITE_FORBIDDEN")
    if not chat.megagroup and not admin:
        raise Refusal(400, "CHAT_ADMIN_REQUIRED")
    if chat.forum:
        _topic_is_open(chat, thread, admin=admin)
    if chat.slow_mode and not admin:
        _waited(ask, chat)


def _may_write_privately(ask: Ask, person: Person) -> None:
    if ask.me in person.blocked:
        raise Refusal(403, "USER_IS_BLOCKED")
    if ask.person.token is not None and ask.me not in person.started:
        raise Refusal(403, "USER_IS_BLOCKED")


def _topic_is_open(chat: WorldChannel, thread: int | None, *, admin: bool) -> None:
    topic = chat.topics.get(thread or GENERAL)
    if topic is Topic.DELETED:
        raise Refusal(400, "TOPIC_DELETED")
    if topic is Topic.CLOSED and not admin:
        raise Refusal(400, "TOPIC_CLOSED")
    if thread is not None and topic is None and chat.living(thread) is None:
        raise Refusal(400, "REPLY_MESSAGE_ID_INVALID")


def _waited(ask: Ask, chat: WorldChannel) -> None:
    """Counts a message, or says how long is still to be waited after the last."""
    now = ask.faults.seconds_now()
    before = chat.last_said.get(ask.me)
    if before is not None and (rest := before + chat.slow_mode - now) > 0:
        raise Refusal(420, f"SLOWMODE_WAIT_{ceil(rest)}")
    chat.last_said[ask.me] = now


def may_edit(ask: Ask, chat: WorldChannel | Person, standing: Standing) -> None:
    """Raises where a message is another's, or too old; what somebody has written to himself may always be edited."""
    if standing.author != ask.me:
        raise Refusal(403, "MESSAGE_AUTHOR_REQUIRED")
    to_himself = isinstance(chat, Person) and chat.id == ask.me
    if not to_himself and ask.world.now() - standing.message.date > _MAY_BE_EDITED:
        raise Refusal(400, "MESSAGE_EDIT_TIME_EXPIRED")
    if isinstance(chat, WorldChannel) and (ask.me not in chat.members or (chat.closed and ask.me not in chat.admins)):
        raise Refusal(403, "CHAT_WRITE_FORBIDDEN")


def may_forward(ask: Ask, source: WorldChannel) -> None:
    """Raises where nothing may be forwarded from. A bot sees nothing of a group that it is not in."""
    if source.protected:
        raise Refusal(400, "CHAT_FORWARDS_RESTRICTED")
    if ask.person.token is not None and source.megagroup and ask.me not in source.members:
        raise Refusal(400, "CHANNEL_PRIVATE")


def thread_of(request: Any) -> int | None:
    """The topic, or the message that is answered to, of a request."""
    if (top := getattr(request, "top_msg_id", None)) is not None:
        return int(top)
    reply = getattr(request, "reply_to", None)
    found = getattr(reply, "top_msg_id", None) or getattr(reply, "reply_to_msg_id", None)
    return int(found) if found else None
