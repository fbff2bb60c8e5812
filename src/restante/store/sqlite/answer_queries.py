"""Statements about kept answers. Their number is bounded, so sums over all of them are cheap."""

ANSWER = "SELECT request, at, status, body FROM answer WHERE actor = ? AND key = ? AND at >= ?"
KEEP = """
    INSERT OR IGNORE INTO answer (actor, key, request, at, status, body) VALUES (?, ?, ?, ?, ?, ?)
"""
FORGET_BEFORE = "DELETE FROM answer WHERE at < ?"
TRIM_ACTOR = """
    DELETE FROM answer WHERE id IN (
        SELECT id FROM answer WHERE actor = ? ORDER BY id DESC LIMIT -1 OFFSET ?
    )
"""
TRIM_NUMBER = """
    DELETE FROM answer WHERE id IN (SELECT id FROM answer ORDER BY id DESC LIMIT -1 OFFSET ?)
"""
TRIM_OCTETS = """
    DELETE FROM answer WHERE id IN (
        SELECT id FROM (
            SELECT id, sum(coalesce(length(body), 0)) OVER (ORDER BY id DESC) AS octets FROM answer
        ) WHERE octets > ?
    )
"""
