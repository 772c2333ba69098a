"""Writes `databases/VERSION.sql`: a database of the newest version, as text, for the tests of every later one.

``python -m tests.storage.stored``, once a step is final; a file of a released version is never made anew.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.cursor import began_at
from bot.model import Entity, Peer, PostId, Reason, Stands
from bot.ports import Forward, Lane, Voice
from bot.render.richtext import Message as Text
from bot.standing import Standing
from bot.storage import (
    addresses,
    attempts,
    bundles,
    channels,
    chats,
    digests,
    facts,
    matches,
    outbox,
    posts,
    quotas,
    stories,
)
from bot.storage.addresses import Sought
from bot.storage.bundles import Hold
from bot.storage.chats import Address
from bot.storage.database import NAME, Database
from bot.storage.digests import Made
from bot.storage.matches import StoredMatch
from bot.storage.migrations import APPLICATION, STEPS
from bot.storage.outbox import Row, Saying
from bot.storage.posts import Message
from bot.stories.member import Member
from tests.made import DESK, at

DATABASES = Path(__file__).parent / "databases"

ALFA = Peer(id=-1001000000001, access_hash=7, username="alfa_demo", title="Альфа", joined=True)
POST = PostId(str(ALFA.id), 7)
READER = 11
MESSAGE = Message(ALFA.id, 7, Stands.POST, None, 7, at(1), at(2), None, b"12345678", '{"text":"Взрыв в Дамаске"}')
MATCH = StoredMatch(
    *(ALFA.id, 7, "syria", "Syria", '["Дамаск"]', "[]", POST, DESK, Reason.QUIET, at(600), at(2)),
    id=1,
)
MEMBER = Member(POST, POST, at(1), b"\x01\x02\x03\x04\x05", 3, ("alfa_demo/7",))
SOUGHT = Sought("@nobody_demo", Standing.SOUGHT, "there is nobody of this name", at(2), 1, at(62))
SAYING = Saying(POST, ALFA.id, 7, ("syria",), urgent=False, edited=True)
BOLD = Text("Взрыв в Дамаске", (Entity("bold", 8, 7),))
FORWARD = Forward(channel=ALFA.id, username=ALFA.username, numbers=(7,), random_ids=(-5,), excerpt=BOLD)
ALERT = Row("alert", DESK, Lane.ALERT, BOLD, at(2), -4, Voice.READER, forward=FORWARD, says=(SAYING,))
PART = Row("bundle 1", DESK, Lane.ALERT, BOLD, at(600), 6, silent=True, says=(SAYING,), bundle=1)
DIGEST = Made(DESK, at(-600), at(600), id=1)


async def fill(database: Database) -> None:
    """At least a row in each table that this package reads back."""
    await database.write(lambda c: facts.put(c, "secret", b"\x00" * 32))
    await database.write(lambda c: channels.put(c, READER, ALFA, began_at(7, 3), since=at(2)))
    await database.write(lambda c: channels.refer(c, "@alfa_demo", ALFA.id))
    await database.write(lambda c: addresses.set_sought(c, READER, SOUGHT))
    await database.write(lambda c: posts.put(c, posts.packed([MESSAGE])))
    await database.write(lambda c: posts.keep_versions(c, [(ALFA.id, 7, at(2), '{"text":"Взрыв"}')]))
    await database.write(lambda c: matches.add(c, [MATCH]))
    await database.write(lambda c: stories.add(c, [MEMBER]))
    await database.write(lambda c: stories.tell(c, [(POST, DESK, "syria", True, at(2))]))
    await database.write(lambda c: quotas.note_call(c, "messages.getHistory", at(2), at()))
    await database.write(lambda c: quotas.set_quota(c, "messages.getHistory", at(3), 0.5, at(2)))
    await database.write(lambda c: bundles.hold(c, [Hold(DESK, Reason.QUIET, at(600), ALFA.id, 7, at(2))]))
    await database.write(lambda c: outbox.add(c, [ALERT, PART]))
    await database.write(lambda c: attempts.begin(c, -7, 1, at(2)))
    await database.write(lambda c: attempts.rest(c, READER, at(3), "FLOOD_WAIT", at(2)))
    await database.write(lambda c: chats.put(c, READER, "@desk_demo", Address(-1001000000009, 8)))
    await database.write(lambda c: digests.keep(c, [DESK], at(-600)))
    await database.write(lambda c: digests.add(c, DIGEST, at(601)))


async def dump() -> str:
    """A filled database of the newest version, as SQL."""
    with TemporaryDirectory() as folder:
        async with Database.opened(Path(folder)) as database:
            await fill(database)
        with closing(sqlite3.connect(Path(folder) / NAME)) as stored:
            pragmas = [f"PRAGMA application_id = {APPLICATION};", f"PRAGMA user_version = {len(STEPS)};"]
            return "\n".join([*stored.iterdump(), *pragmas]) + "\n"


def load(sql: Path, folder: Path) -> None:
    """Makes the database in a folder that a stored text describes."""
    with closing(sqlite3.connect(folder / NAME)) as database:
        database.executescript(sql.read_text("utf-8"))


if __name__ == "__main__":
    (DATABASES / f"{len(STEPS)}.sql").write_text(asyncio.run(dump()), "utf-8")
