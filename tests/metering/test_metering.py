"""Whoever asks reads how things stood at the last look, which comes each 15 seconds, whatever happens to the tables."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.config.load import parse_settings
from bot.config.settings import Settings
from bot.config.values import Address
from bot.errors import StorageError, VedetteError
from bot.ingest import Ingest
from bot.metering.metering import Metering
from bot.metering.table import METRICS, MOST
from bot.model import ChannelRef, Peer, Username
from bot.query.lexicon import Lexicon
from bot.rules import ChannelRule, Rules
from bot.storage import attempts, channels, outbox, quotas
from bot.storage.database import Database
from bot.tally import Tally
from bot.vitals import Link, Vitals
from tests.clocks import HandClock
from tests.ingesting import ACCOUNT, ALFA, BEGUN, BETA, begin, page, push, read, resumed, said, shows
from tests.made import at, rule, rules

HERE = Address("127.0.0.1", 0)
EVERY = timedelta(seconds=15)
VITALS = Vitals(
    started=at(-60),
    written=at(0),
    link=Link.UP,
    answered=at(0),
    passed=at(-1),
    behind=0,
    waiting=0,
    skew=None,
    sweep_every=timedelta(minutes=1),
    speaker=Link.CONNECTING,
)
CONFIG = """
[watch]
channels = ["@alfa_demo", "@beta_demo"]
[digest]
chat = "me"
[topics.syria]
keywords = ["Сирия"]
deliver = "alert"
[topics.odd]
title = "owned} 1\\nowned 2 \\"x\\""
keywords = ["Сирия"]
"""


class Failing(Database):
    """One that cannot be read while it is told so."""

    broken = False

    async def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        if self.broken:
            raise StorageError("the disk is full")
        return await super().rows(sql, parameters)


class House:
    """What is looked at, and the loop that looks."""

    def __init__(self, database: Failing, clock: HandClock, ingest: Ingest) -> None:
        self.database, self.clock, self.ingest = database, clock, ingest
        self.vitals = VITALS
        self.settings = settings(CONFIG)
        self.tally = Tally()
        self.metering = Metering(
            *(HERE, database, clock),
            look=lambda: self.vitals,
            ingest=ingest,
            settings=lambda: self.settings,
            tally=self.tally,
        )

    async def values(self, name: str) -> dict[tuple[str, ...], float]:
        """Of one metric, by its labels' values, as they are read just now."""
        families = await self.read()
        samples = [sample for family in families for sample in family.samples if sample.name == name]
        return {tuple(sample.labels.values()): sample.value for sample in samples}

    async def read(self) -> list[Any]:
        text = await asyncio.to_thread(_scraped, self.metering.port or 0)
        return list(text_string_to_metric_families(text))

    async def looks(self) -> None:
        """Lets it look once more."""
        await self.clock.advance(EVERY)
        await self.seen()

    async def seen(self) -> None:
        async with asyncio.timeout(10):
            while not await self._has_seen():
                pass

    async def _has_seen(self) -> bool:
        return (await self.values("vedette_look_timestamp_seconds")).get(()) == self.clock.now().timestamp()


def _scraped(port: int) -> str:
    with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()


def settings(text: str) -> Settings:
    return parse_settings(text, "config.toml", {}, lambda path: path)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Failing]:
    async with Failing.opened(tmp_path) as opened:
        assert isinstance(opened, Failing)
        yield opened


@pytest.fixture
def judging(lexicon: Lexicon) -> Rules:
    watched = {name: ChannelRule() for name in ("alfa_demo", "beta_demo")}
    return rules(rule("syria", "Сирия"), lexicon=lexicon, channels=watched)


@asynccontextmanager
async def living(database: Failing, judging: Rules, *peers: Peer) -> AsyncIterator[House]:
    """A house that takes posts in, and has looked once."""
    await begin(database, *(peers or (ALFA, BETA)))
    clock = HandClock()
    ingest = await resumed(database, clock, judging)
    house = House(database, clock, ingest)
    loops = [asyncio.create_task(loop) for loop in (ingest.run(), house.metering.run())]
    try:
        async with asyncio.timeout(10):
            while house.metering.port is None:  # noqa: ASYNC110 - another task
                await asyncio.sleep(0.01)
        await house.seen()
        yield house
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.wait(loops)


async def test_every_metric_is_told_and_no_other(database: Failing, judging: Rules) -> None:
    async with living(database, judging) as house:
        told = {family.name for family in await house.read() if family.name.startswith("vedette_")}
    assert told == {metric.name.removesuffix("_total") for metric, _ in METRICS}


async def test_a_post_is_counted_from_the_channel_to_the_chat(database: Failing, judging: Rules) -> None:
    async with living(database, judging) as house:
        await push(house.ingest, shows(said(11)), shows(said(12, "Тихо")))
        await house.looks()
        assert await house.values("vedette_posts_stored_total") == {(): 2}
        assert (await house.values("vedette_matches_total"))["syria",] == 1
        assert (await house.values("vedette_outbox_messages"))["waits",] == 1
        await house.clock.advance(timedelta(seconds=5))
        assert await house.values("vedette_outbox_oldest_seconds") == {(): 20}
        [waiting] = await outbox.waiting(database)
        await database.write(lambda c: outbox.confirm(c, waiting.id, 1, 7, house.clock.now()))
        await house.looks()
        assert (await house.values("vedette_messages_sent_total"))["alert",] == 1
        assert await house.values("vedette_outbox_messages") == {("waits",): 0, ("tried",): 0, ("refused",): 0}
        assert await house.values("vedette_outbox_oldest_seconds") == {(): 0}


