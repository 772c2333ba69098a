"""``vedette backfill`` as it is typed: what it refuses, what it says, and how it ends."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.cli.main import main
from bot.cursor import began_at
from bot.folder import held
from bot.model import ChatId, Peer
from bot.storage import addresses, channels, facts
from bot.storage.database import Database
from tests.cli.conftest import ROOT, Ran, Vedette
from tests.made import at
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

CONFIG = """\
timezone = "Europe/Moscow"
data_dir = "data"
[telegram]
api_id = 12345
api_hash = "0123456789abcdef0123456789abcdef"
[telegram.server]
address = "{address}"
public_key = "server.pem"
[watch]
channels = ["@alfa_demo", "@beta_demo"]
folder = "War"
[digest]
chat = "me"
[topics.syria]
keywords = ["Сирия"]
[storage]
keep = "{keep}"
"""
READER = 7001
HISTORY = "messages.getHistory"
Command = Callable[..., Awaitable[Ran]]


@pytest.fixture
def world() -> World:
    """Channels alfa_demo, of 250 posts a minute apart, and beta_demo, of 3."""
    world = World(1, now=lambda: at(1_000))
    world.add_person(READER)
    alfa = world.add_channel(1001, username="alfa_demo", title="Альфа")
    for minute in range(250):
        alfa.post(f"Сирия, сообщение {minute}", date=at(minute))
    beta = world.add_channel(1002, username="beta_demo")
    for minute in (10, 100, 248):
        beta.post(f"Бета {minute}", date=at(minute))
    return world


@pytest.fixture
async def server(world: World) -> AsyncIterator[TelegramServer]:
    async with TelegramServer(world) as server:
        yield server


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a configuration, and no server to talk to."""
    monkeypatch.chdir(tmp_path)
    configure(tmp_path)
    return tmp_path


def configure(folder: Path, address: str = "127.0.0.1:9", keep: str = "forever") -> None:
    (folder / "config.toml").write_text(CONFIG.format(address=address, keep=keep), "utf-8")


