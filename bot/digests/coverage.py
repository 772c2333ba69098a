"""What of the watched channels was read, for the foot of a digest: how many, and which are behind or lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.model import Channel, ChannelRef, Invite
from bot.rules import Rules
from bot.storage import facts, overview
from bot.storage.addresses import Sought
from bot.storage.database import Database
from bot.storage.overview import ChannelState

#: The fact that `bot.watch.folder` keeps; that one would load Telegram's library.
_FOLDER = "folder"
#: So much of an invite's code is told: whoever holds the whole of it may join.
_OF_AN_INVITE = 4


@dataclass(frozen=True, slots=True)
class Coverage:
    """``channels``: all that were ever read, by marked id, as the configuration calls them.

    ``watched``: those that are watched now; ``sought``: references of the configuration that lead to no channel, and
    what a person reads for each.
    """

    channels: Mapping[int, Channel]
    watched: tuple[ChannelState, ...]
    sought: tuple[tuple[Sought, str], ...]

    def lost(self) -> tuple[str, ...]:
        """Those that cannot be read any more."""
        return tuple(self._name(one) for one in self.watched if one.refused is not None)

    def missing(self) -> tuple[str, ...]:
        """What was asked for in vain."""
        return tuple(name for one, name in self.sought if one.why is not None)

    def behind(self, moment: datetime) -> tuple[str, ...]:
        """Those of which it is not known what stood in them at this moment, but for the lost ones."""
        old = [self._name(one) for one in self.watched if one.refused is None and _is_before(one.read_at, moment)]
        return (*old, *self._untried)

    def unread(self) -> tuple[str, ...]:
        """Those of which the first reading has not come to its end, but for the lost ones."""
        begun = [self._name(one) for one in self.watched if one.refused is None and not one.history_read]
        return (*begun, *self._untried)

    @property
    def total(self) -> int:
        """How many there are to be read."""
        return len(self.watched) + len(self.sought)

    @property
    def _untried(self) -> tuple[str, ...]:
        return tuple(name for one, name in self.sought if one.why is None)

    def _name(self, one: ChannelState) -> str:
        return self.channels[one.channel.id or 0].shown


def _is_before(read_at: datetime | None, moment: datetime) -> bool:
    return read_at is None or read_at < moment


async def coverage(database: Database, rules: Rules, folder: str | None) -> Coverage:
    """As it is stored now. ``folder``: the name of the configuration's, if it has one."""
    states = await overview.channels(database)
    asked = {str(ref): ref for ref in rules.channels}
    inside = await _inside(database) if folder is not None else frozenset()
    watched = [one for one in states if one.channel.id in inside or not asked.keys().isdisjoint(_names(one))]
    known = {name for one in watched for name in _names(one)}
    sought = [one for one in await overview.sought(database) if one.written in asked and one.written not in known]
    return Coverage(
        {one.channel.id or 0: rules.labelled(one.channel) for one in states},
        tuple(watched),
        tuple((one, _shown(asked[one.written], rules)) for one in sought),
    )


async def _inside(database: Database) -> frozenset[int | None]:
    """What the folder held last; nothing while none was seen."""
    kept = await facts.get(database, _FOLDER)
    return frozenset(map(int, json.loads(kept)["channels"])) if isinstance(kept, str) else frozenset()


def _names(one: ChannelState) -> frozenset[str]:
    """What a configuration may call it."""
    name = one.channel.username
    return one.references | {str(one.channel.id), *([f"@{name.lower()}"] if name else [])}


def _shown(ref: ChannelRef, rules: Rules) -> str:
    label = rules.channels[ref].label
    if label is not None:
        return label
    return f"{Invite(ref.code[:_OF_AN_INVITE])!s}…" if isinstance(ref, Invite) else str(ref)
