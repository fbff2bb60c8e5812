"""A database with very much mail, made by SQL from records that were added as usual: see `fill`."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final, TypeAlias

import asyncpg

from restante.store.postgres import open_postgres
from restante.tenancy.policy import DAY
from tests.contract import making
from tests.postgres_cluster import ALONE

FIRST: Final = "first.example"
SPAN: Final = 7 * DAY  # in which all mail was received
NODES: Final = 4  # that have taken it
LARGEST_EVERY: Final = 100  # one domain has every so many messages
REFUSED_EVERY: Final = 50  # messages
UNCERTAIN_EVERY: Final = 1_000  # messages; they are among the refused
DOMAINS_OF_ACCOUNT: Final = 10
LARGEST_SHARE: Final = 2  # one account has every second domain
ENTRIES: Final = 1_000_000  # of the audit trail, and of the history, at most
WRITERS: Final = 2  # at once
SLICE: Final = 1_000_000  # messages of one transaction
TABLES: Final = (
    "account", "audit", "domain", "drain", "history", "last_reply", "login", "message",
    "past_drain", "release", "release_drain", "usage",
)  # fmt: skip
_Job: TypeAlias = list[tuple[Any, ...]]  # statements with their values, one after the other

# $1 is the number of accounts.
_ACCOUNTS: Final = """
    INSERT INTO account SELECT 'account' || n, created_at, empty_reply, note, quota,
        report_details, history, change_lock
    FROM account, generate_series(1, $1::integer) AS n WHERE name = 'alpha'
"""
_LOGINS: Final = """
    INSERT INTO login SELECT 'user' || n, 'account' || n, password_hash, sealed_secret, created_at
    FROM login, generate_series(1, $1::integer) AS n WHERE "user" = 'alice'
"""
# $1 is the number of domains, $2 that of accounts.
_DOMAINS: Final = f"""
    INSERT INTO domain (name, account, destination, authorized_hosts, created_at, policy)
    SELECT 'd' || n || '.example',
        'account' || CASE WHEN n % {LARGEST_SHARE} = 0 THEN 1 ELSE 1 + n % $2::integer END,
        destination, authorized_hosts, created_at, policy
    FROM domain, generate_series(1, $1::integer) AS n WHERE name = '{FIRST}'
"""
# $1 and $2 are the first and the last, $3 the number of all, $4 that of domains. $5 is the id
# before their first, $6 the time of the first message. There is no index now, but the first row is
# found at once.
_MESSAGES: Final = f"""
    INSERT INTO message
    SELECT (($6::float8 + age) * 1000000)::bigint << 8 | 1 + (n / $4::bigint) % {NODES},
        $5::integer + 1
            + CASE WHEN n % {LARGEST_EVERY} = 0 THEN 0 ELSE n % $4 END::integer,
        $6 + age, size, flags, reverse_path,
        CASE WHEN n % {REFUSED_EVERY} = 1 THEN '' ELSE held_paths END, content_id,
        file_crc32, head_crc32, dsn, head, '<' || n || '@sender.example>', origin
    FROM (
        SELECT n, n * ({SPAN}::float8 / $3::bigint) AS age
        FROM generate_series($1::bigint, $2::bigint) AS n
    ) AS counted,
    (SELECT * FROM message WHERE number = 1 LIMIT 1) AS first
"""
_REPLIES: Final = f"""
    INSERT INTO last_reply
    SELECT domain_id, number, 'anna@alpha.example',
        1 + (row_number() OVER () % ({UNCERTAIN_EVERY} / {REFUSED_EVERY}) = 0)::integer,
        '550 5.1.1 no such user', received_at
    FROM message WHERE held_paths = ''
"""
_USAGE: Final = """
    INSERT INTO usage
    SELECT domain_id, number & 255, count(*), sum(size), count(*) FILTER (WHERE held_paths = '')
    FROM message GROUP BY 1, 2
"""
_PAST_DRAINS: Final = """
    INSERT INTO past_drain SELECT id, 1.0, 2.0, 'login x', 'finished', 'nothing is left', 3, 0, 0,
        '', 0, '' FROM domain ON CONFLICT DO NOTHING
"""
# $1 is the number of entries.
_HISTORY: Final = """
    INSERT INTO history (at, outcome, domain_id, number, received_at, octets, drain, release,
        reverse_path, forward_path, client, message_id, reply)
    SELECT n, 1, first + n % domains, n, n, 4096, 1, 0, 'sender' || n || '@sender.example',
        'reader' || n || '@d1.example', '192.0.2.1', '<' || n || '@sender.example>',
        '250 2.0.0 Ok: queued as ' || n
    FROM generate_series(1, $1::bigint) AS n,
        (SELECT min(id) AS first, count(*) AS domains FROM domain) AS hosted
