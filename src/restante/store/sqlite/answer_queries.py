"""Statements about kept answers. Their number is bounded, so sums over all of them are cheap."""

ANSWER = "SELECT request, at, status, body FROM answer WHERE key_owner = ? AND key = ? AND at >= ?"
KEEP = """
    INSERT OR IGNORE INTO answer (key_owner, key, request, at, status, body)
    VALUES (?, ?, ?, ?, ?, ?)
"""
FORGET_BEFORE = "DELETE FROM answer WHERE at < ?"
TRIM_OWNER = """
    DELETE FROM answer WHERE id IN (
        SELECT id FROM answer WHERE key_owner = ? ORDER BY id DESC LIMIT -1 OFFSET ?
    )
"""
# Each account keeps its newest answers before another keeps its older ones. The account of an owner
# is its text up to the first line end.
TRIM_NUMBER = """
    DELETE FROM answer WHERE (SELECT count(*) FROM answer) > ?1 AND id IN (
        SELECT id FROM (
            SELECT id, row_number() OVER (
                PARTITION BY substr(key_owner, 1, instr(key_owner, char(10))) ORDER BY id DESC
            ) AS place FROM answer
        ) ORDER BY place, id DESC LIMIT -1 OFFSET ?1
    )
"""
TRIM_OCTETS = """
    DELETE FROM answer WHERE id IN (
        SELECT id FROM (
            SELECT id, sum(octets) OVER (ORDER BY own, id DESC) AS octets FROM (
                SELECT id, octets, sum(octets) OVER (PARTITION BY account ORDER BY id DESC) AS own
                FROM (
                    SELECT id, substr(key_owner, 1, instr(key_owner, char(10))) AS account,
                        coalesce(length(body), 0) AS octets FROM answer
                )
            )
        ) WHERE octets > ?
    )
"""
