"""Statements about sessions of portal users. Keys and indexes find all of them."""

_ALL = """
    SELECT id_hash, email, stamp, factors, address, agent, signed_in_at, proved_at, used_at
    FROM portal_session
"""
ONE = f"{_ALL} WHERE id_hash = ?"
OF_USER = f"{_ALL} WHERE email = ? ORDER BY used_at DESC, signed_in_at DESC, id_hash"
ADD = """
    INSERT INTO portal_session (
        id_hash, email, stamp, factors, address, agent, signed_in_at, proved_at, used_at
    )
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
TRIM_USER = """
    DELETE FROM portal_session WHERE id_hash IN (
        SELECT id_hash FROM portal_session WHERE email = ?
        ORDER BY used_at DESC, signed_in_at DESC, id_hash LIMIT -1 OFFSET ?
    )
"""
IS_OF_USER = "SELECT 1 FROM portal_session WHERE id_hash = ? AND email = ?"
KEEP_USE = "UPDATE portal_session SET used_at = max(used_at, ?) WHERE id_hash = ?"
END = "DELETE FROM portal_session WHERE id_hash = ?"
END_OF_USER = "DELETE FROM portal_session WHERE email = ?"
END_OTHER_STAMPS = "DELETE FROM portal_session WHERE email = ? AND stamp <> ?"
TRIM = """
    DELETE FROM portal_session WHERE id_hash IN (
        SELECT id_hash FROM portal_session WHERE used_at < ? LIMIT ?
    )
"""
