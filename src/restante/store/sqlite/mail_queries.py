"""The statements that change held mail, and those that a drain reads it by.

Two costs shape them. First, the interpreter's lock is released and taken again at every step of a
statement. Beside a busy event loop taking it can cost more than the step. So the hot statements do
many messages in one step and answer in one row. Second, a page written is a page logged, synced and
copied back. So nothing small stands beside content.

Lists of numbers come as JSON text, which keeps one prepared statement for any length.
test_mail_queries.py pins the plans of the hot ones.
"""

# ruff: noqa: S608  what is joined here are constants; every value is bound

from functools import cache

from restante.mail.message import DEFERRED_PLACE, SUSPECT_PLACE
from restante.store.sqlite.ledger_queries import COUNTED_UP_TO

MOST_ROWS = 64  # messages in one INSERT: its text and program stay small enough to be kept prepared
MESSAGE_COLUMNS = (
    "number, domain_id, received_at, size, flags, reverse_path, held_paths, file, file_crc32,"
    " head_crc32, dsn, head, message_id"
)
_NEW_MESSAGE_COLUMNS = f"{MESSAGE_COLUMNS}, origin"  # JSON, which few drains read


@cache
def hold_messages(count: int) -> str:
    """Insert `count` messages in one step: with a busy event loop twice as fast as one by one."""
    row = f"({', '.join('?' * len(_NEW_MESSAGE_COLUMNS.split(',')))})"
    return f"INSERT INTO message ({_NEW_MESSAGE_COLUMNS}) VALUES {', '.join([row] * count)}"


# The hot path of settling: are these messages what the drain believes, with nobody refused or
# deferred? One row answers for the whole window: the paths, joined in the order of numbers, are
# compared as one text. Paths hold no line end, so an empty line parts messages.
WHOLE_MESSAGES = """
    SELECT sum(size), group_concat(held_paths, char(10, 10) ORDER BY number),
        group_concat(file, char(10))
    FROM message
    WHERE number IN (SELECT value FROM json_each(:numbers)) AND domain_id = :domain_id
        AND NOT EXISTS (
            SELECT 1 FROM last_reply
            WHERE last_reply.domain_id = message.domain_id AND last_reply.number = message.number
        )
"""
REMOVE_MESSAGES = "DELETE FROM message WHERE number IN (SELECT value FROM json_each(?))"

# The figures that leave with these messages, a row per domain: they may be of several domains.
DOOMED_MESSAGES = """
    SELECT domain_id, count(*), sum(size), sum(held_paths = ''), group_concat(file, char(10))
    FROM message WHERE number IN (SELECT value FROM json_each(?)) GROUP BY domain_id
"""

# Through message, because last_reply is found by domain first.
REMOVE_REPLIES = """
    DELETE FROM last_reply WHERE (domain_id, number) IN (
        SELECT domain_id, number FROM message WHERE number IN (SELECT value FROM json_each(?))
    )
"""

# How one message stands, before an outcome that is not simply "all delivered" is worked in.
STANDING = "SELECT held_paths FROM message WHERE number = ? AND domain_id = ?"
ANY_REFUSED = "SELECT 1 FROM last_reply WHERE domain_id = ? AND number = ? AND is_refused LIMIT 1"
KEEP_HELD_PATHS = "UPDATE message SET held_paths = ? WHERE number = ?"

# A deferral leaves `at`: retention counts from when a recipient was held again, not from the last
# attempt. `attempts` is 1, or 0 for a word of our own.
KEEP_REPLY = """
    INSERT INTO last_reply (
        domain_id, number, forward_path, is_refused, reply, at, tried_at, attempts
    )
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
        is_refused = excluded.is_refused, reply = excluded.reply,
        at = iif(excluded.is_refused, excluded.at, at),
        tried_at = iif(excluded.attempts, excluded.tried_at, tried_at),
        attempts = attempts + excluded.attempts
"""

# How often its final reply could not be read (rows.py names the bits).
KEEP_DOUBTS = "UPDATE message SET flags = (flags & ~96) | (? << 5) WHERE number = ?"
KEEP_DEFERRALS = "UPDATE message SET flags = (flags & 127) | (? << 7) WHERE number = ?"
FORGET_REPLY = "DELETE FROM last_reply WHERE domain_id = ? AND number = ? AND forward_path = ?"

