"""The operator's records as they are read: all of them, or those that were changed."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from restante.store.postgres import record_statements
from restante.store.postgres.database_session import DatabaseSession, PostgresRow
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.stored_form.notice_rows import channel
from restante.store.stored_form.portal_user_rows import portal_user
from restante.store.stored_form.record_rows import account, hosted_domain, login_of
from restante.store.stored_form.row_type import Row
from restante.store.stored_form.token_rows import api_token
from restante.tenancy.model import Directory
from restante.tenancy.numbered_change import NumberedChange, RecordKind

DirectoryRows: TypeAlias = tuple[int, list[list[PostgresRow]]]  # with the number of the last change


async def directory_rows(session: DatabaseSession) -> DirectoryRows:
    """Read all of the operator's records; the session is in a snapshot."""
    with session.patient():
        [(change_number,)] = await session.fetch(record_statements.CHANGE_NUMBER)
        return change_number, [await session.fetch(statement) for statement, _, _ in _ALL]


def directory_of(found: DirectoryRows) -> Directory:
    """Make the records of their rows.

    Of very many, this takes so long that the database would end a transaction meanwhile.
    """
    change_number, tables = found
    read = [
        {key(one): one for one in map(make, map(tuple, rows))}
        for rows, (_, make, key) in zip(tables, _ALL, strict=True)
    ]
    directory = Directory(change_number, *read)
    directory.make_indexes()  # here, and not at the first question
    return directory


async def changes_since(session: DatabaseSession, number: int) -> list[NumberedChange] | None:
    """Read the changes after a number, of each record the last; the session is in a snapshot.

    None if not all of them are kept.
    """
    [(newest,)] = await session.fetch(record_statements.CHANGE_NUMBER)
    changes = await session.fetch(record_statements.CHANGES_SINCE, number)
    if len(changes) != newest - number:
        return None
    last = {(RecordKind(kind), key): at for at, kind, key in changes}
    records: dict[tuple[RecordKind, str], Any] = {}
    for kind, (statement, has_number, make) in _READING.items():
        keys: list[Any] = [key for of, key in last if of is kind]
        if keys:
            given = [int(key) for key in keys] if has_number else keys
            for row in await session.fetch(statement, given):
                records[kind, str(row[0])] = make(tuple(row))
    found = [NumberedChange(at, *what, records.get(what)) for what, at in last.items()]
    return sorted(found, key=lambda change: change.number)


async def locked_record(transaction: PostgresTransaction, kind: RecordKind, key: str) -> object:
    """Read one record as it is until the commit; None if it is not there."""
    statement, has_number, make = _READING[kind]
    rows = await transaction.fetch(f"{statement} FOR UPDATE", [int(key) if has_number else key])
    return make(tuple(rows[0])) if rows else None


_ALL: Final[tuple[tuple[str, Callable[[Row], Any], Callable[[Any], Any]], ...]] = (
    (record_statements.ACCOUNTS, account, lambda one: one.name),
    (record_statements.LOGINS, login_of, lambda one: one.user),
    (record_statements.DOMAINS, hosted_domain, lambda one: one.name),
    (record_statements.CHANNELS, channel, lambda one: one.id),
    (record_statements.TOKENS, api_token, lambda one: one.id),
    (record_statements.USERS, portal_user, lambda one: one.email),
)
_READING: Final[Mapping[RecordKind, tuple[str, bool, Callable[[Row], Any]]]] = {
    RecordKind.ACCOUNT: (record_statements.ACCOUNTS_NAMED, False, account),
    RecordKind.LOGIN: (record_statements.LOGINS_NAMED, False, login_of),
    RecordKind.DOMAIN: (record_statements.DOMAINS_BY_ID, True, hosted_domain),
    RecordKind.CHANNEL: (record_statements.CHANNELS_BY_ID, True, channel),
    RecordKind.TOKEN: (record_statements.TOKENS_BY_ID, False, api_token),
    RecordKind.PORTAL_USER: (record_statements.USERS_BY_EMAIL, False, portal_user),
}
"""How the records of each kind are read by their keys, and whether these are numbers."""
