"""``vedette grep``: exit codes, JSON, highlighting, and what a person reads."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli.main import OPTIONS
from tests.cli.conftest import DEMO, ROOT, Vedette


def recording(path: Path, *posts: dict[str, object]) -> str:
    path.write_text("".join(json.dumps(post, ensure_ascii=False) + "\n" for post in posts), "utf-8")
    return str(path)


def post(number: int, text: str, **more: object) -> dict[str, object]:
    minute = f"2024-12-08T{number // 60:02}:{number % 60:02}:00+00:00"
    return {"channel": "invented_demo", "id": number, "date": minute, "text": text, **more}


def test_it_finds_every_form_and_says_how_many_posts_match(vedette: Vedette) -> None:
    ran = vedette("grep", "Хмеймим NEAR/6 Тартус", *DEMO)
    assert ran.code == 0
    assert "о Хмеймиме и Тартусе" in ran.out
    assert "4 of 164 posts match" in ran.err


def test_nothing_found_is_done_and_not_an_error(vedette: Vedette) -> None:
    ran = vedette("grep", "несуществующееслово", *DEMO)
    assert (ran.code, ran.out) == (0, "")


def test_count_prints_a_number_and_nothing_else(vedette: Vedette) -> None:
    assert vedette("grep", "--count", "Асад", *DEMO).out.strip().isdigit()


def test_json_has_the_match_objects_fields_and_hits_that_are_slices(vedette: Vedette, tmp_path: Path) -> None:
    entities = [{"type": "text_url", "offset": 0, "length": 2, "url": "https://example.org/siriya"}]
    file = recording(tmp_path / "r.jsonl", post(7, "⚡️Сирия: бои", entities=entities))
    [line] = vedette("grep", "--json", "Сирия | link:example.org", file).out.splitlines()
    found = json.loads(line)
    assert {key: found[key] for key in ("channel", "id", "date", "keywords", "hits")} == {
        "channel": "invented_demo",
        "id": 7,
        "date": "2024-12-08T00:07:00+00:00",
        "keywords": ["Сирия | link:example.org"],
        "hits": [
            {"in": "text", "start": 2, "end": 7, "text": "Сирия"},
            {"in": "link", "start": 0, "end": 26, "text": "https://example.org/siriya"},
        ],
    }


def test_hits_are_highlighted_when_asked(vedette: Vedette, tmp_path: Path) -> None:
    file = recording(tmp_path / "r.jsonl", post(1, "бои в Сирии"))
    assert "\x1b[1;33mСирии\x1b[0m" in vedette("grep", "--colour", "always", "Сирия", file).out


def test_a_pipe_gets_plain_text(vedette: Vedette) -> None:
    assert "\x1b" not in vedette("grep", "Сирия", *DEMO).out


def test_a_query_may_begin_with_not(vedette: Vedette, tmp_path: Path) -> None:
    file = recording(tmp_path / "r.jsonl", post(1, "Погода в Сирии"), post(2, "Сирия сегодня"))
    ran = vedette("grep", "-погода Сирия", file)
    assert "Сирия сегодня" in ran.out
    assert "Погода" not in ran.out


@pytest.mark.parametrize(("query", "column"), [("Сирия (Асад", 6), ("Сирия & Асад", 6), ("-погода", 0)])
def test_a_bad_query_ends_in_2_with_a_caret_under_the_place(query: str, column: int, vedette: Vedette) -> None:
    ran = vedette("grep", query, *DEMO)
    assert ran.code == 2
    shown, caret = ran.err.splitlines()[1:3]
    assert shown == f"  {query}"
    assert caret.index("^") == column + 2


def test_a_bad_line_is_reported_where_it_stands_skipped_and_counted(vedette: Vedette) -> None:
    ran = vedette("grep", "--count", "Сирия", str(ROOT / "tests" / "recordings" / "bad.jsonl"))
    assert ran.code == 1
    assert "bad.jsonl:2: " in ran.err
    assert "12 lines were skipped" in ran.err
    assert "Traceback" not in ran.err


def test_a_line_out_of_order_is_a_warning_and_no_failure(vedette: Vedette) -> None:
    ran = vedette("grep", "Сирия", str(ROOT / "tests" / "recordings" / "out_of_order.jsonl"))
    assert ran.code == 0
    assert "out of order" in ran.err


@pytest.mark.parametrize("name", ["absent.jsonl", "."])
def test_a_file_that_cannot_be_read_is_wrong_usage(name: str, vedette: Vedette, tmp_path: Path) -> None:
    ran = vedette("grep", "Сирия", str(tmp_path / name))
    assert ran.code == 2
    assert str(tmp_path) in ran.err
    assert "Traceback" not in ran.err


def test_no_arguments_are_wrong_usage(vedette: Vedette) -> None:
    assert vedette("grep").code == 2


def test_a_gzipped_recording_is_read_as_it_is(vedette: Vedette, tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(post(1, "в Сирии")).encode()))
    assert "1 of 1 posts match" in vedette("grep", "Сирия", str(path)).err


def test_a_desktop_export_is_read(vedette: Vedette) -> None:
    ran = vedette("grep", "Сирия", str(ROOT / "tests" / "recordings" / "zastava_export" / "result.json"))
    assert ran.code == 0
    assert "дежурка" in ran.out


def test_an_edit_that_brings_the_word_is_shown_once_and_marked(vedette: Vedette, tmp_path: Path) -> None:
    edited = post(1, "Порт Тартуса", edit_date="2024-12-08T03:00:00+00:00")
    again = post(1, "Порт Тартуса!", edit_date="2024-12-08T04:00:00+00:00")
    file = recording(tmp_path / "r.jsonl", post(1, "Порт"), post(2, "x"), edited, again)
    ran = vedette("grep", "Тартус", file)
    assert ran.out.count("Тартуса") == 1
    assert "edited" in ran.out


def test_a_footer_is_no_hit_not_even_under_the_first_posts(vedette: Vedette, tmp_path: Path) -> None:
    footer = "Сирия и мир — подписаться"
    posts = [post(n, f"Новость номер {n}\n\n{footer}") for n in range(1, 9)]
    file = recording(tmp_path / "r.jsonl", *posts, post(20, f"Бои в Сирии\n{footer}"))
    ran = vedette("grep", "--json", "Сирия", file)
    [found] = map(json.loads, ran.out.splitlines())
    assert [hit["text"] for hit in found["hits"]] == ["Сирии"]


def test_a_hostile_post_cannot_steer_the_terminal(vedette: Vedette, tmp_path: Path) -> None:
    file = recording(tmp_path / "r.jsonl", post(1, "Сирия \x1b[2J\u202e\x07 конец"))
    assert not {"\x1b", "\u202e", "\x07"} & set(vedette("grep", "Сирия", file).out)


def test_a_long_line_is_cut_around_its_hits(vedette: Vedette, tmp_path: Path) -> None:
    file = recording(tmp_path / "r.jsonl", post(1, "слово " * 300 + "в Сирии " + "дело " * 300))
    shown = next(line for line in vedette("grep", "Сирия", file).out.splitlines() if "Сирии" in line)
    assert len(shown) < 300
    assert shown.strip().startswith("… ")
    assert shown.endswith(" …")


def test_what_is_unwise_is_noted_on_standard_error(vedette: Vedette) -> None:
    ran = vedette("grep", "--count", "Сирия или Асад", *DEMO)
    assert "«или» is a word to be found here" in ran.err


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a line of bash in which V is the program and D the demo's recordings."""
    line = line.replace("V ", f"{sys.executable} -m bot ").replace("D ", " ".join(DEMO) + " ")
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, **environment},
    )


