"""The tables of the newest versions: users of the portal and their requests, use and notices.

Steps of `migrations.MIGRATIONS`, in their order. None is ever edited.
"""

import apsw

_PORTAL_USERS = """
-- grants, recovery and passkeys are JSON; octets in it are in hexadecimal.
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
CREATE INDEX portal_user_of_account ON portal_user (account);
"""


def add_portal_users(connection: apsw.Connection) -> None:
    """Add users of the portal and their requests."""
    connection.execute(_PORTAL_USERS)


_HELD_PEAKS = """
-- The most that domains held in slots of time; no row where nothing was held.
CREATE TABLE held_peak (
    domain_id INTEGER NOT NULL,  -- may be of a removed domain
    account   TEXT NOT NULL,
    width     INTEGER NOT NULL,  -- seconds
    at        INTEGER NOT NULL,  -- Unix time of the slot's beginning
    messages  INTEGER NOT NULL,
    octets    INTEGER NOT NULL,
    PRIMARY KEY (domain_id, account, width, at)
) STRICT, WITHOUT ROWID;
"""


def add_held_peaks(connection: apsw.Connection) -> None:
    """Keep the most mail that each domain held, by time."""
    connection.execute(_HELD_PEAKS)


_ACCOUNT_USE = """
-- How much each account used the server. Rows stay after the account was removed.
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
"""


def add_account_use(connection: apsw.Connection) -> None:
    """Count how much each account uses the server."""
    connection.execute(_ACCOUNT_USE)


_PAST_NOTICES = """
-- The newest notices of each channel that were sent or given up.
CREATE TABLE past_notice (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    channel_id INTEGER NOT NULL,
    key        TEXT    NOT NULL,
    news       TEXT    NOT NULL,  -- JSON object
    held_back  INTEGER NOT NULL,
    ended_at   REAL    NOT NULL,
    is_sent    INTEGER NOT NULL,
    failures   INTEGER NOT NULL,
    reply      TEXT    NOT NULL
) STRICT;

CREATE INDEX past_notice_of_channel ON past_notice (channel_id, number);
"""


def add_past_notices(connection: apsw.Connection) -> None:
    """Keep the newest notices of each channel."""
    connection.execute(_PAST_NOTICES)


_ERASURES = """
-- The marks that stand in the place of erased addresses. The address is here until its erasure has
-- ended, so that an erasure which was interrupted goes on with the same mark.
CREATE TABLE erasure (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    person TEXT NOT NULL  -- '' once it has ended
) STRICT;
"""


def add_erasures(connection: apsw.Connection) -> None:
    """Keep the marks in place of erased addresses."""
    connection.execute(_ERASURES)


_PORTAL_SESSIONS = """
-- Portal users that are signed in.
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

CREATE INDEX portal_session_of_user ON portal_session (email, used_at);
CREATE INDEX portal_session_use ON portal_session (used_at);
"""


def add_portal_sessions(connection: apsw.Connection) -> None:
    """Keep the sessions of the portal."""
    connection.execute(_PORTAL_SESSIONS)


_SCHEDULED_CHANGES = """
-- Changes of destinations and authorized hosts that wait for their time. A part that stays as it is
-- has NULL, before and after.
CREATE TABLE scheduled_change (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    domain_id          INTEGER NOT NULL,
    domain             TEXT    NOT NULL,
    account            TEXT    NOT NULL,
    maker              TEXT    NOT NULL,
    origin             TEXT    NOT NULL,
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

CREATE INDEX scheduled_change_of_domain ON scheduled_change (domain_id);
"""


def add_scheduled_changes(connection: apsw.Connection) -> None:
    """Add changes of destinations that wait for their time."""
    connection.execute(_SCHEDULED_CHANGES)


def index_refused_numbers(connection: apsw.Connection) -> None:
    """Let the refused mail of all domains be listed in the order of its numbers."""
    connection.execute(
        "CREATE INDEX last_reply_refused_numbers ON last_reply (number + 0) WHERE is_refused"
    )


def add_change_locks(connection: apsw.Connection) -> None:
    """Let an account be kept from changing destinations and authorized hosts."""
    connection.execute("ALTER TABLE account ADD COLUMN change_lock INTEGER NOT NULL DEFAULT 0")


def forget_requesters_of_closed_drains(connection: apsw.Connection) -> None:
    """Keep the name of the one who asked in the past drain alone, where it can be erased."""
    connection.execute("UPDATE drain SET requested_by = '', stop = '' WHERE NOT is_open")


