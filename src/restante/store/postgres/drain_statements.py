"""The statements about drains. Each change gives the row the next version."""

# ruff: noqa: S608  what is joined here are constants; every value is bound

_COLUMNS = (
    "domain_id, number, version, requested_at, deadline, times, stop, release, requested_by,"
    " is_open, way"
)
OPEN_DRAINS = f"SELECT {_COLUMNS} FROM drain WHERE is_open"
# Those that are open, and those that a process believes to be.
KNOWN_DRAINS = f"SELECT {_COLUMNS} FROM drain WHERE is_open OR domain_id = ANY($1::integer[])"
# Those of some domains, open or over.
CHANGED_DRAINS = f"SELECT {_COLUMNS} FROM drain WHERE domain_id = ANY($1::integer[])"
OF_DOMAINS = f"""
    SELECT {_COLUMNS} FROM drain WHERE domain_id = ANY($1::integer[]) AND is_open
"""
# The domains $1, with the numbers $2 of the drains that run here, whose drain is another one now,
# or is asked for something. Mostly none: a process asks this each second about all its drains.
ASKED = """
    SELECT mine.domain_id FROM unnest($1::integer[], $2::bigint[]) AS mine (domain_id, number)
    WHERE NOT EXISTS (
        SELECT 1 FROM drain
        WHERE drain.domain_id = mine.domain_id AND drain.number = mine.number AND is_open
            AND times = 0 AND stop = ''
    )
"""
# A drain that is joined has one request more, and no stop. One of named messages can become one of
# all mail. Named messages join neither a turnaround nor a drain that is to stop: then there is no
# row (drain_book.py). $7 and $8 are the node.
OPEN = f"""
    INSERT INTO drain AS old (
        domain_id, number, version, owner, owner_epoch, requested_at, deadline, times, stop,
        release, requested_by, is_open, way
    )
    VALUES ($1, 1, 1, $7, $8, $2, $3, 0, '', $4, $5, true, $6)
    ON CONFLICT (domain_id) DO UPDATE SET
        number = CASE WHEN old.is_open THEN old.number ELSE old.number + 1 END,
        version = old.version + 1,
        owner = CASE WHEN old.is_open THEN old.owner ELSE excluded.owner END,
        owner_epoch = CASE WHEN old.is_open THEN old.owner_epoch ELSE excluded.owner_epoch END,
        requested_at = CASE WHEN old.is_open THEN old.requested_at ELSE excluded.requested_at END,
        deadline = CASE WHEN old.is_open THEN greatest(old.deadline, excluded.deadline)
            ELSE excluded.deadline END,
        times = CASE WHEN old.is_open THEN old.times + 1 ELSE 0 END,
        stop = '',
        release = CASE WHEN old.is_open AND old.release <> 0 THEN old.release
            ELSE excluded.release END,
        requested_by = CASE WHEN old.is_open THEN old.requested_by ELSE excluded.requested_by END,
        way = CASE
            WHEN old.is_open AND NOT (old.way = 'messages' AND excluded.way = 'destination')
            THEN old.way ELSE excluded.way END,
        is_open = true
    WHERE NOT (old.is_open AND excluded.way = 'messages'
        AND (old.way = 'turnaround' OR old.stop <> ''))
    RETURNING {_COLUMNS}
"""


def _is_abandoned(may_judge: str) -> str:
    """Return the condition that nobody runs a drain. `may_judge` is the place of a value.

    A process that ended gave its lease back, or lost its slot. Others are judged by their lease and
    the clock of the database.
    """
    return f"""
    (owner IS NULL OR NOT EXISTS (
        SELECT 1 FROM node
        WHERE node.id = drain.owner AND node.epoch = drain.owner_epoch AND (
            node.expires_at > clock_timestamp()
            OR (NOT {may_judge}::boolean AND node.expires_at > '-infinity')
        )
    ))
    """


