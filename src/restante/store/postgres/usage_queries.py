"""The statements about how much each domain holds.

A process changes its own row of a domain only, so none waits for another's commit. The sum over the
rows is exact in every snapshot.
"""

# No row of a domain can be removed while a transaction adds mail to it.
HOSTED = "SELECT id FROM domain WHERE id = ANY($1::integer[]) ORDER BY id FOR KEY SHARE"

# $1 is the node. By domain, so that of two transactions one never waits for the other.
MOVE = """
    INSERT INTO usage AS own (domain_id, node, messages, octets, refused, removals)
    SELECT domain_id, $1::smallint, messages, octets, refused, (messages <= 0)::integer
    FROM unnest($2::integer[], $3::bigint[], $4::bigint[], $5::bigint[])
        AS moved (domain_id, messages, octets, refused)
    ON CONFLICT (domain_id, node) DO UPDATE SET
        messages = own.messages + excluded.messages, octets = own.octets + excluded.octets,
        refused = own.refused + excluded.refused, removals = own.removals + excluded.removals
"""

HELD = """
    SELECT coalesce(sum(messages - refused), 0)::bigint FROM usage WHERE domain_id = $1::integer
"""
# For mail that must not exceed a quota. A domain's lock waits for all mail on its way to it, as
# that holds it as hosted.
LOCK_ACCOUNTS = """
    SELECT name FROM account WHERE name = ANY($1::text[]) ORDER BY name FOR NO KEY UPDATE
"""
LOCK_DOMAINS = "SELECT id FROM domain WHERE id = ANY($1::integer[]) ORDER BY id FOR UPDATE"
OF_DOMAINS = """
    SELECT domain_id, sum(messages)::bigint, sum(octets)::bigint, sum(refused)::bigint
    FROM usage WHERE domain_id = ANY($1::integer[]) GROUP BY domain_id
"""
OF_ACCOUNTS = """
    SELECT account, sum(messages)::bigint, sum(octets)::bigint, sum(refused)::bigint
    FROM domain JOIN usage ON usage.domain_id = domain.id
    WHERE account = ANY($1::text[]) GROUP BY account
"""
MESSAGES = "SELECT coalesce(sum(messages), 0)::bigint FROM usage WHERE domain_id = $1::integer"
OWN = "SELECT domain_id, messages, octets, refused FROM usage WHERE node = $1::smallint"
# Of all other nodes.
OF_OTHERS = """
    SELECT domain_id, sum(messages)::bigint, sum(octets)::bigint, sum(refused)::bigint
    FROM usage WHERE node <> $1::smallint GROUP BY domain_id
"""
OF_OTHERS_IN = """
    SELECT domain_id, sum(messages)::bigint, sum(octets)::bigint, sum(refused)::bigint
    FROM usage WHERE node <> $1::smallint AND domain_id = ANY($2::integer[]) GROUP BY domain_id
"""
REMOVE = """
    WITH removed AS (DELETE FROM oldest_mail WHERE domain_id = $1::integer)
    DELETE FROM usage WHERE domain_id = $1::integer
"""
# Of each domain with held mail. No time: it must be asked.
OLDEST_KNOWN = """
    SELECT domain_id, oldest_mail.received_at
    FROM (
        SELECT domain_id, sum(removals)::bigint AS removals
        FROM usage GROUP BY domain_id HAVING sum(messages) > sum(refused)
    ) AS holding
    LEFT JOIN oldest_mail USING (domain_id, removals)
"""
KEEP_OLDEST = """
    INSERT INTO oldest_mail AS known (domain_id, received_at, removals)
    SELECT * FROM unnest($1::integer[], $2::float8[], $3::bigint[])
    ON CONFLICT (domain_id) DO UPDATE SET
        removals = excluded.removals, received_at = excluded.received_at
    WHERE known.removals < excluded.removals
"""
ACCOUNTS = "SELECT id, account FROM domain"
ACCOUNTS_OF = "SELECT id, account FROM domain WHERE id = ANY($1::integer[])"
