"""``vedette check --online``: what Telegram says of channels and destinations, through the real client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from bot.cli.accounts import Turns
from bot.clock import SystemClock
from bot.errors import TelegramError, WaitError
from bot.folder import held
from bot.quota import Quota
from bot.storage.attempts import attempts
from bot.storage.database import Database
from tests.cli.conftest import Ran, Vedette
from tests.made import at
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

READER, BOT, FRIEND = 7001, 555, 7002
TOKEN = f"{BOT}:SECRET-of-the-bot-that-speaks"
CONFIG = """\
timezone = "UTC"
[telegram]
api_id = 12345
api_hash = "0123456789abcdef0123456789abcdef"
{bot}
[telegram.server]
address = "{server.host}:{server.port}"
public_key = "server.pem"
[watch]
channels = [{channels}]
{watch}
[digest]
chat = "{chat}"
[topics.syria]
keywords = ["Сирия"]
{topic}
"""
NO_ADMINISTRATOR = "only its administrators write there, and this account is none who may"


class Home:
    """A working directory with a session, in which configurations are written and checked."""

    def __init__(self, folder: Path, server: TelegramServer, vedette: Vedette) -> None:
        self.folder = folder
        self.server = server
        self.world = server.world
        self._vedette = vedette

    async def check(
        self,
        *channels: str,
        chat: str = "me",
        bot: bool = False,
        watch: str = "",
        topic: str = "",
        options: Sequence[str] = ("--online",),
    ) -> Ran:
        """Runs the command in a thread of its own, since the server lives in this one."""
        text = CONFIG.format(
            server=self.server,
            bot=f'bot_token = "{TOKEN}"' if bot else "",
            channels=", ".join(f'"{channel}"' for channel in channels),
            watch=watch,
            chat=chat,
            topic=topic,
        )
        (self.folder / "config.toml").write_text(text, "utf-8")
        return await asyncio.to_thread(self._vedette, "check", *options)


def said(ran: Ran) -> list[str]:
    """The lines that Telegram's answers made."""
    return [line.strip() for line in ran.out.splitlines() if line.startswith(("  ✓", "  ?", "  ✗"))]


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    world = World(1, now=lambda: at(0))
    world.add_person(READER, username="reader_demo")
    world.add_person(FRIEND, username="friend_demo", first_name="Фёдор")
    world.add_bot(BOT, token=TOKEN, username="desk_demo_bot", started_by=[READER])
    alfa = world.add_channel(1001, username="alfa_demo", title="Альфа")
    for minute in range(3):
        alfa.post(f"Сирия {minute}", date=at(minute))
    world.add_channel(1002, username="beta_demo", members=[READER])
    world.add_channel(1003, title="Тайный", members=[READER], invite="AbCdEfGhIjKl")
    world.add_channel(1004, title="Закрытый", invite="MnOpQrStUvWx")
    world.add_channel(1005, username="ours_demo", title="Наш", admins=[READER, BOT])
    world.add_channel(1006, username="talk_demo", title="Беседа", megagroup=True)
    async with TelegramServer(world) as server:
        yield server


@pytest.fixture
def home(server: TelegramServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vedette: Vedette) -> Home:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "server.pem").write_text(server.public_key, "ascii")
    (tmp_path / "data").mkdir(mode=0o700)
    server.sign_in_session(tmp_path / "data" / "reader.session", READER)
    return Home(tmp_path, server, vedette)


async def test_every_channel_is_described_and_none_is_joined(home: Home) -> None:
    ran = await home.check("@alfa_demo", "@beta_demo", "-1000000001003", "t.me/+AbCdEfGhIjKl2", "t.me/+MnOpQrStUvWx")
    assert said(ran)[:5] == [
        "✓ @alfa_demo: Альфа, -1000000001001, will be joined, newest post 3",
        "✓ @beta_demo: beta_demo, -1000000001002, joined, empty",
        "✓ -1000000001003: Тайный, joined, empty",
        "✗ t.me/+AbCdEfGhIjKl2: the invite link is not good any more; ask for a new one",
        "✓ t.me/+MnOpQrStUvWx: private, will be joined by this link",
    ]
    assert ran.code == 1
    assert ran.err.endswith("1 of 6 cannot be used as they are\n")
    assert not home.server.count("channels.joinChannel") + home.server.count("messages.importChatInvite")
    assert not home.server.sent


