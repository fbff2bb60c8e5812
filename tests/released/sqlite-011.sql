PRAGMA page_size = 16384;
PRAGMA auto_vacuum = 0;
PRAGMA user_version = 11;
BEGIN TRANSACTION;
CREATE TABLE account (
    name        TEXT PRIMARY KEY,
    created_at  REAL NOT NULL,
    empty_reply INTEGER NOT NULL,
    note        TEXT NOT NULL
, quota TEXT NOT NULL DEFAULT '', report_details INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
INSERT INTO "account" VALUES('alpha',1.79607156960470485686e+09,251,'','{"octets":null,"messages":null}',0);
CREATE TABLE audit (
    id      INTEGER PRIMARY KEY,
    at      REAL NOT NULL,
    action  TEXT NOT NULL,
    actor   TEXT NOT NULL,
    subject TEXT NOT NULL,
    account TEXT NOT NULL,
    origin  TEXT NOT NULL,
    answer  TEXT NOT NULL,
    reason  TEXT NOT NULL
, domain TEXT NOT NULL DEFAULT '', changes TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO "audit" VALUES(1,1.79607156960471963874e+09,'account-added','operator root','alpha','alpha','command line','','','','[["name", "none", "alpha"], ["empty_reply", "none", "251"], ["report_details", "none", "no"]]');
INSERT INTO "audit" VALUES(2,1.79607157448741555213e+09,'login-added','operator root','alpha','alpha','command line','','','','[["user", "none", "alpha"], ["account", "none", "alpha"], ["password", "none", "set"], ["sealed password", "none", "set"], ["SCRAM verifier", "none", "set"]]');
INSERT INTO "audit" VALUES(3,1.7960715800908918381e+09,'domain-added','operator root','alpha.example','alpha','command line','','','alpha.example','[["name", "none", "alpha.example"], ["account", "none", "alpha"], ["destination.host", "none", "127.0.0.1"], ["destination.port", "none", "25"], ["destination.tls", "none", "opportunistic"], ["destination.connections", "none", "20"], ["authorized_hosts", "none", "127.0.0.1"], ["policy.hold", "none", "until-asked"], ["policy.accept", "none", "always"], ["policy.recipients", "none", "any"], ["policy.unknown", "none", "accept"], ["policy.ignores_tags", "none", "no"], ["policy.asks_destination", "none", "no"], ["policy.retention.at_end", "none", "keep"], ["policy.refused_retention.seconds", "none", "1209600.0"], ["policy.refused_retention.at_end", "none", "keep"], ["policy.on_refusal", "none", "keep"]]');
CREATE TABLE channel (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    account    TEXT NOT NULL,            -- '' for the operator's own
    name       TEXT NOT NULL,
    way        TEXT NOT NULL,
    target     TEXT NOT NULL,
    sealed     BLOB,
    kinds      TEXT NOT NULL,            -- a line each
    created_at REAL NOT NULL,
    hears_all  INTEGER NOT NULL,
    UNIQUE (account, name)
) STRICT;
CREATE TABLE counter (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "counter" VALUES('change-number',3);
INSERT INTO "counter" VALUES('last-number',0);
INSERT INTO "counter" VALUES('notices',0);
INSERT INTO "counter" VALUES('reports',0);
CREATE TABLE domain (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    name             TEXT NOT NULL UNIQUE,
    account          TEXT NOT NULL,
    destination      TEXT NOT NULL,    -- JSON object
    authorized_hosts TEXT NOT NULL,    -- JSON array of texts
    created_at       REAL NOT NULL
, policy TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO "domain" VALUES(1,'alpha.example','alpha','{"host": "127.0.0.1", "port": 25, "tls": "opportunistic", "ca_file": "", "key_pins": [], "login": null, "connections": 20, "per_minute": null}','["127.0.0.1"]',1.7960715800906262398e+09,'{"hold":"until-asked","suspension":null,"accept":"always","forced":null,"recipients":"any","unknown":"accept","ignores_tags":false,"asks_destination":false,"quota":{"octets":null,"messages":null},"message_octets":null,"retention":{"seconds":null,"at_end":"keep"},"refused_retention":{"seconds":1209600.0,"at_end":"keep"},"on_refusal":"keep"}');
CREATE TABLE drain (
    domain_id    INTEGER PRIMARY KEY,
    number       INTEGER NOT NULL,
    requested_at REAL    NOT NULL,
    deadline     REAL    NOT NULL,
    is_open      INTEGER NOT NULL
) STRICT;
CREATE TABLE last_reply (
    domain_id    INTEGER NOT NULL,
    number       INTEGER NOT NULL,
    forward_path TEXT    NOT NULL,
    is_refused   INTEGER NOT NULL,
    reply        TEXT    NOT NULL, at REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (domain_id, number, forward_path)
) STRICT, WITHOUT ROWID;
CREATE TABLE login (
    user          TEXT PRIMARY KEY,
    account       TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    sealed_secret BLOB,
    created_at    REAL NOT NULL
, sealed_verifier BLOB) STRICT, WITHOUT ROWID;
INSERT INTO "login" VALUES('alpha','alpha','$argon2id$v=19$m=65536,t=3,p=4$bgwevtQb23gddUFy5rLKdA$APC3Y+9N1Mhv3R3Y66jBX0RGBTHVt371SaEULFTcfc0',X'DB7F4A50AD2C36FACDB591C50787287CB6CE698C44FE2175A7820216D40A9065EA67BB86CF56175B21C3D312A43A',1.79607157448732447624e+09,X'A56C5D63D2C17AA510031EA2CDE0CD1AF97F52475F67E7ADC96B2D53E68D62C1295B57C0D60BAA970EE8A6462D60E366EE23CFF014EC2FF01AE28778FE05832896090620FF7E52B61F8432B50D5F4D6A616DDDD67D6762C9EB52D87E9AF3BB745B98C853B13BA28BB5CFA3CC1C21AEEFE408750991692C39004FDA320C6E07F1655A3A4AA9C447F764C1A34CC171A2CE5E960AB319C40498202B31D57591EA3E08DF');
CREATE TABLE mark (
    domain_id INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    value     REAL    NOT NULL,
    PRIMARY KEY (domain_id, kind)
) STRICT, WITHOUT ROWID;
CREATE TABLE message (
    number       INTEGER PRIMARY KEY,  -- grows in the order of acceptance: rows are appended, never squeezed in
    domain_id    INTEGER NOT NULL,
    received_at  REAL    NOT NULL,     -- Unix time
    size         INTEGER NOT NULL,     -- octets of content, the file's included
    flags        INTEGER NOT NULL,     -- rows.py names the bits
    reverse_path TEXT    NOT NULL,
    held_paths   TEXT    NOT NULL,     -- forward-paths that wait, a line each; '' where all that are left were refused
    file         TEXT,                 -- name of the content file
    file_crc32   INTEGER,
    head_crc32   INTEGER NOT NULL,
    head         BLOB    NOT NULL
, dsn TEXT) STRICT;
INSERT INTO "message" VALUES(1796071585257469,1,1.79607158525746893884e+09,182,0,'bob@example.org','anna@alpha.example',NULL,NULL,2115500742,X'52656365697665643A2066726F6D205B3132372E302E302E315D202868656C6F3D5B3132372E302E302E315D290D0A096279206D78322E6578616D706C652E6E657420776974682045534D545020696420316B31676A306439357A780D0A09666F72203C616E6E6140616C7068612E6578616D706C653E3B0D0A094D6F6E2C203330204E6F7620323032362032303A34363A3235202B303030300D0A5375626A6563743A20736D616C6C0D0A0D0A48656C6C6F2E0D0A',NULL);
INSERT INTO "message" VALUES(1796071585357298,1,1.79607158535729885106e+09,308174,0,'bob@example.org','anna@alpha.example','c/c573cb47b01f3ba4b916cbb6a53d2c70',1276559466,3295925219,X'52656365697665643A2066726F6D205B3132372E302E302E315D202868656C6F3D5B3132372E302E302E315D290D0A096279206D78322E6578616D706C652E6E657420776974682045534D545020696420316B31676A30646337666A0D0A09666F72203C616E6E6140616C7068612E6578616D706C653E3B0D0A094D6F6E2C203330204E6F7620323032362032303A34363A3235202B303030300D0A',NULL);
CREATE TABLE notice (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    channel_id      INTEGER NOT NULL,
    key             TEXT    NOT NULL,
    news            TEXT    NOT NULL,    -- JSON object
    held_back       INTEGER NOT NULL,
    made_at         REAL    NOT NULL,
    next_attempt_at REAL    NOT NULL,
    failures        INTEGER NOT NULL,
    reply           TEXT    NOT NULL     -- why the last attempt failed
) STRICT;
CREATE TABLE past_drain (
    domain_id    INTEGER PRIMARY KEY,
    started_at   REAL    NOT NULL,
    ended_at     REAL    NOT NULL,
    requested_by TEXT    NOT NULL,
    ending       TEXT    NOT NULL,
    reason       TEXT    NOT NULL,
    delivered    INTEGER NOT NULL,
    deferred     INTEGER NOT NULL,
    refused      INTEGER NOT NULL,
    last_words   TEXT    NOT NULL
) STRICT;
CREATE TABLE quiet (
    account   TEXT    NOT NULL,
    kind      TEXT    NOT NULL,
    about     TEXT    NOT NULL,
    until     REAL    NOT NULL,
    held_back INTEGER NOT NULL,
    last      TEXT,                      -- JSON object: what was held back last
    PRIMARY KEY (account, kind, about)
) STRICT, WITHOUT ROWID;
CREATE TABLE recipient (
    domain_id INTEGER NOT NULL,
    source    TEXT    NOT NULL,
    name      TEXT    NOT NULL,
    is_there  INTEGER NOT NULL,
    at        REAL    NOT NULL,
    PRIMARY KEY (domain_id, source, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE report (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    about           INTEGER NOT NULL,  -- number of the message
    domain_id       INTEGER NOT NULL,  -- whose mail that is, or was
    action          TEXT    NOT NULL,
    reverse_path    TEXT    NOT NULL,  -- where it goes
    flags           INTEGER NOT NULL,
    made_at         REAL    NOT NULL,
    next_attempt_at REAL    NOT NULL,
    failures        INTEGER NOT NULL,
    reply           TEXT    NOT NULL,  -- why the last attempt failed
    content         BLOB    NOT NULL
) STRICT;
CREATE TABLE usage (
    domain_id   INTEGER PRIMARY KEY,
    messages    INTEGER NOT NULL,
    octets      INTEGER NOT NULL,
    refused     INTEGER NOT NULL,
    last_number INTEGER NOT NULL       -- highest ever held for it
) STRICT;
INSERT INTO "usage" VALUES(1,2,308356,0,1796071585357298);
CREATE INDEX message_held ON message (domain_id, number) WHERE held_paths <> '';
CREATE INDEX message_file ON message (file) WHERE file IS NOT NULL;
CREATE INDEX last_reply_refused ON last_reply (domain_id, number) WHERE is_refused;
CREATE INDEX login_account ON login (account);
CREATE INDEX domain_account ON domain (account);
CREATE INDEX audit_account ON audit (account, id);
CREATE INDEX message_delay ON message (received_at) WHERE flags & 8;
CREATE INDEX report_due ON report (next_attempt_at);
CREATE INDEX notice_channel ON notice (channel_id, number);
CREATE TRIGGER report_more AFTER INSERT ON report
BEGIN UPDATE counter SET value = value + 1 WHERE name = 'reports'; END;
CREATE TRIGGER report_less AFTER DELETE ON report
BEGIN UPDATE counter SET value = value - 1 WHERE name = 'reports'; END;
CREATE TRIGGER notice_more AFTER INSERT ON notice
BEGIN UPDATE counter SET value = value + 1 WHERE name = 'notices'; END;
CREATE TRIGGER notice_less AFTER DELETE ON notice
BEGIN UPDATE counter SET value = value - 1 WHERE name = 'notices'; END;
CREATE INDEX audit_domain ON audit (domain, id);
CREATE INDEX report_success ON report (domain_id, reverse_path) WHERE action = 'relayed';
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('domain',1);
COMMIT;
-- file data/content/c/c573cb47b01f3ba4b916cbb6a53d2c70 eNrtyssJwkAUAMB7ID28CizAmzVYwTNZAmbzIWsQu9c2hDnP3M/Hswyva9Q8ptJ3fXerNd7bMUeuY6xb7DU/seRcWmSM50+X0lpO5eK6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruv+w/0C0Jt0dA==
-- file restante.key eNqTk8vnY4jlOW3sLvHh3E7/0m3Bqe1HZSSCX4o9yW/JPxIGAMCMDVs=
