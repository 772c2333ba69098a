"""``vedette health``: whether the service does its work, in an exit code and reasons. Needs no credentials."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from bot.cli.config import Config


def health(
    config: Config = None, *, as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False
) -> None:
    """Whether the service does its work: exit code 0, or 1 with a line a reason. Connects to nothing."""
    from bot.cli.checkup import as_object, examined, say

    found = asyncio.run(examined(config, os.environ, datetime.now(UTC)))
    if as_json:
        sys.stdout.write(json.dumps(as_object(found)) + "\n")
    else:
        say(found)
    if not found.healthy:
        raise typer.Exit(1)
