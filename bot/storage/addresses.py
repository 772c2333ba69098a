"""References of a configuration: what they were resolved to, watched or not, and which of them are still sought.

A look-up by name costs a call of which there are few, so when one that failed is tried again is kept too.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from sqlite3 import Connection
from typing import NamedTuple

from bot.model import Channel, ChannelRef, Peer
from bot.standing import Standing
from bot.storage import channels
from bot.storage.database import Database
from bot.storage.times import from_integer, from_integer_if, to_integer


class Sought(NamedTuple):
    """A reference (``written``) that leads to no channel that can be watched.

    ``why`` is None before it was asked for; it was tried ``tries`` times in vain, and is tried next at ``not_before``.
    """

    written: str
    standing: Standing
    why: str | None
    since: datetime
    tries: int
    not_before: datetime


class Referred(NamedTuple):
    """The channel behind a reference, as it was last seen, and when it was asked whether the name is still its own."""

    channel: Channel
    checked: datetime | None


async def known(db: Database, account: int) -> dict[str, Peer]:
    """The channels that this account can address, by what a configuration writes (``str`` of the reference).

    Of one that was never watched name and title are not known.
    """
    found = await db.rows(
        "SELECT r.written, r.channel, p.access_hash, c.username, c.title, p.joined FROM reference AS r "
        "JOIN peer AS p ON p.channel = r.channel AND p.account = ? LEFT JOIN channel AS c ON c.id = r.channel "
        "ORDER BY r.written",
        (account,),
    )
    return {
        written: Peer(id=id_, access_hash=access_hash, username=username, title=title, joined=bool(joined))
        for written, id_, access_hash, username, title, joined in found
    }


async def referred(db: Database) -> dict[str, Referred]:
    """What references lead to, whichever account found it, of channels that were watched."""
    found = await db.rows(
        "SELECT r.written, c.id, c.username, c.title, r.checked "
        "FROM reference AS r JOIN channel AS c ON c.id = r.channel"
    )
    return {
        written: Referred(Channel(id=id_, username=username, title=title), from_integer_if(checked))
        for written, id_, username, title, checked in found
    }


def remember(c: Connection, account: int, ref: ChannelRef, peer: Peer) -> None:
    """This account was shown this channel behind the reference."""
    channels.put(c, account, peer, None)
    channels.refer(c, str(ref), peer.id)


def set_checked(c: Connection, written: str, at: datetime) -> None:
    """It was asked whether the name still is the channel's."""
    c.execute("UPDATE reference SET checked = ? WHERE written = ?", (to_integer(at), written))


def seek(c: Connection, account: int, refs: Iterable[str], now: datetime) -> None:
    """These, and no others, are sought by this account; what is known of them stays."""
    wanted = set(refs)
    known = {(who, written) for who, written in c.execute("SELECT account, written FROM sought")}
    over = [(who, written) for who, written in known if who != account or written not in wanted]
    c.executemany("DELETE FROM sought WHERE account = ? AND written = ?", over)
    seek_too(c, account, wanted, now)


def seek_too(c: Connection, account: int, refs: Iterable[str], now: datetime) -> None:
    """These are sought beside others; what is known of them stays."""
    c.executemany(
        "INSERT OR IGNORE INTO sought (account, written, standing, since, tries, not_before) VALUES (?, ?, ?, ?, 0, ?)",
        [(account, written, Standing.SOUGHT.value, to_integer(now), to_integer(now)) for written in sorted(refs)],
    )


def set_sought(c: Connection, account: int, one: Sought) -> None:
    c.execute(
        "INSERT OR REPLACE INTO sought (account, written, standing, why, since, tries, not_before) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *(account, one.written, one.standing.value, one.why),
            *(to_integer(one.since), one.tries, to_integer(one.not_before)),
        ),
    )


def found(c: Connection, written: str) -> None:
    """A reference is sought no more."""
    c.execute("DELETE FROM sought WHERE written = ?", (written,))


async def sought(db: Database) -> list[Sought]:
    """All that are sought, by the account that sought last."""
    rows = await db.rows("SELECT written, standing, why, since, tries, not_before FROM sought ORDER BY written")
    return [
        Sought(written, Standing(standing), why, from_integer(since), tries, from_integer(not_before))
        for written, standing, why, since, tries, not_before in rows
    ]
