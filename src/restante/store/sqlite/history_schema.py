"""The tables of the next versions: history, releases, tokens, answers and presence.

Steps of `migrations.MIGRATIONS`, in their order. None is ever edited.
"""

import apsw

_HISTORY = """
-- The outcome for each recipient, in the order in which they left. history_changes.py names the
-- outcomes. The reply is the last column, as the longest.
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
) STRICT;

CREATE INDEX history_domain ON history (domain_id);
CREATE INDEX history_number ON history (number);

ALTER TABLE account ADD COLUMN history TEXT NOT NULL DEFAULT 'full';
"""


def add_history(connection: apsw.Connection) -> None:
    """Keep the outcomes of mail that left."""
    connection.execute(_HISTORY)


_RELEASES = """
-- Requests to release mail, as they were answered. The id is unique among the numbers of messages
-- too, and is the time in microseconds or more.
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

CREATE INDEX release_account ON release (account);
CREATE INDEX release_domain ON release (domain);

-- The work of each drain for a release. release_queries.py has the meaning of opener.
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

CREATE INDEX release_drain_domain ON release_drain (domain_id);

ALTER TABLE drain ADD COLUMN release INTEGER NOT NULL DEFAULT 0;
ALTER TABLE history ADD COLUMN release INTEGER NOT NULL DEFAULT 0;
"""


def add_releases(connection: apsw.Connection) -> None:
    """Keep each request to release mail, and its results."""
    connection.execute(_RELEASES)


_TOKENS = """
-- Tokens of the API. `grants` are roles and scopes, `domains` and `networks` lists, all as JSON.
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

CREATE INDEX token_account ON token (account);

-- Apart from the records: a use is no change of them.
CREATE TABLE token_use (
    id TEXT PRIMARY KEY,
    at REAL NOT NULL
) STRICT, WITHOUT ROWID;
"""


def add_tokens(connection: apsw.Connection) -> None:
    """Add tokens of the API."""
    connection.execute(_TOKENS)


def keep_requesters(connection: apsw.Connection) -> None:
    """Keep who asked for a drain, so that the next start knows it."""
    connection.execute("ALTER TABLE drain ADD COLUMN requested_by TEXT NOT NULL DEFAULT ''")


_SEARCHES = """
-- The Message-IDs of held mail, beside message: a search need not read content. Triggers keep it,
-- so that mail is still held in one statement. Mail below `keyed-from` was held before there was
-- this table. It is read itself, until it has left.
CREATE TABLE message_key (
    number     INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL
) STRICT;

INSERT INTO counter (name, value)
    SELECT 'keyed-from', coalesce(max(number) + 1, 0) FROM message;

CREATE TRIGGER message_key_more AFTER INSERT ON message WHEN NEW.message_id IS NOT NULL
BEGIN INSERT INTO message_key (number, message_id) VALUES (NEW.number, NEW.message_id); END;

CREATE TRIGGER message_key_less AFTER DELETE ON message
BEGIN DELETE FROM message_key WHERE number = OLD.number; END;

-- Where the history enters another hour: the entries from first_id to the next row are of this
-- hour. A clock that is set back begins another row.
CREATE TABLE history_hour (
    first_id INTEGER PRIMARY KEY,
    hour     INTEGER NOT NULL          -- since 1970
) STRICT;

INSERT INTO history_hour (first_id, hour)
    SELECT id, hour
    FROM (SELECT id, hour, lag(hour) OVER (ORDER BY id) AS earlier
        FROM (SELECT id, CAST(at / 3600 AS INTEGER) AS hour FROM history))
    WHERE hour IS NOT earlier;
"""


def add_searches(connection: apsw.Connection) -> None:
    """Find mail by its Message-ID and by time without reading all of it."""
    connection.execute(_SEARCHES)


_ANSWERS = """
-- Answers to requests that a client may repeat, for a day.
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
"""


def add_answers(connection: apsw.Connection) -> None:
    """Keep answers to requests that a client may repeat."""
    connection.execute(_ANSWERS)


_PRESENCE = """
-- When destinations came up and went away, as each account was shown it.
CREATE TABLE presence (
    id          INTEGER PRIMARY KEY,
    at          REAL NOT NULL,     -- Unix time
    account     TEXT NOT NULL,
    destination TEXT NOT NULL,     -- host:port
    seen        TEXT NOT NULL,     -- up, away, or unknown: not probed any more
    reason      TEXT NOT NULL
) STRICT;

CREATE INDEX presence_of_destination ON presence (account, destination, id);
"""


def add_presence(connection: apsw.Connection) -> None:
    """Keep when each primary was reachable."""
    connection.execute(_PRESENCE)


_LOGIN_ROTATION = """
-- The password before a rotation, and until when it is good; until when the login is.
ALTER TABLE login ADD COLUMN valid_until REAL;
ALTER TABLE login ADD COLUMN prior_hash TEXT;
ALTER TABLE login ADD COLUMN prior_secret BLOB;
ALTER TABLE login ADD COLUMN prior_verifier BLOB;
ALTER TABLE login ADD COLUMN prior_until REAL;

-- Apart from the records: a use is no change of them.
CREATE TABLE login_use (
    user      TEXT PRIMARY KEY,
    at        REAL NOT NULL,
    address   TEXT NOT NULL,
    mechanism TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""


def add_login_rotation(connection: apsw.Connection) -> None:
    """Let two passwords of a login be valid for a time."""
    connection.execute(_LOGIN_ROTATION)
