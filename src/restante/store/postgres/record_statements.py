"""The statements about the operator's records: few rows, changed by hand."""

# ruff: noqa: S105, S608  no passwords; what is joined here are constants, every value is bound

from typing import Final


def _put(table: str, columns: str, key: str) -> str:
    """Return the statement that adds a row or replaces the one with its key."""
    names = columns.split(", ")
    places = ", ".join(f"${number}" for number in range(1, len(names) + 1))
    settings = ", ".join(f"{name} = excluded.{name}" for name in names if name != key)
    return (
        f"INSERT INTO {table} ({columns}) VALUES ({places})"
        f" ON CONFLICT ({key}) DO UPDATE SET {settings}"
    )


def _add(table: str, columns: str) -> str:
    """Return the statement that adds a row, and fails if another process adds it meanwhile."""
    places = ", ".join(f"${number}" for number in range(1, columns.count(",") + 2))
    return f"INSERT INTO {table} ({columns}) VALUES ({places})"


# Each change waits for the number of the change before: so numbers are in the order of commits.
MOVE_CHANGE_NUMBER: Final = """
    UPDATE counter SET value = value + 1 WHERE name = 'change-number' RETURNING value
"""
CHANGE_NUMBER: Final = "SELECT value FROM counter WHERE name = 'change-number'"
LOCK_CHANGE_NUMBER: Final = f"{CHANGE_NUMBER} FOR UPDATE"
KEEP_CHANGE: Final = "INSERT INTO change (number, kind, key) VALUES ($1, $2, $3)"
DROP_OLD_CHANGES: Final = "DELETE FROM change WHERE number <= $1"
# Wakes processes that listen, after the commit. It carries nothing: all processes also ask.
CHANGES_CHANNEL: Final = "restante_change"
TELL_CHANGE: Final = f"NOTIFY {CHANGES_CHANNEL}"
CHANGES_SINCE: Final = "SELECT number, kind, key FROM change WHERE number > $1 ORDER BY number"

_ACCOUNT: Final = "name, created_at, empty_reply, note, quota, report_details, history, change_lock"
ACCOUNTS: Final = f"SELECT {_ACCOUNT} FROM account ORDER BY name"
ACCOUNTS_NAMED: Final = f"SELECT {_ACCOUNT} FROM account WHERE name = ANY($1::text[])"
PUT_ACCOUNT: Final = _put("account", _ACCOUNT, "name")
ADD_ACCOUNT: Final = _add("account", _ACCOUNT)
# Nobody removes the account before the commit.
HAS_ACCOUNT: Final = "SELECT 1 FROM account WHERE name = $1 FOR KEY SHARE"
LOCK_ACCOUNT: Final = "SELECT 1 FROM account WHERE name = $1 FOR UPDATE"
ACCOUNT_IN_USE: Final = """
    SELECT 1 WHERE EXISTS (SELECT 1 FROM login WHERE account = $1)
        OR EXISTS (SELECT 1 FROM domain WHERE account = $1)
        OR EXISTS (SELECT 1 FROM channel WHERE account = $1)
"""
REMOVE_ACCOUNT: Final = "DELETE FROM account WHERE name = $1"

_LOGIN: Final = (
    '"user", account, password_hash, sealed_secret, created_at, sealed_verifier, valid_until,'
    " prior_hash, prior_secret, prior_verifier, prior_until, turnaround, certificates,"
    " turnaround_at"
)
LOGINS: Final = f'SELECT {_LOGIN} FROM login ORDER BY "user"'
LOGINS_NAMED: Final = f'SELECT {_LOGIN} FROM login WHERE "user" = ANY($1::text[])'
PUT_LOGIN: Final = _put("login", _LOGIN, '"user"')
ADD_LOGIN: Final = _add("login", _LOGIN)
ACCOUNT_OF_LOGIN: Final = 'SELECT account FROM login WHERE "user" = $1 FOR UPDATE'
END_ROTATION: Final = """
    UPDATE login
    SET prior_hash = NULL, prior_secret = NULL, prior_verifier = NULL, prior_until = NULL
    WHERE "user" = $1 AND prior_until = $2 RETURNING 1
"""
REMOVE_LOGIN: Final = 'DELETE FROM login WHERE "user" = $1 RETURNING 1'
LOGIN_USES: Final = 'SELECT "user", at, address, mechanism FROM login_use'
KEEP_LOGIN_USE: Final = """
    INSERT INTO login_use AS old ("user", at, address, mechanism)
    SELECT $1::text, $2::float8, $3::text, $4::text
    WHERE EXISTS (SELECT 1 FROM login WHERE "user" = $1)
    ON CONFLICT ("user") DO UPDATE
    SET at = excluded.at, address = excluded.address, mechanism = excluded.mechanism
    WHERE excluded.at >= old.at
"""
REMOVE_LOGIN_USE: Final = 'DELETE FROM login_use WHERE "user" = $1'

