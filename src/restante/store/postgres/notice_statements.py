"""The statements about notices, those that wait and past ones."""

# ruff: noqa: S608  what is joined here are constants; every value is bound

from typing import Final

_COLUMNS: Final = (
    "number, channel_id, key, facts, held_back, made_at, next_attempt_at, failures, reply"
)
HAS_CHANNEL: Final = "SELECT id FROM channel WHERE id = ANY($1::bigint[]) FOR KEY SHARE"
KEEP: Final = """
    INSERT INTO notice
        (channel_id, key, facts, held_back, made_at, next_attempt_at, failures, reply)
    VALUES ($1, $2, $3, $4, $5, $6, 0, '')
"""
# The newest $2 stay: the one just older than those is the newest that goes.
REMOVE_OLDEST: Final = """
    DELETE FROM notice WHERE channel_id = $1 AND number <= (
        SELECT number FROM notice WHERE channel_id = $1 ORDER BY number DESC LIMIT 1 OFFSET $2
    )
    RETURNING number
"""
# A seek for each channel, however many notices wait for it.
FIRST: Final = f"""
    SELECT {_COLUMNS} FROM notice
    WHERE number IN (
        SELECT (
            SELECT number FROM notice WHERE channel_id = channel.id ORDER BY number LIMIT 1
        ) FROM channel
    )
    ORDER BY next_attempt_at, number LIMIT $1
"""
LIST: Final = f"""
    SELECT {_COLUMNS} FROM notice
    WHERE number > $1 AND ($2::bigint[] IS NULL OR channel_id = ANY($2)) ORDER BY number LIMIT $3
"""
BACKLOG: Final = "SELECT count(*), (SELECT made_at FROM notice ORDER BY number LIMIT 1) FROM notice"
REMOVE: Final = "DELETE FROM notice WHERE number = $1"
REMOVE_OF_CHANNEL: Final = "DELETE FROM notice WHERE channel_id = $1"
HASTEN_CHANNEL: Final = """
    UPDATE notice SET next_attempt_at = $1 WHERE channel_id = $2 AND next_attempt_at > $1
"""
HASTEN: Final = "UPDATE notice SET next_attempt_at = $1 WHERE next_attempt_at > $2"
PUT_OFF: Final = """
    UPDATE notice SET next_attempt_at = $1, failures = failures + 1, reply = $2 WHERE number = $3
"""
QUIETS: Final = """
    SELECT account, kind, about, until, held_back, last FROM quiet ORDER BY account, kind, about
"""
KEEP_QUIET: Final = """
    INSERT INTO quiet (account, kind, about, until, held_back, last) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (account, kind, about) DO UPDATE SET
        until = excluded.until, held_back = excluded.held_back, last = excluded.last
"""
REMOVE_QUIET: Final = "DELETE FROM quiet WHERE account = $1 AND kind = $2 AND about = $3"

KEEP_PAST: Final = """
    INSERT INTO past_notice
        (channel_id, key, facts, held_back, ended_at, is_sent, failures, reply)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
REMOVE_OLDEST_PAST: Final = """
    DELETE FROM past_notice WHERE channel_id = $1 AND number <= (
        SELECT number FROM past_notice WHERE channel_id = $1 ORDER BY number DESC LIMIT 1 OFFSET $2
    )
"""
REMOVE_PAST_OF_CHANNEL: Final = "DELETE FROM past_notice WHERE channel_id = $1"
LIST_PAST: Final = """
    SELECT number, channel_id, key, facts, held_back, ended_at, is_sent, failures, reply
    FROM past_notice
    WHERE ($1::bigint[] IS NULL OR channel_id = ANY($1)) AND ($2::bigint IS NULL OR number < $2)
    ORDER BY number DESC LIMIT $3
"""
