"""What is counted is counted once, and whoever is counted notices nothing."""

from __future__ import annotations

from datetime import timedelta

from bot.tally import Counted, Tally


def test_calls_are_counted_of_each_account_by_themselves() -> None:
    tally = Tally()
    for _ in range(2):
        tally.reader.asked("messages.getHistory")
    tally.bot.asked("messages.sendMessage")
    assert tally.reader.calls == {"messages.getHistory": 2}
    assert tally.bot.calls == {"messages.sendMessage": 1}


def test_of_a_bot_is_told_where_there_is_one() -> None:
    tally = Tally()
    assert tally.accounts(bot=False) == {"reader": tally.reader}
    assert tally.accounts(bot=True) == {"reader": tally.reader, "bot": tally.bot}


def test_whoever_waits_for_nothing_is_counted_too() -> None:
    tally = Counted()
    tally.connecting()()
    tally.waiting()("messages.sendMessage", 30)
    assert (tally.connections, tally.waits) == (1, {"messages.sendMessage": 1})


def test_connections_and_waits_are_counted_and_handed_on() -> None:
    tally = Counted()
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
