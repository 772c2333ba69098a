"""What is sought: what is told of it, when it is looked for again, and what an account that may join nothing does."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.model import ChatId, Invite, Username
from bot.standing import Standing
from bot.storage import overview
from tests.watch.station import READER, Station

RESOLVE, CHECK, IMPORT = "contacts.resolveUsername", "messages.checkChatInvite", "messages.importChatInvite"
LIST = "messages.getDialogs"
CODE = "AbCdEfGhIjKlMnOp"


@pytest.mark.parametrize(("number", "code"), [(400, "CHANNELS_TOO_MUCH"), (420, "FROZEN_METHOD_INVALID")])
async def test_an_invite_waits_for_the_day_on_which_the_account_may_join_again(
    station: Station, number: int, code: str
) -> None:
    station.world.add_channel(1001, title="Закрытый", invite=CODE)
    station.world.add_channel(1002, title="Другой", invite=CODE.lower())
    station.refs = [Invite(CODE), Invite(CODE.lower())]
    station.server.faults.refuse(IMPORT, number, code, times=None)
    for _ in range(2):
        await station.start()
        await station.clock.sleep(timedelta(seconds=15))
        await station.stop()
    assert station.server.count(IMPORT) == 1
    await station.until_told(1)
    [what] = await station.told()
    assert what.startswith("No channel can be joined: ")
    assert {one.standing for one in await overview.sought(station.database)} == {Standing.SOUGHT}


async def test_an_invite_behind_which_a_bot_stands_is_not_knocked_at_again_but_looked_at(station: Station) -> None:
    alfa = station.world.add_channel(1001, title="Закрытый", invite=CODE)
    alfa.guarded = True
    alfa.service()
    station.refs = [Invite(CODE)]
    watch = await station.start()
    await station.until_told(1)
    [sought] = await overview.sought(station.database)
    assert sought.standing is Standing.NEEDS_PERSON
    alfa.join(READER)  # a person talked with the bot
    await station.until(lambda: watch.channel(alfa.marked) is not None)
    await station.until_told(2)
    assert station.server.count(IMPORT) == 1
    assert (await station.told())[1] == f"t.me/+{CODE[:4]}…, Закрытый, was let in, and is watched now."


@pytest.mark.parametrize(("code", "message"), [(420, "FLOOD_WAIT_2"), (500, "INTERNAL")])
async def test_what_was_not_answered_is_asked_again_soon_and_not_told(
    station: Station, code: int, message: str
) -> None:
    alfa = station.channel()
    station.server.faults.refuse(RESOLVE, code, message)
    watch = await station.begin()
    await station.until(lambda: watch.channel(alfa.marked) is not None)
    assert await station.told() == []
    assert await overview.sought(station.database) == []


async def test_what_is_not_configured_any_more_is_not_sought(station: Station) -> None:
    station.refs = [Username("nobody_demo")]
    await station.start()
    await station.until_told(1)
    await station.stop()
    station.refs = []
    await station.start()
    assert await overview.sought(station.database) == []


async def test_invites_are_counted_before_places_run_out(station: Station) -> None:
    for number in range(490):
        station.world.add_channel(100_000 + number, members=[READER]).service()
    alfa = station.world.add_channel(1001, title="Закрытый", invite=CODE)
    station.refs = [Invite(CODE)]
    await station.start()
    assert READER in alfa.members
    [details] = await station.database.rows("SELECT details FROM notice")
    assert details == ('["places used: 490 of 500", "places wanted: 1"]',)


async def test_an_id_and_a_name_wait_for_no_turn_of_an_invite_nor_the_other_way_round(station: Station) -> None:
    alfa, bravo = station.channel(), station.channel("bravo_demo")
    closed = station.world.add_channel(1500, title="Закрытый", invite=CODE)
    closed.service()
    station.refs = [Invite(CODE), Username("alfa_demo"), ChatId(bravo.marked)]
    watch = await station.begin()
    turns = {"contacts.resolveUsername": asyncio.Event(), "messages.importChatInvite": asyncio.Event()}

    async def turn(method: str) -> None:
        if method in turns:
            await turns[method].wait()

    watch._account._turn = turn
    await station.until(lambda: watch.channel(bravo.marked) is not None)
    turns[RESOLVE].set()
    await station.until(lambda: watch.channel(alfa.marked) is not None)
    assert watch.channel(closed.marked) is None
    turns[IMPORT].set()
    await station.until(lambda: watch.channel(closed.marked) is not None)


async def test_the_accounts_own_are_listed_once_for_many_signs_of_a_channel_that_is_sought(station: Station) -> None:
    alfa = station.channel(joined=False)
    station.refs = [ChatId(alfa.marked)]
    await station.begin()
    await station.until_told(1)
    before = station.server.count(LIST)
    for _ in range(5):
        station.stir(alfa)
        await station.clock.sleep(timedelta(seconds=6))
    assert station.server.count(LIST) == before + 1
