"""``vedette replay``: its lines of JSON to the letter, what a person reads, and what it refuses."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli.main import OPTIONS
from tests.cli.conftest import DEMO, ROOT, Vedette

CONFIG = """\
timezone = "{zone}"
[watch]
channels = ["@alfa_demo", {{ channel = "@beta_demo", label = "Beta, our man", topics = ["syria"] }}]
[digest]
chat = "@desk_demo"
at = ["20:00"]
[alerts]
max_per_minute = 2
[topics.syria]
title = "Syria"
keywords = ["Сирия", "link:example.org"]
deliver = "alert"
[topics.flag]
title = "Flags"
keywords = ["флаг"]
[topics.bases]
title = "Bases"
keywords = ["Хмеймим"]
deliver = "urgent"
channels = ["@alfa_demo"]
"""
FLAG = "Над посольством Сирии в Москве поднят новый флаг, здание работает в обычном режиме, сообщил источник"


def post(number: int, text: str, when: str = "12:00", channel: str = "alfa_demo", **more: object) -> dict[str, object]:
    return {"channel": channel, "id": number, "date": moment(when), "text": text, **more}


def moment(when: str) -> str:
    day, _, clock = when.rpartition(" ")
    return f"{day or '2024-12-08'}T{clock}:00+00:00"


def recording(path: Path, *posts: dict[str, object]) -> str:
    path.write_text("".join(json.dumps(post) + "\n" for post in posts), "utf-8")
    return str(path)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a configuration."""
    monkeypatch.delenv("VEDETTE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_text(CONFIG.format(zone="UTC"), "utf-8")
    return tmp_path


def matches(ran_out: str) -> list[str]:
    found = [json.loads(line) for line in ran_out.splitlines()]
    return [f"{one['channel']}/{one['id']} {one['topic']} {one['decision']} {one['reason']}" for one in found]


# --- lines of JSON ----------------------------------------------------------------------------------------


def test_a_match_is_one_line_with_the_keys_of_the_match_object_in_their_order(home: Path, vedette: Vedette) -> None:
    entities = [{"type": "text_url", "offset": 0, "length": 2, "url": "https://example.org/siriya"}]
    file = recording(home / "r.jsonl", post(7, "⚡️Сирия: бои", "15:00", entities=entities))
    ran = vedette("replay", "--format", "jsonl", file)
    assert ran.code == 0
    assert ran.out == (
        '{"channel": "alfa_demo", "id": 7, "date": "2024-12-08T15:00:00+00:00", "topic": "syria", '
        '"keywords": ["Сирия", "link:example.org"], '
        '"hits": [{"in": "text", "start": 2, "end": 7, "text": "Сирия"}, '
        '{"in": "link", "start": 0, "end": 26, "text": "https://example.org/siriya"}], '
        '"decision": "alert", "reason": "new"}\n'
    )
    assert ran.err == "1 post read\n"


def test_a_channel_without_a_name_goes_by_what_the_recording_calls_it_or_by_its_id(
    home: Path, vedette: Vedette
) -> None:
    file = recording(
        home / "r.jsonl",
        post(1, "Сирия раз") | {"channel": {"id": -1001234567890, "title": "Закрытый"}},
        post(2, "Сирия два") | {"channel": "Наш архив"},
    )
    ran = vedette("replay", "--format", "jsonl", file)
    assert [json.loads(line)["channel"] for line in ran.out.splitlines()] == ["-1001234567890", "Наш архив"]


def test_every_decision_and_reason_that_a_replay_can_come_to(home: Path, vedette: Vedette) -> None:
    config = CONFIG.format(zone="UTC").replace("[alerts]", '[alerts]\nquiet_hours = "22:00-06:00"')
    (home / "config.toml").write_text(config, "utf-8")
    file = recording(
        home / "r.jsonl",
        post(1, FLAG),
        post(5, FLAG + " Вот так.", "12:01", "beta_demo"),
        post(2, "Сирия: первое", "13:00"),
        post(3, "Сирия: второе", "13:00"),
        post(4, "Сирия: третье", "13:00"),
        post(5, "Хмеймим: тихо", "14:00"),
        post(6, "Пока неизвестно", "15:00"),
        post(6, "В Сирии тихо", "15:00", edit_date=moment("15:05")),
        post(7, "Ночью в Сирии", "23:00"),
    )
    assert matches(vedette("replay", "--format", "jsonl", file).out) == [
        "alfa_demo/1 syria alert new",
        "alfa_demo/1 flag hold digest",
        "beta_demo/5 syria drop folded",
        "alfa_demo/2 syria alert new",
        "alfa_demo/3 syria alert new",
        "alfa_demo/4 syria hold burst",
        "alfa_demo/5 bases alert urgent",
        "alfa_demo/6 syria alert edit",
        "alfa_demo/7 syria hold quiet",
    ]


def test_hits_are_slices_of_their_parts(home: Path, vedette: Vedette) -> None:
    config = CONFIG.format(zone="UTC").replace('"link:example.org"', '"link:example.org", "Дамаск"')
    (home / "config.toml").write_text(config, "utf-8")
    poll = {"kind": "poll", "text": "Чей Дамаск?\nНаш\nВаш"}
    media = {"kind": "document", "file_name": "о Дамаске.pdf", "title": "Карта Сирии"}
    file = recording(
        home / "r.jsonl",
        post(1, "\U0001f1f8\U0001f1fe Сири\u0301я: Дамаск", media=poll),
        post(2, "Смотрите", "13:00", media=media),
        post(3, "Сирия — на снимке", "14:00", grouped_id=5),
        post(4, "и Дамаск", "14:00", grouped_id=5),
    )
    parts = {
        1: {"text": "\U0001f1f8\U0001f1fe Сири\u0301я: Дамаск", "poll": poll["text"]},
        2: {"text": "Смотрите", "file": media["file_name"], "media": media["title"]},
        3: {"text": "Сирия — на снимке\nи Дамаск"},
    }
    found = [json.loads(line) for line in vedette("replay", "--format", "jsonl", file).out.splitlines()]
    hits = {one["id"]: [(hit["in"], hit["text"]) for hit in one["hits"]] for one in found}
    assert hits == {
        1: [("text", "Сири\u0301я"), ("text", "Дамаск"), ("poll", "Дамаск")],
        2: [("file", "Дамаске"), ("media", "Сирии")],
        3: [("text", "Сирия"), ("text", "Дамаск")],
    }
    for one in found:
        for hit in one["hits"]:
            assert parts[one["id"]][hit["in"]][hit["start"] : hit["end"]] == hit["text"]


def test_topics_are_asked_of_their_channels(home: Path, vedette: Vedette) -> None:
    text = "Сирия, флаг и Хмеймим"
    file = recording(
        home / "r.jsonl",
        post(1, text),
        post(1, text + "?", "13:30", "Beta_demo"),
        post(1, text + ".", "15:00", "gamma_demo"),
    )
    assert matches(vedette("replay", "--format", "jsonl", file).out) == [
        "alfa_demo/1 syria alert new",
        "alfa_demo/1 flag hold digest",
        "alfa_demo/1 bases alert urgent",
        "Beta_demo/1 syria alert new",
        "gamma_demo/1 syria alert new",
        "gamma_demo/1 flag hold digest",
    ]


# --- what a person reads ----------------------------------------------------------------------------------


def test_an_alert_an_edit_of_it_and_the_digest_are_shown_with_their_times(home: Path, vedette: Vedette) -> None:
    (home / "config.toml").write_text(CONFIG.format(zone="Europe/Moscow"), "utf-8")
    file = recording(home / "r.jsonl", post(1, FLAG), post(9, FLAG + "!", "12:05", "beta_demo"))
    alert, edit, digest = vedette("replay", file).out.split("──── 8 Dec 2024, ")[1:]
    assert alert == (
        "15:00 · alert to @desk_demo ────\n"
        "Syria, Flags\n"
        "@\u2060alfa_demo · 8 Dec 2024, 15:00\n\n"
        f"{FLAG}\n\n"
        "t.me/alfa_demo/1\n\n"
    )
    assert edit == "15:05 · edit: the alert to @desk_demo about t.me/alfa_demo/1: also in Beta, our man ────\n\n"
    assert digest.startswith("20:00 · digest to @desk_demo ────\n")
    assert "Also in: Beta, our man (https://t.me/beta_demo/9) 15:05" in digest
    assert "Europe/Moscow" in digest


def test_an_alert_whose_post_changes_is_shown_anew(home: Path, vedette: Vedette) -> None:
    edited = post(1, "В Сирии громко", edit_date=moment("12:30"))
    file = recording(home / "r.jsonl", post(1, "В Сирии тихо"), edited, edited | {"deleted": moment("13:00")})
    _, _, change, end, _ = vedette("replay", file).out.split("──── 8 Dec 2024, ")
    assert change.startswith("12:30 · edit: the alert to @desk_demo ────\nSyria · edited\n")
    assert "В Сирии громко" in change
    assert end.startswith("13:00 · ")
    assert "\nSyria · edited · deleted\n" in end


def test_alerts_that_are_too_many_are_shown_in_one_message(home: Path, vedette: Vedette) -> None:
    file = recording(
        home / "r.jsonl", *(post(n, f"Сирия: {word}") for n, word in enumerate("один два три сто".split()))
    )
    out = vedette("replay", file).out
    assert out.count("· alert to @desk_demo") == 2
    assert "12:01 · alerts in one message to @desk_demo ────\n2 more alerts within a minute\n" in out


def test_nothing_found_is_done_and_says_nothing(home: Path, vedette: Vedette) -> None:
    (home / "config.toml").write_text(CONFIG.format(zone="UTC").replace("[alerts]", "empty = false\n[alerts]"), "utf-8")
    for posts in ([], [post(1, "Погода")]):
        file = recording(home / "r.jsonl", *posts)
        for form in ("text", "jsonl"):
            assert vedette("replay", "--format", form, file) == (0, "", f"{len(posts)} post{'s' * (not posts)} read\n")


def test_an_empty_period_is_told_by_default(home: Path, vedette: Vedette) -> None:
    assert "digest to @desk_demo" in vedette("replay", recording(home / "r.jsonl", post(1, "Погода"))).out


def test_colours_come_when_asked_for_and_steer_nothing_else(home: Path, vedette: Vedette) -> None:
    file = recording(home / "r.jsonl", post(1, "Сирия \x1b[2J\u202e конец"))
    painted = vedette("replay", "--colour", "always", file).out
    assert "\x1b[1;33mСирия\x1b[0m" in painted
    assert not {"\x1b", "\u202e"} & set(vedette("replay", file).out)
    assert set(re.findall("\x1b\\[[^m]*m", painted)) == {"\x1b[0m", "\x1b[2m", "\x1b[1;33m", "\x1b[1;36m"}
    assert painted.count("\x1b") == len(re.findall("\x1b\\[[^m]*m", painted))


# --- where it goes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "jsonl"])
def test_a_file_gets_the_very_bytes_of_standard_output(
    form: str, home: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    file = recording(home / "r.jsonl", post(1, FLAG + " \ud83d"), post(2, FLAG, "13:00", "beta_demo"))
    command = [sys.executable, "-m", "bot", "replay", "--format", form, file]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "VEDETTE_CONFIG": str(home / "config.toml")})
    printed = capfdbinary.readouterr().out
    out = home / "out"
    environment = {**os.environ, "VEDETTE_CONFIG": str(home / "config.toml"), "PYTHONIOENCODING": "ascii"}
    subprocess.run([*command, "--out", str(out)], check=True, cwd=ROOT, env=environment)
    assert capfdbinary.readouterr().out == b""
    assert out.read_bytes() == printed
    assert "Сири" in printed.decode()


