"""What Telegram pushes of channels, handed on as hauls the moment it comes.

Pushes are fast and nothing more: some never come, some come twice. What cannot be read whole here is left to whoever
reads pages, who is told that there is something.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from telethon import events
from telethon.tl import types

from bot.model import Haul, Peer, marked_id
from bot.telegram import convert
from bot.telegram.account import Account
from bot.telemetry.log import logger

_KINDS = [
    types.UpdateNewChannelMessage,
    types.UpdateEditChannelMessage,
    types.UpdateDeleteChannelMessages,
    types.UpdateChannelWebPage,
    types.UpdatePinnedChannelMessages,
    types.UpdateChannel,
]
_log = logger(__name__)


def listen(
    account: Account,
    *,
    peer: Callable[[int], Peer | None],
    take: Callable[[Haul], None],
    stirred: Callable[[int], None],
    ignored: frozenset[int],
) -> None:
    """Hands on what is pushed of the channels (marked ids) that ``peer`` knows, for as long as the client lives.

    ``take`` gets posts, edits and deletions; ``stirred`` the channels of which something came that has to be asked for.
    Neither may wait. Posts of ``ignored`` people are service messages.
    """

    async def heard(update: Any) -> None:  # noqa: ANN401 - Telethon has no types, and awaits its handlers
        bare = _channel_of(update)
        number = None if bare is None else marked_id(bare)
        if number is None or (known := peer(number)) is None:
            return
        try:
            if (haul := _haul(update, known, ignored)) is not None:
                take(haul)
                return
        except Exception:  # noqa: BLE001 - a defect in one push is not to end all of them
            # A page will show what it was about.
            _log.exception("a push could not be taken", channel=number, kind=type(update).__name__)
        stirred(number)

    # Not NewMessage, which leaves out service messages, and their numbers with them.
    account.client.add_event_handler(heard, events.Raw(types=_KINDS))


def _channel_of(update: Any) -> int | None:  # noqa: ANN401
    """The bare id of the channel that an update is about."""
    message = getattr(update, "message", None)
    about = update if message is None else getattr(message, "peer_id", None)
    return getattr(about, "channel_id", None)


def _haul(update: Any, peer: Peer, ignored: frozenset[int]) -> Haul | None:  # noqa: ANN401
    """What an update brings; None if it does not say, or not all of it."""
    match update:
        case types.UpdateDeleteChannelMessages():
            return Haul(channel=peer.id, gone=tuple(update.messages), pts=update.pts)
        case types.UpdateChannelWebPage() | types.UpdatePinnedChannelMessages():
            # An event that changes no post: only that it is counted matters.
            return Haul(channel=peer.id, pts=update.pts)
        case types.UpdateNewChannelMessage() | types.UpdateEditChannelMessage():
            if convert.is_partial(update.message):
                return None
            seen = convert.sighting(update.message, peer.channel, ignored, protected=peer.protected)
            # What the library asked for by itself, after a gap, comes without a count of events.
            return None if seen is None else Haul(channel=peer.id, sightings=(seen,), pts=update.pts or None)
    return None


async def catch_up(account: Account) -> None:
    """Has the library ask what it missed, after a reconnection. It costs a call for each channel that has changed.

    Not where nothing is to be pushed: there the library has died of what it was told so.
    """
    if account.pushed:
        await account.client.catch_up()
