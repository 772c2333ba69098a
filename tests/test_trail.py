"""Whoever searches the log for a post, and then for its message, reads its whole way, and nothing that it says."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.config.settings import LogFormat, LogLevel
from bot.cursor import Cursor
from bot.digests import bundling
from bot.digests.coverage import coverage
from bot.digests.edition import Gap, edition, put
from bot.ingest import Ingest
from bot.model import Haul, Post
from bot.ports import Refused
from bot.query.lexicon import Lexicon
from bot.retelling import Retelling
from bot.rules import Rules
from bot.schedule import QuietHours
from bot.storage import bundles, digests
from bot.storage.database import Database
from bot.storage.digests import Made
from bot.telemetry.log import configure
from bot.trail import Trail
from tests.clocks import HandClock
from tests.delivering import Account, Telegram, deliver_of, voices
from tests.ingesting import ALFA, BEGUN, BETA, SECRET, begin, page, part, push, said, shows
from tests.ingesting import running as taking_in
from tests.made import ME, at, rule, rules

PAGE = Path(__file__).parent.parent.joinpath("docs", "running.md").read_text("utf-8")
QUIET = QuietHours(time(11), time(13))


class House:
    """The service as far as a post's way goes, and its log so far."""

    def __init__(self, database: Database, clock: HandClock, ingest: Ingest, telegram: Telegram) -> None:
        self.database, self.clock, self.ingest, self.telegram = database, clock, ingest, telegram
        self.rules = ingest.rules
        self.trail = Trail(database)
        self.log = io.StringIO()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    def search(self, what: str) -> list[str]:
        """The lines that hold it as a word, without their times; of JSON the events alone."""
        found = [
            line for line in self.log.getvalue().splitlines() if re.search(rf"(?<!\w){re.escape(what)}(?!\w)", line)
        ]
        return [str(json.loads(line)["event"]) if line.startswith("{") else line for line in found]

    async def reads(self, *hauls: Haul) -> None:
        await push(self.ingest, *hauls)

    async def followed(self) -> None:
        """Returns when the trail has told of all that there is by now."""
        self.trail.wake()
        async with asyncio.timeout(20):
            while self.trail._awake.is_set():  # noqa: ASYNC110 - it is the loop that clears it
                await asyncio.sleep(0.005)
        await self.database.rows("SELECT 1")  # one after another

    async def until(self, what: str, event: str, times: int = 1) -> None:
        """Returns when so many lines of this event hold it; time goes on meanwhile."""
        async with asyncio.timeout(20):
            while sum(event in line for line in self.search(what)) < times:
                await self.clock.advance(timedelta(seconds=1))
                await asyncio.sleep(0.005)


async def begun(  # noqa: PLR0913, PLR0917 - what one may differ from another in
    stack: AsyncExitStack,
    folder: Path,
    by: Rules,
    level: LogLevel = LogLevel.DEBUG,
    form: LogFormat = LogFormat.JSON,
    cursor: Cursor = BEGUN,
) -> House:
    database = await stack.enter_async_context(Database.opened(folder))
    await begin(database, cursor=cursor)
    clock = HandClock()
    ingest = await stack.enter_async_context(taking_in(database, clock, by))
    telegram = Telegram(clock)
    retelling = Retelling(database, lambda: ingest.rules)
    deliver = deliver_of(database, clock, voices(Account(telegram)), retelling.as_now)
    house = House(database, clock, ingest, telegram)
    configure(level, form, house.log)
    loops = [asyncio.create_task(loop) for loop in (house.trail.run(), deliver.run())]

    async def ended() -> None:
        for loop in loops:
            loop.cancel()
        await asyncio.wait(loops)

    stack.push_async_callback(ended)

    def committed() -> None:
        house.trail.wake()
        deliver.wake()

    ingest.committed = committed
    await house.followed()
    return house


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


@pytest.fixture
def by(lexicon: Lexicon) -> Rules:
    return rules(rule("syria", "Сирия"), rule("talks", "переговоры", "digest"), lexicon=lexicon)


def words(posts: Iterable[Post]) -> list[str]:
    return [word for post in posts for word in re.findall(r"\w{4,}", post.text)]


