"""Which file the configuration is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def config_path(option: Path | None, environment: Mapping[str, str]) -> Path:
    """What was asked for, else what the environment says, else config.toml of the working directory."""
    return option or Path(environment.get("VEDETTE_CONFIG") or "config.toml")
