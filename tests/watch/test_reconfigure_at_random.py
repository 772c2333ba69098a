"""What is watched changes at random while calls are slow and posts come in: in the end it is what was said last."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random

import pytest

from bot.model import ChannelRef, ChatId, Username
from bot.storage import overview
from tests.telegram_server.channel import WorldChannel
from tests.watch.station import DIALOGS, HISTORY, READER, Station, say

_CHANGES = 25


def wanted(station: Station, channels: list[WorldChannel], folders: dict[str, list[WorldChannel]]) -> set[int]:
    """Which channels a watch that begins now would watch."""
    held = folders.get(station.chat_folder or "", [])
    told = station.destinations
    return {
        one.marked
        for one in channels
        if (one in held or Username(one.username or "") in station.refs or ChatId(one.marked) in station.refs)
        and Username(one.username or "") not in told
    }


def ref(channel: WorldChannel, *, by_id: bool) -> ChannelRef:
    return ChatId(channel.marked) if by_id else Username(channel.username or "")


@pytest.mark.parametrize("seed", range(3))
async def test_in_the_end_it_watches_what_it_would_have_begun_with(station: Station, seed: int) -> None:
    chance = Random(f"changes {seed}")  # noqa: S311 - seeded, not secret
    channels = [station.channel(f"{name}_demo", joined=chance.random() < 0.7) for name in ("a", "b", "c", "d", "e")]
    folders = {name: chance.sample(channels, 3) for name in ("Old", "New")}
    for name, held in folders.items():
        station.world.add_folder(READER, name, [one.number for one in held])
    station.history = timedelta(hours=24)
    slow = [
        station.server.faults.slow(method, 0.05, share=0.5)
        for method in ("contacts.resolveUsername", DIALOGS, HISTORY, "messages.getDialogFilters")
    ]
    # The others cannot be found by their ids.
    known = {one.marked for one in channels if READER in one.members}
    await station.begin()
    for change in range(_CHANGES):
        station.refs = [
            ref(one, by_id=one.marked in known and chance.random() < 0.5)
            for one in chance.sample(channels, chance.randint(0, len(channels)))
        ]
        station.join = chance.random() < 0.7
        station.chat_folder = chance.choice([None, None, "Old", "New"])
        station.destinations = frozenset({Username("a_demo")}) if chance.random() < 0.2 else frozenset()
        await station.reconfigured()
        say(chance.choice(channels), f"Новость {change}", push=chance.random() < 0.7)
        await asyncio.sleep(chance.choice([0, 0.01, 0.1]))
    for one in slow:
        one.stop()
    watch, last = station.watch, wanted(station, channels, folders)
    assert watch is not None
    await station.until(lambda: {one.peer.id for one in watch._roster.all()} == last)
    await station.all_stored(*(one for one in channels if one.marked in last))
    await station.known_by_now()
    assert {one.peer.id for one in watch._roster.all()} == last
    assert await overview.sought(station.database) == []
    assert not watch._membership.untried
