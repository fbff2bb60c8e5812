PRAGMA page_size = 16384;
PRAGMA auto_vacuum = 0;
PRAGMA user_version = 25;
BEGIN TRANSACTION;
CREATE TABLE account (
    name        TEXT PRIMARY KEY,
    created_at  REAL NOT NULL,
    empty_reply INTEGER NOT NULL,
    note        TEXT NOT NULL
, quota TEXT NOT NULL DEFAULT '', report_details INTEGER NOT NULL DEFAULT 0, history TEXT NOT NULL DEFAULT 'full') STRICT, WITHOUT ROWID;
INSERT INTO "account" VALUES('alpha',1.79607073302503848074e+09,251,'','{"octets":null,"messages":null}',0,'full');
CREATE TABLE answer (
    id      INTEGER PRIMARY KEY,
    actor   TEXT    NOT NULL,
    key     TEXT    NOT NULL,
    request BLOB    NOT NULL,  -- a digest with a secret key
    at      REAL    NOT NULL,
    status  INTEGER NOT NULL,
    body    BLOB,              -- NULL: it was too large, or had a secret
    UNIQUE (actor, key)
) STRICT;
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
INSERT INTO "audit" VALUES(1,1.79607073304560327527e+09,'account-added','operator root','alpha','alpha','command line','','','','[["name", "none", "alpha"], ["empty_reply", "none", "251"], ["report_details", "none", "no"], ["history", "none", "full"]]');
INSERT INTO "audit" VALUES(2,1.79607073868647217746e+09,'login-added','operator root','alpha','alpha','command line','','','','[["user", "none", "alpha"], ["account", "none", "alpha"], ["password", "none", "set"], ["sealed password", "none", "set"], ["SCRAM verifier", "none", "set"]]');
INSERT INTO "audit" VALUES(3,1.79607074374633336071e+09,'domain-added','operator root','alpha.example','alpha','command line','','','alpha.example','[["name", "none", "alpha.example"], ["account", "none", "alpha"], ["destination.host", "none", "127.0.0.1"], ["destination.port", "none", "25"], ["destination.tls", "none", "opportunistic"], ["destination.connections", "none", "20"], ["authorized_hosts", "none", "127.0.0.1"], ["policy.hold", "none", "until-asked"], ["policy.probe", "none", "on"], ["policy.accept", "none", "always"], ["policy.recipients", "none", "any"], ["policy.unknown", "none", "accept"], ["policy.ignores_tags", "none", "no"], ["policy.asks_destination", "none", "no"], ["policy.retention.at_end", "none", "keep"], ["policy.refused_retention.seconds", "none", "14d"], ["policy.refused_retention.at_end", "none", "keep"], ["policy.on_refusal", "none", "keep"]]');
CREATE TABLE change (
    number INTEGER PRIMARY KEY,
    kind   TEXT NOT NULL,
    key    TEXT NOT NULL
) STRICT;
INSERT INTO "change" VALUES(1,'account','alpha');
INSERT INTO "change" VALUES(2,'login','alpha');
INSERT INTO "change" VALUES(3,'domain','1');
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
INSERT INTO "counter" VALUES('keyed-from',0);
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
INSERT INTO "domain" VALUES(1,'alpha.example','alpha','{"host": "127.0.0.1", "port": 25, "tls": "opportunistic", "ca_file": "", "ca_text": "", "set_by": "", "may_be_private": null, "key_pins": [], "login": null, "connections": 20, "per_minute": null}','["127.0.0.1"]',1.79607074374612808234e+09,'{"hold":"until-asked","suspension":null,"probe":"on","accept":"always","forced":null,"recipients":"any","unknown":"accept","ignores_tags":false,"asks_destination":false,"quota":{"octets":null,"messages":null},"message_octets":null,"retention":{"seconds":null,"at_end":"keep"},"refused_retention":{"seconds":1209600.0,"at_end":"keep"},"on_refusal":"keep"}');
CREATE TABLE drain (
    domain_id    INTEGER PRIMARY KEY,
    number       INTEGER NOT NULL,
    requested_at REAL    NOT NULL,
    deadline     REAL    NOT NULL,
    is_open      INTEGER NOT NULL
, times INTEGER NOT NULL DEFAULT 0, stop  TEXT    NOT NULL DEFAULT '', release INTEGER NOT NULL DEFAULT 0, requested_by TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE history (
    id           INTEGER PRIMARY KEY,
    at           REAL    NOT NULL,     -- Unix time
    outcome      INTEGER NOT NULL,
    domain_id    INTEGER NOT NULL,
    number       INTEGER NOT NULL,
    received_at  REAL    NOT NULL,
    octets       INTEGER NOT NULL,
    drain        INTEGER NOT NULL,
    reverse_path TEXT    NOT NULL,
    forward_path TEXT    NOT NULL,
    client       TEXT    NOT NULL,
    message_id   TEXT    NOT NULL,
    reply        TEXT    NOT NULL
, release INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE history_hour (
    first_id INTEGER PRIMARY KEY,
    hour     INTEGER NOT NULL          -- since 1970
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
, sealed_verifier BLOB, valid_until REAL, prior_hash TEXT, prior_secret BLOB, prior_verifier BLOB, prior_until REAL) STRICT, WITHOUT ROWID;
INSERT INTO "login" VALUES('alpha','alpha','$argon2id$v=19$m=65536,t=3,p=4$fuY+RClGzeXCmFZbrkLHZg$Cup+0PGuS81OUUAP5RYevUz5JBl6ITwRi2cGqMI+OxM',X'B224A9D04EDE2CAE975FC800E6019DA5C2415A7CF9DB25D807A90DFFCF4CF430EA81F81E9F27B3C5387987FA219B',1.79607073868638515475e+09,X'C19C419E8B6D6F62AA398A8024FF67B554E8FA8D3735996346E71EC648435FCF54972B39C06FAF293D77C45D4CF7A3493EFD1B73223C1D5289B2F7EDB0A476E4C474BAD072A142FC4CBF7A709BEC5931F29BBCBEC8802DB3B4CF95D66CA18AB3855C55A62B1865419A2FD4C315B15F9C192836893FDA1B30183960966F19A61972C372B54EDFE731491D5377FFFC3BB5CC9B6A1D7C39F63B8A70B1E3BD1D75BDBFD5',NULL,NULL,NULL,NULL,NULL);
CREATE TABLE login_use (
    user      TEXT PRIMARY KEY,
    at        REAL NOT NULL,
    address   TEXT NOT NULL,
    mechanism TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE mark (
    domain_id INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    value     REAL    NOT NULL,
    PRIMARY KEY (domain_id, kind)
) STRICT, WITHOUT ROWID;
CREATE TABLE message (
    number       INTEGER PRIMARY KEY,  -- in the order of acceptance: rows are only appended
    domain_id    INTEGER NOT NULL,
    received_at  REAL    NOT NULL,     -- Unix time
    size         INTEGER NOT NULL,     -- octets of content, the file's included
    flags        INTEGER NOT NULL,     -- rows.py names the bits
    reverse_path TEXT    NOT NULL,
    held_paths   TEXT    NOT NULL,     -- waiting forward-paths, one a line; '' if none is left
    file         TEXT,                 -- name of the content file
    file_crc32   INTEGER,
    head_crc32   INTEGER NOT NULL,
    head         BLOB    NOT NULL
, dsn TEXT, origin TEXT, message_id TEXT) STRICT;
INSERT INTO "message" VALUES(1796070748479250,1,1.79607074847925066943e+09,182,0,'bob@example.org','anna@alpha.example',NULL,NULL,791919678,X'52656365697665643A2066726F6D205B3132372E302E302E315D202868656C6F3D5B3132372E302E302E315D290D0A096279206D78322E6578616D706C652E6E657420776974682045534D545020696420316B31676837663871726A0D0A09666F72203C616E6E6140616C7068612E6578616D706C653E3B0D0A094D6F6E2C203330204E6F7620323032362032303A33323A3238202B303030300D0A5375626A6563743A20736D616C6C0D0A0D0A48656C6C6F2E0D0A',NULL,'{"address":"127.0.0.1","port":44260,"hello":"[127.0.0.1]"}',NULL);
INSERT INTO "message" VALUES(1796070748546912,1,1.79607074854691267009e+09,308174,0,'bob@example.org','anna@alpha.example','e/ea501a0d74a9fb978b38063806e3e787',1276559466,1852181870,X'52656365697665643A2066726F6D205B3132372E302E302E315D202868656C6F3D5B3132372E302E302E315D290D0A096279206D78322E6578616D706C652E6E657420776974682045534D545020696420316B3167683766617376300D0A09666F72203C616E6E6140616C7068612E6578616D706C653E3B0D0A094D6F6E2C203330204E6F7620323032362032303A33323A3238202B303030300D0A',NULL,'{"address":"127.0.0.1","port":44260,"hello":"[127.0.0.1]"}',NULL);
CREATE TABLE message_key (
    number     INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL
) STRICT;
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
, uncertain INTEGER NOT NULL DEFAULT 0, taker TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE presence (
    id          INTEGER PRIMARY KEY,
    at          REAL NOT NULL,     -- Unix time
    account     TEXT NOT NULL,
    destination TEXT NOT NULL,     -- host:port
    seen        TEXT NOT NULL,     -- up, away, or unknown: not probed any more
    reason      TEXT NOT NULL
) STRICT;
CREATE TABLE quiet (
    account   TEXT    NOT NULL,
    kind      TEXT    NOT NULL,
    about     TEXT    NOT NULL,
    until     REAL    NOT NULL,
    held_back INTEGER NOT NULL,
    last      TEXT,                      -- JSON object: the last one held back
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
CREATE TABLE release (
    id      INTEGER PRIMARY KEY,
    at      REAL    NOT NULL,          -- Unix time
    actor   TEXT    NOT NULL,
    origin  TEXT    NOT NULL,
    target  TEXT    NOT NULL,
    account TEXT    NOT NULL,
    domain  TEXT    NOT NULL,
    answer  TEXT    NOT NULL,
    reason  TEXT    NOT NULL,
    pending INTEGER NOT NULL
) STRICT;
CREATE TABLE release_drain (
    release   INTEGER NOT NULL,
    domain_id INTEGER NOT NULL,
    opener    INTEGER NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0,
    refused   INTEGER NOT NULL DEFAULT 0,
    uncertain INTEGER NOT NULL DEFAULT 0,
    held      INTEGER NOT NULL DEFAULT 0,
    ended_at  REAL,
    ending    TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (release, domain_id)
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
CREATE TABLE token (
    id          TEXT PRIMARY KEY,
    account     TEXT NOT NULL,  -- '' is the operator's
    name        TEXT NOT NULL,
    secret_hash BLOB NOT NULL,
    grants      TEXT NOT NULL,
    created_by  TEXT NOT NULL,
    created_at  REAL NOT NULL,
    domains     TEXT NOT NULL,
    networks    TEXT NOT NULL,
    expires_at  REAL,           -- NULL: never
    revoked_at  REAL,
    maker       TEXT NOT NULL   -- the token that made it, '' if a person did
) STRICT, WITHOUT ROWID;
CREATE TABLE token_use (
    id TEXT PRIMARY KEY,
    at REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE usage (
    domain_id   INTEGER PRIMARY KEY,
    messages    INTEGER NOT NULL,
    octets      INTEGER NOT NULL,
    refused     INTEGER NOT NULL,
    last_number INTEGER NOT NULL       -- highest ever held for it
) STRICT;
INSERT INTO "usage" VALUES(1,2,308356,0,1796070748546912);
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
CREATE INDEX last_reply_set_apart ON last_reply (domain_id, number, is_refused)
WHERE is_refused > 1;
CREATE INDEX history_domain ON history (domain_id);
CREATE INDEX history_number ON history (number);
CREATE INDEX release_account ON release (account);
CREATE INDEX release_domain ON release (domain);
CREATE INDEX release_drain_domain ON release_drain (domain_id);
CREATE INDEX token_account ON token (account);
CREATE TRIGGER message_key_more AFTER INSERT ON message WHEN NEW.message_id IS NOT NULL
BEGIN INSERT INTO message_key (number, message_id) VALUES (NEW.number, NEW.message_id); END;
CREATE TRIGGER message_key_less AFTER DELETE ON message
BEGIN DELETE FROM message_key WHERE number = OLD.number; END;
CREATE INDEX presence_of_destination ON presence (account, destination, id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('domain',1);
COMMIT;
-- file data/content/e/ea501a0d74a9fb978b38063806e3e787 eNrtyssJwkAUAMB7ID28CizAmzVYwTNZAmbzIWsQu9c2hDnP3M/Hswyva9Q8ptJ3fXerNd7bMUeuY6xb7DU/seRcWmSM50+X0lpO5eK6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruv+w/0C0Jt0dA==
-- file restante.key eNoBIADf/0Q1EuC/NKxGN5lu+7dtz5En6orQ6zo8tmq6pJ6eykKTCosRMw==
