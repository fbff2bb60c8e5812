"""The tables of the first versions: mail, records, reports, notices and drains.

Steps of `migrations.MIGRATIONS`, in their order. None is ever edited.
"""

import apsw

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


def create_tables(connection: apsw.Connection) -> None:
    """Create the tables of accounts, domains and mail."""
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


def add_policies(connection: apsw.Connection) -> None:
    """Add the policies of domains."""
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


def add_reports(connection: apsw.Connection) -> None:
    """Add reports to senders."""
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


def add_notices(connection: apsw.Connection) -> None:
    """Add channels and notices."""
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


def count_backlogs(connection: apsw.Connection) -> None:
    """Count waiting reports and notices."""
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


def add_audit_details(connection: apsw.Connection) -> None:
    """Add the parts of an entry to the audit trail."""
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


def add_past_drains(connection: apsw.Connection) -> None:
    """Keep the last drain of each domain."""
    connection.execute(_PAST_DRAINS)


def add_report_details(connection: apsw.Connection) -> None:
    """Let an account say whether its reports of success name its primary."""
    connection.execute("ALTER TABLE account ADD COLUMN report_details INTEGER NOT NULL DEFAULT 0")


def add_scram_verifiers(connection: apsw.Connection) -> None:
    """Add verifiers for SCRAM. Earlier logins get one when their password is set again."""
    connection.execute("ALTER TABLE login ADD COLUMN sealed_verifier BLOB")


def allow_uncertain(_connection: apsw.Connection) -> None:
    """Let last_reply.is_refused be 2 for uncertain, and bits 5 and 6 of message.flags count doubts.

    No table changes. The new number keeps earlier versions away, which would end uncertain mail by
    time.
    """


_SUCCESS_REPORTS = """
-- The reports of success, with the columns that decide which ones are dropped if too many wait.
CREATE INDEX report_success ON report (domain_id, reverse_path) WHERE action = 'relayed';
"""


def index_success_reports(connection: apsw.Connection) -> None:
    """Find reports of success by an index."""
    connection.execute(_SUCCESS_REPORTS)


_RENAME_REFUSED_NOTICE = """
UPDATE channel SET kinds = replace(kinds, 'mail-refused', 'delivery-refused');
UPDATE notice SET news = json_set(news, '$.kind', 'delivery-refused')
    WHERE news ->> '$.kind' = 'mail-refused';
UPDATE quiet SET kind = 'delivery-refused', last = json_set(last, '$.kind', 'delivery-refused')
    WHERE kind = 'mail-refused';
"""


def rename_refused_notice(connection: apsw.Connection) -> None:
    """Name a notice like its event: `mail-refused` is mail that this server refused."""
    connection.execute(_RENAME_REFUSED_NOTICE)


_ADD_DRAIN_REQUESTS = """
-- Requests to the owner of a drain: the number of joins, and a reason to end it.
ALTER TABLE drain ADD COLUMN times INTEGER NOT NULL DEFAULT 0;
ALTER TABLE drain ADD COLUMN stop  TEXT    NOT NULL DEFAULT '';
"""


def add_drain_requests(connection: apsw.Connection) -> None:
    """Let drains be joined and stopped through the store."""
    connection.execute(_ADD_DRAIN_REQUESTS)


_ORIGINS = """
-- The origin of a message, as JSON, and its Message-ID; NULL if not known, as for earlier mail.
-- They are behind head's overflow pages: drains read head anyway, and listings read neither.
ALTER TABLE message ADD COLUMN origin TEXT;
ALTER TABLE message ADD COLUMN message_id TEXT;
"""


def add_origins(connection: apsw.Connection) -> None:
    """Keep the client from which each message came."""
    connection.execute(_ORIGINS)


_NAME_DAMAGED = """
UPDATE last_reply SET is_refused = 3 WHERE is_refused = 1 AND reply GLOB 'damaged:*';
CREATE INDEX last_reply_set_apart ON last_reply (domain_id, number, is_refused)
WHERE is_refused > 1;
UPDATE audit SET action = 'mail-held-again' WHERE action = 'refused-released';
"""


def name_damaged(connection: apsw.Connection) -> None:
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


def add_changes(connection: apsw.Connection) -> None:
    """Number the changes of records, for other processes."""
    connection.execute(_CHANGES)


_PAST_DRAIN_FACTS = """
ALTER TABLE past_drain ADD COLUMN uncertain INTEGER NOT NULL DEFAULT 0;
ALTER TABLE past_drain ADD COLUMN taker TEXT NOT NULL DEFAULT '';
"""


def add_past_drain_facts(connection: apsw.Connection) -> None:
    """Count uncertain messages of a past drain apart, and name its destination."""
    connection.execute(_PAST_DRAIN_FACTS)
