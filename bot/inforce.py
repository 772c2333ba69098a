"""What whoever looks at the service from beside it has to know of the configuration in force.

To read a whole configuration takes longer than all else that ``vedette health`` does. So the service keeps what that
asks of it, with the state of the file that it is from: as long as that is the same, nobody has to read it again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bot.storage import facts
from bot.storage.routes import OPERATOR

if TYPE_CHECKING:
    from bot.config.settings import Settings
    from bot.storage.database import Connection, Database

_KEY = "configuration in force"


class InForce(NamedTuple):
    """``channels``: what it calls its channels; ``chats``: what it calls those who are written to.

    Who is written to in private is "operator 12345" there. ``folder`` is whose channels are watched too.
    """

    channels: tuple[str, ...]
    chats: frozenset[str]
    folder: str | None


def of(settings: Settings) -> InForce:
    chats = [settings.digest.chat, *map(settings.destination_of, settings.topics)]
    operators = [f"{OPERATOR}{user}" for user in ("me", *settings.operators.users)]
    return InForce(
        channels=tuple(str(one.channel) for one in settings.watch.channels),
        chats=frozenset((*map(str, chats), *operators)),
        folder=settings.watch.folder,
    )


def put(c: Connection, settings: Settings, file: Path | None) -> None:
    """These are in force from now on, and are from this file as it is now.

    If it was changed since it was read, `bot.reload` reads it again: then it is put anew, or the operators are told.
    """
    known = of(settings)
    kept = {"file": _state(file), **known._asdict(), "chats": sorted(known.chats)}
    facts.put(c, _KEY, json.dumps(kept))


async def get(database: Database, file: Path) -> InForce | None:
    """What is in force, where a service that runs has it from this very file, unchanged since; else None."""
    state, kept = _state(file), await facts.get(database, _KEY)
    if state is None or not isinstance(kept, str):
        return None
    try:
        raw = json.loads(kept)
        known = InForce(tuple(raw["channels"]), frozenset(raw["chats"]), raw["folder"])
        return known if raw["file"] == state else None
    except (ValueError, TypeError, KeyError):  # of another version
        return None


def _state(file: Path | None) -> list[int] | None:
    """What tells one state of a file from another; None where there is none."""
    if file is None:
        return None
    try:
        stat = file.stat()
    except OSError:
        return None
    return [stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
