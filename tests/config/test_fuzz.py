"""Whatever stands in a configuration: settings or errors in the exact format, and never a secret among them."""

from __future__ import annotations

import copy
import json
import os
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.config.load import parse_settings
from bot.errors import ConfigError
from tests.config.conftest import no_file

pytestmark = pytest.mark.fuzz
cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "150")), deadline=None)

MARK = "QzSecretQz"
VALID: dict[str, Any] = {
    "timezone": "Europe/London",
    "data_dir": "data",
    "telegram": {
        "api_id": 77123477,
        "api_hash": "0f" * 16,
        "bot_token": f"123456789:{MARK * 4}",
        "proxy": f"socks5://user:{MARK}@host:1080",
        "server": {"address": "127.0.0.1:4430", "dc_id": 2, "public_key": "server.pem"},
    },
    "watch": {
        "channels": ["@alfa_demo", {"channel": "@bravo_demo", "label": "Bravo", "topics": ["syria"]}],
        "folder": "War bloggers",
        "join": True,
        "history": "24h",
        "sweep_every": "60s",
    },
    "digest": {"chat": "me", "at": ["08:00", "20:00"], "empty": True, "max_stories": 15},
    "alerts": {"form": "excerpt", "quiet_hours": "23:00-07:00", "fold_window": "48h", "max_per_minute": 10},
    "topics": {
        "syria": {"title": "Syria", "keywords": ["Сирия", "(а | б) в"], "exclude": ["футбол"], "chat": "@desk_demo"},
        "bases": {"keywords": ['"военная база"'], "deliver": "urgent", "channels": ["@alfa_demo"]},
    },
    "operators": {"users": [123456789], "notify": [f"ntfy://ntfy.sh/{MARK}"]},
    "storage": {"keep": "180d"},
    "log": {"level": "info", "format": "console"},
    "metrics": {"listen": "127.0.0.1:9108"},
}
KEYS = [
    "telegram",
    "watch",
    "digest",
    "topics",
    "syria",
    "channels",
    "chat",
    "api_hash",
    "at",
    "cron",
    "x",
    "",
    "а б",
    "a\nb",
]

words = st.one_of(
    st.sampled_from(
        [
            "",
            "me",
            "@alfa_demo",
            "-1001234567890",
            "24h",
            "08:00",
            "(",
            "/[/",
            "\b",
            "0 8 * * *",
            "forever",
            "UTC",
            "x:1",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)
scalars = st.one_of(
    words,
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from(["@@time", "@@date", "@@moment"]),  # written bare, below
)
nested = st.recursive(
    scalars,
    lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(st.sampled_from(KEYS), below, max_size=3)),
    max_leaves=6,
)
BARE = {"@@time": "08:00:00", "@@date": "2024-12-08", "@@moment": "2024-12-08T08:00:00Z"}


def inline(value: object) -> str:
    """A value as TOML, on one line."""
    match value:
        case dict():
            return "{" + ", ".join(f"{quoted(key)} = {inline(one)}" for key, one in value.items()) + "}"
        case list():
            return f"[{', '.join(map(inline, value))}]"
        case bool():
            return str(value).lower()
        case float():
            return repr(value)
        case int():
            return str(value)
        case _:
            return BARE.get(str(value)) or quoted(str(value))


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def as_toml(config: dict[str, Any]) -> str:
    """Plain keys, then tables under headings, as people write them."""
    plain = [f"{quoted(key)} = {inline(value)}\n" for key, value in config.items() if not isinstance(value, dict)]
    tables = [(key, value) for key, value in config.items() if isinstance(value, dict)]
    lines = [*plain]
    for key, table in tables:
        lines.append(f"[{quoted(key)}]\n")
        lines += [f"{quoted(name)} = {inline(value)}\n" for name, value in table.items()]
    return "".join(lines)


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            found += places(one, (*path, key))
    return found


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A valid configuration in which a few things are dropped, replaced, renamed or put elsewhere."""
    config = copy.deepcopy(VALID)
    for _ in range(draw(st.integers(0, 4))):
        where = places(config)
        if not where:
            break
        *way, last = draw(st.sampled_from(where))
        parent: Any = config
        for part in way:
            parent = parent[part]
        match draw(st.sampled_from(["drop", "replace", "rename", "add"])):
            case "drop":
                del parent[last]
            case "replace":
                parent[last] = draw(nested)
            case "rename" if isinstance(parent, dict):
                parent[draw(st.one_of(st.sampled_from(KEYS), words))] = parent.pop(last)
            case _ if isinstance(parent, dict):
                parent[draw(st.sampled_from(KEYS))] = draw(nested)
            case _:
                parent.append(draw(nested))
    return config


LINE = re.compile(r"config\.toml:[1-9][0-9]*: [^\n]+?: [^\n]+; [^\n]+(?:\n {2}[^\n]*\n\s*\^)?")


def read(toml: str) -> bool:
    """Whether it is valid; when not, its errors are what they should be. Anything else raised is a defect."""
    caught = None
    try:
        parse_settings(toml, "config.toml", {}, no_file)
    except ConfigError as error:
        caught = error
    if caught is None:
        return True
    assert caught.errors
    for told in caught.errors:
        assert LINE.fullmatch(told), told
        assert "Input should" not in told
        assert "config.example.toml for what stands there" not in told
    assert len(set(caught.errors)) == len(caught.errors)
    numbers = [int(told.split(":")[1]) for told in caught.errors]
    assert numbers == sorted(numbers)
    assert MARK not in str(caught)
    assert "77123477" not in str(caught)
    assert "0f0f" not in str(caught)
    return False


def test_the_configuration_that_is_mutated_is_valid() -> None:
    assert read(as_toml(VALID))


@cases
@given(config=mutated())
def test_a_mutated_configuration_is_settings_or_errors(config: dict[str, Any]) -> None:
    read(as_toml(config))


@cases
@given(config=st.dictionaries(st.sampled_from([*VALID, *KEYS]), nested, max_size=8))
def test_anything_nested_is_settings_or_errors(config: dict[str, Any]) -> None:
    read(as_toml(config))


@cases
@given(
    cut=st.integers(0, len(as_toml(VALID))),
    length=st.integers(0, 30),
    text=st.one_of(st.text(max_size=8), st.text("[]{}=,\"'#\\.\n \t@0:", max_size=8)),
)
@example(cut=0, length=0, text="[[[[")
@example(cut=0, length=0, text="\ud800")
def test_a_text_with_a_piece_replaced_is_settings_or_errors(cut: int, length: int, text: str) -> None:
    toml = as_toml(VALID)
    read(toml[:cut] + text + toml[cut + length :])


@cases
@given(toml=st.text(max_size=200))
def test_any_text_is_settings_or_errors(toml: str) -> None:
    assert not read(toml)


@cases
@given(value=st.text(max_size=80), file=st.booleans(), name=st.sampled_from(["API_ID", "API_HASH", "BOT_TOKEN"]))
def test_any_environment_is_settings_or_errors(value: str, name: str, *, file: bool) -> None:
    variable = f"TELEGRAM_{name}" + ("_FILE" if file else "")
    said = f"{MARK}!{value}"
    with pytest.raises(ConfigError) as caught:
        parse_settings(as_toml(VALID), "config.toml", {variable: "/f" if file else said}, lambda _path: said)
    assert MARK not in str(caught.value)
    assert all(LINE.fullmatch(told) for told in caught.value.errors)
