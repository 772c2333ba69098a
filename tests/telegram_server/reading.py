"""Methods that read: users, channels, history, dialogs."""

from __future__ import annotations

import re
from bisect import bisect_right
from operator import neg
from typing import Any

from telethon.tl import types

from tests.telegram_server.asking import Ask
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.differences import state
from tests.telegram_server.faults import Fault
from tests.telegram_server.posts import Standing
from tests.telegram_server.wire import Raw, Refusal, make, unknown, vector
from tests.telegram_server.world import Person

#: What clients keep to; how Telegram answers more is not documented.
MOST_MESSAGES = 100
_MOST_IDS = 200
_USERNAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,31}")


def get_users(ask: Ask, request: Any) -> Any:
    return vector([ask.views.user(ask.user(one), ask.me) for one in request.id])


def resolve_username(ask: Ask, request: Any) -> Any:
    if not _USERNAME.fullmatch(request.username):
        raise Refusal(400, "USERNAME_INVALID")
    match ask.world.named(request.username):
        case WorldChannel() as channel:
            return types.contacts.ResolvedPeer(channel.peer, [ask.views.channel(channel, ask.me)], [])
        case Person() as person:
            return types.contacts.ResolvedPeer(types.PeerUser(person.id), [], [ask.views.user(person, ask.me)])
    raise Refusal(400, "USERNAME_NOT_OCCUPIED")


def get_channels(ask: Ask, request: Any) -> Any:
    found = [ask.known_channel(one) for one in request.id]
    return types.messages.Chats([ask.views.channel(one, ask.me) for one in found])


def get_chats(ask: Ask, request: Any) -> Any:
    """messages.getChats: small groups, of which there is no more here than what became of them."""
    if any(number not in ask.world.groups for number in request.id):
        raise Refusal(400, "CHAT_ID_INVALID")
    return types.messages.Chats([_group(ask, number) for number in request.id])


def _group(ask: Ask, number: int) -> Any:
    became = ask.world.groups[number]
    moved = None if became is None else types.InputChannel(became, ask.world.access_hash(ask.me, became))
    return make(
        types.Chat,
        id=number,
        title=f"Group {number}",
        photo=types.ChatPhotoEmpty(),
        participants_count=2,
        date=ask.world.now(),
        version=1,
        migrated_to=moved,
        deactivated=moved is not None or None,
    )


def get_channel_messages(ask: Ask, request: Any) -> Any:
    """channels.getMessages: what stands under some numbers, messageEmpty where nothing does."""
    channel = ask.channel(request.channel)
    numbers = [getattr(one, "id", one) for one in request.id[:_MOST_IDS]]
    found = [(number, channel.living(number)) for number in numbers]
    view = ask.views.forum(channel, [one for _, one in found if one is not None], ask.me)
    view["messages"] = [
        one.raw(ask.me) if one is not None else types.MessageEmpty(number, channel.peer) for number, one in found
    ]
    return types.messages.ChannelMessages(pts=channel.pts, count=len(found), topics=[], **view)


def get_history(ask: Ask, request: Any) -> Any:
    """messages.getHistory. https://core.telegram.org/api/offsets"""
    if getattr(request.peer, "channel_id", None) is None:
        return _private_history(ask, request)
    channel = ask.channel(request.peer)
    numbers = channel.alive()
    page = _page(request, numbers, clamped=not ask.faults.has(Fault.UNCLAMPED_HISTORY))
    view = ask.views.forum(channel, [channel.standing[number] for number in page], ask.me)
    if page and ask.faults.has(Fault.UNKNOWN_IN_HISTORY, channel=channel.number):
        view["messages"][-1] = unknown(page[-1])
    return types.messages.ChannelMessages(pts=channel.pts, count=len(numbers), topics=[], **view)


def _page(request: Any, numbers: list[int], *, clamped: bool = True) -> list[int]:
    """The numbers on a page, from those there are, the highest first.

    The page begins ``add_offset`` places after the first number below ``offset_id``; ``min_id`` and ``max_id`` only
    strike out what is on it.
    """
    offset = request.offset_id
    below = bisect_right(numbers, -offset, key=neg) if offset > 0 else 0
    start = below + request.add_offset
    limit = max(0, min(request.limit, MOST_MESSAGES))
    end = start + limit
    if start < 0:
        start, end = 0, limit if clamped else max(end, 0)
    return [
        number
        for number in numbers[start:end]
        if number > request.min_id and (not request.max_id or number < request.max_id)
    ]


