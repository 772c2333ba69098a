"""Messages that are to be sent, frozen: written down with what caused them, claimed, and confirmed when they stand.

A message is marked before it is sent. One that was tried when the process was killed may have been sent, and is
claimed again with the same ``random_id``, by which Telegram knows a repeat of the same account:
https://core.telegram.org/method/messages.sendMessage

A row of state ``waits`` was certainly not sent. One of state ``tried`` may have been, and only ``account`` may repeat
it. ``refused``: its chat does not take it; it is tried again at ``not_before``, or never (`NEVER`), and one that has
an account may have been sent all the same. Of a ``sent`` one ``not_before`` is when it may be edited.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from sqlite3 import Connection
from typing import Any, NamedTuple

from bot.model import Destination, Entity, PostId, Reason
from bot.pacing import BETWEEN, EDITABLE
from bot.ports import Forward, Lane, Outgoing, Voice
from bot.render.richtext import Message
from bot.storage.database import Database
from bot.storage.places import destination, written
from bot.storage.times import from_integer, from_integer_if, to_integer

NEVER = to_integer(datetime(9999, 12, 31, tzinfo=UTC))
_OPEN = "state IN ('waits', 'tried')"
#: The refused ones that are tried again.
_REFUSED = f"state = 'refused' AND not_before < {NEVER}"


class Saying(NamedTuple):
    """That a message tells of a story, by this post of it (marked id and number), as of these topics (names)."""

    story: PostId
    channel: int
    number: int
    topics: tuple[str, ...]
    urgent: bool
    edited: bool


class Row(NamedTuple):
    """A message to be sent; ``key`` says what it tells, and the same key is the same message.

    Of a ``forward`` the message is what stands under it. ``says``: what it tells, in the order in which it does.
    """

    key: str
    destination: Destination
    lane: Lane
    message: Message
    made: datetime
    random_id: int
    voice: Voice = Voice.SPEAKER
    silent: bool = False
    forward: Forward | None = None
    says: tuple[Saying, ...] = ()
    bundle: int | None = None


class Waiting(NamedTuple):
    """A message that is still to be sent, without its text.

    ``account``: it may have been sent by this one, which alone may repeat it. ``chat``: the marked id, where it was
    tried there.
    """

    id: int
    destination: Destination
    lane: Lane
    voice: Voice
    made: datetime
    not_before: datetime
    tries: int
    weight: int
    refused: bool
    account: int | None
    chat: int | None


class Edit(NamedTuple):
    """A sent message that may have to say something else since ``changed``. ``number``: where it stands in its chat."""

    id: int
    destination: Destination
    chat: int | None
    account: int | None
    number: int | None
    sent: datetime
    changed: datetime
    not_before: datetime


class Standing(NamedTuple):
    """How a sent message reads, how often what it says had changed by then, and from when on it may be edited.

    ``editing``: an edit was begun of which nobody knows whether it was made, so it may read otherwise.
    """

    random_id: int
    message: Message
    changes: int
    not_before: datetime
    editing: bool


class Letter(NamedTuple):
    """A message that was refused. ``again``: when it is tried again; None: never."""

    destination: Destination
    lane: Lane
    made: datetime
    why: str
    again: datetime | None


def random_id(secret: bytes, key: str) -> int:
    """The number by which Telegram knows a repeat, made of a message's key: 64 bits with a sign, never 0."""
    digest = hmac.new(secret, key.encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big", signed=True) or 1


# --- written down and changed -----------------------------------------------------------------------------


def add(c: Connection, rows: Iterable[Row]) -> None:
    """Puts messages into the outbox; one whose key is there already is left out, with all that it says."""
    for row in rows:
        done = c.execute(
            """
            INSERT OR IGNORE INTO outbox (
                key, destination, lane, random_id, text, entities, made, not_before, voice, silent, forward, bundle,
                state, tries
            ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waits', 0)
            """,
            (
                row.key,
                written(row.destination),
                row.lane.value,
                row.random_id,
                row.message.text,
                _entities(row.message),
                made := to_integer(row.made),
                made,
                row.voice.value,
                row.silent,
                None if row.forward is None else _json_of(row.forward),
                row.bundle,
            ),
        )
        if done.rowcount > 0 and row.says:
            _say(c, int(done.lastrowid or 0), row.says)


def _say(c: Connection, message: int, says: Iterable[Saying]) -> None:
    c.executemany(
        """
        INSERT INTO says (message, place, story, channel, number, topics, urgent, edited)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [
            (message, place, str(story), channel, number, json.dumps(topics, ensure_ascii=False), urgent, edited)
            for place, (story, channel, number, topics, urgent, edited) in enumerate(says)
        ],
    )


def change(c: Connection, stories: Iterable[PostId], now: datetime) -> None:
    """What is said of these stories may be another thing now: the messages that say it are looked at.

    Those that were sent too long ago to be edited stay as they are, and so do those that will never be sent.
    """
    c.executemany(
        f"""
        UPDATE outbox SET changes = changes + 1, changed = coalesce(changed, ?)
        WHERE id IN (SELECT message FROM says WHERE story = ?) AND (sent IS NULL OR sent > ?)
            AND (state != 'refused' OR {_REFUSED})
        """,  # noqa: S608 - made of constants
        [(to_integer(now), str(story), to_integer(now - EDITABLE)) for story in stories],
    )


# --- sent -------------------------------------------------------------------------------------------------


async def waiting(database: Database) -> list[Waiting]:
    """All that is still to be sent, oldest first; also what was refused and is tried again."""
    # Two statements, for each has an index of its own.
    found = [row for which in (_OPEN, _REFUSED) for row in await database.rows(f"{_WAITING} WHERE {which}")]
    return [_waiting(row) for row in sorted(found)]


async def newest(database: Database) -> int:
    """The number of the message that was put into the outbox last; 0 where none was."""
    [(id_,)] = await database.rows("SELECT coalesce(max(id), 0) FROM outbox")
    return int(id_)


async def added(database: Database, after: int) -> list[Waiting]:
    """What was put into the outbox after that message, oldest first."""
    return [_waiting(row) for row in await database.rows(f"{_WAITING} WHERE id > ? ORDER BY id", (after,))]


_WAITING = "SELECT id, destination, lane, voice, made, not_before, tries, forward, state, account, chat FROM outbox"


def _waiting(row: tuple[Any, ...]) -> Waiting:
    id_, place, lane, voice, made, not_before, tries, forward, state, account, chat = row
    return Waiting(
        id=id_,
        destination=destination(place),
        lane=Lane(lane),
        voice=Voice(voice),
        made=from_integer(made),
        not_before=from_integer(not_before),
        tries=tries,
        weight=1 if forward is None else 1 + len(json.loads(forward)["numbers"]),
        refused=state == "refused",
        account=account if state != "waits" else None,
        chat=chat,
    )


def is_open(c: Connection, id_: int) -> bool:
    """Whether it is still to be sent: what nobody has tried may have been taken back."""
    return bool(c.execute(f"SELECT 1 FROM outbox WHERE id = ? AND ({_OPEN} OR {_REFUSED})", (id_,)).fetchall())  # noqa: S608


def claim(c: Connection, id_: int, account: int, chat: int | None) -> Outgoing | None:
    """A message as it is to be sent by this account; from now on it may have been. None: it was taken back."""
    if not is_open(c, id_):
        return None
    [(place, lane, number, text, entities, silent, forward, tries)] = c.execute(
        "SELECT destination, lane, random_id, text, entities, silent, forward, tries FROM outbox WHERE id = ?", (id_,)
    )
    c.execute(
        "UPDATE outbox SET state = 'tried', tries = tries + 1, account = ?, chat = ? WHERE id = ?", (account, chat, id_)
    )
    return Outgoing(
        id=id_,
        destination=destination(place),
        lane=Lane(lane),
        random_id=number,
        message=_message(text, entities),
        silent=bool(silent),
        forward=None if forward is None else _forward_of(forward),
        repeated=tries > 0,
    )


def confirm(c: Connection, id_: int, number: int | None, chat: int | None, now: datetime) -> bool:
    """It stands in the chat, under this number where the chat has numbers. True: it has to be edited already."""
    c.execute(
        "UPDATE outbox SET state = 'sent', sent = ?, not_before = ?, number = ?, chat = ?, why = NULL WHERE id = ?",
        (to_integer(now), to_integer(now), number, chat, id_),
    )
    [(changed,)] = c.execute("SELECT changed FROM outbox WHERE id = ?", (id_,))
    return changed is not None


def replace(c: Connection, id_: int, message: Message) -> None:
    """Not the forwarded post stands in the chat but this message."""
    c.execute(
        "UPDATE outbox SET text = ?, entities = ?, forward = NULL WHERE id = ?", (message.text, _entities(message), id_)
    )


def postpone(c: Connection, id_: int, until: datetime, why: str, *, unsent: bool = False) -> None:
    """It is not to be tried before this moment. ``unsent``: it certainly stands nowhere, and anybody may send it."""
    c.execute(
        """
        UPDATE outbox SET not_before = ?, why = ?,
            state = CASE WHEN ? THEN 'waits' ELSE state END, account = CASE WHEN ? THEN NULL ELSE account END
        WHERE id = ?
        """,
        (to_integer(until), why, unsent, unsent, id_),
    )


def refuse(c: Connection, id_: int, why: str, again: datetime | None = None, *, unsent: bool = True) -> None:
    """It is not taken. ``again``: when it is tried again; None: never, and those behind it need not wait for it."""
    c.execute(
        """
        UPDATE outbox SET state = 'refused', why = ?, not_before = ?,
            account = CASE WHEN ? THEN NULL ELSE account END WHERE id = ?
        """,
        (why, NEVER if again is None else to_integer(again), unsent, id_),
    )


def try_again(c: Connection, ids: Iterable[int], now: datetime) -> None:
    """What was refused may go now."""
    c.executemany("UPDATE outbox SET not_before = ? WHERE id = ?", [(to_integer(now), id_) for id_ in ids])


def plain(c: Connection, id_: int, messages: Sequence[Message], secret: bytes, now: datetime) -> int:
    """The same once more in these words, as messages of their own, which say nothing that would be kept up to date.

    Returns the number after which theirs come.
    """
    [(newest,)] = c.execute("SELECT max(id) FROM outbox")
    [(key,)] = c.execute("SELECT key FROM outbox WHERE id = ?", (id_,))
    keys = [f"{key} plain {part}" for part in range(1, len(messages) + 1)]
    c.executemany(
        """
        INSERT OR IGNORE INTO outbox (
            key, destination, lane, random_id, text, entities, made, not_before, voice, silent, bundle, state, tries
        )
        SELECT ?, destination, lane, ?, ?, '[]', made, ?, voice, silent, bundle, 'waits', 0 FROM outbox WHERE id = ?
        """,
        [
            (key, random_id(secret, key), message.text, to_integer(now), id_)
            for key, message in zip(keys, messages, strict=True)
        ],
    )
    return int(newest)


def give_up(c: Connection, place: Destination) -> None:
    """One more message to it is given up since it takes none."""
    c.execute(
        "INSERT INTO fact (key, value) VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET value = value + 1",
        (f"given up {written(place)}",),
    )


def given_up(c: Connection, place: Destination) -> int:
    """How many messages to it were given up since it took one last; they are counted anew from now on."""
    found = c.execute("DELETE FROM fact WHERE key = ? RETURNING value", (f"given up {written(place)}",)).fetchall()
    return int(found[0][0]) if found else 0


# --- edited -----------------------------------------------------------------------------------------------


async def edits(database: Database, most: int = 20) -> list[Edit]:
    """The sent messages that may have to say something else by now, the oldest change first.

    Of each chat so many that an account has sent there.
    """
    found = await database.rows(
        """
        SELECT o.id, o.destination, o.chat, o.account, o.number, coalesce(o.sent, o.made), o.changed, o.not_before
        FROM (SELECT DISTINCT chat, account FROM outbox WHERE changed IS NOT NULL AND state = 'sent') AS p
        CROSS JOIN outbox AS o ON o.id IN (
            SELECT id FROM outbox
            WHERE changed IS NOT NULL AND state = 'sent' AND chat IS p.chat AND account IS p.account
            ORDER BY changed, id LIMIT ?
        )
        ORDER BY o.changed, o.id
        """,
        (most,),
    )
    return [
        Edit(id_, destination(place), chat, account, number, *map(from_integer, moments))
        for id_, place, chat, account, number, *moments in found
    ]


async def standing(database: Database, id_: int) -> Standing | None:
    """How a sent message reads that may have to be edited; None where nothing has changed."""
    sql = "SELECT random_id, text, entities, changes, not_before, editing FROM outbox WHERE id = ? AND changed NOT NULL"
    for number, text, entities, changes, not_before, editing in await database.rows(sql, (id_,)):
        return Standing(number, _message(text, entities), changes, from_integer(not_before), bool(editing))
    return None


def edit(c: Connection, id_: int) -> None:
    """It is about to be edited; until that is known to be done (`edited`), it may read otherwise than it is kept."""
    c.execute("UPDATE outbox SET editing = 1 WHERE id = ?", (id_,))


def edited(c: Connection, id_: int, changes: int, now: datetime, message: Message | None = None) -> None:
    """It says what it should after so many changes; it reads so now (None: as before). Later ones wait their time."""
    c.execute(
        "UPDATE outbox SET changed = CASE WHEN changes = ? THEN NULL ELSE ? END WHERE id = ?",
        (changes, to_integer(now), id_),
    )
    if message is not None:
        c.execute(
            "UPDATE outbox SET text = ?, entities = ?, not_before = ?, editing = 0 WHERE id = ?",
            (message.text, _entities(message), to_integer(now + BETWEEN), id_),
        )


def leave(c: Connection, id_: int) -> None:
    """It stays as it stands, whatever has changed: what became of its posts meanwhile the next digest tells."""
    c.execute("UPDATE outbox SET changed = NULL WHERE id = ?", (id_,))
    c.execute(
        """
        UPDATE match SET digest = NULL WHERE id IN (
            SELECT m.id FROM outbox AS o CROSS JOIN says AS s ON s.message = o.id
            CROSS JOIN match AS m ON m.channel = s.channel AND m.number = s.number AND m.destination = o.destination
            LEFT JOIN message AS p ON p.channel = s.channel AND p.number = s.number
            LEFT JOIN digest AS d ON d.id = m.digest
            WHERE o.id = ? AND NOT m.stale AND m.reason != ?
                AND max(ifnull(m.edited, 0), ifnull(p.deleted, 0)) >= max(o.made, ifnull(d.made, 0))
        )
        """,
        (id_, Reason.HISTORY.value),
    )


# --- looked at --------------------------------------------------------------------------------------------


async def next_moment(database: Database) -> datetime | None:
    """When the next message may go, which may be past; None when nothing waits."""
    # Of each group SQLite takes the other column from the row of its least id: sqlite.org/lang_select.html#bareagg
    [(moment,)] = await database.rows(
        f"""
        SELECT min(not_before) FROM (
            SELECT min(id), not_before FROM (
                SELECT id, lane, destination, not_before FROM outbox WHERE {_OPEN}
                UNION ALL SELECT id, lane, destination, not_before FROM outbox WHERE {_REFUSED}
            ) GROUP BY lane, destination
        )
        """  # noqa: S608 - made of constants
    )
    return from_integer_if(moment)


async def depth(database: Database) -> dict[str, int]:
    """How many messages are in each state: waits, tried (it may have been sent), sent, refused."""
    counts = dict(await database.rows("SELECT state, count(*) FROM outbox GROUP BY state"))
    return {state: counts.get(state, 0) for state in ("waits", "tried", "sent", "refused")}


async def refused(database: Database, limit: int) -> list[Letter]:
    """The newest messages that were refused, newest first."""
    found = await database.rows(
        "SELECT destination, lane, made, why, not_before FROM outbox WHERE state = 'refused' ORDER BY id DESC LIMIT ?",
        (limit,),
    )
    return [
        Letter(destination(place), Lane(lane), from_integer(made), why, None if at >= NEVER else from_integer(at))
        for place, lane, made, why, at in found
    ]


async def told_since(database: Database, since: datetime) -> list[tuple[Destination, datetime]]:
    """Where and when alerts were made from that moment on, oldest first; urgent ones too."""
    rows = await database.rows(_TOLD_SINCE, (to_integer(since - _ABOUT), to_integer(since)))
    return [(destination(place), from_integer(made)) for place, made in rows]


#: By so much a row may have been made before one that was written before it.
_ABOUT = timedelta(minutes=1)
#: From the newest back to the first that is too old: what was told in a year is not looked at.
_TOLD_SINCE = """
    SELECT destination, made FROM outbox
    WHERE id > coalesce(
        (SELECT id FROM outbox WHERE lane IN ('alert', 'urgent') AND made < ? ORDER BY id DESC LIMIT 1), 0
    ) AND made >= ? AND lane IN ('alert', 'urgent')
    ORDER BY made, id
"""


def _entities(message: Message) -> str:
    return json.dumps(message.entities, ensure_ascii=False, separators=(",", ":"))


def _message(text: str, entities: str) -> Message:
    return Message(text, tuple(Entity(*entity) for entity in json.loads(entities)))


def _json_of(forward: Forward) -> str:
    raw = {
        "channel": forward.channel,
        "username": forward.username,
        "numbers": forward.numbers,
        "random_ids": forward.random_ids,
        "text": forward.excerpt.text,
        "entities": forward.excerpt.entities,
    }
    return json.dumps(raw, ensure_ascii=False, separators=(",", ":"))


def _forward_of(text: str) -> Forward:
    raw = json.loads(text)
    return Forward(
        channel=raw["channel"],
        username=raw["username"],
        numbers=tuple(raw["numbers"]),
        random_ids=tuple(raw["random_ids"]),
        excerpt=Message(raw["text"], tuple(Entity(*entity) for entity in raw["entities"])),
    )