_USED_VALUES = """
-- Values that were good once, and were used: challenges of passkeys, links, and sign-ins at a
-- provider. A row is removed when its value would be over in any case.
CREATE TABLE used_value (
    digest BLOB PRIMARY KEY,  -- SHA-256
    until  REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX used_value_end ON used_value (until);
"""


def add_used_values(connection: apsw.Connection) -> None:
    """Keep values that are good only once."""
    connection.execute(_USED_VALUES)


_RESULT = """CASE substr(answer, 1, 3)
    WHEN '250' THEN 'nothing-held'
    WHEN '251' THEN 'nothing-held'
    WHEN '253' THEN 'granted'
    WHEN '459' THEN 'refused'
    WHEN '500' THEN 'not-a-target'
    WHEN '501' THEN 'not-a-target'
    WHEN '530' THEN 'not-authenticated'
    ELSE 'cannot-now'
END"""
_RESULTS_OF_RELEASES = """
UPDATE release SET answer = {result};
ALTER TABLE release RENAME COLUMN answer TO result;
"""


def name_results_of_releases(connection: apsw.Connection) -> None:
    """Keep the result of a release in place of the reply that a client of SMTP got."""
    connection.execute(_RESULTS_OF_RELEASES.format(result=_RESULT))


_RESULTS_IN_AUDIT = """
ALTER TABLE audit ADD COLUMN result TEXT NOT NULL DEFAULT '';
UPDATE audit SET result = {result} WHERE action = 'release-requested';
"""


def name_results_in_audit(connection: apsw.Connection) -> None:
    """Keep the result of a request beside the reply, so that no query reads the reply's digits."""
    connection.execute(_RESULTS_IN_AUDIT.format(result=_RESULT))


_PLACES_OF_ACTORS = """
ALTER TABLE audit RENAME COLUMN origin TO acted_from;
ALTER TABLE release RENAME COLUMN origin TO acted_from;
ALTER TABLE scheduled_change RENAME COLUMN origin TO acted_from;
"""


def rename_places_of_actors(connection: apsw.Connection) -> None:
    """Leave the word origin to messages: these columns have the place that an actor acted from."""
    connection.execute(_PLACES_OF_ACTORS)


_COLUMNS_NAMED_AS_FIELDS = """
ALTER TABLE answer RENAME COLUMN actor TO key_owner;
ALTER TABLE past_drain RENAME COLUMN last_words TO last_error;
ALTER TABLE channel RENAME COLUMN way TO transport;
ALTER TABLE channel RENAME COLUMN hears_all TO all_accounts;
ALTER TABLE notice RENAME COLUMN news TO facts;
ALTER TABLE past_notice RENAME COLUMN news TO facts;
"""


def name_columns_as_fields(connection: apsw.Connection) -> None:
    """Give columns the names that their values have everywhere else."""
    connection.execute(_COLUMNS_NAMED_AS_FIELDS)


_WORDS_WITH_HYPHENS = """
UPDATE past_drain SET ending = 'given-up' WHERE ending = 'given up';
UPDATE release_drain SET ending = 'given-up' WHERE ending = 'given up';
UPDATE audit SET actor = 'policy scheduled-changes' WHERE actor = 'policy scheduled changes';
"""


def spell_words_with_hyphens(connection: apsw.Connection) -> None:
    """Give the stored words that had a space their present form."""
    connection.execute(_WORDS_WITH_HYPHENS)


_ATTEMPTS = """
-- Unix time of the reply, 0 if it is not known; and the number of attempts without a delivery.
ALTER TABLE last_reply ADD COLUMN tried_at REAL NOT NULL DEFAULT 0;
ALTER TABLE last_reply ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
"""


def add_attempts(connection: apsw.Connection) -> None:
    """Keep when a recipient was last tried, and how often."""
    connection.execute(_ATTEMPTS)


_WORDS_OF_FACTORS = """
UPDATE portal_session SET factors = CASE
    WHEN factors GLOB 'provider *' THEN 'provider'
    ELSE replace(replace(replace(
        factors, ' and ', ' '), 'one-time code', 'one-time-code'), 'recovery code', 'recovery-code')
END;
"""


def store_factors_as_words(connection: apsw.Connection) -> None:
    """Store the factors of a sign-in as words: they were a phrase for people."""
    connection.execute(_WORDS_OF_FACTORS)


