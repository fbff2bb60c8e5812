"""The tables, and how a database of an earlier version becomes one of this version.

`PRAGMA user_version` counts the migrations that a database has been through. A released migration
is never edited: its results are on people's disks.
"""

from collections.abc import Callable

import apsw

from restante.store.store_errors import StoreUnusable

Migration = Callable[[apsw.Connection], object]

_TABLES = """
-- Held mail, a row for each message. A release walks it by (domain_id, number); settling removes
-- rows. head is the last column, so that no other lies behind its overflow pages.
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
) STRICT;

-- A release walks this. It leaves out the mail that a release does not move.
CREATE INDEX message_held ON message (domain_id, number) WHERE held_paths <> '';

-- The orphan sweep reads this instead of the whole table.
CREATE INDEX message_file ON message (file) WHERE file IS NOT NULL;

-- A destination's last reply about a recipient, unless it was 250. Most mail never has one, and a
-- new reply must not rewrite the content, so it is not in message. Refused recipients are here and
-- not in held_paths.
CREATE TABLE last_reply (
    domain_id    INTEGER NOT NULL,
    number       INTEGER NOT NULL,
    forward_path TEXT    NOT NULL,
    is_refused   INTEGER NOT NULL,
    reply        TEXT    NOT NULL,
    PRIMARY KEY (domain_id, number, forward_path)
) STRICT, WITHOUT ROWID;

CREATE INDEX last_reply_refused ON last_reply (domain_id, number) WHERE is_refused;

-- The totals of each domain, except for the newest mail (ledger.py), so that nobody counts rows.
CREATE TABLE usage (
    domain_id   INTEGER PRIMARY KEY,
    messages    INTEGER NOT NULL,
    octets      INTEGER NOT NULL,
    refused     INTEGER NOT NULL,
    last_number INTEGER NOT NULL       -- highest ever held for it
) STRICT;

-- Drains. The number grows when a drain is taken over and when it is closed. Its former owner can
-- settle nothing after that.
CREATE TABLE drain (
    domain_id    INTEGER PRIMARY KEY,
    number       INTEGER NOT NULL,
    requested_at REAL    NOT NULL,
    deadline     REAL    NOT NULL,
    is_open      INTEGER NOT NULL
) STRICT;

CREATE TABLE account (
    name        TEXT PRIMARY KEY,
    created_at  REAL NOT NULL,
    empty_reply INTEGER NOT NULL,
    note        TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE login (
    user          TEXT PRIMARY KEY,
    account       TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    sealed_secret BLOB,
    created_at    REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX login_account ON login (account);

-- AUTOINCREMENT: an id is never used again, so the id of a removed domain never means another one.
CREATE TABLE domain (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    name             TEXT NOT NULL UNIQUE,
    account          TEXT NOT NULL,
    destination      TEXT NOT NULL,    -- JSON object
    authorized_hosts TEXT NOT NULL,    -- JSON array of texts
    created_at       REAL NOT NULL
) STRICT;

CREATE INDEX domain_account ON domain (account);

-- Only ever grows.
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

CREATE INDEX audit_account ON audit (account, id);

CREATE TABLE counter (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO counter (name, value) VALUES
    ('change-number', 0),              -- moves with every change of the operator's records
    ('last-number', 0);                -- highest message number of removed domains
"""


def _create_tables(connection: apsw.Connection) -> None:
    connection.execute(_TABLES)


_POLICIES = """
-- JSON objects; '' is what a record had before there were any: no quota, the default policy.
ALTER TABLE account ADD COLUMN quota TEXT NOT NULL DEFAULT '';
ALTER TABLE domain ADD COLUMN policy TEXT NOT NULL DEFAULT '';

-- Unix time at which a recipient was refused, or held again; 0 for one that has only ever waited.
-- Refusals that were stored without a time count from now on.
ALTER TABLE last_reply ADD COLUMN at REAL NOT NULL DEFAULT 0;
UPDATE last_reply SET at = unixepoch() WHERE is_refused;

-- Mailboxes of a domain: on its list, or as its destination said. Read whole, into memory.
CREATE TABLE recipient (
    domain_id INTEGER NOT NULL,
    source    TEXT    NOT NULL,
    name      TEXT    NOT NULL,
    is_there  INTEGER NOT NULL,
    at        REAL    NOT NULL,
    PRIMARY KEY (domain_id, source, name)
) STRICT, WITHOUT ROWID;

-- Notices already given about a domain, so that a restart does not repeat them.
CREATE TABLE mark (
    domain_id INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    value     REAL    NOT NULL,
    PRIMARY KEY (domain_id, kind)
) STRICT, WITHOUT ROWID;
"""


