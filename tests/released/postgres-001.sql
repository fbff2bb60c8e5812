CREATE TABLE restante_schema (version integer NOT NULL, oldest integer NOT NULL);INSERT INTO restante_schema VALUES (1, 1);
-- Processes that have the store open, each with a slot. Its messages have the slot in their number.
CREATE TABLE node (
    id         smallint PRIMARY KEY CHECK (id BETWEEN 1 AND 255),
    epoch      bigint NOT NULL,             -- grows with each process that takes the slot
    expires_at timestamptz NOT NULL,
    name       text NOT NULL,               -- '' once it was removed
    version    text NOT NULL,               -- of its program
    beaten_at  timestamptz NOT NULL,
    is_retiring boolean NOT NULL            -- it was asked to stop
) WITH (fillfactor = 50);

-- The newest changes of each process: after a lost answer, they tell whether one was made.
CREATE TABLE made_change (
    node   smallint,
    number bigint,
    PRIMARY KEY (node, number)
);

-- Failures of logins at one process, for others to count. A digest names nobody.
CREATE TABLE failed_login (
    node           smallint,
    epoch          bigint,
    number         bigint,
    told_at        timestamptz NOT NULL,
    ledgers        text[] NOT NULL,
    digests        bytea[] NOT NULL,
    failures       integer[] NOT NULL,
    were_forgotten boolean[] NOT NULL,
    PRIMARY KEY (node, epoch, number)
);
CREATE INDEX failed_login_at ON failed_login (told_at);

-- The domains whose figures a process has moved, for others to read.
CREATE TABLE bulletin (
    node       smallint,
    epoch      bigint,
    number     bigint,
    domain_ids integer[] NOT NULL,
    PRIMARY KEY (node, epoch, number)
);

-- Held mail. head is beside the rest: up to 8 KB it is read without another table.
CREATE TABLE message (
    number       bigint PRIMARY KEY,
    domain_id    integer NOT NULL,
    received_at  float8 NOT NULL,
    size         bigint NOT NULL,
    flags        integer NOT NULL,
    reverse_path text NOT NULL,
    held_paths   text NOT NULL,
    content_id   bigint,                    -- of its chunks
    file_crc32   bigint,
    head_crc32   bigint NOT NULL,
    dsn          text,
    head         bytea NOT NULL,
    message_id   text COLLATE "C",
    origin       text
) WITH (toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_threshold = 1000);
ALTER TABLE message ALTER COLUMN head SET STORAGE MAIN;
CREATE INDEX message_held ON message (domain_id, number) WHERE held_paths <> '';
-- Mail that was old when it was held: imported, or after the clock was set back. A number has the
-- microseconds above its lowest 8 bits.
CREATE INDEX message_aged ON message (domain_id, received_at)
    WHERE held_paths <> '' AND received_at < (number >> 8)::float8 / 1000000 - 3600;
CREATE INDEX message_delay ON message (received_at) WHERE flags & 8 <> 0;
CREATE INDEX message_sought ON message USING hash (message_id);
CREATE INDEX message_content ON message (content_id) WHERE content_id IS NOT NULL;

-- Large content, a mebibyte a row. The names are given like message numbers.
CREATE TABLE chunk (
    content_id bigint,
    part       integer,
    body       bytea NOT NULL,
    PRIMARY KEY (content_id, part)
);
ALTER TABLE chunk ALTER COLUMN body SET STORAGE EXTERNAL;
-- Content that no message has yet, with the process that writes it.
CREATE TABLE spool (
    content_id bigint PRIMARY KEY,
    node       smallint NOT NULL,
    epoch      bigint NOT NULL
);

CREATE TABLE last_reply (
    domain_id    integer,
    number       bigint,
    forward_path text COLLATE "C",
    is_refused   smallint NOT NULL,
    reply        text NOT NULL,
    at           float8 NOT NULL,
    PRIMARY KEY (domain_id, number, forward_path)
);
CREATE INDEX last_reply_refused ON last_reply (domain_id, number) WHERE is_refused <> 0;
CREATE INDEX last_reply_refused_numbers ON last_reply (number) WHERE is_refused <> 0;
CREATE INDEX last_reply_set_apart ON last_reply (domain_id, number, is_refused)
    WHERE is_refused > 1;

