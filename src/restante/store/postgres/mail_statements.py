"""The statements about held mail.

The hot ones do a whole batch in one statement, which is a transaction by itself: one round trip and
one sync. tests/store/postgres/test_plans.py pins their plans. Arrays are unnested beside each
other, which costs as little as COPY.
"""

# ruff: noqa: S608  what is joined here are constants; every value is bound

from restante.mail.message import DEFERRED_PLACE, SUSPECT_PLACE
from restante.store.postgres.mail_history_queries import CLIENT, ORIGIN

COLUMNS = (
    "number, domain_id, received_at, size, flags, reverse_path, held_paths, content_id::text,"
    " file_crc32, head_crc32, dsn, head, message_id"
)

# $15 are the domains. If one of them was removed, nothing is held: the rows say which are there.
# $16 is the node, $17 the content that now has a message. If some of that was removed, nothing is
# held either: each row says whether all of it is there.
HOLD = """
    WITH hosted AS MATERIALIZED (
        SELECT id FROM domain WHERE id = ANY($15::integer[]) ORDER BY id FOR KEY SHARE
    ), spooled AS MATERIALIZED (
        SELECT content_id FROM spool WHERE content_id = ANY($17::bigint[]) ORDER BY content_id
        FOR UPDATE
    ), given AS MATERIALIZED (
        SELECT (SELECT count(*) FROM hosted) = cardinality($15) AS is_hosted,
            (SELECT count(*) FROM spooled) = cardinality($17) AS is_spooled
    ), held AS (
        INSERT INTO message (
            number, domain_id, received_at, size, flags, reverse_path, held_paths, content_id,
            file_crc32, head_crc32, dsn, head, message_id, origin
        )
        SELECT * FROM unnest(
            $1::bigint[], $2::integer[], $3::float8[], $4::bigint[], $5::integer[], $6::text[],
            $7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[], $12::bytea[],
            $13::text[], $14::text[]
        )
        WHERE (SELECT is_hosted AND is_spooled FROM given)
        RETURNING domain_id, size
    ), moved AS (
        INSERT INTO usage AS own (domain_id, node, messages, octets, refused)
        SELECT domain_id, $16::smallint, count(*), sum(size), 0 FROM held
        GROUP BY domain_id ORDER BY domain_id
        ON CONFLICT (domain_id, node) DO UPDATE SET
            messages = own.messages + excluded.messages, octets = own.octets + excluded.octets
    ), named AS (
        DELETE FROM spool WHERE content_id = ANY($17::bigint[])
            AND (SELECT is_hosted AND is_spooled FROM given)
    )
    SELECT id, is_spooled FROM hosted CROSS JOIN given
"""

# $2 is a place (mail/message.py): suspect mail comes behind other mail, and mail that a policy
# deferred in an earlier drain comes last. $4 are the bits of mail first deferred in this drain. It
# keeps its place until the drain is over. The planner has no statistics of the flags. It expects
# `<> 4` of nearly all rows, and `= 4` of few. If both were the other way round, it would sort or
# read a whole domain.
_WAITING = f"""
    FROM (
        (
            SELECT *, 0 AS turn FROM message
            WHERE domain_id = $1 AND number > $2 AND held_paths <> '' AND flags & 4 <> 4
                AND (flags & 128 <> 128 OR flags >> 7 = $4)
            ORDER BY number LIMIT $3
        ) UNION ALL (
            SELECT *, 1 FROM message
            WHERE domain_id = $1 AND number > $2 - {SUSPECT_PLACE} AND held_paths <> ''
                AND flags & 4 = 4 AND (flags & 128 <> 128 OR flags >> 7 = $4)
            ORDER BY number LIMIT $3
        ) UNION ALL (
            SELECT *, 2 FROM message
            WHERE domain_id = $1 AND number > $2 - {DEFERRED_PLACE} AND held_paths <> ''
                AND flags & 128 = 128 AND flags >> 7 <> $4
            ORDER BY number LIMIT $3
        )
    ) AS waiting ORDER BY turn, number LIMIT $3
"""
HELD_MESSAGES = f"SELECT {COLUMNS} {_WAITING}"
# Where the destination is told which client each message came from.
HELD_MESSAGES_WITH_ORIGINS = f"SELECT {COLUMNS}, origin {_WAITING}"
ONE_MESSAGE = f"SELECT {COLUMNS}, origin FROM message WHERE number = $1"
REFUSED_PATHS = """
    SELECT forward_path FROM last_reply WHERE domain_id = $1 AND number = $2 AND is_refused <> 0
    ORDER BY forward_path
"""

