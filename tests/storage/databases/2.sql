BEGIN TRANSACTION;
CREATE TABLE bundle (
        id INTEGER PRIMARY KEY,
        destination TEXT NOT NULL,
        reason TEXT NOT NULL,
        since INTEGER NOT NULL,
        due INTEGER NOT NULL,
        told INTEGER
    ) STRICT
    ;
CREATE TABLE call (id INTEGER PRIMARY KEY, method TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
INSERT INTO "call" VALUES(1,'messages.getHistory',1733659320000000);
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
    , standing TEXT NOT NULL DEFAULT 'polled', tries INTEGER NOT NULL DEFAULT 0, look_at INTEGER) STRICT
    ;
INSERT INTO "channel" VALUES(-1001000000001,'alfa_demo','Альфа',7,7,1733659320000000,7,7,3,0,NULL,NULL,NULL,'joined',0,NULL);
CREATE TABLE fact (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO "fact" VALUES('secret',X'0000000000000000000000000000000000000000000000000000000000000000');
CREATE TABLE held (
        bundle INTEGER NOT NULL REFERENCES bundle (id) ON DELETE CASCADE,
        channel INTEGER NOT NULL,
        number INTEGER NOT NULL,
        seen INTEGER NOT NULL,
        PRIMARY KEY (bundle, channel, number)
    ) STRICT, WITHOUT ROWID
    ;
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
    ;
INSERT INTO "match" VALUES(1,-1001000000001,7,'syria','Syria','["Дамаск"]','[]','-1001000000001/7','@desk_demo','quiet',1733695200000000,1733659320000000);
CREATE TABLE member (
        id INTEGER PRIMARY KEY,
        post TEXT NOT NULL UNIQUE,
        story TEXT NOT NULL,
        date INTEGER NOT NULL,
        fingerprint BLOB NOT NULL,
        words INTEGER NOT NULL,
        origins TEXT NOT NULL
    ) STRICT
    ;
INSERT INTO "member" VALUES(1,'-1001000000001/7','-1001000000001/7',1733659260000000,X'0102030405',3,'["alfa_demo/7"]');
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
    ;
INSERT INTO "message" VALUES(-1001000000001,7,'post',NULL,7,1733659260000000,1733659320000000,NULL,'3132333435363738','{"text":"Взрыв в Дамаске"}');
CREATE TABLE notice (
        id INTEGER PRIMARY KEY,
        subject TEXT NOT NULL,
        what TEXT NOT NULL,
        details TEXT NOT NULL,
        made INTEGER NOT NULL,
        told INTEGER
    ) STRICT
    ;
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
    ;
CREATE TABLE peer (
        account INTEGER NOT NULL,
        channel INTEGER NOT NULL,
        access_hash INTEGER NOT NULL,
        joined INTEGER NOT NULL, join_after INTEGER,
        PRIMARY KEY (account, channel)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO "peer" VALUES(11,-1001000000001,7,1,NULL);
CREATE TABLE quota (
        method TEXT PRIMARY KEY,
        until INTEGER NOT NULL,
        share REAL NOT NULL,
        changed INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO "quota" VALUES('messages.getHistory',1733659380000000,0.5,1733659320000000);
CREATE TABLE reference (written TEXT PRIMARY KEY, channel INTEGER NOT NULL, checked INTEGER) STRICT, WITHOUT ROWID;
INSERT INTO "reference" VALUES('@alfa_demo',-1001000000001,NULL);
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
    ;
INSERT INTO "sought" VALUES(11,'@nobody_demo','sought','there is nobody of this name',1733659320000000,1,1733662920000000);
CREATE TABLE told (
        story TEXT NOT NULL,
        destination TEXT NOT NULL,
        topic TEXT NOT NULL,
        urgent INTEGER NOT NULL,
        seen INTEGER NOT NULL,
        PRIMARY KEY (story, destination, topic)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO "told" VALUES('-1001000000001/7','@desk_demo','syria',1,1733659320000000);
CREATE TABLE version (
        channel INTEGER NOT NULL,
        number INTEGER NOT NULL,
        until INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (channel, number, until)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO "version" VALUES(-1001000000001,7,1733659320000000,'{"text":"Взрыв"}');
CREATE INDEX message_album ON message (channel, album) WHERE album IS NOT NULL;
CREATE INDEX match_seen ON match (seen);
CREATE INDEX member_story ON member (story);
CREATE INDEX member_date ON member (date);
CREATE UNIQUE INDEX bundle_open ON bundle (destination, reason) WHERE told IS NULL;
CREATE INDEX outbox_open ON outbox (lane, id) WHERE state IN ('waits', 'tried');
CREATE INDEX outbox_story ON outbox (story, destination) WHERE story IS NOT NULL;
CREATE INDEX notice_subject ON notice (subject, id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('match',1);
COMMIT;
PRAGMA application_id = 1986294833;
PRAGMA user_version = 2;
