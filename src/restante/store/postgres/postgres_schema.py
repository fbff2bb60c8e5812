"""The tables of the store on PostgreSQL.

Where they are as those of SQLite, its schema has the reasons. Texts that are compared have the
collation "C", so that every database has the same order. Flags are numbers, as in SQLite: both
stores spell their rows alike (`store/stored_form`).
"""

from typing import Final

from restante import __version__
from restante.store.postgres.postgres_record_schema import NOTICES, RECORDS

VERSION: Final = 15

MAIL: Final = """
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
-- With it, refused mail that is set apart is counted without a look at any message.
CREATE INDEX message_unheld ON message (domain_id, number) WHERE held_paths = '';
CREATE INDEX message_suspect ON message (domain_id, number)
    WHERE held_paths <> '' AND flags & 4 = 4;
CREATE INDEX message_deferred ON message (domain_id, number)
    WHERE held_paths <> '' AND flags & 128 = 128;
CREATE INDEX message_delay ON message (received_at) WHERE flags & 8 <> 0;
CREATE INDEX message_sought ON message USING hash (message_id);
CREATE INDEX message_content ON message (content_id) WHERE content_id IS NOT NULL;

-- Large content in the object store, if there is one. An object is named before it is written.
CREATE TABLE content_object (
    content_id bigint PRIMARY KEY,
    name       text COLLATE "C" NOT NULL UNIQUE, -- random, and never used again
    doomed_at  timestamptz                  -- its message left, and its object shall follow
);
CREATE INDEX content_object_doomed ON content_object (doomed_at) WHERE doomed_at IS NOT NULL;
-- One row at most: the object store has the same mark.
CREATE TABLE object_mark (
    place smallint PRIMARY KEY CHECK (place = 1),
    mark  text NOT NULL
);
-- Other large content, a mebibyte a row. The names are given like message numbers.
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
    tried_at     float8 NOT NULL DEFAULT 0, -- with a default, for servers of the former version
    attempts     integer NOT NULL DEFAULT 0,
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
    removals  bigint NOT NULL DEFAULT 0,    -- changes after which other mail can be the oldest
    PRIMARY KEY (domain_id, node)
) WITH (fillfactor = 40);
-- The oldest held mail of each domain, as last sought among all mail. A row is valid while the sum
-- of the domain's `removals` stays the same: new mail has a higher number.
CREATE TABLE oldest_mail (
    domain_id   integer PRIMARY KEY,
    removals    bigint NOT NULL,            -- the sum over the rows of `usage`
    received_at float8 NOT NULL
) WITH (fillfactor = 50);

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
    is_open      boolean NOT NULL,
    way          text NOT NULL DEFAULT 'destination'
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
    reply        text NOT NULL,
    origin       text
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
    pending bigint NOT NULL,
    way     text NOT NULL DEFAULT 'destination'
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
                reply FROM '^[2-5][0-9][0-9][ -]#?([245]\\.[0-9]{1,3}\\.[0-9]{1,3})\\M(?!\\.\\w)'
            ),
            ''
        ),
        ''
    );
"""

# A program that knows the schema `oldest`, or a later one, can work with these tables. `program` is
# the version of Restante that made or upgraded them.
_VERSIONS: Final = """
CREATE TABLE restante_schema (
    version integer NOT NULL, oldest integer NOT NULL, program text NOT NULL DEFAULT ''
);
"""
_MADE: Final = (
    # Of numbers and our own version.
    f"INSERT INTO restante_schema VALUES ({VERSION}, {VERSION}, '{__version__}');"  # noqa: S608
)
SCHEMA: Final = f"{_VERSIONS}{_MADE}{MAIL}{RECORDS}{NOTICES}"