async def test_when_all_is_well_it_ends_with_0(home: Home) -> None:
    ran = await home.check("@alfa_demo")
    assert (ran.code, ran.err) == (0, "")
    assert said(ran)[1:] == ["✓ me: @reader_demo, in Saved Messages, where nothing rings"]


async def test_without_joining_a_public_channel_is_read_and_a_private_one_is_not(home: Home) -> None:
    ran = await home.check("@alfa_demo", "t.me/+MnOpQrStUvWx", watch="join = false")
    assert said(ran)[:2] == [
        "✓ @alfa_demo: Альфа, -1000000001001, read without joining, newest post 3",
        "✗ t.me/+MnOpQrStUvWx: it is private, and only who has joined it can read it",
    ]


async def test_what_is_wrong_with_a_channel_is_said_in_words(home: Home) -> None:
    home.world.channels[1002].forbid(READER)
    ran = await home.check("@nobody_demo", "@friend_demo", "@beta_demo", "-1000000009999")
    assert [line.partition(": ")[2].partition(";")[0] for line in said(ran)[:4]] == [
        "there is nobody of this name in Telegram",
        "this is a person, a bot or a small group",
        "this account was thrown out of it",
        "this account is not in it",
    ]
    assert ran.code == 1


async def test_a_channel_that_was_found_once_is_not_looked_up_again(home: Home) -> None:
    await home.check("@alfa_demo", "@nobody_demo")
    home.world.channels[1001].rename("omega_demo")
    ran = await home.check("@alfa_demo")
    assert said(ran)[0] == "✓ @alfa_demo: Альфа, @omega_demo, -1000000001001, will be joined, newest post 3"
    assert home.server.count("contacts.resolveUsername") == 2


async def test_one_channel_by_two_names_is_told(home: Home) -> None:
    ran = await home.check("-1000000001003", "t.me/+AbCdEfGhIjKl")
    assert said(ran)[1] == "✗ t.me/+AbCdEfGhIjKl: it is -1000000001003, which is listed too; remove one of them"
    assert ran.code == 1


async def test_where_telegram_does_not_say_how_far_a_channel_is_its_newest_page_does(home: Home) -> None:
    home.server.faults.flood_wait("messages.getPeerDialogs", 900)
    ran = await home.check("@alfa_demo")
    assert said(ran)[0].endswith("newest post 3")
    assert ran.code == 0


async def test_a_wait_is_told_and_what_else_can_be_done_is(home: Home) -> None:
    home.server.faults.flood_wait("contacts.resolveUsername", 900)
    ran = await home.check("@alfa_demo", "@beta_demo", "-1000000001003")
    assert ran.code == 1
    assert [line.partition(":")[0] for line in said(ran)] == [
        "✗ @alfa_demo",
        "✗ @beta_demo",
        "✓ -1000000001003",
        "✓ me",
    ]
    assert "Telegram asks to wait 900 s before the next contacts.resolveUsername" in said(ran)[0]
    assert "Telegram asks to wait 9" in said(ran)[1]
    assert home.server.count("contacts.resolveUsername") == 1


@pytest.mark.parametrize(
    ("chat", "told"),
    [
        ("@friend_demo", "✓ @friend_demo: Фёдор, 7002, a person"),
        ("@ours_demo", "✓ @ours_demo: Наш, -1000000001005, a channel"),
        ("-1000000001005", "✓ -1000000001005: Наш, @ours_demo, a channel"),
        ("7002", "? 7002: a person by the id, of whom Telegram tells only bots anything"),
        (
            "@beta_demo",
            f"✗ @beta_demo: beta_demo, -1000000001002, a channel; {NO_ADMINISTRATOR}",
        ),
        ("@talk_demo", "✗ @talk_demo: Беседа, -1000000001006, a group; this account is not in it"),
        (
            "@ours_demo/12",
            "✗ @ours_demo/12: Наш, -1000000001005, a channel; it has no topics; write it without the number behind",
        ),
        (
            "-1000000009999",
            "✗ -1000000009999: this account is not in it; join it in Telegram, or write its @name or an invite link",
        ),
    ],
)
async def test_a_destination_is_told_with_what_speaks_against_it(home: Home, chat: str, told: str) -> None:
    ran = await home.check("@alfa_demo", chat=chat)
    assert said(ran)[1:] == [told]
    assert ran.code == (1 if told.startswith("✗") else 0)


