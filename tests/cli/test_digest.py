"""``vedette digest``: the next one shown, sent now, or the last one again; beside a service and without one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer

from bot.cli.accounts import signed_in
from bot.cli.config import rules_of_settings
from bot.cli.posting import ask, said, send_by_itself
from bot.config.load import load
from bot.config.settings import Settings
from bot.delivery.deliver import Deliver
from bot.digests.digests import Digests
from bot.folder import held
from bot.model import Destination, Notice, Username
from bot.ports import Voice
from bot.retelling import Retelling
from bot.storage import notices
from bot.storage.database import Database
from bot.storage.sending import Part
from bot.voices import Voices
from tests.cli.conftest import Ran, Vedette
from tests.clocks import HandClock
from tests.ingesting import BEGUN, SECRET, begin, push, running, shows
from tests.ingesting import said as posted
from tests.made import at
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

READER, BOT = 7001, 555
TOKEN = f"{BOT}:SECRET-of-the-bot-that-speaks"
CONFIG = """\
timezone = "UTC"
[telegram]
api_id = 12345
api_hash = "0123456789abcdef0123456789abcdef"
{bot}
[telegram.server]
address = "{address}"
public_key = "server.pem"
[watch]
channels = ["@alfa_demo", "@beta_demo", "@gamma_demo"]
[digest]
chat = "@desk_demo"
max_stories = 2
[topics.syria]
title = "Syria"
keywords = ["Сирия"]
[topics.bases]
title = "Bases"
keywords = ["база"]
chat = "@bases_demo"
"""
DESK, BASES = Destination(Username("desk_demo")), Destination(Username("bases_demo"))
THREE = ("В Сирии тихо", "Сирия ждёт", "О Сирии молчат")


class Home:
    """A working directory with a configuration, and what a service has stored there."""

    def __init__(self, folder: Path, vedette: Vedette) -> None:
        self.folder = folder
        self._vedette = vedette
        self.configure("127.0.0.1:9")

    def configure(self, address: str, bot: str = "") -> None:
        (self.folder / "config.toml").write_text(CONFIG.format(address=address, bot=bot), "utf-8")

    @property
    def settings(self) -> Settings:
        return load(Path("config.toml"), {})

    async def digest(self, *options: str) -> Ran:
        """Runs the command in a thread of its own, since the server lives in this one."""
        return await asyncio.to_thread(self._vedette, "digest", *options)

    async def store(self, *texts: str, first: int = 11, history: bool = False) -> None:
        """Posts of one channel, a minute apart, as a service takes them in."""
        clock = HandClock()
        async with Database.opened(self.folder / "data") as database:
            await begin(database, cursor=replace(BEGUN, history_read=not history))
            async with running(database, clock, rules_of_settings(self.settings), SECRET) as ingest:
                for number, text in enumerate(texts, first):
                    haul = shows(posted(number, text, minutes=number))
                    await push(ingest, replace(haul, read=history))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vedette: Vedette) -> Home:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir(mode=0o700)
    return Home(tmp_path, vedette)


@pytest.fixture
async def server(home: Home) -> AsyncIterator[TelegramServer]:
    world = World(1, now=lambda: at(0))
    world.add_person(READER, username="reader_demo")
    world.add_bot(BOT, token=TOKEN, username="desk_demo_bot")
    world.add_channel(1005, username="desk_demo", admins=[READER, BOT])
    world.add_channel(1006, username="bases_demo", admins=[READER, BOT])
    async with TelegramServer(world) as server:
        (home.folder / "server.pem").write_text(server.public_key, "ascii")
        server.sign_in_session(home.folder / "data" / "reader.session", READER)
        home.configure(f"{server.host}:{server.port}")
        yield server


def headings(ran: Ran) -> list[str]:
    """What each message is, without the time."""
    return re.findall(r"(?m)^──── .* · (.*) ────$", ran.out)


def stories(text: str) -> int:
    return text.count("\n• ")


# --- shown ------------------------------------------------------------------------------------------------


async def test_without_a_database_there_is_nothing_to_show(home: Home) -> None:
    ran = await home.digest()
    assert (ran.code, ran.out) == (1, "")
    assert "there is no database in data yet; vedette run makes it" in ran.err


async def test_the_next_digest_of_each_destination_is_shown_and_stays_the_next(home: Home) -> None:
    await home.store("В Сирии тихо", "Военная база закрыта")
    with held(home.folder / "data"):
        ran = await home.digest()
        again = await home.digest("--dry-run")
    assert (ran.code, ran.err) == (0, "")
    assert headings(ran) == ["the next digest to @desk_demo", "the next digest to @bases_demo"]
    desk, bases = ran.out.split("the next digest to @bases_demo")
    assert "Syria: 1 post, 1 story" in desk
    assert "В Сирии тихо" in desk
    assert "Военная база закрыта" in bases
    assert stories(again.out) == stories(ran.out) == 2


async def test_what_a_first_reading_brings_is_a_digest_of_its_own(home: Home) -> None:
    await home.store("В Сирии тихо", first=5, history=True)
    ran = await home.digest()
    assert headings(ran).count("the next digest to @desk_demo") == 2
    assert "First reading: " in ran.out


async def test_before_the_first_digest_there_is_no_last(home: Home) -> None:
    await home.store("В Сирии тихо")
    ran = await home.digest("--last")
    assert (ran.code, ran.out, ran.err) == (0, "", "no digest has been made yet\n")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--now", "--last"), "three different things"),
        (("--dry-run", "--now"), "three different things"),
        (("--full",), "write digest --last --full"),
        (("--now", "--full"), "write digest --last --full"),
    ],
)
async def test_options_that_do_not_go_together_are_refused(home: Home, options: Sequence[str], why: str) -> None:
    ran = await home.digest(*options)
    assert (ran.code, ran.out) == (2, "")
    assert why in ran.err


# --- sent without a service -------------------------------------------------------------------------------


async def test_without_a_service_it_is_sent_by_the_command_itself(home: Home, server: TelegramServer) -> None:
    await home.store(*THREE)
    ran = await home.digest("--now")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "✓ @desk_demo: sent, 1 message\n✓ @bases_demo: sent, 1 message\n"
    desk, bases = sorted((one.text for one in server.sent), key=len, reverse=True)
    assert "Syria: 3 posts, 3 stories" in desk
    assert "nothing found" in bases
    assert {one.person for one in server.sent} == {READER}


async def test_what_was_sent_is_not_in_the_next_and_can_be_read_again(home: Home, server: TelegramServer) -> None:
    await home.store(*THREE)
    await home.digest("--now")
    shown = await home.digest()
    assert stories(shown.out) == 0
    last = await home.digest("--last")
    assert sorted(headings(last)) == ["digest to @bases_demo", "digest to @desk_demo"]
    assert (stories(last.out), "… and 1 more story" in last.out) == (2, True)
    full = await home.digest("--last", "--full")
    assert (stories(full.out), "more story" in full.out) == (3, False)
    await home.store("И опять Сирия", first=21)
    await home.digest("--now")
    assert "И опять Сирия" in server.sent[-2].text + server.sent[-1].text
    assert len(server.sent) == 4


async def test_with_a_bot_it_is_the_bot_that_sends(home: Home, server: TelegramServer) -> None:
    await home.store(*THREE)
    home.configure(f"{server.host}:{server.port}", bot=f'bot_token = "{TOKEN}"')
    ran = await home.digest("--now")
    assert ran.code == 3
    assert "the bot, which sends, is not signed in; run vedette login" in ran.err
    assert not server.sent
    server.sign_in_session(home.folder / "data" / "speaker.session", BOT)
    assert (await home.digest("--now")).code == 0
    assert {one.person for one in server.sent} == {BOT}


async def test_a_chat_that_refuses_is_told_with_what_would_be_right(home: Home, server: TelegramServer) -> None:
    await home.store(*THREE)
    server.faults.refuse("messages.sendMessage", 403, "CHAT_WRITE_FORBIDDEN")
    ran = await home.digest("--now")
    assert ran.code == 1
    refused, sent = sorted(ran.out.splitlines(), reverse=True)
    why = "this account may not write there; make it an administrator with the right to post"
    assert re.fullmatch(rf"✗ @\w+_demo: refused, 1 of 1 message: {why}; tried again at .*", refused)
    assert sent.endswith("_demo: sent, 1 message")


async def test_who_looks_on_does_not_wait_for_ever(home: Home, server: TelegramServer) -> None:
    await home.store(*THREE)
    server.faults.flood_wait("messages.sendMessage", 3000, times=None)
    with held(home.folder / "data"):
        rules = rules_of_settings(home.settings)
        parts = await send_by_itself(home.settings, rules, sent_within=timedelta(seconds=0.5))
    lines = list(said(parts, rules.destinations, home.settings, datetime.now(UTC)))
    assert lines[0].startswith("? @desk_demo: on its way, 1 of 1 message not sent yet")


async def test_without_a_session_it_ends_with_3(home: Home) -> None:
    await home.store(*THREE)
    ran = await home.digest("--now")
    assert ran.code == 3
    assert "run vedette login first" in ran.err


# --- sent by a service ------------------------------------------------------------------------------------


@asynccontextmanager
async def service(home: Home, *, speaks: bool = True) -> AsyncIterator[None]:
    """What of a service makes digests and, if it ``speaks``, sends them."""
    with held(home.folder / "data"):
        async with signed_in(home.settings) as accounts:
            database, clock, rules = accounts.database, accounts.clock, rules_of_settings(home.settings)
            voices = Voices(bot=False)
            voices.speaks(Voice.SPEAKER, accounts.sender(accounts.reader) if speaks else None)
            retell: Callable[[int], object] = Retelling(database, lambda: rules).as_now
            deliver = Deliver(database, voices, clock, secret=SECRET, retell=retell)  # type: ignore[arg-type]
            digests = Digests(database, clock, rules=lambda: rules, secret=SECRET, passed=clock.now, wake=deliver.wake)
            tasks = [asyncio.create_task(digests.run()), asyncio.create_task(deliver.run())]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)


async def test_a_service_that_runs_is_asked_and_sends(home: Home, server: TelegramServer) -> None:
    await home.store(*THREE)
    async with service(home):
        ran = await home.digest("--now")
    assert ran.code == 0
    assert ran.out == "✓ @desk_demo: sent, 1 message\n✓ @bases_demo: sent, 1 message\n"
    assert ran.err == "the service is asked for digests\n"
    assert len(server.sent) == 2


@pytest.mark.usefixtures("server")
async def test_what_the_service_cannot_send_yet_is_said(home: Home) -> None:
    await home.store(*THREE)
    async with service(home, speaks=False):
        parts = await ask(home.settings, sent_within=timedelta(seconds=0.3))
    lines = list(said(parts, [DESK, BASES], home.settings, datetime.now(UTC)))
    assert lines == [f"? {to}: on its way, 1 of 1 message not sent yet" for to in (DESK, BASES)]


@pytest.mark.usefixtures("server")
async def test_what_keeps_the_service_from_sending_is_not_waited_for(home: Home) -> None:
    await home.store(*THREE)
    async with service(home, speaks=False):
        async with Database.opened(home.folder / "data") as database:
            trouble = Notice("The bot cannot speak: its token was revoked.")
            await database.write(lambda c: notices.tell(c, "speaker", trouble, datetime.now(UTC)))
        async with asyncio.timeout(20):
            parts = await ask(home.settings)
    lines = list(said(parts, [DESK], home.settings, datetime.now(UTC)))
    assert lines[0] == f"? {DESK}: on its way, 1 of 1 message not sent yet: {trouble.what}"


async def test_a_process_that_makes_no_digests_is_not_waited_for_for_ever(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    await home.store(*THREE)
    with held(home.folder / "data"), pytest.raises(typer.Exit) as ended:
        await ask(home.settings, made_within=timedelta(seconds=0.2))
    assert ended.value.exit_code == 1
    assert "no digest was made within 0 s; the service makes it when it can" in capsys.readouterr().err


async def test_a_database_of_an_older_version_is_left_to_the_service(home: Home) -> None:
    await home.store(*THREE)
    async with Database.opened(home.folder / "data") as database:
        await database.write(lambda c: c.execute("PRAGMA user_version = 1"))
    with held(home.folder / "data"):
        ran = await home.digest("--now")
    assert ran.code == 1
    assert "was written by an older vedette" in ran.err


def test_every_destination_has_its_line() -> None:
    now = at(0)
    settings = Settings.model_construct(timezone=UTC)
    parts = [Part(DESK, "sent", None, now), Part(DESK, "refused", "it is full", at(60)), Part(DESK, "sent", None, now)]
    never = Part(BASES, "refused", "it is gone", datetime(9999, 12, 31, tzinfo=UTC))
    assert list(said(parts, [DESK, BASES], settings, now)) == [
        "✗ @desk_demo: refused, 1 of 3 messages: it is full; tried again at 13:00",
        "✗ @bases_demo: no digest was made; the log says why",
    ]
    assert list(said([never], [BASES], settings, now)) == ["✗ @bases_demo: refused, 1 of 1 message: it is gone"]
