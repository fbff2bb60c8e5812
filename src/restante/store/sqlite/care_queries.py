"""The SQL of looking after the store: the proof at start, the check, the backup, the salvage.

The rest is in queries.py.
"""

# --- the proof at start: start_check.py

TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name = 'message', name"
INDEXES = "SELECT name FROM sqlite_schema WHERE type = 'index'"
WALKS = {
    "message_held": "SELECT count(*), max(number) FROM message INDEXED BY message_held"
    " WHERE held_paths <> ''",
    "message_file": "SELECT count(*), max(file) FROM message INDEXED BY message_file"
    " WHERE file IS NOT NULL",
    "message_delay": "SELECT count(*), max(received_at) FROM message INDEXED BY message_delay"
    " WHERE flags & 8",
    "message_suspect": "SELECT count(*), max(number) FROM message INDEXED BY message_suspect"
    " WHERE held_paths <> '' AND flags & 4",
    "message_deferred": "SELECT count(*), max(number) FROM message INDEXED BY message_deferred"
    " WHERE held_paths <> '' AND flags & 128",
}
NUMBER_SPAN = "SELECT min(number), max(number) FROM message"
NEXT_NUMBER = "SELECT received_at FROM message WHERE number >= ? ORDER BY number LIMIT 1"

# --- care of the store: each query is short, so that the log can be reused meanwhile

RECOUNT = """
    SELECT domain_id, count(*), sum(size), sum(held_paths = '') FROM message GROUP BY domain_id
    ORDER BY domain_id
"""
RECOUNT_BACKLOGS = """
    SELECT name, value, (SELECT count(*) FROM report) FROM counter WHERE name = 'reports'
    UNION ALL SELECT name, value, (SELECT count(*) FROM notice) FROM counter WHERE name = 'notices'
"""
CONTENTS_AFTER = """
    SELECT number, size, head_crc32, head, file, file_crc32 FROM message WHERE number > ?
    ORDER BY number LIMIT ?
"""
IS_HELD = "SELECT 1 FROM message WHERE number = ?"
TOTALS = "SELECT count(*), coalesce(sum(size), 0) FROM message"

# --- readable data goes into a new store: salvage.py

KNOWN = (
    "SELECT number, domain_id FROM message INDEXED BY message_held WHERE held_paths <> ''",
    "SELECT number, domain_id FROM last_reply",
)
USAGE_ANEW = """
    INSERT INTO usage (domain_id, messages, octets, refused, last_number)
    SELECT domain_id, count(*), sum(size), sum(held_paths = ''), max(number) FROM message
    GROUP BY domain_id
"""
DOMAINS_LOST = (
    "SELECT DISTINCT domain_id FROM message WHERE domain_id NOT IN (SELECT id FROM domain)"
    " ORDER BY domain_id"
)
PATHS_OF_DOMAIN = """
    SELECT held_paths FROM message WHERE domain_id = ? AND held_paths <> ''
    UNION ALL SELECT forward_path FROM last_reply WHERE domain_id = ? LIMIT ?
"""
ADD_DOMAIN_AGAIN = """
    INSERT INTO domain (id, name, account, destination, authorized_hosts, created_at, policy)
    VALUES (?, ?, ?, ?, ?, ?, ?)
"""
ACCOUNTS_LOST = """
    SELECT account FROM domain WHERE account NOT IN (SELECT name FROM account)
    UNION SELECT account FROM login WHERE account NOT IN (SELECT name FROM account)
    UNION SELECT account FROM channel
    WHERE account <> '' AND account NOT IN (SELECT name FROM account)
    UNION SELECT account FROM token
    WHERE account <> '' AND account NOT IN (SELECT name FROM account)
    UNION SELECT account FROM portal_user
    WHERE account <> '' AND account NOT IN (SELECT name FROM account)
"""
HAS_SEQUENCE = "SELECT 1 FROM sqlite_sequence WHERE name = ?"
BEGIN_SEQUENCE = "INSERT INTO sqlite_sequence (name, seq) VALUES (?, 0)"
MOVE_SEQUENCE = "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?"

# --- the scrub: scrub.py

SCRUBBED_AFTER = """
    SELECT number, domain_id, size, head_crc32, head, file, file_crc32
    FROM message NOT INDEXED WHERE number > ? ORDER BY number LIMIT ?
"""
# By index the rows that have no entry there: `NOT INDEXED` reads the table, the inner question the
# index.
UNINDEXED = {
    "message_held": """
        SELECT number FROM message NOT INDEXED
        WHERE number > ? AND number <= ? AND held_paths <> '' AND NOT EXISTS (
            SELECT 1 FROM message AS entry INDEXED BY message_held
            WHERE entry.domain_id = message.domain_id AND entry.number = message.number
                AND entry.held_paths <> ''
        )
    """,
    "message_file": """
        SELECT number FROM message NOT INDEXED
        WHERE number > ? AND number <= ? AND file IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM message AS entry INDEXED BY message_file WHERE entry.file = message.file
        )
    """,
}
