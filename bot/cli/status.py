"""``vedette status``: what the service looks like, read from its database, beside it and without credentials."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from bot.cli.config import Config, settings_from
from bot.folder import LOCK
from bot.model import Channel
from bot.render.times import Times
from bot.render.words import counted
from bot.terminal import one_line

if TYPE_CHECKING:
    from bot.config.settings import Settings
    from bot.storage.bundles import OpenBundle
    from bot.storage.notices import Noted
    from bot.storage.overview import ChannelState

#: Channels that a person is shown, those that need a look first; more are counted.
SHOWN = 50
_NOTICES = 10
_NAME = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How things stand at ``now``. ``stored`` is None where there is no database yet.

    ``missing``: channels of the configuration that Telegram has not been asked for, or does not know.
    """

    now: datetime
    folder: Path
    running: bool
    watched: tuple[ChannelState, ...] = ()
    dropped: tuple[ChannelState, ...] = ()
    missing: tuple[str, ...] = ()
    stored: Stored | None = None


class Stored(NamedTuple):
    """What stands in the other tables; ``waits``: methods that Telegram asked not to be called before a moment."""

    posts: int
    matches: int
    outbox: dict[str, int]
    next_message: datetime | None
    held: list[OpenBundle]
    waits: dict[str, datetime]
    notices: list[Noted]


def status(
    config: Config = None, *, as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False
) -> None:
    """What the service looks like: channels, posts, messages, and what the operators were told. Connects to nothing."""
    settings = settings_from(config)
    found = asyncio.run(_found(settings, datetime.now(UTC)))
    if as_json:
        sys.stdout.write(json.dumps(as_object(found)) + "\n")
        return
    for line in as_lines(found, Times(settings.timezone, found.now, found.now)):
        sys.stdout.write(f"{line}\n")


def is_running(folder: Path) -> bool:
    """Whether a process holds the data directory. The lock that this takes to see it is let go at once."""
    try:
        lock = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


async def _found(settings: Settings, now: datetime) -> Status:
    from bot.storage import bundles, notices, outbox, overview, posts, quotas
    from bot.storage.database import NAME, Database

    folder, running = settings.data_dir, is_running(settings.data_dir)
    asked = [str(watched.channel) for watched in settings.watch.channels]
    if not (folder / NAME).exists():
        return Status(now=now, folder=folder, running=running, missing=tuple(asked))
    async with Database.opened(folder, writable=False) as database:
        stored = Stored(
            posts=await posts.count(database),
            matches=await overview.matches(database),
            outbox=await outbox.depth(database),
            next_message=await outbox.next_moment(database),
            held=await bundles.open_bundles(database),
            waits={name: one.until for name, one in (await quotas.quotas(database)).items() if one.until > now},
            notices=await notices.recent(database, _NOTICES),
        )
        channels = await overview.channels(database)
    every = settings.watch.folder is not None
    wanted = {one.channel.key for one in channels if every or not _names(one).isdisjoint(asked)}
    known = frozenset[str]().union(*map(_names, channels))
    return Status(
        now=now,
        folder=folder,
        running=running,
        watched=tuple(sorted((one for one in channels if one.channel.key in wanted), key=_by_need)),
        dropped=tuple(one for one in channels if one.channel.key not in wanted),
        missing=tuple(one for one in asked if one not in known),
        stored=stored,
    )


def _names(one: ChannelState) -> frozenset[str]:
    """What a configuration may call it."""
    name = one.channel.username
    return one.references | {str(one.channel.id), *([f"@{name.lower()}"] if name else [])}


def _by_need(one: ChannelState) -> tuple[bool, int, bool, str]:
    """Refused ones first, then those that are behind most, then those never read."""
    return one.refused is None, -one.behind, one.read_at is not None, one.channel.name.casefold()


