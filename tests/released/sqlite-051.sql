PRAGMA page_size = 16384;
PRAGMA auto_vacuum = 2;
PRAGMA user_version = 51;
BEGIN TRANSACTION;
CREATE TABLE account (
    name        TEXT PRIMARY KEY,
    created_at  REAL NOT NULL,
    empty_reply INTEGER NOT NULL,
    note        TEXT NOT NULL
, quota TEXT NOT NULL DEFAULT '', report_details INTEGER NOT NULL DEFAULT 0, history TEXT NOT NULL DEFAULT 'full', change_lock INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
INSERT INTO "account" VALUES('alpha',1.7960703236404321194e+09,251,'','{"octets":null,"messages":null}',0,'full',0);
CREATE TABLE account_use (
    account         TEXT NOT NULL,
    added_at        INTEGER NOT NULL,  -- Unix time of the account's addition
    month           INTEGER NOT NULL,  -- such as 202611, of UTC
    received        INTEGER NOT NULL,  -- messages
    received_octets INTEGER NOT NULL,
    delivered       INTEGER NOT NULL,  -- messages
    octet_seconds   REAL NOT NULL,
    PRIMARY KEY (account, added_at, month)
) STRICT, WITHOUT ROWID;
INSERT INTO "account_use" VALUES('alpha',1796070323,202611,2,308044,0,1.43517009728384437039e-01);
CREATE TABLE answer (
    id      INTEGER PRIMARY KEY,
    key_owner   TEXT    NOT NULL,
    key     TEXT    NOT NULL,
    request BLOB    NOT NULL,  -- a digest with a secret key
    at      REAL    NOT NULL,
    status  INTEGER NOT NULL,
    body    BLOB,              -- NULL: it was too large, or had a secret
    UNIQUE (key_owner, key)
) STRICT;
CREATE TABLE audit (
    id      INTEGER PRIMARY KEY,
    at      REAL NOT NULL,
    action  TEXT NOT NULL,
    actor   TEXT NOT NULL,
    subject TEXT NOT NULL,
    account TEXT NOT NULL,
    acted_from  TEXT NOT NULL,
    answer  TEXT NOT NULL,
    reason  TEXT NOT NULL
, domain TEXT NOT NULL DEFAULT '', changes TEXT NOT NULL DEFAULT '', result TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO "audit" VALUES(1,1.79607032364053106313e+09,'account-added','operator root','alpha','alpha','command line','','','','[["name", "none", "alpha"], ["empty_reply", "none", "251"], ["report_details", "none", "no"], ["history", "none", "full"], ["change_lock", "none", "no"]]','');
INSERT INTO "audit" VALUES(2,1.79607033876793956757e+09,'login-added','operator root','alpha','alpha','command line','','','','[["user", "none", "alpha"], ["account", "none", "alpha"], ["password", "none", "set"], ["sealed password", "none", "set"], ["SCRAM verifier", "none", "set"], ["turnaround", "none", "no"]]','');
INSERT INTO "audit" VALUES(3,1.79607035044037723538e+09,'domain-added','operator root','alpha.example','alpha','command line','','','alpha.example','[["name", "none", "alpha.example"], ["account", "none", "alpha"], ["destination.host", "none", "127.0.0.1"], ["destination.port", "none", "25"], ["destination.tls", "none", "opportunistic"], ["destination.connections", "none", "20"], ["destination.client_address", "none", "none"], ["authorized_hosts", "none", "127.0.0.1"], ["policy.hold", "none", "until-asked"], ["policy.probe", "none", "on"], ["policy.accept", "none", "always"], ["policy.recipients", "none", "any"], ["policy.unknown", "none", "accept"], ["policy.ignores_tags", "none", "no"], ["policy.asks_destination", "none", "no"], ["policy.hygiene", "none", "mark"], ["policy.own_domain", "none", "allow"], ["policy.retention.at_end", "none", "keep"], ["policy.refused_retention.seconds", "none", "14d"], ["policy.refused_retention.at_end", "none", "keep"], ["policy.on_refusal", "none", "keep"], ["policy.turnaround", "none", "deny"], ["policy.change_lock", "none", "no"], ["policy.proof", "none", "none"]]','');
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
    transport        TEXT NOT NULL,
    target     TEXT NOT NULL,
    sealed     BLOB,
    kinds      TEXT NOT NULL,            -- a line each
    created_at REAL NOT NULL,
    all_accounts  INTEGER NOT NULL,
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
CREATE TABLE data_key (
    domain_id INTEGER PRIMARY KEY,
    sealed    BLOB NOT NULL
) STRICT;
INSERT INTO "data_key" VALUES(1,X'FDCD3277F9A21EACCF43D82B26150E2CA467DB19EB7B3AB5A01F8EC0BA22444994D1D94611C0485A50DAEE07F20D5215EC26F48385943452AE9AE14CD1CFD35D3913572DCB56BA467E5E83E24DD9500CB9604E2DBB244D2609BCEBD1');
CREATE TABLE data_key_copy (
    domain_id INTEGER PRIMARY KEY,
    sealed    BLOB NOT NULL
) STRICT;
INSERT INTO "data_key_copy" VALUES(1,X'FDCD3277F9A21EACCF43D82B26150E2CA467DB19EB7B3AB5A01F8EC0BA22444994D1D94611C0485A50DAEE07F20D5215EC26F48385943452AE9AE14CD1CFD35D3913572DCB56BA467E5E83E24DD9500CB9604E2DBB244D2609BCEBD1');
CREATE TABLE domain (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    name             TEXT NOT NULL UNIQUE,
    account          TEXT NOT NULL,
    destination      TEXT NOT NULL,    -- JSON object
    authorized_hosts TEXT NOT NULL,    -- JSON array of texts
    created_at       REAL NOT NULL
, policy TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO "domain" VALUES(1,'alpha.example','alpha','{"host": "127.0.0.1", "port": 25, "tls": "opportunistic", "ca_file": "", "ca_text": "", "set_by": "", "may_be_private": null, "key_pins": [], "login": null, "connections": 20, "per_minute": null, "client_address": "none"}','["127.0.0.1"]',1.79607035044008064264e+09,'{"hold":"until-asked","suspension":null,"probe":"on","accept":"always","forced":null,"recipients":"any","unknown":"accept","ignores_tags":false,"asks_destination":false,"hygiene":"mark","own_domain":"allow","quota":{"octets":null,"messages":null},"message_octets":null,"retention":{"seconds":null,"at_end":"keep"},"refused_retention":{"seconds":1209600.0,"at_end":"keep"},"on_refusal":"keep","after_drains":null,"turnaround":"deny","change_lock":false,"proof":"none","proven_at":null,"drill_every":null}');
CREATE TABLE drain (
    domain_id    INTEGER PRIMARY KEY,
    number       INTEGER NOT NULL,
    requested_at REAL    NOT NULL,
    deadline     REAL    NOT NULL,
    is_open      INTEGER NOT NULL
, times INTEGER NOT NULL DEFAULT 0, stop  TEXT    NOT NULL DEFAULT '', release INTEGER NOT NULL DEFAULT 0, requested_by TEXT NOT NULL DEFAULT '', way TEXT NOT NULL DEFAULT 'destination') STRICT;
CREATE TABLE erasure (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    person TEXT NOT NULL  -- '' once it has ended
) STRICT;
CREATE TABLE held_peak (
    domain_id INTEGER NOT NULL,  -- may be of a removed domain
    account   TEXT NOT NULL,
    width     INTEGER NOT NULL,  -- seconds
    at        INTEGER NOT NULL,  -- Unix time of the slot's beginning
    messages  INTEGER NOT NULL,
    octets    INTEGER NOT NULL,
    PRIMARY KEY (domain_id, account, width, at)
) STRICT, WITHOUT ROWID;
INSERT INTO "held_peak" VALUES(1,'alpha',600,1796070000,1,182);
INSERT INTO "held_peak" VALUES(1,'alpha',3600,1796068800,1,182);
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
, release INTEGER NOT NULL DEFAULT 0, origin TEXT) STRICT;
CREATE TABLE history_hour (
    first_id INTEGER PRIMARY KEY,
    hour     INTEGER NOT NULL          -- since 1970
) STRICT;
CREATE TABLE last_reply (
    domain_id    INTEGER NOT NULL,
    number       INTEGER NOT NULL,
    forward_path TEXT    NOT NULL,
    is_refused   INTEGER NOT NULL,
    reply        TEXT    NOT NULL, at REAL NOT NULL DEFAULT 0, tried_at REAL NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (domain_id, number, forward_path)
) STRICT, WITHOUT ROWID;
CREATE TABLE login (
    user          TEXT PRIMARY KEY,
    account       TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    sealed_secret BLOB,
    created_at    REAL NOT NULL
, sealed_verifier BLOB, valid_until REAL, prior_hash TEXT, prior_secret BLOB, prior_verifier BLOB, prior_until REAL, turnaround INTEGER NOT NULL DEFAULT 0, certificates TEXT NOT NULL DEFAULT '', turnaround_at REAL) STRICT, WITHOUT ROWID;
INSERT INTO "login" VALUES('alpha','alpha','$argon2id$v=19$m=65536,t=3,p=4$NSVIY+uAQkqLp/N1PpYpcw$JFFQ55ZdtwZsH11MGoXfFZfRBIPb0U4QWfiYsGpxWbw',X'E838280BA949D7607DF2DEACA96B84BDD2B0E7D00E90AC2DAE8B629D6706C1E57EDB6E1470FC3795D0B2299E0293',1.79607033876781177518e+09,X'3C1E407D263A1E7DB7181BA2BA738D5759DB1B67A5E28208C8E09C0DCD990EFAD76F7B3B697FE3C7510CE3BFB6E01F0CFF9B33F92B14CB3C57A284D2018339EEF11A3F7AD3407665C6F8364D7CCD59F61363D69CC0C34CAF23D8608613B8D6D6485AEF2428E8E1D41BDD3F33B51CDE8CB0D10F99A3CE25D1386464FCBCEACE344F32A27AC60B80DE6DB9B908286C8760057B7F3EA154E297A06C06BAD9279F5A1D55',NULL,NULL,NULL,NULL,NULL,0,'',NULL);
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
INSERT INTO "mark" VALUES(1,'trusted-time',1.79607036030207610132e+09);
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
INSERT INTO "message" VALUES(1796070357056625,1,1.79607035705662584305e+09,182,0,'bob@example.org','anna@alpha.example',NULL,NULL,8263485067,X'0100066184379FBC712A966C764F2148CAADE34A9DADC78C6E10B4F22A33A325BA3B597DB281BAB59A10BB338011B9B477E3A55608B42CB6ACF547C4C190566EE434DCEC907D444EF836F184C13099E4FB99F097998A7A6EF282E662B926F9400EDCC319D53091406599EC3CD661B4893EF5236B2415E41F7E39410588821FF185C0A80C211AFBBF418A9B21E409E8864418956DA2551705DB051A64D77794A495C339418FE701550FF4185C69D9F94318F2BE2A802E098A73149711E28A31F36F5184282BDAA344BBCBD32885590C0E899ADA',NULL,'{"address":"127.0.0.1","port":44624,"hello":"[127.0.0.1]"}',NULL);
INSERT INTO "message" VALUES(1796070360357715,1,1.79607036035771512987e+09,308174,0,'bob@example.org','anna@alpha.example','4/e68956723222aaf81bd9b6fd4b9cca84',1276559466,1287318032,X'52656365697665643A2066726F6D205B3132372E302E302E315D202868656C6F3D5B3132372E302E302E315D290D0A096279206D78322E6578616D706C652E6E657420776974682045534D545020696420316B31676776783436746B0D0A09666F72203C616E6E6140616C7068612E6578616D706C653E3B0D0A094D6F6E2C203330204E6F7620323032362032303A32363A3030202B303030300D0A',NULL,'{"address":"127.0.0.1","port":45276,"hello":"[127.0.0.1]"}',NULL);
CREATE TABLE message_key (
    number     INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL
) STRICT;
CREATE TABLE notice (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    channel_id      INTEGER NOT NULL,
    key             TEXT    NOT NULL,
    facts            TEXT    NOT NULL,    -- JSON object
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
    last_error   TEXT    NOT NULL
, uncertain INTEGER NOT NULL DEFAULT 0, taker TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE past_notice (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    channel_id INTEGER NOT NULL,
    key        TEXT    NOT NULL,
    facts       TEXT    NOT NULL,  -- JSON object
    held_back  INTEGER NOT NULL,
    ended_at   REAL    NOT NULL,
    is_sent    INTEGER NOT NULL,
    failures   INTEGER NOT NULL,
    reply      TEXT    NOT NULL
) STRICT;
CREATE TABLE portal_session (
    id_hash      BLOB PRIMARY KEY,  -- SHA-256 of the secret that the browser holds
    email        TEXT NOT NULL,
    stamp        BLOB NOT NULL,  -- of the user at the sign-in
    factors      TEXT NOT NULL,
    address      TEXT NOT NULL,
    agent        TEXT NOT NULL,
    signed_in_at REAL NOT NULL,
    proved_at    REAL NOT NULL,
    used_at      REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE portal_user (
    email            TEXT PRIMARY KEY,
    account          TEXT NOT NULL,
    grants           TEXT NOT NULL,
    created_by       TEXT NOT NULL,
    created_at       REAL NOT NULL,
    revision         INTEGER NOT NULL,
    password_hash    TEXT NOT NULL,
    sealed_totp      BLOB,
    totp_step        INTEGER NOT NULL,
    recovery         TEXT NOT NULL,
    passkeys         TEXT NOT NULL,
    oidc_issuer      TEXT NOT NULL,
    oidc_subject     TEXT NOT NULL,
    invitation_hash  BLOB,
    invitation_until REAL,
    signed_in_at     REAL
) STRICT, WITHOUT ROWID;
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
    acted_from  TEXT    NOT NULL,
    target  TEXT    NOT NULL,
    account TEXT    NOT NULL,
    domain  TEXT    NOT NULL,
    result  TEXT    NOT NULL,
    reason  TEXT    NOT NULL,
    pending INTEGER NOT NULL
, way TEXT NOT NULL DEFAULT 'destination') STRICT;
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
CREATE TABLE scheduled_change (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    domain_id          INTEGER NOT NULL,
    domain             TEXT    NOT NULL,
    account            TEXT    NOT NULL,
    maker              TEXT    NOT NULL,
    acted_from             TEXT    NOT NULL,
    token              TEXT    NOT NULL,
    portal_user        TEXT    NOT NULL,
    made_at            REAL    NOT NULL,
    applies_at         REAL    NOT NULL,
    former_destination TEXT,  -- JSON, as in domain
    wanted_destination TEXT,
    former_hosts       TEXT,
    wanted_hosts       TEXT,
    reason             TEXT    NOT NULL,
    is_announced       INTEGER NOT NULL
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
INSERT INTO "usage" VALUES(1,2,308356,0,1796070360357715);
CREATE TABLE used_value (
    digest BLOB PRIMARY KEY,  -- SHA-256
    until  REAL NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "used_value" VALUES(X'69F720C2C72F3373D10620C0C4EE7B95',1.79667515838297247882e+09);
INSERT INTO "used_value" VALUES(X'AA45915600EE4BB31F14A9B4078217EB',1.79667516186358499526e+09);
INSERT INTO "used_value" VALUES(X'13EE1333438C5AED5B41A203A600C873',1.7966751618638150692e+09);
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
CREATE INDEX portal_user_of_account ON portal_user (account);
CREATE INDEX past_notice_of_channel ON past_notice (channel_id, number);
CREATE INDEX portal_session_of_user ON portal_session (email, used_at);
CREATE INDEX portal_session_use ON portal_session (used_at);
CREATE INDEX scheduled_change_of_domain ON scheduled_change (domain_id);
CREATE INDEX last_reply_refused_numbers ON last_reply (number + 0) WHERE is_refused;
CREATE INDEX used_value_end ON used_value (until);
CREATE INDEX message_suspect ON message (domain_id, number) WHERE held_paths <> '' AND flags & 4;
CREATE INDEX message_deferred ON message (domain_id, number) WHERE held_paths <> '' AND flags & 128;
CREATE TRIGGER data_key_more AFTER INSERT ON data_key
BEGIN INSERT OR IGNORE INTO data_key_copy VALUES (new.domain_id, new.sealed); END;
CREATE TRIGGER data_key_again AFTER UPDATE ON data_key
BEGIN UPDATE data_key_copy SET sealed = new.sealed WHERE domain_id = new.domain_id; END;
CREATE TRIGGER data_key_less AFTER DELETE ON data_key
BEGIN DELETE FROM data_key_copy WHERE domain_id = old.domain_id; END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('domain',1);
COMMIT;
-- file data/content/4/e68956723222aaf81bd9b6fd4b9cca84 eNrtyssJwkAUAMB7ID28CizAmzVYwTNZAmbzIWsQu9c2hDnP3M/Hswyva9Q8ptJ3fXerNd7bMUeuY6xb7DU/seRcWmSM50+X0lpO5eK6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruu6ruv+w/0C0Jt0dA==
-- file restante.key eNr7H8NTXHDqjGFY9+y55RtP/WW9GmeQanFu/zrn/tmG3aWrARTHEKM=
