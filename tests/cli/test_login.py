"""``vedette login``, as a process that is given its answers line by line, and what it leaves behind."""

from __future__ import annotations

import asyncio
import re
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from telethon.sessions import SQLiteSession, StringSession

from bot.folder import held
from tests.cli.conftest import ROOT, Ran
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

READER, BOT = 777, 555
PHONE, CODE, PASSWORD = "+99966200777", "83251", "white horse"
TOKEN, HASH = f"{BOT}:SECRET-of-the-bot", "5ec4e70f0f0f0f0f0f0f0f0f0f0f0f0f"

CONFIG = """\
data_dir = "{folder}/data"
[telegram]
{telegram}
[telegram.server]
address = "127.0.0.1:{port}"
public_key = "{folder}/server.pem"
[watch]
channels = ["@alfa_demo"]
[digest]
chat = "me"
[topics.syria]
keywords = ["Сирия"]
"""


class Login:
    """The command in a folder of its own, against a server."""

    def __init__(self, folder: Path, server: TelegramServer) -> None:
        self.folder = folder
        self.server = server
        self.data = folder / "data"
        (folder / "server.pem").write_text(server.public_key, "utf-8")
        self.configure(f'api_id = 1\napi_hash = "{HASH}"\nbot_token = "{TOKEN}"')

    def configure(self, telegram: str) -> None:
        text = CONFIG.format(folder=self.folder, telegram=telegram, port=self.server.port)
        (self.folder / "config.toml").write_text(text, "utf-8")

    async def begin(self, *options: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "login", "--config", str(self.folder / "config.toml"), *options),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, *answers: str, options: tuple[str, ...] = ()) -> Ran:
        running = await self.begin(*options)
        out, err = await running.communicate("".join(f"{answer}\n" for answer in answers).encode())
        ran = Ran(running.returncode or 0, out.decode(), err.decode())
        for secret in (*answers, PHONE, PHONE[3:], CODE, PASSWORD, TOKEN, TOKEN[4:], HASH):
            assert secret not in ran.out + ran.err
        return ran

    def kept(self) -> dict[str, int]:
        """The files of the data directory and their modes."""
        return {path.name: stat.S_IMODE(path.stat().st_mode) for path in sorted(self.data.iterdir())}

    def string(self) -> str:
        """The reader's session as a string."""
        session = SQLiteSession(str(self.data / "reader.session"))
        try:
            return str(StringSession.save(session))
        finally:
            session.close()


@pytest.fixture
async def login(tmp_path: Path) -> AsyncIterator[Login]:
    world = World()
    world.add_person(READER, phone=PHONE, code=CODE, password=PASSWORD, username="reader_demo")
    world.add_bot(BOT, token=TOKEN, username="desk_demo_bot", started_by=[])
    async with TelegramServer(world) as server:
        yield Login(tmp_path, server)


SIGNED_IN = """\
the reader is signed in now, as @reader_demo
the bot is signed in as @desk_demo_bot
the reader pressed its start, so it may write to it
"""


async def test_answers_come_one_a_line_and_both_are_signed_in(login: Login) -> None:
    ran = await login.run(PHONE, CODE, PASSWORD)
    assert (ran.code, ran.out) == (0, SIGNED_IN)
    assert [line.partition(" (")[0] for line in ran.err.splitlines()] == [
        "Phone number, with its country code",
        "Code, sent in Telegram, on a device that is signed in",
        "Two-step password",
    ]
    assert login.kept() == {"lock": 0o600, "reader.session": 0o600, "speaker.session": 0o600}
    assert stat.S_IMODE(login.data.stat().st_mode) == 0o700
    assert [one.text for one in login.server.world.people[BOT].messages.values()] == ["/start"]


async def test_who_is_signed_in_already_is_said_and_asked_nothing(login: Login) -> None:
    await login.run(PHONE, CODE, PASSWORD)
    ran = await login.run()
    assert ran.code == 0
    assert ran.out.startswith("the reader is signed in as @reader_demo; to sign in somebody else, remove ")
    assert ran.err == ""
    assert login.server.count("auth.importBotAuthorization") == 1


