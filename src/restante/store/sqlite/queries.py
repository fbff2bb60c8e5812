"""Every SQL statement, by name, with the reason for its shape.

tests/store/sqlite/test_queries.py pins the plans of the hot ones.

Two costs shape them. First, the interpreter's lock is released and taken again at every step of a
statement. Beside a busy event loop taking it can cost more than the step. So the hot statements do
many messages in one step and answer in one row. Second, a page written is a page logged, synced and
copied back. So nothing small stands beside content.

Lists of numbers come as JSON text, which keeps one prepared statement for any length.
"""

# ruff: noqa: S608  what is joined here are constants; every value is bound

from functools import cache

BEGIN = "BEGIN IMMEDIATE"  # the write lock now or not at all: no upgrade can fail half way
COMMIT = "COMMIT"
ROLLBACK = "ROLLBACK"

# --- held mail, changed (writer thread)

MOST_ROWS = 64  # messages in one INSERT: its text and program stay small enough to be kept prepared
MESSAGE_COLUMNS = (
    "number, domain_id, received_at, size, flags, reverse_path, held_paths, file, file_crc32,"
    " head_crc32, dsn, head, message_id"
)
_NEW_MESSAGE_COLUMNS = f"{MESSAGE_COLUMNS}, origin"  # not read by a drain: JSON, for a listing


@cache
def hold_messages(count: int) -> str:
    """Insert `count` messages in one step: with a busy event loop twice as fast as one by one."""
    row = f"({', '.join('?' * len(_NEW_MESSAGE_COLUMNS.split(',')))})"
    return f"INSERT INTO message ({_NEW_MESSAGE_COLUMNS}) VALUES {', '.join([row] * count)}"


# The rows of `usage` count messages up to this number. A transaction that only holds mail leaves
# them behind. Any other writes all that are behind, so that those beyond are few, and new.
COUNTED_UP_TO = (
    "SELECT max(value, coalesce((SELECT max(last_number) FROM usage), 0)) FROM counter"
    " WHERE name = 'last-number'"
)

# One row for all the domains that a transaction has touched, in one step. `->>` takes the n-th of
# each inner array.
KEEP_USAGES = """
    INSERT OR REPLACE INTO usage (domain_id, messages, octets, refused, last_number)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?)
"""

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
# A deferral leaves the time: retention counts from when a recipient was held again, not from the
# last attempt.
KEEP_REPLY = """
    INSERT INTO last_reply (domain_id, number, forward_path, is_refused, reply, at)
    VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
        is_refused = excluded.is_refused, reply = excluded.reply,
        at = iif(excluded.is_refused, excluded.at, at)
"""
# How often its final reply could not be read (rows.py names the bits).
KEEP_DOUBTS = "UPDATE message SET flags = (flags & ~96) | ? << 5 WHERE number = ?"
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
HOLD_AGAIN = f"""
    UPDATE message SET flags = flags & ~96, held_paths = ltrim(
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

# --- held mail whose time is over

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
    FROM message WHERE domain_id = ? AND held_paths <> '' ORDER BY number
"""
# Refused mail is little, and its index has no order of time. Uncertain mail (2) does not expire,
# damaged mail does; the bare `is_refused` in addition is there so that the index can be used.
REFUSED_BEFORE = """
    SELECT DISTINCT number FROM last_reply INDEXED BY last_reply_refused
    WHERE domain_id = ? AND is_refused AND is_refused <> 2 AND at < ? ORDER BY number LIMIT ?
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
_OF_SOME = "domain_id IN (SELECT value FROM json_each(?))"  # for a page of domains
COUNT_SET_APART = _COUNT_SET_APART.format(and_of_some="")
COUNT_SET_APART_OF = _COUNT_SET_APART.format(and_of_some=f" AND {_OF_SOME}")

# --- held mail, read

# A drain's next window. No LIMIT: the reader stops at its bound of messages and octets, and must be
# able to pass over damaged rows. In index order, so that nothing is sorted and stopping costs
# nothing.
HELD_MESSAGES = f"""
    SELECT {MESSAGE_COLUMNS} FROM message
    WHERE domain_id = ? AND number > ? AND held_paths <> '' ORDER BY number
"""

ONE_MESSAGE = f"SELECT {_NEW_MESSAGE_COLUMNS} FROM message WHERE number = ?"
REFUSED_PATHS = """
    SELECT forward_path FROM last_reply WHERE domain_id = ? AND number = ? AND is_refused
    ORDER BY forward_path
