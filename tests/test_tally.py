"""What is counted is counted once, and whoever is counted notices nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.tally import Tally


async def test_a_call_is_counted_when_its_turn_has_come() -> None:
    tally, asked = Tally(), []

    async def turn(method: str) -> None:
        asked.append(method)
        if method == "messages.deleteHistory":
            raise PermissionError

    counted = tally.calling(turn)
    await counted("messages.getHistory")
    await counted("messages.getHistory")
    with pytest.raises(PermissionError):
        await counted("messages.deleteHistory")
    assert asked == ["messages.getHistory", "messages.getHistory", "messages.deleteHistory"]
    assert tally.calls == {"messages.getHistory": 2}


def test_connections_and_waits_are_counted_and_handed_on() -> None:
    tally = Tally()
    heard: list[object] = []
    connected, refused = tally.connecting(lambda: heard.append("connected")), tally.waiting(lambda *w: heard.append(w))
    connected()
    refused("channels.joinChannel", 30)
    assert heard == ["connected", ("channels.joinChannel", 30)]
    assert (tally.connections, tally.waits) == (1, {"channels.joinChannel": 1})


def test_how_long_sweeps_took_is_added_up_and_never_grows_less() -> None:
    tally = Tally()
    for seconds in (2, -3600, 1.5):  # the clock was set back meanwhile
        tally.sweep(timedelta(seconds=seconds))
    assert (tally.sweeps, tally.swept) == (3, timedelta(seconds=3.5))
