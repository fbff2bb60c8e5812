"""The statements on changes that wait. There are few rows: at most two for a domain."""

_COLUMNS = """
    domain_id, domain, account, maker, acted_from, token, portal_user, made_at, applies_at,
    former_destination, wanted_destination, former_hosts, wanted_hosts, reason, is_announced
"""
ALL = f"""
    SELECT id, {_COLUMNS} FROM scheduled_change WHERE id > ? ORDER BY id LIMIT ?
"""  # noqa: S608  constants
OF_DOMAIN = f"""
    SELECT id, {_COLUMNS} FROM scheduled_change WHERE domain_id = ? AND id > ? ORDER BY id LIMIT ?
"""  # noqa: S608
KEEP = f"""
    INSERT INTO scheduled_change ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""  # noqa: S608
# Whether one waits for the domain that replaces the destination (?2), or the hosts (?3).
IN_THE_WAY = """
    SELECT 1 FROM scheduled_change
    WHERE domain_id = ?1 AND (
        (?2 AND wanted_destination IS NOT NULL) OR (?3 AND wanted_hosts IS NOT NULL)
    )
"""
NOTE_ANNOUNCED = """
    UPDATE scheduled_change SET is_announced = 1 WHERE id IN (SELECT value FROM json_each(?))
"""
POSTPONE = "UPDATE scheduled_change SET applies_at = ? WHERE id = ?"
REPLACE_DESTINATIONS = """
    UPDATE scheduled_change SET former_destination = ?, wanted_destination = ? WHERE id = ?
"""
IS_WAITING = "SELECT 1 FROM scheduled_change WHERE id = ?"
FORGET = "DELETE FROM scheduled_change WHERE id = ?"