async def test_a_post_is_followed_from_the_channel_to_the_edit_of_its_alert(
    stack: AsyncExitStack, tmp_path: Path, by: Rules
) -> None:
    house = await begun(stack, tmp_path, by)
    first, again, weather = said(11), said(11, "Флаг Сирии поднят снова", edited=5), said(12, "Погода хорошая")
    await house.reads(shows(first), shows(weather))
    await house.until("alfa_demo/11", "message made")
    [message] = [line["message"] for line in house.lines if line["event"] == "message made"]
    await house.until(str(message), "message sent")
    await house.reads(shows(again))
    await house.until(str(message), "message edited")
    assert house.search("alfa_demo/11") == [
        "posts stored",
        "post matched",
        "message made",
        "posts stored",
        "post changed",
    ]
    assert house.search("alfa_demo/12") == ["posts stored"]
    mine = [line for line in house.lines if line.get("message") == message]
    assert [line["event"] for line in mine] == ["message made", "message sent", "message edited"]
    matched = next(line for line in house.lines if line["event"] == "post matched")
    asked = {key: matched[key] for key in ("post", "topic", "to", "decision", "reason", "story")}
    assert asked == {
        "post": "alfa_demo/11",
        "topic": "syria",
        "to": "me",
        "decision": "alert",
        "reason": "new",
        "story": "alfa_demo/11",
    }
    assert not [word for word in words([first, again, weather]) if word in house.log.getvalue()]


async def test_a_post_of_the_same_story_leads_to_the_message_that_tells_of_it(
    stack: AsyncExitStack, tmp_path: Path, by: Rules
) -> None:
    house = await begun(stack, tmp_path, by)
    await house.reads(shows(said(11)))
    await house.reads(shows(said(40, peer=BETA)))
    [matched] = [line for line in house.lines if line.get("post") == "beta_demo/40"]
    assert (matched["reason"], matched["decision"], matched["story"]) == ("folded", "drop", "alfa_demo/11")


async def test_what_is_held_is_followed_into_the_message_that_tells_it(
    stack: AsyncExitStack, tmp_path: Path, by: Rules
) -> None:
    house = await begun(stack, tmp_path, replace(by, quiet=QUIET))
    await house.reads(shows(said(11)), shows(said(12, "Колонна вошла в Сирию со стороны границы утром")))
    held = [line for line in house.lines if line["event"] == "post matched"]
    assert [(line["reason"], line["due"]) for line in held] == [("quiet", "2024-12-08 13:00:00+00:00")] * 2
    [bundle] = await bundles.open_bundles(house.database)
    await bundling.close(house.database, bundle, house.ingest.rules, at(60), SECRET)
    house.trail.wake()
    await house.until("alfa_demo/12", "message made")
    [line] = [line for line in house.lines if line["event"] == "message made"]
    assert (line["of"], line["posts"]) == (f"bundle {bundle.id}", ["alfa_demo/11", "alfa_demo/12"])


async def test_what_a_digest_tells_is_followed_into_its_message(
    stack: AsyncExitStack, tmp_path: Path, by: Rules
) -> None:
    house = await begun(stack, tmp_path, by)
    await house.database.write(lambda c: digests.keep(c, [ME], at(-60)))
    await house.reads(shows(said(11, "Начались переговоры")), shows(said(12, "Погода")))
    seen = await coverage(house.database, house.rules, None)
    [since] = (await digests.periods(house.database)).values()
    made = await edition(house.database, house.rules, Made(ME, since, at(60)), seen, Gap((), ()))
    assert await house.database.write(lambda c: put(c, made, at(60), SECRET, silent=False, empty=False))
    house.trail.wake()
    await house.until("alfa_demo/11", "digest tells")
    [tells] = [line for line in house.lines if line["event"] == "digest tells"]
    [message] = [line for line in house.lines if line["event"] == "message made"]
    assert tells["posts"] == ["alfa_demo/11"]
    assert (message["of"], message["lane"]) == (tells["of"], "digest")


async def test_what_is_sent_again_as_plain_text_leads_to_what_it_repeats(
    stack: AsyncExitStack, tmp_path: Path, by: Rules
) -> None:
    house = await begun(stack, tmp_path, by)
    house.telegram.answers = [(Refused("ENTITY_BOUNDS_INVALID", of_message=True), False)]
    await house.reads(shows(said(11)))
    await house.until("alfa_demo/11", "message made")
    [first] = [line["message"] for line in house.lines if line["event"] == "message made"]
    await house.until(str(first), "message refused")
    house.trail.wake()
    await house.until("instead_of", "message made")
    [again] = [line for line in house.lines if line.get("instead_of")]
    assert again["instead_of"] == first
    await house.until(str(again["message"]), "message sent")


