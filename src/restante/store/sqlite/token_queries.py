"""Statements about tokens of the API. Keys find all of them, except at the start."""
# ruff: noqa: S608  all text here is constant

ALL = """
    SELECT id, account, name, secret_hash, grants, created_by, created_at, domains, networks,
        expires_at, revoked_at, maker
    FROM token
"""
BY_ID = f"{ALL} WHERE id IN (SELECT value FROM json_each(?))"
KEEP = """
    INSERT OR REPLACE INTO token (
        id, account, name, secret_hash, grants, created_by, created_at, domains, networks,
        expires_at, revoked_at, maker
    )
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
ACCOUNT_OF = "SELECT account FROM token WHERE id = ?"
OF_ACCOUNT = "SELECT id FROM token WHERE account = ?"
REMOVE = "DELETE FROM token WHERE id = ?"
USES = "SELECT id, at FROM token_use"
KEEP_USE = """
    INSERT INTO token_use (id, at) SELECT :id, :at WHERE EXISTS (SELECT 1 FROM token WHERE id = :id)
    ON CONFLICT (id) DO UPDATE SET at = max(at, excluded.at)
"""
REMOVE_USE = "DELETE FROM token_use WHERE id = ?"