def _add_policies(connection: apsw.Connection) -> None:
    connection.execute(_POLICIES)


_REPORTS = """
-- The sender's request for reports, as JSON; NULL without one, as with most mail. It stands behind
-- head, so that existing rows stay as they are. A NULL is known from the beginning of the record:
-- nobody has to look for it behind head's overflow pages.
ALTER TABLE message ADD COLUMN dsn TEXT;

-- Mail whose sender asked for a report of delay, and has none yet (rows.py names the bit).
CREATE INDEX message_delay ON message (received_at) WHERE flags & 8;

-- Reports on their way to reverse-paths.
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

CREATE INDEX report_due ON report (next_attempt_at);
"""


def _add_reports(connection: apsw.Connection) -> None:
    connection.execute(_REPORTS)


_NOTICES = """
-- The channels of notices. AUTOINCREMENT: a waiting notice never means a later channel.
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

-- Notices on their way.
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

-- The next notice of each channel.
CREATE INDEX notice_channel ON notice (channel_id, number);

-- Notices that are not repeated until a time. There are few: each row is removed at its time.
CREATE TABLE quiet (
    account   TEXT    NOT NULL,
    kind      TEXT    NOT NULL,
    about     TEXT    NOT NULL,
    until     REAL    NOT NULL,
    held_back INTEGER NOT NULL,
    last      TEXT,                      -- JSON object: the last one held back
    PRIMARY KEY (account, kind, about)
) STRICT, WITHOUT ROWID;
"""


def _add_notices(connection: apsw.Connection) -> None:
    connection.execute(_NOTICES)


_BACKLOGS = """
-- The numbers of waiting reports and notices, so that nobody counts rows. Triggers keep them,
-- because rows are removed in several ways. A trigger does not see a row that INSERT OR REPLACE
-- replaces, so these two tables have plain inserts only.
INSERT INTO counter (name, value) SELECT 'reports', count(*) FROM report;
INSERT INTO counter (name, value) SELECT 'notices', count(*) FROM notice;

CREATE TRIGGER report_more AFTER INSERT ON report
BEGIN UPDATE counter SET value = value + 1 WHERE name = 'reports'; END;

CREATE TRIGGER report_less AFTER DELETE ON report
BEGIN UPDATE counter SET value = value - 1 WHERE name = 'reports'; END;

CREATE TRIGGER notice_more AFTER INSERT ON notice
BEGIN UPDATE counter SET value = value + 1 WHERE name = 'notices'; END;

CREATE TRIGGER notice_less AFTER DELETE ON notice
BEGIN UPDATE counter SET value = value - 1 WHERE name = 'notices'; END;
"""


def _count_backlogs(connection: apsw.Connection) -> None:
    connection.execute(_BACKLOGS)


_AUDIT_DETAILS = """
-- The hosted domain of an entry, and the changed fields of a record (JSON; '' without any).
ALTER TABLE audit ADD COLUMN domain TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN changes TEXT NOT NULL DEFAULT '';

UPDATE audit SET domain = lower(ltrim(subject, '@'))
WHERE action IN (
        'release-requested', 'domain-added', 'domain-changed', 'domain-removed',
        'recipients-changed'
    )
    AND subject NOT LIKE '#%';

CREATE INDEX audit_domain ON audit (domain, id);
"""


def _add_audit_details(connection: apsw.Connection) -> None:
    connection.execute(_AUDIT_DETAILS)


_PAST_DRAINS = """
-- The last drain of each domain. It has its own row: the next drain replaces the row in drain.
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
"""


