"""``vedette health``: whether the service does its work, in an exit code and reasons. Needs no credentials."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.asked import asked_of
from bot.cli.config import Config
from bot.errors import StorageError
from bot.terminal import harmless

if TYPE_CHECKING:
    from bot.cli.asked import Asked
    from bot.cli.beside import Seen
    from bot.vitals import Vitals


def health(
    config: Config = None, *, as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False
) -> None:
    """Whether the service does its work: exit code 0, or 1 with a line a reason. Connects to nothing."""
    found = asyncio.run(examined(asked_of(config), datetime.now(UTC)))
    if as_json:
        sys.stdout.write(json.dumps(as_object(found)) + "\n")
    else:
        for one in found.reasons:
            sys.stdout.write(harmless(f"{one.severity} ({one.code}): {one.what}\n"))
        if not found.reasons:
            sys.stdout.write("healthy\n")
    if not found.healthy:
        raise typer.Exit(1)


async def examined(asked: Asked, now: datetime) -> Seen:
    """How the service is. What is wrong with its database is a reason, not an error."""
    from bot.cli.beside import seen, unread, watched
    from bot.storage import overview
    from bot.storage.database import NAME, Database

    if not (asked.folder / NAME).exists():
        return unread(asked, now)
    try:
        async with Database.opened(asked.folder, writable=False) as database:
            channels = await watched(asked, database, await overview.channels(database))
            return await seen(asked, database, channels, now)
    except StorageError as error:
        return unread(asked, now, str(error).rstrip("."))


def as_object(found: Seen) -> dict[str, object]:
    """The form of ``--json``: all keys are always there; times are ISO 8601 in UTC (docs/running.md)."""
    return {
        "healthy": found.healthy,
        "reasons": [{"code": one.code, "severity": one.severity, "what": one.what} for one in found.reasons],
        "now": found.now.isoformat(),
        "running": found.running,
        **(dict.fromkeys(_LIFE) if found.vitals is None else _life(found.vitals)),
    }


_LIFE = ("started", "written", "link", "answered", "passed", "behind", "waiting", "skew", "speaker", "speaker_answered")


def _life(vitals: Vitals) -> dict[str, object]:
    return {
        "started": vitals.started.isoformat(),
        "written": vitals.written.isoformat(),
        "link": vitals.link,
        "answered": vitals.answered and vitals.answered.isoformat(),
        "passed": vitals.passed and vitals.passed.isoformat(),
        "behind": vitals.behind,
        "waiting": vitals.waiting,
        "skew": vitals.skew and vitals.skew.total_seconds(),
        "speaker": vitals.speaker,
        "speaker_answered": vitals.speaker_answered and vitals.speaker_answered.isoformat(),
    }