def test_a_file_that_cannot_be_written_is_wrong_usage(home: Path, vedette: Vedette) -> None:
    file = recording(home / "r.jsonl", post(1, FLAG))
    for out in (home, home / "absent" / "out"):
        ran = vedette("replay", "--out", str(out), file)
        assert (ran.code, ran.out) == (2, "")
        assert f"{out} cannot be written: " in ran.err
        assert "--out" in ran.err


def test_what_is_read_is_never_overwritten(home: Path, vedette: Vedette) -> None:
    file = recording(home / "r.jsonl", post(1, FLAG))
    (home / "link").symlink_to(file)
    (home / "twin").hardlink_to(file)
    before = Path(file).read_bytes()
    for out in (file, "link", "twin", "config.toml"):
        ran = vedette("replay", "--out", out, str(home / "config.toml"), "r.jsonl")
        assert (ran.code, ran.out) == (2, "")
        assert f"--out {out} would overwrite " in ran.err
    assert Path(file).read_bytes() == before
    assert (home / "config.toml").read_text("utf-8") == CONFIG.format(zone="UTC")


def test_a_file_of_before_is_replaced(home: Path, vedette: Vedette) -> None:
    (home / "out").write_text("x" * 100_000)
    file = recording(home / "r.jsonl", post(1, "Сирия"))
    assert vedette("replay", "--format", "jsonl", "--out", "out", file).code == 0
    assert matches((home / "out").read_text("utf-8")) == ["alfa_demo/1 syria alert new"]