def _private_history(ask: Ask, request: Any) -> Any:
    other = ask.user(request.peer)
    box = ask.person
    numbers = sorted((number for number, chat in box.chats.items() if chat == other.id), reverse=True)
    page = _page(request, numbers)
    users = ask.views.users((other.id, ask.me), ask.me)
    return types.messages.MessagesSlice(
        count=len(numbers), messages=[box.messages[one].raw() for one in page], topics=[], chats=[], users=users
    )


def get_rich_message(ask: Ask, request: Any) -> Any:
    """messages.getRichMessage: the whole of a message that holds only its first blocks."""
    channel = ask.channel(request.peer)
    standing = channel.living(request.id)
    if standing is None or not standing.parts:
        raise Refusal(400, "MESSAGE_ID_INVALID")
    rich = make(types.RichMessage, blocks=list(standing.parts))
    short, standing.message.rich_message = standing.message.rich_message, rich
    whole = Raw(bytes(standing.message))
    standing.message.rich_message = short
    view = ask.views.forum(channel, [], ask.me) | {"messages": [whole]}
    return types.messages.Messages(topics=[], **view)


def get_peer_dialogs(ask: Ask, request: Any) -> Any:
    """messages.getPeerDialogs. One channel that cannot be read fails all."""
    if len(request.peers) > MOST_MESSAGES:
        raise Refusal(400, "LIMIT_INVALID")
    asked = [ask.channel(one.peer) for one in request.peers if hasattr(one, "peer")]
    found = [one for one in asked if not ask.faults.has(Fault.OMIT_DIALOGS, channel=one.number)]
    return types.messages.PeerDialogs(**_dialogs(ask, list(found)), state=state(ask))


def get_dialogs(ask: Ask, request: Any) -> Any:
    """messages.getDialogs: who talked last comes first; the next page begins after ``offset_peer``."""
    person = ask.person
    everything: list[WorldChannel | Person] = [
        channel
        for channel in ask.world.joined(ask.me)
        if request.folder_id is None or (channel.number in person.archived) == bool(request.folder_id)
    ]
    if not request.folder_id:
        everything += [ask.world.people[one] for one in sorted(set(person.chats.values()))]
    everything.sort(key=lambda one: _latest(one, person), reverse=True)
    start = next((at for at, one in enumerate(everything, 1) if _is(one, request.offset_peer)), 0)
    since = request.offset_date.timestamp() if request.offset_date else 0
    if not start and since > 0:
        start = sum(_latest(one, person)[0] >= since for one in everything)
    limit = min(request.limit or MOST_MESSAGES, MOST_MESSAGES)
    found = everything[start : start + limit]
    view = _dialogs(ask, found)
    if not start and ask.faults.has(Fault.COMMUNITY):
        view["dialogs"].insert(0, types.DialogCommunity(1, types.PeerNotifySettings()))
    if not start and len(found) == len(everything):
        return types.messages.Dialogs(**view)
    return types.messages.DialogsSlice(count=len(everything), **view)


def _dialogs(ask: Ask, found: list[WorldChannel | Person]) -> dict[str, Any]:
    channels = [one for one in found if isinstance(one, WorldChannel)]
    people = [one for one in found if isinstance(one, Person)]
    tops = [one.standing[one.newest] for one in channels if one.newest]
    authors = [one.author for one in tops if one.author is not None]
    mine = ask.person
    return {
        "dialogs": [_with(one, mine) if isinstance(one, Person) else ask.views.dialog(one, ask.me) for one in found],
        "messages": [one.raw(ask.me) for one in tops] + [_newest(mine, one.id).raw() for one in people],
        "chats": [ask.views.channel(one, ask.me) for one in channels],
        "users": ask.views.users([*authors, *(one.id for one in people)], ask.me),
    }


def _with(other: Person, mine: Person) -> Any:
    return make(
        types.Dialog,
        peer=types.PeerUser(other.id),
        top_message=_newest(mine, other.id).number,
        notify_settings=types.PeerNotifySettings(),
    )


def _newest(mine: Person, other: int) -> Standing:
    return mine.messages[max(number for number, chat in mine.chats.items() if chat == other)]


def _latest(one: WorldChannel | Person, mine: Person) -> tuple[float, int]:
    if isinstance(one, Person):
        return _newest(mine, one.id).message.date.timestamp(), one.id
    date = getattr(one.standing[one.newest].message, "date", None) if one.newest else None
    return (date or one.created).timestamp(), one.number


def _is(one: WorldChannel | Person, peer: Any) -> bool:
    if isinstance(one, Person):
        return one.id == getattr(peer, "user_id", None)
    return one.number == getattr(peer, "channel_id", None)


def get_dialog_filters(ask: Ask, _request: Any) -> Any:
    return types.messages.DialogFilters([types.DialogFilterDefault(), *ask.person.folders])