# Holding refused recipients again, of one kind or (NULL) all: three statements for any number of
# messages.
_IS_WANTED = "is_refused AND (:parked IS NULL OR is_refused = :parked)"
_HAS_REFUSED = f"""
    EXISTS (
        SELECT 1 FROM last_reply
        WHERE last_reply.domain_id = message.domain_id AND last_reply.number = message.number
            AND {_IS_WANTED}
    )
"""
REFUSED_MESSAGES = f"""
    SELECT domain_id, count(*), sum(held_paths = '')
    FROM message WHERE number IN (SELECT value FROM json_each(:numbers)) AND {_HAS_REFUSED}
    GROUP BY domain_id
"""
# A message of which a recipient is held keeps its deferrals by policy. A drain may be handing it
# over: if it moved in the order of mail, the drain would read it again.
HOLD_AGAIN = f"""
    UPDATE message SET flags = flags & iif(held_paths = '', 31, ~96), held_paths = ltrim(
        held_paths || char(10) || (
            SELECT group_concat(forward_path, char(10) ORDER BY forward_path) FROM last_reply
            WHERE last_reply.domain_id = message.domain_id AND last_reply.number = message.number
                AND {_IS_WANTED}
        ),
        char(10)
    )
    WHERE number IN (SELECT value FROM json_each(:numbers)) AND {_HAS_REFUSED}
"""
REFUSED_NO_MORE = f"""
    UPDATE last_reply SET is_refused = 0, at = :at WHERE {_IS_WANTED} AND (domain_id, number) IN (
        SELECT domain_id, number FROM message
        WHERE number IN (SELECT value FROM json_each(:numbers))
    )
"""

# The state of messages: number, whether their waiting recipients have waited since before then,
# whether a recipient was refused.
STANDINGS = """
    SELECT number, held_paths <> '' AND received_at < :before AND NOT EXISTS (
            SELECT 1 FROM last_reply
            WHERE last_reply.domain_id = message.domain_id AND last_reply.number = message.number
                AND at >= :before
        ), EXISTS (
            SELECT 1 FROM last_reply
            WHERE last_reply.domain_id = message.domain_id AND last_reply.number = message.number
                AND is_refused
        )
    FROM message WHERE number IN (SELECT value FROM json_each(:numbers)) AND domain_id = :domain_id
"""
WAIT_NO_MORE = "UPDATE message SET held_paths = '' WHERE number IN (SELECT value FROM json_each(?))"
FORGET_DEFERRALS = """
    DELETE FROM last_reply
    WHERE domain_id = ? AND NOT is_refused AND number IN (SELECT value FROM json_each(?))
"""
DUE_REFUSALS = """
    SELECT DISTINCT number FROM last_reply
    WHERE domain_id = :domain_id AND is_refused IN (1, 3) AND at < :before
        AND number IN (SELECT value FROM json_each(:numbers)) ORDER BY number
"""
FORGET_REFUSALS = """
    DELETE FROM last_reply
    WHERE domain_id = :domain_id AND is_refused IN (1, 3) AND at < :before
        AND number IN (SELECT value FROM json_each(:numbers))
"""

# Those of the given messages that have no recipient left; their last replies were removed with
# their recipients.
LEFT_WITH_NOBODY = """
    SELECT number FROM message
    WHERE number IN (SELECT value FROM json_each(:numbers)) AND domain_id = :domain_id
        AND held_paths = ''
        AND NOT EXISTS (
            SELECT 1 FROM last_reply
            WHERE last_reply.domain_id = message.domain_id AND last_reply.number = message.number
                AND is_refused
        )
"""
KEEP_MARK = "INSERT OR REPLACE INTO mark (domain_id, kind, value) VALUES (?, ?, ?)"
REMOVE_MARK = "DELETE FROM mark WHERE domain_id = ? AND kind = ?"
REMOVE_MARKS = "DELETE FROM mark WHERE domain_id = ?"
MARKS = "SELECT domain_id, value FROM mark WHERE kind = ?"

# Oldest first: the reader stops at the first that came too late, so that what is not due yet is
# never walked over. The second value is later than `received_at` for a message of which somebody
# was refused or held again since.
HELD_SINCE = """
    SELECT number, received_at, max(received_at, coalesce((
        SELECT max(at) FROM last_reply
        WHERE last_reply.domain_id = message.domain_id AND last_reply.number = message.number
    ), 0))
    FROM message WHERE domain_id = ? AND number > ? AND held_paths <> '' ORDER BY number
"""

# Refused mail is little, and its index has no order of time. Uncertain mail (2) does not expire,
# damaged mail does; the bare `is_refused` in addition is there so that the index can be used.
# INDEXED BY, here and below, because without statistics the planner takes the primary key, full of
# mere deferrals.
REFUSED_BEFORE = """
    SELECT DISTINCT number FROM last_reply INDEXED BY last_reply_refused
    WHERE domain_id = ? AND number > ? AND is_refused AND is_refused <> 2 AND at < ?
    ORDER BY number LIMIT ?
"""
FIRST_REFUSED = """
    SELECT min(at) FROM last_reply INDEXED BY last_reply_refused
    WHERE domain_id = ? AND is_refused AND is_refused <> 2
"""

