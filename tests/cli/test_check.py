"""``vedette check``: what a person reads of a valid configuration, and all that is wrong with another."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli.file import config_path
from tests.cli.conftest import ROOT, Vedette

VALID = """\
timezone = "Europe/London"
[watch]
channels = ["@alfa_demo", { channel = "@bravo_demo", label = "Bravo", topics = ["syria"] }]
folder = "War bloggers"
[digest]
chat = "@desk_demo"
at = ["20:00", "08:00"]
[topics.syria]
title = "Syria"
keywords = ["Сирия"]
deliver = "alert"
[topics.assad]
keywords = ["Асад", "Assad"]
chat = "-1001234567890/12"
[telegram]
api_id = 1
api_hash = "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(VALID, "utf-8")
    return path


def test_a_valid_configuration_is_summed_up(config: Path, vedette: Vedette) -> None:
    ran = vedette("check", "--config", str(config))
    assert (ran.code, ran.err) == (0, "")
    *lines, digests = ran.out.splitlines()
    assert lines == [
        f"{config} is valid",
        "2 channels, and those of the folder War bloggers",
        "  @alfa_demo",
        "  @bravo_demo Bravo, for syria",
        "2 topics",
        "  Syria (syria): 1 keyword, alert to @desk_demo",
        "  assad: 2 keywords, digest to -1001234567890/12",
    ]
    assert digests.startswith("digests: 20:00, 08:00 (Europe/London), the next on ")
    assert digests.endswith((" at 08:00", " at 20:00"))


def test_what_looks_unwise_follows_and_is_no_error(config: Path, vedette: Vedette) -> None:
    config.write_text(VALID.replace('["Сирия"]', '["Сирия", "база"]').replace('["20:00", "08:00"]', "[]"), "utf-8")
    ran = vedette("check", "--config", str(config))
    assert ran.code == 0
    summary, *notes = ran.out.split("\nnote: ")
    assert summary.endswith("no digests")
    assert notes[0].startswith("topics.assad: it is told in digests, and digests are switched off; ")
    assert notes[1].startswith("topics.syria.keywords[1]: «база» alone stands in ")


def test_a_crontab_line_is_shown_as_it_is_written(config: Path, vedette: Vedette) -> None:
    config.write_text(VALID.replace('at = ["20:00", "08:00"]', 'cron = "30 6 * * *"'), "utf-8")
    last = vedette("check", "--config", str(config)).out.splitlines()[-1]
    assert last.startswith("digests: 30 6 * * * (Europe/London), the next on ")
    assert last.endswith(" at 06:30")


def test_absent_credentials_are_told(config: Path, vedette: Vedette) -> None:
    note = "note: telegram: run and login will need api_id and api_hash, from my.telegram.org\n"
    config.write_text(VALID.partition("[telegram]")[0], "utf-8")
    assert vedette("check", "--config", str(config)).out.endswith(note)
    config.write_text(VALID, "utf-8")
    assert note not in vedette("check", "--config", str(config)).out


def test_a_crontab_line_that_never_comes_is_told(config: Path, vedette: Vedette) -> None:
    config.write_text(VALID.replace('at = ["20:00", "08:00"]', 'cron = "0 8 31 2 *"'), "utf-8")
    ran = vedette("check", "--config", str(config))
    assert ran.code == 0
    assert ran.out.endswith("no digests\nnote: digest.cron: no day is ever like that, and digests never come\n")


def test_a_key_file_that_is_not_there_is_told(config: Path, vedette: Vedette) -> None:
    server = f'[telegram.server]\naddress = "127.0.0.1:4430"\npublic_key = "{config.parent}/server.pem"\n'
    config.write_text(VALID + server, "utf-8")
    note = f"note: telegram.server.public_key: there is no file {config.parent}/server.pem"
    assert note in vedette("check", "--config", str(config)).out
    (config.parent / "server.pem").touch()
    assert note not in vedette("check", "--config", str(config)).out


def test_all_errors_are_told_and_counted(config: Path, vedette: Vedette) -> None:
    config.write_text(VALID.replace('"Сирия"', '"(Сирия"').replace("[watch]", "[watch]\njoined = true"), "utf-8")
    ran = vedette("check", "--config", str(config))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"{config}:3: watch.joined: unknown key; did you mean join?\n"
        f"{config}:11: topics.syria.keywords[0]: this bracket is never closed; close it with )\n"
        '  keywords = ["(Сирия"]\n'
        "               ^\n"
        "2 errors\n"
    )


