"""Notices on their way to the operators: the rows of the outbox that carry them, one a notice and a route."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from sqlite3 import Connection
from typing import Any, NamedTuple

from bot.model import Destination, Entity
from bot.ports import Lane, Voice
from bot.render.richtext import Message
from bot.storage import outbox
from bot.storage.database import Database
from bot.storage.outbox import Row
from bot.storage.places import destination
from bot.storage.times import to_integer

#: How the subject of a notice begins that somebody cannot be told in private; the rest is the chat.
OPERATOR = "operator "
#: Why a row was taken back: the notice goes another way.
TAKEN_BACK = "taken back: the account that was to say it is away"


class Carried(NamedTuple):
    """A row that carries a notice (its number) by a route: what its key says after that."""

    id: int
    notice: int
    route: str
    destination: Destination
    voice: Voice
    message: Message
    state: str
    why: str | None

    @property
    def refused(self) -> bool:
        """Its chat does not take it; one that was taken back is none of these."""
        return self.state == "refused" and not self.is_taken_back

    @property
    def waits(self) -> bool:
        """It was not sent, and may be taken back."""
        return self.state == "waits"

    @property
    def tried(self) -> bool:
        """It may have been sent."""
        return self.state == "tried"

    @property
    def is_taken_back(self) -> bool:
        return self.state == "refused" and self.why == TAKEN_BACK


def send(  # noqa: PLR0913, PLR0917 - what makes up a row
    c: Connection,
    secret: bytes,
    notice: int,
    route: str,
    to: Destination,
    voice: Voice,
    message: Message,
    now: datetime,
) -> None:
    """Puts a notice into the outbox by this route; once, however often it is called."""
    key = f"notice {notice} {route}"
    # In a database that was restored numbers are given anew, and Telegram forgets no `random_id`.
    number = outbox.random_id(secret, f"{key} {to_integer(now)}")
    outbox.add(c, [Row(key, to, Lane.NOTICE, message, now, number, voice)])


async def looked(database: Database, since: datetime) -> list[list[Carried]]:
    """The rows of each notice that was told from then on, in order."""
    return _grouped(await database.rows(_CARRIED, (to_integer(since),)))


def carried(c: Connection, since: datetime) -> list[list[Carried]]:
    """The same, where it is about to be changed."""
    return _grouped(c.execute(_CARRIED, (to_integer(since),)))


#: By the index of notices: by that of keys all that were ever told would be read.
_CARRIED = """
    SELECT id, key, destination, voice, text, entities, state, why FROM outbox INDEXED BY outbox_notice
    WHERE lane = 'notice' AND key LIKE 'notice %' AND made >= ? ORDER BY id
"""


async def refused(database: Database) -> int:
    """How many rows were refused or taken back: what they say has gone another way."""
    [(count,)] = await database.rows(
        "SELECT count(*) FROM outbox INDEXED BY outbox_notice WHERE lane = 'notice' AND state = 'refused'"
    )
    return int(count)


def _grouped(rows: Iterable[tuple[Any, ...]]) -> list[list[Carried]]:
    found: dict[int, list[Carried]] = {}
    for row in rows:
        one = _carried(*row)
        found.setdefault(one.notice, []).append(one)
    return [*found.values()]


def take_back(c: Connection, row: Carried) -> None:
    """It is not tried any more, if it ever was."""
    outbox.refuse(c, row.id, TAKEN_BACK, unsent=row.waits)


def give_up(c: Connection, row: Carried) -> None:
    """It was refused, and what it says goes another way: it is not tried again."""
    outbox.refuse(c, row.id, row.why or "", unsent=False)


def _carried(  # noqa: PLR0913, PLR0917 - the columns of a row
    id_: int, key: str, place: str, voice: str, text: str, entities: str, state: str, why: str | None
) -> Carried:
    _, number, route = key.split(" ", 2)
    message = Message(text, tuple(Entity(*one) for one in json.loads(entities)))
    return Carried(id_, int(number), route, destination(place), Voice(voice), message, state, why)
