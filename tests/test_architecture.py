"""The shape of the house, held: who may import whom, who owns which library, what the core may not do, how large."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "bot").rglob("*.py"))

#: From the top down; a room imports only rooms below its own row. Rooms of one row do not know each other.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("__main__",),
    ("cli",),
    ("app",),
    ("parts", "metering"),
    ("supervise", "speaker", "digests", "replay", "reload", "retention"),
    ("watch", "desk", "backfill"),
    ("ingest", "delivery", "quota", "pulse", "lives", "operators", "notify", "tally", "inforce"),
    ("entries", "retelling", "trail"),
    ("intake",),
    ("telegram",),
    ("storage", "printer"),
    ("recording", "terminal", "clock", "folder"),
    ("telemetry", "voices"),
    ("config",),
    ("ports",),
    ("alert",),
    ("judge", "cursor", "albums", "budget", "rhythm", "vitals", "pacing", "throttle"),
    ("rules", "digest", "untold"),
    ("query", "stories", "render", "triage"),
    ("text", "schedule"),
    ("cron",),
    ("errors", "model", "standing", "version"),
)
#: Inside rooms that are themselves layered.
WITHIN: dict[str, tuple[tuple[str, ...], ...]] = {
    "query": (
        ("explanation", "notes"),
        ("matcher",),
        ("index",),
        ("screen",),
        ("sign_index",),
        ("word_index",),
        ("lexicon",),
        ("plan",),
        ("seen",),
        ("leaves", "parser"),
        ("operators",),
        ("terms",),
        ("regex", "nodes", "scanner"),
    ),
    "config": (
        ("load", "ruling"),
        ("advice", "agreement"),
        ("faults", "syntax"),
        ("settings",),
        ("secrets",),
        ("values",),
        ("references", "positions", "diff"),
    ),
    "delivery": (("deliver",), ("outcomes",), ("turns",)),
    "metering": (("metering",), ("table", "since")),
    "digests": (("digests",), ("bundling", "edition"), ("coverage",)),
    "stories": (("stories",), ("shelf",), ("fingerprint", "member", "carriers")),
    "render": (("alert", "bundle", "digest", "notice"), ("story",), ("excerpt", "words", "times"), ("richtext",)),
    "text": (("morphology", "tokens", "signs"), ("normalise", "footers")),
}
#: The one room that may import a library.
OWNERS = {
    "re2": "bot/query/regex.py",
    "pymorphy3": "bot/text/morphology/slavic.py",
    "ijson": "bot/recording/",
    "pydantic": "bot/config/",
    "tomllib": "bot/config/",
    "typer": "bot/cli/",
    "zlib": "bot/recording/",
    "telethon": "bot/telegram/",
    "python_socks": "bot/telegram/",
    "aiosqlite": "bot/storage/",
    "sqlite3": "bot/storage/",
    "apscheduler": "bot/clock.py",
    "structlog": "bot/telemetry/",
    "prometheus_client": "bot/telemetry/metrics.py",
    "qrcode": "bot/cli/login.py",
    "apprise": "bot/notify.py",
}
#: Values in, values out: no clock, no file, no network, no log, no chance, nothing asynchronous.
CORE = (
    *("replay", "desk", "alert", "judge", "rules", "triage", "digest", "untold", "schedule", "cron"),
    *("cursor", "albums", "budget", "rhythm", "vitals", "pacing", "throttle", "intake"),
    *("stories", "render", "query", "text", "model", "standing", "errors"),
)
IMPURE = {
    "asyncio",
    "datetime.now",
    "io",
    "logging",
    "os",
    "random",
    "socket",
    "subprocess",
    "sys",
    "threading",
    "time",
}


def room(path: Path) -> str:
    return path.relative_to(ROOT / "bot").parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Full names of everything that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def row_of(name: str, layers: tuple[tuple[str, ...], ...]) -> int:
    return next(number for number, row in enumerate(layers) if name in row)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    here = room(path)
    if here in ("__init__", "demo"):
        return
    for name in imports(path):
        if not name.startswith("bot."):
            continue
        there = name.split(".")[1]
        if there != here:
            assert row_of(here, LAYERS) < row_of(there, LAYERS), f"{here} must not import {name}"
        elif here in WITHIN:
            mine, theirs = path.relative_to(ROOT / "bot" / here).parts[0].removesuffix(".py"), name.split(".")[2]
            if mine not in ("__init__", theirs):
                layers = WITHIN[here]
                assert row_of(mine, layers) < row_of(theirs, layers), f"{here}.{mine} must not import {name}"


@pytest.mark.parametrize(("library", "owner"), OWNERS.items())
def test_a_library_has_one_owner(library: str, owner: str) -> None:
    users = {str(path.relative_to(ROOT)) for path in FILES if any(i.split(".")[0] == library for i in imports(path))}
    assert users, f"nobody uses {library}"
    assert all(user.startswith(owner) for user in users), users


@pytest.mark.parametrize("path", [p for p in FILES if room(p) in CORE], ids=lambda p: str(p.relative_to(ROOT)))
def test_the_core_is_pure(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert not {name.split(".")[0] for name in imports(path)} & IMPURE
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.AsyncFunctionDef | ast.Await | ast.Global)]
    called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    assert not called & {"open", "print", "input", "eval", "exec"}


@pytest.mark.parametrize("path", [p for p in FILES if p.name == "__init__.py"], ids=lambda p: str(p.relative_to(ROOT)))
def test_an_init_is_a_map_and_not_a_door(path: Path) -> None:
    body = ast.parse(path.read_text("utf-8")).body
    assert len(body) == 1
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_file_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))


def lengths() -> list[int]:
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    trees = (ast.parse(path.read_text("utf-8")) for path in FILES)
    return [(n.end_lineno or 0) - n.lineno + 1 for tree in trees for n in ast.walk(tree) if isinstance(n, functions)]


def test_functions_are_small() -> None:
    found = sorted(lengths())
    assert found[int(len(found) * 0.9)] <= 25
    assert found[-1] <= 60


def test_files_are_small() -> None:
    sizes = [len(path.read_text("utf-8").splitlines()) for path in FILES]
    assert max(sizes) <= 500
    assert statistics.median(sizes) <= 130


def test_no_folder_is_a_layer() -> None:
    vague = {"utils", "helpers", "common", "services", "core", "manager", "misc", "base"}
    assert not {part.removesuffix(".py") for path in FILES for part in path.relative_to(ROOT).parts} & vague


def test_tests_patch_next_to_nothing() -> None:
    """A patch says that a seam is missing: at most three in a hundred tests."""
    texts = [path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py") if path != Path(__file__)]
    patches = sum(text.count("monkeypatch.setattr") + text.count("mock.patch") for text in texts)
    tests = sum(text.count("def test_") for text in texts)
    assert patches * 100 <= tests * 3
