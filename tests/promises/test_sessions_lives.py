"""What becomes of the service when Telegram does not take its session any more: it stays up, says why, and waits.

Each test ends in recovery, in one notice that names what is wrong, or in both.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import NotSignedInError
from bot.query.lexicon import Lexicon
from bot.vitals import Link
from tests.promises.inside import NEVER, READER, WORD, configured, inside
from tests.promises.lives import lives
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

End = Callable[[TelegramServer], Callable[[], object]]
_ANEW = "stop the service, run vedette login, start it again"


def revoked(code: str) -> End:
    """Ends the reader's sessions, and says how that is undone."""

    def end(server: TelegramServer) -> Callable[[], object]:
        server.revoke(READER, code)
        return lambda: server.restore(READER)

    return end


def duplicated(server: TelegramServer) -> Callable[[], object]:
    return server.faults.refuse("*", 406, "AUTH_KEY_DUPLICATED", times=None).stop


def forgotten(server: TelegramServer) -> Callable[[], object]:
    keys = dict(server.keys)
    server.forget_keys()
    return lambda: server.keys.update(keys)


@pytest.mark.parametrize(
    ("end", "said", "to_do"),
    [
        (revoked("SESSION_REVOKED"), "was ended, from another of its devices", _ANEW),
        (revoked("SESSION_EXPIRED"), "has expired", _ANEW),
        (revoked("AUTH_KEY_UNREGISTERED"), "does not know the reader's session", _ANEW),
        (revoked("USER_DEACTIVATED"), "account was deleted", "another account is needed"),
        (revoked("USER_DEACTIVATED_BAN"), "has closed the reader's account", "another account is needed"),
        (duplicated, "two processes used it", "look for a second copy of this service"),
        (forgotten, "does not know the reader's session", _ANEW),
    ],
    ids="revoked expired unregistered deleted banned duplicated forgotten".split(),
)
async def test_a_session_that_is_lost_is_told_and_taken_up_again_when_it_is_back(
    end: End, said: str, to_do: str, tmp_path: Path, lexicon: Lexicon
) -> None:
    async with lives(tmp_path, lexicon) as service:
        undo = end(service.server)
        await service.up(Link.SIGNED_OUT)
        told = await service.until_told()
        assert said in told
        assert to_do in told
        assert service.supervise.watch is None
        # What was read stays, and goes on being stored and told; what is posted meanwhile is read later.
        service.say(3)
        undo()
        await service.up()
        await service.caught_up()
        await service.settled()
        assert [said for said in await service.told() if said != told] == ["The reader is signed in again."]


async def test_a_service_that_loses_its_session_stays_up_and_says_so(tmp_path: Path) -> None:
    """All its other loops go on: what was found is sent, digests come, and a stop is heeded."""
    world = World(1)
    world.add_person(READER)
    channel = world.add_channel(2001, username="life_demo", members=[READER])
    channel.post(f"{WORD} № 1")
    async with TelegramServer(world) as server:
        settings = configured(tmp_path, server, ["@life_demo"], sweep_every=timedelta(seconds=0.3))
        async with inside(world, settings) as service:
            await service.caught_up(within=10)
            server.revoke(READER)
            await service.until(lambda: bool(service.told), within=10)
            [said] = service.told
            assert "SESSION_REVOKED" in said
            await asyncio.sleep(0.3)
            service.check()


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (revoked("SESSION_REVOKED"), "SESSION_REVOKED"),
        (duplicated, "AUTH_KEY_DUPLICATED"),
        (forgotten, "AuthKeyNotFound"),
    ],
    ids="revoked duplicated forgotten".split(),
)
async def test_a_service_that_starts_with_a_session_that_is_not_taken_ends(
    end: End, code: str, tmp_path: Path, lexicon: Lexicon
) -> None:
    async with lives(tmp_path, lexicon, before=end) as service:
        with pytest.raises(NotSignedInError, match=code):
            await asyncio.wait_for(service.inside.running, 5)
        assert await service.told() == []


