"""The statements of a transaction itself, and of the writer's knowledge in memory.

The knowledge is read when the writer starts, and after a rollback.
"""

# ruff: noqa: S608  what is joined here are constants; every value is bound

BEGIN = "BEGIN IMMEDIATE"  # the write lock now or not at all: no upgrade can fail half way
COMMIT = "COMMIT"
ROLLBACK = "ROLLBACK"

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
DOMAIN_IDS = "SELECT id, account FROM domain"
USAGES = "SELECT domain_id, messages, octets, refused, last_number FROM usage"
UNCOUNTED = f"""
    SELECT domain_id, count(*), sum(size), max(number) FROM message WHERE number > ({COUNTED_UP_TO})
    GROUP BY domain_id
"""