async def test_what_is_mistyped_is_asked_for_again(login: Login) -> None:
    ran = await login.run("12", PHONE, "00000", CODE, "black horse", PASSWORD)
    assert (ran.code, ran.out) == (0, SIGNED_IN)
    assert "the code is wrong\n" in ran.err
    assert "the password is wrong\n" in ran.err


async def test_three_wrong_codes_end_it_and_leave_no_session(login: Login) -> None:
    ran = await login.run(PHONE, "00000", "00001", "00002", CODE)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.endswith("vedette: not signed in: the code is wrong\n")
    assert login.kept() == {"lock": 0o600}


async def test_answers_that_end_too_soon_are_said(login: Login) -> None:
    ran = await login.run(PHONE)
    assert (ran.code, ran.out) == (2, "")
    assert "standard input ended before an answer to: Code" in ran.err
    assert login.kept() == {"lock": 0o600}


async def test_a_wait_is_told_in_words(login: Login) -> None:
    login.server.faults.flood_wait("auth.sendCode", 4000)
    ran = await login.run(PHONE)
    assert ran.code == 1
    assert "vedette: Telegram asks to wait 67 minutes before the next try (auth.sendCode)\n" in ran.err


async def test_without_credentials_nothing_is_asked(login: Login) -> None:
    login.configure("")
    ran = await login.run(PHONE)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "vedette: telegram: api_id and api_hash are missing; write those that my.telegram.org shows\n"


async def test_a_data_directory_that_is_held_is_not_touched(login: Login) -> None:
    with held(login.data):
        ran = await login.run(PHONE, CODE, PASSWORD)
    assert (ran.code, ran.out) == (4, "")
    assert ran.err == f"vedette: another vedette works in {login.data}; stop the service first\n"
    assert not login.server.calls


async def test_a_data_directory_that_cannot_be_made_is_said(login: Login) -> None:
    login.data.touch()
    ran = await login.run(PHONE)
    assert ran.code == 1
    assert "is not a directory; name another data_dir" in ran.err


async def test_without_a_bot_it_is_said_who_sends(login: Login) -> None:
    login.configure(f'api_id = 1\napi_hash = "{HASH}"')
    ran = await login.run(PHONE, CODE, PASSWORD)
    assert ran.code == 0
    assert ran.out.splitlines()[1].startswith("no bot_token: the reader itself sends")
    assert login.kept() == {"lock": 0o600, "reader.session": 0o600}


async def test_a_wrong_token_keeps_the_reader_signed_in(login: Login) -> None:
    login.configure(f'api_id = 1\napi_hash = "{HASH}"\nbot_token = "555:SECRET-no-more"')
    ran = await login.run(PHONE, CODE, PASSWORD)
    assert (ran.code, ran.out) == (3, "the reader is signed in now, as @reader_demo\n")
    assert "Telegram does not know the bot_token" in ran.err
    assert "SECRET" not in ran.err
    assert login.kept() == {"lock": 0o600, "reader.session": 0o600}


async def test_a_bot_that_refuses_start_is_said(login: Login) -> None:
    login.server.faults.refuse("messages.sendMessage", 400, "YOU_BLOCKED_USER")
    ran = await login.run(PHONE, CODE, PASSWORD)
    assert ran.code == 1
    assert "could not press start of @desk_demo_bot (YOU_BLOCKED_USER)" in ran.err


async def test_a_code_is_shown_to_be_scanned(login: Login) -> None:
    login.server.world.people[READER].password = None
    running = await login.begin("--qr")
    assert running.stderr is not None
    shown = await running.stderr.readuntil(b"Link Desktop Device.\n")
    link = re.search(r"tg://login\?token=\S+", shown.decode())
    assert link is not None
    assert "█" in shown.decode()
    assert login.server.accept_login(link[0], READER)
    out, _ = await running.communicate()
    assert (running.returncode, out.decode()) == (0, SIGNED_IN)


async def test_a_session_string_is_taken_from_standard_input(login: Login) -> None:
    await login.run(PHONE, CODE, PASSWORD)
    string = login.string()
    (login.data / "reader.session").unlink()
    ran = await login.run(string, options=("--import",))
    assert ran.code == 0
    assert ran.out.startswith("the reader is signed in now, as @reader_demo\nuse this session nowhere else")
    assert login.kept()["reader.session"] == 0o600
    assert login.string() == string