-- The mail that a domain holds is the sum over its rows. Each process changes its own only.
CREATE TABLE usage (
    domain_id integer,
    node      smallint,
    messages  bigint NOT NULL,
    octets    bigint NOT NULL,
    refused   bigint NOT NULL,
    PRIMARY KEY (domain_id, node)
) WITH (fillfactor = 40);

-- Drains. `version` grows with each change of a row, so that every process knows which is newer.
CREATE TABLE drain (
    domain_id    integer PRIMARY KEY,
    number       bigint NOT NULL,
    version      bigint NOT NULL,
    owner        smallint,                  -- a node; NULL: nobody runs it
    owner_epoch  bigint,
    requested_at float8 NOT NULL,
    deadline     float8 NOT NULL,
    times        integer NOT NULL,
    stop         text NOT NULL,
    release      bigint NOT NULL,
    requested_by text NOT NULL,
    is_open      boolean NOT NULL
) WITH (fillfactor = 40);
CREATE INDEX drain_open ON drain (domain_id) WHERE is_open;
CREATE TABLE past_drain (
    domain_id    integer PRIMARY KEY,
    started_at   float8 NOT NULL,
    ended_at     float8 NOT NULL,
    requested_by text NOT NULL,
    ending       text NOT NULL,
    reason       text NOT NULL,
    delivered    bigint NOT NULL,
    deferred     bigint NOT NULL,
    refused      bigint NOT NULL,
    last_error   text NOT NULL,
    uncertain    bigint NOT NULL,
    taker        text NOT NULL
);
CREATE TABLE mark (
    domain_id integer,
    kind      text COLLATE "C",
    value     float8 NOT NULL,
    PRIMARY KEY (domain_id, kind)
);

-- Work that one process does for all.
CREATE TABLE duty (
    name        text COLLATE "C" PRIMARY KEY,
    number      bigint NOT NULL,
    owner       smallint,
    owner_epoch bigint
);

CREATE TABLE report (
    number          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    about           bigint NOT NULL,
    domain_id       integer NOT NULL,
    action          text COLLATE "C" NOT NULL,
    reverse_path    text NOT NULL,
    flags           integer NOT NULL,
    made_at         float8 NOT NULL,
    next_attempt_at float8 NOT NULL,
    failures        integer NOT NULL,
    reply           text NOT NULL,
    content         bytea NOT NULL
);
CREATE INDEX report_due ON report (next_attempt_at, number);
CREATE INDEX report_success ON report (domain_id, reverse_path) WHERE action = 'relayed';

CREATE TABLE history (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           float8 NOT NULL,
    outcome      smallint NOT NULL,
    domain_id    integer NOT NULL,
    number       bigint NOT NULL,
    received_at  float8 NOT NULL,
    octets       bigint NOT NULL,
    drain        bigint NOT NULL,
    release      bigint NOT NULL,
    reverse_path text NOT NULL,
    forward_path text NOT NULL,
    client       text NOT NULL,
    message_id   text COLLATE "C" NOT NULL,
    reply        text NOT NULL
);
CREATE INDEX history_domain ON history (domain_id, id);
CREATE INDEX history_number ON history (number);
CREATE INDEX history_at ON history (at, id);

CREATE TABLE release (
    id      bigint PRIMARY KEY,
    at      float8 NOT NULL,
    actor   text NOT NULL,
    acted_from text NOT NULL,
    target  text NOT NULL,
    account text COLLATE "C" NOT NULL,
    domain  text COLLATE "C" NOT NULL,
    result  text NOT NULL,
    reason  text NOT NULL,
    pending bigint NOT NULL
);
CREATE INDEX release_account ON release (account, id);
CREATE INDEX release_domain ON release (domain, id);
CREATE INDEX release_at ON release (at);
CREATE TABLE release_drain (
    release   bigint,
    domain_id integer,
    opener    bigint NOT NULL,
    delivered bigint NOT NULL DEFAULT 0,
    refused   bigint NOT NULL DEFAULT 0,
    uncertain bigint NOT NULL DEFAULT 0,
    held      bigint NOT NULL DEFAULT 0,
    ended_at  float8,
    ending    text NOT NULL DEFAULT '',
    PRIMARY KEY (release, domain_id)
);
CREATE INDEX release_drain_domain ON release_drain (domain_id);

