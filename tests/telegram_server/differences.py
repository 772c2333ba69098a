"""Updates that are asked for: the state, and what happened since a pts, of an account and of a channel.

https://core.telegram.org/api/updates
"""

from __future__ import annotations

from typing import Any

from telethon.tl import types

from tests.telegram_server.asking import Ask
from tests.telegram_server.channel import Event, Kind, WorldChannel
from tests.telegram_server.faults import Fault
from tests.telegram_server.posts import Standing
from tests.telegram_server.wire import Refusal, unknown

#: More than so many events of a channel are not told one by one. https://core.telegram.org/method/updates.getChannelDifference
TOO_LONG = 100_000
_MOST = 100
_TIMEOUT = 30


def state(ask: Ask) -> Any:
    return types.updates.State(pts=ask.person.pts, qts=1, date=ask.world.now(), seq=1, unread_count=0)


def get_state(ask: Ask, _request: Any) -> Any:
    return state(ask)


def get_difference(ask: Ask, request: Any) -> Any:
    """The account's own messages since a pts; of channels only which of them has news since the date."""
    person = ask.person
    numbers = sorted({number for pts, number in person.events if pts > request.pts})
    news = [channel for channel in ask.world.joined(ask.me) if _has_news(channel, request.date)]
    if not numbers and not news:
        return types.updates.DifferenceEmpty(ask.world.now(), 1)
    return types.updates.Difference(
        new_messages=[person.messages[number].raw() for number in numbers],
        new_encrypted_messages=[],
        other_updates=[types.UpdateChannelTooLong(channel.number, channel.pts) for channel in news],
        chats=[ask.views.channel(channel, ask.me) for channel in news],
        users=ask.views.users([person.id, *(person.chats[number] for number in numbers)], ask.me),
        state=state(ask),
    )


def _has_news(channel: WorldChannel, since: Any) -> bool:
    return bool(channel.events) and (since is None or int(channel.events[-1].at.timestamp()) >= since.timestamp())


def get_channel_difference(ask: Ask, request: Any) -> Any:
    """At most ``limit`` events after a pts, in their order; ``final`` when these are all."""
    channel = ask.channel(request.channel)
    if request.pts < 1:
        raise Refusal(400, "PERSISTENT_TIMESTAMP_EMPTY")
    if request.pts > channel.pts:
        raise Refusal(400, "PERSISTENT_TIMESTAMP_INVALID")
    limit = max(1, request.limit if ask.person.token is not None else min(request.limit, _MOST))
    if request.pts == channel.pts:
        return types.updates.ChannelDifferenceEmpty(channel.pts, final=True, timeout=_TIMEOUT)
    far = channel.pts - request.pts > ask.server.too_long_after
    if far or request.pts < channel.forgotten or ask.faults.has(Fault.TOO_LONG, channel=channel.number):
        return _too_long(ask, channel, limit)
    events = list(channel.since(request.pts))
    told = events[:limit]
    view = ask.views.forum(channel, _new(channel, told), ask.me)
    messages = view.pop("messages")
    if messages and ask.faults.has(Fault.UNKNOWN_IN_DIFFERENCE, channel=channel.number):
        messages[-1] = unknown(channel.top)
    return types.updates.ChannelDifference(
        pts=told[-1].pts,
        new_messages=messages,
        other_updates=_others(ask, channel, told),
        final=len(told) == len(events) or None,
        timeout=_TIMEOUT,
        **view,
    )


def _new(channel: WorldChannel, events: list[Event]) -> list[Standing]:
    """New messages as they stand now; what was deleted meanwhile was never there."""
    numbers = [event.numbers[0] for event in events if event.kind is Kind.NEW]
    return [channel.standing[number] for number in numbers if channel.living(number)]


def _others(ask: Ask, channel: WorldChannel, events: list[Event]) -> list[Any]:
    new = {event.numbers[0] for event in events if event.kind is Kind.NEW}
    return [
        ask.views.update(channel, event, ask.me)
        for event in events
        if event.kind is Kind.DELETE
        or (event.kind is Kind.EDIT and event.numbers[0] not in new and channel.living(event.numbers[0]))
    ]


def _too_long(ask: Ask, channel: WorldChannel, limit: int) -> Any:
    newest = [channel.standing[number] for number in channel.alive()[:limit]]
    return types.updates.ChannelDifferenceTooLong(
        dialog=ask.views.dialog(channel, ask.me),
        final=True,
        timeout=_TIMEOUT,
        **ask.views.forum(channel, newest, ask.me),
    )
