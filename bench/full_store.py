"""A very full store, made by SQL from a few records that were added as usual: see `fill`."""

import json
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

import apsw

ENTRIES: Final = 1_000_000  # of the audit trail, and of the history
REPORTS: Final = 100_000
NOTICES: Final = 100_000
MAILBOXES: Final = 100_000  # on the list of LISTED
LARGEST_SHARE: Final = 2  # one account has every second domain
DOMAINS_OF_ACCOUNT: Final = 10  # of each of the others
REFUSED: Final = 50  # every so many messages are refused

FIRST: Final = "first.example"
LISTED: Final = "listed.example"
NEXT: Final = 1800.0  # seconds until the next attempt on anything
FACTS: Final = json.dumps(
    {
        "kind": "primary-away",
        "account": "account2",
        "about": "x",
        "text": "the primary is away",
        "at": 1.0,
        "details": {},
    }
)
COUNTED: Final = (
    "WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted LIMIT ?)"
)


def database_in(directory: Path) -> Path:
    """Return the one SQLite database under a directory."""
    [found] = [
        path for path in directory.rglob("*") if path.is_file() and _begins_as_database(path)
    ]
    return found


def _begins_as_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(15) == b"SQLite format 3"


def fill(database: Path, domains: int, messages: int) -> None:
    """Add domains d1.example, d2.example, … and messages, spread over them.

    The store already holds the domains FIRST and LISTED and one message. The others are copies of
    FIRST and that message. The constants above say what more is added. Each account (account1,
    account2, …) gets a login and a channel. Each domain gets a granted request and a past drain.
    """
    with closing(apsw.Connection(str(database))) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        with connection:
            _add_accounts(connection, domains)
            _add_mail(connection, domains, messages)
            _add_mailboxes(connection)
            _add_what_waits(connection)
            _add_past(connection, domains)


def _add_accounts(connection: apsw.Connection, domains: int) -> None:
    accounts = 1 + domains // DOMAINS_OF_ACCOUNT
    _copy(connection, "account", {"name": "'account' || n"}, accounts)
    _copy(connection, "login", {"user": "'user' || n", "account": "'account' || n"}, accounts)
    connection.execute(
        f"{COUNTED} INSERT INTO channel"
        " (account, name, transport, target, kinds, created_at, all_accounts)"
        " SELECT 'account' || n, 'pager', 'webhook', 'https://pager.example', '', 1.0, 0"
        " FROM counted",
        (accounts,),
    )
    owner = f"'account' || iif(n % {LARGEST_SHARE}, 2 + n % {accounts - 1}, 1)"
    _copy(
        connection,
        "domain",
        {"id": "NULL", "name": "'d' || n || '.example'", "account": owner},
        domains,
    )


def _add_mail(connection: apsw.Connection, domains: int, messages: int) -> None:
    [(least,)] = connection.execute("SELECT min(id) FROM domain WHERE name LIKE 'd%.example'")
    place = {"number": "number + n", "domain_id": f"{least} + n % {domains}"}
    _copy(connection, "message", place, messages)
    connection.execute(
        "INSERT INTO last_reply (domain_id, number, forward_path, is_refused, reply)"
        " SELECT domain_id, number, held_paths, 1, '550 5.1.1 no such user'"
        f" FROM message WHERE number % {REFUSED} = 0"
    )
    connection.execute(f"UPDATE message SET held_paths = '' WHERE number % {REFUSED} = 0")
    connection.execute(
        "INSERT OR REPLACE INTO usage (domain_id, messages, octets, refused, last_number)"
        " SELECT domain_id, count(*), sum(size), sum(held_paths = ''), max(number) FROM message"
        " GROUP BY domain_id"
    )


def _add_mailboxes(connection: apsw.Connection) -> None:
    connection.execute(
        f"{COUNTED} INSERT INTO recipient (domain_id, source, name, is_there, at)"
        " SELECT (SELECT id FROM domain WHERE name = ?), 'list', 'reader' || n, 1, 0.0"
        " FROM counted",
        (MAILBOXES, LISTED),
    )


def _add_what_waits(connection: apsw.Connection) -> None:
    connection.execute(
        f"{COUNTED} INSERT INTO report"
        " (about, domain_id, action, reverse_path, flags, made_at, next_attempt_at, failures,"
        " reply, content)"
        " SELECT n, (SELECT max(id) FROM domain), 'failed', 'sender' || n || '@sender.example',"
        " 0, 1.0, ?, 3, 'no answer', CAST('Subject: x' AS BLOB) FROM counted",
        (REPORTS, time.time() + NEXT),
    )
    connection.execute(
        f"{COUNTED} INSERT INTO notice"
        " (channel_id, key, facts, held_back, made_at, next_attempt_at, failures, reply)"
        " SELECT (SELECT min(id) FROM channel) + n % (SELECT count(*) FROM channel),"
        " 'key' || n, ?, 0, 1.0, ?, 3, 'no answer' FROM counted",
        (NOTICES, FACTS, time.time() + NEXT),
    )


def _add_past(connection: apsw.Connection, domains: int) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO past_drain (domain_id, started_at, ended_at, requested_by, ending,"
        " reason, delivered, deferred, refused, last_error)"
        " SELECT id, 1.0, 2.0, 'login x', 'finished', 'nothing is left', 3, 0, 0, '' FROM domain"
    )
    connection.execute(
        f"{COUNTED} INSERT INTO history (at, outcome, domain_id, number, received_at, octets,"
        " drain, reverse_path, forward_path, client, message_id, reply)"
        f" SELECT n, 1, 1 + n % {domains}, n, n, 4096, 1, 'sender' || n || '@sender.example',"
        " 'reader' || n || '@d1.example', '192.0.2.1', '<' || n || '@sender.example>',"
        " '250 2.0.0 Ok: queued as ' || n FROM counted",
        (ENTRIES,),
    )
    connection.execute(
        "INSERT INTO history_hour SELECT min(id), CAST(at / 3600 AS INTEGER) FROM history"
        " GROUP BY CAST(at / 3600 AS INTEGER)"
    )
    request = {
        "id": "NULL",
        "action": "'release-requested'",
        "subject": "'d' || n || '.example'",
        "account": "(SELECT account FROM domain WHERE name = 'd' || n || '.example')",
        "answer": "'253 2.0.0 OK, 3 pending messages started'",
        "domain": "'d' || n || '.example'",
        "changes": "''",
    }
    _copy(connection, "audit", request, domains)
    _copy(connection, "audit", {"id": "NULL"}, max(0, ENTRIES - domains))


def _copy(connection: apsw.Connection, table: str, changed: Mapping[str, str], count: int) -> None:
    """Copy a table's first row so often; `changed` are expressions over n, from 1 to the count."""
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(changed.get(column, column) for column in columns)
    connection.execute(
        f"{COUNTED} INSERT INTO {table} ({', '.join(columns)})"
        f" SELECT {values} FROM (SELECT * FROM {table} LIMIT 1), counted",
        (count,),
    )
