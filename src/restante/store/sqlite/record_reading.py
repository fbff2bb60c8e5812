"""The operator's records as they are read: all of them, or those that were changed.

Each function runs on a reading thread.
"""

import json
from collections.abc import Callable, Mapping
from typing import Final

import apsw

from restante.store.sqlite import notice_queries, portal_user_queries, record_queries, token_queries
from restante.store.sqlite.engine import fetch
from restante.store.stored_form.notice_rows import channel
from restante.store.stored_form.portal_user_rows import portal_user
from restante.store.stored_form.record_rows import account, hosted_domain, login_of
from restante.store.stored_form.row_type import Row
from restante.store.stored_form.token_rows import api_token
from restante.tenancy.model import Directory, LoginUse
from restante.tenancy.numbered_change import DirectoryRecord, NumberedChange, RecordKind


def directory(connection: apsw.Connection) -> Directory:
    """Read all of the operator's records, as at one moment."""
    with connection:
        [(change_number,)] = fetch(connection, record_queries.CHANGE_NUMBER)
        accounts = [account(row) for row in fetch(connection, record_queries.ACCOUNTS)]
        logins = [login_of(row) for row in fetch(connection, record_queries.LOGINS)]
        domains = [hosted_domain(row) for row in fetch(connection, record_queries.DOMAINS)]
        channels = [channel(row) for row in fetch(connection, notice_queries.CHANNELS)]
        tokens = [api_token(row) for row in fetch(connection, token_queries.ALL)]
        users = [portal_user(row) for row in fetch(connection, portal_user_queries.ALL)]
    found = Directory(
        change_number,
        {one.name: one for one in accounts},
        {login.user: login for login in logins},
        {domain.name: domain for domain in domains},
        {one.id: one for one in channels},
        {one.id: one for one in tokens},
        {user.email: user for user in users},
    )
    found.make_indexes()  # here, and not at the first question on the event loop
    return found


def changes_since(connection: apsw.Connection, number: int) -> list[NumberedChange] | None:
    """Read the changes after a number, of each record the last, as at one moment.

    None if not all of them are kept.
    """
    if fetch(connection, record_queries.CHANGE_NUMBER) == [(number,)]:
        return []  # nearly always: no transaction for that
    with connection:
        [(newest,)] = fetch(connection, record_queries.CHANGE_NUMBER)
        changes = fetch(connection, record_queries.CHANGES_SINCE, (number,))
        if len(changes) != newest - number:
            return None
        last = {(RecordKind(kind), key): at for at, kind, key in changes}
        records = {
            (kind, key): record
            for kind, (query, read) in _READING.items()
            if (keys := [key for of, key in last if of is kind])
            for key, record in _named(connection, query, keys, read).items()
        }
    found = [NumberedChange(at, *what, records.get(what)) for what, at in last.items()]
    return sorted(found, key=lambda change: change.number)


def record_of(connection: apsw.Connection, kind: RecordKind, key: str) -> DirectoryRecord | None:
    """Read one record; None if it is not there."""
    query, read = _READING[kind]
    return _named(connection, query, [key], read).get(key)


def login_uses(connection: apsw.Connection) -> dict[str, LoginUse]:
    """Read when and how each login was last authenticated."""
    return {user: LoginUse(*rest) for user, *rest in fetch(connection, record_queries.LOGIN_USES)}


def token_uses(connection: apsw.Connection) -> dict[str, float]:
    """Read the time of the last use of each token that was used."""
    return dict(fetch(connection, token_queries.USES))


def _named(
    connection: apsw.Connection,
    query: str,
    keys: list[str],
    read: Callable[[Row], tuple[str, DirectoryRecord]],
) -> Mapping[str, DirectoryRecord]:
    return dict(read(row) for row in fetch(connection, query, (json.dumps(keys),)))


_READING: Final[Mapping[RecordKind, tuple[str, Callable[[Row], tuple[str, DirectoryRecord]]]]] = {
    RecordKind.ACCOUNT: (record_queries.ACCOUNTS_NAMED, lambda row: (row[0], account(row))),
    RecordKind.LOGIN: (record_queries.LOGINS_NAMED, lambda row: (row[0], login_of(row))),
    RecordKind.DOMAIN: (
        record_queries.DOMAINS_BY_ID,
        lambda row: (str(row[0]), hosted_domain(row)),
    ),
    RecordKind.CHANNEL: (notice_queries.CHANNELS_BY_ID, lambda row: (str(row[0]), channel(row))),
    RecordKind.TOKEN: (token_queries.BY_ID, lambda row: (row[0], api_token(row))),
    RecordKind.PORTAL_USER: (
        portal_user_queries.BY_EMAIL,
        lambda row: (row[0], portal_user(row)),
    ),
}
"""How the records of each kind are read by their keys. Lists of recipients are read by pages."""
