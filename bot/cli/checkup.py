"""How the service is, as ``vedette health`` finds it out, and the short way of asking that: once a minute, for years.

Most of what the command would take is loading, of what reads command lines and configurations. The short way needs
neither: it is for the command as the container's health check has it, beside a service that works by the configuration
that stands there.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot import inforce
from bot.cli.asked import Asked, asked_of, folder_of
from bot.cli.beside import is_alive, is_running, seen, unread, watched
from bot.cli.file import config_path
from bot.errors import StorageError
from bot.storage import overview
from bot.storage.database import NAME, Database, OlderError
from bot.terminal import harmless, prepare_streams, printing

if TYPE_CHECKING:
    from pathlib import Path

    from bot.cli.beside import Seen
    from bot.vitals import Vitals


def answer_at_once() -> None:
    """Says how the service is and ends the process, where the short way can tell; else nothing has happened."""
    found = asyncio.run(_in_short(config_path(None, os.environ), datetime.now(UTC)))
    if found is not None:
        prepare_streams()
        printing(say)(found)
        sys.exit(not found.healthy)


async def examined(option: Path | None, environment: Mapping[str, str], now: datetime) -> Seen:
    """How the service is. What is wrong with its database is a reason, not an error."""
    if (found := await _in_short(config_path(option, environment), now)) is not None:
        return found
    asked = asked_of(option, environment)
    if not (asked.folder / NAME).exists():
        return unread(asked, now)
    try:
        async with Database.opened(asked.folder, writable=False) as database:
            return await _looked(asked, database, now)
    except StorageError as error:
        if isinstance(error, OlderError) and is_running(asked.folder) and not is_alive(asked.folder):
            return unread(asked, now)  # it is being brought forward
        return unread(asked, now, str(error).rstrip("."))


async def _in_short(path: Path, now: datetime) -> Seen | None:
    """The same, where a service that runs has this very file in force; else, or where anything is wrong, None."""
    if (folder := _at_work(path)) is not None:
        with suppress(StorageError, OSError):
            async with Database.opened(folder, writable=False) as database:
                if (known := await inforce.get(database, path)) is not None:
                    return await _looked(Asked(folder, known), database, now)
    return None


def _at_work(path: Path) -> Path | None:
    """The data directory that a file names, if a process has written down there how it is."""
    if not path.is_file():
        return None  # a pipe, say, could be read once only
    folder = folder_of(path)
    return folder if is_alive(folder) else None


async def _looked(asked: Asked, database: Database, now: datetime) -> Seen:
    channels = await watched(asked, database, await overview.channels(database))
    return await seen(asked, database, channels, now)


def say(found: Seen) -> None:
    """A line a reason, for people."""
    for one in found.reasons:
        sys.stdout.write(harmless(f"{one.severity} ({one.code}): {one.what}\n"))
    if not found.reasons:
        sys.stdout.write("healthy\n")


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