def test_wrong_usage_leaves_a_file_of_before_alone(home: Path, vedette: Vedette) -> None:
    (home / "out").write_text("mine")
    file = recording(home / "r.jsonl", post(1, "Сирия"))
    for wrong in (
        ["--since", "x"],
        ["--format", "x"],
        ["--colour", "x"],
        ["absent.jsonl"],
        ["--config", "absent.toml"],
    ):
        assert vedette("replay", "--out", "out", *wrong, file).code == 2
    assert (home / "out").read_text() == "mine"


def test_a_closed_pipe_ends_in_peace() -> None:
    line = f"{sys.executable} -m bot replay --config bot/demo/config.toml --format jsonl {' '.join(DEMO)} | head -1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    assert "Traceback" not in done.stderr
    assert "Error" not in done.stderr


# --- of which time ----------------------------------------------------------------------------------------


def spanned(vedette: Vedette, file: str, *span: str) -> list[int]:
    ran = vedette("replay", "--format", "jsonl", *span, file)
    assert ran.code == 0
    return [json.loads(line)["id"] for line in ran.out.splitlines()]


def test_since_is_inclusive_and_until_is_not_in_the_configured_zone(home: Path, vedette: Vedette) -> None:
    (home / "config.toml").write_text(CONFIG.format(zone="Europe/Moscow"), "utf-8")
    whens = ("2024-12-07 20:59", "2024-12-07 21:00", "11:59", "12:00", "20:59", "21:00")
    file = recording(home / "r.jsonl", *(post(n, f"Сирия номер {n}", when) for n, when in enumerate(whens)))
    assert spanned(vedette, file, "--since", "2024-12-08", "--until", "2024-12-09") == [1, 2, 3, 4]
    assert spanned(vedette, file, "--since", "2024-12-08T15:00") == [3, 4, 5]
    assert spanned(vedette, file, "--until", "2024-12-08T15:00") == [0, 1, 2]
    assert spanned(vedette, file, "--since", "2024-12-08T12:00Z", "--until", "2024-12-08T20:59+00:00") == [3]
    assert spanned(vedette, file, "--since", "2024-12-09T12:00") == []