"""
_AUDIT: Final = """
    INSERT INTO audit (at, action, actor, subject, account, acted_from, answer, reason, domain,
        changes, result)
    SELECT n, 'release-requested', 'user1', 'd' || n || '.example', 'account1', '192.0.2.1',
        '253 2.0.0 OK, 3 pending messages started', '', 'd' || n || '.example', '', ''
    FROM generate_series(1, $1::bigint) AS n
"""
_INDEXES: Final = """
    SELECT tablename, indexname, indexdef FROM pg_indexes
    WHERE tablename IN ('message', 'last_reply', 'history', 'audit') AND NOT EXISTS (
        SELECT 1 FROM pg_constraint WHERE conname = indexname
    )
    ORDER BY indexname DESC
"""
_KEY: Final = (
    "ALTER TABLE message DROP CONSTRAINT message_pkey",
    "ALTER TABLE message ALTER COLUMN number SET NOT NULL",
    "CREATE UNIQUE INDEX message_pkey ON message (number)",
    "ALTER TABLE message ADD CONSTRAINT message_pkey PRIMARY KEY USING INDEX message_pkey",
)


async def prepare(url: str) -> None:
    """Add the first account, login, domain and message with the program's own store."""
    store = await open_postgres(url, ALONE)
    try:
        domain_id = await making.hosted(store, FIRST)
        await store.records.put_login(replace(making.login(), sealed_secret=None), making.NOTED)
        head = making.CONTENT
        await store.reception.hold(
            [making.message(1, domain_id, received_at=time.time() - SPAN, head=head)]
        )
    finally:
        await store.close()


async def fill(url: str, messages: int, domains: int) -> AsyncIterator[str]:
    """Add domains d1.example, d2.example, … and messages, spread over them; yield what was done.

    They are copies of the first ones. One domain and one account have a large share. Indexes are
    made at the end, as this is faster. So they are denser than those that grow with the mail.
    """
    accounts = 1 + domains // DOMAINS_OF_ACCOUNT
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_ACCOUNTS, accounts)
        await connection.execute(_LOGINS, accounts)
        await connection.execute(_DOMAINS, domains, accounts)
        [(first,)] = await connection.fetch("SELECT id FROM domain WHERE name = 'd1.example'")
        indexes = await _dropped_indexes(connection)
        begin = time.time() - SPAN
        slices = [
            (start, min(messages, start + SLICE - 1)) for start in range(1, messages + 1, SLICE)
        ]
        given = (messages, domains, first - 1, begin)
        async for done in _together(url, [[(_MESSAGES, *one, *given)] for one in slices]):
            yield f"{done} of {len(slices)} slices of messages"
        jobs = _jobs_after_messages(indexes, min(ENTRIES, messages))
        async for done in _together(url, jobs):
            yield f"{done} of {len(jobs)} indexes and other tables"
        await connection.execute(_KEY[-1])
        for table in TABLES:
            await connection.execute(f"VACUUM (ANALYZE) {table}")
        await connection.execute("CHECKPOINT")
        yield "analyzed"
    finally:
        await connection.close()


async def _dropped_indexes(connection: asyncpg.Connection) -> list[tuple[str, str]]:
    """Drop the indexes of large tables; return the table and the statement of each."""
    found = await connection.fetch(_INDEXES)
    for _, name, _ in found:
        await connection.execute(f"DROP INDEX {name}")
    for statement in _KEY[:2]:
        await connection.execute(statement)
    return [(table, definition) for table, _, definition in found]


def _jobs_after_messages(indexes: Sequence[tuple[str, str]], entries: int) -> list[_Job]:
    """Return what is made of the messages, the longest first."""
    of_table: dict[str, _Job] = defaultdict(list)
    for table, definition in indexes:
        of_table[table].append((definition,))
    jobs: list[_Job] = [[one] for one in of_table["message"]]
    return [
        *([(_KEY[2],)], *jobs),
        [(_REPLIES,), *of_table["last_reply"]],
        [("DELETE FROM usage",), (_USAGE,)],
        [(_HISTORY, entries), *of_table["history"]],
        [(_AUDIT, entries), *of_table["audit"]],
        [(_PAST_DRAINS,)],
    ]


async def _together(url: str, jobs: Sequence[_Job]) -> AsyncIterator[int]:
    """Do some jobs at once, until all are done; yield the number of those that are."""
    waiting = iter(jobs)
    running: set[asyncio.Task[None]] = set()
    done = 0
    while True:
        running |= {
            asyncio.create_task(_execute(url, job))
            for job in islice(waiting, WRITERS - len(running))
        }
        if not running:
            return
        ended, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for one in ended:
            one.result()
            done += 1
        yield done


async def _execute(url: str, job: _Job) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement, *values in job:
            await connection.execute(statement, *values)
    finally:
        await connection.close()
