"""Methods about being in a channel: invites, joining, leaving, muting, archiving."""

from __future__ import annotations

import re
from typing import Any

from telethon.tl import types

from tests.telegram_server.asking import Ask
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.wire import Refusal, make

_INVITE = re.compile(r"[A-Za-z0-9_-]{8,}")


def join_channel(ask: Ask, request: Any) -> Any:
    channel = ask.channel(request.channel)
    if channel.approval and ask.me not in channel.members:
        raise Refusal(400, "INVITE_REQUEST_SENT")
    return _joined(ask, channel)


def leave_channel(ask: Ask, request: Any) -> Any:
    channel = ask.channel(request.channel)
    if ask.me not in channel.members:
        raise Refusal(400, "USER_NOT_PARTICIPANT")
    channel.leave(ask.me)
    return _told(ask, channel)


def check_chat_invite(ask: Ask, request: Any) -> Any:
    channel = _invited(ask, request.hash)
    if ask.me in channel.members:
        return types.ChatInviteAlready(ask.views.channel(channel, ask.me))
    return make(
        types.ChatInvite,
        title=channel.title,
        photo=types.PhotoEmpty(0),
        participants_count=len(channel.members),
        channel=True,
        broadcast=not channel.megagroup or None,
        megagroup=channel.megagroup or None,
        request_needed=channel.approval or None,
    )


def import_chat_invite(ask: Ask, request: Any) -> Any:
    channel = _invited(ask, request.hash)
    if ask.me in channel.members:
        raise Refusal(400, "USER_ALREADY_PARTICIPANT")
    if channel.approval:
        raise Refusal(400, "INVITE_REQUEST_SENT")
    return _joined(ask, channel)


def update_notify_settings(ask: Ask, request: Any) -> Any:
    channel = ask.channel(getattr(request.peer, "peer", None))
    muted = ask.person.muted
    (muted.add if request.settings.mute_until else muted.discard)(channel.number)
    return True


def edit_peer_folders(ask: Ask, request: Any) -> Any:
    """folders.editPeerFolders: 1 is the archive, 0 the list of chats."""
    archived, moved = ask.person.archived, []
    for one in request.folder_peers:
        channel = ask.channel(one.peer)
        (archived.add if one.folder_id else archived.discard)(channel.number)
        moved.append(types.FolderPeer(channel.peer, one.folder_id))
    pts = ask.person.pts
    return ask.views.updates([types.UpdateFolderPeers(moved, pts, 0)], [], (), ask.me)


def _invited(ask: Ask, code: str) -> WorldChannel:
    if not _INVITE.fullmatch(code):
        raise Refusal(400, "INVITE_HASH_INVALID")
    found = [channel for channel in ask.world.channels.values() if channel.invite == code]
    if not found or ask.me in found[0].forbidden:
        raise Refusal(400, "INVITE_HASH_EXPIRED")
    return found[0]


def _joined(ask: Ask, channel: WorldChannel) -> Any:
    """Layer 229 wraps the updates that joining brings, or sends somebody to a bot."""
    if channel.guarded:
        return types.messages.ChatInviteJoinResultWebView(bot_id=1, query_id=2, users=[])
    channel.join(ask.me)
    return types.messages.ChatInviteJoinResultOk(_told(ask, channel))


def _told(ask: Ask, channel: WorldChannel) -> Any:
    chat = ask.views.channel(channel, ask.me)
    return ask.views.updates([types.UpdateChannel(channel.number)], [chat], (), ask.me)