async def test_a_session_string_that_has_ended_is_not_kept(login: Login) -> None:
    await login.run(PHONE, CODE, PASSWORD)
    string = login.string()
    (login.data / "reader.session").unlink()
    login.server.revoke(READER)
    ran = await login.run(string, options=("--import",))
    assert ran.code == 3
    assert "does not accept this session string" in ran.err
    assert "reader.session" not in login.kept()


async def test_what_is_no_session_string_is_refused(login: Login) -> None:
    ran = await login.run("1BVtsOK4Bu5w", options=("--import",))
    assert ran.code == 2
    assert "this is no Telethon session string" in ran.err
    assert "reader.session" not in login.kept()


async def test_what_a_login_left_that_was_broken_off_is_no_session(login: Login, tmp_path: Path) -> None:
    """As when its terminal is closed before Telegram has answered: there is a file, and no key in it."""
    login.data.mkdir(mode=0o700)
    SQLiteSession(str(login.data / "reader.session")).close()
    ran = await started(login, "run")
    assert ran.code == 3
    assert ran.err.splitlines()[-1] == (
        f"vedette: there is no session at {tmp_path}/data/reader.session; run vedette login first"
    )
    assert "Traceback" not in ran.err
    assert not login.server.calls
    assert (await login.run(PHONE, CODE, PASSWORD)).code == 0


async def test_only_a_login_takes_a_session_to_another_server(login: Login) -> None:
    await login.run(PHONE, CODE, PASSWORD)
    right, session = (login.folder / "config.toml").read_text("utf-8"), login.data / "reader.session"
    before = session.read_bytes()
    wrong = right.replace(f"127.0.0.1:{login.server.port}", "127.0.0.1:1")
    (login.folder / "config.toml").write_text(wrong, "utf-8")
    for words in (("run",), ("check", "--online"), ("record", "@alfa_demo"), ("backfill",)):
        ran = await started(login, *words)
        assert (ran.code, session.read_bytes()) == (3, before), ran
        assert "leads to 127.0.0.1:1 (data centre 2); correct [telegram.server]" in ran.err
    # Nobody is there, so that it cannot be replaced either.
    ran = await login.run(PHONE, CODE, PASSWORD)
    assert (ran.code, session.read_bytes()) == (1, before)
    assert ran.out == (
        f"the reader's session is one of 127.0.0.1:{login.server.port} (data centre 2); "
        "it is replaced once the reader is signed in here\n"
    )
    (login.folder / "config.toml").write_text(right, "utf-8")
    assert (await login.run()).out.startswith("the reader is signed in as @reader_demo; ")


async def test_a_login_at_another_server_replaces_both_sessions(login: Login) -> None:
    async with TelegramServer(login.server.world) as other:
        before, login.server = login.server, other
        assert before.port != other.port
        (login.folder / "server.pem").write_text(other.public_key, "utf-8")
        login.data.mkdir(mode=0o700)
        before.sign_in_session(login.data / "reader.session", READER)
        before.sign_in_session(login.data / "speaker.session", BOT)
        login.configure(f'api_id = 1\napi_hash = "{HASH}"\nbot_token = "{TOKEN}"')
        ran = await login.run(PHONE, CODE, PASSWORD)
        assert ran.code == 0
        assert [line.partition(" is one of ")[0] for line in ran.out.splitlines()] == [
            "the reader's session",
            "the reader is signed in now, as @reader_demo",
            "the bot's session",
            "the bot is signed in as @desk_demo_bot",
            "the reader pressed its start, so it may write to it",
        ]


async def started(login: Login, *words: str) -> Ran:
    """Another command with the same configuration, to its end."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *words, "--config", str(login.folder / "config.toml")),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(running.communicate(), 60)
    return Ran(running.returncode or 0, out.decode(), err.decode())


async def test_two_ways_at_once_are_refused(login: Login) -> None:
    ran = await login.run(options=("--qr", "--import"))
    assert (ran.code, ran.err) == (2, "vedette: --qr and --import are two ways; choose one\n")