async def test_a_session_that_is_revoked_while_nothing_happens_is_noticed_within_two_minutes(
    tmp_path: Path, lexicon: Lexicon
) -> None:
    """Nothing is pushed, nothing is swept, the link stands, and Telethon says nothing."""
    async with lives(tmp_path, lexicon, sweep_every=10 * NEVER, factor=30) as service:
        began = service.clock.now()
        service.server.revoke(READER)
        await service.up(Link.SIGNED_OUT)
        assert service.clock.now() - began < timedelta(minutes=2)
        assert "SESSION_REVOKED" in await service.until_told()


async def test_a_session_that_is_revoked_between_connecting_and_the_first_call_is_told(
    tmp_path: Path, lexicon: Lexicon
) -> None:
    """Telethon takes any refusal there for nobody being signed in, and says nothing of it."""
    async with lives(tmp_path, lexicon) as service:
        await service.gone()
        refused = service.server.faults.refuse("users.getUsers", 401, "SESSION_REVOKED", times=None)
        await service.server.listen_again()
        await service.up(Link.SIGNED_OUT)
        assert "SESSION_REVOKED" in await service.until_told()
        refused.stop()
        await service.up()
        await service.settled()


async def test_what_telegram_calls_it_later_is_not_told_again(tmp_path: Path, lexicon: Lexicon) -> None:
    """A key that was used twice is gone, and asked for again it is merely unknown."""
    async with lives(tmp_path, lexicon) as service:
        undo = duplicated(service.server)
        assert "two processes" in await service.until_told()
        undo()
        forgotten(service.server)
        tries = len(service.pushed)
        await service.inside.until(lambda: len(service.pushed) > tries + 1, within=12)
        assert len(await service.told()) == 1


async def test_a_session_file_that_another_process_holds_is_told_and_waited_for(
    tmp_path: Path, lexicon: Lexicon
) -> None:
    async with lives(tmp_path, lexicon) as service:
        await service.gone()
        with closing(sqlite3.connect(service.session, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            await service.server.listen_again()
            told = await service.until_told(within=30)
            assert "the session file" in told
            assert "look for a program that has it open" in told
            other.execute("ROLLBACK")
        await service.up(within=15)
        service.say(2)
        await service.caught_up()
        await service.settled()


async def test_a_session_file_that_is_gone_is_told_and_taken_up_again_when_it_is_back(
    tmp_path: Path, lexicon: Lexicon
) -> None:
    async with lives(tmp_path, lexicon) as service:
        await service.gone()
        kept = service.session.read_bytes()
        service.session.unlink()
        await service.server.listen_again()
        await service.up(Link.SIGNED_OUT)
        assert _ANEW in await service.until_told()
        assert not service.session.exists()
        service.session.write_bytes(kept)
        await service.up()
        service.say(2)
        await service.caught_up()
        await service.settled()


@pytest.mark.parametrize("loop", ["_keepalive_handle", "_updates_handle"])
async def test_a_client_of_which_a_loop_has_ended_is_replaced(loop: str, tmp_path: Path, lexicon: Lexicon) -> None:
    """It would go on without pings, or without updates, and say nothing."""
    async with lives(tmp_path, lexicon, sweep_every=NEVER) as service:
        before = service.account
        getattr(before.client, loop).cancel()
        await service.inside.until(lambda: len(service.pushed) == 2)
        await service.up()
        assert service.account is not before
        service.say(2)
        await service.caught_up()
        assert await service.told() == []


async def test_the_life_after_a_lost_session_is_another_clients(tmp_path: Path, lexicon: Lexicon) -> None:
    async with lives(tmp_path, lexicon) as service:
        first = service.account
        service.server.revoke(READER)
        await service.up(Link.SIGNED_OUT)
        assert not first.client.is_connected()
        service.server.restore(READER)
        await service.up()
        assert service.account.client is not first.client