_DOMAIN: Final = "name, account, destination, authorized_hosts, created_at, policy"
DOMAINS: Final = f"SELECT id, {_DOMAIN} FROM domain ORDER BY id"
DOMAINS_BY_ID: Final = f"SELECT id, {_DOMAIN} FROM domain WHERE id = ANY($1::integer[])"
ADD_DOMAIN: Final = f"""
    INSERT INTO domain ({_DOMAIN}) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id
"""
CHANGE_DOMAIN: Final = """
    UPDATE domain SET account = $2, destination = $3, authorized_hosts = $4, created_at = $5,
        policy = $6
    WHERE id = $7 AND name = $1
"""
ID_OF_DOMAIN: Final = "SELECT id FROM domain WHERE name = $1 FOR NO KEY UPDATE"
LOCK_DOMAIN: Final = "SELECT id FROM domain WHERE id = $1 FOR UPDATE"
REMOVE_DOMAIN: Final = "DELETE FROM domain WHERE id = $1"
REMOVE_MARKS: Final = "DELETE FROM mark WHERE domain_id = $1"
REMOVE_RECIPIENTS: Final = "DELETE FROM recipient WHERE domain_id = $1"

RECIPIENTS: Final = """
    SELECT name, source, is_there, at FROM recipient
    WHERE domain_id = $1 AND (source, name) > ($2, $3) ORDER BY source, name LIMIT $4
"""
KEEP_RECIPIENTS: Final = """
    INSERT INTO recipient (domain_id, name, source, is_there, at)
    SELECT DISTINCT ON (name, source) $1::integer, name, source, is_there, at
    FROM unnest($2::text[], $3::text[], $4::smallint[], $5::float8[])
        WITH ORDINALITY AS new (name, source, is_there, at, place)
    ORDER BY name, source, place DESC
    ON CONFLICT (domain_id, source, name) DO UPDATE SET is_there = excluded.is_there,
        at = excluded.at
"""
REMOVE_FROM_LIST: Final = """
    DELETE FROM recipient
    WHERE domain_id = $1 AND source = 'list' AND name = ANY($2::text[])
"""

_CHANNEL: Final = "account, name, transport, target, sealed, kinds, created_at, all_accounts"
CHANNELS: Final = f"SELECT id, {_CHANNEL} FROM channel ORDER BY id"
CHANNELS_BY_ID: Final = f"SELECT id, {_CHANNEL} FROM channel WHERE id = ANY($1::bigint[])"
ADD_CHANNEL: Final = f"""
    INSERT INTO channel ({_CHANNEL}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id
"""
CHANGE_CHANNEL: Final = """
    UPDATE channel SET account = $1, name = $2, transport = $3, target = $4, sealed = $5,
        kinds = $6, created_at = $7, all_accounts = $8
    WHERE id = $9
"""
ID_OF_CHANNEL: Final = """
    SELECT id FROM channel WHERE account = $1 AND name = $2 FOR NO KEY UPDATE
"""
REMOVE_CHANNEL: Final = "DELETE FROM channel WHERE id = $1 RETURNING 1"

_TOKEN: Final = (
    "id, account, name, secret_hash, grants, created_by, created_at, domains, networks,"
    " expires_at, revoked_at, maker"
)
TOKENS: Final = f"SELECT {_TOKEN} FROM token ORDER BY id"
TOKENS_BY_ID: Final = f"SELECT {_TOKEN} FROM token WHERE id = ANY($1::text[])"
PUT_TOKEN: Final = _put("token", _TOKEN, "id")
ADD_TOKEN: Final = _add("token", _TOKEN)
ACCOUNT_OF_TOKEN: Final = "SELECT account FROM token WHERE id = $1 FOR UPDATE"
TOKENS_OF_ACCOUNT: Final = "SELECT id FROM token WHERE account = $1 ORDER BY id"
REMOVE_TOKEN: Final = "DELETE FROM token WHERE id = $1 RETURNING 1"
TOKEN_USES: Final = "SELECT id, at FROM token_use"
KEEP_TOKEN_USE: Final = """
    INSERT INTO token_use AS old (id, at)
    SELECT $1::text, $2::float8 WHERE EXISTS (SELECT 1 FROM token WHERE id = $1)
    ON CONFLICT (id) DO UPDATE SET at = greatest(old.at, excluded.at)
"""
REMOVE_TOKEN_USE: Final = "DELETE FROM token_use WHERE id = $1"

_USER: Final = (
    "email, account, grants, created_by, created_at, revision, password_hash, sealed_totp,"
    " totp_step, recovery, passkeys, oidc_issuer, oidc_subject, invitation_hash,"
    " invitation_until, signed_in_at"
)
USERS: Final = f"SELECT {_USER} FROM portal_user ORDER BY email"
USERS_BY_EMAIL: Final = f"SELECT {_USER} FROM portal_user WHERE email = ANY($1::text[])"
PUT_USER: Final = _put("portal_user", _USER, "email")
ADD_USER: Final = _add("portal_user", _USER)
USER_PRESENT: Final = "SELECT account, revision FROM portal_user WHERE email = $1 FOR UPDATE"
USERS_OF_ACCOUNT: Final = "SELECT email FROM portal_user WHERE account = $1 ORDER BY email"
REMOVE_USER: Final = "DELETE FROM portal_user WHERE email = $1 RETURNING 1"
END_SESSIONS_OF_USER: Final = "DELETE FROM portal_session WHERE email = $1"
END_OTHER_STAMPS: Final = "DELETE FROM portal_session WHERE email = $1 AND stamp <> $2"
