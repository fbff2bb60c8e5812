"""The statements that list held mail.

As in SQLite, they differ only in where they start, and each walks an index in order. $1 and $2 are
the first and the last number, $3 the limit.
"""

# ruff: noqa: S608  what is joined here are constants; every value is bound

from restante.store.postgres.address_pattern import ADDRESS_PATTERN

_CLIENT = """substring(origin FROM '^{"address":"([^"]*)"')"""
_LISTED = """
    SELECT message.number, message.domain_id, reverse_path, received_at, size, held_paths, (
        SELECT coalesce(
            json_agg(
                json_build_array(forward_path, is_refused, reply, tried_at, attempts)
                ORDER BY forward_path
            ),
            '[]'
        )
        FROM last_reply
        WHERE last_reply.domain_id = message.domain_id AND last_reply.number = message.number
    )::text, coalesce(message_id, ''), flags
"""
# $4 exact reverse-path, $5 before, $6 since, $7 larger than, $8 sender, $9 Message-ID. Then $10
# status, $11 its number, $12 recipient, $13 network of the client.
_MATCHING = f"""
    AND message.number BETWEEN $1::bigint AND $2::bigint
    AND ($4::text IS NULL OR reverse_path = $4)
    AND ($5::float8 IS NULL OR received_at < $5)
    AND ($6::float8 IS NULL OR received_at >= $6)
    AND ($7::bigint IS NULL OR size > $7)
    AND ($8::text IS NULL OR reverse_path ~* $8)
    AND ($9::text IS NULL OR message_id = $9)
    AND ($10::text IS NULL OR ($10 = 'held' AND held_paths <> '') OR EXISTS (
        SELECT 1 FROM last_reply
        WHERE last_reply.domain_id = message.domain_id AND last_reply.number = message.number
            AND is_refused = $11::smallint
    ))
    AND (
        $12::text IS NULL
        OR (($10 IS NULL OR $10 = 'held') AND EXISTS (
            SELECT 1 FROM unnest(string_to_array(held_paths, E'\\n')) AS waiting
            WHERE waiting ~* $12
        ))
        OR ($10 IS DISTINCT FROM 'held' AND EXISTS (
            SELECT 1 FROM last_reply
            WHERE last_reply.domain_id = message.domain_id AND last_reply.number = message.number
                AND is_refused <> 0 AND ($11 IS NULL OR is_refused = $11)
                AND forward_path ~* $12
        ))
    )
    AND ($13::text IS NULL OR CASE
        WHEN {_CLIENT} ~ '{ADDRESS_PATTERN}' THEN {_CLIENT}::inet <<= $13::text::cidr ELSE false
    END)
"""
_ORDER = "ORDER BY message.number LIMIT $3"
LIST_ALL = f"{_LISTED} FROM message WHERE true {_MATCHING} {_ORDER}"
LIST_ALL_REFUSED = f"""
    {_LISTED} FROM message WHERE message.number IN (
        SELECT number FROM last_reply
        WHERE is_refused <> 0 AND number BETWEEN $1::bigint AND $2::bigint
    ) {_MATCHING} {_ORDER}
"""
LIST_NUMBERS = f"""
    {_LISTED} FROM message WHERE message.number = ANY($14::bigint[])
    AND ($15::integer[] IS NULL OR message.domain_id = ANY($15)) {_MATCHING} {_ORDER}
"""
# By the Message-ID, along its index.
LIST_SOUGHT = f"""
    {_LISTED} FROM message WHERE message_id = $9
    AND ($14::integer[] IS NULL OR message.domain_id = ANY($14)) {_MATCHING} {_ORDER}
"""
LIST_HELD = f"""
    {_LISTED} FROM message WHERE message.domain_id = ANY($14::integer[]) AND held_paths <> ''
    {_MATCHING} {_ORDER}
"""
LIST_REFUSED = f"""
    {_LISTED} FROM message WHERE message.number IN (
        SELECT number FROM last_reply WHERE domain_id = ANY($14::integer[]) AND is_refused <> 0
            AND number BETWEEN $1::bigint AND $2::bigint
    ) {_MATCHING} {_ORDER}
"""
BOUNDS = "SELECT (SELECT min(number) FROM message), (SELECT max(number) FROM message)"