# --- settling

LEASE = """
    SELECT release FROM drain WHERE domain_id = $1 AND number = $2 AND is_open FOR SHARE
"""
# Of the messages that are `gone`, in a statement that removes these.
_REMOVE_CONTENT = """
        DELETE FROM chunk
        WHERE content_id = ANY(ARRAY(SELECT content_id FROM gone WHERE content_id IS NOT NULL))
    ), doomed AS (
        UPDATE content_object SET doomed_at = clock_timestamp()
        WHERE content_id = ANY(ARRAY(SELECT content_id FROM gone WHERE content_id IS NOT NULL))
"""
# Messages that were delivered whole: $3 their numbers, $4 their recipients as a drain knows them.
# All leave or none. A message that others have locked counts as not there: this statement's
# snapshot is from before their changes. $1 is the domain, $2 the drain, $5 the node, $6 the time.
# $7 to $9 are number, path and reply of each recipient.
SETTLE_WHOLE = f"""
    WITH lease AS MATERIALIZED (
        SELECT release FROM drain WHERE domain_id = $1::integer AND number = $2::bigint AND is_open
        FOR SHARE
    ), sought AS MATERIALIZED (
        SELECT message.number FROM unnest($3::bigint[], $4::text[]) AS known (number, paths)
        JOIN message ON message.number = known.number AND message.domain_id = $1
            AND message.held_paths = known.paths
        WHERE EXISTS (SELECT 1 FROM lease) AND NOT EXISTS (
            SELECT 1 FROM last_reply
            WHERE last_reply.domain_id = $1 AND last_reply.number = known.number
        )
        ORDER BY message.number FOR UPDATE OF message SKIP LOCKED
    ), gone AS (
        DELETE FROM message
        WHERE number = ANY(ARRAY(SELECT number FROM sought))
            AND (SELECT count(*) FROM sought) = cardinality($3)
        RETURNING number, size, content_id, received_at, reverse_path, origin, message_id
    ), moved AS (
        INSERT INTO usage AS own (domain_id, node, messages, octets, refused, removals)
        SELECT $1, $5::smallint, -count(*), -sum(size), 0, 1 FROM gone HAVING count(*) > 0
        ON CONFLICT (domain_id, node) DO UPDATE SET
            messages = own.messages + excluded.messages, octets = own.octets + excluded.octets,
            removals = own.removals + 1
    ), chunks AS ({_REMOVE_CONTENT}), counted AS (
        UPDATE release_drain SET delivered = delivered + (SELECT count(*) FROM gone)
        FROM lease
        WHERE release_drain.release = lease.release AND release_drain.domain_id = $1
            AND EXISTS (SELECT 1 FROM gone)
    ), detail AS MATERIALIZED (
        SELECT coalesce((
            SELECT account.history FROM domain JOIN account ON account.name = domain.account
            WHERE domain.id = $1
        ), 'full') AS level
    ), kept AS (
        INSERT INTO history (
            at, outcome, domain_id, number, received_at, octets, drain, release, reverse_path,
            forward_path, client, message_id, reply, origin
        )
        SELECT $6::float8, 1, $1, gone.number, gone.received_at, gone.size, $2, lease.release,
            CASE level WHEN 'domain' THEN shortened(gone.reverse_path) ELSE gone.reverse_path END,
            CASE level WHEN 'domain' THEN shortened(told.path) ELSE told.path END,
            {CLIENT}, coalesce(gone.message_id, ''),
            CASE level WHEN 'domain' THEN reply_code(told.reply) ELSE left(told.reply, 1000) END,
            {ORIGIN}
        FROM unnest($7::bigint[], $8::text[], $9::text[])
            WITH ORDINALITY AS told (number, path, reply, place)
        JOIN gone ON gone.number = told.number CROSS JOIN lease CROSS JOIN detail
        WHERE level <> 'none' ORDER BY told.place
    )
    SELECT (SELECT count(*) FROM lease), count(*), coalesce(sum(size), 0)::bigint FROM gone
"""