def test_a_closed_pipe_ends_in_peace() -> None:
    done = shell("V grep --json 'Сирия | а | в | и' D | head -1")
    assert done.returncode == 0
    assert done.stdout.count("\n") == 1
    assert done.stderr.count("Traceback") == done.stderr.count("Error") == 0


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("V grep Сирия D >/dev/full", 1, "the output cannot be written"),
        ("V explain Сирия >/dev/full", 1, "the output cannot be written"),
        ("V --help >/dev/full", 1, "the output cannot be written"),
        ("V grep --count Сирия D >&-", 0, ""),
        ("V explain Сирия >&- 2>&-", 0, ""),
        ("V explain --json $'Сир\\xffия'", 0, ""),
        ("V grep Сирия $'\\x1b[31mabsent.jsonl'", 2, "does not exist"),
    ],
)
def test_no_state_of_the_streams_makes_a_traceback(line: str, code: int, said: str) -> None:
    done = shell(line)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr


def test_a_terminal_that_knows_no_cyrillic_gets_json_that_is_json() -> None:
    done = shell("V grep --json Хмеймим D ", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "Хмеймим" in json.loads(done.stdout.splitlines()[0])["text"]


def test_a_terminal_that_knows_no_cyrillic_gets_no_traceback() -> None:
    done = shell("V grep Хмеймим D ", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert "posts match" in done.stderr


@pytest.mark.parametrize("arguments", [("--cuont", "Сирия", DEMO[0]), ("Сирия", DEMO[0], "--cuont")])
def test_a_misspelt_option_is_no_query_and_no_file(arguments: tuple[str, ...], vedette: Vedette) -> None:
    ran = vedette("grep", *arguments)
    assert ran.code == 2
    assert "no option --cuont; did you mean --count?" in ran.err


def test_every_long_option_is_known(vedette: Vedette) -> None:
    for command in ("grep", "explain"):
        for option in re.findall(r"--[a-z-]+", vedette(command, "--help").out.split("Operators:")[0]):
            assert option in {*OPTIONS, "--help"}


def test_not_may_stand_before_a_latin_word(vedette: Vedette, tmp_path: Path) -> None:
    file = recording(tmp_path / "r.jsonl", post(1, "Hamas in Syria"), post(2, "Syria today"))
    assert "1 of 2 posts match" in vedette("grep", "-hamas Syria", file).err


def test_a_title_cannot_forge_a_second_post(vedette: Vedette, tmp_path: Path) -> None:
    forged = post(1, "Сирия", url="http://x\ny") | {"channel": {"id": 12345, "title": "A\n@fake · 1 Jan"}}
    file = recording(tmp_path / "r.jsonl", forged)
    assert vedette("grep", "Сирия", file).out.splitlines()[0].startswith("A @fake")


def test_the_program_can_be_run_as_a_module_and_as_a_command() -> None:
    for program in ([sys.executable, "-m", "bot"], [str(Path(sys.executable).parent / "vedette")]):
        done = subprocess.run([*program, "--help"], capture_output=True, text=True, check=True, cwd=ROOT)
        assert "grep" in done.stdout
