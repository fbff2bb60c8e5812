"""The statements on the operator's records.

They are few and changed by hand. They are read whole at a start, and then by changes.
"""

# ruff: noqa: S608  what is joined here are constants; every value is bound

MOVE_CHANGE_NUMBER = "UPDATE counter SET value = value + 1 WHERE name = 'change-number'"
CHANGE_NUMBER = "SELECT value FROM counter WHERE name = 'change-number'"
KEEP_CHANGE = (
    "INSERT INTO change (number, kind, key)"
    " SELECT value, ?, ? FROM counter WHERE name = 'change-number'"
)
DROP_OLD_CHANGES = (
    "DELETE FROM change"
    " WHERE number <= (SELECT value FROM counter WHERE name = 'change-number') - ?"
)
CHANGES_SINCE = "SELECT number, kind, key FROM change WHERE number > ? ORDER BY number"
KEEP_LAST_NUMBER = "UPDATE counter SET value = max(value, ?) WHERE name = 'last-number'"
ACCOUNTS = """
    SELECT name, created_at, empty_reply, note, quota, report_details, history, change_lock
    FROM account
"""
ACCOUNTS_NAMED = f"{ACCOUNTS} WHERE name IN (SELECT value FROM json_each(?))"
KEEP_ACCOUNT = """
    INSERT OR REPLACE INTO account (
        name, created_at, empty_reply, note, quota, report_details, history, change_lock
    )
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
HAS_ACCOUNT = "SELECT 1 FROM account WHERE name = ?"
ACCOUNT_IN_USE = """
    SELECT 1 WHERE EXISTS (SELECT 1 FROM login WHERE account = :name)
        OR EXISTS (SELECT 1 FROM domain WHERE account = :name)
        OR EXISTS (SELECT 1 FROM channel WHERE account = :name)
"""
REMOVE_ACCOUNT = "DELETE FROM account WHERE name = ?"
LOGINS = (
    "SELECT user, account, password_hash, sealed_secret, created_at, sealed_verifier, valid_until,"
    " prior_hash, prior_secret, prior_verifier, prior_until, turnaround,"
    " certificates, turnaround_at FROM login"
)
LOGINS_NAMED = f"{LOGINS} WHERE user IN (SELECT value FROM json_each(?))"
KEEP_LOGIN = """
    INSERT OR REPLACE INTO login (user, account, password_hash, sealed_secret, created_at,
        sealed_verifier, valid_until, prior_hash, prior_secret, prior_verifier, prior_until,
        turnaround, certificates, turnaround_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
ACCOUNT_OF_LOGIN = "SELECT account FROM login WHERE user = ?"
IS_IN_ROTATION = "SELECT 1 FROM login WHERE user = :user AND prior_until = :until"
END_ROTATION = """
    UPDATE login
    SET prior_hash = NULL, prior_secret = NULL, prior_verifier = NULL, prior_until = NULL
    WHERE user = :user
"""
REMOVE_LOGIN = "DELETE FROM login WHERE user = ?"
LOGIN_USES = "SELECT user, at, address, mechanism FROM login_use"
KEEP_LOGIN_USE = """
    INSERT INTO login_use (user, at, address, mechanism)
    SELECT :user, :at, :address, :mechanism WHERE EXISTS (SELECT 1 FROM login WHERE user = :user)
    ON CONFLICT (user) DO UPDATE
    SET at = excluded.at, address = excluded.address, mechanism = excluded.mechanism
    WHERE excluded.at >= at
"""
REMOVE_LOGIN_USE = "DELETE FROM login_use WHERE user = ?"
DOMAINS = "SELECT id, name, account, destination, authorized_hosts, created_at, policy FROM domain"
DOMAINS_BY_ID = f"{DOMAINS} WHERE id IN (SELECT value FROM json_each(?))"
ADD_DOMAIN = """
    INSERT INTO domain (name, account, destination, authorized_hosts, created_at, policy)
    VALUES (?, ?, ?, ?, ?, ?)
"""
CHANGE_DOMAIN = """
    UPDATE domain SET name = ?, account = ?, destination = ?, authorized_hosts = ?, created_at = ?,
        policy = ?
    WHERE id = ?
"""
ID_OF_DOMAIN = "SELECT id FROM domain WHERE name = ?"
REMOVE_DOMAIN = "DELETE FROM domain WHERE id = ?"
REMOVE_USAGE = "DELETE FROM usage WHERE domain_id = ?"
RECIPIENTS = """
    SELECT name, source, is_there, at FROM recipient
    WHERE domain_id = ? AND (source, name) > (?, ?) ORDER BY source, name LIMIT ?
"""
KEEP_RECIPIENTS = """
    INSERT OR REPLACE INTO recipient (domain_id, name, source, is_there, at)
    SELECT :domain_id, value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(:entries)
"""
REMOVE_FROM_LIST = """
    DELETE FROM recipient
    WHERE domain_id = ? AND source = 'list' AND name IN (SELECT value FROM json_each(?))
"""
REMOVE_RECIPIENTS = "DELETE FROM recipient WHERE domain_id = ?"