STANDING = """
    SELECT number, held_paths FROM message WHERE domain_id = $1 AND number = ANY($2::bigint[])
    ORDER BY number FOR UPDATE
"""
WITH_REFUSED = """
    SELECT DISTINCT number FROM last_reply
    WHERE domain_id = $1 AND number = ANY($2::bigint[]) AND is_refused <> 0
"""
KEEP_HELD_PATHS = """
    UPDATE message SET held_paths = new.paths
    FROM unnest($1::bigint[], $2::text[]) AS new (number, paths) WHERE message.number = new.number
"""
# A deferral leaves `at`, as in SQLite. $7 is the time of the replies, $8 the attempts: 1, or 0.
KEEP_REPLIES = """
    INSERT INTO last_reply AS old (
        domain_id, number, forward_path, is_refused, reply, at, tried_at, attempts
    )
    SELECT $1::integer, new.*, $7::float8, $8::integer
    FROM unnest($2::bigint[], $3::text[], $4::smallint[], $5::text[], $6::float8[]) AS new
    ON CONFLICT (domain_id, number, forward_path) DO UPDATE SET
        is_refused = excluded.is_refused, reply = excluded.reply,
        at = CASE WHEN excluded.is_refused <> 0 THEN excluded.at ELSE old.at END,
        tried_at = CASE WHEN excluded.attempts > 0 THEN excluded.tried_at ELSE old.tried_at END,
        attempts = old.attempts + excluded.attempts
"""
FORGET_REPLIES = """
    DELETE FROM last_reply USING unnest($2::bigint[], $3::text[]) AS done (number, path)
    WHERE domain_id = $1 AND last_reply.number = done.number AND forward_path = done.path
"""
KEEP_DOUBTS = """
    UPDATE message SET flags = (flags & ~96) | (new.doubts << 5)
    FROM unnest($1::bigint[], $2::integer[]) AS new (number, doubts)
    WHERE message.number = new.number
"""
KEEP_DEFERRALS = """
    UPDATE message SET flags = (flags & 127) | (new.bits << 7)
    FROM unnest($1::bigint[], $2::integer[]) AS new (number, bits)
    WHERE message.number = new.number
"""
REMOVE = f"""
    WITH gone AS (
        DELETE FROM message WHERE number = ANY($1::bigint[])
        RETURNING domain_id, number, size, held_paths, content_id
    ), replies AS (
        DELETE FROM last_reply USING gone
        WHERE last_reply.domain_id = gone.domain_id AND last_reply.number = gone.number
    ), chunks AS ({_REMOVE_CONTENT})
    SELECT domain_id, count(*), sum(size)::bigint, count(*) FILTER (WHERE held_paths = '')
    FROM gone GROUP BY domain_id ORDER BY domain_id
"""
COUNT_PRESENT = "SELECT count(*) FROM message WHERE number = ANY($1::bigint[])"
DOMAINS_OF = """
    SELECT DISTINCT domain_id FROM message WHERE number = ANY($1::bigint[]) ORDER BY domain_id
"""
LOCK = "SELECT number FROM message WHERE number = ANY($1::bigint[]) ORDER BY number FOR UPDATE"
WHO_WAITS = "SELECT domain_id, held_paths FROM message WHERE number = $1 FOR UPDATE"
NUMBER_OF_CONTENT = "SELECT number, domain_id FROM message WHERE content_id = $1"

