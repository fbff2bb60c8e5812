"""The SQL statements of the history of mail.

Entries are appended, so a transaction writes to the end of the table and of one of its indexes. The
facts of a message are copied inside the engine: the interpreter need not see them.

In each statement that makes entries, ?1 is the time, ?2 the account's history detail, and ?3 the
number of the drain.
"""

# ruff: noqa: S608  what is joined here are constants; every value is bound

from functools import cache

from restante.queue.history import REPLY_LIMIT

MOST_ROWS = 64  # entries in one INSERT, as with new mail

# The account's history detail, NULL for a domain that was removed, and the hour of the last entry.
DETAIL = """
    SELECT (
            SELECT account.history FROM domain JOIN account ON account.name = domain.account
            WHERE domain.id = ?
        ),
        (SELECT hour FROM history_hour ORDER BY first_id DESC LIMIT 1)
"""
DOMAINS_OF = (
    "SELECT DISTINCT domain_id FROM message WHERE number IN (SELECT value FROM json_each(?))"
)

_INSERT = """
    INSERT INTO history (
        at, outcome, domain_id, number, received_at, octets, reverse_path, forward_path, client,
        message_id, reply, drain, release, origin
    )
"""
# An origin begins with its address and port (`store/stored_form/origin_column`). To cut it there
# takes 3,000 instructions fewer of each entry than to read it as JSON.
_CLIENT = """
    iif(instr(origin, '","port":') > 13, substr(origin, 13, instr(origin, '","port":') - 13), '')
"""
# Verdicts have the words of filters, which can name anybody.
_ORIGIN = """
    iif(?2 = 'domain',
        iif(json_valid(origin), json_remove(origin, '$.address', '$.verdicts'), NULL),
        '{' || substr(origin, instr(origin, '"port":')))
"""


def _facts(path: str, outcome: str, reply: str, release: str = "0") -> str:
    """Select an entry of `message`, with addresses as far as the detail lets them be kept."""
    return f"""
    SELECT ?1, {outcome}, message.domain_id, message.number, received_at, size,
        iif(?2 = 'domain', shortened(reverse_path), reverse_path),
        iif(?2 = 'domain', shortened({path}), {path}),
        {_CLIENT}, coalesce(message_id, ''),
        iif(?2 = 'domain', reply_code({reply}), substr({reply}, 1, {REPLY_LIMIT})), ?3,
        {release}, {_ORIGIN}
    """


@cache
def outcomes_statement(count: int) -> str:
    """Append the entries of `count` recipients, of those whose messages are there.

    ?4 is the release. Then come number, path, outcome and reply of each.
    """
    rows = ", ".join(["(?, ?, ?, ?)"] * count)
    return f"""
    {_INSERT} {_facts("moved.column2", "moved.column3", "moved.column4", "?4")}
    FROM (VALUES {rows}) AS moved CROSS JOIN message ON message.number = moved.column1
    """


# The recipients that wait: ?4 is the numbers of messages, ?5 the domain, ?6 the outcome. The paths
# of a message are parted one by one.
KEEP_WAITING = f"""
    WITH RECURSIVE part (number, path, rest) AS (
        SELECT number, '', held_paths || char(10) FROM message
        WHERE number IN (SELECT value FROM json_each(?4)) AND domain_id = ?5 AND held_paths <> ''
        UNION ALL
        SELECT number, substr(rest, 1, instr(rest, char(10)) - 1),
            substr(rest, instr(rest, char(10)) + 1)
        FROM part WHERE rest <> ''
    )
    {_INSERT} {_facts("part.path", "?6", "coalesce(reply, '')")}
    FROM part CROSS JOIN message ON message.number = part.number
    LEFT JOIN last_reply ON last_reply.domain_id = message.domain_id
        AND last_reply.number = message.number AND last_reply.forward_path = part.path
    WHERE part.path <> ''
"""

# The recipients that were refused or set apart; with ?7, only those that may expire, since before
# then.
KEEP_PARKED = f"""
    {_INSERT} {_facts("parked.forward_path", "?6", "parked.reply")}
    FROM message CROSS JOIN last_reply AS parked
        ON parked.domain_id = message.domain_id AND parked.number = message.number
    WHERE message.number IN (SELECT value FROM json_each(?4)) AND message.domain_id = ?5
        AND parked.is_refused
        AND (?7 IS NULL OR (parked.is_refused <> 2 AND parked.at < ?7))
"""