-- An address without its local part, and a reply without its text, as tenancy/history_detail has
-- them.
CREATE FUNCTION shortened(address text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(substring(address FROM '@[^@]*$'), address);
CREATE FUNCTION reply_code(reply text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(
        substring(reply FROM '^([2-5][0-9][0-9])(?=[ -]|$)') || coalesce(
            ' ' || substring(
                reply FROM '^[2-5][0-9][0-9][ -]#?([245]\.[0-9]{1,3}\.[0-9]{1,3})\M(?!\.\w)'
            ),
            ''
        ),
        ''
    );

CREATE TABLE counter (
    name  text PRIMARY KEY,
    value bigint NOT NULL
) WITH (fillfactor = 50);
INSERT INTO counter (name, value) VALUES ('change-number', 0);
CREATE TABLE change (
    number bigint PRIMARY KEY,
    kind   text NOT NULL,
    key    text NOT NULL
);

CREATE TABLE account (
    name           text COLLATE "C" PRIMARY KEY,
    created_at     float8 NOT NULL,
    empty_reply    integer NOT NULL,
    note           text NOT NULL,
    quota          text NOT NULL,
    report_details smallint NOT NULL,
    history        text NOT NULL,
    change_lock    smallint NOT NULL
);
CREATE TABLE login (
    "user"          text COLLATE "C" PRIMARY KEY,
    account         text COLLATE "C" NOT NULL,
    password_hash   text NOT NULL,
    sealed_secret   bytea,
    created_at      float8 NOT NULL,
    sealed_verifier bytea,
    valid_until     float8,
    prior_hash      text,
    prior_secret    bytea,
    prior_verifier  bytea,
    prior_until     float8
);
CREATE INDEX login_account ON login (account);
CREATE TABLE login_use (
    "user"    text COLLATE "C" PRIMARY KEY,
    at        float8 NOT NULL,
    address   text NOT NULL,
    mechanism text NOT NULL
);
CREATE TABLE domain (
    id               integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name             text COLLATE "C" NOT NULL UNIQUE,
    account          text COLLATE "C" NOT NULL,
    destination      text NOT NULL,
    authorized_hosts text NOT NULL,
    created_at       float8 NOT NULL,
    policy           text NOT NULL
);
CREATE INDEX domain_account ON domain (account);
CREATE TABLE recipient (
    domain_id integer,
    source    text COLLATE "C",
    name      text COLLATE "C",
    is_there  smallint NOT NULL,
    at        float8 NOT NULL,
    PRIMARY KEY (domain_id, source, name)
);

CREATE TABLE token (
    id          text COLLATE "C" PRIMARY KEY,
    account     text COLLATE "C" NOT NULL,
    name        text NOT NULL,
    secret_hash bytea NOT NULL,
    grants      text NOT NULL,
    created_by  text NOT NULL,
    created_at  float8 NOT NULL,
    domains     text NOT NULL,
    networks    text NOT NULL,
    expires_at  float8,
    revoked_at  float8,
    maker       text NOT NULL
);
CREATE INDEX token_account ON token (account);
CREATE TABLE token_use (
    id text COLLATE "C" PRIMARY KEY,
    at float8 NOT NULL
);
CREATE TABLE portal_user (
    email            text COLLATE "C" PRIMARY KEY,
    account          text COLLATE "C" NOT NULL,
    grants           text NOT NULL,
    created_by       text NOT NULL,
    created_at       float8 NOT NULL,
    revision         bigint NOT NULL,
    password_hash    text NOT NULL,
    sealed_totp      bytea,
    totp_step        bigint NOT NULL,
    recovery         text NOT NULL,
    passkeys         text NOT NULL,
    oidc_issuer      text NOT NULL,
    oidc_subject     text NOT NULL,
    invitation_hash  bytea,
    invitation_until float8,
    signed_in_at     float8
);
CREATE INDEX portal_user_of_account ON portal_user (account);
CREATE TABLE portal_session (
    id_hash      bytea PRIMARY KEY,
    email        text COLLATE "C" NOT NULL,
    stamp        bytea NOT NULL,
    factors      text NOT NULL,
    address      text NOT NULL,
    agent        text NOT NULL,
    signed_in_at float8 NOT NULL,
    proved_at    float8 NOT NULL,
    used_at      float8 NOT NULL
);
CREATE INDEX portal_session_of_user ON portal_session (email, used_at);
CREATE INDEX portal_session_use ON portal_session (used_at);
CREATE TABLE scheduled_change (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    domain_id          integer NOT NULL,
    domain             text NOT NULL,
    account            text NOT NULL,
    maker              text NOT NULL,
    acted_from         text NOT NULL,
    token              text NOT NULL,
    portal_user        text NOT NULL,
    made_at            float8 NOT NULL,
    applies_at         float8 NOT NULL,
    former_destination text,
    wanted_destination text,
    former_hosts       text,
    wanted_hosts       text,
    reason             text NOT NULL,
    is_announced       smallint NOT NULL
);
CREATE INDEX scheduled_change_of_domain ON scheduled_change (domain_id);

-- Only ever grows.
CREATE TABLE audit (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      float8 NOT NULL,
    action  text COLLATE "C" NOT NULL,
    actor   text NOT NULL,
    subject text NOT NULL,
    account text COLLATE "C" NOT NULL,
    acted_from  text NOT NULL,
    answer  text COLLATE "C" NOT NULL,
    reason  text NOT NULL,
    domain  text COLLATE "C" NOT NULL,
    changes text NOT NULL,
    result  text COLLATE "C" NOT NULL
);
CREATE INDEX audit_account ON audit (account, id);
CREATE INDEX audit_domain ON audit (domain, id);

CREATE TABLE channel (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account      text COLLATE "C" NOT NULL,
    name         text COLLATE "C" NOT NULL,
    transport    text NOT NULL,
    target       text NOT NULL,
    sealed       bytea,
    kinds        text NOT NULL,
    created_at   float8 NOT NULL,
    all_accounts smallint NOT NULL,
    UNIQUE (account, name)
);
CREATE TABLE notice (
    number          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel_id      bigint NOT NULL,
    key             text NOT NULL,
    facts           text NOT NULL,
    held_back       bigint NOT NULL,
    made_at         float8 NOT NULL,
    next_attempt_at float8 NOT NULL,
    failures        integer NOT NULL,
    reply           text NOT NULL
);
CREATE INDEX notice_channel ON notice (channel_id, number);
CREATE TABLE past_notice (
    number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel_id bigint NOT NULL,
    key        text NOT NULL,
    facts      text NOT NULL,
    held_back  bigint NOT NULL,
    ended_at   float8 NOT NULL,
    is_sent    smallint NOT NULL,
    failures   integer NOT NULL,
    reply      text NOT NULL
);
CREATE INDEX past_notice_of_channel ON past_notice (channel_id, number);
CREATE TABLE quiet (
    account   text COLLATE "C",
    kind      text COLLATE "C",
    about     text COLLATE "C",
    until     float8 NOT NULL,
    held_back bigint NOT NULL,
    last      text,
    PRIMARY KEY (account, kind, about)
);
CREATE TABLE answer (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key_owner text COLLATE "C" NOT NULL,
    key       text COLLATE "C" NOT NULL,
    request   bytea NOT NULL,
    at        float8 NOT NULL,
    status    integer NOT NULL,
    body      bytea,
    UNIQUE (key_owner, key)
);
CREATE TABLE used_value (
    digest bytea PRIMARY KEY,
    until  float8 NOT NULL
);
CREATE INDEX used_value_end ON used_value (until);
CREATE TABLE presence (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          float8 NOT NULL,
    account     text COLLATE "C" NOT NULL,
    destination text COLLATE "C" NOT NULL,
    seen        text COLLATE "C" NOT NULL,
    reason      text NOT NULL
);
CREATE INDEX presence_of_destination ON presence (account, destination, id);
CREATE TABLE held_peak (
    domain_id integer,
    account   text COLLATE "C",
    width     integer,
    at        bigint,
    messages  bigint NOT NULL,
    octets    bigint NOT NULL,
    PRIMARY KEY (domain_id, account, width, at)
);
CREATE TABLE account_use (
    account         text COLLATE "C",
    added_at        bigint,
    month           integer,
    received        bigint NOT NULL,
    received_octets bigint NOT NULL,
    delivered       bigint NOT NULL,
    octet_seconds   float8 NOT NULL,
    PRIMARY KEY (account, added_at, month)
);
CREATE TABLE erasure (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person text COLLATE "C" NOT NULL
);
DELETE FROM account;
INSERT INTO account ("name", "created_at", "empty_reply", "note", "quota", "report_details", "history", "change_lock") OVERRIDING SYSTEM VALUE VALUES ('alpha', '1796070509.0843914', '251', '', '{"octets":null,"messages":null}', '0', 'full', '0');
DELETE FROM account_use;
INSERT INTO account_use ("account", "added_at", "month", "received", "received_octets", "delivered", "octet_seconds") OVERRIDING SYSTEM VALUE VALUES ('alpha', '1796070509', '202611', '2', '308044', '0', '0.010045235954748932');
DELETE FROM answer;
DELETE FROM audit;
INSERT INTO audit ("id", "at", "action", "actor", "subject", "account", "acted_from", "answer", "reason", "domain", "changes", "result") OVERRIDING SYSTEM VALUE VALUES ('1', '1796070509.0844967', 'account-added', 'operator root', 'alpha', 'alpha', 'command line', '', '', '', '[["name", "none", "alpha"], ["empty_reply", "none", "251"], ["report_details", "none", "no"], ["history", "none", "full"], ["change_lock", "none", "no"]]', '');
INSERT INTO audit ("id", "at", "action", "actor", "subject", "account", "acted_from", "answer", "reason", "domain", "changes", "result") OVERRIDING SYSTEM VALUE VALUES ('2', '1796070519.1233063', 'login-added', 'operator root', 'alpha', 'alpha', 'command line', '', '', '', '[["user", "none", "alpha"], ["account", "none", "alpha"], ["password", "none", "set"], ["sealed password", "none", "set"], ["SCRAM verifier", "none", "set"]]', '');
INSERT INTO audit ("id", "at", "action", "actor", "subject", "account", "acted_from", "answer", "reason", "domain", "changes", "result") OVERRIDING SYSTEM VALUE VALUES ('3', '1796070530.551599', 'domain-added', 'operator root', 'alpha.example', 'alpha', 'command line', '', '', 'alpha.example', '[["name", "none", "alpha.example"], ["account", "none", "alpha"], ["destination.host", "none", "127.0.0.1"], ["destination.port", "none", "25"], ["destination.tls", "none", "opportunistic"], ["destination.connections", "none", "20"], ["authorized_hosts", "none", "127.0.0.1"], ["policy.hold", "none", "until-asked"], ["policy.probe", "none", "on"], ["policy.accept", "none", "always"], ["policy.recipients", "none", "any"], ["policy.unknown", "none", "accept"], ["policy.ignores_tags", "none", "no"], ["policy.asks_destination", "none", "no"], ["policy.retention.at_end", "none", "keep"], ["policy.refused_retention.seconds", "none", "14d"], ["policy.refused_retention.at_end", "none", "keep"], ["policy.on_refusal", "none", "keep"], ["policy.change_lock", "none", "no"]]', '');
DELETE FROM bulletin;
DELETE FROM change;
INSERT INTO change ("number", "kind", "key") OVERRIDING SYSTEM VALUE VALUES ('1', 'account', 'alpha');
INSERT INTO change ("number", "kind", "key") OVERRIDING SYSTEM VALUE VALUES ('2', 'login', 'alpha');
INSERT INTO change ("number", "kind", "key") OVERRIDING SYSTEM VALUE VALUES ('3', 'domain', '1');
DELETE FROM channel;
DELETE FROM chunk;
INSERT INTO chunk ("content_id", "part", "body") OVERRIDING SYSTEM VALUE VALUES ('459794059243932417', '0', E'\\x5375626a6563743a206c617267650d0a0d0a<7000 lines>');
DELETE FROM counter;
INSERT INTO counter ("name", "value") OVERRIDING SYSTEM VALUE VALUES ('change-number', '3');
DELETE FROM domain;
INSERT INTO domain ("id", "name", "account", "destination", "authorized_hosts", "created_at", "policy") OVERRIDING SYSTEM VALUE VALUES ('1', 'alpha.example', 'alpha', '{"host": "127.0.0.1", "port": 25, "tls": "opportunistic", "ca_file": "", "ca_text": "", "set_by": "", "may_be_private": null, "key_pins": [], "login": null, "connections": 20, "per_minute": null}', '["127.0.0.1"]', '1796070530.5513418', '{"hold":"until-asked","suspension":null,"probe":"on","accept":"always","forced":null,"recipients":"any","unknown":"accept","ignores_tags":false,"asks_destination":false,"quota":{"octets":null,"messages":null},"message_octets":null,"retention":{"seconds":null,"at_end":"keep"},"refused_retention":{"seconds":1209600.0,"at_end":"keep"},"on_refusal":"keep","change_lock":false}');
DELETE FROM drain;
DELETE FROM duty;
INSERT INTO duty ("name", "number", "owner", "owner_epoch") OVERRIDING SYSTEM VALUE VALUES ('notice outbox', '2', NULL, NULL);
INSERT INTO duty ("name", "number", "owner", "owner_epoch") OVERRIDING SYSTEM VALUE VALUES ('notices', '1', NULL, NULL);
INSERT INTO duty ("name", "number", "owner", "owner_epoch") OVERRIDING SYSTEM VALUE VALUES ('reports', '1', NULL, NULL);
INSERT INTO duty ("name", "number", "owner", "owner_epoch") OVERRIDING SYSTEM VALUE VALUES ('watch', '1', NULL, NULL);
INSERT INTO duty ("name", "number", "owner", "owner_epoch") OVERRIDING SYSTEM VALUE VALUES ('retention', '1', NULL, NULL);
INSERT INTO duty ("name", "number", "owner", "owner_epoch") OVERRIDING SYSTEM VALUE VALUES ('history', '1', NULL, NULL);
INSERT INTO duty ("name", "number", "owner", "owner_epoch") OVERRIDING SYSTEM VALUE VALUES ('presence', '1', NULL, NULL);
INSERT INTO duty ("name", "number", "owner", "owner_epoch") OVERRIDING SYSTEM VALUE VALUES ('used-values', '1', NULL, NULL);
INSERT INTO duty ("name", "number", "owner", "owner_epoch") OVERRIDING SYSTEM VALUE VALUES ('scheduled-changes', '1', NULL, NULL);
INSERT INTO duty ("name", "number", "owner", "owner_epoch") OVERRIDING SYSTEM VALUE VALUES ('held-mail', '1', NULL, NULL);
DELETE FROM erasure;
DELETE FROM failed_login;
DELETE FROM held_peak;
INSERT INTO held_peak ("domain_id", "account", "width", "at", "messages", "octets") OVERRIDING SYSTEM VALUE VALUES ('1', 'alpha', '600', '1796070000', '1', '183');
INSERT INTO held_peak ("domain_id", "account", "width", "at", "messages", "octets") OVERRIDING SYSTEM VALUE VALUES ('1', 'alpha', '3600', '1796068800', '1', '183');
DELETE FROM history;
DELETE FROM last_reply;
DELETE FROM login;
INSERT INTO login ("user", "account", "password_hash", "sealed_secret", "created_at", "sealed_verifier", "valid_until", "prior_hash", "prior_secret", "prior_verifier", "prior_until") OVERRIDING SYSTEM VALUE VALUES ('alpha', 'alpha', '$argon2id$v=19$m=65536,t=3,p=4$k2DpujMhMB6pmDcJI3Yz4g$aq8XDyqyZzoJIZMBPpADYvzTHLRh+UwIYEaE0lWNWA4', E'\\xd3d48cbaad058f9ba09c5664ab2d675a5f145adff05ee9e496933b70e546fd4ddf5ac3757c0407c21c22e64a3544', '1796070519.1231933', E'\\x2b0aa447b5f6400f1bd9bfbe7562a07ea4493b57989db92ed80258118116e5cd9f2dd571c7300abb8f698c0e354ca7fbce1883a3e91f8d26fa7455850dc65cf4897d212629c07a19d20abfa8ea49fb22a1afa2bc1e396bf807cc4034b4ab3b760f6d73522edaff41af063ff9506f6ef92409274bdce061e1d6e27cbbd90246b553b323eeb66e548fe68cfafa1e3657bee10d09e627f958f2d57a1e0112b3e847e465', NULL, NULL, NULL, NULL, NULL);
DELETE FROM login_use;
DELETE FROM made_change;
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869185');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869186');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869187');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869188');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869189');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869190');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869191');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869193');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869192');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869194');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869195');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869196');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869197');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869198');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869199');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869200');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869201');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869203');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869204');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869205');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869202');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869206');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869207');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869208');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869209');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869210');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869211');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869212');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869214');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869213');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869215');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869216');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869217');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869218');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869219');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869220');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869221');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869222');
INSERT INTO made_change ("node", "number") OVERRIDING SYSTEM VALUE VALUES ('1', '17179869223');
DELETE FROM mark;
INSERT INTO mark ("domain_id", "kind", "value") OVERRIDING SYSTEM VALUE VALUES ('1', 'trusted-time', '1796070543.672532');
DELETE FROM message;
INSERT INTO message ("number", "domain_id", "received_at", "size", "flags", "reverse_path", "held_paths", "content_id", "file_crc32", "head_crc32", "dsn", "head", "message_id", "origin") OVERRIDING SYSTEM VALUE VALUES ('459794059201867009', '1', '1796070543.757293', '183', '0', 'bob@example.org', 'anna@alpha.example', NULL, NULL, '618337771', NULL, E'\\x52656365697665643a2066726f6d205b3132372e302e302e315d202868656c6f3d5b3132372e302e302e315d290d0a096279206d78322e6578616d706c652e6e657420776974682045534d54502069642063726334386230387a7638310d0a09666f72203c616e6e6140616c7068612e6578616d706c653e3b0d0a094d6f6e2c203330204e6f7620323032362032303a32393a3033202b303030300d0a5375626a6563743a20736d616c6c0d0a0d0a48656c6c6f2e0d0a', NULL, '{"address":"127.0.0.1","port":54546,"hello":"[127.0.0.1]"}');
INSERT INTO message ("number", "domain_id", "received_at", "size", "flags", "reverse_path", "held_paths", "content_id", "file_crc32", "head_crc32", "dsn", "head", "message_id", "origin") OVERRIDING SYSTEM VALUE VALUES ('459794059266160641', '1', '1796070544.0084407', '308175', '0', 'bob@example.org', 'anna@alpha.example', '459794059243932417', '1276559466', '3589198154', NULL, E'\\x52656365697665643a2066726f6d205b3132372e302e302e315d202868656c6f3d5b3132372e302e302e315d290d0a096279206d78322e6578616d706c652e6e657420776974682045534d5450206964206372633438623236397930310d0a09666f72203c616e6e6140616c7068612e6578616d706c653e3b0d0a094d6f6e2c203330204e6f7620323032362032303a32393a3034202b303030300d0a', NULL, '{"address":"127.0.0.1","port":54546,"hello":"[127.0.0.1]"}');
DELETE FROM node;
INSERT INTO node ("id", "epoch", "expires_at", "name", "version", "beaten_at", "is_retiring") OVERRIDING SYSTEM VALUE VALUES ('1', '4', '-infinity', 'vm:341', '0.1.0', '2026-11-30 20:29:03.748518+00', 'false');
DELETE FROM notice;
DELETE FROM past_drain;
DELETE FROM past_notice;
DELETE FROM portal_session;
DELETE FROM portal_user;
DELETE FROM presence;
DELETE FROM quiet;
DELETE FROM recipient;
DELETE FROM release;
DELETE FROM release_drain;
DELETE FROM report;
DELETE FROM restante_schema;
INSERT INTO restante_schema ("version", "oldest") OVERRIDING SYSTEM VALUE VALUES ('1', '1');
DELETE FROM scheduled_change;
DELETE FROM spool;
DELETE FROM token;
DELETE FROM token_use;
DELETE FROM usage;
INSERT INTO usage ("domain_id", "node", "messages", "octets", "refused") OVERRIDING SYSTEM VALUE VALUES ('1', '1', '2', '308358', '0');
DELETE FROM used_value;
INSERT INTO used_value ("digest", "until") OVERRIDING SYSTEM VALUE VALUES (E'\\xacda00c63bb916034862b8b0f0d3aa54', '1796675344.0975742');
INSERT INTO used_value ("digest", "until") OVERRIDING SYSTEM VALUE VALUES (E'\\xc204a52a0381243339e4e30abc669f1e', '1796675344.0978405');
SELECT setval('audit_id_seq', 3);
SELECT setval('domain_id_seq', 1);
-- file restante.key eNoBIADf/35+zU3yZIzzHE27wyvR11rrl19MxvGUysQlEf+u7fYPMZQS2w==
