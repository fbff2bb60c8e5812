"""The statements on channels, and on notices that wait."""

# ruff: noqa: S608  what is joined here are constants; every value is bound

CHANNELS = """
    SELECT id, account, name, transport, target, sealed, kinds, created_at, all_accounts
    FROM channel
"""
CHANNELS_BY_ID = f"{CHANNELS} WHERE id IN (SELECT value FROM json_each(?))"
ADD_CHANNEL = """
    INSERT INTO channel (account, name, transport, target, sealed, kinds, created_at, all_accounts)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
CHANGE_CHANNEL = """
    UPDATE channel SET
        account = ?, name = ?, transport = ?, target = ?, sealed = ?, kinds = ?, created_at = ?,
        all_accounts = ?
    WHERE id = ?
"""
ID_OF_CHANNEL = "SELECT id FROM channel WHERE account = ? AND name = ?"
HAS_CHANNEL = "SELECT 1 FROM channel WHERE id = ?"
REMOVE_CHANNEL = "DELETE FROM channel WHERE id = ?"
REMOVE_NOTICES_OF_CHANNEL = "DELETE FROM notice WHERE channel_id = ?"
NOTICE_COLUMNS = (
    "number, channel_id, key, facts, held_back, made_at, next_attempt_at, failures, reply"
)
KEEP_NOTICE = """
    INSERT INTO notice
        (channel_id, key, facts, held_back, made_at, next_attempt_at, failures, reply)
    VALUES (?, ?, ?, ?, ?, ?, 0, '')
"""

# The newest `limit` stay: the one just older than those is the newest that goes.
REMOVE_OLDEST_NOTICES = """
    DELETE FROM notice WHERE channel_id = :channel AND number <= (
        SELECT number FROM notice WHERE channel_id = :channel ORDER BY number DESC
        LIMIT 1 OFFSET :limit
    ) RETURNING number
"""

# A seek for each channel, however many notices wait for it: channels are few, and one that is away
# has many.
FIRST_NOTICES = f"""
    SELECT {NOTICE_COLUMNS} FROM notice
    WHERE number IN (
        SELECT (SELECT min(number) FROM notice WHERE channel_id = channel.id) FROM channel
    )
    ORDER BY next_attempt_at, number LIMIT ?
"""
LIST_NOTICES = (
    f"SELECT {NOTICE_COLUMNS} FROM notice WHERE number > :after ORDER BY number LIMIT :limit"
)
LIST_NOTICES_OF_CHANNELS = f"""
    SELECT {NOTICE_COLUMNS} FROM notice
    WHERE channel_id IN (SELECT value FROM json_each(:channel_ids)) AND number > :after
    ORDER BY number LIMIT :limit
"""
NOTICE_BACKLOG = """
    SELECT value, (SELECT made_at FROM notice WHERE number = (SELECT min(number) FROM notice))
    FROM counter WHERE name = 'notices'
"""
REMOVE_NOTICE = "DELETE FROM notice WHERE number = ?"
HASTEN_NOTICES = (
    "UPDATE notice SET next_attempt_at = :at WHERE channel_id = :channel AND next_attempt_at > :at"
)
HASTEN_ALL_NOTICES = "UPDATE notice SET next_attempt_at = ? WHERE next_attempt_at > ?"
PUT_NOTICE_OFF = (
    "UPDATE notice SET next_attempt_at = ?, failures = failures + 1, reply = ? WHERE number = ?"
)
QUIETS = (
    "SELECT account, kind, about, until, held_back, last FROM quiet ORDER BY account, kind, about"
)
KEEP_QUIET = (
    "INSERT OR REPLACE INTO quiet (account, kind, about, until, held_back, last)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
REMOVE_QUIET = "DELETE FROM quiet WHERE account = ? AND kind = ? AND about = ?"
