"""The statements by which people list held mail and refused mail."""

# ruff: noqa: S608  what is joined here are constants; every value is bound

# Listings. They differ only in where they start, so that each walks its own index in order and
# stops at its limit. The other conditions are the same for all. The replies come along as JSON: a
# row a message.
_LISTED = """
    SELECT message.number, message.domain_id, reverse_path, received_at, size, held_paths, (
        SELECT json_group_array(
            json_array(forward_path, is_refused, reply, tried_at, attempts) ORDER BY forward_path
        )
        FROM last_reply
        WHERE last_reply.domain_id = message.domain_id AND last_reply.number = message.number
    ), coalesce(iif(
        message.number < (SELECT value FROM counter WHERE name = 'keyed-from'), message.message_id,
        (SELECT message_id FROM message_key WHERE message_key.number = message.number)
    ), ''), flags
"""
_MATCHING = """
    AND message.number BETWEEN :first AND :last
    AND (:reverse_path IS NULL OR reverse_path = :reverse_path)
    AND (:received_before IS NULL OR received_at < :received_before)
    AND (:received_since IS NULL OR received_at >= :received_since)
    AND (:larger_than IS NULL OR size > :larger_than)
    AND (:sender IS NULL OR any_path_matches(reverse_path, :sender))
    AND (:message_id IS NULL OR message_id = :message_id)
    AND (:status IS NULL OR (:status = 'held' AND held_paths <> '') OR EXISTS (
        SELECT 1 FROM last_reply
        WHERE last_reply.domain_id = message.domain_id AND last_reply.number = message.number
            AND is_refused = :parked
    ))
    AND (
        :recipient IS NULL
        OR ((:status IS NULL OR :status = 'held') AND any_path_matches(held_paths, :recipient))
        OR (:status IS NOT 'held' AND EXISTS (
            SELECT 1 FROM last_reply
            WHERE last_reply.domain_id = message.domain_id AND last_reply.number = message.number
                AND is_refused AND (:parked IS NULL OR is_refused = :parked)
                AND any_path_matches(forward_path, :recipient)
        ))
    )
    AND (:client IS NULL OR client_is_within(
        coalesce(iif(json_valid(origin), origin ->> 'address', ''), ''), :client
    ))
"""
LIST_ALL = f"{_LISTED} FROM message WHERE true {_MATCHING} ORDER BY message.number LIMIT :limit"
LIST_NUMBERS = f"""
    {_LISTED} FROM message WHERE message.number IN (SELECT value FROM json_each(:numbers))
    AND (:domain_ids IS NULL OR message.domain_id IN (SELECT value FROM json_each(:domain_ids)))
    {_MATCHING} ORDER BY message.number LIMIT :limit
"""

# By the Message-ID: from the table of these, and from mail that was held before there was one.
LIST_SOUGHT = f"""
    {_LISTED} FROM message WHERE message.number IN (
        SELECT number FROM message_key WHERE message_id = :message_id
        UNION ALL
        SELECT number FROM message
        WHERE number < (SELECT value FROM counter WHERE name = 'keyed-from')
            AND message_id = :message_id
    )
    AND (:domain_ids IS NULL OR message.domain_id IN (SELECT value FROM json_each(:domain_ids)))
    {_MATCHING} ORDER BY message.number LIMIT :limit
"""

# Of several domains: their index tells the numbers, and the first ones are chosen among these.
LIST_HELD_OF_DOMAINS = f"""
    {_LISTED} FROM message WHERE message.number IN (
        SELECT message.number FROM json_each(:domain_ids) AS one
        CROSS JOIN message INDEXED BY message_held ON message.domain_id = one.value
        WHERE held_paths <> '' {_MATCHING} ORDER BY message.number LIMIT :limit
    ) ORDER BY message.number
"""
LIST_HELD = f"""
    {_LISTED} FROM message WHERE message.domain_id = :domain_id AND held_paths <> ''
    {_MATCHING} ORDER BY message.number LIMIT :limit
"""

# The bounds are no BETWEEN: with it, the index is walked beyond the upper one.
# By groups of one number and not with DISTINCT: so the index's order carries through, and the limit
# stops the walk.
LIST_REFUSED = f"""
    {_LISTED} FROM last_reply AS parked INDEXED BY last_reply_refused
    CROSS JOIN message ON message.number = parked.number
    WHERE parked.domain_id = :domain_id AND parked.number >= :first AND parked.number <= :last
        AND parked.is_refused
    {_MATCHING} GROUP BY parked.number ORDER BY parked.number LIMIT :limit
"""
LIST_REFUSED_OF_DOMAINS = f"""
    {_LISTED} FROM message WHERE message.number IN (
        SELECT DISTINCT message.number FROM json_each(:domain_ids) AS one
        CROSS JOIN last_reply AS parked INDEXED BY last_reply_refused
            ON parked.domain_id = one.value
        CROSS JOIN message ON message.number = parked.number
        WHERE parked.is_refused AND parked.number >= :first AND parked.number <= :last {_MATCHING}
        ORDER BY message.number LIMIT :limit
    ) ORDER BY message.number
"""

# Of all domains. The index of their numbers has an expression, so that no other statement takes it.
LIST_ALL_REFUSED = f"""
    {_LISTED} FROM last_reply AS parked INDEXED BY last_reply_refused_numbers
    CROSS JOIN message ON message.number = parked.number
    WHERE parked.number + 0 BETWEEN :first AND :last AND parked.is_refused
    {_MATCHING} GROUP BY parked.number + 0 ORDER BY parked.number + 0 LIMIT :limit
"""

# The first and the last message.
BOUNDS = "SELECT (SELECT min(number) FROM message), (SELECT max(number) FROM message)"
