"""The statements that add to the history of mail.

In each, $1 is the time, $2 the domain. The facts of a message are copied inside the database.
"""

_INTO = """
    INSERT INTO history (
        at, outcome, domain_id, number, received_at, octets, drain, release, reverse_path,
        forward_path, client, message_id, reply, origin
    )
"""
# Of an origin, the address, and all else. Verdicts have the words of filters, which can name
# anybody. Nothing here can fail: settling must not.
CLIENT = """coalesce(substring(origin FROM '^{"address":"([^"]*)"'), '')"""
_OTHER_FACTS = """'{' || substring(origin FROM position('"port":' IN origin))"""
_VERDICTS = r"""',"verdicts":\{("(\\.|[^"\\])*"|[:, ])*\}'"""
ORIGIN = f"""
        CASE level WHEN 'domain' THEN regexp_replace({_OTHER_FACTS}, {_VERDICTS}, '')
            ELSE {_OTHER_FACTS} END
"""
# How much the account keeps; everything if the domain has been removed.
_DETAIL = """
    (
        SELECT coalesce((
            SELECT account.history FROM domain JOIN account ON account.name = domain.account
            WHERE domain.id = $2
        ), 'full') AS level
    ) AS detail
"""


def _facts(outcome: str, path: str, reply: str, mover: str = "0, 0") -> str:
    return f"""
    SELECT $1::float8, {outcome}, message.domain_id, message.number, received_at, size, {mover},
        CASE level WHEN 'domain' THEN shortened(reverse_path) ELSE reverse_path END,
        CASE level WHEN 'domain' THEN shortened({path}) ELSE {path} END,
        {CLIENT}, coalesce(message_id, ''),
        CASE level WHEN 'domain' THEN reply_code({reply}) ELSE left({reply}, 1000) END, {ORIGIN}
    """


# $3 to $6 are number, path, outcome and reply of each; $7 the drain and $8 the release.
KEEP_OUTCOMES = f"""
    {_INTO} {_facts("told.outcome", "told.path", "told.reply", "$7::bigint, $8::bigint")}
    FROM unnest($3::bigint[], $4::text[], $5::smallint[], $6::text[])
        WITH ORDINALITY AS told (number, path, outcome, reply, place)
    JOIN message ON message.number = told.number AND message.domain_id = $2
    CROSS JOIN {_DETAIL} WHERE level <> 'none' ORDER BY told.place
"""
# Recipients that wait: $3 is the numbers of messages, $4 the outcome.
KEEP_WAITING = f"""
    {_INTO} {_facts("$4::smallint", "waiting.path", "coalesce(last_reply.reply, '')")}
    FROM message CROSS JOIN {_DETAIL}
    CROSS JOIN LATERAL unnest(string_to_array(held_paths, E'\\n'))
        WITH ORDINALITY AS waiting (path, place)
    LEFT JOIN last_reply ON last_reply.domain_id = message.domain_id
        AND last_reply.number = message.number AND last_reply.forward_path = waiting.path
    WHERE message.number = ANY($3::bigint[]) AND message.domain_id = $2::integer
        AND level <> 'none' ORDER BY message.number, waiting.place
"""
# Recipients that were refused or set apart; with $5, only those that may expire, since before then.
KEEP_PARKED = f"""
    {_INTO} {_facts("$4::smallint", "parked.forward_path", "parked.reply")}
    FROM message CROSS JOIN {_DETAIL}
    JOIN last_reply AS parked
        ON parked.domain_id = message.domain_id AND parked.number = message.number
    WHERE message.number = ANY($3::bigint[]) AND message.domain_id = $2::integer
        AND level <> 'none' AND parked.is_refused <> 0
        AND ($5::float8 IS NULL OR (parked.is_refused <> 2 AND parked.at < $5))
    ORDER BY message.number, parked.forward_path
"""

# --- removed

FIGURES = """
    SELECT coalesce((SELECT max(id) FROM history) - (SELECT min(id) FROM history) + 1, 0),
        (SELECT at FROM history ORDER BY id LIMIT 1)
"""
# The average entry, from the newest and the oldest ones. 150 octets are the other columns, the four
# indexes and the row's header.
AVERAGE_OCTETS = """
    SELECT coalesce(avg(150 + octet_length(reverse_path) + octet_length(forward_path)
        + octet_length(client) + octet_length(message_id) + octet_length(reply)
        + coalesce(octet_length(origin), 0)), 0)::float8
    FROM (
        (SELECT * FROM history ORDER BY id LIMIT 200)
        UNION ALL (SELECT * FROM history ORDER BY id DESC LIMIT 200)
    ) AS ends
"""
# The oldest: those from before $1, or as many as $2 says; no more than $3.
TRIM = """
    DELETE FROM history WHERE id IN (
        SELECT id FROM (
            SELECT id, at, row_number() OVER (ORDER BY id) AS place
            FROM (SELECT id, at FROM history ORDER BY id LIMIT $3) AS oldest
        ) AS placed
        WHERE at < $1 OR place <= $2
    )
    RETURNING id
"""
FORGET = """
    DELETE FROM history WHERE id IN (
        SELECT id FROM history WHERE domain_id = ANY($1::integer[]) LIMIT $2
    )
    RETURNING id
"""
# Along the index, a step for each domain.
DOMAINS = """
    WITH RECURSIVE known (domain_id) AS (
        SELECT min(domain_id) FROM history
        UNION ALL
        SELECT (SELECT min(domain_id) FROM history WHERE history.domain_id > known.domain_id)
        FROM known WHERE known.domain_id IS NOT NULL
    )
    SELECT domain_id FROM known WHERE domain_id IS NOT NULL
"""
BOUNDS = "SELECT min(id), max(id) FROM history"