# --- held again

REFUSED_MESSAGES = """
    SELECT domain_id, count(*), count(*) FILTER (WHERE held_paths = '') FROM message
    WHERE number = ANY($1::bigint[]) AND EXISTS (
        SELECT 1 FROM last_reply
        WHERE last_reply.domain_id = message.domain_id AND last_reply.number = message.number
            AND is_refused <> 0 AND ($2::smallint IS NULL OR is_refused = $2)
    )
    GROUP BY domain_id ORDER BY domain_id
"""
# A message of which a recipient is held keeps its deferrals by policy. A drain may be handing it
# over: if it moved in the order of mail, the drain would read it again.
HOLD_AGAIN = """
    UPDATE message SET flags = flags & CASE held_paths WHEN '' THEN 31 ELSE ~96 END,
        held_paths = concat_ws(E'\\n', nullif(held_paths, ''), parked.paths)
    FROM (
        SELECT domain_id, number, string_agg(forward_path, E'\\n' ORDER BY forward_path) AS paths
        FROM last_reply
        WHERE number = ANY($1::bigint[]) AND is_refused <> 0
            AND ($2::smallint IS NULL OR is_refused = $2)
        GROUP BY domain_id, number
    ) AS parked
    WHERE message.number = parked.number AND message.domain_id = parked.domain_id
"""
REFUSED_NO_MORE = """
    UPDATE last_reply SET is_refused = 0, at = $3::float8
    WHERE number = ANY($1::bigint[]) AND is_refused <> 0
        AND ($2::smallint IS NULL OR is_refused = $2)
"""

# --- by time

# number, whether its waiting recipients have waited since before then, whether one was refused
STANDINGS = """
    SELECT number, held_paths <> '' AND received_at < $3 AND NOT EXISTS (
            SELECT 1 FROM last_reply
            WHERE last_reply.domain_id = $1 AND last_reply.number = message.number AND at >= $3
        ), EXISTS (
            SELECT 1 FROM last_reply
            WHERE last_reply.domain_id = $1 AND last_reply.number = message.number
                AND is_refused <> 0
        )
    FROM message WHERE domain_id = $1 AND number = ANY($2::bigint[]) ORDER BY number FOR UPDATE
"""
WAIT_NO_MORE = "UPDATE message SET held_paths = '' WHERE number = ANY($1::bigint[])"
FORGET_DEFERRALS = """
    DELETE FROM last_reply WHERE domain_id = $1 AND number = ANY($2::bigint[]) AND is_refused = 0
"""
DUE_REFUSALS = """
    SELECT DISTINCT number FROM last_reply
    WHERE domain_id = $1 AND number = ANY($2::bigint[]) AND is_refused IN (1, 3) AND at < $3
    ORDER BY number
"""
FORGET_REFUSALS = """
    DELETE FROM last_reply
    WHERE domain_id = $1 AND number = ANY($2::bigint[]) AND is_refused IN (1, 3) AND at < $3
"""
LEFT_WITH_NOBODY = """
    SELECT number FROM message
    WHERE domain_id = $1 AND number = ANY($2::bigint[]) AND held_paths = '' AND NOT EXISTS (
        SELECT 1 FROM last_reply
        WHERE last_reply.domain_id = $1 AND last_reply.number = message.number AND is_refused <> 0
    )
"""
_EXPIRED = """
    SELECT number FROM message
    WHERE domain_id = $1 AND number > $4 AND held_paths <> '' AND received_at < $2
        AND NOT EXISTS (
            SELECT 1 FROM last_reply
            WHERE last_reply.domain_id = $1 AND last_reply.number = message.number AND at >= $2
        )
"""
# Oldest first. The time counts from the last refusal or release of a recipient, if there was one.
# $4 is the number before the first. Rows removed below it stay in the index until VACUUM can remove
# them, and a walk from the start passes them all. $5 is the highest number that mail of that age
# can have, except for mail that is in the index message_aged. Without it, each sweep would read all
# held mail. That part has the order of its index: in the order of numbers, a plan for all values
# would go along message_held. So with $4, it can leave mail out.
EXPIRED_HELD = f"""
    SELECT number FROM (
        ({_EXPIRED} AND number <= $5 ORDER BY number LIMIT $3)
        UNION
        (
            {_EXPIRED} AND received_at < (number >> 8)::float8 / 1000000 - 3600
            ORDER BY received_at LIMIT $3
        )
    ) AS due ORDER BY number LIMIT $3
"""
EXPIRED_REFUSED = """
    SELECT DISTINCT number FROM last_reply
    WHERE domain_id = $1 AND number > $4 AND is_refused <> 0 AND is_refused <> 2 AND at < $2
    ORDER BY number LIMIT $3
"""
FIRST_HELD = """
    SELECT greatest(received_at, (
        SELECT max(at) FROM last_reply
        WHERE last_reply.domain_id = $1 AND last_reply.number = message.number
    ))
    FROM message WHERE domain_id = $1 AND held_paths <> '' ORDER BY number LIMIT 1
"""
FIRST_REFUSED = """
    SELECT min(at) FROM last_reply
    WHERE domain_id = $1 AND is_refused <> 0 AND is_refused <> 2 HAVING count(*) > 0
"""
MARKS = "SELECT domain_id, value FROM mark WHERE kind = $1"
MARKS_OF = f"{MARKS} AND domain_id = ANY($2::integer[])"
KEEP_MARK = """
    INSERT INTO mark (domain_id, kind, value) VALUES ($1, $2, $3)
    ON CONFLICT (domain_id, kind) DO UPDATE SET value = excluded.value
"""
REMOVE_MARK = "DELETE FROM mark WHERE domain_id = $1 AND kind = $2"