_TURNAROUNDS = """
-- Whether it may take mail over its own connection.
ALTER TABLE login ADD COLUMN turnaround INTEGER NOT NULL DEFAULT 0;
-- Where the mail of a drain goes: to the destination, or over the client's connection.
ALTER TABLE drain ADD COLUMN way TEXT NOT NULL DEFAULT 'destination';
"""


def add_turnarounds(connection: apsw.Connection) -> None:
    """Let logins take mail by ATRN, and tell such drains from others."""
    connection.execute(_TURNAROUNDS)


_CERTIFICATES = """
-- PEM text: the certificates that it may show instead of its password.
ALTER TABLE login ADD COLUMN certificates TEXT NOT NULL DEFAULT '';
"""


def add_client_certificates(connection: apsw.Connection) -> None:
    """Let logins be proved by certificates."""
    connection.execute(_CERTIFICATES)


_WAYS_OF_RELEASES = """
-- Where the mail of a release goes, as with a drain.
ALTER TABLE release ADD COLUMN way TEXT NOT NULL DEFAULT 'destination';
"""


def add_ways_of_releases(connection: apsw.Connection) -> None:
    """Tell requests for a turnaround from others."""
    connection.execute(_WAYS_OF_RELEASES)


_RIGHTS_THAT_WAIT = """
-- Unix time from which the right to a turnaround is in force.
ALTER TABLE login ADD COLUMN turnaround_at REAL;
"""


def let_rights_wait(connection: apsw.Connection) -> None:
    """Let a right to turnarounds begin later."""
    connection.execute(_RIGHTS_THAT_WAIT)


_SUSPECT_MAIL = """
-- Suspect mail, which leaves last. 4 is its flag.
CREATE INDEX message_suspect ON message (domain_id, number) WHERE held_paths <> '' AND flags & 4;
"""


def index_suspect_mail(connection: apsw.Connection) -> None:
    """Let drains find suspect mail without a walk over all other mail."""
    connection.execute(_SUSPECT_MAIL)


_DEFERRED_MAIL = """
-- Mail that a policy of the destination deferred. It leaves behind suspect mail. 128 is its flag.
CREATE INDEX message_deferred ON message (domain_id, number) WHERE held_paths <> '' AND flags & 128;
"""


def index_deferred_mail(connection: apsw.Connection) -> None:
    """Let drains find mail that a policy deferred, and let it be counted."""
    connection.execute(_DEFERRED_MAIL)


_DATA_KEYS = """
-- The keys under which held content is sealed. They are sealed themselves, under the key file.
CREATE TABLE data_key (
    domain_id INTEGER PRIMARY KEY,
    sealed    BLOB NOT NULL
) STRICT;
-- A copy, in other pages: without its key, no mail of a domain can be read.
CREATE TABLE data_key_copy (
    domain_id INTEGER PRIMARY KEY,
    sealed    BLOB NOT NULL
) STRICT;

CREATE TRIGGER data_key_more AFTER INSERT ON data_key
BEGIN INSERT OR IGNORE INTO data_key_copy VALUES (new.domain_id, new.sealed); END;

CREATE TRIGGER data_key_again AFTER UPDATE ON data_key
BEGIN UPDATE data_key_copy SET sealed = new.sealed WHERE domain_id = new.domain_id; END;

CREATE TRIGGER data_key_less AFTER DELETE ON data_key
BEGIN DELETE FROM data_key_copy WHERE domain_id = old.domain_id; END;
"""


def add_data_keys(connection: apsw.Connection) -> None:
    """Add the keys of sealed content.

    Bit 32 of message.head_crc32 is content that is sealed. The new number keeps earlier versions
    away: they would take such mail for damaged.
    """
    connection.execute(_DATA_KEYS)


def add_origins_of_history(connection: apsw.Connection) -> None:
    """Keep the origin of mail that left, as JSON without the address; NULL where it is not known.

    The address stays in the column `client`.
    """
    connection.execute("ALTER TABLE history ADD COLUMN origin TEXT")


KEEP_PROGRAM = "INSERT OR REPLACE INTO schema_program VALUES (?, ?)"
_PROGRAMS = """
-- The version of Restante that brought the tables to a schema. An older program reads it, to name
-- the version that is needed. So later schemas keep this table as it is.
CREATE TABLE schema_program (schema INTEGER PRIMARY KEY, program TEXT NOT NULL) STRICT;
"""


def add_programs(connection: apsw.Connection) -> None:
    """Note which version of Restante upgraded the store, for older programs that meet it."""
    connection.execute(_PROGRAMS)
