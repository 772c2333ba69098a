"""The tables, as numbered steps that are only ever added to: a database written by any version can be brought here.

Each step runs in a transaction of its own; ``PRAGMA user_version`` says how many a database has had. Times are whole
microseconds since 1970 (UTC), channels are Telegram's marked ids, places are texts as `bot.model.Destination` has them.
"""

from __future__ import annotations

from typing import NamedTuple


class Column(NamedTuple):
    """A column that a table is given unless it has it: a step was changed while it was unreleased, and some have had
    it as it was before."""

    table: str
    name: str
    declared: str


#: What is asked of every table: types are held (STRICT), and no row is found by a number of SQLite's own if it has one.
_FIRST = (
    # What is known of this installation: the secret from which random ids are made, who is signed in.
    "CREATE TABLE fact (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID",
    """
    CREATE TABLE channel (
        id INTEGER PRIMARY KEY,
        username TEXT,
        title TEXT,
        floor INTEGER NOT NULL,
        began INTEGER NOT NULL,
        since INTEGER,       -- when it was first read: how far back its history goes is counted from here
        verified INTEGER NOT NULL,
        top INTEGER NOT NULL,
        pts INTEGER NOT NULL,
        history_read INTEGER NOT NULL,
        read_at INTEGER,     -- when a sweep or a page last showed all that there is
        checked_at INTEGER,  -- when its newest posts were last compared with what is stored
        refused TEXT         -- why it cannot be read, where that is so
    ) STRICT
    """,
    # Access hashes are an account's own.
    """
    CREATE TABLE peer (
        account INTEGER NOT NULL,
        channel INTEGER NOT NULL,
        access_hash INTEGER NOT NULL,
        joined INTEGER NOT NULL,
        PRIMARY KEY (account, channel)
    ) STRICT, WITHOUT ROWID
    """,
    # What a configuration calls a channel ("@name", "t.me/+code", "-100…"), resolved once.
    "CREATE TABLE reference (written TEXT PRIMARY KEY, channel INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    # One row for each number under which something stands. `post` is the number of the post that it belongs to: its
    # own, or an album's lowest. `body` is a recording's line without its channel, `digest` what an edit changes.
    """
    CREATE TABLE message (
        channel INTEGER NOT NULL,
        number INTEGER NOT NULL,
        stands TEXT NOT NULL,
        album INTEGER,
        post INTEGER NOT NULL,
        date INTEGER,
        seen INTEGER NOT NULL,
        deleted INTEGER,
        digest TEXT,
        body TEXT,
        PRIMARY KEY (channel, number)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX message_album ON message (channel, album) WHERE album IS NOT NULL",
    # How a message read before an edit that was seen at `until`.
    """
    CREATE TABLE version (
        channel INTEGER NOT NULL,
        number INTEGER NOT NULL,
        until INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (channel, number, until)
    ) STRICT, WITHOUT ROWID
    """,
    # `keywords` and `hits` are JSON, as the match object has them. An id is never used again: up to which match was
    # printed is kept beside the database.
    """
    CREATE TABLE match (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        channel INTEGER NOT NULL,
        number INTEGER NOT NULL,
        topic TEXT NOT NULL,
        title TEXT NOT NULL,
        keywords TEXT NOT NULL,
        hits TEXT NOT NULL,
        story TEXT NOT NULL,
        destination TEXT NOT NULL,
        reason TEXT NOT NULL,
        due INTEGER,
        seen INTEGER NOT NULL,
        UNIQUE (channel, number, topic)
    ) STRICT
    """,
    "CREATE INDEX match_seen ON match (seen)",
    # Members of stories in the order in which they joined; `story` and `post` are "channel/number".
    """
    CREATE TABLE member (
        id INTEGER PRIMARY KEY,
        post TEXT NOT NULL UNIQUE,
        story TEXT NOT NULL,
        date INTEGER NOT NULL,
        fingerprint BLOB NOT NULL,
        words INTEGER NOT NULL,
        origins TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX member_story ON member (story)",
    "CREATE INDEX member_date ON member (date)",
    """
    CREATE TABLE told (
        story TEXT NOT NULL,
        destination TEXT NOT NULL,
        topic TEXT NOT NULL,
        urgent INTEGER NOT NULL,
        seen INTEGER NOT NULL,
        PRIMARY KEY (story, destination, topic)
    ) STRICT, WITHOUT ROWID
    """,
    # What is held: closed, and told in one message, when it is due.
    """
    CREATE TABLE bundle (
        id INTEGER PRIMARY KEY,
        destination TEXT NOT NULL,
        reason TEXT NOT NULL,
        since INTEGER NOT NULL,
        due INTEGER NOT NULL,
        told INTEGER
    ) STRICT
    """,
    "CREATE UNIQUE INDEX bundle_open ON bundle (destination, reason) WHERE told IS NULL",
    """
    CREATE TABLE held (
        bundle INTEGER NOT NULL REFERENCES bundle (id) ON DELETE CASCADE,
        channel INTEGER NOT NULL,
        number INTEGER NOT NULL,
        seen INTEGER NOT NULL,
        PRIMARY KEY (bundle, channel, number)
    ) STRICT, WITHOUT ROWID
    """,
    # Messages that are to be sent, frozen. `state`: waits, tried (it may have been sent), sent, refused.
    """
    CREATE TABLE outbox (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        destination TEXT NOT NULL,
        lane TEXT NOT NULL,
        random_id INTEGER NOT NULL,
        text TEXT NOT NULL,
        entities TEXT NOT NULL,
        story TEXT,
        post TEXT,
        made INTEGER NOT NULL,
        not_before INTEGER NOT NULL,
        state TEXT NOT NULL,
        tries INTEGER NOT NULL,
        why TEXT,
        sent INTEGER,
        number INTEGER
    ) STRICT
    """,
    "CREATE INDEX outbox_open ON outbox (lane, id) WHERE state IN ('waits', 'tried')",
    "CREATE INDEX outbox_story ON outbox (story, destination) WHERE story IS NOT NULL",
    # What the operators are told, once a change: `subject` is what changed ("channel -100…"), `what` what it is now.
    """
    CREATE TABLE notice (
        id INTEGER PRIMARY KEY,
        subject TEXT NOT NULL,
        what TEXT NOT NULL,
        details TEXT NOT NULL,
        made INTEGER NOT NULL,
        told INTEGER
    ) STRICT
    """,
    "CREATE INDEX notice_subject ON notice (subject, id)",
    # Telegram's quotas: calls as long as they count, waits that were asked for, and how far the pace was lowered.
    "CREATE TABLE call (id INTEGER PRIMARY KEY, method TEXT NOT NULL, at INTEGER NOT NULL) STRICT",
    """
    CREATE TABLE quota (
        method TEXT PRIMARY KEY,
        until INTEGER NOT NULL,
        share REAL NOT NULL,
        changed INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
)

#: How accounts stand with channels, and when what failed may be tried again.
_STANDINGS = (
    # As the account that reads sees it: a `bot.standing.Standing`.
    "ALTER TABLE channel ADD COLUMN standing TEXT NOT NULL DEFAULT 'polled'",
    # How often it was looked after in vain since it was refused, and when it is looked after next.
    "ALTER TABLE channel ADD COLUMN tries INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE channel ADD COLUMN look_at INTEGER",
    """
    UPDATE channel SET standing = CASE
        WHEN refused IS NOT NULL THEN 'refused'
        WHEN EXISTS (SELECT 1 FROM peer WHERE channel = channel.id AND joined) THEN 'joined'
        ELSE 'polled' END
    """,
    # Before then this account does not try to join it.
    "ALTER TABLE peer ADD COLUMN join_after INTEGER",
    # When it was last asked whether the name still is the channel's, which is called something else by now.
    "ALTER TABLE reference ADD COLUMN checked INTEGER",
    # References of the configuration that lead an account to no channel yet; `why` is NULL before it was asked.
    """
    CREATE TABLE sought (
        account INTEGER NOT NULL,
        written TEXT NOT NULL,
        standing TEXT NOT NULL,
        why TEXT,
        since INTEGER NOT NULL,
        tries INTEGER NOT NULL,
        not_before INTEGER NOT NULL,
        PRIMARY KEY (account, written)
    ) STRICT, WITHOUT ROWID
    """,
)

#: What is sent to Telegram: by whom, what it says of which stories, how fast; and what digests have told.
_TELLING = (
    "DROP INDEX outbox_story",
    "ALTER TABLE outbox DROP COLUMN story",
    "ALTER TABLE outbox DROP COLUMN post",
    # Who is to say it: speaker or reader. The account that tried it first, and alone may repeat it.
    "ALTER TABLE outbox ADD COLUMN voice TEXT NOT NULL DEFAULT 'speaker'",
    "ALTER TABLE outbox ADD COLUMN account INTEGER",
    # The marked id of the chat, once that is known.
    "ALTER TABLE outbox ADD COLUMN chat INTEGER",
    "ALTER TABLE outbox ADD COLUMN silent INTEGER NOT NULL DEFAULT 0",
    # A `bot.ports.Forward` as JSON; `text` is then the header under it.
    "ALTER TABLE outbox ADD COLUMN forward TEXT",
    # Of a bundle, of which a message may be one of several parts.
    "ALTER TABLE outbox ADD COLUMN bundle INTEGER REFERENCES bundle (id)",
    "CREATE INDEX outbox_bundle ON outbox (bundle) WHERE bundle IS NOT NULL",
    # So many stories waited in it besides those that it tells.
    "ALTER TABLE bundle ADD COLUMN more INTEGER NOT NULL DEFAULT 0",
    # Since when what it says may be another, and how often that has happened: an edit is due. NULL: none is.
    "ALTER TABLE outbox ADD COLUMN changed INTEGER",
    "ALTER TABLE outbox ADD COLUMN changes INTEGER NOT NULL DEFAULT 0",
    # Whether an edit was begun of which nobody knows yet whether it was made: the chat may show other words.
    "ALTER TABLE outbox ADD COLUMN editing INTEGER NOT NULL DEFAULT 0",
    # Of a forwarded post, what of it may stand in the chat (`bot.storage.forms`); NULL: nothing.
    "ALTER TABLE outbox ADD COLUMN begun TEXT",
    "CREATE INDEX outbox_refused ON outbox (id) WHERE state = 'refused'",
    "CREATE INDEX outbox_changed ON outbox (chat, account, changed) WHERE changed IS NOT NULL AND state = 'sent'",
    "CREATE INDEX outbox_notice ON outbox (made) WHERE lane = 'notice'",
    "CREATE INDEX notice_untold ON notice (id) WHERE told IS NULL",
    # What a message says, story after story: the post that it tells of, and of which topics (names, JSON).
    """
    CREATE TABLE says (
        message INTEGER NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
        place INTEGER NOT NULL,
        story TEXT NOT NULL,
        channel INTEGER NOT NULL,
        number INTEGER NOT NULL,
        topics TEXT NOT NULL,
        urgent INTEGER NOT NULL,
        edited INTEGER NOT NULL,
        PRIMARY KEY (message, place)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX says_story ON says (story)",
    "CREATE INDEX says_post ON says (channel, number)",
    # What was sent or edited of late in a chat (marked id): so many messages.
    """
    CREATE TABLE attempt (
        id INTEGER PRIMARY KEY,
        chat INTEGER NOT NULL,
        at INTEGER NOT NULL,
        messages INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX attempt_chat ON attempt (chat, at)",
    # Until when an account sends nothing, since Telegram asked it to wait, and when that was.
    """
    CREATE TABLE rest (
        account INTEGER PRIMARY KEY,
        until INTEGER NOT NULL,
        why TEXT NOT NULL,
        noted INTEGER NOT NULL
    ) STRICT
    """,
    # Likewise of a chat (marked id) that takes nothing, or a destination, of which the chat cannot be asked for.
    """
    CREATE TABLE hold (
        place TEXT PRIMARY KEY,
        until INTEGER NOT NULL,
        noted INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    # Chats as an account addresses them that sends: what a destination calls them, without a topic.
    """
    CREATE TABLE chat (
        account INTEGER NOT NULL,
        written TEXT NOT NULL,
        chat INTEGER NOT NULL,
        access_hash INTEGER NOT NULL,
        PRIMARY KEY (account, written)
    ) STRICT, WITHOUT ROWID
    """,
    # Digests that were made, and from when on the next one of a destination tells.
    """
    CREATE TABLE digest (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        destination TEXT NOT NULL,
        since INTEGER NOT NULL,
        until INTEGER NOT NULL,
        made INTEGER NOT NULL,
        history INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX digest_destination ON digest (destination, id)",
    "CREATE TABLE period (destination TEXT PRIMARY KEY, since INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    # When its post was last seen to be edited; the digest that has told it, NULL while none has.
    "ALTER TABLE match ADD COLUMN edited INTEGER",
    "ALTER TABLE match ADD COLUMN digest INTEGER",
    # Where in its post's text begins what the channel repeats under all of them, as it was known when it was judged.
    "ALTER TABLE match ADD COLUMN footer INTEGER",
    # Whether an edit has left its post of other topics only.
    "ALTER TABLE match ADD COLUMN stale INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX match_untold ON match (destination, id) WHERE digest IS NULL",
    "CREATE INDEX match_digest ON match (digest) WHERE digest IS NOT NULL",
)

#: Messages and their versions in half the room: a row that is longer than a quarter of a page has pages of its own in a
#: table WITHOUT ROWID. Besides, what the first writers of the steps before had otherwise, so that their databases are
#: like all others: digests as blobs, numbers of matches that could be given again, and what stands first here.
_SLENDER = (
    Column("bundle", "more", "INTEGER NOT NULL DEFAULT 0"),
    Column("outbox", "editing", "INTEGER NOT NULL DEFAULT 0"),
    Column("outbox", "begun", "TEXT"),
    Column("rest", "noted", "INTEGER NOT NULL DEFAULT 0"),
    "DROP INDEX outbox_changed",
    "CREATE INDEX outbox_changed ON outbox (chat, account, changed) WHERE changed IS NOT NULL AND state = 'sent'",
    "CREATE INDEX IF NOT EXISTS outbox_notice ON outbox (made) WHERE lane = 'notice'",
    "CREATE INDEX IF NOT EXISTS notice_untold ON notice (id) WHERE told IS NULL",
    """
    CREATE TABLE IF NOT EXISTS hold (
        place TEXT PRIMARY KEY,
        until INTEGER NOT NULL,
        noted INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "ALTER TABLE rest RENAME TO rest_before",
    """
    CREATE TABLE rest (
        account INTEGER PRIMARY KEY,
        until INTEGER NOT NULL,
        why TEXT NOT NULL,
        noted INTEGER NOT NULL
    ) STRICT
    """,
    # OR ROLLBACK, here and below: else SQLite keeps aside what it would need to undo the one statement, in the folder
    # for temporary files. That is small in a container.
    "INSERT OR ROLLBACK INTO rest SELECT account, until, why, noted FROM rest_before",
    "DROP TABLE rest_before",
    "DROP INDEX message_album",
    "ALTER TABLE message RENAME TO message_before",
    """
    CREATE TABLE message (
        channel INTEGER NOT NULL,
        number INTEGER NOT NULL,
        stands TEXT NOT NULL,
        album INTEGER,
        post INTEGER NOT NULL,
        date INTEGER,
        seen INTEGER NOT NULL,
        deleted INTEGER,
        digest TEXT,
        body TEXT,
        PRIMARY KEY (channel, number)
    ) STRICT
    """,
    """
    INSERT OR ROLLBACK INTO message SELECT channel, number, stands, album, post, date, seen, deleted,
        CASE typeof(digest) WHEN 'blob' THEN lower(hex(digest)) ELSE digest END, body FROM message_before
    """,
    "DROP TABLE message_before",
    "CREATE INDEX message_album ON message (channel, album) WHERE album IS NOT NULL",
    "ALTER TABLE version RENAME TO version_before",
    """
    CREATE TABLE version (
        channel INTEGER NOT NULL,
        number INTEGER NOT NULL,
        until INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (channel, number, until)
    ) STRICT
    """,
    "INSERT OR ROLLBACK INTO version SELECT channel, number, until, body FROM version_before",
    "DROP TABLE version_before",
    *("DROP INDEX match_seen", "DROP INDEX match_untold", "DROP INDEX match_digest"),
    "ALTER TABLE match RENAME TO match_before",
    """
    CREATE TABLE match (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        channel INTEGER NOT NULL,
        number INTEGER NOT NULL,
        topic TEXT NOT NULL,
        title TEXT NOT NULL,
        keywords TEXT NOT NULL,
        hits TEXT NOT NULL,
        story TEXT NOT NULL,
        destination TEXT NOT NULL,
        reason TEXT NOT NULL,
        due INTEGER,
        seen INTEGER NOT NULL,
        edited INTEGER,
        digest INTEGER,
        footer INTEGER,
        stale INTEGER NOT NULL DEFAULT 0,
        UNIQUE (channel, number, topic)
    ) STRICT
    """,
    """
    INSERT OR ROLLBACK INTO match SELECT id, channel, number, topic, title, keywords, hits, story, destination, reason,
        due, seen, edited, digest, footer, stale FROM match_before
    """,
    # Where the newest were removed their numbers were used all the same.
    """
    UPDATE sqlite_sequence SET seq = before.seq FROM sqlite_sequence AS before
        WHERE sqlite_sequence.name = 'match' AND before.name = 'match_before'
    """,
    "DROP TABLE match_before",
    "CREATE INDEX match_seen ON match (seen)",
    "CREATE INDEX match_untold ON match (destination, id) WHERE digest IS NULL",
    "CREATE INDEX match_digest ON match (digest) WHERE digest IS NOT NULL",
)

#: The steps, oldest first. Never change one that was released; add the next.
STEPS: tuple[tuple[str | Column, ...], ...] = (_FIRST, _STANDINGS, _TELLING, _SLENDER)
#: What `PRAGMA application_id` says in a database of ours: "vdt1".
APPLICATION = 0x76647431
