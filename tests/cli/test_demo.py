"""``vedette demo``: what somebody sees who has installed Vedette a minute ago, and has nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli.config import rules_from
from tests.cli.conftest import DEMO, ROOT, Vedette

HEADING = re.compile(r"(?m)^──── (8 Dec 2024, \d\d:\d\d · .+) ────$")


@pytest.fixture(scope="module")
def shown() -> str:
    """What the demo prints to a pipe."""
    return run().decode()


def run(*arguments: str, cwd: Path = ROOT, **environment: str) -> bytes:
    command = [sys.executable, "-m", "bot", "demo", *arguments]
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run(command, capture_output=True, check=True, cwd=cwd, env=surroundings)
    assert done.stderr == b""
    return done.stdout


def headings(shown: str) -> list[str]:
    return [found[1].split(" · ", 1)[1] for found in HEADING.finditer(shown)]


def message(shown: str, begins: str) -> str:
    """The first message whose text begins so, without its heading."""
    return next(one for one in (part.lstrip() for part in HEADING.split(shown)) if one.startswith(begins))


def test_an_urgent_alert_comes_at_night_with_its_topics_channel_time_and_link(shown: str) -> None:
    first = message(shown, "🚨 Urgent")
    assert shown.index("01:47 · alert to @newsroom_demo") < shown.index(first)
    assert first.startswith("🚨 Urgent · Assad's fate, Syria\nSeventh Outpost · 8 Dec 2024, 01:47\n\n⚡️⚡️Асад покинул")
    assert first.endswith("\n\nt.me/sedmaya_zastava_demo/41803\n\n")


def test_reposts_edit_the_alert_to_say_where_else_it_ran(shown: str) -> None:
    about = "edit: the alert to @newsroom_demo about t.me/sedmaya_zastava_demo/41803: also in"
    assert [one for one in headings(shown) if one.startswith(about)] == [
        f"{about} No Pause",
        f"{about} Polar Telegraph",
        f"{about} Euphrates Summary",
    ]


def test_an_edit_and_a_deletion_of_alerted_posts_are_told(shown: str) -> None:
    edit = message(shown, "🚨 Urgent · Assad's fate, Syria · edited")
    assert "Correction: near Latakia, not Tartus as first posted." in edit
    assert "Наши уходят!!!" in message(shown, "Russian bases · deleted")
    assert headings(shown).count("edit: the alert to @newsroom_demo") >= 2


def test_what_came_in_quiet_hours_is_one_message_at_their_end(shown: str) -> None:
    assert "07:00 · alerts in one message to @newsroom_demo ────\nWhile it was quiet: 2 stories\n" in shown
    waited = message(shown, "While it was quiet: ")
    assert [line for line in waited.splitlines() if line == "Russian bases"] == ["Russian bases"] * 2
    night = [one[:5] for one in re.findall(r"8 Dec 2024, (\d\d:\d\d · alert) to", shown) if one < "07:00"]
    assert night
    for urgent in night:
        assert f"{urgent} · alert to @newsroom_demo ────\n🚨 Urgent" in shown


def test_the_digest_comes_last_with_counts_and_bars(shown: str) -> None:
    parts = [one for one in headings(shown) if one.startswith("digest")]
    assert headings(shown)[-len(parts) :] == parts
    digest = shown[shown.index("Digest: 8 Dec 2024, 00:00 – 20:00\n") :]
    assert digest.splitlines()[1].startswith("Europe/London · ")
    for title in ("Assad's fate", "Russian bases", "Syria"):
        assert re.search(rf"(?m)^{title}: \d+ posts, \d+ stories\n[▁▂▃▄▅▆▇█]{{12}}$", digest)
    assert "Also in: No Pause (https://t.me/bez_pauzy_demo/73327) 01:55" in digest
    assert "\n12 channels read\n" in digest


def test_it_tells_why_what_it_tells_first_and_where_to_go_on_last(shown: str) -> None:
    assert shown.startswith("8 December 2024, ")
    assert shown.index("twelve invented channels") < shown.index("────")
    assert shown.endswith("see what `vedette check` says of it.\n")
    assert (ROOT / "bot/demo/config.toml").is_file()
    assert (ROOT / "config.example.toml").is_file()


def test_it_names_only_channels_of_the_demo(shown: str) -> None:
    posts = [json.loads(line) for path in DEMO for line in Path(path).read_text("utf-8").splitlines()]
    channels = [one["channel"] if isinstance(one["channel"], dict) else {"username": one["channel"]} for one in posts]
    names = {one["username"] for one in channels if "username" in one}
    private = {str(one["id"]).removeprefix("-100") for one in channels if "id" in one}
    links = re.findall(r"t\.me/(?:c/(\d+)|(\w+))/\d+", shown)
    assert len(links) > 30
    for number, name in links:
        assert number in private or name in names
    rules = rules_from(ROOT / "bot/demo/config.toml", {})
    labels = {rule.label for rule in rules.channels.values()} | {one.get("title") for one in channels}
    for _, who in re.findall(r"(?m)^(• )?(.+?) · (?:8 Dec 2024, )?\d\d:\d\d(?: · |$)", shown):
        assert who in labels


def test_a_pipe_gets_no_escape_codes_and_a_terminal_bold_hits_and_links(shown: str) -> None:
    assert "\x1b" not in shown
    painted = run("--colour", "always").decode()
    assert "\x1b[1;33mАсад\x1b[0m" in painted
    assert "\x1b[1;36m🚨 Urgent · Assad's fate, Syria\x1b[0m" in painted
    assert "No Pause\x1b[2m (https://t.me/bez_pauzy_demo/73327)\x1b[0m" in painted
    assert re.sub("\x1b\\[[0-9;]+m", "", painted) == shown


def test_it_needs_no_folder_no_configuration_and_no_environment(shown: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    broken = {
        "VEDETTE_CONFIG": str(tmp_path / "absent.toml"),
        "TELEGRAM_API_ID": "no number",
        "TELEGRAM_API_HASH": "short",
        "TELEGRAM_BOT_TOKEN_FILE": str(tmp_path / "absent"),
        "PYTHONHASHSEED": "7",
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "TZ": "Asia/Kathmandu",
    }
    assert run(cwd=tmp_path / "empty", **broken).decode() == shown
    assert list((tmp_path / "empty").iterdir()) == []
    (tmp_path / "config.toml").write_text("nonsense")
    assert run(cwd=tmp_path).decode() == shown


def test_another_argument_is_wrong_usage(vedette: Vedette) -> None:
    assert vedette("demo", "file.jsonl").code == 2
    assert vedette("demo", "--colour", "sometimes").code == 2