async def test_a_channel_lags_from_when_all_of_it_was_known_to_be_read(database: Failing, judging: Rules) -> None:
    async with living(database, judging) as house:
        await read(house.ingest, [replace(page(said(11)), top=30)])
        await database.write(lambda c: channels.set_read(c, [ALFA.id], at(0)))
        await house.looks()
        assert await house.values("vedette_channel_lag_seconds") == {("alfa_demo",): 15}
        assert await house.values("vedette_channel_behind") == {("alfa_demo",): 19, ("beta_demo",): 0}
        await house.clock.advance(timedelta(seconds=5))
        assert await house.values("vedette_channel_lag_seconds") == {("alfa_demo",): 20}


async def test_a_channel_or_topic_that_is_dropped_disappears(database: Failing, judging: Rules) -> None:
    async with living(database, judging) as house:
        house.ingest.obey(replace(judging, channels={Username("beta_demo"): ChannelRule()}))
        house.settings = settings(CONFIG.replace("topics.syria", "topics.drones"))
        await push(house.ingest, shows(said(11)))
        await house.looks()
        assert {name for (name,) in await house.values("vedette_channel_behind")} == {"beta_demo"}
        assert await house.values("vedette_channels_watched") == {(): 1}
        assert ("syria",) not in await house.values("vedette_matches_total")


async def test_no_title_and_no_name_breaks_the_form(database: Failing, judging: Rules) -> None:
    name = 'alfa"} 1\nowned 9'
    watched: dict[ChannelRef, ChannelRule] = {Username(name): ChannelRule()}
    odd = replace(ALFA, title='x"} 1\nowned 9', username=name)
    async with living(database, replace(judging, channels=watched), odd) as house:
        families = await house.read()
        assert {channel for (channel,) in await house.values("vedette_channel_behind")} == {name}
        assert {topic for (topic,) in await house.values("vedette_matches_total")} == {"syria", "odd"}
    assert "owned" not in {family.name for family in families}


async def test_of_two_channels_of_one_name_each_has_its_own_line(database: Failing, judging: Rules) -> None:
    async with living(database, judging, ALFA, replace(BETA, username="alfa_demo")) as house:
        assert await house.values("vedette_channel_behind") == {(str(ALFA.id),): 0, (str(BETA.id),): 0}


async def test_of_too_many_channels_those_are_told_of_that_were_not_read_for_longest(
    database: Failing, judging: Rules
) -> None:
    many = [Peer(id=-1002000000000 - each, access_hash=1, username=f"demo_{each}") for each in range(MOST + 5)]
    watched: dict[ChannelRef, ChannelRule] = {Username(peer.username or ""): ChannelRule() for peer in many}

    def put(c: Any) -> None:
        for peer in many:
            channels.put(c, ACCOUNT, peer, BEGUN)
        channels.set_read(c, [peer.id for peer in many[:5]], at(0))
        channels.set_read(c, [peer.id for peer in many[5:10]], at(-9))

    await database.write(put)
    async with living(database, replace(judging, channels=watched)) as house:
        named = {name for (name,) in await house.values("vedette_channel_behind")}
        assert named == {peer.username for peer in many[5:]}
        assert await house.values("vedette_channels_watched") == {(): MOST + 5}


async def test_what_telegram_asked_for_is_told(database: Failing, judging: Rules) -> None:
    def ask(c: Any) -> None:
        quotas.set_quota(c, "channels.joinChannel", until=at(10), share=0.5, changed=at(0))
        quotas.set_quota(c, "*", until=at(10), share=0.5, changed=at(0))
        attempts.rest(c, 42, at(5), "FLOOD_WAIT", at(0))

    async with living(database, judging) as house:
        await database.write(ask)
        house.tally.reader.waits["channels.joinChannel"] += 1
        house.tally.bot.calls["messages.sendMessage"] += 3
        house.tally.reader.connections += 2
        await house.looks()
        assert await house.values("vedette_flood_wait_seconds") == {("channels.joinChannel",): 585}
        assert await house.values("vedette_sending_rest_seconds") == {(): 285}
        assert await house.values("vedette_flood_waits_total") == {("reader", "channels.joinChannel"): 1}
        assert await house.values("vedette_calls_total") == {("bot", "messages.sendMessage"): 3}
        assert await house.values("vedette_connections_total") == {("reader",): 2, ("bot",): 0}
        house.vitals = replace(VITALS, speaker=None)
        await house.looks()
        assert await house.values("vedette_connections_total") == {("reader",): 2}


async def test_the_last_pass_stays_known_while_a_new_connection_is_made(database: Failing, judging: Rules) -> None:
    async with living(database, judging) as house:
        house.vitals = replace(VITALS, link=Link.CONNECTING, passed=None)
        await house.looks()
        assert await house.values("vedette_pass_timestamp_seconds") == {(): at(-1).timestamp()}
        assert (await house.values("vedette_link"))["reader", "connecting"] == 1


async def test_tables_that_cannot_be_read_end_nothing_and_the_figures_say_how_old_they_are(
    database: Failing, judging: Rules
) -> None:
    async with living(database, judging) as house:
        before = house.clock.now()
        database.broken = True
        await house.clock.advance(EVERY)
        await house.clock.advance(EVERY)
        assert await house.values("vedette_look_timestamp_seconds") == {(): before.timestamp()}
        database.broken = False
        await house.looks()


async def test_where_another_listens_the_loop_says_so(database: Failing, judging: Rules) -> None:
    clock = HandClock()
    ingest = await resumed(database, clock, judging)
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        there = Address(*other.getsockname())
        metering = Metering(
            *(there, database, clock),
            look=lambda: VITALS,
            ingest=ingest,
            settings=lambda: settings(CONFIG),
            tally=Tally(),
        )
        with pytest.raises(VedetteError, match="address already in use"):
            await metering.run()