@pytest.mark.parametrize(
    ("day", "since", "until", "found"),
    [
        ("2025-03-30", "2025-03-30T00:30", "2025-03-30T02:30", ["00:30", "01:00"]),
        ("2025-03-30", "2025-03-30", "2025-03-30T02:00", ["00:00", "00:30"]),
        ("2025-10-26", "2025-10-26T01:00", "2025-10-26T01:30", ["00:00"]),
        ("2025-10-26", "2025-10-26T00:30", "2025-10-26T02:00", ["00:00", "00:30", "01:00", "01:30"]),
        ("2025-10-26", "2025-10-26T01:00+00:00", "2025-10-26T02:00", ["01:00", "01:30"]),
    ],
)
def test_a_span_across_a_change_of_the_clocks(  # noqa: PLR0913, PLR0917 - a row of a table
    day: str, since: str, until: str, found: list[str], home: Path, vedette: Vedette
) -> None:
    """In London 01:00 UTC becomes 02:00 BST in March; in October 01:00 BST comes an hour before 01:00 UTC."""
    (home / "config.toml").write_text(CONFIG.format(zone="Europe/London"), "utf-8")
    whens = ["00:00", "00:30", "01:00", "01:30", "02:00"]
    file = recording(home / "r.jsonl", *(post(n, f"Сирия номер {n}", f"{day} {when}") for n, when in enumerate(whens)))
    assert [whens[n] for n in spanned(vedette, file, "--since", since, "--until", until)] == found