def _add_past_drains(connection: apsw.Connection) -> None:
    connection.execute(_PAST_DRAINS)


def _add_report_details(connection: apsw.Connection) -> None:
    """Whether an account's reports of success name its primary."""
    connection.execute("ALTER TABLE account ADD COLUMN report_details INTEGER NOT NULL DEFAULT 0")


def _add_scram_verifiers(connection: apsw.Connection) -> None:
    """Add verifiers for SCRAM. Earlier logins get one when their password is set again."""
    connection.execute("ALTER TABLE login ADD COLUMN sealed_verifier BLOB")


def _allow_uncertain(_connection: apsw.Connection) -> None:
    """Let last_reply.is_refused be 2 for uncertain, and bits 5 and 6 of message.flags count doubts.

    No table changes. The new number keeps earlier versions away, which would end uncertain mail by
    time.
    """


_SUCCESS_REPORTS = """
-- The reports of success, with the columns that decide which ones are dropped if too many wait.
CREATE INDEX report_success ON report (domain_id, reverse_path) WHERE action = 'relayed';
"""


def _index_success_reports(connection: apsw.Connection) -> None:
    connection.execute(_SUCCESS_REPORTS)


_RENAME_REFUSED_NOTICE = """
UPDATE channel SET kinds = replace(kinds, 'mail-refused', 'delivery-refused');
UPDATE notice SET news = json_set(news, '$.kind', 'delivery-refused')
    WHERE news ->> '$.kind' = 'mail-refused';
UPDATE quiet SET kind = 'delivery-refused', last = json_set(last, '$.kind', 'delivery-refused')
    WHERE kind = 'mail-refused';
"""


def _rename_refused_notice(connection: apsw.Connection) -> None:
    """Name a notice like its event: `mail-refused` is mail that this server refused."""
    connection.execute(_RENAME_REFUSED_NOTICE)


_ADD_DRAIN_REQUESTS = """
-- Requests to the owner of a drain: the number of joins, and a reason to end it.
ALTER TABLE drain ADD COLUMN times INTEGER NOT NULL DEFAULT 0;
ALTER TABLE drain ADD COLUMN stop  TEXT    NOT NULL DEFAULT '';
"""


def _add_drain_requests(connection: apsw.Connection) -> None:
    """Let drains be joined and stopped through the store."""
    connection.execute(_ADD_DRAIN_REQUESTS)


_ORIGINS = """
-- The origin of a message, as JSON, and its Message-ID; NULL if not known, as for earlier mail.
-- They are behind head's overflow pages: drains read head anyway, and listings read neither.
ALTER TABLE message ADD COLUMN origin TEXT;
ALTER TABLE message ADD COLUMN message_id TEXT;
"""


def _add_origins(connection: apsw.Connection) -> None:
    connection.execute(_ORIGINS)


_NAME_DAMAGED = """
UPDATE last_reply SET is_refused = 3 WHERE is_refused = 1 AND reply GLOB 'damaged:*';
CREATE INDEX last_reply_set_apart ON last_reply (domain_id, number, is_refused)
WHERE is_refused > 1;
UPDATE audit SET action = 'mail-held-again' WHERE action = 'refused-released';
"""


def _name_damaged(connection: apsw.Connection) -> None:
    """Let last_reply.is_refused be 3 for damaged, and count what is not simply refused.

    The trail had one name for mail that was held again, whatever kept it from drains before.
    """
    connection.execute(_NAME_DAMAGED)


_CHANGES = """
-- The latest changes of records, one for each change number, so that no process must read all.
CREATE TABLE change (
    number INTEGER PRIMARY KEY,
    kind   TEXT NOT NULL,
    key    TEXT NOT NULL
) STRICT;
"""


def _add_changes(connection: apsw.Connection) -> None:
    connection.execute(_CHANGES)


_PAST_DRAIN_FACTS = """
ALTER TABLE past_drain ADD COLUMN uncertain INTEGER NOT NULL DEFAULT 0;
ALTER TABLE past_drain ADD COLUMN taker TEXT NOT NULL DEFAULT '';
"""


