"""How the operators are told of channels and of what a configuration calls them."""

from __future__ import annotations

from bot.model import ChannelRef, Invite, Notice, Peer

#: So much of an invite's code is told.
_OF_AN_INVITE = 4


def shown(ref: ChannelRef) -> str:
    """As it is told. Whoever holds the whole of an invite may join."""
    return f"{Invite(ref.code[:_OF_AN_INVITE])!s}…" if isinstance(ref, Invite) else str(ref)


def renamed(before: Peer, now: Peer) -> Notice | None:
    """Of a channel that has a public name the title is no more than decoration."""
    if before.username == now.username and (now.username or not before.title or before.title == now.title):
        return None
    was = f"@{before.username}" if before.username else before.channel.shown
    if not now.username and before.username:
        return Notice(f"{was} has no public name any more ({now.channel.shown}); it stays watched.")
    return Notice(f"{was} is called {f'@{now.username}' if now.username else now.channel.shown} now.")