async def test_a_destination_that_is_watched_under_another_name_is_an_error(home: Home) -> None:
    ran = await home.check("@ours_demo", topic='chat = "-1000000001005"')
    assert said(ran)[2] == (
        "✗ -1000000001005: Наш, @ours_demo, a channel; "
        "it is watched as @ours_demo, and a chat that is told is never watched; remove one of the two"
    )
    assert ran.code == 1


async def test_a_bot_is_asked_for_the_destinations_that_it_tells(home: Home) -> None:
    home.server.sign_in_session(home.folder / "data" / "speaker.session", BOT)
    ran = await home.check("@alfa_demo", bot=True, topic='chat = "-1000000001005"')
    assert said(ran)[1:] == [
        "✓ me: @reader_demo, in the private chat with @desk_demo_bot",
        "✓ -1000000001005: Наш, @ours_demo, a channel",
    ]
    home.world.people[READER].started.clear()
    ran = await home.check("@alfa_demo", bot=True, topic='chat = "@talk_demo"')
    assert ran.code == 1
    assert said(ran)[1:] == [
        "✗ me: this account cannot write there; a bot has to be written to first: press its start",
        "✗ @talk_demo: Беседа, -1000000001006, a group; this account is not in it",
    ]


async def test_a_bot_that_is_not_signed_in_leaves_it_open(home: Home) -> None:
    ran = await home.check("@alfa_demo", bot=True, topic='chat = "@beta_demo"')
    assert said(ran)[1:] == [
        "? me: @reader_demo, in the private chat with the bot",
        "? @beta_demo: beta_demo, -1000000001002, a channel",
    ]
    assert ran.code == 0
    assert "the bot is not signed in" in ran.err


async def test_what_the_folder_holds_is_said(home: Home) -> None:
    home.world.add_folder(READER, "War bloggers", [1002, 1003])
    ran = await home.check("@alfa_demo", watch='folder = "war bloggers"')
    assert said(ran)[1] == "✓ war bloggers: a folder that holds beta_demo, Тайный"
    assert ran.code == 0


async def test_a_folder_that_is_not_there_is_told_with_those_that_are(home: Home) -> None:
    home.world.add_folder(READER, "Friends")
    ran = await home.check("@alfa_demo", watch='folder = "War bloggers"')
    assert said(ran)[1] == "✗ War bloggers: this account has no such folder; it has Friends"
    assert ran.code == 1


async def test_offline_nothing_is_asked(home: Home) -> None:
    ran = await home.check("@alfa_demo", options=())
    assert (ran.code, said(ran)) == (0, [])
    assert home.server.calls == []


async def test_beside_a_service_it_ends_with_4(home: Home) -> None:
    with held(home.folder / "data"):
        ran = await home.check("@alfa_demo")
    assert ran.code == 4
    assert "stop the service first" in ran.err


async def test_without_a_session_or_with_one_that_was_ended_it_ends_with_3(home: Home) -> None:
    home.server.revoke(READER)
    assert (await home.check("@alfa_demo")).code == 3
    (home.folder / "data" / "reader.session").unlink()
    ran = await home.check("@alfa_demo")
    assert ran.code == 3
    assert "run vedette login first" in ran.err


async def test_without_credentials_it_ends_with_2(home: Home, vedette: Vedette) -> None:
    await home.check("@alfa_demo", options=())
    config = home.folder / "config.toml"
    config.write_text(config.read_text("utf-8").replace("api_", "# api_"), "utf-8")
    ran = await asyncio.to_thread(vedette, "check", "--online")
    assert ran.code == 2
    assert "api_id and api_hash are missing" in ran.err


SEND = ("--online", "--send")


def tried(ran: Ran) -> list[str]:
    """The lines about test messages."""
    return [line.strip() for line in ran.out.partition("test messages\n")[2].splitlines()]


async def test_without_send_nothing_is_sent(home: Home) -> None:
    ran = await home.check("@alfa_demo")
    assert "test message" not in ran.out
    assert not home.server.sent


