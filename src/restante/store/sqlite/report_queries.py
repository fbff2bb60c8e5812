"""The statements on reports that wait, and on mail that is late."""

# ruff: noqa: S608  what is joined here are constants; every value is bound

from restante.mail.sealed_size import REPORT_EXTRA
from restante.store.sqlite.mail_queries import MESSAGE_COLUMNS

# Of one kind, in the order of the index, so that nothing is sorted. The content behind is not read:
# queue/fair_order.py chooses first.
DUE_REPORTS = """
    SELECT report.number, ifnull(domain.account, ''), report.reverse_path, report.failures
    FROM report LEFT JOIN domain ON domain.id = report.domain_id
    WHERE report.next_attempt_at <= ? AND report.action = ?
    ORDER BY report.next_attempt_at, report.number LIMIT ?
"""

# The same where more are due than are looked at: accounts take turns, and the targets of each
# account. This sorts all that are due, which takes a quarter of a second for 100,000.
DUE_REPORTS_IN_TURN = """
    WITH turned AS (
        SELECT report.number, ifnull(domain.account, '') AS account, report.reverse_path,
            report.failures, report.next_attempt_at,
            row_number() OVER (
                PARTITION BY domain.account,
                    lower(substr(report.reverse_path, instr(report.reverse_path, '@')))
                ORDER BY report.next_attempt_at, report.number
            ) AS turn
        FROM report LEFT JOIN domain ON domain.id = report.domain_id
        WHERE report.next_attempt_at <= ? AND report.action = ?
    )
    SELECT number, account, reverse_path, failures
    FROM turned
    ORDER BY row_number() OVER (PARTITION BY account ORDER BY turn, next_attempt_at, number),
        next_attempt_at, number
    LIMIT ?
"""

# The action is a literal, as in the index, which has all that is read of a report.
SUCCESS_REPORTS = """
    SELECT report.number, ifnull(domain.account, ''), report.reverse_path
    FROM report LEFT JOIN domain ON domain.id = report.domain_id
    WHERE report.action = 'relayed'
"""
_REPORT_COLUMNS = """
    number, about, domain_id, action, reverse_path, flags, made_at, failures, reply, content
"""
REPORT = f"SELECT {_REPORT_COLUMNS} FROM report WHERE number = ?"

# Each row is looked at: only a start without data keys and a rotation ask. The content, behind, is
# read of sealed ones only.
SEALED_REPORTS = f"""
    SELECT {_REPORT_COLUMNS} FROM report WHERE number > ? AND flags & 4 ORDER BY number LIMIT ?
"""
PLAIN_REPORTS = f"""
    SELECT {_REPORT_COLUMNS} FROM report WHERE number > ? AND flags & 4 = 0 ORDER BY number LIMIT ?
"""
REPLACE_CONTENT = """
    UPDATE report SET content = :new, flags = flags | 4 WHERE number = :number AND content = :old
"""
NEXT_REPORT_AT = "SELECT min(next_attempt_at) FROM report"

# The count is kept (schema.py): a flood of refusals may have left a great many. The oldest is the
# first by number.
REPORT_BACKLOG = """
    SELECT value, (SELECT made_at FROM report WHERE number = (SELECT min(number) FROM report))
    FROM counter WHERE name = 'reports'
"""
KEEP_REPORT = """
    INSERT INTO report
        (about, domain_id, action, reverse_path, flags, made_at, next_attempt_at, failures, reply,
            content)
    VALUES (?, ?, ?, ?, ?, ?, ?, 0, '', ?)
"""
REMOVE_REPORT = "DELETE FROM report WHERE number = ?"
DROP_REPORT = "DELETE FROM report WHERE number = ? RETURNING number"

# By number, each row looked at: reports that wait are few, and this is for people. length() reads
# no content. Of a sealed report, the octets count that will be sent.
LIST_REPORTS = f"""
    SELECT number, about, domain_id, action, reverse_path, made_at, next_attempt_at, failures,
        reply, length(content) - {REPORT_EXTRA} * (flags & 4 <> 0)
    FROM report
    WHERE number > :after
      AND (:domain_ids IS NULL OR domain_id IN (SELECT value FROM json_each(:domain_ids)))
      AND (:pattern IS NULL OR any_path_matches(reverse_path, :pattern))
      AND (:numbers IS NULL OR number IN (SELECT value FROM json_each(:numbers)))
    ORDER BY number LIMIT :limit
"""
HASTEN_REPORTS = "UPDATE report SET next_attempt_at = ? WHERE next_attempt_at > ?"
PUT_REPORT_OFF = (
    "UPDATE report SET next_attempt_at = ?, failures = failures + 1, reply = ? WHERE number = ?"
)

# `flags & 8` as in the index: the engine compares expressions, not what they come to.
LATE_MESSAGES = f"""
    SELECT {MESSAGE_COLUMNS} FROM message
    WHERE flags & 8 AND received_at < ? AND held_paths <> '' ORDER BY received_at, number
"""
DELAY_IS_TOLD = (
    "UPDATE message SET flags = (flags & ~8) | 16 WHERE number = ? AND flags & 8 RETURNING number"
)
