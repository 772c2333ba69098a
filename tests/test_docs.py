"""Docs cannot rot: their examples are run, and what they list is compared with what there is."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.config.load import load
from bot.errors import ConfigError, QueryError
from bot.model import Channel, Post, Reason
from bot.query import operators, terms
from bot.query.lexicon import Lexicon
from bot.query.matcher import Matcher, Topic
from bot.query.parser import parse

ROOT = Path(__file__).parent.parent
LANGUAGE = (ROOT / "docs" / "query-language.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")


class Example(NamedTuple):
    query: str
    found: list[str]
    passed_over: list[str]
    refused: list[str]


def examples() -> Iterator[Example]:
    for block in re.findall(r"```query\n(.*?)```", LANGUAGE, re.DOTALL):
        query, *lines = block.strip().split("\n")
        yield Example(query, *([line[2:] for line in lines if line.startswith(sign)] for sign in ("+ ", "- ", "! ")))


EXAMPLES = list(examples())


def matches(query: str, text: str, lexicon: Lexicon) -> bool:
    post = Post(channel=Channel(own="docs"), number=1, date=datetime(2024, 12, 8, tzinfo=UTC), text=text)
    return bool(Matcher([Topic(name="docs", keywords=(parse(query),))], lexicon).match(post))


@pytest.mark.parametrize(("query", "text"), [(e.query, text) for e in EXAMPLES for text in e.found])
def test_a_documented_query_finds_what_the_page_says(query: str, text: str, lexicon: Lexicon) -> None:
    assert matches(query, text, lexicon)


@pytest.mark.parametrize(("query", "text"), [(e.query, text) for e in EXAMPLES for text in e.passed_over])
def test_a_documented_query_passes_over_what_the_page_says(query: str, text: str, lexicon: Lexicon) -> None:
    assert not matches(query, text, lexicon)


@pytest.mark.parametrize(("query", "words"), [(e.query, words) for e in EXAMPLES for words in e.refused])
def test_a_documented_error_is_told_in_those_words(query: str, words: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(query)
    assert words in str(caught.value)


def test_every_example_says_something() -> None:
    assert len(EXAMPLES) > 25
    assert all(e.found or e.passed_over or e.refused for e in EXAMPLES)


@pytest.mark.parametrize("operator", operators.table(), ids=lambda o: type(o).__name__)
def test_every_operator_is_a_row_of_the_page(operator: operators.Operator) -> None:
    means = operator.means.replace("|", r"\|")
    assert f"| `{operator.sign}` | {means} |" in LANGUAGE


@pytest.mark.parametrize("name", terms.LATER)
def test_every_operator_that_comes_later_is_named(name: str) -> None:
    assert f"`{name}:`" in LANGUAGE


def commands_in(text: str) -> list[str]:
    """The vedette commands in the shell boxes of a page."""
    boxes = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    return [line[2:] for box in boxes for line in box.split("\n") if line.startswith("$ vedette ")]


@pytest.mark.parametrize("command", commands_in(README))
def test_a_command_in_the_readme_prints_what_the_readme_shows(command: str) -> None:
    box = next(box for box in re.findall(r"```console\n(.*?)```", README, re.DOTALL) if command in box)
    shown = box.split(command + "\n", 1)[1].split("$ ", 1)[0].strip("\n")
    program, *arguments = shlex.split(command)
    assert program == "vedette"
    files = [str(path) for a in arguments for path in (sorted(ROOT.glob(a)) if "*" in a and "/" in a else [a])]
    done = subprocess.run([sys.executable, "-m", "bot", *files], capture_output=True, text=True, check=True, cwd=ROOT)
    printed = done.stdout + done.stderr
    for line in shown.split("\n"):
        if line.strip() != "…":
            assert line.rstrip() in printed, line


def test_an_error_of_a_configuration_reads_as_the_readme_shows(tmp_path: Path) -> None:
    [box] = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    keyword = box.split("\n")[1].strip()
    lines = ["[watch]", 'channels = ["@rybar"]', "", "[digest]", 'chat = "me"', "", "[topics.syria]", "keywords = ["]
    config = tmp_path / "config.toml"
    config.write_text("\n".join([*lines, '  "Сирия",', f"  {keyword}", "]"]), "utf-8")
    with pytest.raises(ConfigError) as caught:
        load(Path(config), {})
    assert str(caught.value).replace(f"{tmp_path}/", "").rstrip() == box.rstrip()


def test_every_reason_is_a_row_of_its_page() -> None:
    page = (ROOT / "docs" / "alerts.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", page, re.MULTILINE)
    assert rows == [(reason.verdict.value, reason.value) for reason in Reason]


def test_the_readme_has_commands_to_run() -> None:
    assert len(commands_in(README)) >= 2


@pytest.mark.parametrize("target", re.findall(r"`make (\w+)`", README))
def test_a_make_target_in_the_readme_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
