"""What becomes of the service when its connection, the library beneath it or this machine's clock goes wrong.

Each test ends in recovery, in one notice that names what is wrong, or in both.
"""

from __future__ import annotations

import asyncio
import struct
from datetime import timedelta
from pathlib import Path

import pytest
from telethon.tl import functions

from bot.errors import UnreachableError
from bot.query.lexicon import Lexicon
from bot.vitals import Link
from tests.promises.inside import NEVER
from tests.promises.lives import MINUTE, Lives, lives
from tests.telegram_server.server import TelegramServer

PROBE, RESOLVE = "updates.getState", "contacts.resolveUsername"


# --- the link ----------------------------------------------------------------------------------------------


async def test_a_link_that_is_cut_is_mended_by_the_same_client(tmp_path: Path, lexicon: Lexicon) -> None:
    async with lives(tmp_path, lexicon, sweep_every=NEVER) as service:
        service.lose(2)
        service.server.cut()
        service.say(2)
        await service.caught_up()
        assert service.pushed == [True]
        assert await service.told() == []


async def test_a_server_that_is_gone_for_a_while_is_told_once_and_found_again(tmp_path: Path, lexicon: Lexicon) -> None:
    async with lives(tmp_path, lexicon) as service:
        await service.gone()
        told = await service.until_told()
        assert "Telegram cannot be reached" in told
        assert service.supervise.link is Link.CONNECTING
        tries = len(service.pushed)
        await service.inside.until(lambda: len(service.pushed) > tries)
        service.say(3)
        await service.server.listen_again()
        await service.up(within=15)
        await service.caught_up()
        await service.settled()
        assert await service.told() == [told, "Telegram answers again."]


async def test_a_server_that_is_gone_for_a_moment_is_not_told(tmp_path: Path, lexicon: Lexicon) -> None:
    async with lives(tmp_path, lexicon) as service:
        await service.gone()
        service.say(3)
        await service.server.listen_again()
        await service.up()
        await service.caught_up()
        assert await service.told() == []


async def test_the_pauses_grow_and_are_short_again_after_a_good_life(tmp_path: Path, lexicon: Lexicon) -> None:
    async with lives(tmp_path, lexicon) as service:
        assert service.supervise._failures == 0
        await service.gone()
        await service.inside.until(lambda: service.supervise._failures >= 4)
        await service.server.listen_again()
        await service.up(within=15)
        opened = service.clock.now()
        await service.inside.until(lambda: (service.supervise.answered or opened) - opened > 3 * MINUTE)
        await service.gone()
        await service.inside.until(lambda: service.supervise.watch is None)
        assert service.supervise._failures <= 2


async def test_a_server_that_accepts_and_never_answers_is_told(tmp_path: Path, lexicon: Lexicon) -> None:
    async with lives(tmp_path, lexicon) as service:
        hanging = service.server.faults.hang()
        service.server.cut()
        told = await service.until_told()
        assert "Telegram cannot be reached" in told
        assert "check the clock" in told
        hanging.stop()
        service.say(2)
        await service.up(within=15)
        await service.caught_up()
        await service.settled()


async def test_a_link_that_is_dead_without_a_word_gets_another_client(tmp_path: Path, lexicon: Lexicon) -> None:
    """Half open: nobody has closed it, and nothing comes. Neither pushes nor sweeps would tell."""
    async with lives(tmp_path, lexicon, sweep_every=NEVER) as service:
        before = service.account
        hanging = service.server.faults.hang()
        service.say(2)
        await service.inside.until(lambda: not before.client.is_connected())
        hanging.stop()
        await service.up()
        await service.caught_up()
        assert service.account is not before
        assert await service.told() == []


async def test_what_a_dead_client_was_asked_is_never_sent(tmp_path: Path, lexicon: Lexicon) -> None:
    async with lives(tmp_path, lexicon, sweep_every=NEVER) as service:
        account = service.account
        await service.server.stop_listening()
        service.server.cut()
        with pytest.raises(UnreachableError):
            await account.call(functions.contacts.ResolveUsernameRequest("never_demo"))
        await asyncio.wait_for(account.closed(), 8)
        resolved = service.server.count(RESOLVE)
        await service.server.listen_again()
        service.say()
        await service.caught_up()
        assert service.server.count(RESOLVE) == resolved