def test_the_first_digest_is_of_the_time_from_since_on(home: Path, vedette: Vedette) -> None:
    file = recording(home / "r.jsonl", post(1, "Сирия"))
    assert "08:15 – 20:00" in vedette("replay", "--since", "2024-12-08T08:15", file).out
    assert "12:00 – 20:00" in vedette("replay", file).out


def test_footers_are_learnt_from_outside_the_span_too(home: Path, vedette: Vedette) -> None:
    posts = [post(n, f"Новость номер {n}\n\nСирия и мир — подписаться", f"2024-12-07 1{n}:00") for n in range(5)]
    file = recording(home / "r.jsonl", *posts, post(9, "Погода\n\nСирия и мир — подписаться"))
    assert spanned(vedette, file, "--since", "2024-12-08") == []


@pytest.mark.parametrize("option", ["--since", "--until"])
@pytest.mark.parametrize(
    "date", ["yesterday", "", "2024-13-01", "08.12.2024", "2024-12-08T25:00", "0001-01-01T00:00+10"]
)
def test_a_bad_date_is_wrong_usage(option: str, date: str, home: Path, vedette: Vedette) -> None:
    ran = vedette("replay", option, date, recording(home / "r.jsonl", post(1, "Сирия")))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"vedette: {option} {date!r} is no date; write 2024-12-08, 2024-12-08T14:30 or 2024-12-08T14:30+03:00\n"
    )


def test_a_span_of_nothing_is_wrong_usage(home: Path, vedette: Vedette) -> None:
    file = recording(home / "r.jsonl", post(1, "Сирия"))
    ran = vedette("replay", "--since", "2024-12-08", "--until", "2024-12-08", file)
    assert ran.code == 2
    assert "--since 2024-12-08 is not before --until 2024-12-08" in ran.err


# --- what it takes and refuses ----------------------------------------------------------------------------


@pytest.mark.parametrize(("form", "said"), [("html", "comes later"), ("xml", "is unknown"), ("", "is unknown")])
def test_other_forms_are_wrong_usage(form: str, said: str, home: Path, vedette: Vedette) -> None:
    ran = vedette("replay", "--format", form, recording(home / "r.jsonl", post(1, "Сирия")))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"vedette: --format {form} {said}; give text or jsonl\n"


def test_a_missing_configuration_is_told_in_a_sentence(home: Path, vedette: Vedette) -> None:
    (home / "config.toml").unlink()
    ran = vedette("replay", *DEMO)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("config.toml:1: file: there is no such file; ")
    assert "Traceback" not in ran.err


def test_all_errors_of_a_configuration_are_told(home: Path, vedette: Vedette) -> None:
    broken = CONFIG.format(zone="Europe/Londno").replace('"флаг"', '"(флаг"').replace("max_per_minute", "max_a_minute")
    (home / "config.toml").write_text(broken, "utf-8")
    ran = vedette("replay", *DEMO)
    assert (ran.code, ran.out) == (2, "")
    assert re.findall(r"(?m)^config\.toml:(\d+): ([\w.\[\]]+):", ran.err) == [
        ("1", "timezone"),
        ("8", "alerts.max_a_minute"),
        ("15", "topics.flag.keywords[0]"),
    ]
    assert "               ^\n" in ran.err
    assert ran.err.endswith("\n3 errors\n")