@pytest.fixture
def command(server: TelegramServer, home: Path) -> Command:
    """Runs the command as a process of its own, since the server lives in this one."""
    configure(home, f"{server.host}:{server.port}")
    (home / "server.pem").write_text(server.public_key, "ascii")
    (home / "data").mkdir(mode=0o700)
    server.sign_in_session(home / "data" / "reader.session", READER)

    async def run(*arguments: str) -> Ran:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "backfill", *arguments),
            cwd=home,
            env={**os.environ, "PYTHONUTF8": "1", "PYTHONPATH": str(ROOT)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return Ran(process.returncode or 0, out.decode(), err.decode())

    return run


async def stored(home: Path) -> dict[str, int]:
    async with Database.opened(home / "data", writable=False) as database:
        sql = "SELECT c.username, count(*) FROM message AS m JOIN channel AS c ON c.id = m.channel GROUP BY 1"
        return dict(await database.rows(sql))


async def test_all_watched_channels_are_read_to_their_beginning(home: Path, command: Command) -> None:
    ran = await command()
    assert ran.out.splitlines() == [
        "Альфа: 250 posts read, complete back to its first post",
        "beta_demo: 3 posts read, complete back to its first post",
    ]
    assert ran.code == 0
    new = "is new: what was posted until now goes into the archive only, and into no digest"
    assert [line for line in ran.err.splitlines() if new in line] == [f"Альфа {new}", f"beta_demo {new}"]
    assert await stored(home) == {"alfa_demo": 250, "beta_demo": 3}


async def test_a_channel_and_a_date_are_enough_and_the_date_is_in_the_zone(home: Path, command: Command) -> None:
    ran = await command("https://t.me/beta_demo", "--since", "2024-12-08T16:40")
    assert ran.out == "beta_demo: 2 posts read, complete back to 2024-12-08 16:40\n"
    assert await stored(home) == {"beta_demo": 2}
    ran = await command("beta_demo", "--since", "2024-12-08T12:10+00:00")
    assert ran.out == "beta_demo: 1 post read, complete back to its first post\n"


async def test_without_a_date_it_goes_as_far_back_as_posts_are_kept(
    home: Path, command: Command, server: TelegramServer
) -> None:
    configure(home, f"{server.host}:{server.port}", keep="180d")
    ran = await command()
    assert "Альфа: 0 posts read" in ran.out
    ran = await command("--since", "2024-12-08")
    assert "note: [storage] keep is 180 days; posts older than that are not kept for long\n" in ran.err
    assert "Альфа: 250 posts read" in ran.out


async def test_a_channel_that_cannot_be_read_is_named_and_holds_up_no_other(
    home: Path, command: Command, world: World
) -> None:
    world.channels[1001].rename("omega_demo")
    ran = await command()
    assert ran.code == 1
    assert "vedette: @alfa_demo is left out: there is nobody of this name in Telegram" in ran.err
    assert ran.out == "beta_demo: 3 posts read, complete back to its first post\n"
    assert await stored(home) == {"beta_demo": 3}


async def test_a_first_history_is_left_to_the_service(home: Path, command: Command, server: TelegramServer) -> None:
    alfa = Peer(id=-1000000001001, access_hash=1, username="alfa_demo")
    async with Database.opened(home / "data") as database:
        await database.write(lambda c: channels.put(c, READER, alfa, began_at(250, 3), since=at()))
        await database.write(lambda c: channels.refer(c, "@alfa_demo", alfa.id))
    ran = await command("@alfa_demo")
    assert (ran.code, ran.out) == (1, "")
    assert "@alfa_demo is left out: the service has still to match its first history; let it run until" in ran.err
    assert not server.count(HISTORY)


async def test_the_channels_of_the_folder_are_read_that_the_service_watches(
    home: Path, command: Command, world: World
) -> None:
    inside = world.add_channel(1003, title="Тайный", members=[READER])
    inside.post("Тайное", date=at(5))
    ran = await command()
    assert "Тайный" not in ran.out
    async with Database.opened(home / "data") as database:
        peer = Peer(id=inside.marked, access_hash=1, title="Тайный")
        gone = '{"name": "War", "channels": {"-1000000001001": "Альфа", "-1000000001003": "Тайный", "-1009": "Чат"}}'
        await database.write(lambda c: facts.put(c, "folder", gone))
        await database.write(lambda c: channels.put(c, 1, peer, began_at(1, 3)))
        await database.write(lambda c: channels.set_cursors(c, {peer.id: replace(began_at(1, 3), history_read=True)}))
        await database.write(lambda c: addresses.remember(c, 1, ChatId(peer.id), peer))
    ran = await command()
    assert ran.out.splitlines() == [
        "Альфа: 0 posts read, complete back to its first post",
        "beta_demo: 0 posts read, complete back to its first post",
        "Тайный: 1 post read, complete back to its first post",
    ]


async def test_a_wait_is_told_with_the_time_that_is_left(command: Command, server: TelegramServer) -> None:
    server.faults.flood_wait(HISTORY, 5)
    ran = await command("beta_demo")
    assert ran.code == 0
    assert "Telegram asks to wait; it goes on in 7 s\n" in ran.err


async def test_a_channel_that_was_never_watched_is_refused(command: Command, server: TelegramServer) -> None:
    ran = await command("@gamma_demo")
    assert ran.code == 2
    assert "@gamma_demo is not watched; add it to [watch] channels, or use vedette record" in ran.err
    assert not server.count("contacts.resolveUsername")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("since", "why"),
    [
        ("2999-01-01", "--since 2999-01-01 is yet to come; nothing was posted from then on"),
        ("soon", "--since 'soon' is no date; write 2024-12-08"),
    ],
)
def test_a_date_that_cannot_be_meant_is_refused(vedette: Vedette, since: str, why: str) -> None:
    ran = vedette("backfill", "--since", since)
    assert ran.code == 2
    assert why in ran.err


@pytest.mark.usefixtures("home")
def test_without_a_session_it_says_how_to_get_one(vedette: Vedette) -> None:
    ran = vedette("backfill")
    assert ran.code == 3
    assert "there is no session at" in ran.err
    assert "run vedette login first" in ran.err


def test_beside_a_service_it_says_to_stop_it_first(home: Path, vedette: Vedette) -> None:
    with held(home / "data"):
        ran = vedette("backfill")
    assert ran.code == 4
    assert "stop the service first" in ran.err


def test_its_help_says_what_the_default_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["backfill", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "default: as far back as [storage] keep goes" in told
    assert "nothing is matched, told or joined" in told
