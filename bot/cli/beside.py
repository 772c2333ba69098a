"""What is seen of a service from beside it, without credentials: its lock, its disk, its tables, its sign of life."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bot.folder import LOCK
from bot.storage import attempts, facts, overview, quotas, vitals
from bot.vitals import Ailment, Disk, Outside, Reached, Severity, Vitals, Wait, ailments

if TYPE_CHECKING:
    from bot.cli.asked import Asked
    from bot.storage.attempts import Rest
    from bot.storage.database import Database
    from bot.storage.overview import ChannelState

#: So long a message may wait before it is asked when one was last sent.
_PATIENCE = timedelta(minutes=10)


class Seen(NamedTuple):
    """How a service is. ``vitals``: those of the process that runs, None where none does or it has written none."""

    now: datetime
    running: bool
    vitals: Vitals | None
    reasons: tuple[Ailment, ...]

    @property
    def healthy(self) -> bool:
        return all(one.severity is not Severity.UNHEALTHY for one in self.reasons)


def is_running(folder: Path) -> bool:
    """Whether a process holds the data directory."""
    return _is_held(folder / LOCK)


def is_alive(folder: Path) -> bool:
    """Whether a process has written down how it is: until then what stands there is of an earlier one."""
    return _is_held(folder / vitals.ALIVE)


def _is_held(path: Path) -> bool:
    """Whether a process holds this file locked. The lock that this takes to see it is let go at once."""
    try:
        lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


async def watched(asked: Asked, database: Database, channels: Sequence[ChannelState]) -> list[ChannelState]:
    """Those that the configuration names, and those of its folder; every one while it is not known what is in that.

    Of a configuration with errors those that the last process has read, once it has read all of them.
    """
    if (known := asked.known) is None:
        life = await vitals.last(database)
        if life is None or life.passed is None:
            return [*channels]
        return [one for one in channels if one.read_at is not None and one.read_at >= life.started]
    written = known.channels
    inside = await _inside(database) if known.folder is not None else frozenset()
    return [one for one in channels if inside is None or one.channel.id in inside or not names(one).isdisjoint(written)]


async def _inside(database: Database) -> frozenset[int | None] | None:
    """What the folder held last, as `bot.watch.folder` keeps it; that one would load Telegram's library."""
    kept = await facts.get(database, "folder")
    return frozenset(map(int, json.loads(kept)["channels"])) if isinstance(kept, str) else None


def names(one: ChannelState) -> frozenset[str]:
    """What a configuration may call it."""
    name = one.channel.username
    return one.references | {str(one.channel.id), *([f"@{name.lower()}"] if name else [])}


def _shown(one: ChannelState) -> str:
    """By its address: a title may be anything."""
    return f"@{one.channel.username}" if one.channel.username else one.channel.name


def unread(asked: Asked, now: datetime, fault: str | None = None) -> Seen:
    """How a service is of which there is no database, or none that can be read (``fault``)."""
    folder = asked.folder
    outside = Outside(
        data_dir=folder.absolute(),
        running=is_running(folder),
        fault=fault,
        disk=_disk(folder),
        configuration=asked.fault,
    )
    return Seen(now, outside.running, None, ailments(None, outside, now))


async def seen(asked: Asked, database: Database, channels: Collection[ChannelState], now: datetime) -> Seen:
    """How a service is whose database is this, and which watches these. Raises StorageError."""
    folder, known = asked.folder, asked.known
    running = is_running(folder)
    life = await vitals.last(database) if running and is_alive(folder) else None
    # What needs the configuration is left out where that has errors.
    written, chats = (set(known.channels), known.chats) if known else (set[str](), frozenset[str]())
    silent, refusing = await vitals.silent(database), await vitals.refusing(database)
    outside = Outside(
        data_dir=folder.absolute(),
        running=running,
        disk=_disk(folder),
        due=await vitals.stuck(database, now, _PATIENCE),
        channels=tuple(
            Reached(_shown(one), one.read_at, one.behind, one.refused is not None, one.channel.id in silent)
            for one in channels
        ),
        refusing=tuple(what for place, what in refusing.items() if place in chats),
        folder=await _folder(known.folder, database) if known else None,
        session=_reason(await vitals.session(database)),
        configuration=asked.fault or (await vitals.configuration(database) if life else None),
        unfound=sum(one.written in written and one.why is not None for one in await overview.sought(database)),
        waits=tuple(
            [Wait(name, one.changed, one.until) for name, one in (await quotas.quotas(database)).items()]
            + [Wait(name, one.noted, one.until) for name, one in (await rests(database)).items()]
        ),
    )
    return Seen(now, running, life, ailments(life, outside, now))


async def rests(database: Database) -> dict[str, Rest]:
    """Until when Telegram lets accounts of ours send nothing, by what is said of them."""
    # `bot.watch.roster` keeps who reads, and would load Telegram's library.
    reader = await facts.get(database, "account that reads")
    return {
        f"messages from the {'reader' if account == reader else 'bot'}": one
        for account, one in (await attempts.rests(database)).items()
    }


async def _folder(name: str | None, database: Database) -> str | None:
    return None if name is None else _reason(await vitals.folder(database, name))


def _reason(notice: str | None) -> str | None:
    """A notice as a line of reasons says it."""
    return None if notice is None else notice.rstrip(".")


def _disk(folder: Path) -> Disk:
    """What is left of it for whoever is not root."""
    place = next((each for each in (folder, *folder.absolute().parents) if each.is_dir()), Path("/"))
    disk = os.statvfs(place)
    return Disk(disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize)
