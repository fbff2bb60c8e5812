"""The statements on the presence of destinations.

The index has the newest change of a destination behind its others. The rows of an account's
destination are few: it changes a few times a day at most.
"""

RECORD = """
    INSERT INTO presence (at, account, destination, seen, reason) VALUES (?, ?, ?, ?, ?)
"""
# The newest of each, along the index alone.
LATEST = """
    SELECT id, at, account, destination, seen, reason FROM presence
    WHERE id IN (SELECT max(id) FROM presence GROUP BY account, destination)
"""
CHANGES = """
    SELECT id, at, account, destination, seen, reason FROM presence
    WHERE account = ?1 AND destination = ?2 AND (?3 IS NULL OR id < ?3)
    ORDER BY id DESC LIMIT ?4
"""
# Rows stand in the order of time. The newest of a destination stays while its state is known.
TRIM = """
    DELETE FROM presence WHERE id IN (
        SELECT id FROM presence AS old
        WHERE at < ?1 AND (seen = 'unknown' OR EXISTS (
            SELECT 1 FROM presence AS newer
            WHERE newer.account = old.account AND newer.destination = old.destination
                AND newer.id > old.id
        ))
        ORDER BY id LIMIT ?2
    )
"""
FORGET = """
    DELETE FROM presence WHERE id IN (
        SELECT id FROM presence WHERE account NOT IN (SELECT value FROM json_each(?1)) LIMIT ?2
    )
"""