async def test_a_transport_that_is_asked_too_much_is_left_alone_for_a_while(tmp_path: Path, lexicon: Lexicon) -> None:
    """Telegram says 429 in the place of a packet. https://core.telegram.org/mtproto/mtproto-transports"""
    async with lives(tmp_path, lexicon, sweep_every=NEVER) as service:
        for connection in service.server.connections:
            connection._writer.write(struct.pack("<iii", -429, -429, -429))
        await service.inside.until(lambda: service.pushed == [True, True])
        service.say(2)
        await service.caught_up()
        assert await service.told() == []


# --- the probe ---------------------------------------------------------------------------------------------


async def test_a_probe_is_only_made_where_nothing_else_is_answered(tmp_path: Path, lexicon: Lexicon) -> None:
    async with lives(tmp_path, lexicon, sweep_every=MINUTE / 3) as service:
        probes, sweeps = service.server.count(PROBE), service.server.count("messages.getPeerDialogs")
        await service.inside.until(lambda: service.server.count("messages.getPeerDialogs") >= sweeps + 12)
        assert service.server.count(PROBE) == probes
    async with lives(_another(tmp_path), lexicon, sweep_every=NEVER) as service:
        probes = service.server.count(PROBE)
        await service.inside.until(lambda: service.server.count(PROBE) >= probes + 3)
        assert service.supervise.answered is not None


async def test_a_probe_that_is_not_answered_twice_ends_nothing(tmp_path: Path, lexicon: Lexicon) -> None:
    async with lives(tmp_path, lexicon, sweep_every=NEVER) as service:
        for _ in range(2):
            swallowed = service.server.faults.swallow(PROBE, times=2)
            probes = service.server.count(PROBE)
            await service.inside.until(lambda before=probes: service.server.count(PROBE) >= before + 3)  # type: ignore[misc]
            assert swallowed.hits == 2
        assert service.pushed == [True]


async def test_a_wait_that_is_asked_for_of_a_probe_is_an_answer(tmp_path: Path, lexicon: Lexicon) -> None:
    async with lives(tmp_path, lexicon, sweep_every=NEVER) as service:
        # As many seconds as Telethon itself does not wait for, in a time of its own.
        waits = service.server.faults.flood_wait(PROBE, 3, times=4)
        await service.inside.until(lambda: waits.hits == 4, within=15)
        service.say(2)
        await service.caught_up()
        assert service.pushed == [True]
        assert await service.told() == []


# --- the library -------------------------------------------------------------------------------------------


async def test_an_unknown_kind_in_a_push_is_swept_up(tmp_path: Path, lexicon: Lexicon) -> None:
    async with lives(tmp_path, lexicon) as service:
        unknown = service.server.faults.unknown_in_push(times=2)
        service.say(2)
        await service.caught_up()
        assert unknown.hits == 2
        assert service.pushed == [True]


def _deadly(service: Lives) -> None:
    """The library asks for a difference, and cannot read it."""
    service.lose()
    service.say()


async def test_one_update_that_the_library_dies_of_is_survived_without_a_word(tmp_path: Path, lexicon: Lexicon) -> None:
    async with lives(tmp_path, lexicon) as service:
        service.say()
        await service.caught_up()
        service.server.faults.unknown_in_difference(times=1)
        _deadly(service)
        await service.inside.until(lambda: service.pushed == [True, True])
        await service.up()
        await service.caught_up()
        assert await service.told() == []


async def test_a_library_that_dies_twice_is_told_to_be_too_old_and_reads_on_by_sweeps(
    tmp_path: Path, lexicon: Lexicon
) -> None:
    async with lives(tmp_path, lexicon, sweep_every=MINUTE / 2, factor=60) as service:
        unknown = service.server.faults.unknown_in_difference()
        for life in (1, 2):
            await service.up()
            service.say()
            await service.caught_up()
            _deadly(service)
            await service.inside.until(lambda life=life: len(service.pushed) > life)  # type: ignore[misc]
        await service.up(Link.TOO_OLD)
        assert service.pushed == [True, True, False]
        told = await service.until_told()
        assert "Telegram library is too old" in told
        assert "update vedette" in told
        # What would have killed it again does not reach it, and what is posted is read all the same.
        hits = unknown.hits
        for _ in range(2):
            _deadly(service)
            service.server.cut()
            await service.caught_up()
        assert unknown.hits == hits
        assert service.supervise.link is Link.TOO_OLD
        assert service.pushed == [True, True, False]
        assert len(await service.told()) == 1


