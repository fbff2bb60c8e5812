"""Statements about values that were used. Keys and an index find all of them."""

PRESENT = "SELECT 1 FROM used_value WHERE digest = ?"
ADD = "INSERT OR IGNORE INTO used_value (digest, until) VALUES (?, ?)"
TRIM = """
    DELETE FROM used_value WHERE digest IN (
        SELECT digest FROM used_value WHERE until < ? LIMIT ?
    )
"""
