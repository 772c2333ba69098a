"""What a configuration's references were resolved to, watched or not: a name costs a call of which there are few."""

from __future__ import annotations

from sqlite3 import Connection

from bot.model import ChannelRef, Peer
from bot.storage import channels
from bot.storage.database import Database


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


def remember(c: Connection, account: int, ref: ChannelRef, peer: Peer) -> None:
    """This account was shown this channel behind the reference."""
    channels.put(c, account, peer, None)
    channels.refer(c, str(ref), peer.id)