"""

# Per domain the first number held and the first refused, each the first entry of its index; never a
# scan of message. INDEXED BY, here and below, because without statistics the planner takes the
# primary key, full of mere deferrals.
_OLDEST_MESSAGES = """
    SELECT domain_id, received_at FROM (
        SELECT
            (
                SELECT min(number) FROM message
                WHERE message.domain_id = usage.domain_id AND held_paths <> ''
            ) AS held,
            (
                SELECT min(number) FROM last_reply INDEXED BY last_reply_refused
                WHERE last_reply.domain_id = usage.domain_id AND is_refused
            ) AS refused
        FROM ({domains}) AS usage
    ) AS first
    JOIN message
    ON message.number = coalesce(min(first.held, first.refused), first.held, first.refused)
"""
OLDEST_MESSAGES = _OLDEST_MESSAGES.format(
    domains=f"""
            SELECT domain_id FROM usage WHERE messages > 0
            UNION SELECT domain_id FROM message WHERE number > ({COUNTED_UP_TO})
        """
)
OLDEST_MESSAGES_OF = _OLDEST_MESSAGES.format(domains="SELECT value AS domain_id FROM json_each(?)")

FILES = "SELECT file, number FROM message WHERE file IS NOT NULL"  # for the sweep: message_file

# Listings. They differ only in where they start, so that each walks its own index in order and
# stops at its limit. The other conditions are the same for all. The replies come along as JSON: a
# row a message.
_LISTED = """
    SELECT message.number, message.domain_id, reverse_path, received_at, size, held_paths, (
        SELECT json_group_array(json_array(forward_path, is_refused, reply) ORDER BY forward_path)
        FROM last_reply
        WHERE last_reply.domain_id = message.domain_id AND last_reply.number = message.number
    ), coalesce(iif(
        message.number < (SELECT value FROM counter WHERE name = 'keyed-from'), message.message_id,
        (SELECT message_id FROM message_key WHERE message_key.number = message.number)
    ), '')
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

# --- the writer's knowledge in memory, read when it starts and after a rollback

DOMAIN_IDS = "SELECT id, account FROM domain"
USAGES = "SELECT domain_id, messages, octets, refused, last_number FROM usage"
UNCOUNTED = f"""
    SELECT domain_id, count(*), sum(size), max(number) FROM message WHERE number > ({COUNTED_UP_TO})
    GROUP BY domain_id
"""
DRAINS = """
    SELECT domain_id, number, is_open, requested_at, deadline, times, stop, release,
        requested_by
    FROM drain
"""

# --- reports

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
REPORT = """
    SELECT number, about, domain_id, action, reverse_path, flags, made_at, failures, reply, content
    FROM report WHERE number = ?
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
REPORT_CONTENT = "SELECT content FROM report WHERE number = ?"
# By number, each row looked at: reports that wait are few, and this is for people. length() reads
# no content.
LIST_REPORTS = """
    SELECT number, about, domain_id, action, reverse_path, made_at, next_attempt_at, failures,
        reply, length(content)
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

# --- notices

CHANNELS = (
    "SELECT id, account, name, way, target, sealed, kinds, created_at, hears_all FROM channel"
)
CHANNELS_BY_ID = f"{CHANNELS} WHERE id IN (SELECT value FROM json_each(?))"
ADD_CHANNEL = """
    INSERT INTO channel (account, name, way, target, sealed, kinds, created_at, hears_all)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
CHANGE_CHANNEL = """
    UPDATE channel SET
        account = ?, name = ?, way = ?, target = ?, sealed = ?, kinds = ?, created_at = ?,
        hears_all = ?
    WHERE id = ?
"""
ID_OF_CHANNEL = "SELECT id FROM channel WHERE account = ? AND name = ?"
HAS_CHANNEL = "SELECT 1 FROM channel WHERE id = ?"
REMOVE_CHANNEL = "DELETE FROM channel WHERE id = ?"
REMOVE_NOTICES_OF_CHANNEL = "DELETE FROM notice WHERE channel_id = ?"

NOTICE_COLUMNS = (
    "number, channel_id, key, news, held_back, made_at, next_attempt_at, failures, reply"
)
KEEP_NOTICE = """
    INSERT INTO notice (channel_id, key, news, held_back, made_at, next_attempt_at, failures, reply)
    VALUES (?, ?, ?, ?, ?, ?, 0, '')
"""
# The newest `limit` stay: the one just older than those is the newest that goes.
REMOVE_OLDEST_NOTICES = """
    DELETE FROM notice WHERE channel_id = :channel AND number <= (
        SELECT number FROM notice WHERE channel_id = :channel ORDER BY number DESC
        LIMIT 1 OFFSET :limit
    ) RETURNING number
"""
# A seek for each channel, however many notices wait for it: channels are few, and one that is away
# has many.
FIRST_NOTICES = f"""
    SELECT {NOTICE_COLUMNS} FROM notice
    WHERE number IN (
        SELECT (SELECT min(number) FROM notice WHERE channel_id = channel.id) FROM channel
    )
    ORDER BY next_attempt_at, number LIMIT ?
