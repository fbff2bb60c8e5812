"""The statements about reports to reverse-paths. SQLite's queries have the reasons."""

# ruff: noqa: S608  what is joined here are constants; every value is bound

from restante.mail.sealed_size import REPORT_EXTRA

KEEP = """
    INSERT INTO report (about, domain_id, action, reverse_path, flags, made_at, next_attempt_at,
        failures, reply, content)
    SELECT about, domain_id, action, path, flags, made_at, due_at, 0, '', content
    FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], $5::integer[], $6::float8[],
        $7::float8[], $8::bytea[])
        WITH ORDINALITY AS new (about, domain_id, action, path, flags, made_at, due_at, content,
            place)
    ORDER BY place
"""
DUE = """
    SELECT report.number, coalesce(domain.account, ''), report.reverse_path, report.failures
    FROM report LEFT JOIN domain ON domain.id = report.domain_id
    WHERE report.next_attempt_at <= $1 AND report.action = $2
    ORDER BY report.next_attempt_at, report.number LIMIT $3
"""
DUE_IN_TURN = """
    WITH turned AS (
        SELECT report.number, coalesce(domain.account, '') AS account, report.reverse_path,
            report.failures, report.next_attempt_at,
            row_number() OVER (
                PARTITION BY domain.account,
                    lower(substr(report.reverse_path, strpos(report.reverse_path, '@')))
                ORDER BY report.next_attempt_at, report.number
            ) AS turn
        FROM report LEFT JOIN domain ON domain.id = report.domain_id
        WHERE report.next_attempt_at <= $1 AND report.action = $2
    )
    SELECT number, account, reverse_path, failures FROM turned
    ORDER BY row_number() OVER (PARTITION BY account ORDER BY turn, next_attempt_at, number),
        next_attempt_at, number
    LIMIT $3
"""
SUCCESS = """
    SELECT report.number, coalesce(domain.account, ''), report.reverse_path
    FROM report LEFT JOIN domain ON domain.id = report.domain_id
    WHERE report.action = 'relayed' ORDER BY report.number
"""
_COLUMNS = """
    number, about, domain_id, action, reverse_path, flags, made_at, failures, reply, content
"""
ONE = f"SELECT {_COLUMNS} FROM report WHERE number = $1"
SEALED = f"""
    SELECT {_COLUMNS} FROM report WHERE number > $1 AND flags & 4 <> 0 ORDER BY number LIMIT $2
"""
PLAIN = f"""
    SELECT {_COLUMNS} FROM report WHERE number > $1 AND flags & 4 = 0 ORDER BY number LIMIT $2
"""
REPLACE_CONTENT = """
    UPDATE report SET content = new.content, flags = flags | 4
    FROM unnest($1::bigint[], $2::bytea[], $3::bytea[]) AS new (number, former, content)
    WHERE report.number = new.number AND report.content = new.former RETURNING report.number
"""
NEXT_AT = "SELECT min(next_attempt_at) FROM report"
BACKLOG = "SELECT count(*), (SELECT made_at FROM report ORDER BY number LIMIT 1) FROM report"
REMOVE = "DELETE FROM report WHERE number = $1"
DROP = "DELETE FROM report WHERE number = ANY($1::bigint[]) RETURNING number"
PUT_OFF = """
    UPDATE report SET next_attempt_at = $1, failures = failures + 1, reply = $2 WHERE number = $3
"""
HASTEN = "UPDATE report SET next_attempt_at = $1 WHERE next_attempt_at > $2"
LIST = f"""
    SELECT number, about, domain_id, action, reverse_path, made_at, next_attempt_at, failures,
        reply, length(content) - {REPORT_EXTRA} * (flags & 4 <> 0)::integer
    FROM report
    WHERE number > $1 AND ($2::integer[] IS NULL OR domain_id = ANY($2))
        AND ($3::text IS NULL OR reverse_path ~* $3)
        AND ($4::bigint[] IS NULL OR number = ANY($4))
    ORDER BY number LIMIT $5
"""
LATE = """
    SELECT number, domain_id, received_at, size, flags, reverse_path, held_paths, content_id::text,
        file_crc32, head_crc32, dsn, head, message_id
    FROM message WHERE flags & 8 <> 0 AND received_at < $1 AND held_paths <> ''
    ORDER BY received_at, number LIMIT $2
"""
DELAY_IS_TOLD = """
    UPDATE message SET flags = (flags & ~8) | 16
    WHERE number = ANY($1::bigint[]) AND flags & 8 <> 0 RETURNING number
"""
