"""Which channels a digest says it holds, and which not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.digests.coverage import Coverage, coverage
from bot.model import ChannelRef, ChatId, Invite, Username
from bot.query.lexicon import Lexicon
from bot.rules import ChannelRule, Rules
from bot.storage import addresses, channels, facts
from bot.storage.database import Database
from tests.house import READ
from tests.ingesting import ACCOUNT, ALFA, BETA, GAMMA, begin
from tests.made import at, rule, rules


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.opened(tmp_path) as opened:
        await begin(opened, cursor=READ)
        yield opened


@pytest.fixture
def by(lexicon: Lexicon) -> Rules:
    return rules(rule("syria", "Сирия"), lexicon=lexicon)


async def watched(database: Database, by: Rules, *refs: ChannelRef, folder: str | None = None) -> list[str]:
    seen = await coverage(database, replace(by, channels=dict.fromkeys(refs, ChannelRule())), folder)
    return named(seen)


def named(seen: Coverage) -> list[str]:
    return [one.channel.username or "" for one in seen.watched]


async def test_a_channel_is_watched_by_its_name_its_id_or_what_it_was_found_by(database: Database, by: Rules) -> None:
    await database.write(lambda c: channels.refer(c, "t.me/+Secret1234", GAMMA.id))
    names = await watched(database, by, Username("alfa_demo"), ChatId(BETA.id), Invite("Secret1234"))
    assert sorted(names) == ["alfa_demo", "beta_demo", "gamma_demo"]
    assert await watched(database, by, Username("other_demo")) == []


async def test_a_channel_that_was_renamed_is_watched_under_its_old_name(database: Database, by: Rules) -> None:
    await database.write(lambda c: channels.refer(c, "@older_demo", ALFA.id))
    assert await watched(database, by, Username("older_demo")) == ["alfa_demo"]


async def test_a_folder_counts_only_while_there_is_one(database: Database, by: Rules) -> None:
    kept = json.dumps({"account": ACCOUNT, "name": "News", "channels": {str(BETA.id): "Beta"}})
    await database.write(lambda c: facts.put(c, "folder", kept))
    assert await watched(database, by, Username("alfa_demo")) == ["alfa_demo"]
    assert sorted(await watched(database, by, Username("alfa_demo"), folder="News")) == ["alfa_demo", "beta_demo"]


async def test_of_a_folder_that_was_never_seen_nothing_is_watched(database: Database, by: Rules) -> None:
    assert await watched(database, by, Username("alfa_demo"), folder="News") == ["alfa_demo"]


async def test_of_an_invite_only_its_beginning_is_shown(database: Database, by: Rules) -> None:
    await database.write(lambda c: addresses.seek(c, ACCOUNT, ["t.me/+Secret1234"], at()))
    seen = await coverage(database, replace(by, channels={Invite("Secret1234"): ChannelRule()}), None)
    assert seen.behind(at()) == ("t.me/+Secr…",)
    labelled: dict[ChannelRef, ChannelRule] = {Invite("Secret1234"): ChannelRule(label="The quiet one")}
    assert (await coverage(database, replace(by, channels=labelled), None)).behind(at()) == ("The quiet one",)


async def test_one_that_was_read_is_behind_as_soon_as_that_is_too_long_ago(database: Database, by: Rules) -> None:
    await database.write(lambda c: channels.set_read(c, [ALFA.id], at(5)))
    everywhere = replace(by, channels={Username("alfa_demo"): ChannelRule(label="Alfa")})
    seen = await coverage(database, everywhere, None)
    assert (seen.behind(at(5)), seen.behind(at(6)), seen.lost(), seen.total) == ((), ("Alfa",), (), 1)
    await database.write(lambda c: channels.set_refused(c, ALFA.id, "private"))
    seen = await coverage(database, everywhere, None)
    assert (seen.behind(at(6)), seen.lost(), seen.unread()) == ((), ("Alfa",), ())


async def test_a_channel_that_is_known_and_sought_again_counts_once(database: Database, by: Rules) -> None:
    await database.write(lambda c: addresses.seek(c, ACCOUNT, ["@alfa_demo"], at()))
    await database.write(lambda c: channels.set_refused(c, ALFA.id, "private"))
    seen = await coverage(database, replace(by, channels={Username("alfa_demo"): ChannelRule()}), None)
    assert (seen.total, seen.lost()) == (1, ("@alfa_demo",))
