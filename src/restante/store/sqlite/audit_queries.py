"""The statements on the audit trail. None of them changes or removes an entry."""

RECORD = """
    INSERT INTO audit (
        at, action, actor, subject, account, acted_from, answer, reason, domain, changes, result
    )
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_NEWEST_ENTRIES = """
    SELECT id, at, action, actor, subject, account, acted_from, answer, reason, domain, changes,
        result
    FROM audit
    WHERE {place} AND id BETWEEN :first AND :last
        AND (:action IS NULL OR action = :action)
        AND (:actors IS NULL OR actor IN (SELECT value FROM json_each(:actors))
            OR substr(actor, 1, length(:beginning)) = :beginning)
        AND (:since IS NULL OR at >= :since) AND (:until IS NULL OR at < :until)
        AND (:domains IS NULL OR domain IN (SELECT value FROM json_each(:domains)))
        AND (:names IS NULL OR instr(' ' || subject || ' ', ' ' || :names || ' '))
    ORDER BY id DESC LIMIT :limit
"""


def newest_entries(*, by_account: bool, by_domain: bool) -> str:
    """Return the statement for a filter: by its domain's index, its account's, or from the end.

    The engine sees no index behind `:name IS NULL OR`, so these two are spelled out.
    """
    account = "account = :account" if by_account else ":account IS NULL"
    domain = "domain = :domain" if by_domain else ":domain IS NULL"
    if by_domain:
        account = f"+{account}" if by_account else account  # so many entries of a domain are fewer
    return _NEWEST_ENTRIES.format(place=f"{domain} AND {account}")


# The growth of the trail since the last look; the first look walks all of it.
AUDIT_BOUNDS = "SELECT (SELECT min(id) FROM audit), (SELECT max(id) FROM audit)"
NEWEST_ENTRY = "SELECT coalesce(max(id), 0) FROM audit"
GRANTED_REQUESTS = """
    SELECT lower(subject) AS target, account, max(at) FROM audit
    WHERE id > ? AND id <= ? AND result IN ('granted', 'nothing-held')
    GROUP BY target, account
"""
