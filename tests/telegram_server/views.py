"""How an account sees persons, channels and messages: Telegram's objects with that account's own access hashes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from telethon.tl import types

from tests.telegram_server.channel import Event, Kind, WorldChannel
from tests.telegram_server.posts import Standing
from tests.telegram_server.wire import Raw, Refusal, make, unknown
from tests.telegram_server.world import Person, World


class Views:
    """What does not change is serialised once for each account."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._channels: dict[tuple[int, int | None], tuple[int, Raw]] = {}

    def user(self, person: Person, viewer: int) -> Any:
        mine = person.id == viewer
        return types.User(
            id=person.id,
            is_self=mine or None,
            access_hash=self._world.access_hash(viewer, person.id),
            first_name=person.first_name,
            username=person.username,
            phone=person.phone.lstrip("+") if person.phone and mine else None,
            bot=person.token is not None or None,
            bot_info_version=1 if person.token is not None else None,
            premium=person.premium or None,
        )

    def users(self, numbers: Iterable[int], viewer: int) -> list[Any]:
        return [self.user(self._world.people[one], viewer) for one in sorted(set(numbers)) if one in self._world.people]

    def channel(self, channel: WorldChannel, viewer: int) -> Raw:
        """A Channel, or ChannelForbidden where the account was thrown out."""
        return self._kept(channel, viewer)

    def min_channel(self, channel: WorldChannel) -> Raw:
        """A Channel that says too little to be addressed by it."""
        return self._kept(channel, None)

    def _kept(self, channel: WorldChannel, viewer: int | None) -> Raw:
        key = channel.number, viewer
        version, found = self._channels.get(key, (-1, None))
        if found is None or version != channel.version:
            found = Raw(bytes(self._channel(channel, viewer)))
            self._channels[key] = channel.version, found
        return found

    def _channel(self, channel: WorldChannel, viewer: int | None) -> Any:
        known: dict[str, Any] = {
            "id": channel.number,
            "title": channel.title,
            "broadcast": not channel.megagroup or None,
            "megagroup": channel.megagroup or None,
            "monoforum": channel.monoforum or None,
        }
        if viewer is not None:
            known["access_hash"] = self._world.access_hash(viewer, channel.number)
            if viewer in channel.forbidden:
                return types.ChannelForbidden(**known, until_date=channel.forbidden_until)
            known["left"] = viewer not in channel.members or None
            if viewer in channel.admins:
                known["admin_rights"] = types.ChatAdminRights(post_messages=True, edit_messages=True)
        return types.Channel(
            **known,
            photo=types.ChatPhotoEmpty(),
            date=channel.created,
            min=viewer is None or None,
            username=channel.username,
            noforwards=channel.protected or None,
            participants_count=len(channel.members) or None,
            forum=channel.forum or None,
            restricted=channel.restriction is not None or None,
            restriction_reason=[types.RestrictionReason("all", "terms", channel.restriction)]
            if channel.restriction is not None
            else None,
        )

    def update(self, channel: WorldChannel, event: Event, viewer: int) -> Any:
        """An event as the update that tells of it."""
        match event.kind:
            case Kind.NEW:
                message = channel.standing[event.numbers[0]].raw(viewer)
                return types.UpdateNewChannelMessage(message, event.pts, event.pts_count)
            case Kind.EDIT:
                message = channel.standing[event.numbers[0]].raw(viewer)
                return types.UpdateEditChannelMessage(message, event.pts, event.pts_count)
            case Kind.DELETE:
                return types.UpdateDeleteChannelMessages(
                    channel.number, list(event.numbers), event.pts, event.pts_count
                )
            case Kind.CHANNEL:
                return types.UpdateChannel(channel.number)

    def unreadable_update(self, event: Event) -> Any:
        """The same of a type that no client knows."""
        return types.UpdateNewChannelMessage(
            unknown(event.numbers[0] if event.numbers else 0), event.pts, event.pts_count
        )

    def updates(self, updates: list[Any], chats: list[Any], users: Iterable[int], viewer: int) -> Any:
        return types.Updates(updates, self.users(users, viewer), chats, self._world.now(), 0)

    def dialog(self, channel: WorldChannel, viewer: int) -> Any:
        person = self._world.people[viewer]
        return make(
            types.Dialog,
            peer=channel.peer,
            top_message=channel.newest,
            notify_settings=types.PeerNotifySettings(),
            pts=channel.pts,
            folder_id=1 if channel.number in person.archived else None,
        )

    def forum(self, channel: WorldChannel, found: list[Standing], viewer: int) -> dict[str, Any]:
        """Messages of a channel, with everything they mention."""
        return {
            "messages": [one.raw(viewer) for one in found],
            "chats": [self.channel(channel, viewer)],
            "users": self.users((one.author for one in found if one.author is not None), viewer),
        }


def peer_number(peer: Any) -> int:
    """The bare channel id of any form of input."""
    found = getattr(peer, "channel_id", None)
    if found is None:
        raise Refusal(400, "PEER_ID_INVALID")
    return int(found)
