"""`vedette health`: an exit code and reasons, beside the service, that no earlier process can colour."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import inforce
from bot.config.load import load
from bot.cursor import Cursor
from bot.folder import held
from bot.model import Notice, Peer
from bot.storage import attempts, channels, facts, notices, vitals
from bot.storage.database import NAME, Connection, Database
from bot.vitals import Link, Vitals
from bot.watch.roster import READER
from tests.cli.conftest import ROOT, Vedette
from tests.storage.stored import DATABASES
from tests.storage.stored import load as load_database

ALFA, BRAVO = -1001000000001, -1001000000002
CONFIG = """
[watch]
channels = ["@alfa_demo", "-1001000000002"]
[digest]
chat = "me"
[topics.syria]
keywords = ["Сирия"]
"""
KEYS = [
    *("healthy", "reasons", "now", "running"),
    *("started", "written", "link", "answered", "passed", "behind", "waiting", "skew"),
    *("speaker", "speaker_answered"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory, with two channels that have just been read, and a configuration in the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_text(CONFIG, "utf-8")
    (tmp_path / "data").mkdir(mode=0o700)
    write(tmp_path / "data", lambda c: put(c, ALFA, BRAVO))
    return tmp_path / "data"


@pytest.fixture
def running(folder: Path) -> Iterator[Path]:
    """The same, held by a service that has just begun and was well a second ago."""
    with held(folder), beating(folder):
        yield folder


@contextmanager
def beating(folder: Path) -> Iterator[None]:
    """As a process that has written its sign of life."""
    with (folder / "alive").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def put(c: Connection, *ids: int) -> None:
    """Channels that are read to their end."""
    for channel in ids:
        peer = Peer(id=channel, access_hash=1, username="alfa_demo" if channel == ALFA else None, title="Alfa")
        channels.put(c, 7, peer, Cursor(floor=1, began=5, verified=10, top=10, history_read=True))
    channels.set_read(c, ids, datetime.now(UTC))


def write(folder: Path, work: Any) -> None:
    async def written() -> None:
        async with Database.opened(folder) as database:
            await database.write(work)

    asyncio.run(written())


def well() -> Vitals:
    now = datetime.now(UTC)
    return Vitals(
        started=now - timedelta(hours=1),
        written=now,
        link=Link.UP,
        answered=now - timedelta(seconds=9),
        passed=now - timedelta(seconds=30),
        behind=1,
        waiting=2,
        skew=timedelta(seconds=31),
        sweep_every=timedelta(minutes=1),
    )


def in_force(folder: Path) -> None:
    """As a service that has taken the configuration over as it stands there."""
    file = folder.parent / "config.toml"
    write(folder, lambda c: inforce.put(c, load(file, {}), file))


def alive(folder: Path, seen: Vitals) -> None:
    write(folder, lambda c: vitals.put(c, seen))


def test_a_service_that_is_well_is_healthy_and_nothing_else_is_said(vedette: Vedette, running: Path) -> None:
    alive(running, replace(well(), skew=None))
    assert vedette("health") == (0, "healthy\n", "")


def test_what_it_copes_with_is_told_and_is_no_failure(vedette: Vedette, running: Path) -> None:
    alive(running, well())
    write(running, lambda c: channels.set_refused(c, BRAVO, "CHANNEL_PRIVATE"))
    ran = vedette("health")
    assert (ran.code, ran.out.splitlines()) == (
        0,
        [
            "degraded (clock): the clock of this machine is 31 s ahead of Telegram's; set it right",
            "degraded (refused): 1 channel cannot be read: -1001000000002; vedette status says why",
        ],
    )


def test_until_the_first_pass_has_ended_it_fails(vedette: Vedette, running: Path) -> None:
    now = datetime.now(UTC)
    alive(running, replace(well(), started=now, passed=None, skew=None))
    ran = vedette("health")
    assert ran.code == 1
    assert ran.out.startswith("unhealthy (starting): the first pass over the channels, begun ")


def test_a_service_that_does_not_run_fails_and_where_it_was_looked_for_is_said(vedette: Vedette, folder: Path) -> None:
    expected = (1, f"unhealthy (not-running): no service runs in {folder}; start it: vedette run\n", "")
    assert vedette("health") == expected


def test_of_a_data_dir_that_was_edited_beside_a_service_the_new_one_is_named(vedette: Vedette, running: Path) -> None:
    alive(running, replace(well(), skew=None))
    (running.parent / "config.toml").write_text(f'data_dir = "moved"{CONFIG}', "utf-8")
    assert f"no service runs in {running.parent / 'moved'};" in vedette("health").out


@pytest.mark.parametrize(("reads", "who"), [(1, "bot"), (555, "reader")])
def test_that_telegram_lets_who_speaks_send_nothing_for_long_is_told(
    vedette: Vedette, running: Path, reads: int, who: str
) -> None:
    alive(running, replace(well(), skew=None))
    now = datetime.now(UTC)
    write(running, lambda c: facts.put(c, READER, reads))
    write(running, lambda c: attempts.rest(c, 555, now + timedelta(minutes=9), "FLOOD", now))
    assert vedette("health").out == "healthy\n"
    write(running, lambda c: attempts.rest(c, 555, now + timedelta(hours=23, minutes=5), "PEER_FLOOD", now))
    what = f"Telegram takes no messages from the {who} for another 23 h; wait, and do not restart"
    assert vedette("health") == (0, f"degraded (flood-wait): {what}\n", "")


def test_before_there_is_a_database_it_fails_and_makes_nothing(vedette: Vedette, folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    assert vedette("health").out.startswith("unhealthy (not-running)")
    assert not folder.exists()
    folder.mkdir(mode=0o700)
    with held(folder):
        assert vedette("health").out.startswith("unhealthy (starting)")


def test_a_restart_is_not_taken_for_the_process_before_it(vedette: Vedette, folder: Path) -> None:
    """A process was killed a second ago, having been well; the next has the directory and has written nothing yet."""
    with held(folder), beating(folder):
        alive(folder, well())
        assert vedette("health").code == 0
    assert vedette("health").out.startswith("unhealthy (not-running)")
    with held(folder):
        assert vedette("health").out.startswith("unhealthy (starting)")
        with beating(folder):
            assert vedette("health").code == 0


def test_a_service_that_hangs_fails(vedette: Vedette, running: Path) -> None:
    alive(running, replace(well(), written=datetime.now(UTC) - timedelta(minutes=5)))
    assert vedette("health").out.startswith("unhealthy (hangs): the service has given no sign of life for 5 min")


def test_a_program_reads_the_same(vedette: Vedette, running: Path) -> None:
    seen = well()
    alive(running, seen)
    ran = vedette("health", "--json")
    found = json.loads(ran.out)
    assert (ran.code, list(found)) == (0, KEYS)
    assert found.pop("now") >= seen.written.isoformat()
    assert found == {
        "healthy": True,
        "reasons": [
            {
                "code": "clock",
                "severity": "degraded",
                "what": "the clock of this machine is 31 s ahead of Telegram's; set it right",
            }
        ],
        "running": True,
        "started": seen.started.isoformat(),
        "written": seen.written.isoformat(),
        "link": "up",
        "answered": seen.answered and seen.answered.isoformat(),
        "passed": seen.passed and seen.passed.isoformat(),
        "behind": 1,
        "waiting": 2,
        "skew": 31.0,
        "speaker": None,
        "speaker_answered": None,
    }


@pytest.mark.usefixtures("folder")
def test_a_program_reads_of_one_that_does_not_run(vedette: Vedette) -> None:
    ran = vedette("health", "--json")
    found = json.loads(ran.out)
    assert (ran.code, list(found), found["healthy"], found["running"]) == (1, KEYS, False, False)
    assert {found[key] for key in KEYS[4:]} == {None}


def test_a_database_that_is_damaged_is_a_reason(vedette: Vedette, running: Path) -> None:
    (running / NAME).write_bytes(b"not a database" * 1000)
    ran = vedette("health")
    assert ran.code == 1
    assert re.match(r"unhealthy \(database\): .*vedette\.db is damaged", ran.out)


def test_channels_that_are_not_in_the_configuration_any_more_do_not_count(vedette: Vedette, running: Path) -> None:
    alive(running, replace(well(), skew=None))
    write(running, lambda c: channels.set_refused(c, BRAVO, "CHANNEL_PRIVATE"))
    config = running.parent / "config.toml"
    config.write_text(CONFIG.replace(', "-1001000000002"', ""), "utf-8")
    assert vedette("health").out == "healthy\n"


def test_a_chat_that_is_no_destination_any_more_does_not_count(vedette: Vedette, running: Path) -> None:
    alive(running, replace(well(), skew=None))
    for chat in ("me", "@desk_demo"):
        refused = Notice(f"{chat} refuses messages: BANNED")
        write(running, lambda c, s=chat, n=refused: notices.tell(c, f"destination {s}", n, datetime.now(UTC)))
    for user in ("me", "42"):
        alone = Notice(f"Operator {user} cannot be told in private: BANNED")
        write(running, lambda c, u=user, n=alone: notices.tell(c, f"operator {u}", n, datetime.now(UTC)))
    assert vedette("health").out.splitlines() == [
        "degraded (destination): me refuses messages: BANNED",
        "degraded (destination): Operator me cannot be told in private: BANNED",
    ]


def test_what_is_in_force_is_believed_as_long_as_its_file_is_as_it_was(vedette: Vedette, running: Path) -> None:
    alive(running, replace(well(), skew=None))
    write(running, lambda c: channels.set_refused(c, BRAVO, "CHANNEL_PRIVATE"))
    refused = vedette("health")
    assert refused.out.startswith("degraded (refused): 1 channel cannot be read: -1001000000002; ")
    in_force(running)
    assert vedette("health") == refused
    config = running.parent / "config.toml"
    config.write_text(CONFIG.replace(', "-1001000000002"', ""), "utf-8")
    assert vedette("health").out == "healthy\n"
    config.write_text("[watch\n", "utf-8")
    assert vedette("health").out.startswith("degraded (configuration): config.toml has errors and was not taken over; ")


def test_a_database_that_is_being_brought_forward_is_waited_for(vedette: Vedette, folder: Path) -> None:
    (folder / NAME).unlink()
    load_database(DATABASES / "3.sql", folder)
    stopped = vedette("health").out.splitlines()
    assert any(line.startswith("unhealthy (database): ") and "an older vedette" in line for line in stopped)
    with held(folder):
        assert vedette("health").out.startswith("unhealthy (starting): the service has only just been started")
        with beating(folder):  # a service of an older version, which has nothing to be brought forward
            assert vedette("health").out.startswith("unhealthy (database): ")


def test_a_configuration_from_a_pipe_is_read_once(vedette: Vedette, running: Path) -> None:
    alive(running, replace(well(), skew=None))
    end, into = os.pipe()
    os.write(into, CONFIG.encode())
    os.close(into)
    try:
        assert vedette("health", "--config", f"/dev/fd/{end}").out == "healthy\n"
    finally:
        os.close(end)


def test_what_an_earlier_process_had_in_force_is_not_asked_for(vedette: Vedette, folder: Path) -> None:
    in_force(folder)
    assert vedette("health").out.startswith("unhealthy (not-running)")
    with held(folder):
        assert vedette("health").out.startswith("unhealthy (starting)")


def test_a_folder_that_is_not_there_is_told_as_long_as_it_is_configured(vedette: Vedette, running: Path) -> None:
    alive(running, replace(well(), skew=None))
    missing = Notice("There is no folder News in the reader's Telegram.")
    write(running, lambda c: notices.tell(c, "finding the folder News", missing, datetime.now(UTC)))
    assert vedette("health").out == "healthy\n"
    config = running.parent / "config.toml"
    config.write_text(CONFIG.replace("[digest]", 'folder = "News"\n[digest]'), "utf-8")
    assert vedette("health").out == "degraded (folder): There is no folder News in the reader's Telegram\n"


def test_a_bot_that_is_not_let_in_makes_it_fail(vedette: Vedette, running: Path) -> None:
    alive(running, replace(well(), skew=None, speaker=Link.SIGNED_OUT))
    ran = vedette("health")
    assert (ran.code, ran.out.split(":")[0]) == (1, "unhealthy (speaker)")


BROKEN = 'data_dir = "elsewhere"' + CONFIG.replace('"me"', "1")
NOT_TAKEN = "config.toml has errors and was not taken over; the former configuration stays in force: config.toml:"
EMPTY, GONE = (
    f"config.toml is {what}; the former configuration stays in force; put it back" for what in ("empty", "gone")
)


@pytest.mark.parametrize(
    ("config", "data", "said"),
    [
        (BROKEN, "elsewhere", f"{NOT_TAKEN}5: digest.chat: "),
        (f"{BROKEN}[watch", "elsewhere", f"{NOT_TAKEN}8: "),
        ("\n", "data", EMPTY),
        (None, "data", GONE),
        ("\n", "elsewhere", EMPTY),
        (None, "elsewhere", GONE),
        ("data_dir = 1\n", "elsewhere", NOT_TAKEN),
    ],
)
def test_a_configuration_that_cannot_be_used_is_a_reason_beside_a_service_that_runs_on(
    vedette: Vedette, folder: Path, config: str | None, data: str, said: str
) -> None:
    folder = folder.rename(folder.parent / data)
    (folder.parent / "config.toml").unlink()
    if config is not None:
        (folder.parent / "config.toml").write_text(config, "utf-8")
    with held(folder), beating(folder):
        alive(folder, replace(well(), skew=None))
        ran = vedette("health", "--json")
        found = json.loads(ran.out)
        assert (ran.code, list(found), found["healthy"], ran.err) == (0, KEYS, True, "")
        [reason] = found["reasons"]
        assert (reason["code"], reason["severity"]) == ("configuration", "degraded")
        assert reason["what"].startswith(said)
        assert "config.example.toml" not in reason["what"]
        status = vedette("status")
        assert (status.code, status.out.splitlines()[0]) == (0, f"vedette is running in {data}")
        assert json.loads(vedette("status", "--json").out)["health"]["reasons"] == [reason]
    ran = vedette("health")
    assert ran[:2] == (2, "")
    looked = folder.parent / (data if config and "elsewhere" in config else "data")
    assert ran.err.splitlines()[-1] == f"and no service runs in {looked}"


def test_of_two_services_neither_is_taken_for_that_of_a_file_that_is_gone(
    vedette: Vedette, running: Path, tmp_path: Path
) -> None:
    (tmp_path / "config.toml").unlink()
    other = tmp_path / "other"
    running.rename(tmp_path / "one")
    with held(other), beating(other):
        ran = vedette("health")
    assert (ran.code, ran.err.splitlines()[-1]) == (2, f"and no service runs in {running}")


def test_beside_a_broken_configuration_a_service_that_ails_fails_and_dropped_channels_do_not_count(
    vedette: Vedette, running: Path
) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=9)
    write(running, lambda c: channels.set_read(c, [BRAVO], long_ago))
    write(running, lambda c: channels.set_refused(c, BRAVO, "CHANNEL_PRIVATE"))
    (running.parent / "config.toml").write_text("[watch\n", "utf-8")
    alive(running, replace(well(), skew=None))
    ran = vedette("health")
    assert (ran.code, len(ran.out.splitlines())) == (0, 1)
    alive(running, replace(well(), skew=None, link=Link.SIGNED_OUT))
    ran = vedette("health")
    assert ran.code == 1
    assert [line.split(":")[0] for line in ran.out.splitlines()] == [
        "unhealthy (signed-out)",
        "degraded (configuration)",
    ]


def test_what_the_service_has_refused_is_a_reason_until_it_is_mended(vedette: Vedette, running: Path) -> None:
    alive(running, replace(well(), skew=None))
    what = "The configuration has errors and was not taken over; the former configuration stays in force"
    refused = Notice(f"{what}.", ("config.toml:3: watch.channel: unknown", "config.toml:4: another"))
    write(running, lambda c: notices.say(c, "configuration error", refused, datetime.now(UTC)))
    reason = f"degraded (configuration): {what}: config.toml:3: watch.channel: unknown\n"
    assert vedette("health") == (0, reason, "")
    mended = Notice("The configuration can be read again; nothing has changed in it.")
    write(running, lambda c: notices.mend(c, "configuration error", mended, datetime.now(UTC)))
    assert vedette("health").out == "healthy\n"


@pytest.mark.usefixtures("folder")
def test_a_broken_configuration_is_told_as_everywhere(vedette: Vedette, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[watch]\nchannel = 1\n", "utf-8")
    ran = vedette("health")
    assert (ran.code, ran.out) == (2, "")
    assert "config.toml" in ran.err


def test_every_key_is_documented() -> None:
    page = (ROOT / "docs" / "running.md").read_text("utf-8")
    assert [key for key in (*KEYS, "code", "severity", "what") if f"`{key}`" not in page] == []


def test_as_a_process_it_takes_little_and_loads_no_client(running: Path) -> None:
    """What it costs is what it loads; 0.4 s is for a machine that does nothing else, so time of a core is measured."""
    write(running, lambda c: put(c, *range(-1001000000500, -1001000000000)))
    in_force(running)
    alive(running, replace(well(), skew=None))
    before = os.times()
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "bot", "health"],
        cwd=running.parent,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    after = os.times()
    assert (ran.returncode, ran.stdout) == (0, "healthy\n")
    loaded = {line.rpartition("|")[2].strip() for line in ran.stderr.splitlines()}
    assert not {"telethon", "pymorphy3", "structlog", "apscheduler", "ijson", "bot.app"} & loaded
    # Nor what reads command lines and configurations, beside a service that has this very file in force.
    assert not {"typer", "pydantic", "rich", "bot.cli.main", "bot.config.settings", "bot.query.lexicon"} & loaded
    used = after.children_user + after.children_system - before.children_user - before.children_system
    assert used < 0.7
