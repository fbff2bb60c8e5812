"""Statements about users of the portal. Keys find all of them, except at the start."""
# ruff: noqa: S608  all text here is constant

ALL = """
    SELECT email, account, grants, created_by, created_at, revision, password_hash, sealed_totp,
        totp_step, recovery, passkeys, oidc_issuer, oidc_subject, invitation_hash,
        invitation_until, signed_in_at
    FROM portal_user
"""
BY_EMAIL = f"{ALL} WHERE email IN (SELECT value FROM json_each(?))"
KEEP = """
    INSERT OR REPLACE INTO portal_user (
        email, account, grants, created_by, created_at, revision, password_hash, sealed_totp,
        totp_step, recovery, passkeys, oidc_issuer, oidc_subject, invitation_hash,
        invitation_until, signed_in_at
    )
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
PRESENT = "SELECT account, revision FROM portal_user WHERE email = ?"
OF_ACCOUNT = "SELECT email FROM portal_user WHERE account = ?"
REMOVE = "DELETE FROM portal_user WHERE email = ?"
