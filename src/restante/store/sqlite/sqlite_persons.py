"""The person port of the store on SQLite."""

# ruff: noqa: S608  what is joined here are constants; every value is bound

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import apsw

from restante.store.person_store import MARK, Fact, PersonalRow, PersonalRows, PersonPlace
from restante.store.sqlite import audit_queries
from restante.store.sqlite.engine import Row, fetch
from restante.store.sqlite.record_changes import note_change
from restante.store.sqlite.store_core import StoreCore
from restante.store.sqlite.write_transaction import WriteTransaction
from restante.store.stored_form.move_codes import MOVES
from restante.store.stored_form.rows import audit_row
from restante.tenancy.audit import AuditEntry
from restante.tenancy.numbered_change import RecordKind
from restante.tenancy.person import Person


@dataclass(frozen=True, slots=True)
class _NamingTable:
    """Where a place is, and which of its columns can name somebody."""

    name: str
    key: str
    paths: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    json: tuple[str, ...] = ()  # texts of JSON values; "" is none
    lines: str = ""  # a column with a path to a line
    others: tuple[str, ...] = ()

    @property
    def naming(self) -> tuple[str, ...]:
        """The columns that are changed."""
        return (*self.paths, *self.texts, *self.json)


_REFUSED_PATHS: Final = """
    (SELECT group_concat(forward_path, char(10)) FROM last_reply
        WHERE last_reply.domain_id = message.domain_id AND last_reply.number = message.number
            AND is_refused)
"""
_TABLES: Final[Mapping[PersonPlace, _NamingTable]] = {
    PersonPlace.HELD: _NamingTable(
        "message",
        "number",
        paths=("reverse_path",),
        lines=f"concat_ws(char(10), nullif(held_paths, ''), {_REFUSED_PATHS})",
        others=("domain_id", "received_at", "size"),
    ),
    PersonPlace.REPORTS: _NamingTable(
        "report",
        "number",
        paths=("reverse_path",),
        texts=("content", "reply"),
        others=("domain_id", "made_at"),
    ),
    PersonPlace.DRAINS: _NamingTable(
        "past_drain",
        "domain_id",
        texts=("requested_by", "reason", "last_words"),
        others=("started_at", "ended_at"),
    ),
    PersonPlace.OPEN_DRAINS: _NamingTable(
        "drain", "domain_id", texts=("requested_by", "stop"), others=("requested_at",)
    ),
    PersonPlace.WAITING_CHANGES: _NamingTable(
        "scheduled_change",
        "id",
        texts=("maker", "portal_user", "reason"),
        others=("made_at", "applies_at", "origin", "account", "domain"),
    ),
    PersonPlace.UPTIME: _NamingTable(
        "presence", "id", texts=("reason",), others=("at", "account", "destination", "seen")
    ),
    PersonPlace.NOTICES: _NamingTable(
        "notice", "number", texts=("reply",), json=("news",), others=("made_at",)
    ),
    PersonPlace.PAST_NOTICES: _NamingTable(
        "past_notice", "number", texts=("reply",), json=("news",), others=("ended_at",)
    ),
    PersonPlace.RELEASES: _NamingTable(
        "release",
        "id",
        texts=("actor", "target", "reason"),
        others=("at", "origin", "account", "domain", "result", "pending"),
    ),
    PersonPlace.HISTORY: _NamingTable(
        "history",
        "id",
        paths=("reverse_path", "forward_path"),
        texts=("reply",),
        others=("at", "outcome", "number", "domain_id", "octets", "client", "message_id"),
    ),
    PersonPlace.AUDIT: _NamingTable(
        "audit",
        "id",
        texts=("actor", "subject", "answer", "reason"),
        json=("changes",),
        others=("at", "action", "account", "origin", "domain"),
    ),
}
_SHOWN: Final = {"content": None, _TABLES[PersonPlace.HELD].lines: "recipients"}
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
            change = partial(_erase, table=_TABLES[place], person=person, mark=mark, keys=keys)
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
    table = _TABLES[place]
    lines = (table.lines,) if table.lines else ()
    columns = (*table.naming, *lines, *table.others)
    query = (
        f"SELECT {table.key}, {', '.join(columns)} FROM {table.name}"
        f" WHERE {table.key} > ? ORDER BY {table.key} LIMIT ?"
    )
    rows = [tuple(map(_as_text, row)) for row in fetch(connection, query, (after, limit))]
    found = [
        PersonalRow(row[0], _facts(place, columns, row[1:]))
        for row in rows
        if _names(table, person, row[1:])
    ]
    return PersonalRows(found, len(rows), rows[-1][0] if len(rows) == limit else None)


def _as_text(value: Any) -> Any:
    """Return the content of a report, which need not be UTF-8, as a text."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _names(table: _NamingTable, person: Person, values: Row) -> bool:
    """Tell whether a row names the person; its values are in the order of the columns."""
    first, second, third = _ends(table)
    return (
        any(map(person.is_at, values[:first]))
        or person.is_named_in(*values[first:second])
        or any(map(person.is_named_in_json, values[second:third]))
        or (bool(table.lines) and any(map(person.is_at, str(values[third]).split("\n"))))
    )


def _ends(table: _NamingTable) -> tuple[int, int, int]:
    """Return where the columns of paths, of texts and of JSON end."""
    first = len(table.paths)
    second = first + len(table.texts)
    return first, second, second + len(table.json)


def _facts(place: PersonPlace, columns: Sequence[str], values: Row) -> dict[str, Fact]:
    named = {
        _SHOWN.get(column, column): value for column, value in zip(columns, values, strict=True)
    }
    if place is PersonPlace.HISTORY:
        named["outcome"] = MOVES[named["outcome"]]
    return {name: value for name, value in named.items() if name is not None}


def _erase(
    transaction: WriteTransaction,
    table: _NamingTable,
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
            if _names(table, person, row):
                transaction.execute(update, (*_without(table, person, mark, row), key))
                changed += 1
    return changed


def _without(table: _NamingTable, person: Person, mark: str, values: Row) -> list[Any]:
    first, second, third = _ends(table)
    return [
        *(person.path_without(path, mark) for path in values[:first]),
        *(person.without(text, mark) for text in values[first:second]),
        *(person.json_without(text, mark) for text in values[second:third]),
    ]


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