# Note that the next entry is of another hour than the last one.
NOTE_HOUR = """
    INSERT OR REPLACE INTO history_hour (first_id, hour)
    VALUES ((SELECT ifnull(max(id), 0) + 1 FROM history), ?)
"""

# --- read

_ENTRIES = """
    SELECT id, at, outcome, domain_id, number, received_at, octets, reverse_path, forward_path,
        client, message_id, reply, drain, release,
        (SELECT way FROM release WHERE release.id = history.release), origin
    FROM history
"""
_MATCHING = """
    AND id >= :first AND id <= :last
    AND (:number IS NULL OR number = :number)
    AND (:since IS NULL OR at >= :since) AND (:until IS NULL OR at < :until)
    AND (:outcome IS NULL OR outcome = :outcome)
    AND (:message_id IS NULL OR message_id = :message_id)
    AND (:reverse_path IS NULL OR any_path_matches(reverse_path, :reverse_path))
    AND (:recipient IS NULL OR any_path_matches(forward_path, :recipient))
    ORDER BY id DESC LIMIT :limit
"""
_DOMAINS = "domain_id IN (SELECT value FROM json_each(:domain_ids))"


def entries(*, domains: int | None, by_number: bool) -> str:
    """Return the statement for a filter: along one domain's entries, a message's, or all of them.

    Each walks its index from `:last`, an id, down to `:first`, and stops at the limit.
    """
    if by_number:
        place = f"history.number = :number AND (:domain_ids IS NULL OR +{_DOMAINS})"
    elif domains == 1:
        place = "domain_id = :domain_id"
    else:
        place = "true" if domains is None else f"+{_DOMAINS}"
    return f"{_ENTRIES} WHERE {place} {_MATCHING}"


BOUNDS = "SELECT (SELECT min(id) FROM history), (SELECT max(id) FROM history)"
# The first and last entry of some hours, NULL for no limit. ?1 and ?2 are the hours, or NULL.
PLACES = """
    SELECT min(first_id), iif(count(*) = count(next), max(next) - 1, NULL), count(*)
    FROM (SELECT first_id, hour, lead(first_id) OVER (ORDER BY first_id) AS next FROM history_hour)
    WHERE (?1 IS NULL OR hour >= ?1) AND (?2 IS NULL OR hour <= ?2)
"""

# Nobody counts the rows: ids are consecutive, except where entries were forgotten.
FIGURES = """
    SELECT coalesce((SELECT max(id) FROM history) - (SELECT min(id) FROM history) + 1, 0),
        (SELECT at FROM history ORDER BY id LIMIT 1)
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
# The average entry, from the newest and the oldest ones. The 60 octets are the other columns, the
# two indexes and room in pages. Measured with 60,000 entries: 153 octets each, 99 of them text.
AVERAGE_OCTETS = """
    SELECT coalesce(avg(60 + octet_length(reverse_path) + octet_length(forward_path)
        + octet_length(client) + octet_length(message_id) + octet_length(reply)
        + coalesce(octet_length(origin), 0)), 0)
    FROM (
        SELECT * FROM (SELECT * FROM history ORDER BY id LIMIT 200)
        UNION ALL SELECT * FROM (SELECT * FROM history ORDER BY id DESC LIMIT 200)
    )
"""

# --- removed

# The oldest: those from before ?1, or as many as ?2 says; no more than ?3. Entries stand in the
# order of time.
TRIM = """
    DELETE FROM history WHERE id IN (
        SELECT id FROM (SELECT id, at, row_number() OVER (ORDER BY id) AS place FROM (
            SELECT id, at FROM history ORDER BY id LIMIT ?3
        ))
        WHERE at < ?1 OR place <= ?2
    )
"""
FORGET = """
    DELETE FROM history WHERE id IN (
        SELECT id FROM history WHERE domain_id IN (SELECT value FROM json_each(?)) LIMIT ?
    )
"""
# The hours of entries that are no longer there, at the beginning and at the end: an id at the end
# is given again.
FORGET_HOURS = """
    DELETE FROM history_hour
    WHERE first_id > (SELECT ifnull(max(id), 0) FROM history)
        OR first_id < (
            SELECT max(first_id) FROM history_hour
            WHERE first_id <= (SELECT min(id) FROM history)
        )
"""
