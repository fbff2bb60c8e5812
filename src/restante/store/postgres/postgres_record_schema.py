"""The tables of the operator's records, and of notices, on PostgreSQL (postgres_schema.py)."""

from typing import Final

RECORDS: Final = """
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
    prior_until     float8,
    turnaround      smallint NOT NULL DEFAULT 0,
    certificates    text NOT NULL DEFAULT '',
    turnaround_at   float8
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
"""

NOTICES: Final = """
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
-- The keys of sealed content, sealed under the key file.
CREATE TABLE data_key (
    domain_id integer PRIMARY KEY,
    sealed    bytea NOT NULL
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
"""
