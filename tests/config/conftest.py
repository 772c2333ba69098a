"""Configurations as texts, and what reading them says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NoReturn

import pytest

from bot.config.load import parse_settings
from bot.config.settings import Settings
from bot.errors import ConfigError

#: The least that a configuration says.
LEAST = """\
[watch]
channels = ["@alfa_demo"]
[digest]
chat = "me"
[topics.syria]
keywords = ["Сирия"]
"""

Reading = Callable[..., Settings]
Errors = Callable[..., list[str]]


def no_file(path: str) -> NoReturn:
    raise FileNotFoundError(2, "No such file or directory", path)


def read(toml: str, environment: Mapping[str, str] | None = None, files: Callable[[str], str] = no_file) -> Settings:
    return parse_settings(toml, "config.toml", environment or {}, files)


@pytest.fixture(scope="session")
def reading() -> Reading:
    """Reads a whole text."""
    return read


@pytest.fixture(scope="session")
def least() -> Reading:
    """Reads the least configuration with these lines above its first table, and these tables below its last."""

    def reading(above: str = "", below: str = "", environment: Mapping[str, str] | None = None) -> Settings:
        return read(f"{above}\n{LEAST}\n{below}", environment)

    return reading


@pytest.fixture(scope="session")
def errors() -> Errors:
    """The errors of a text without their ``config.toml:LINE:``; carets and all."""

    def told(toml: str, environment: Mapping[str, str] | None = None) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            read(toml, environment)
        return [error.split(": ", 1)[1] for error in caught.value.errors]

    return told


@pytest.fixture(scope="session")
def wrong(errors: Errors) -> Errors:
    """The errors that a table has when it stands below the least configuration, or a key above it."""

    def told(above: str = "", below: str = "") -> list[str]:
        return errors(f"{above}\n{LEAST}\n{below}")

    return told