async def test_after_a_day_without_updates_they_are_tried_again(tmp_path: Path, lexicon: Lexicon) -> None:
    async with lives(tmp_path, lexicon, sweep_every=NEVER, factor=40_000) as service:
        service.supervise._deaths = [service.clock.now()]
        await service.supervise._died_of_update()
        before = service.account
        await before.close()
        await service.up(Link.TOO_OLD)
        await service.up(Link.UP)
        assert service.pushed == [True, False, True]
        service.say()
        await service.caught_up()
        await service.settled()


async def test_a_difference_that_the_server_cannot_tell_is_left_to_the_sweep(tmp_path: Path, lexicon: Lexicon) -> None:
    async with lives(tmp_path, lexicon, sweep_every=6 * MINUTE) as service:
        service.say()
        await service.caught_up()
        outdated = service.server.faults.pts_outdated(times=None)
        service.lose(2)
        service.say(2)
        await service.caught_up()
        assert outdated.hits > 0
        assert service.pushed == [True]
        assert await service.told() == []


# --- the clock ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(130, "2 min 10 s behind Telegram's"), (-400, "6 min 40 s ahead of Telegram's")],
    ids=["behind", "ahead"],
)
async def test_a_clock_that_lets_nothing_through_is_told_and_found_to_be_right_again(
    seconds: float, said: str, tmp_path: Path, lexicon: Lexicon
) -> None:
    """Telethon takes nothing that the server says, and no call is ever answered."""

    def skewed(server: TelegramServer) -> None:
        server.faults.clock_skew(seconds)

    async with lives(tmp_path, lexicon, before=skewed) as service:
        assert said in await service.until_told()
        assert service.skew() == pytest.approx(timedelta(seconds=-seconds), abs=timedelta(seconds=3))
        service.server.faults.rules[0].stop()
        await service.up(within=20)
        await service.caught_up()
        await service.settled()
        assert service.skew() is None
        assert len(await service.told()) == 1


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(130, "2 min 10 s behind"), (-130, "2 min 10 s ahead of"), (-7200, "2 h ahead of")],
    ids=["behind", "ahead", "hours"],
)
async def test_a_clock_that_is_wrong_is_told_where_the_link_works_all_the_same(
    seconds: float, said: str, tmp_path: Path, lexicon: Lexicon
) -> None:
    """The server says what time it is, and Telethon reckons with that from then on."""

    def skewed(server: TelegramServer) -> None:
        server.faults.clock_skew(seconds, told=True)

    async with lives(tmp_path, lexicon, before=skewed) as service:
        assert said in await service.until_told()
        await service.caught_up()
        service.server.faults.rules[0].stop()
        service.server.cut()
        await service.settled()
        assert service.skew() is None
        assert len(await service.told()) == 1


async def test_a_clock_that_is_a_little_off_is_nobodys_business(tmp_path: Path, lexicon: Lexicon) -> None:
    def skewed(server: TelegramServer) -> None:
        server.faults.clock_skew(-25, told=True)

    async with lives(tmp_path, lexicon, before=skewed) as service:
        await service.caught_up()
        await asyncio.sleep(0.3)
        assert await service.told() == []
        assert service.skew() is None


# --- limits ------------------------------------------------------------------------------------------------


async def test_a_wait_that_is_asked_for_while_connecting_is_obeyed(tmp_path: Path, lexicon: Lexicon) -> None:
    def limited(server: TelegramServer) -> None:
        server.faults.flood_wait("users.getUsers", 600, times=1)

    async with lives(tmp_path, lexicon, before=limited) as service:
        began = service.clock.now()
        await service.up(within=15)
        assert service.clock.now() - began > 10 * MINUTE
        assert await service.told() == []


def _another(folder: Path) -> Path:
    other = folder / "another"
    other.mkdir()
    return other
