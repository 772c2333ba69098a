"""What docs/security.md claims and can be looked at cheaply is so; the log has a test of its own, in tests/promises."""

from __future__ import annotations

import ast
import io
import logging
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, SecretStr

from bot.config.secrets import Proxy
from bot.config.settings import LogFormat, Settings
from bot.folder import READER, SPEAKER, held
from bot.model import Invite
from bot.pacing import MOST
from bot.query.parser import MAX_LENGTH
from bot.storage.database import NAME, Database
from bot.telegram.session import _opened
from bot.telemetry.log import _Handler, logger

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
#: Libraries that reach out, and who of us may.
NETWORK = {"telethon", "python_socks", "apprise", "http", "socket", "socketserver", "ssl", "urllib.request", "smtplib"}
REACHES_OUT = re.compile(
    r"bot/telegram/|bot/notify\.py|bot/telemetry/metrics\.py"
    r"|bot/cli/stopping\.py"  # a pair of sockets within the process, by which it hears signals
)


def secrets(model: type[BaseModel], place: str = "") -> Iterator[str]:
    """Keys whose values nobody may see, as the page writes them."""
    for name, field in model.model_fields.items():
        kind = str(field.annotation)
        if any(each.__name__ in kind for each in (SecretStr, Proxy)):
            yield f"`[{place}] {name}`"
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from secrets(inner, name)


def test_each_key_that_holds_a_secret_has_a_row_of_what_its_leak_means() -> None:
    found = [*secrets(Settings)]
    assert len(found) == 4
    rows = re.findall(r"^\| (.*?) \|", PAGE, re.MULTILINE)
    assert [key for key in found if not any(key in row for row in rows)] == []


async def test_what_lies_in_the_data_directory_is_its_owners_alone(tmp_path: Path) -> None:
    assert "0700" in PAGE
    assert "0600" in PAGE
    folder = tmp_path / "data"
    folder.mkdir(mode=0o777)
    with held(folder):
        async with Database.opened(folder) as database:
            await database.write(lambda c: c.execute("SELECT 1"))
            for name in (READER, SPEAKER):
                _opened(folder / name).close()
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {READER, SPEAKER, NAME, f"{NAME}-wal", "lock"} <= modes.keys()
    assert set(modes.values()) == {0o600}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_only_telegram_notifications_and_metrics_reach_out() -> None:
    for path in (ROOT / "bot").rglob("*.py"):
        reached = {name for name in imports(path) if name in NETWORK or name.partition(".")[0] in NETWORK}
        assert not reached or REACHES_OUT.match(str(path.relative_to(ROOT))), f"{path}: {reached}"


def test_nothing_runs_a_command_or_unpacks_code() -> None:
    for path in (ROOT / "bot").rglob("*.py"):
        assert not {"subprocess", "pickle", "marshal", "shelve", "runpy"} & {*imports(path)}, path
        called = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not {"eval", "exec", "__import__"} & called, path


def test_an_invite_link_and_a_proxys_password_are_withheld_from_the_log() -> None:
    said = io.StringIO()
    handler = _Handler(said, LogFormat.JSON)
    try:
        root = logging.getLogger()
        root.addHandler(handler)
        logger("bot").error("not found", ref=Invite("wholeInviteCode"), why="socks5://user:password@127.0.0.1:1080")
    finally:
        root.removeHandler(handler)
    assert "not found" in said.getvalue()
    assert not re.search("wholeInvite|password", said.getvalue())


def test_no_media_is_ever_loaded() -> None:
    for path in (ROOT / "bot").rglob("*.py"):
        assert not re.search("download_|GetFileRequest", path.read_text("utf-8")), path


def test_messages_are_sent_without_previews() -> None:
    source = (ROOT / "bot" / "telegram" / "sender.py").read_text("utf-8")
    calls = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and re.search("SendMessageRequest|EditMessageRequest", ast.unparse(node.func))
    ]
    assert calls
    assert all("no_webpage=True" in call for call in calls)


def test_the_container_is_as_narrow_as_the_page_says() -> None:
    compose = (ROOT / "compose.yaml").read_text("utf-8")
    for said in ("read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", "TELEGRAM_BOT_TOKEN_FILE"):
        assert said in compose
    docker = (ROOT / "Dockerfile").read_text("utf-8")
    assert "USER 10001:10001" in docker
    assert docker.count("pip --python") - docker.count("uninstall") == docker.count("--require-hashes")
    assert docker.count("--no-binary=") == 1


def test_the_figures_of_the_page_are_those_of_the_program() -> None:
    assert f"at most {MAX_LENGTH:,} characters" in PAGE
    assert f"{MOST} messages a minute" in PAGE
