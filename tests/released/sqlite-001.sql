PRAGMA page_size = 16384;
PRAGMA auto_vacuum = 0;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE account (
    name        TEXT PRIMARY KEY,
    created_at  REAL NOT NULL,
    empty_reply INTEGER NOT NULL,
    note        TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "account" VALUES('alpha',1.79607063183681154249e+09,251,'');
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
) STRICT;
INSERT INTO "audit" VALUES(1,1.79607063183682274815e+09,'account-added','operator','alpha','alpha','command line','','');
INSERT INTO "audit" VALUES(2,1.79607063962496471404e+09,'login-added','operator','alpha','alpha','command line','','');
INSERT INTO "audit" VALUES(3,1.79607064363232088086e+09,'domain-added','operator','alpha.example','alpha','command line','','');
CREATE TABLE counter (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "counter" VALUES('change-number',3);
INSERT INTO "counter" VALUES('last-number',0);
CREATE TABLE domain (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    name             TEXT NOT NULL UNIQUE,
    account          TEXT NOT NULL,
    destination      TEXT NOT NULL,    -- JSON object
    authorized_hosts TEXT NOT NULL,    -- JSON array of texts
    created_at       REAL NOT NULL
) STRICT;
INSERT INTO "domain" VALUES(1,'alpha.example','alpha','{"host": "127.0.0.1", "port": 25, "tls": "opportunistic", "ca_file": "", "key_pins": [], "login": null, "connections": 20}','["127.0.0.1"]',1.79607064363231134409e+09);
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
    reply        TEXT    NOT NULL,
    PRIMARY KEY (domain_id, number, forward_path)
) STRICT, WITHOUT ROWID;
CREATE TABLE login (
    user          TEXT PRIMARY KEY,
    account       TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    sealed_secret BLOB,
    created_at    REAL NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "login" VALUES('alpha','alpha','$argon2id$v=19$m=65536,t=3,p=4$2EqJGKMXxupF7vbLdOEN7A$W/TfOOQ8/eDW9UgQcpO7h6REUxUjuCMUW3cxr794b9o',X'02E445AA342AAB296D9D9319DD776BDEB5B7A3CCB71DA67DD201B3625D0AD5630AB7306223CAE5BFE5B5991C2992',1.79607063962486672402e+09);
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
) STRICT;
INSERT INTO "message" VALUES(1796070648588825,1,1.79607064858882498744e+09,177,0,'bob@example.org','anna@alpha.example',NULL,NULL,2950015094,X'52656365697665643A2066726F6D205B3132372E302E302E315D20285B3132372E302E302E315D290D0A096279206D78322E6578616D706C652E6E657420776974682045534D545020696420316B3167683467306167730D0A09666F72203C616E6E6140616C7068612E6578616D706C653E3B0D0A094D6F6E2C203330204E6F7620323032362032303A33303A3438202B303030300D0A5375626A6563743A20736D616C6C0D0A0D0A48656C6C6F2E0D0A');
INSERT INTO "message" VALUES(1796070648757911,1,1.79607064875791096691e+09,308169,0,'bob@example.org','anna@alpha.example','2/2c65b517431cbe25155c441fff9bd7a6',1276559466,4171460838,X'52656365697665643A2066726F6D205B3132372E302E302E315D20285B3132372E302E302E315D290D0A096279206D78322E6578616D706C652E6E657420776974682045534D545020696420316B316768346735666D710D0A09666F72203C616E6E6140616C7068612E6578616D706C653E3B0D0A094D6F6E2C203330204E6F7620323032362032303A33303A3438202B303030300D0A');
CREATE TABLE usage (
    domain_id   INTEGER PRIMARY KEY,
    messages    INTEGER NOT NULL,
    octets      INTEGER NOT NULL,
    refused     INTEGER NOT NULL,
    last_number INTEGER NOT NULL       -- highest ever held for it
) STRICT;
INSERT INTO "usage" VALUES(1,2,308346,0,1796070648757911);
CREATE INDEX message_held ON message (domain_id, number) WHERE held_paths <> '';
CREATE INDEX message_file ON message (file) WHERE file IS NOT NULL;
CREATE INDEX last_reply_refused ON last_reply (domain_id, number) WHERE is_refused;
CREATE INDEX login_account ON login (account);
CREATE INDEX domain_account ON domain (account);
CREATE INDEX audit_account ON audit (account, id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('domain',1);
COMMIT;
-- file data/content/2/2c65b517431cbe25155c441fff9bd7a6 eNrtyssJwkAUAMB7ID28CizAmzVYwTNZAmbzIWsQu9c2hDnP3M/Hswyva9Q8ptJ3fXerNd7bMUeuY6xb7DU/seRcWmSM50+X0lpO5eK6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruv+w/0C0Jt0dA==
-- file restante.key eNoTztFvvag9NWR9wnP5OTocEV+2KN2VPhq2U8W59P3X4LYWAOdfDwk=