# $1 and $2 are the node, $3 whether it may judge others. $4 and $5 are domains and numbers of the
# drains that it runs. These are left out, so that the answer is short.
CLAIMABLE = f"""
    SELECT {_COLUMNS} FROM drain
    WHERE is_open AND (
        (owner = $1 AND owner_epoch = $2) OR {_is_abandoned("$3")}
    ) AND NOT EXISTS (
        SELECT 1 FROM unnest($4::integer[], $5::bigint[]) AS mine (domain_id, number)
        WHERE mine.domain_id = drain.domain_id AND mine.number = drain.number
    )
    ORDER BY domain_id
"""
# $1 and $2 are domains and numbers of drains, $3 and $4 the node. A row that is locked is left for
# the next look. The lock may be that of a vanished machine, and all drains of this process would
# wait for it. $5 is whether the process may judge others.
TAKE_OVER = f"""
    UPDATE drain SET number = number + 1, version = version + 1, owner = $3, owner_epoch = $4,
        times = 0
    FROM unnest($1::integer[], $2::bigint[]) AS given (domain, fence)
    WHERE domain_id = given.domain AND number = given.fence AND is_open AND domain_id = ANY(ARRAY(
        SELECT domain_id FROM drain
        JOIN unnest($1::integer[], $2::bigint[]) AS sought (domain, fence)
            ON domain_id = sought.domain AND number = sought.fence
        WHERE is_open AND (
            (owner = $3 AND owner_epoch = $4) OR {_is_abandoned("$5")}
        )
        ORDER BY domain_id FOR UPDATE OF drain SKIP LOCKED
    ))
    RETURNING {_COLUMNS}
"""
GIVE_BACK = f"""
    UPDATE drain SET owner = NULL, owner_epoch = NULL, version = version + 1
    FROM unnest($1::integer[], $2::bigint[]) AS given (domain, fence)
    WHERE domain_id = given.domain AND number = given.fence AND is_open
        AND owner = $3 AND owner_epoch = $4
    RETURNING {_COLUMNS}
"""
ASK_STOP = f"""
    UPDATE drain SET stop = $2, version = version + 1 WHERE domain_id = $1 AND is_open
    RETURNING {_COLUMNS}
"""
LOCK = """
    SELECT release FROM drain WHERE domain_id = $1 AND number = $2 AND is_open FOR UPDATE
"""
LOCK_TO_FINISH = f"""
    SELECT {_COLUMNS} FROM drain WHERE domain_id = $1 AND number = $2 AND is_open FOR UPDATE
"""
LOCK_OPEN = """
    SELECT number, release FROM drain WHERE domain_id = $1 AND is_open FOR UPDATE
"""
# The name of the one who asked is in the record of the past drain, where it can be erased.
CLOSE = f"""
    UPDATE drain SET is_open = false, number = number + 1, version = version + 1, owner = NULL,
        owner_epoch = NULL, requested_by = '', stop = ''
    WHERE domain_id = $1 RETURNING {_COLUMNS}
"""
REMOVE = "DELETE FROM drain WHERE domain_id = $1"
KEEP_PAST_DRAIN = """
    INSERT INTO past_drain (
        domain_id, started_at, ended_at, requested_by, ending, reason, delivered, deferred,
        refused, last_error, uncertain, taker
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    ON CONFLICT (domain_id) DO UPDATE SET
        started_at = excluded.started_at, ended_at = excluded.ended_at,
        requested_by = excluded.requested_by, ending = excluded.ending, reason = excluded.reason,
        delivered = excluded.delivered, deferred = excluded.deferred, refused = excluded.refused,
        last_error = excluded.last_error, uncertain = excluded.uncertain, taker = excluded.taker
"""
PAST_DRAINS = """
    SELECT domain_id, started_at, ended_at, requested_by, ending, reason, delivered, deferred,
        refused, last_error, uncertain, taker
    FROM past_drain
"""
PAST_DRAINS_OF = f"{PAST_DRAINS} WHERE domain_id = ANY($1::integer[])"
REMOVE_PAST = "DELETE FROM past_drain WHERE domain_id = $1"

# --- the work of a drain for releases, as in SQLite (its release_queries.py)

OPEN_RELEASE = """
    INSERT INTO release_drain (release, domain_id, opener) VALUES ($1, $2, $1)
    ON CONFLICT (release, domain_id) DO UPDATE SET ended_at = NULL, ending = '', held = 0
"""
JOIN_RELEASE = """
    INSERT INTO release_drain (release, domain_id, opener, delivered, refused, uncertain)
    SELECT $1, domain_id, release, delivered, refused, uncertain FROM release_drain
    WHERE release = $3 AND domain_id = $2
    ON CONFLICT (release, domain_id) DO NOTHING
"""
LAST_JOINED = """
    SELECT coalesce(max(release), 0) FROM release_drain
    WHERE domain_id = $2 AND opener = $1 AND release <> $1
"""
CARRY_OTHERS = """
    UPDATE release_drain AS own SET opener = $3, delivered = own.delivered - last.delivered,
        refused = own.refused - last.refused, uncertain = own.uncertain - last.uncertain
    FROM release_drain AS last
    WHERE last.release = $3 AND last.domain_id = $2
        AND own.domain_id = $2 AND own.opener = $1 AND own.release NOT IN ($1, $3)
"""
CARRY_LAST = """
    UPDATE release_drain SET opener = $3, (delivered, refused, uncertain) = (
        SELECT coalesce(max(counted.delivered), release_drain.delivered) - release_drain.delivered,
            coalesce(max(counted.refused), release_drain.refused) - release_drain.refused,
            coalesce(max(counted.uncertain), release_drain.uncertain) - release_drain.uncertain
        FROM release_drain AS counted WHERE counted.release = $1 AND counted.domain_id = $2
    )
    WHERE domain_id = $2 AND release = $3
"""
COUNT_FOR_RELEASE = """
    UPDATE release_drain SET
        delivered = delivered + $1, refused = refused + $2, uncertain = uncertain + $3
    WHERE release = $4 AND domain_id = $5
"""
END_RELEASE = """
    UPDATE release_drain SET ended_at = $1, ending = $2, held = $3
    WHERE release = $4 AND domain_id = $5
"""