"""
LIST_NOTICES = (
    f"SELECT {NOTICE_COLUMNS} FROM notice WHERE number > :after ORDER BY number LIMIT :limit"
)
LIST_NOTICES_OF_CHANNELS = f"""
    SELECT {NOTICE_COLUMNS} FROM notice
    WHERE channel_id IN (SELECT value FROM json_each(:channel_ids)) AND number > :after
    ORDER BY number LIMIT :limit
"""
NOTICE_BACKLOG = """
    SELECT value, (SELECT made_at FROM notice WHERE number = (SELECT min(number) FROM notice))
    FROM counter WHERE name = 'notices'
"""
REMOVE_NOTICE = "DELETE FROM notice WHERE number = ?"
HASTEN_NOTICES = (
    "UPDATE notice SET next_attempt_at = :at WHERE channel_id = :channel AND next_attempt_at > :at"
)
HASTEN_ALL_NOTICES = "UPDATE notice SET next_attempt_at = ? WHERE next_attempt_at > ?"
PUT_NOTICE_OFF = (
    "UPDATE notice SET next_attempt_at = ?, failures = failures + 1, reply = ? WHERE number = ?"
)

QUIETS = (
    "SELECT account, kind, about, until, held_back, last FROM quiet ORDER BY account, kind, about"
)
KEEP_QUIET = (
    "INSERT OR REPLACE INTO quiet (account, kind, about, until, held_back, last)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
REMOVE_QUIET = "DELETE FROM quiet WHERE account = ? AND kind = ? AND about = ?"

# --- drains

KEEP_DRAIN = """
    INSERT OR REPLACE INTO drain (
        domain_id, number, requested_at, deadline, is_open, times, stop, release,
        requested_by
    )
    VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?)
"""
# The name of the one who asked is in the record of the past drain, where it can be erased.
CLOSE_DRAIN = """
    UPDATE drain SET is_open = 0, number = ?, requested_by = '', stop = '' WHERE domain_id = ?
"""
REMOVE_DRAIN = "DELETE FROM drain WHERE domain_id = ?"
REMOVE_PAST_DRAIN = "DELETE FROM past_drain WHERE domain_id = ?"
KEEP_PAST_DRAIN = "INSERT OR REPLACE INTO past_drain VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
PAST_DRAINS = """
SELECT domain_id, started_at, ended_at, requested_by, ending, reason, delivered, deferred, refused,
    last_words, uncertain, taker
FROM past_drain
"""
PAST_DRAINS_OF = f"{PAST_DRAINS} WHERE {_OF_SOME}"

# --- the operator's records: few, changed by hand, read whole at a start, and then by changes

MOVE_CHANGE_NUMBER = "UPDATE counter SET value = value + 1 WHERE name = 'change-number'"
CHANGE_NUMBER = "SELECT value FROM counter WHERE name = 'change-number'"
KEEP_CHANGE = (
    "INSERT INTO change (number, kind, key)"
    " SELECT value, ?, ? FROM counter WHERE name = 'change-number'"
)
DROP_OLD_CHANGES = (
    "DELETE FROM change"
    " WHERE number <= (SELECT value FROM counter WHERE name = 'change-number') - ?"
)
CHANGES_SINCE = "SELECT number, kind, key FROM change WHERE number > ? ORDER BY number"
KEEP_LAST_NUMBER = "UPDATE counter SET value = max(value, ?) WHERE name = 'last-number'"

ACCOUNTS = """
    SELECT name, created_at, empty_reply, note, quota, report_details, history, change_lock
    FROM account
"""
ACCOUNTS_NAMED = f"{ACCOUNTS} WHERE name IN (SELECT value FROM json_each(?))"
KEEP_ACCOUNT = """
    INSERT OR REPLACE INTO account (
        name, created_at, empty_reply, note, quota, report_details, history, change_lock
    )
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
HAS_ACCOUNT = "SELECT 1 FROM account WHERE name = ?"
ACCOUNT_IN_USE = """
    SELECT 1 WHERE EXISTS (SELECT 1 FROM login WHERE account = :name)
        OR EXISTS (SELECT 1 FROM domain WHERE account = :name)
        OR EXISTS (SELECT 1 FROM channel WHERE account = :name)
"""
REMOVE_ACCOUNT = "DELETE FROM account WHERE name = ?"