def _add_past_drain_facts(connection: apsw.Connection) -> None:
    """Uncertain messages apart from refused ones, and the destination if it has taken mail."""
    connection.execute(_PAST_DRAIN_FACTS)


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


def _add_history(connection: apsw.Connection) -> None:
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


def _add_releases(connection: apsw.Connection) -> None:
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


def _add_tokens(connection: apsw.Connection) -> None:
    connection.execute(_TOKENS)


def _keep_requesters(connection: apsw.Connection) -> None:
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


def _add_searches(connection: apsw.Connection) -> None:
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


def _add_answers(connection: apsw.Connection) -> None:
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


def _add_presence(connection: apsw.Connection) -> None:
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


def _add_login_rotation(connection: apsw.Connection) -> None:
    connection.execute(_LOGIN_ROTATION)


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


def _add_portal_users(connection: apsw.Connection) -> None:
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


def _add_held_peaks(connection: apsw.Connection) -> None:
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


def _add_account_use(connection: apsw.Connection) -> None:
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


def _add_past_notices(connection: apsw.Connection) -> None:
    connection.execute(_PAST_NOTICES)


_ERASURES = """
-- The marks that stand in the place of erased addresses. The address is here until its erasure has
-- ended, so that an erasure which was interrupted goes on with the same mark.
CREATE TABLE erasure (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    person TEXT NOT NULL  -- '' once it has ended
) STRICT;
"""


def _add_erasures(connection: apsw.Connection) -> None:
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


def _add_portal_sessions(connection: apsw.Connection) -> None:
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


def _add_scheduled_changes(connection: apsw.Connection) -> None:
    connection.execute(_SCHEDULED_CHANGES)


def _index_refused_numbers(connection: apsw.Connection) -> None:
    """Let the refused mail of all domains be listed in the order of its numbers."""
    connection.execute(
        "CREATE INDEX last_reply_refused_numbers ON last_reply (number + 0) WHERE is_refused"
    )


def _add_change_locks(connection: apsw.Connection) -> None:
    """Whether an account may change destinations and authorized hosts."""
    connection.execute("ALTER TABLE account ADD COLUMN change_lock INTEGER NOT NULL DEFAULT 0")


def _forget_requesters_of_closed_drains(connection: apsw.Connection) -> None:
    """Keep the name of the one who asked in the past drain alone, where it can be erased."""
    connection.execute("UPDATE drain SET requested_by = '', stop = '' WHERE NOT is_open")


MIGRATIONS: tuple[Migration, ...] = (
    _create_tables,
    _add_policies,
    _add_reports,
    _add_notices,
    _count_backlogs,
    _add_audit_details,
    _add_past_drains,
    _add_report_details,
    _add_scram_verifiers,
    _allow_uncertain,
    _index_success_reports,
    _rename_refused_notice,
    _add_drain_requests,
    _add_origins,
    _name_damaged,
    _add_changes,
    _add_past_drain_facts,
    _add_history,
    _add_releases,
    _add_tokens,
    _keep_requesters,
    _add_searches,
    _add_answers,
    _add_presence,
    _add_login_rotation,
    _add_portal_users,
    _add_held_peaks,
    _add_account_use,
    _add_past_notices,
    _add_erasures,
    _add_portal_sessions,
    _add_scheduled_changes,
    _index_refused_numbers,
    _add_change_locks,
    _forget_requesters_of_closed_drains,
)


def migrate(connection: apsw.Connection, migrations: tuple[Migration, ...] = MIGRATIONS) -> int:
    """Bring a database to the present schema, a transaction per step; return its version."""
    present = int(connection.pragma("user_version"))
    if present > len(migrations):
        raise StoreUnusable(
            f"the database has schema {present}, this version of restante knows {len(migrations)}: "
            "run the newer restante again, or restore the backup made before the upgrade"
        )
    for version in range(present, len(migrations)):
        _step(connection, migrations[version], version + 1)
    return len(migrations)


def _step(connection: apsw.Connection, migration: Migration, version: int) -> None:
    with connection:  # commits, or rolls back if the migration raises
        migration(connection)
        connection.pragma("user_version", version)
