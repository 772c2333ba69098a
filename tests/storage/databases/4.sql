BEGIN TRANSACTION;
CREATE TABLE attempt (
        id INTEGER PRIMARY KEY,
        chat INTEGER NOT NULL,
        at INTEGER NOT NULL,
        messages INTEGER NOT NULL
    ) STRICT
    ;
INSERT INTO "attempt" VALUES(1,-7,1733659350000000,1);
CREATE TABLE bundle (
        id INTEGER PRIMARY KEY,
        destination TEXT NOT NULL,
        reason TEXT NOT NULL,
        since INTEGER NOT NULL,
        due INTEGER NOT NULL,
        told INTEGER
    , more INTEGER NOT NULL DEFAULT 0) STRICT
    ;
INSERT INTO "bundle" VALUES(1,'@desk_demo','quiet',1733659320000000,1733695200000000,NULL,0);
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
CREATE TABLE chat (
        account INTEGER NOT NULL,
        written TEXT NOT NULL,
        chat INTEGER NOT NULL,
        access_hash INTEGER NOT NULL,
        PRIMARY KEY (account, written)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO "chat" VALUES(11,'@desk_demo',-1001000000009,8);
CREATE TABLE digest (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        destination TEXT NOT NULL,
        since INTEGER NOT NULL,
        until INTEGER NOT NULL,
        made INTEGER NOT NULL,
        history INTEGER NOT NULL
    ) STRICT
    ;
INSERT INTO "digest" VALUES(1,'@desk_demo',1733623200000000,1733695200000000,1733695260000000,0);
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
INSERT INTO "held" VALUES(1,-1001000000001,7,1733659320000000);
CREATE TABLE hold (
        place TEXT PRIMARY KEY,
        until INTEGER NOT NULL,
        noted INTEGER NOT NULL
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
        edited INTEGER,
        digest INTEGER,
        footer INTEGER,
        stale INTEGER NOT NULL DEFAULT 0,
        UNIQUE (channel, number, topic)
    ) STRICT
    ;
INSERT INTO "match" VALUES(1,-1001000000001,7,'syria','Syria','["Дамаск"]','[]','-1001000000001/7','@desk_demo','quiet',1733695200000000,1733659320000000,NULL,NULL,NULL,0);
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
    ) STRICT
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
        made INTEGER NOT NULL,
        not_before INTEGER NOT NULL,
        state TEXT NOT NULL,
        tries INTEGER NOT NULL,
        why TEXT,
        sent INTEGER,
        number INTEGER
    , voice TEXT NOT NULL DEFAULT 'speaker', account INTEGER, chat INTEGER, silent INTEGER NOT NULL DEFAULT 0, forward TEXT, bundle INTEGER REFERENCES bundle (id), changed INTEGER, changes INTEGER NOT NULL DEFAULT 0, editing INTEGER NOT NULL DEFAULT 0, begun TEXT) STRICT
    ;
INSERT INTO "outbox" VALUES(1,'alert','@desk_demo','alert',-4,'Взрыв в Дамаске','[["bold",8,7,null]]',1733659320000000,1733659320000000,'waits',0,NULL,NULL,NULL,'reader',NULL,NULL,0,'{"channel":-1001000000001,"username":"alfa_demo","numbers":[7],"random_ids":[-5],"text":"Взрыв в Дамаске","entities":[["bold",8,7,null]]}',NULL,NULL,0,0,NULL);
INSERT INTO "outbox" VALUES(2,'bundle 1','@desk_demo','alert',6,'Взрыв в Дамаске','[["bold",8,7,null]]',1733695200000000,1733695200000000,'waits',0,NULL,NULL,NULL,'speaker',NULL,NULL,1,NULL,1,NULL,0,0,NULL);
CREATE TABLE peer (
        account INTEGER NOT NULL,
        channel INTEGER NOT NULL,
        access_hash INTEGER NOT NULL,
        joined INTEGER NOT NULL, join_after INTEGER,
        PRIMARY KEY (account, channel)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO "peer" VALUES(11,-1001000000001,7,1,NULL);
CREATE TABLE period (destination TEXT PRIMARY KEY, since INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO "period" VALUES('@desk_demo',1733623200000000);
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
CREATE TABLE rest (
        account INTEGER PRIMARY KEY,
        until INTEGER NOT NULL,
        why TEXT NOT NULL,
        noted INTEGER NOT NULL
    ) STRICT
    ;
INSERT INTO "rest" VALUES(11,1733659380000000,'FLOOD_WAIT',1733659320000000);
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
    ;
INSERT INTO "says" VALUES(1,0,'-1001000000001/7',-1001000000001,7,'["syria"]',0,1);
INSERT INTO "says" VALUES(2,0,'-1001000000001/7',-1001000000001,7,'["syria"]',0,1);
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
    ) STRICT
    ;
INSERT INTO "version" VALUES(-1001000000001,7,1733659320000000,'{"text":"Взрыв"}');
CREATE INDEX member_story ON member (story);
CREATE INDEX member_date ON member (date);
CREATE UNIQUE INDEX bundle_open ON bundle (destination, reason) WHERE told IS NULL;
CREATE INDEX outbox_open ON outbox (lane, id) WHERE state IN ('waits', 'tried');
CREATE INDEX notice_subject ON notice (subject, id);
CREATE INDEX outbox_bundle ON outbox (bundle) WHERE bundle IS NOT NULL;
CREATE INDEX outbox_refused ON outbox (id) WHERE state = 'refused';
CREATE INDEX outbox_notice ON outbox (made) WHERE lane = 'notice';
CREATE INDEX notice_untold ON notice (id) WHERE told IS NULL;
CREATE INDEX says_story ON says (story);
CREATE INDEX says_post ON says (channel, number);
CREATE INDEX attempt_chat ON attempt (chat, at);
CREATE INDEX digest_destination ON digest (destination, id);
CREATE INDEX outbox_changed ON outbox (chat, account, changed) WHERE changed IS NOT NULL AND state = 'sent';
CREATE INDEX message_album ON message (channel, album) WHERE album IS NOT NULL;
CREATE INDEX match_seen ON match (seen);
CREATE INDEX match_untold ON match (destination, id) WHERE digest IS NULL;
CREATE INDEX match_digest ON match (digest) WHERE digest IS NOT NULL;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('match',1);
INSERT INTO "sqlite_sequence" VALUES('digest',1);
COMMIT;
PRAGMA application_id = 1986294833;
PRAGMA user_version = 4;