LOGINS = (
    "SELECT user, account, password_hash, sealed_secret, created_at, sealed_verifier, valid_until,"
    " prior_hash, prior_secret, prior_verifier, prior_until FROM login"
)
LOGINS_NAMED = f"{LOGINS} WHERE user IN (SELECT value FROM json_each(?))"
KEEP_LOGIN = """
    INSERT OR REPLACE INTO login (user, account, password_hash, sealed_secret, created_at,
        sealed_verifier, valid_until, prior_hash, prior_secret, prior_verifier, prior_until)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
ACCOUNT_OF_LOGIN = "SELECT account FROM login WHERE user = ?"
IS_IN_ROTATION = "SELECT 1 FROM login WHERE user = :user AND prior_until = :until"
END_ROTATION = """
    UPDATE login
    SET prior_hash = NULL, prior_secret = NULL, prior_verifier = NULL, prior_until = NULL
    WHERE user = :user
"""
REMOVE_LOGIN = "DELETE FROM login WHERE user = ?"
LOGIN_USES = "SELECT user, at, address, mechanism FROM login_use"
KEEP_LOGIN_USE = """
    INSERT INTO login_use (user, at, address, mechanism)
    SELECT :user, :at, :address, :mechanism WHERE EXISTS (SELECT 1 FROM login WHERE user = :user)
    ON CONFLICT (user) DO UPDATE
    SET at = excluded.at, address = excluded.address, mechanism = excluded.mechanism
    WHERE excluded.at >= at
"""
REMOVE_LOGIN_USE = "DELETE FROM login_use WHERE user = ?"

DOMAINS = "SELECT id, name, account, destination, authorized_hosts, created_at, policy FROM domain"
DOMAINS_BY_ID = f"{DOMAINS} WHERE id IN (SELECT value FROM json_each(?))"
ADD_DOMAIN = """
    INSERT INTO domain (name, account, destination, authorized_hosts, created_at, policy)
    VALUES (?, ?, ?, ?, ?, ?)
"""
CHANGE_DOMAIN = """
    UPDATE domain SET name = ?, account = ?, destination = ?, authorized_hosts = ?, created_at = ?,
        policy = ?
    WHERE id = ?
"""
ID_OF_DOMAIN = "SELECT id FROM domain WHERE name = ?"
REMOVE_DOMAIN = "DELETE FROM domain WHERE id = ?"
REMOVE_USAGE = "DELETE FROM usage WHERE domain_id = ?"

RECIPIENTS = """
    SELECT name, source, is_there, at FROM recipient
    WHERE domain_id = ? AND (source, name) > (?, ?) ORDER BY source, name LIMIT ?
"""
KEEP_RECIPIENTS = """
    INSERT OR REPLACE INTO recipient (domain_id, name, source, is_there, at)
    SELECT :domain_id, value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(:entries)
"""
REMOVE_FROM_LIST = """
    DELETE FROM recipient
    WHERE domain_id = ? AND source = 'list' AND name IN (SELECT value FROM json_each(?))
"""
REMOVE_RECIPIENTS = "DELETE FROM recipient WHERE domain_id = ?"

# --- the audit trail: no statement here changes or removes an entry

RECORD = """
    INSERT INTO audit (at, action, actor, subject, account, origin, answer, reason, domain, changes)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_NEWEST_ENTRIES = """
    SELECT id, at, action, actor, subject, account, origin, answer, reason, domain, changes
    FROM audit
    WHERE {place} AND id BETWEEN :first AND :last
        AND (:action IS NULL OR action = :action)
        AND (:actor IS NULL OR actor = :actor
            OR substr(actor, instr(actor, ' ') + 1) = :actor
            OR substr(actor, 1, instr(actor, ' ') - 1) = :actor)
        AND (:since IS NULL OR at >= :since) AND (:until IS NULL OR at < :until)
        AND (:domains IS NULL OR domain IN (SELECT value FROM json_each(:domains)))
        AND (:names IS NULL OR instr(' ' || subject || ' ', ' ' || :names || ' '))
    ORDER BY id DESC LIMIT :limit
"""


def newest_entries(*, by_account: bool, by_domain: bool) -> str:
    """Return the statement for a filter: by its domain's index, its account's, or from the end.

    The engine sees no index behind `:name IS NULL OR`, so these two are spelled out.
    """
    account = "account = :account" if by_account else ":account IS NULL"
    domain = "domain = :domain" if by_domain else ":domain IS NULL"
    if by_domain:
        account = f"+{account}" if by_account else account  # so many entries of a domain are fewer
    return _NEWEST_ENTRIES.format(place=f"{domain} AND {account}")


# The growth of the trail since the last look; the first look walks all of it.
AUDIT_BOUNDS = "SELECT (SELECT min(id) FROM audit), (SELECT max(id) FROM audit)"
NEWEST_ENTRY = "SELECT coalesce(max(id), 0) FROM audit"
GRANTED_REQUESTS = """
    SELECT lower(subject) AS target, account, max(at) FROM audit
    WHERE id > ? AND id <= ? AND action = 'release-requested' AND answer >= '2' AND answer < '3'
    GROUP BY target, account
"""
