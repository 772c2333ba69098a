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
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.channels import channel_typed
from bot.cli.config import Config, settings_from
from bot.cli.output import results
from bot.cli.span import Span
from bot.cli.spool import Spool, merged
from bot.errors import NoAccessError, NotSignedInError, RefusedError, TelegramError, VedetteError, WaitError
from bot.terminal import Progress, harmless, one_line

if TYPE_CHECKING:
    from bot.config.settings import Settings
    from bot.model import ChannelRef, Peer, Post
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
        took: list[Spool] = []
        try:
            missed = asyncio.run(_read(settings, list(refs), _Bounds(begin, limit), took, spools))
        finally:
            # What was read before it broke off is good.
            _write(took, out)
    if missed:
        raise typer.Exit(1)


def _refuse_unwritable(out: Path) -> None:
    """Before an hour of reading. It is opened, and so emptied, only when there is something to write."""
    if out.is_dir() or not os.access(out if out.exists() else out.parent, os.W_OK):
        raise VedetteError(f"{out} cannot be written; name another file with --out")


class _Bounds:
    """How far back a channel is read."""

    def __init__(self, since: datetime | None, limit: int | None) -> None:
        self.since = since
        self.limit = limit

    def kept(self, page: Sequence[Post], before: int) -> Sequence[Post]:
        """What of a page is wanted, when so many newer ones have been taken."""
        wanted = [post for post in page if self.since is None or post.date >= self.since]
        return wanted if self.limit is None else wanted[-(self.limit - before) :]

    def reached(self, page: Sequence[Post], taken: int) -> bool:
        """Whether nothing is wanted below this page."""
        if self.limit is not None and taken >= self.limit:
            return True
        return self.since is not None and bool(page) and min(post.date for post in page) < self.since


def _write(spools: Sequence[Spool], out: Path | None) -> None:
    from bot.recording.writer import line

    if not spools:
        return
    with results(out) as stream:
        for post in merged(spools):
            stream.write(line(post))
    count = sum(spool.posts for spool in spools)
    sys.stderr.write(f"{count:,} post{'' if count == 1 else 's'} written\n")


async def _read(
    settings: Settings, refs: Sequence[ChannelRef], bounds: _Bounds, took: list[Spool], spools: ExitStack
) -> int:
    """Reads the channels one after the other; returns how many of them could not be read, each of which is told."""
    from bot.telegram.refusals import why

    missed = 0
    async with _reader(settings) as (account, mine):
        for ref in refs:
            try:
                peer = await _resolved(account, ref, mine)
                spool = spools.enter_context(Spool(peer.channel))
                took.append(spool)
                await _channel(account, peer, bounds, spool)
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


async def _channel(account: Account, peer: Peer, bounds: _Bounds, spool: Spool) -> None:
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
        posts = [sighting.post for sighting in page.sightings if sighting.post is not None]
        if kept := bounds.kept(posts, spool.posts):
            spool.put(kept)
        progress.update(spool.posts, spool.posts, bounds.limit or 0)
        if not page.sightings or bounds.reached(posts, spool.posts):
            break
        number = page.sightings[0].number
        if number <= 1:
            break
    progress.clear()
