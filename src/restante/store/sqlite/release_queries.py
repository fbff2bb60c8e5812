"""The SQL statements of releases.

A drain counts in the row of the release that opened it. A release that joined the drain has a row
too, with the counts at that moment: it owns the difference. So the end of a drain writes one row,
however many requests have joined it.
"""

# ruff: noqa: S608  what is joined here are constants; every value is bound

RECORD_RELEASE = """
    INSERT OR REPLACE INTO release (
        id, at, actor, acted_from, target, account, domain, result, reason, pending, way
    )
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
OPEN = """
    INSERT INTO release_drain (release, domain_id, opener) VALUES (?1, ?2, ?1)
    ON CONFLICT (release, domain_id) DO UPDATE SET ended_at = NULL, ending = '', held = 0
"""
JOIN = """
    INSERT OR IGNORE INTO release_drain (
        release, domain_id, opener, delivered, refused, uncertain
    )
    SELECT ?1, domain_id, release, delivered, refused, uncertain FROM release_drain
    WHERE release = ?3 AND domain_id = ?2
"""
# Another drain follows that of release ?1. It counts in the row of ?3, the last one that joined.
# So the rows of all that joined turn from the one to the other, that of the last one at the end.
LAST_JOINED = """
    SELECT ifnull(max(release), 0) FROM release_drain
    WHERE domain_id = ?2 AND opener = ?1 AND release <> ?1
"""

CARRY_OTHERS = """
    UPDATE release_drain SET opener = ?3, (delivered, refused, uncertain) = (
        SELECT release_drain.delivered - last.delivered, release_drain.refused - last.refused,
            release_drain.uncertain - last.uncertain
        FROM release_drain AS last WHERE last.release = ?3 AND last.domain_id = ?2
    )
    WHERE domain_id = ?2 AND opener = ?1 AND release NOT IN (?1, ?3)
"""
CARRY_LAST = """
    UPDATE release_drain SET opener = ?3, (delivered, refused, uncertain) = (
        SELECT ifnull(max(counted.delivered), release_drain.delivered) - release_drain.delivered,
            ifnull(max(counted.refused), release_drain.refused) - release_drain.refused,
            ifnull(max(counted.uncertain), release_drain.uncertain) - release_drain.uncertain
        FROM release_drain AS counted WHERE counted.release = ?1 AND counted.domain_id = ?2
    )
    WHERE domain_id = ?2 AND release = ?3
"""
COUNT = """
    UPDATE release_drain SET
        delivered = delivered + ?, refused = refused + ?, uncertain = uncertain + ?
    WHERE release = ? AND domain_id = ?
"""
END = """
    UPDATE release_drain SET ended_at = ?, ending = ?, held = ? WHERE release = ? AND domain_id = ?
"""

# --- read

# Beside a release's own row for a drain, the row that counts.
_COUNTED = """
    LEFT JOIN release_drain AS counted
    ON counted.release = own.opener AND counted.domain_id = own.domain_id
"""


def _since_joined(count: str) -> str:
    return f"ifnull(counted.{count}, own.{count}) - iif(own.opener = own.release, 0, own.{count})"


_COUNTS = ("delivered", "refused", "uncertain")
_IS_OPEN = "counted.release IS NOT NULL AND counted.ended_at IS NULL"
_SUMS = ", ".join(f"ifnull(sum({_since_joined(count)}), 0)" for count in _COUNTS)
_RELEASES = """
    SELECT id, at, actor, acted_from, target, account, domain, result, reason, pending, way
    FROM release
"""


def releases(*, by_ids: bool, by_account: bool, by_domain: bool) -> str:
    """Return the statement for a filter: by ids, by a domain, by an account, or from the end.

    The engine sees no index behind `:name IS NULL OR`, so these are spelled out. An id is at least
    its time in microseconds, so that `:first` ends the walk.
    """
    places = []
    if by_ids:
        places.append("id IN (SELECT value FROM json_each(:ids))")
    if by_domain:
        places.append(
            "id IN (SELECT id FROM release WHERE domain = :domain"
            " UNION SELECT release FROM release_drain WHERE domain_id = :domain_id)"
        )
    if by_account:
        is_narrow = by_ids or by_domain
        places.append("+account = :account" if is_narrow else "account = :account")
    place = "".join(f"{one} AND " for one in places)
    return f"""
    WITH wanted AS MATERIALIZED (
        {_RELEASES} WHERE {place} id >= :first AND (:before IS NULL OR id < :before)
            AND (:since IS NULL OR at >= :since) AND (:until IS NULL OR at < :until)
        ORDER BY id DESC LIMIT :limit
    )
    SELECT wanted.*, count(own.release), ifnull(sum({_IS_OPEN}), 0), {_SUMS},
        ifnull(sum(counted.held), 0), max(counted.ended_at),
        json_group_array(DISTINCT counted.ending) FILTER (WHERE counted.ending <> '')
    FROM wanted LEFT JOIN release_drain AS own ON own.release = wanted.id {_COUNTED}
    GROUP BY wanted.id ORDER BY wanted.id DESC
    """


RELEASE_DRAINS = f"""
    SELECT own.domain_id, {", ".join(_since_joined(count) for count in _COUNTS)},
        ifnull(counted.held, 0), iif({_IS_OPEN}, NULL, ifnull(counted.ended_at, 0)),
        ifnull(counted.ending, '')
    FROM release_drain AS own {_COUNTED} WHERE own.release = ? ORDER BY own.domain_id LIMIT ?
"""

# --- removed

TRIM_DRAINS = """
    DELETE FROM release_drain WHERE (release, domain_id) IN (
        SELECT release, domain_id FROM release_drain WHERE release < ?
        ORDER BY release, domain_id LIMIT ?
    )
"""
TRIM = "DELETE FROM release WHERE id IN (SELECT id FROM release WHERE id < ? ORDER BY id LIMIT ?)"
