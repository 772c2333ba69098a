"""``vedette backfill``: history of watched channels into the archive, the newest of it first, as far back as wanted."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.channels import channel_typed
from bot.cli.config import Config, settings_from
from bot.cli.output import results
from bot.cli.span import Span
from bot.errors import TelegramError, UnreachableError, VedetteError, WaitError
from bot.model import ChannelRef, ChatId, Invite
from bot.terminal import Progress, harmless, one_line

if TYPE_CHECKING:
    from typing import TextIO

    from bot.backfill import Backfill, Target
    from bot.config.settings import Settings
    from bot.storage.database import Database

#: Waits shorter than this are not worth a word.
_WORTH_TELLING = timedelta(seconds=5)
#: So much of an invite's code is told: whoever holds the whole of it may join.
_OF_AN_INVITE = 4
#: Parts of a channel by which progress is counted.
_PARTS = 1000
_STOPS = (signal.SIGTERM, signal.SIGINT)


def backfill(
    channels: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CHANNEL…]", help="Watched channels: @names, t.me links or -100… ids; default: all."),
    ] = None,
    *,
    config: Config = None,
    since: Annotated[
        str | None,
        typer.Option(
            help="Posts from then on: 2024-12-08 or 2024-12-08T14:30, in the configured zone; default: as far back as "
            "[storage] keep goes."
        ),
    ] = None,
) -> None:
    """Reads history of watched channels into the archive only: nothing is matched, told or joined.

    The service has to be stopped meanwhile. Run again, it goes on where it stopped.
    """
    settings = settings_from(config)
    begin = _begin(settings, since, datetime.now(UTC))
    asked = list(dict.fromkeys(channel_typed(typed, "CHANNEL") for typed in channels or ()))
    from bot.folder import held
    from bot.telemetry.log import configure

    configure(settings.log.level, settings.log.format, sys.stderr)
    with held(settings.data_dir), results(None) as stream:
        complete = asyncio.run(_until_stopped(settings, asked, begin, stream))
    if not complete:
        raise typer.Exit(1)


def _begin(settings: Settings, since: str | None, now: datetime) -> datetime:
    """From which posts on is read."""
    begin, keep = Span.typed(since, None, settings.timezone).since, settings.storage.keep
    if begin is None:
        return datetime.fromtimestamp(0, UTC) if keep is None else now - keep
    if begin >= now:
        raise VedetteError(f"--since {since} is yet to come; nothing was posted from then on")
    if keep is not None and begin < now - keep:
        sys.stderr.write(f"note: [storage] keep is {keep.days} days; posts older than that are not kept for long\n")
    return begin


async def _until_stopped(settings: Settings, asked: Sequence[ChannelRef], since: datetime, stream: TextIO) -> bool:
    """Whether all was read. A signal ends the reading; what was read is stored."""
    reading = asyncio.create_task(_read(settings, asked, since, stream))
    for number in _STOPS:
        asyncio.get_running_loop().add_signal_handler(number, reading.cancel)
    try:
        return await reading
    except asyncio.CancelledError:
        sys.stderr.write("stopped; what was read is stored, and the same command goes on from there\n")
        return False
    except UnreachableError as error:
        raise TelegramError(f"{error}; what was read is stored, and the same command goes on from there") from None


async def _read(settings: Settings, asked: Sequence[ChannelRef], since: datetime, stream: TextIO) -> bool:
    from bot.backfill import opened

    async with opened(settings) as backfill:
        refs = await _chosen(settings, asked, backfill)
        course = _Course(backfill, since, settings, stream, len(refs))
        for ref in refs:
            await course.channel(ref)
        return not course.missed


async def _chosen(settings: Settings, asked: Sequence[ChannelRef], backfill: Backfill) -> Sequence[ChannelRef]:
    """The channels that are meant: of those that are watched, or were once, the ones that are named, else all."""
    from bot.storage.archive import find

    watched = [one.channel for one in settings.watch.channels]
    for ref in asked:
        if ref not in watched and await find(backfill.database, ref) is None:
            raise VedetteError(f"{_shown(ref)} is not watched; add it to [watch] channels, or use vedette record")
    return asked or [*watched, *await _of_folder(settings, backfill.database)]


async def _of_folder(settings: Settings, database: Database) -> list[ChannelRef]:
    """What the folder held when the service looked at it last, but what it does not watch."""
    from bot.storage.archive import find
    from bot.watch.folder import held

    name = settings.watch.folder
    inside = [] if name is None else [ChatId(channel) for channel in await held(database, name) or ()]
    return [ref for ref in inside if await find(database, ref) is not None]


class _Course:
    """One channel after the other. ``missed``: how many could not be read, each of which was told."""

    def __init__(self, backfill: Backfill, since: datetime, settings: Settings, stream: TextIO, count: int) -> None:
        self.missed = 0
        self._backfill = backfill
        self._since = since
        self._zone = settings.timezone
        self._stream = stream
        self._count = count
        self._behind = 0
        self._posts = 0
        self._met: set[int] = set()
        self._progress = Progress("posts")

    async def channel(self, ref: ChannelRef) -> None:
        """Reads one of them."""
        from bot.telegram.refusals import why

        try:
            target = await self._backfill.find(ref)
            if target.peer.id in self._met:
                pass  # it is called by two names
            elif target.cursor.history_read:
                await self._back(target)
            else:
                self._miss(ref, "the service has still to match its first history; let it run until that is read")
        except UnreachableError:
            raise
        except TelegramError as error:
            self._miss(ref, why(error))
        else:
            self._met.add(target.peer.id)
        self._behind += 1

    def _miss(self, ref: ChannelRef, why: str) -> None:
        self.missed += 1
        self._say(f"vedette: {_shown(ref)} is left out: {why}")

    async def _back(self, target: Target) -> None:
        """Reads one channel down to the end."""
        name = one_line(target.peer.channel.shown)
        if target.new:
            self._say(f"{name} is new: what was posted until now goes into the archive only, and into no digest")
        posts, begun, done = 0, None, False
        while not done:
            self._tell_wait()
            try:
                step = await self._backfill.page(target, self._since)
            except WaitError:
                continue  # whoever gives out turns waits
            target, done, begun = step.target, step.done, begun or step.newest
            posts, self._posts = posts + step.posts, self._posts + step.posts
            part = 0 if begun is None or step.oldest is None else self._part(begun, step.oldest)
            self._progress.update(self._posts, _PARTS * self._behind + part, _PARTS * self._count)
        self._progress.clear()
        first = target.cursor.floor == 0
        until = "its first post" if first else f"{self._since.astimezone(self._zone):%Y-%m-%d %H:%M}"
        self._stream.write(f"{name}: {posts:,} post{'' if posts == 1 else 's'} read, complete back to {until}\n")
        self._stream.flush()

    def _part(self, begun: datetime, oldest: datetime) -> int:
        """How much of a channel is read, in `_PARTS`, where its time is all that is known of it."""
        return int(_PARTS * (begun - oldest) / max(begun - self._since, timedelta(seconds=1)))

    def _tell_wait(self) -> None:
        wait = self._backfill.wait()
        if wait > _WORTH_TELLING:
            self._say(f"Telegram asks to wait; it goes on in {-(-wait // timedelta(seconds=1))} s")

    def _say(self, what: str) -> None:
        self._progress.clear()
        sys.stderr.write(harmless(f"{what}\n"))
        sys.stderr.flush()


def _shown(ref: ChannelRef) -> str:
    return f"{Invite(ref.code[:_OF_AN_INVITE])!s}…" if isinstance(ref, Invite) else str(ref)
