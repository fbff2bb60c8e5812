"""The person port of the store on SQLite."""

# ruff: noqa: S608  what is joined here are constants; every value is bound

from collections.abc import Sequence
from functools import partial
from typing import Final

import apsw

from restante.store.person_store import MARK, PersonalRow, PersonalRows, PersonPlace
from restante.store.sqlite import audit_queries
from restante.store.sqlite.engine import fetch
from restante.store.sqlite.record_changes import note_change
from restante.store.sqlite.store_core import StoreCore
from restante.store.sqlite.write_transaction import WriteTransaction
from restante.store.stored_form.naming_tables import NAMING_TABLES, NamingTable, personal_rows
from restante.store.stored_form.rows import audit_row
from restante.tenancy.audit import AuditEntry
from restante.tenancy.numbered_change import RecordKind
from restante.tenancy.person import Person

_LINES: Final = """
    concat_ws(char(10), nullif(held_paths, ''), (
        SELECT group_concat(forward_path, char(10)) FROM last_reply
        WHERE last_reply.domain_id = message.domain_id AND last_reply.number = message.number
            AND is_refused
    ))
"""
_RECIPIENTS: Final = """
    SELECT domain_id, source, recipient.name, is_there, at FROM recipient
    JOIN domain ON domain.id = recipient.domain_id
    WHERE domain.name = ? AND source = ? AND recipient.name >= ? AND recipient.name < ?
    ORDER BY recipient.name
"""
_SOURCES: Final = (
    "SELECT DISTINCT source FROM recipient JOIN domain ON domain.id = domain_id"
    " WHERE domain.name = ?"
)
_REMOVE_RECIPIENT: Final = "DELETE FROM recipient WHERE domain_id = ? AND source = ? AND name = ?"
_ERASURE: Final = "SELECT number FROM erasure WHERE person = ?"
_BEGIN: Final = "INSERT INTO erasure (person) VALUES (?)"
_END: Final = "UPDATE erasure SET person = '' WHERE number = ?"


class SqlitePersons:
    """A `PersonStore`."""

    def __init__(self, core: StoreCore) -> None:
        self._core = core

    async def find_person(
        self, place: PersonPlace, person: Person, after: int, limit: int
    ) -> PersonalRows:
        """Look at the next rows of a place."""
        if place is PersonPlace.RECIPIENTS:
            return await self._core.read(partial(_recipients, person=person))
        question = partial(_slice, place=place, person=person, after=after, limit=limit)
        return await self._core.read(question)

    async def erase_person(
        self, place: PersonPlace, person: Person, mark: str, keys: Sequence[int]
    ) -> int:
        """Put the mark in place of the address in these rows."""
        if place is PersonPlace.RECIPIENTS:
            change = partial(_remove_recipients, person=person)
        else:
            change = partial(
                _erase, table=NAMING_TABLES[place], person=person, mark=mark, keys=keys
            )
        changed: int = await self._core.write(change)
        return changed

    async def begin_erasure(self, person: str) -> str:
        """Return the mark for an address."""
        mark: str = await self._core.write(partial(_begin, person=person))
        return mark

    async def end_erasure(self, mark: str, audit: AuditEntry) -> None:
        """Forget the address that a mark stands for."""
        await self._core.write(partial(_end, mark=mark, audit=audit))


def _slice(
    connection: apsw.Connection, place: PersonPlace, person: Person, after: int, limit: int
) -> PersonalRows:
    table = NAMING_TABLES[place]
    query = (
        f"SELECT {table.key}, {', '.join(table.columns(_LINES))} FROM {table.name}"
        f" WHERE {table.key} > ? ORDER BY {table.key} LIMIT ?"
    )
    return personal_rows(place, person, fetch(connection, query, (after, limit)), limit)


def _erase(
    transaction: WriteTransaction,
    table: NamingTable,
    person: Person,
    mark: str,
    keys: Sequence[int],
) -> int:
    """Change rows as they are now: they may have changed since they were found."""
    columns = table.naming
    select = f"SELECT {', '.join(columns)} FROM {table.name} WHERE {table.key} = ?"
    settings = ", ".join(f"{column} = ?" for column in columns)
    update = f"UPDATE {table.name} SET {settings} WHERE {table.key} = ?"
    changed = 0
    for key in keys:
        for row in transaction.execute(select, (key,)):
            if table.names(person, row):
                transaction.execute(update, (*table.without(person, mark, row), key))
                changed += 1
    return changed


def _recipients(connection: apsw.Connection, person: Person) -> PersonalRows:
    found = []
    # All names that begin with the local part: its own, and those with tags.
    span = (person.local_part, person.local_part + "\U0010ffff")
    for (source,) in fetch(connection, _SOURCES, (person.domain,)):
        for domain_id, _, name, is_there, at in fetch(
            connection, _RECIPIENTS, (person.domain, source, *span)
        ):
            if person.is_local_part(name):
                facts = {"domain_id": domain_id, "source": source, "name": name}
                found.append(PersonalRow(0, {**facts, "is_there": is_there, "at": at}))
    return PersonalRows(found, len(found), None)


def _remove_recipients(transaction: WriteTransaction, person: Person) -> int:
    transaction.execute("SELECT 1")  # begins the transaction
    rows = _recipients(transaction.connection, person).rows
    for row in rows:
        values = (row.facts["domain_id"], row.facts["source"], row.facts["name"])
        transaction.execute(_REMOVE_RECIPIENT, values)
    if rows:
        note_change(transaction, RecordKind.RECIPIENTS, str(rows[0].facts["domain_id"]), None)
    return len(rows)


def _begin(transaction: WriteTransaction, person: str) -> str:
    for (number,) in transaction.execute(_ERASURE, (person,)):
        return f"{MARK}{number}"
    transaction.execute(_BEGIN, (person,))
    return f"{MARK}{transaction.connection.last_insert_rowid()}"


def _end(transaction: WriteTransaction, mark: str, audit: AuditEntry) -> None:
    transaction.execute(_END, (int(mark.removeprefix(MARK)),))
    transaction.execute(audit_queries.RECORD, audit_row(audit))
