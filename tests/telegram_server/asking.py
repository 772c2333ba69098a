"""A call as the methods see it: who asks, of whom, and whether they may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.mtproto import Connection, Key
from tests.telegram_server.views import Views, peer_number
from tests.telegram_server.wire import Refusal
from tests.telegram_server.world import Person, World

if TYPE_CHECKING:
    from tests.telegram_server.faults import Faults
    from tests.telegram_server.server import TelegramServer


@dataclass(frozen=True, slots=True)
class Ask:
    """One call of one connection."""

    server: TelegramServer
    connection: Connection
    key: Key

    @property
    def world(self) -> World:
        return self.server.world

    @property
    def views(self) -> Views:
        return self.server.views

    @property
    def faults(self) -> Faults:
        return self.server.faults

    @property
    def me(self) -> int:
        """The id of who is signed in. Raises a refusal when nobody is."""
        if self.key.revoked is not None:
            raise Refusal(401, self.key.revoked)
        if self.key.person is None:
            raise Refusal(401, "AUTH_KEY_UNREGISTERED")
        return self.key.person

    @property
    def person(self) -> Person:
        return self.world.people[self.me]

    def known_channel(self, peer: Any) -> WorldChannel:
        """The channel that an input names with this account's access hash. Bots in it may leave the hash out."""
        number, given = peer_number(peer), getattr(peer, "access_hash", 0)
        channel = self.world.channels.get(number)
        is_bot = self.person.token is not None
        if channel is None or not (
            given == self.world.access_hash(self.me, number) or (is_bot and given == 0 and self.me in channel.members)
        ):
            raise Refusal(400, "CHANNEL_INVALID")
        return channel

    def channel(self, peer: Any) -> WorldChannel:
        """The same, when this account can read it."""
        channel = self.known_channel(peer)
        if not channel.readable_by(self.me):
            raise Refusal(400, "CHANNEL_PRIVATE")
        return channel

    def user(self, peer: Any) -> Person:
        """The person that an input names; bots address those who talk with them without a hash."""
        if isinstance(peer, types.InputPeerSelf | types.InputUserSelf):
            return self.person
        number = getattr(peer, "user_id", None)
        person = self.world.people.get(number) if number is not None else None
        if person is None:
            raise Refusal(400, "PEER_ID_INVALID")
        by_bot = self.person.token is not None and self.me in person.started
        if peer.access_hash != self.world.access_hash(self.me, person.id) and not (by_bot and peer.access_hash == 0):
            raise Refusal(400, "PEER_ID_INVALID")
        return person
