"""Promise 2 and 7: whatever is lost on the way and however often the process is killed, each message is sent once.

A small trial of two seeds by default; in full, of as many as asked for, with ``VEDETTE_SEEDS``. With ``-s`` the
figures are shown. The service's time runs ten times as fast as ours, the server's with it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.promises.forked import Lives, Scale
from tests.promises.telling import FACTOR, FULL, ORIGIN, SMALL, Desk, Killer, Ledger, Outcome, harmless, trouble
from tests.telegram_server.faults import Fault
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.writes import busiest

_SIZE = FULL if os.environ.get("VEDETTE_SEEDS") else SMALL
#: In seconds of ours: for the service to be up, and to come to the end of what is left.
_UP, _PATIENCE = 40.0, 240.0
#: Posts are spread over about so many seconds for each kill.
_A_KILL = 1.6


@pytest.mark.timeout(900)
async def test_every_message_is_sent_once_and_in_order_however_often_the_service_is_killed(
    seed: int, tmp_path: Path
) -> None:
    began, scale = time.monotonic(), Scale.from_now(ORIGIN, FACTOR)
    desk = Desk(seed, _SIZE, scale)
    faults = trouble(seed, scale)
    async with TelegramServer(desk.world, faults) as server:
        lives = Lives(desk.configured(tmp_path, server), tmp_path / "service.log", scale)
        ledger, killer = Ledger(tmp_path / "data" / "vedette.db"), Killer(lives, seed)
        server.wrote = killer.wrote
        async with lives.ready():
            await lives.start()
            await _until(lives, "it watches", lambda: ledger.watching(len(desk.sources)), _UP)
            await _torment(desk, server, lives, killer)
            await _come_to_rest(desk, server, lives, ledger)
            assert await lives.stop() == 0, lives.said()
        said = f"seed {seed}, {lives.count} starts, killed at {dict(killer.moments)}"
        Outcome(desk, server, ledger.rows(), said).check()
        most = busiest(server.writes)
        assert max(most.values()) <= 20, (said, most)
        print(f"\n{said}\n{_figures(desk, server)}; {time.monotonic() - began:.0f} s of ours")  # noqa: T201 - with -s


async def _torment(desk: Desk, server: TelegramServer, lives: Lives, killer: Killer) -> None:
    """Posts come and are edited, while the service is killed again and again."""
    lives.kill()
    await lives.ended()
    speaking = asyncio.create_task(_speak(desk))
    for kill in range(desk.size.kills):
        await killer.one_life()
        if kill % 5 == 4:
            server.cut()
    await speaking


async def _speak(desk: Desk) -> None:
    chance = Random(f"speak {desk.seed}")  # noqa: S311 - seeded, not secret
    bursts = [share * desk.size.alerts // 10 for share in (3, 7)][: desk.size.alerts // 100 + 1]
    a_second = desk.size.alerts / (desk.size.kills * _A_KILL)
    while desk.alerts < desk.size.alerts:
        if bursts and desk.alerts >= bursts[0]:
            bursts.pop(0)
            desk.burst()
        desk.say()
        if chance.random() < 0.08:
            desk.edit()
        await asyncio.sleep(chance.expovariate(a_second))


async def _come_to_rest(desk: Desk, server: TelegramServer, lives: Lives, ledger: Ledger) -> None:
    """A last life, until everything is told: each post, what it was edited to, and all of it in a digest."""
    harmless(server.faults)
    await lives.start()
    await _until(lives, "all is matched", lambda: ledger.matched() == desk.alerts, _UP)
    desk.edit_for_good()
    await asyncio.sleep(1)
    await _until(lives, "all is sent", lambda: ledger.digested() and ledger.at_rest(), _PATIENCE)


async def _until(lives: Lives, what: str, condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        lives.check()
        assert time.monotonic() < end, f"{what}: not in {seconds:.0f} s\n{lives.said()}"
        await asyncio.sleep(0.2)


def _figures(desk: Desk, server: TelegramServer) -> str:
    rules = {fault: [rule for rule in server.faults.rules if rule.fault is fault] for fault in Fault}
    hits = {fault: sum(rule.hits for rule in found) for fault, found in rules.items() if found}
    told = ", ".join(f"{fault} {count}" for fault, count in hits.items())
    waits = sum(write.refused is not None and write.refused.startswith("FLOOD_WAIT") for write in server.writes)
    repeats, edits = sum(sent.repeats for sent in server.sent), sum(len(sent.edits) for sent in server.sent)
    return (
        f"{desk.alerts} alerts, {len(server.sent) - desk.alerts} messages of digests and {edits} edits over "
        f"{desk.size.chats} chats in {len(server.writes)} requests: {repeats} repeats, {waits} waits; {told}; at "
        f"most {max(busiest(server.writes).values())} in a chat's minute"
    )
