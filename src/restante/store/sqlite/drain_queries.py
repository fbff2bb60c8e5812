"""The statements on drains: those on record, and the last of each domain."""

from restante.store.sqlite.mail_queries import OF_SOME

DRAINS = """
    SELECT domain_id, number, is_open, requested_at, deadline, times, stop, release,
        requested_by, way
    FROM drain
"""
KEEP_DRAIN = """
    INSERT OR REPLACE INTO drain (
        domain_id, number, requested_at, deadline, is_open, times, stop, release,
        requested_by, way
    )
    VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?)
"""

# The name of the one who asked is in the record of the past drain, where it can be erased.
CLOSE_DRAIN = """
    UPDATE drain SET is_open = 0, number = ?, requested_by = '', stop = '' WHERE domain_id = ?
"""
REMOVE_DRAIN = "DELETE FROM drain WHERE domain_id = ?"
REMOVE_PAST_DRAIN = "DELETE FROM past_drain WHERE domain_id = ?"
KEEP_PAST_DRAIN = "INSERT OR REPLACE INTO past_drain VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
PAST_DRAINS = """
SELECT domain_id, started_at, ended_at, requested_by, ending, reason, delivered, deferred, refused,
    last_error, uncertain, taker
FROM past_drain
"""
PAST_DRAINS_OF = f"{PAST_DRAINS} WHERE {OF_SOME}"