def as_object(found: Status) -> dict[str, object]:
    """The form of ``--json``: all keys are always there; times are ISO 8601 in UTC (docs/running.md)."""
    stored = found.stored or Stored(0, 0, dict.fromkeys(("waits", "tried", "sent", "refused"), 0), None, [], {}, [])
    return {
        "now": found.now.isoformat(),
        "data_dir": str(found.folder),
        "running": found.running,
        "database": found.stored is not None,
        "channels": [
            *(_channel(one, watched=True) for one in found.watched),
            *(_channel(one, watched=False) for one in found.dropped),
        ],
        "missing": list(found.missing),
        "posts": stored.posts,
        "matches": stored.matches,
        "outbox": stored.outbox,
        "next_message": _iso(stored.next_message),
        "held": [
            {
                "destination": str(one.destination),
                "reason": one.reason.value,
                "posts": one.posts,
                "since": _iso(one.since),
                "due": _iso(one.due),
            }
            for one in stored.held
        ],
        "waits": [{"method": method, "until": _iso(until)} for method, until in stored.waits.items()],
        "notices": [
            {"at": _iso(one.made), "what": one.notice.what, "details": one.notice.details, "told": _iso(one.told)}
            for one in stored.notices
        ],
    }


def _channel(one: ChannelState, *, watched: bool) -> dict[str, object]:
    return {
        "id": str(one.channel.id),
        "username": one.channel.username,
        "title": one.channel.title,
        "watched": watched,
        "joined": one.joined,
        "verified": one.verified,
        "top": one.top,
        "behind": one.behind,
        "read_at": _iso(one.read_at),
        "history_read": one.history_read,
        "refused": one.refused,
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def as_lines(found: Status, times: Times) -> Iterator[str]:
    """The form for a person, who reads local times."""
    folder = one_line(str(found.folder))
    yield f"vedette is {'running' if found.running else 'not running'} in {folder}"
    if found.stored is None:
        yield "  there is no database yet; `vedette run` makes it"
        return
    for name, said in _summary(found, found.stored, times):
        yield f"  {name:<9} {said}"
    if found.missing:
        yield "channels that are not found yet"
        yield from _first([f"  {one_line(name)}" for name in found.missing])
    if found.watched:
        yield "channels"
        yield from _first([_told(one, times) for one in found.watched])
    if found.stored.notices:
        yield "what the operators were told last"
        for one in found.stored.notices:
            untold = "" if one.told else " (not told yet)"
            yield f"  {times.near(one.made)} · {one_line(one.notice.what)}{untold}"
            yield from (f"    {one_line(detail)}" for detail in one.notice.details[:_NOTICES])


def _summary(found: Status, stored: Stored, times: Times) -> Iterator[tuple[str, str]]:
    watched = found.watched
    counts = {
        "watched": len(watched),
        "behind": sum(one.behind > 0 for one in watched),
        "refused": sum(one.refused is not None for one in watched),
        "not found yet": len(found.missing),
    }
    yield "channels", _counts(counts)
    yield "stored", f"{counted(stored.posts, 'post', 'posts')}, {counted(stored.matches, 'match', 'matches')}"
    soon = stored.next_message
    following = f"; the next may go {times.near(soon)}" if soon is not None and soon > found.now else ""
    outbox = {
        "waiting": stored.outbox["waits"],
        "tried without an answer": stored.outbox["tried"],
        "sent": stored.outbox["sent"],
        "refused": stored.outbox["refused"],
    }
    yield "messages", _counts(outbox) + following
    for one in stored.held:
        to = one_line(str(one.destination))
        when = "until" if one.due > found.now else "due since"
        yield "held", f"{counted(one.posts, 'post', 'posts')} for {to} {when} {times.near(one.due)} ({one.reason})"
    for method, until in stored.waits.items():
        yield "waits", f"Telegram takes no {one_line(method)} before {times.near(until)}"


def _counts(counts: dict[str, int]) -> str:
    """The first count, and the others that are not 0."""
    return ", ".join(f"{count:,} {name}" for at, (name, count) in enumerate(counts.items()) if count or not at)


def _told(one: ChannelState, times: Times) -> str:
    parts = [f"cannot be read: {one_line(one.refused)}"] if one.refused is not None else []
    if one.behind:
        parts.append(f"{one.behind:,} behind")
    parts.append(f"read {times.near(one.read_at)}" if one.read_at else "not read yet")
    if not one.history_read:
        parts.append("history not read yet")
    return f"  {_name(one.channel):<{_NAME}}  {' · '.join(parts)}"


def _name(channel: Channel) -> str:
    """A title may be long, and name another channel: the address is beside it where there is one."""
    address = f"@{channel.username}" if channel.username else channel.name
    title = one_line(channel.title or "")
    name = f"{address} {title}" if title else address
    return one_line(name if len(name) <= _NAME else f"{name[: _NAME - 1]}…")


def _first(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:SHOWN]
    if len(lines) > SHOWN:
        yield f"  … and {len(lines) - SHOWN:,} more"
