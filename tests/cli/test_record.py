"""``vedette record``: posts of channels as a recording, read through the real client from a loopback server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bot.folder import held
from bot.recording.reader import read
from tests.cli.conftest import Ran, Vedette
from tests.made import at
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

CONFIG = """\
timezone = "UTC"
[telegram]
api_id = 12345
api_hash = "0123456789abcdef0123456789abcdef"
[telegram.server]
address = "{server.host}:{server.port}"
public_key = "server.pem"
[watch]
channels = ["@alfa_demo"]
[digest]
chat = "me"
[topics.syria]
keywords = ["Сирия"]
"""
READER = 7001
Command = Callable[..., Awaitable[Ran]]


@pytest.fixture
def world() -> World:
    """Channels alfa_demo, of 250 posts a minute apart, and beta_demo, of 3, and a private one."""
    world = World(1, now=lambda: at(0))
    world.add_person(READER)
    alfa = world.add_channel(1001, username="alfa_demo", title="Альфа")
    for minute in range(250):
        alfa.post(f"Сирия, сообщение {minute}", date=at(minute))
    beta = world.add_channel(1002, username="beta_demo")
    for minute in (10, 100, 248):
        beta.post(f"Бета {minute}", date=at(minute) + timedelta(seconds=1))
    private = world.add_channel(1003, members=[READER])
    private.post("Тайное", date=at(5))
    return world


@pytest.fixture
async def server(world: World) -> AsyncIterator[TelegramServer]:
    async with TelegramServer(world) as server:
        yield server


@pytest.fixture
def home(server: TelegramServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a configuration and a session."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_text(CONFIG.format(server=server), "utf-8")
    (tmp_path / "server.pem").write_text(server.public_key, "ascii")
    (tmp_path / "data").mkdir(mode=0o700)
    server.sign_in_session(tmp_path / "data" / "reader.session", READER)
    return tmp_path


@pytest.fixture
def command(vedette: Vedette) -> Command:
    """Runs a command in a thread of its own, since the server lives in this one."""

    async def run(*arguments: str) -> Ran:
        return await asyncio.to_thread(vedette, *arguments)

    return run


def texts(recording: str) -> list[str]:
    return [json.loads(line)["text"] for line in recording.splitlines()]


async def test_a_channel_is_written_from_its_first_post_on(home: Path, command: Command) -> None:
    ran = await command("record", "@alfa_demo", "-o", "alfa.jsonl")
    assert ran.err.splitlines()[-1] == "250 posts written"
    assert ran.code == 0
    assert ran.out == ""
    problems: list[object] = []
    told = list(read([home / "alfa.jsonl"], problems.append))
    assert problems == []
    assert [each.post.text for each in told] == [f"Сирия, сообщение {minute}" for minute in range(250)]
    assert told[0].post.channel.username == "alfa_demo"
    assert told[0].post.channel.title == "Альфа"
    assert told[0].post.link == "https://t.me/alfa_demo/1"


@pytest.mark.usefixtures("home")
async def test_a_limit_takes_the_newest_of_each_channel_and_channels_are_merged_by_date(command: Command) -> None:
    ran = await command("record", "alfa_demo", "https://t.me/beta_demo", "--limit", "2")
    assert ran.code == 0
    assert texts(ran.out) == ["Бета 100", "Сирия, сообщение 248", "Бета 248", "Сирия, сообщение 249"]


@pytest.mark.usefixtures("home")
async def test_an_album_is_one_post_and_is_never_cut(command: Command, world: World) -> None:
    channel = world.add_channel(1004, username="gamma_demo")
    for second, text in enumerate(("Первый", "Второй", "Третий", "Сирия", "", "", "Последний")):
        channel.post(text, album=7 if 3 <= second <= 5 else None, date=at(0) + timedelta(seconds=second))
    ran = await command("record", "@gamma_demo", "--limit", "2")
    assert texts(ran.out) == ["Сирия", "", "", "Последний"]
    assert ran.err.splitlines()[-1] == "2 posts written"
    ran = await command("record", "@gamma_demo", "--limit", "3")
    assert texts(ran.out) == ["Третий", "Сирия", "", "", "Последний"]
    ran = await command("record", "@gamma_demo", "--since", (at(0) + timedelta(seconds=5)).isoformat())
    assert texts(ran.out) == ["Сирия", "", "", "Последний"], "its last part is new enough"


@pytest.mark.usefixtures("home")
async def test_an_album_that_stands_on_two_pages_is_not_cut(command: Command, world: World) -> None:
    channel = world.add_channel(1004, username="gamma_demo")
    channel.post("Первый", date=at(0))
    for text in ("Сирия", "", ""):
        channel.post(text, album=7, date=at(1))
    for second in range(98):
        channel.post(f"{second}", date=at(2) + timedelta(seconds=second))
    ran = await command("record", "@gamma_demo", "--limit", "99")
    assert texts(ran.out)[:4] == ["Сирия", "", "", "0"]


@pytest.mark.usefixtures("home")
async def test_what_cannot_be_read_is_counted_and_the_rest_is_written(command: Command, world: World) -> None:
    channel = world.add_channel(1004, username="gamma_demo")
    channel.post("Первый", date=at(0))
    channel.unknown()
    channel.unknown()
    channel.post("Второй", date=at(1))
    ran = await command("record", "@gamma_demo", "@beta_demo")
    assert ran.code == 1
    assert len(texts(ran.out)) == 5
    assert ran.err.splitlines()[-2:] == ["5 posts written", "left out: 2 messages of a kind that could not be read"]
    ran = await command("record", "@gamma_demo", "--limit", "1")
    assert (ran.code, texts(ran.out)) == (0, ["Второй"]), "none that was asked for is left out"


@pytest.mark.usefixtures("home")
async def test_a_date_takes_all_from_then_on(command: Command, server: TelegramServer) -> None:
    ran = await command("record", "@alfa_demo", "--since", at(120).isoformat())
    assert texts(ran.out) == [f"Сирия, сообщение {minute}" for minute in range(120, 250)]
    assert server.count("messages.getHistory") == 2
    ran = await command("record", "@alfa_demo", "--since", at(120).isoformat(), "--limit", "5")
    assert texts(ran.out) == [f"Сирия, сообщение {minute}" for minute in range(245, 250)]
    ran = await command("record", "@alfa_demo", "--since", at(500).isoformat())
    assert (ran.code, ran.out) == (0, "")


@pytest.mark.usefixtures("home")
async def test_a_private_channel_is_known_by_its_id_and_nothing_is_joined(
    command: Command, server: TelegramServer
) -> None:
    ran = await command("record", "-1000000001003")
    assert texts(ran.out) == ["Тайное"], ran.err
    await command("record", "@beta_demo")
    assert READER not in server.world.channels[1002].members


@pytest.mark.usefixtures("home")
async def test_a_channel_that_cannot_be_read_is_left_out_and_the_rest_is_written(command: Command) -> None:
    ran = await command("record", "@nobody_demo", "-1000000009999", "@beta_demo")
    assert ran.code == 1
    assert texts(ran.out) == ["Бета 10", "Бета 100", "Бета 248"]
    assert "@nobody_demo is left out: there is nobody of this name" in ran.err
    assert "-1000000009999 is left out: this account is not in it" in ran.err


@pytest.mark.usefixtures("home")
async def test_what_was_read_before_it_broke_off_is_written(command: Command, server: TelegramServer) -> None:
    server.faults.limit("messages.getHistory", 2, 3600)
    ran = await command("record", "@alfa_demo")
    assert ran.code == 1
    assert "Telegram asks to wait" in ran.err
    assert texts(ran.out) == [f"Сирия, сообщение {minute}" for minute in range(50, 250)]


async def test_beside_a_service_it_ends_with_4(home: Path, command: Command) -> None:
    with held(home / "data"):
        ran = await command("record", "@alfa_demo")
    assert ran.code == 4
    assert "stop the service first" in ran.err


async def test_without_a_session_it_ends_with_3_and_touches_no_file(home: Path, command: Command) -> None:
    (home / "data" / "reader.session").unlink()
    (home / "kept.jsonl").write_text("kept")
    ran = await command("record", "@alfa_demo", "-o", "kept.jsonl")
    assert ran.code == 3
    assert "run vedette login first" in ran.err
    assert (home / "kept.jsonl").read_text() == "kept"


@pytest.mark.usefixtures("home")
async def test_a_session_that_was_ended_ends_with_3(command: Command, server: TelegramServer) -> None:
    server.revoke(READER)
    ran = await command("record", "@alfa_demo")
    assert ran.code == 3


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("not a name",), "CHANNEL not a name: a blank stands inside"),
        (("@alfa_demo", "--limit", "0"), "greater than or equal to 1"),
        (("@alfa_demo", "-o", "nowhere/a.jsonl"), "nowhere/a.jsonl cannot be written"),
        (("@alfa_demo", "--since", "gestern"), "--since 'gestern' is no date"),
    ],
)
async def test_what_makes_no_sense_is_refused_before_anything_is_asked(
    command: Command, server: TelegramServer, arguments: tuple[str, ...], said: str
) -> None:
    ran = await command("record", *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert server.calls == []
