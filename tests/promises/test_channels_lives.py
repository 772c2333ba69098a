"""What becomes of channels while they are watched: each case ends in recovery, or in one notice that names it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from telethon.tl import types

from bot.clock import ScaledClock
from bot.model import ChannelRef, ChatId, Invite, Peer, Username
from bot.query.lexicon import Lexicon
from bot.recording.jsonl import post_of
from bot.standing import Standing
from bot.storage import overview
from tests.promises.inside import WORD, configured, inside
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World
from tests.watch.station import DIALOGS, HISTORY, READER, Station, say
from tests.watch.station import station as opened

RESOLVE, JOIN, LIST, LOOK = (
    "contacts.resolveUsername",
    "channels.joinChannel",
    "messages.getDialogs",
    "channels.getChannels",
)
CODE = "AbCdEfGhIjKlMnOp"
ASKED = "its administrators were asked to let this account in, and have not done so yet"


@pytest.fixture
async def station(tmp_path: Path, lexicon: Lexicon) -> AsyncIterator[Station]:
    async with opened(tmp_path, lexicon) as made:
        yield made


def hasten(station: Station) -> None:
    """A day passes in a second and a half."""
    station.clock, station.sweep_every = ScaledClock(station.clock.now(), 60_000), timedelta(minutes=10)


async def standing(station: Station, channel: WorldChannel) -> Standing | None:
    states = {one.channel.id: one.standing for one in await overview.channels(station.database)}
    return states.get(channel.marked)


async def until_it_stands(station: Station, channel: WorldChannel, wanted: Standing) -> None:
    found = None
    for _ in range(2000):
        if (found := await standing(station, channel)) is wanted:
            return
        await _a_while(station)
    raise AssertionError(found)


async def _a_while(station: Station) -> None:
    await station.clock.sleep(station.sweep_every / 20)


async def several_sweeps(station: Station, count: int = 3) -> None:
    sweeps = station.server.count(DIALOGS)
    await station.until(lambda: station.server.count(DIALOGS) >= sweeps + count)


# --- joining ----------------------------------------------------------------------------------------------


async def test_a_channel_is_polled_until_it_is_joined_and_then_muted_and_archived(station: Station) -> None:
    alfa = station.channel(joined=False)
    held = station.server.faults.slow(JOIN, 3)
    await station.start()
    say(alfa, "Первый")
    await station.all_stored(alfa)
    assert READER not in alfa.members
    assert await standing(station, alfa) is Standing.POLLED
    held.stop()
    reader = station.world.people[READER]
    await station.until(lambda: alfa.number in reader.muted & reader.archived)
    await until_it_stands(station, alfa, Standing.JOINED)
    assert await station.told() == []


async def test_who_has_to_be_asked_is_asked_once_and_being_let_in_is_told(station: Station) -> None:
    alfa = station.channel(joined=False)
    alfa.approval = True
    await station.start()
    await until_it_stands(station, alfa, Standing.ASKED)
    say(alfa, "Первый")
    await station.all_stored(alfa)
    await station.stop()
    await station.start()
    await several_sweeps(station)
    assert station.server.count(JOIN) == 1
    alfa.join(READER)
    await until_it_stands(station, alfa, Standing.JOINED)
    asked, let_in = await station.told()
    assert asked == f"alfa_demo could not be joined, and is read without it, later than others: {ASKED}"
    assert let_in == "alfa_demo was let in."


async def test_a_private_channel_whose_administrators_were_asked_is_watched_once_they_let_one_in(
    station: Station,
) -> None:
    hasten(station)
    alfa = station.world.add_channel(1001, title="Закрытый", invite=CODE, approval=True)
    station.refs = [Invite(CODE)]
    watch = await station.begin()
    await station.until_told(1)
    [sought] = await overview.sought(station.database)
    assert (sought.written, sought.standing) == (f"t.me/+{CODE}", Standing.ASKED)
    checks = station.server.count("messages.checkChatInvite")
    await station.until(lambda: station.server.count("messages.checkChatInvite") > checks + 1)
    assert station.server.count("messages.importChatInvite") == 1
    alfa.join(READER)
    await station.until(lambda: watch.channel(alfa.marked) is not None)
    await station.until_told(2)
    assert await overview.sought(station.database) == []
    assert await station.told() == [
        f"t.me/+{CODE[:4]}… is not watched yet: {ASKED}",
        f"t.me/+{CODE[:4]}…, Закрытый, was let in, and is watched now.",
    ]


async def test_a_channel_that_a_bot_guards_is_polled_and_needs_a_person(station: Station) -> None:
    alfa = station.channel(joined=False)
    alfa.guarded = True
    await station.start()
    await until_it_stands(station, alfa, Standing.NEEDS_PERSON)
    say(alfa, "Первый")
    await station.all_stored(alfa)
    await station.until_told(1)
    [what] = await station.told()
    assert what.endswith("a bot guards it and wants to talk with somebody; join it in a Telegram app")
    alfa.join(READER)  # somebody has
    await until_it_stands(station, alfa, Standing.JOINED)
    assert (await station.told())[1:] == ["alfa_demo was let in."]


async def test_a_channel_that_somebody_left_is_polled_told_of_once_and_joined_again_after_a_day(
    station: Station,
) -> None:
    alfa = station.channel(joined=True)
    await station.start()
    began = station.clock.now()
    alfa.leave(READER)
    await several_sweeps(station)
    await station.until_told(1)
    say(alfa, "Первый")
    await station.all_stored(alfa)
    assert await standing(station, alfa) is Standing.POLLED
    await station.stop()
    hasten(station)
    await station.start()
    await station.until(lambda: READER in alfa.members)
    assert station.clock.now() - began >= timedelta(days=1)
    await until_it_stands(station, alfa, Standing.JOINED)
    await station.until_told(1)
    [what] = await station.told()
    assert what == (
        "This account is not in alfa_demo any more, though vedette has not left it; it is read without it, later than "
        "others, and joined again in a day."
    )


async def test_a_private_channel_that_was_left_is_joined_again_by_its_invite(station: Station) -> None:
    hasten(station)
    alfa = station.world.add_channel(1001, title="Закрытый", invite=CODE)
    station.refs = [Invite(CODE)]
    await station.start()
    alfa.leave(READER)
    await station.until_told(1)
    await station.until(lambda: READER in alfa.members)
    say(alfa, "Первый")
    await station.all_stored(alfa)
    await until_it_stands(station, alfa, Standing.JOINED)
    closed, again = await station.told()
    assert closed.startswith(
        "Закрытый cannot be read (it is private, and this account is not in it, or not any more); "
    )
    assert again == "Закрытый can be read again."


async def test_with_join_switched_off_a_channel_that_was_left_is_not_joined_again(station: Station) -> None:
    hasten(station)
    station.join = False
    alfa = station.channel()
    await station.start()
    alfa.leave(READER)
    await station.until_told(1)
    left = station.clock.now()
    await station.until(lambda: station.clock.now() - left > timedelta(days=2))
    assert station.server.count(JOIN) == 0
    assert (await station.told())[0].endswith("it is read without it, later than others.")


# --- what the account may do ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "code", "says"),
    [
        (400, "CHANNELS_TOO_MUCH", "this account is in as many channels as Telegram allows; leave some of them"),
        (420, "FROZEN_METHOD_INVALID", "Telegram has frozen this account; a Telegram app shows why"),
    ],
)
async def test_an_account_that_may_join_nothing_stops_for_a_day_reads_on_and_is_told_of_once(
    station: Station, number: int, code: str, says: str
) -> None:
    refused = station.server.faults.refuse(JOIN, number, code, times=None)
    alfa, bravo = station.channel(joined=False), station.channel("bravo_demo", joined=False)
    await station.start()
    await station.until_told(1)
    say(alfa, "Первый")
    say(bravo, "Первый")
    await station.all_stored(alfa, bravo)
    await station.stop()
    await station.start()
    await several_sweeps(station)
    assert station.server.count(JOIN) == 1
    await station.until_told(1)
    [what] = await station.told()
    assert what.startswith(f"No channel can be joined: {says}; ")
    await station.stop()
    refused.stop()
    hasten(station)
    await station.start()
    await station.until(lambda: READER in alfa.members & bravo.members)
    await station.until_told(2)
    assert (await station.told())[1:] == ["Channels can be joined again."]


@pytest.mark.parametrize(("inside", "waiting", "told"), [(485, 2, 1), (470, 2, 0)])
async def test_places_that_run_out_are_told_before_that_bites(
    station: Station, inside: int, waiting: int, told: int
) -> None:
    for number in range(inside):
        station.world.add_channel(100_000 + number, members=[READER]).service()
    for number in range(waiting):
        station.channel(f"number{number}_demo", joined=False)
    await station.start()
    await station.until(lambda: len(station.world.joined(READER)) == inside + waiting)
    assert [what.partition(";")[0] for what in await station.told()] == [
        "This account is in nearly as many channels and groups as Telegram allows"
    ] * told
    details = [row[0] for row in await station.database.rows("SELECT details FROM notice")]
    assert details == [f'["places used: {inside} of 500", "places wanted: {waiting}"]'] * told


async def test_an_account_with_premium_has_places_left(station: Station) -> None:
    station.world.people[READER].premium = True
    for number in range(485):
        station.world.add_channel(100_000 + number, members=[READER]).service()
    alfa = station.channel(joined=False)
    await station.start()
    await station.until(lambda: READER in alfa.members)
    assert await station.told() == []


# --- closed -----------------------------------------------------------------------------------------------


async def test_a_channel_that_bans_for_a_time_says_until_when_and_is_read_again(station: Station) -> None:
    alfa = station.channel()
    await station.start()
    until = station.clock.now() + timedelta(days=3)
    alfa.forbid(READER, until=until)
    await until_it_stands(station, alfa, Standing.BANNED)
    say(alfa, "Первый")
    await station.stop()
    alfa.allow(READER)
    hasten(station)
    await station.start()
    await station.all_stored(alfa)
    await station.until_told(2)
    banned, again = await station.told()
    assert banned.startswith(
        f"alfa_demo cannot be read (this account was thrown out of it until {until:%Y-%m-%d %H:%M} UTC); "
    )
    assert again == "alfa_demo can be read again."


async def test_a_channel_that_is_gone_is_told_of_once_and_looked_after_less_and_less(station: Station) -> None:
    alfa, bravo = station.channel(), station.channel("bravo_demo")
    await station.start()
    del station.world.channels[alfa.number]
    await until_it_stands(station, alfa, Standing.GONE)
    assert [what.partition(";")[0] for what in await station.told()] == [
        "alfa_demo cannot be read (it is gone, or this account has lost its way to it)"
    ]
    await station.stop()
    looks = station.server.count(LOOK)
    await station.start()
    await several_sweeps(station)
    assert station.server.count(LOOK) == looks  # a restart asks no sooner
    await station.stop()
    hasten(station)
    began = station.clock.now()
    await station.start()
    await station.until(lambda: station.server.count(LOOK) >= looks + 4)
    assert station.clock.now() - began > timedelta(hours=1 + 2 + 4)
    say(bravo, "Первый")
    await station.all_stored(bravo)
    assert len(await station.told()) == 1


async def test_a_group_that_is_not_open_to_the_account_is_told_of_once(station: Station) -> None:
    alfa, bravo = station.channel(), station.channel("bravo_demo")
    await station.start()
    station.server.faults.silent(alfa.number)
    station.server.faults.omit_dialogs(alfa.number)
    refused = station.server.faults.refuse(HISTORY, 400, "CHANNEL_PUBLIC_GROUP_NA")
    await until_it_stands(station, alfa, Standing.PRIVATE)
    assert refused.hits == 1
    say(bravo, "Первый")
    await station.all_stored(bravo)
    await station.until_told(1)
    [what] = await station.told()
    assert what.startswith("alfa_demo cannot be read (it is not open to this account); ")


async def test_a_channel_that_telegram_restricts_is_told_of_once_and_read_as_far_as_that_goes(station: Station) -> None:
    alfa = station.channel()
    await station.start()
    alfa.restrict("Not available in your country")
    await station.until_told(1)
    alfa.restrict("Not available in your country")
    say(alfa, "Первый")
    await station.all_stored(alfa)
    looks = station.server.count(LOOK)
    await station.until(lambda: station.server.count(LOOK) > looks)
    assert await station.told() == [
        "Telegram restricts alfa_demo (Not available in your country); it is read as far as that goes."
    ]


async def test_a_closed_channel_costs_no_sweep_a_second_call(station: Station) -> None:
    channels = [station.channel(f"number{number}_demo") for number in range(40)]
    await station.start()
    channels[7].forbid(READER)
    await until_it_stands(station, channels[7], Standing.BANNED)
    await several_sweeps(station, 1)
    before = Counter(call.method for call in station.server.calls)
    await several_sweeps(station, 5)
    after = Counter(call.method for call in station.server.calls)
    assert {call: after[call] - before[call] for call in (LOOK, RESOLVE, LIST)} == {LOOK: 0, RESOLVE: 0, LIST: 0}
    asked = [len(call.request.peers) for call in station.server.calls if call.method == DIALOGS]
    assert asked[-5:] == [39] * 5


# --- names ------------------------------------------------------------------------------------------------


async def test_a_name_that_goes_over_to_another_channel_leaves_the_first_one_watched(station: Station) -> None:
    alfa = station.channel()
    await station.start()
    alfa.rename("omega_demo")
    other = station.world.add_channel(2002, username="alfa_demo", title="Другой")
    say(alfa, "Первый")
    await station.all_stored(alfa)
    await station.until_told(2)
    await station.stop()
    watch = await station.start()
    assert watch.channel(other.marked) is None
    assert station.server.count(RESOLVE) == 2  # once to find it, once to see who has the name now
    stays = "alfa_demo, which had the name before, stays watched; write @omega_demo for it"
    assert await station.told() == [
        "@alfa_demo is called @omega_demo now.",
        f"@alfa_demo is the name of another channel now, Другой ({other.marked}), which is not watched; {stays}.",
    ]


async def test_a_channel_that_gives_up_its_name_stays_watched(station: Station) -> None:
    alfa = station.channel()
    await station.start()
    alfa.rename(None)
    say(alfa, "Первый")
    await station.all_stored(alfa)
    await station.until_told(1)
    assert await station.told() == ["@alfa_demo has no public name any more (alfa_demo); it stays watched."]


async def test_a_wrong_name_costs_no_look_up_at_a_restart_and_ever_fewer_over_the_day(station: Station) -> None:
    station.refs = [Username("nobody_demo")]
    await station.start()
    await station.until_told(1)
    await station.stop()
    await station.start()
    await several_sweeps_of_nothing(station)
    assert station.server.count(RESOLVE) == 1
    await station.stop()
    hasten(station)
    began = station.clock.now()
    await station.begin()
    await station.until(lambda: station.server.count(RESOLVE) == 5)
    assert station.clock.now() - began > timedelta(hours=1 + 2 + 4)
    [sought] = await overview.sought(station.database)
    assert (sought.written, sought.standing) == ("@nobody_demo", Standing.SOUGHT)
    assert sought.why is not None
    assert len(await station.told()) == 1


async def several_sweeps_of_nothing(station: Station) -> None:
    await station.clock.sleep(1.5 * station.sweep_every)


async def test_a_name_that_is_there_at_last_is_watched_and_told_of(station: Station) -> None:
    hasten(station)
    alfa = station.channel()
    alfa.rename(None)
    await station.begin()
    await station.until_told(1)
    alfa.rename("alfa_demo")
    await station.until_told(2)
    say(alfa, "Второй")
    await station.all_stored(alfa)
    assert (await station.told())[1] == "@alfa_demo, alfa_demo, is watched now."


async def test_a_small_group_that_became_a_supergroup_names_the_new_id(station: Station) -> None:
    group = station.world.add_channel(1001, title="Бывшая группа", megagroup=True, members=[READER])
    station.world.groups[55] = group.number
    station.refs = [ChatId(-1000000000055)]
    await station.start()
    await station.until_told(1)
    assert await station.told() == [
        "-1000000000055 cannot be watched: it was a small group and has become a supergroup; write -1000000001001"
    ]


# --- another account --------------------------------------------------------------------------------------


async def sign_in_another(station: Station) -> None:
    await station.stop()
    station.world.add_person(7002)
    station.server.sign_in_session(station.folder / "reader.session", 7002)


async def test_another_account_finds_public_channels_anew_and_private_ones_it_has_lost_are_told_by_title(
    station: Station,
) -> None:
    station.join = False
    alfa = station.channel()
    closed = station.world.add_channel(1002, title="Закрытый", members=[READER])
    closed.post("Было")
    station.refs = [*station.refs, ChatId(closed.marked)]
    await station.start()
    resolved = station.server.count(RESOLVE)
    await sign_in_another(station)
    await station.start()
    say(alfa, "Второй")
    await station.all_stored(alfa)
    assert station.server.count(RESOLVE) == resolved + 1
    await station.until_told(1)
    assert await standing(station, closed) is Standing.PRIVATE
    await station.until_told(1)
    [what] = await station.told()
    assert what.startswith(f"Закрытый ({closed.marked}) cannot be watched: this account is not in it; join it in ")
    await station.stop()
    await station.start()
    await several_sweeps(station)
    assert station.server.count(RESOLVE) == resolved + 1
    assert len(await station.told()) == 1


async def test_another_account_finds_a_renamed_channel_by_the_name_that_it_has_now(station: Station) -> None:
    station.join = False
    alfa = station.channel()
    await station.start()
    alfa.rename("omega_demo")
    await station.until_told(1)
    impostor = station.world.add_channel(2002, username="alfa_demo")
    await sign_in_another(station)
    watch = await station.start()
    say(alfa, "Второй")
    await station.all_stored(alfa)
    assert watch.channel(impostor.marked) is None


# --- who is not watched -----------------------------------------------------------------------------------


async def test_a_chat_that_is_told_is_never_watched_whatever_it_is_called(station: Station) -> None:
    desk, alfa = station.channel("desk_demo"), station.channel("alfa_demo")
    station.destinations = frozenset[ChannelRef]({ChatId(desk.marked)})
    for _ in range(2):
        watch = await station.start()
        say(alfa, "Новость")
        await station.all_stored(alfa)
        assert watch.channel(desk.marked) is None
        await station.stop()
    assert await station.told() == [
        "@desk_demo is not watched: vedette writes there, and would read itself; take it out of one of the two."
    ]


async def test_what_is_included_is_watched_and_what_is_dropped_is_not_asked_any_more(station: Station) -> None:
    alfa, bravo = station.channel(), station.channel("bravo_demo")
    station.refs = [Username("alfa_demo")]
    watch = await station.start()
    shown = Peer(
        id=bravo.marked,
        access_hash=station.world.access_hash(READER, bravo.number),
        username="bravo_demo",
        title="bravo_demo",
        joined=True,
    )
    await watch._membership.include({ChatId(bravo.marked): shown})
    await station.until(lambda: watch.channel(bravo.marked) is not None)
    say(bravo, "Первый")
    await station.all_stored(bravo)
    for one in (alfa, bravo):
        await watch._roster.drop(one.marked)
    assert watch.channel(alfa.marked) is not None  # the configuration names it
    say(bravo, "Второй")
    say(alfa, "Первый")
    await station.all_stored(alfa)
    await several_sweeps(station)
    [(stored,)] = await station.database.rows("SELECT max(number) FROM message WHERE channel = ?", (bravo.marked,))
    assert stored == bravo.newest - 1
    await watch._membership.include({ChatId(bravo.marked): shown})
    await station.until(lambda: watch.channel(bravo.marked) is not None)
    await station.all_stored(bravo)
    assert station.server.count(RESOLVE) == 1


# --- groups -----------------------------------------------------------------------------------------------


async def test_a_supergroup_with_topics_is_read_like_any_other(station: Station) -> None:
    group = station.channel("forum_demo")
    group.megagroup = group.forum = True
    await station.start()
    lost = station.server.faults.silent(group.number)
    topic = group.service()
    group.post("В теме", reply_to=topic, topic=True)
    group.post("В общей теме")
    lost.stop()
    group.post("Ещё в теме", reply_to=topic, topic=True)
    await station.all_stored(group)
    assert station.cursor(group).verified == group.newest
    known = station.watch.channel(group.marked) if station.watch else None
    assert known is not None
    bodies = await station.database.rows("SELECT number, body FROM message WHERE body IS NOT NULL ORDER BY number")
    links = [replace(post_of(body, known), number=number).link for number, body in bodies]
    assert links == [f"https://t.me/forum_demo/{number}" for number in sorted(group.truth())]


async def test_a_post_and_its_copy_in_the_discussion_group_are_one_alert(tmp_path: Path) -> None:
    world = World(1)
    world.add_person(READER)
    channel = world.add_channel(1001, username="alfa_demo", members=[READER])
    group = world.add_channel(1002, username="talk_demo", megagroup=True, members=[READER])
    for one in (channel, group):
        one.post(f"{WORD}, было раньше")
    async with TelegramServer(world) as server:
        settings = configured(tmp_path, server, ["@alfa_demo", "@talk_demo"])
        async with inside(world, settings) as service:
            await service.caught_up()
            number = channel.post(f"{WORD}: наводнение")
            header = types.MessageFwdHeader(
                date=world.now(),
                from_id=channel.peer,
                channel_post=number,
                saved_from_peer=channel.peer,
                saved_from_msg_id=number,
            )
            await service.caught_up(channel)
            group.post(f"{WORD}: наводнение", forward=header)
            await service.caught_up()
            reasons = await service.database.rows("SELECT reason FROM match ORDER BY id")
            assert reasons[2:] == [("new",), ("folded",)]
            assert await service.database.rows("SELECT count(*) FROM outbox WHERE lane = 'alert'") == [(1,)]


async def test_a_channel_that_the_reader_joins_by_hand_is_watched_at_once(station: Station) -> None:
    closed = station.world.add_channel(1001, title="Закрытый")
    asked = station.world.add_channel(1002, title="Спрошенный", invite=CODE, approval=True)
    station.refs = [ChatId(closed.marked), Invite(CODE)]
    watch = await station.start()
    await station.until_told(2)
    for channel in (closed, asked):
        channel.service()
        channel.join(READER)
    await station.until(lambda: all(watch.channel(one.marked) for one in (closed, asked)))
    await station.until_told(4)
    assert sorted((await station.told())[2:]) == [
        f"{closed.marked}, Закрытый, is watched now.",
        f"t.me/+{CODE[:4]}…, Спрошенный, was let in, and is watched now.",
    ]