# A damaged message: whose it is and who waits for it. Not its content, which may be what cannot be
# read.
WHO_WAITS = "SELECT domain_id, held_paths FROM message WHERE number = ?"
NUMBER_OF_FILE = "SELECT number, domain_id FROM message WHERE file = ?"

# Per domain, from an index of its own: messages with an uncertain recipient, those with a damaged
# one, and those of both that hold nobody.
_COUNT_SET_APART = """
    SELECT parked.domain_id, sum(is_uncertain), sum(is_damaged), sum(held_paths = '')
    FROM (
        SELECT domain_id, number, max(is_refused = 2) AS is_uncertain,
            max(is_refused = 3) AS is_damaged
        FROM last_reply INDEXED BY last_reply_set_apart WHERE is_refused > 1{and_of_some}
        GROUP BY domain_id, number
    ) AS parked
    JOIN message ON message.number = parked.number GROUP BY parked.domain_id
"""
OF_SOME = "domain_id IN (SELECT value FROM json_each(?))"  # for a page of domains
MARKS_OF = f"{MARKS} AND {OF_SOME}"
COUNT_SET_APART = _COUNT_SET_APART.format(and_of_some="")
COUNT_SET_APART_OF = _COUNT_SET_APART.format(and_of_some=f" AND {OF_SOME}")

# Per domain, from an index of its own.
_COUNT_DEFERRED = """
    SELECT domain_id, count(*) FROM message INDEXED BY message_deferred
    WHERE held_paths <> '' AND flags & 128{and_of_some} GROUP BY domain_id
"""
COUNT_DEFERRED = _COUNT_DEFERRED.format(and_of_some="")
COUNT_DEFERRED_OF = _COUNT_DEFERRED.format(and_of_some=f" AND {OF_SOME}")

# A drain's next window. ?2 is a place (mail/message.py): suspect mail comes behind other mail, and
# mail that a policy deferred in an earlier drain comes last. ?3 are the bits of mail first deferred
# in this drain. It keeps its place until the drain is over. No LIMIT: the reader stops at its
# bound of messages and octets, and must be able to pass over damaged rows. In index order, so that
# nothing is sorted and stopping costs nothing.


def _held_messages(columns: str) -> str:
    return f"""
    SELECT * FROM (
        SELECT {columns} FROM message INDEXED BY message_held
        WHERE domain_id = ?1 AND number > ?2 AND held_paths <> '' AND NOT flags & 4
            AND (NOT flags & 128 OR flags >> 7 = ?3)
        ORDER BY number
    ) UNION ALL SELECT * FROM (
        SELECT {columns} FROM message INDEXED BY message_suspect
        WHERE domain_id = ?1 AND number > ?2 - {SUSPECT_PLACE} AND held_paths <> '' AND flags & 4
            AND (NOT flags & 128 OR flags >> 7 = ?3)
        ORDER BY number
    ) UNION ALL SELECT * FROM (
        SELECT {columns} FROM message INDEXED BY message_deferred
        WHERE domain_id = ?1 AND number > ?2 - {DEFERRED_PLACE} AND held_paths <> '' AND flags & 128
            AND flags >> 7 <> ?3
        ORDER BY number
    )
"""


HELD_MESSAGES = _held_messages(MESSAGE_COLUMNS)
# Where the destination is told which client each message came from.
HELD_MESSAGES_WITH_ORIGINS = _held_messages(_NEW_MESSAGE_COLUMNS)
ONE_MESSAGE = f"SELECT {_NEW_MESSAGE_COLUMNS} FROM message WHERE number = ?"
REFUSED_PATHS = """
    SELECT forward_path FROM last_reply WHERE domain_id = ? AND number = ? AND is_refused
    ORDER BY forward_path
"""

# Per domain the first number held: the first entry of the index; never a scan of message.
_OLDEST_MESSAGES = """
    SELECT domain_id, received_at FROM (
        SELECT
            (
                SELECT min(number) FROM message
                WHERE message.domain_id = usage.domain_id AND held_paths <> ''
            ) AS held
        FROM ({domains}) AS usage
    ) AS first
    JOIN message ON message.number = first.held
"""
OLDEST_MESSAGES = _OLDEST_MESSAGES.format(
    domains=f"""
            SELECT domain_id FROM usage WHERE messages > refused
            UNION SELECT domain_id FROM message WHERE number > ({COUNTED_UP_TO})
        """
)
OLDEST_MESSAGES_OF = _OLDEST_MESSAGES.format(domains="SELECT value AS domain_id FROM json_each(?)")
FILES = "SELECT file, number FROM message WHERE file IS NOT NULL"  # for the sweep: message_file