def test_an_absent_file_is_told(tmp_path: Path, vedette: Vedette) -> None:
    ran = vedette("check", "--config", str(tmp_path / "other.toml"))
    assert ran.code == 2
    assert ran.err.startswith(f"{tmp_path / 'other.toml'}:1: file: there is no such file; ")
    assert ran.err.endswith("\n1 error\n")


def test_a_hostile_file_does_not_steer_the_screen(config: Path, vedette: Vedette) -> None:
    config.write_text(VALID.replace('"Bravo"', '"\\u001b[2J\\u202eBravo\\n"'), "utf-8")
    shown = vedette("check", "--config", str(config)).out
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    config.write_text(VALID + '["\\u001b[2J\u202e"]\n', "utf-8")
    told = vedette("check", "--config", str(config)).err
    assert "\x1b" not in told
    assert "\u202e" not in told


def test_many_topics_are_counted(config: Path, vedette: Vedette) -> None:
    more = "".join(f'[topics.t{number}]\nkeywords = ["Слово{number}"]\n' for number in range(100))
    config.write_text(VALID + more, "utf-8")
    lines = vedette("check", "--config", str(config)).out.splitlines()
    assert "102 topics" in lines
    assert "  … and 52 more" in lines


def test_two_hundred_topics_are_summed_up(config: Path, vedette: Vedette) -> None:
    topics = "".join(
        f'[topics.t{number}]\ntitle = "Topic {number}"\nkeywords = ["слово{number}", "{number + 1000}"]\n'
        for number in range(200)
    )
    config.write_text(VALID.partition("[topics.syria]")[0].replace(', topics = ["syria"]', "") + topics, "utf-8")
    ran = vedette("check", "--config", str(config))
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert "200 topics" in lines
    assert "  Topic 49 (t49): 2 keywords, digest to @desk_demo" in lines
    assert "  Topic 50 (t50): 2 keywords, digest to @desk_demo" not in lines
    assert "  … and 150 more" in lines
    assert any(line.startswith("digests: ") for line in lines)
    assert len(lines) < 80


def test_what_is_said_of_many_keywords_is_said_once(config: Path, vedette: Vedette) -> None:
    config.write_text(VALID.replace('["Асад", "Assad"]', '["base", "Сирия или Асад", "Дамаск или Хомс"]'), "utf-8")
    notes = [line for line in vedette("check", "--config", str(config)).out.splitlines() if line.startswith("note: ")]
    assert [note for note in notes if "«или»" in note] == [
        next(
            note for note in notes if note.startswith("note: topics.assad.keywords[1] and 1 more: ") and "«или»" in note
        )
    ]


def test_the_same_file_is_told_the_same_in_any_process(config: Path, vedette: Vedette) -> None:
    """Whatever the hash seed; but for the next digest's moment, which the clock knows."""
    config.write_text(VALID.replace('["20:00", "08:00"]', "[]").replace("Сирия", "база"), "utf-8")
    printed = {
        subprocess.run(
            [sys.executable, "-m", "bot", "check", "--config", str(config)],
            capture_output=True,
            check=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale, "PYTHONIOENCODING": "utf-8"},
        ).stdout
        for seed, locale in (("1", "C"), ("2", "C.UTF-8"))
    }
    assert printed == {vedette("check", "--config", str(config)).out.encode()}


def test_the_example_is_accepted(vedette: Vedette) -> None:
    ran = vedette("check", "--config", str(ROOT / "config.example.toml"))
    assert (ran.code, ran.err) == (0, "")


# --- which file -------------------------------------------------------------------------------------------


def test_the_option_names_the_file_then_the_environment_then_the_folder() -> None:
    environment = {"VEDETTE_CONFIG": "/etc/vedette.toml"}
    assert config_path(Path("mine.toml"), environment) == Path("mine.toml")
    assert config_path(None, environment) == Path("/etc/vedette.toml")
    assert config_path(None, {"VEDETTE_CONFIG": ""}) == Path("config.toml")
    assert config_path(None, {}) == Path("config.toml")


def test_the_environment_is_asked(config: Path, vedette: Vedette, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEDETTE_CONFIG", str(config))
    assert vedette("check").out.startswith(f"{config} is valid")
    monkeypatch.delenv("VEDETTE_CONFIG")
    monkeypatch.chdir(config.parent)
    assert vedette("check").out.startswith("config.toml is valid")
