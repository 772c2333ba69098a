"""What the operators hear of connections, sessions and clocks: each trouble once, and that it is over.

How lives begin and end over a real server: tests/promises/test_connections_lives.py and test_sessions_lives.py.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from bot.errors import NotSignedInError, StorageError, TelegramError, UnreachableError, WaitError
from bot.storage import notices
from bot.storage.database import Database
from bot.supervise import Supervise, last_reader
from bot.telegram.account import Account
from bot.vitals import Link
from bot.watch.watch import Watch
from tests.clocks import HandClock
from tests.telegram.speaking import READER, sending_at
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.opened(tmp_path) as opened:
        yield opened


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def supervise(database: Database, clock: HandClock) -> Supervise:
    return supervised(database, clock, UnreachableError("nobody there"))


def supervised(database: Database, clock: HandClock, error: Exception) -> Supervise:
    """Of which no account can be made."""

    def account_for(connected: Callable[[], None], *, pushed: bool) -> Account:  # noqa: ARG001
        raise error

    return Supervise(
        account_for=account_for,
        watch_for=_none,
        database=database,
        clock=clock,
        random=random.Random(1),  # noqa: S311 - seeded, not secret
    )


def _none(_account: Account) -> Watch:
    raise AssertionError("there is nothing to watch")


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    world = World(1)
    world.add_person(READER)
    async with TelegramServer(world) as running:
        yield running


async def told(database: Database) -> list[str]:
    return [noted.notice.what for noted in await notices.untold(database)]


async def standing(database: Database) -> set[str]:
    last = dict(await database.rows("SELECT subject, what FROM notice ORDER BY id"))
    return {subject for subject, what in last.items() if what}


def test_before_it_runs_nothing_is_known(supervise: Supervise) -> None:
    assert supervise.link is Link.CONNECTING
    assert (supervise.watch, supervise.answered, supervise.skew) == (None, None, None)


async def test_the_pauses_double_up_to_five_minutes(supervise: Supervise) -> None:
    pauses = [await supervise._live() for _ in range(12)]
    for count, pause in enumerate(pauses):
        wanted = min(_SECOND * 2**count, 5 * _MINUTE)
        assert 0.75 * wanted <= pause <= 1.25 * wanted
    assert len(set(pauses)) == len(pauses)  # no two services call at the same moment


async def test_a_connection_that_fails_again_and_again_is_told_once(supervise: Supervise, database: Database) -> None:
    for _ in range(3):
        await supervise._live()
    assert await told(database) == []
    for _ in range(5):
        await supervise._live()
    [what] = await told(database)
    assert what.startswith("Telegram cannot be reached (nobody there); it is tried again and again.")


async def test_that_telegram_answers_again_is_told_to_who_heard_that_it_did_not(
    server: TelegramServer, database: Database, clock: HandClock, tmp_path: Path
) -> None:
    supervise = supervised(database, clock, UnreachableError("nobody there"))
    async with sending_at(server, tmp_path, READER) as account:
        for failures, heard in ((3, 0), (5, 2)):
            for _ in range(failures):
                await supervise._live()
            await supervise._open(account)
            assert len(await told(database)) == heard
    assert (await told(database))[1] == "Telegram answers again."


async def test_whoever_speaks_through_the_account_has_it_for_its_life(
    server: TelegramServer, database: Database, clock: HandClock, tmp_path: Path
) -> None:
    async with sending_at(server, tmp_path, READER) as account:
        spoken = list[Account | None]()
        supervise = Supervise(
            account_for=lambda _, pushed: account,  # noqa: ARG005
            watch_for=lambda _: cast("Watch", Brief()),
            database=database,
            clock=clock,
            random=random.Random(1),  # noqa: S311 - seeded, not secret
            speaks=spoken.append,
        )
        await supervise._live()
        assert spoken == [account, None]


class Brief:
    """A watch that ends at once."""

    async def run(self) -> None:
        """Nothing is to be seen."""


async def test_whose_session_it_is_is_known_from_then_on_until_there_is_another(
    server: TelegramServer, database: Database, clock: HandClock, tmp_path: Path
) -> None:
    session = tmp_path / "reader.session"
    assert await last_reader(database, session) is None
    server.sign_in_session(session, READER)
    assert await last_reader(database, session) is None
    async with sending_at(server, tmp_path, READER) as account:
        await supervised(database, clock, UnreachableError("nobody there"))._open(account)
        mine = Path(account.client.session.filename)
        assert await last_reader(database, mine) == READER
        assert await last_reader(database, session) is None
    server.sign_in_session(mine, READER)
    assert await last_reader(database, mine) is None


async def test_a_wait_that_telegram_asks_for_is_kept(database: Database, clock: HandClock) -> None:
    supervise = supervised(database, clock, WaitError("users.getUsers", 3600))
    assert await supervise._live() >= 60 * _MINUTE


async def test_a_service_without_a_session_to_begin_with_ends(database: Database, clock: HandClock) -> None:
    for error in (NotSignedInError("no"), StorageError("no")):
        with pytest.raises(type(error)):
            await supervised(database, clock, error).run()


async def test_a_clock_that_is_wrong_is_told_once_whatever_the_seconds(
    supervise: Supervise, database: Database
) -> None:
    for seconds in (-130, -131, -190, -31, -25):
        await supervise._clock_is(seconds * _SECOND)
        assert supervise.skew == seconds * _SECOND
    assert await told(database) == [
        "This machine's clock is 2 min 10 s behind Telegram's; set it, e.g. run an NTP service."
    ]
    await supervise._clock_is(-12 * _SECOND)
    assert supervise.skew is None
    assert await standing(database) == set()


async def test_a_clock_that_is_nearly_right_is_right(supervise: Supervise, database: Database) -> None:
    for seconds in (30, -30, 0):
        await supervise._clock_is(seconds * _SECOND)
        assert supervise.skew is None
    assert await told(database) == []


async def test_a_clock_that_goes_wrong_again_is_told_again(supervise: Supervise, database: Database) -> None:
    for seconds in (90, 0, 90):
        await supervise._clock_is(seconds * _SECOND)
    assert len(await told(database)) == 2


async def test_where_the_clock_is_to_blame_the_connection_is_not_told_as_well(
    supervise: Supervise, database: Database
) -> None:
    await supervise._clock_is(-90 * _SECOND)
    for _ in range(8):
        await supervise._live()
    assert await standing(database) == {"clock"}


@pytest.mark.parametrize(("apart", "deaths"), [(9, 1), (11, 0)])
async def test_two_deaths_over_updates_within_ten_minutes_are_one_too_many(
    supervise: Supervise, database: Database, clock: HandClock, apart: int, deaths: int
) -> None:
    await supervise._died_of_update()
    assert await told(database) == []
    clock.set(clock.now() + apart * _MINUTE)
    await supervise._died_of_update()
    assert len(await told(database)) == deaths
    assert supervise._may_be_pushed() == (deaths == 0)
    clock.set(clock.now() + 24 * 60 * _MINUTE)
    assert supervise._may_be_pushed()


async def test_no_trouble_hides_another(supervise: Supervise, database: Database) -> None:
    await supervise._clock_is(90 * _SECOND)
    for _ in range(2):
        await supervise._died_of_update()
    assert await standing(database) == {"clock", "library"}


async def test_what_an_answer_shows_is_noted(supervise: Supervise, clock: HandClock) -> None:
    supervise._refusals.ahead = _SECOND
    supervise._heard()
    assert supervise.answered == clock.now()
    assert supervise._refusals.ahead is None


async def test_any_other_error_of_telegrams_is_survived(database: Database, clock: HandClock) -> None:
    supervise = supervised(database, clock, TelegramError("odd"))
    assert await supervise._live() < 2 * _SECOND


async def test_a_defect_is_not(database: Database, clock: HandClock) -> None:
    with pytest.raises(ZeroDivisionError):
        await supervised(database, clock, ZeroDivisionError()).run()