# --- figures


def count_set_apart(*, of_some: bool) -> str:
    """Return the statement for all domains, or for those that are $1. It reads only indexes."""
    place = "AND domain_id = ANY($1::integer[])" if of_some else ""
    return f"""
    SELECT parked.domain_id, count(*) FILTER (WHERE is_uncertain),
        count(*) FILTER (WHERE is_damaged), count(unheld.number)
    FROM (
        SELECT domain_id, number, bool_or(is_refused = 2) AS is_uncertain,
            bool_or(is_refused = 3) AS is_damaged
        FROM last_reply WHERE is_refused > 1 {place} GROUP BY domain_id, number
    ) AS parked
    LEFT JOIN (
        SELECT domain_id, number FROM message WHERE held_paths = ''
    ) AS unheld USING (domain_id, number)
    GROUP BY parked.domain_id
    """


def count_deferred(*, of_some: bool) -> str:
    """Return the statement for all domains, or for those that are $1. It reads one index."""
    place = "AND domain_id = ANY($1::integer[])" if of_some else ""
    return f"""
    SELECT domain_id, count(*) FROM message
    WHERE held_paths <> '' AND flags & 128 = 128 {place} GROUP BY domain_id
    """


# Of the domains $1: a seek for each, for the first held message.
# In their order, as the rows of `oldest_mail` are written.
OLDEST_MESSAGES = """
    SELECT holding.domain_id, message.received_at, holding.removals
    FROM (
        SELECT domain_id, sum(removals)::bigint AS removals
        FROM usage WHERE domain_id = ANY($1::integer[])
        GROUP BY domain_id HAVING sum(messages) > sum(refused)
    ) AS holding
    CROSS JOIN LATERAL (
        SELECT received_at FROM message
        WHERE message.domain_id = holding.domain_id AND held_paths <> ''
        ORDER BY number LIMIT 1
    ) AS message
    ORDER BY holding.domain_id
"""