def test_the_environment_names_the_configuration_and_the_option_wins(
    home: Path, vedette: Vedette, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = recording(home / "r.jsonl", post(1, "Сирия"))
    (home / "config.toml").rename(home / "other.toml")
    monkeypatch.setenv("VEDETTE_CONFIG", str(home / "other.toml"))
    assert vedette("replay", file).code == 0
    monkeypatch.setenv("VEDETTE_CONFIG", str(home / "absent.toml"))
    assert vedette("replay", file).code == 2
    assert vedette("replay", "--config", "other.toml", file).code == 0


def test_bad_lines_are_reported_where_they_stand_skipped_and_counted(home: Path, vedette: Vedette) -> None:
    file = recording(home / "r.jsonl", post(1, "Сирия раз"), {"id": "x"}, post(2, "Сирия два", "13:00"), {})
    ran = vedette("replay", "--format", "jsonl", file)
    assert ran.code == 1
    assert matches(ran.out) == ["alfa_demo/1 syria alert new", "alfa_demo/2 syria alert new"]
    first, second, posts, last = ran.err.splitlines()
    assert first.startswith(f"{file}:2: ")
    assert second.startswith(f"{file}:4: ")
    assert posts == "2 posts read"
    assert "2 lines were skipped" in last


def test_a_line_out_of_order_is_taken_with_a_warning(home: Path, vedette: Vedette) -> None:
    file = recording(home / "r.jsonl", post(1, "Сирия раз"), post(2, "Сирия два", "11:00"))
    ran = vedette("replay", "--format", "jsonl", file)
    assert (ran.code, len(ran.out.splitlines())) == (0, 2)
    assert f"{file}:2: out of order" in ran.err


def test_several_files_plain_or_gzip_are_merged_by_date(home: Path, vedette: Vedette) -> None:
    one = recording(home / "a.jsonl", post(1, "Сирия раз"), post(2, "Сирия два", "14:00"))
    two = home / "b.jsonl.gz"
    two.write_bytes(gzip.compress(json.dumps(post(1, "Сирия три", "13:00", "beta_demo")).encode()))
    ran = vedette("replay", "--format", "jsonl", one, str(two))
    assert [line.split()[0] for line in matches(ran.out)] == ["alfa_demo/1", "beta_demo/1", "alfa_demo/2"]
    assert vedette("replay", "--format", "jsonl", str(two), one).out == ran.out
    assert ran.err == "3 posts read\n"


def test_standard_input_is_read_where_a_dash_stands(
    home: Path, vedette: Vedette, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = io.TextIOWrapper(io.BytesIO(json.dumps(post(1, "Сирия")).encode()))
    monkeypatch.setattr(sys, "stdin", held)
    assert home == Path.cwd()
    assert matches(vedette("replay", "--format", "jsonl", "-").out) == ["alfa_demo/1 syria alert new"]


def test_no_file_and_one_that_cannot_be_read_are_wrong_usage(home: Path, vedette: Vedette) -> None:
    assert vedette("replay").code == 2
    for path in (home / "absent.jsonl", home):
        ran = vedette("replay", str(path))
        assert (ran.code, ran.out, str(path) in ran.err) == (2, "", True)


def test_every_long_option_is_known(vedette: Vedette) -> None:
    for option in re.findall(r"--[a-z-]+", vedette("replay", "--help").out):
        assert option in {*OPTIONS, "--help"}


# --- the same everywhere ----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "jsonl"])
def test_the_same_bytes_come_of_any_process(form: str, tmp_path: Path) -> None:
    """Whatever the hash seed, the locale, the machine's zone and the working directory."""
    command = [sys.executable, "-m", "bot", "replay", "--format", form, *DEMO]
    surroundings = [
        {"PYTHONHASHSEED": "1", "LC_ALL": "C", "LANG": "C", "TZ": "Asia/Kathmandu", "PYTHONUTF8": "0"},
        {"PYTHONHASHSEED": "2", "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "TZ": "America/St_Johns", "COLUMNS": "20"},
    ]
    printed = [
        subprocess.run(
            command,
            capture_output=True,
            check=True,
            cwd=cwd,
            env={**os.environ, **one, "PYTHONPATH": str(ROOT), "VEDETTE_CONFIG": str(ROOT / "bot/demo/config.toml")},
        ).stdout
        for one, cwd in zip(surroundings, (tmp_path, ROOT), strict=True)
    ]
    assert printed[0] == printed[1]
    assert len(printed[0]) > 10_000