async def test_each_destination_gets_a_test_message_that_says_what_will_come(home: Home) -> None:
    ran = await home.check("@alfa_demo", topic='chat = "@ours_demo"\ntitle = "Сирия и @all"', options=SEND)
    assert (ran.code, ran.err) == (0, "")
    assert tried(ran) == ["✓ me: the test message is there", "✓ @ours_demo: the test message is there"]
    assert [one.text for one in home.server.sent] == [
        "Vedette can write here.\nA test by vedette check --online --send. No topic is told here.",
        "Vedette can write here.\nA test by vedette check --online --send. Told here: Сирия и @\u2060all.",
    ]


async def test_with_a_bot_it_is_the_bot_that_tries(home: Home) -> None:
    home.server.sign_in_session(home.folder / "data" / "speaker.session", BOT)
    ran = await home.check("@alfa_demo", bot=True, topic='chat = "-1000000001005"', options=SEND)
    assert tried(ran) == ["✓ me: the test message is there", "✓ -1000000001005: the test message is there"]
    assert ran.code == 0
    assert {one.person for one in home.server.writes} == {BOT}
    again = await home.check("@alfa_demo", bot=True, topic='chat = "-1000000001005"', options=SEND)
    assert again.code == 0
    assert len(home.server.sent) == 4, "each time it is another message"


async def test_without_a_bot_that_is_signed_in_nothing_can_be_sent(home: Home) -> None:
    ran = await home.check("@alfa_demo", bot=True, options=SEND)
    assert tried(ran) == ["✗ me: nothing was sent: the bot is not signed in; vedette login signs it in"]
    assert ran.code == 1
    assert not home.server.sent


async def test_where_it_cannot_be_written_nothing_is_tried(home: Home) -> None:
    ran = await home.check("@alfa_demo", topic='chat = "@ours_demo/12"', options=SEND)
    assert tried(ran)[1] == "✗ @ours_demo/12: nothing was sent, for what is said above"
    assert ran.code == 1
    assert len(home.server.sent) == 1, "to the other one"


async def test_what_telegram_says_to_a_test_message_is_told(home: Home) -> None:
    home.server.faults.refuse("messages.sendMessage", 403, "CHAT_WRITE_FORBIDDEN")
    ran = await home.check("@alfa_demo", chat="@ours_demo", options=SEND)
    why = "this account may not write there; make it an administrator with the right to post"
    assert tried(ran) == [f"✗ @ours_demo: nothing was sent: {why}"]
    assert ran.code == 1
    home.server.faults.flood_wait("messages.sendMessage", 300)
    waits = await home.check("@alfa_demo", chat="@ours_demo", options=SEND)
    assert tried(waits) == ["✗ @ours_demo: nothing was sent: Telegram asks to wait; try again in 5 min"]
    calls = home.server.count("messages.sendMessage")
    again = await home.check("@alfa_demo", chat="@ours_demo", options=SEND)
    assert tried(again)[0].startswith("✗ @ours_demo: nothing was sent: Telegram asks to wait; try again in ")
    assert home.server.count("messages.sendMessage") == calls, "it is remembered, and not asked again"


async def test_a_test_message_counts_among_those_of_its_chat(home: Home) -> None:
    await home.check("@alfa_demo", chat="@ours_demo", options=SEND)
    async with Database.opened(home.folder / "data") as database:
        assert {chat: len(found) for chat, found in (await attempts(database)).items()} == {-1000000001005: 1}


async def test_a_test_message_beside_a_service_ends_with_4(home: Home) -> None:
    with held(home.folder / "data"):
        ran = await home.check("@alfa_demo", options=SEND)
    assert ran.code == 4
    assert not home.server.sent


async def test_a_test_message_needs_telegram(home: Home) -> None:
    ran = await home.check("@alfa_demo", options=("--send",))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "vedette: --send sends to Telegram; write check --online --send\n"


async def test_who_looks_on_does_not_wait_for_tomorrow(tmp_path: Path) -> None:
    async with Database.opened(tmp_path) as database, SystemClock.running() as clock:
        quota = await Quota.opened(database, clock, Random(1))  # noqa: S311 - for pauses
        turns = Turns(quota, clock, patience=timedelta(milliseconds=50))
        for _ in range(20):
            await turns.take("contacts.resolveUsername")
        for _ in range(2):
            with pytest.raises(TelegramError, match="as often of late as is wise"):
                await turns.take("contacts.resolveUsername")
        quota.refused("messages.getDialogs", 60)
        with pytest.raises(WaitError):
            await turns.take("messages.getDialogs")
        await turns.take("messages.getHistory")
        await quota.settled()
