"""``--config``, for every command that needs one: which file, and what is said when it cannot be used."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.file import config_path
from bot.errors import ConfigError
from bot.terminal import harmless

if TYPE_CHECKING:
    from bot.config.settings import Settings
    from bot.rules import Rules

#: The type of a command's ``config`` argument.
Config = Annotated[
    Path | None,
    typer.Option("--config", help="The configuration; default: $VEDETTE_CONFIG, then ./config.toml.", metavar="PATH"),
]


def settings_from(option: Path | None, environment: Mapping[str, str] = os.environ) -> Settings:
    """The configuration. When it cannot be used, all its errors go to standard error, and the command ends with 2."""
    from bot.config.load import load

    try:
        return load(config_path(option, environment), environment)
    except ConfigError as error:
        tell_errors(error)
        raise typer.Exit(2) from None


def rules_from(option: Path | None, environment: Mapping[str, str] = os.environ) -> Rules:
    """The rules of the configuration, likewise."""
    return rules_of_settings(settings_from(option, environment))


def rules_of_settings(settings: Settings) -> Rules:
    """The rules of a configuration that was read."""
    from bot.config.ruling import rules_of
    from bot.query.lexicon import Lexicon
    from bot.text.morphology.languages import Morphology

    return rules_of(settings, Lexicon(Morphology()))


def tell_errors(error: ConfigError) -> None:
    count = len(error.errors)
    sys.stderr.write(harmless(f"{error}\n{count} error{'s' if count > 1 else ''}\n"))