async def test_an_album_whose_lower_part_comes_late_says_what_it_was_called_before(
    stack: AsyncExitStack, tmp_path: Path, by: Rules
) -> None:
    house = await begun(stack, tmp_path, by)
    await house.ingest.store(page(part(13, "Колонна вошла в Сирию")))
    await house.ingest.store(page(part(12), verified=13))
    changed = [line for line in house.lines if line["event"] == "post changed"]
    assert [(line["post"], line["happening"], line["formerly"]) for line in changed] == [
        ("alfa_demo/12", "grew", "alfa_demo/13")
    ]


async def test_a_channel_without_a_name_is_called_by_its_id(stack: AsyncExitStack, tmp_path: Path, by: Rules) -> None:
    house = await begun(stack, tmp_path, by)
    nameless = replace(ALFA, username=None)
    house.ingest.watch(nameless, house.ingest.cursors[ALFA.id])
    await house.database.write(lambda c: c.execute("UPDATE channel SET username = NULL"))
    await house.reads(shows(said(11, peer=nameless)))
    await house.until(f"{ALFA.id}/11", "message made")
    assert house.search(f"{ALFA.id}/11") == ["posts stored", "post matched", "message made"]


@pytest.mark.parametrize("level", [LogLevel.INFO, LogLevel.WARNING])
async def test_of_what_no_topic_matched_nothing_is_said_but_at_debug(
    stack: AsyncExitStack, tmp_path: Path, by: Rules, level: LogLevel
) -> None:
    house = await begun(stack, tmp_path, by, level)
    await house.reads(*(shows(said(number, "Погода")) for number in range(11, 60)), shows(said(60)))
    if level is LogLevel.INFO:
        await house.until("alfa_demo/60", "message made")
    events = [line["event"] for line in house.lines if line["logger"] == "bot.trail"]
    assert events == (["post matched", "message made"] if level is LogLevel.INFO else [])


async def test_a_batch_is_one_line_however_many_posts_it_holds(
    stack: AsyncExitStack, tmp_path: Path, by: Rules
) -> None:
    house = await begun(stack, tmp_path, by)
    await house.reads(*(shows(said(number, "Погода")) for number in range(11, 60)))
    [line] = [line for line in house.lines if line["event"] == "posts stored"]
    assert line["posts"] == [f"alfa_demo/{number}" for number in range(11, 60)]


async def test_messages_that_were_made_while_nobody_was_to_hear_of_them_are_not_told_later(
    stack: AsyncExitStack, tmp_path: Path, by: Rules
) -> None:
    house = await begun(stack, tmp_path, by, LogLevel.WARNING)
    await house.reads(shows(said(11)))
    await house.followed()
    logging.getLogger("bot").setLevel(logging.DEBUG)
    await house.reads(shows(said(12, "Колонна вошла в Сирию со стороны границы утром")))
    await house.until("alfa_demo/12", "message made")
    assert "message made" not in house.search("alfa_demo/11")


async def test_the_page_shows_the_way_of_a_post(stack: AsyncExitStack, tmp_path: Path, by: Rules) -> None:
    """The two searches of docs/running.md find the lines that it shows, in their order."""
    house = await begun(stack, tmp_path, by, form=LogFormat.CONSOLE, cursor=replace(BEGUN, verified=3, top=3, began=3))
    await house.reads(shows(said(4)), shows(said(5, "Погода")))
    await house.until("message=1", "message sent")
    searches = re.findall(r"^\$ grep -w (\S+) vedette\.log\n((?:…[^\n]*\n)+)", PAGE, re.MULTILINE)
    assert len(searches) == 2
    for what, shown in searches:
        found = house.search(what.strip("'"))
        assert len(found) == len(shown.splitlines()), found
        for line, pattern in zip(found, shown.splitlines(), strict=True):
            assert re.fullmatch(".*".join(map(re.escape, pattern.split("…"))), line.rstrip()), line
