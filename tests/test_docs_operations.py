"""docs/operations.md says what the program says: each notice, each reason of health, each way not to start, no other.

The program's sentences are read from its source (`tests.wordings`), those of the page from its quotes. Both have … for
what varies; a quote is of a sentence if it reads as the sentence does, whatever stands in the place of its dots.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.cli.main import app
from bot.errors import StorageError
from bot.vitals import Code
from tests.wordings import HOLE, Said, Source, read, said

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
#: Where notices are written down and read again: their words stand elsewhere.
STORED = "bot/storage/notices.py"
#: Errors that end no `run`, and whom they do end.
OF_OTHERS = {
    "bot/storage/backups.py": "backup",
    "bot/telegram/signin.py": "login; where the bot is not let in, a notice says so",
    "bot/cli/login.py": "login",
    "bot/cli/posting.py": "check --send",
    "bot/speaker.py": "the bot's connection, which begins anew",
}
#: Reasons that are told in the words of somebody else, and the section of the page that has these.
ELSEWHERE = {
    Code.DATABASE: "it-does-not-start",
    Code.SIGNED_OUT: "the-account-that-reads",
    Code.CONFIGURATION: "the-configuration",
    Code.FOLDER: "the-folder",
    Code.DESTINATION: "a-chat-that-is-told",
}


class Quote(NamedTuple):
    words: str

    def is_of(self, sentence: str) -> bool:
        return re.fullmatch(".*?".join(map(re.escape, self.words.split(HOLE))), sentence, re.DOTALL) is not None


def section(heading: str) -> str:
    """From this heading to the next one that is no smaller."""
    level = heading.partition(" ")[0]
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{len(level)}}} |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None, heading
    return found[1]


def entries(text: str, column: int) -> list[list[Quote]]:
    """What stands as code in this column of the tables of a text, from 1, row by row."""
    cells = [line.split(" | ")[column - 1] for line in text.splitlines() if line.startswith("| ")]
    rows = [[Quote(words) for words in re.findall(r"`([^`]+)`", cell)] for cell in cells]
    return [row for row in rows if row]


@cache
def program() -> dict[str, Source]:
    return read(ROOT / "bot")


def seen(sentences: Iterable[Said]) -> list[Said]:
    """All of them, if something is known of the words of each."""
    found = [one for one in sentences if one.words]
    blind = [one.place for one in found if not re.search("[A-Za-z]{3}", one.words)]
    assert not blind, (
        f"{', '.join(blind)}: what is said there cannot be read from the source; hand the words to the call where they "
        "are written: as a literal, an f-string, or what a function of the same file returns"
    )
    return found


def notices() -> list[Said]:
    every = [*said(program().values(), "Notice")]
    return seen(one for one in every if not (one.place.startswith(STORED) and one.words == HOLE))


def families(*roots: str) -> Iterator[str]:
    """Errors by their names, and those that are made of them."""
    for source in program().values():
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef) and any(isinstance(b, ast.Name) and b.id in roots for b in node.bases):
                yield node.name
    yield from roots


def errors_at_the_start() -> list[Said]:
    every = (
        one
        for name in families("StorageError", "HeldError", "NotSignedInError", "ListenError")
        for one in said(program().values(), name)
    )
    return seen(one for one in every if one.place.partition(":")[0] not in OF_OTHERS)


def reasons() -> list[tuple[str, Said]]:
    """With the code of each."""
    found = []
    for one in said([program()["bot.vitals"]], "Ailment", 1):
        code = one.call.args[0]
        assert isinstance(code, ast.Attribute)
        found.append((Code[code.attr].value, one))
    return found


def each_once(entries: list[list[Quote]], sentences: Iterable[Said]) -> None:
    """Each sentence has one entry."""
    for one in sentences:
        of_it = [
            [quote.words for quote in entry] for entry in entries if any(quote.is_of(one.words) for quote in entry)
        ]
        assert len(of_it) == 1, f"{one.place} says {one.words!r}; docs/operations.md has {of_it or 'no entry for it'}"


def no_other(entries: list[list[Quote]], sentences: Iterable[Said]) -> None:
    """Each quote is of something that is said."""
    said_so = [one.words for one in sentences]
    stale = [q.words for entry in entries for q in entry if not any(q.is_of(words) for words in said_so)]
    assert not stale, f"docs/operations.md quotes what the program does not say: {stale}"


def test_each_notice_has_one_entry_and_each_entry_is_of_a_notice() -> None:
    entries_of_the_page = entries(section("## What a notice says"), 1)
    assert len(entries_of_the_page) > 40
    each_once(entries_of_the_page, notices())
    no_other(entries_of_the_page, notices())


def test_notices_are_made_by_their_name_with_their_words() -> None:
    """Else one would escape who looks for them."""
    for source in program().values():
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ImportFrom):
                assert not any(one.name == "Notice" and one.asname for one in node.names), source.path
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("replace"):
                assert not any(one.arg == "what" for one in node.keywords), source.place(node)
            if isinstance(node, ast.Name) and node.id == "Notice":
                where = source.parents[node]
                handed_on = (
                    isinstance(where, ast.Assign | ast.Return | ast.Call) and vars(where).get("func") is not node
                )
                assert not handed_on, source.place(node)


def test_each_way_not_to_start_has_one_entry_and_each_entry_is_of_one() -> None:
    entries_of_the_page = entries(section("## It does not start"), 2)
    each_once(entries_of_the_page, errors_at_the_start())
    no_other(entries_of_the_page, [*errors_at_the_start(), *said(program().values(), "ConfigError")])


def test_a_way_not_to_start_has_the_exit_code_that_it_ends_with() -> None:
    codes = {"HeldError": "4", "NotSignedInError": "3", "ConfigError": "2"}
    rows = [line for line in section("## It does not start").splitlines() if re.match(r"\| \d", line)]
    for name in ("StorageError", "HeldError", "NotSignedInError", "ListenError", "ConfigError"):
        words = [one.words for one in said(program().values(), name)]
        for row in rows:
            if any(quote.is_of(each) for entry in entries(row, 2) for quote in entry for each in words):
                assert row.startswith(f"| {codes.get(name, '1')} |"), row


ENTRIES = re.findall(r"^### `([a-z-]+)`\n(.*?)(?=^##|\Z)", section("## What health says"), re.DOTALL | re.MULTILINE)


def lines_of(text: str) -> list[str]:
    return "".join(re.findall(r"```text\n(.*?)```", text, re.DOTALL)).splitlines()


def test_each_code_of_health_has_one_entry_in_its_order_with_its_severity() -> None:
    assert [code for code, _ in ENTRIES] == [code.value for code in Code]
    for code, text in ENTRIES:
        assert lines_of(text)
        for line in lines_of(text):
            assert line.startswith(f"{Code(code).severity} ({code}): "), line


@pytest.mark.parametrize(("code", "text"), ENTRIES, ids=[code for code, _ in ENTRIES])
def test_an_entry_of_health_quotes_each_reason_and_no_other_and_says_what_to_do(code: str, text: str) -> None:
    quoted = [Quote(line.partition("): ")[2]) for line in lines_of(text)]
    mine = [one for its, one in reasons() if its == code]
    each_once([[quote] for quote in quoted if quote.words != HOLE], [one for one in mine if one.words != HOLE])
    no_other([quoted], mine)
    # In the words of somebody else: the page says whose.
    assert any(one.words == HOLE for one in mine) is (Quote(HOLE) in quoted) is (Code(code) in ELSEWHERE)
    assert Code(code) not in ELSEWHERE or f"(#{ELSEWHERE[Code(code)]})" in text
    assert re.findall(r"^- \*\*(\w+)\*\* \S", text, re.MULTILINE) == ["Means", "Meanwhile", "Do", "Over"]


def test_a_reason_without_a_code_that_is_known_cannot_be_given() -> None:
    assert {code for code, _ in reasons()} == {code.value for code in Code}


def test_each_row_says_what_it_means_and_what_to_do() -> None:
    for line in PAGE.splitlines():
        if line.startswith("| ") and line.count(" | ") == 2:
            assert all(cell.strip() for cell in line.strip("| ").split(" | ")), line


def slug(heading: str) -> str:
    """The anchor that a heading has on GitHub."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_links_lead_to_headings_that_are_there() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    anchors = {
        page: [slug(one) for one in re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)] for page in pages
    }
    for page in pages:
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)#([^)]+)\)", page.read_text("utf-8")):
            there = (page.parent / target).resolve() if target else page
            assert anchors[there].count(anchor) == 1, f"{page.name}: {target}#{anchor}"


@pytest.mark.parametrize("page", ["operations.md", "security.md"])
def test_the_commands_and_options_of_a_page_are_there(page: str) -> None:
    text = (ROOT / "docs" / page).read_text("utf-8")
    known = {command.name for command in app.registered_commands}
    assert set(re.findall(r"`vedette ([a-z]+)", text)) <= known
    source = (ROOT / "bot" / "cli" / "main.py").read_text("utf-8")
    for option in re.findall(r"`vedette [^`]*?(--[a-z-]+)", text):
        assert f'"{option}"' in source, option


def test_what_is_said_of_a_data_dir_that_is_a_file_stands_on_the_page(tmp_path: Path) -> None:
    """The reading of the source is true: a sentence as it comes out is quoted too."""
    from bot.folder import held

    (tmp_path / "data").write_text("", "utf-8")
    with pytest.raises(StorageError) as caught, held(tmp_path / "data"):
        pass
    quoted = entries(section("## It does not start"), 2)
    assert sum(quote.is_of(str(caught.value)) for entry in quoted for quote in entry) == 1
