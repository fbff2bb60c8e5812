"""The data of one person in the store on PostgreSQL."""

# ruff: noqa: S608  what is joined here are constants; every value is bound

from collections.abc import Sequence
from functools import partial
from typing import Final

from restante.store.person_store import MARK, PersonalRow, PersonalRows, PersonPlace
from restante.store.postgres.audit_writing import record
from restante.store.postgres.database_session import DatabaseSession
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.postgres.record_writing import note_change
from restante.store.stored_form.naming_tables import NAMING_TABLES, personal_rows
from restante.tenancy.audit import AuditEntry
from restante.tenancy.numbered_change import RecordKind
from restante.tenancy.person import Person

_LINES: Final = """
    concat_ws(E'\\n', nullif(held_paths, ''), (
        SELECT string_agg(forward_path, E'\\n') FROM last_reply
        WHERE last_reply.domain_id = message.domain_id AND last_reply.number = message.number
            AND is_refused <> 0
    ))
"""
_RECIPIENTS: Final = """
    SELECT domain_id, source, recipient.name, is_there, at FROM recipient
    JOIN domain ON domain.id = recipient.domain_id
    WHERE domain.name = $1 AND recipient.name >= $2 AND recipient.name < $3
    ORDER BY source, recipient.name
"""
_REMOVE_RECIPIENT: Final = """
    DELETE FROM recipient WHERE domain_id = $1 AND source = $2 AND name = $3
"""
_ERASURE: Final = "SELECT number FROM erasure WHERE person = $1"
_BEGIN: Final = "INSERT INTO erasure (person) VALUES ($1) RETURNING number"
_END: Final = "UPDATE erasure SET person = '' WHERE number = $1"


class PostgresPersons:
    """A `PersonStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core

    async def find_person(
        self, place: PersonPlace, person: Person, after: int, limit: int
    ) -> PersonalRows:
        """Look at the next rows of a place."""
        if place is PersonPlace.RECIPIENTS:
            return await self._core.read(partial(_recipients, person=person))
        table = NAMING_TABLES[place]
        statement = (
            f"SELECT {table.key}, {', '.join(table.columns(_LINES))} FROM {table.name}"
            f" WHERE {table.key} > $1 ORDER BY {table.key} LIMIT $2"
        )
        rows = await self._core.fetch(statement, after, limit)
        return personal_rows(place, person, [tuple(row) for row in rows], limit)

    async def erase_person(
        self, place: PersonPlace, person: Person, mark: str, keys: Sequence[int]
    ) -> int:
        """Put the mark in place of the address in these rows."""
        if place is PersonPlace.RECIPIENTS:
            return await self._core.write(partial(_remove_recipients, person=person))
        change = partial(_erase, place=place, person=person, mark=mark, keys=keys)
        return await self._core.write(change)

    async def begin_erasure(self, person: str) -> str:
        """Return the mark for an address."""

        async def change(transaction: PostgresTransaction) -> str:
            rows = await transaction.fetch(_ERASURE, person)
            rows = rows or await transaction.fetch(_BEGIN, person)
            return f"{MARK}{rows[0][0]}"

        return await self._core.write(change)

    async def end_erasure(self, mark: str, audit: AuditEntry) -> None:
        """Forget the address that a mark stands for."""

        async def change(transaction: PostgresTransaction) -> None:
            await transaction.fetch(_END, int(mark.removeprefix(MARK)))
            await record(transaction, [audit])

        await self._core.write(change)


async def _erase(
    transaction: PostgresTransaction,
    place: PersonPlace,
    person: Person,
    mark: str,
    keys: Sequence[int],
) -> int:
    """Change rows as they are now: they may have changed since they were found."""
    table = NAMING_TABLES[place]
    columns = table.naming
    select = f"SELECT {', '.join(columns)} FROM {table.name} WHERE {table.key} = $1 FOR UPDATE"
    settings = ", ".join(f"{column} = ${place}" for place, column in enumerate(columns, 2))
    update = f"UPDATE {table.name} SET {settings} WHERE {table.key} = $1"
    changed = 0
    for key in keys:
        for row in await transaction.fetch(select, key):
            if table.names(person, tuple(row)):
                await transaction.fetch(update, key, *table.without(person, mark, tuple(row)))
                changed += 1
    return changed


async def _recipients(
    session: DatabaseSession | PostgresTransaction, person: Person
) -> PersonalRows:
    """Read all names that begin with the local part: its own, and those with tags."""
    span = (person.local_part, person.local_part + "\U0010ffff")
    found = []
    for domain_id, source, name, is_there, at in await session.fetch(
        _RECIPIENTS, person.domain, *span
    ):
        if person.is_local_part(name):
            facts = {"domain_id": domain_id, "source": source, "name": name}
            found.append(PersonalRow(0, {**facts, "is_there": is_there, "at": at}))
    return PersonalRows(found, len(found), None)


async def _remove_recipients(transaction: PostgresTransaction, person: Person) -> int:
    rows = (await _recipients(transaction, person)).rows
    for row in rows:
        values = (row.facts["domain_id"], row.facts["source"], row.facts["name"])
        await transaction.fetch(_REMOVE_RECIPIENT, *values)
    if rows:
        key = str(rows[0].facts["domain_id"])
        await note_change(transaction, RecordKind.RECIPIENTS, key, None)
    return len(rows)
