"""``vedette record CHANNEL…``: writes posts of channels to a recording, as the reader's account sees them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from bot.cli.channels import channel_typed
from bot.cli.config import Config, settings_from
from bot.cli.output import results
from bot.cli.span import Span
from bot.cli.spool import Spool, merged
from bot.errors import NoAccessError, NotSignedInError, RefusedError, TelegramError, VedetteError, WaitError
from bot.model import Stands
from bot.terminal import Progress, harmless, one_line

if TYPE_CHECKING:
    from bot.config.settings import Settings
    from bot.model import ChannelRef, Peer, Post, Sighting
    from bot.telegram.account import Account
    from bot.telegram.peers import Mine

#: How many posts of a channel are read where nothing says how far back.
LIMIT = 1000
#: A wait that Telegram asks for is waited for up to so long.
_PATIENCE = timedelta(minutes=5)


def record(
    channels: Annotated[list[str], typer.Argument(metavar="CHANNEL…", help="@names, t.me links or -100… ids.")],
    *,
    config: Config = None,
    since: Annotated[
        str | None, typer.Option(help="Posts from then on: 2024-12-08 or 2024-12-08T14:30, in the configured zone.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help=f"At most the newest so many of each channel; without --since: {LIMIT:,}."),
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="A file instead of standard output.")] = None,
) -> None:
    """Writes posts of channels to a recording, the oldest first. Nothing is joined, stored or told."""
    settings = settings_from(config)
    begin = Span.typed(since, None, settings.timezone).since
    if limit is None and begin is None:
        limit = LIMIT
    refs = {channel_typed(typed, "CHANNEL"): None for typed in channels}
    if out is not None:
        _refuse_unwritable(out)
    from bot.folder import held
    from bot.telemetry.log import configure

    configure(settings.log.level, settings.log.format, sys.stderr)
    with held(settings.data_dir), ExitStack() as spools:
        took: list[_Taken] = []
        try:
            missed = asyncio.run(_read(settings, list(refs), _Bounds(begin, limit), took, spools))
        finally:
            # What was read before it broke off is good.
            _write(took, out)
    if missed or any(one.unreadable for one in took):
        raise typer.Exit(1)


def _refuse_unwritable(out: Path) -> None:
    """Before an hour of reading. It is opened, and so emptied, only when there is something to write."""
    if out.is_dir() or not os.access(out if out.exists() else out.parent, os.W_OK):
        raise VedetteError(f"{out} cannot be written; name another file with --out")


class _Bounds(NamedTuple):
    """How far back a channel is read."""

    since: datetime | None
    limit: int | None


class _Taken:
    """What was taken of a channel so far, read backwards: an album is one post, and is taken whole.

    ``unreadable``: messages among it that could not be read. ``whole``: nothing older is wanted.
    """

    def __init__(self, bounds: _Bounds, spool: Spool) -> None:
        self.spool = spool
        self.posts = 0
        self.unreadable = 0
        self.whole = False
        self._bounds = bounds
        self._album: int | None = None

    def take(self, page: Sequence[Sighting]) -> None:
        """What is wanted of the page below all that were taken."""
        kept = [post for one in reversed(page) if (post := self._wanted(one)) is not None]
        if kept:
            self.spool.put(kept[::-1])

    def _wanted(self, sighting: Sighting) -> Post | None:
        since, limit = self._bounds
        post, full = sighting.post, limit is not None and self.posts >= limit
        if post is None:
            self.unreadable += sighting.stands is Stands.UNREADABLE and not self.whole and not full
            return None
        if post.album is None or post.album != self._album:
            if full or (since is not None and post.date < since):
                self.whole = True
                return None
            self.posts += 1
            self._album = post.album
            self.whole = self.whole or (post.album is None and self.posts == limit)
        return post


def _write(taken: Sequence[_Taken], out: Path | None) -> None:
    from bot.recording.writer import line

    if not taken:
        return
    with results(out) as stream:
        for post in merged(one.spool for one in taken):
            stream.write(line(post))
    count = sum(one.posts for one in taken)
    sys.stderr.write(f"{count:,} post{'' if count == 1 else 's'} written\n")
    if unreadable := sum(one.unreadable for one in taken):
        many = "1 message" if unreadable == 1 else f"{unreadable:,} messages"
        sys.stderr.write(f"left out: {many} of a kind that could not be read\n")


async def _read(
    settings: Settings, refs: Sequence[ChannelRef], bounds: _Bounds, took: list[_Taken], spools: ExitStack
) -> int:
    """Reads the channels one after the other; returns how many of them could not be read, each of which is told."""
    from bot.telegram.refusals import why

    missed = 0
    async with _reader(settings) as (account, mine):
        for ref in refs:
            try:
                peer = await _resolved(account, ref, mine)
                took.append(taken := _Taken(bounds, spools.enter_context(Spool(peer.channel))))
                await _channel(account, peer, bounds.limit or 0, taken)
            except (RefusedError, NoAccessError) as error:
                missed += 1
                sys.stderr.write(harmless(f"vedette: {ref} is left out: {why(error)}\n"))
    return missed


@asynccontextmanager
async def _reader(settings: Settings) -> AsyncIterator[tuple[Account, Mine]]:
    """The reader's account, signed in and within its quotas, and how its own channels are learnt, once."""
    from bot.clock import SystemClock
    from bot.folder import READER
    from bot.quota import Quota
    from bot.storage.database import Database
    from bot.telegram import peers
    from bot.telegram.account import Account
    from bot.telegram.session import client_for

    session = settings.data_dir / READER
    if not session.is_file():
        raise NotSignedInError(f"there is no session at {session}; run vedette login first")
    async with Database.opened(settings.data_dir) as database, SystemClock.running() as clock:
        quota = await Quota.opened(database, clock, Random())  # noqa: S311 - for pauses, not for secrets
        account = Account(client_for(settings.telegram, session, updates=False), turn=quota.turn, refused=quota.refused)
        known: dict[int, Peer] = {}

        async def mine() -> dict[int, Peer]:
            if not known:
                known.update(await peers.mine(account, clock.sleep))
            return known

        await account.open()
        try:
            yield account, mine
        finally:
            await account.close()
            await quota.settled()


async def _resolved(account: Account, ref: ChannelRef, mine: Mine) -> Peer:
    from bot.telegram import peers

    try:
        return await peers.resolve(account, ref, mine, join=False)
    except WaitError as error:
        raise TelegramError(f"{ref} cannot be looked up now: {error}") from None


async def _channel(account: Account, peer: Peer, limit: int, taken: _Taken) -> None:
    """Reads one channel backwards, page by page."""
    from bot.telegram import history

    progress = Progress(f"posts of {one_line(peer.channel.shown)}")
    number = 0
    while True:
        try:
            page = await history.below(account, peer, number)
        except WaitError as error:
            if timedelta(seconds=error.seconds) > _PATIENCE:
                raise
            progress.clear()
            sys.stderr.write(f"{error}\n")
            continue  # whoever gives out turns waits
        taken.take(page.sightings)
        progress.update(taken.posts, taken.posts, limit)
        if not page.sightings or taken.whole:
            break
        number = page.sightings[0].number
        if number <= 1:
            break
    progress.clear()
