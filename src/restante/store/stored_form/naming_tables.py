"""The tables with rows that can name a person, and the columns of each that can."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from restante.store.person_store import Fact, PersonalRow, PersonalRows, PersonPlace
from restante.store.stored_form.move_codes import MOVES
from restante.store.stored_form.row_type import Row
from restante.tenancy.person import Person

_LINES: Final = "recipients"  # a path to a line


@dataclass(frozen=True, slots=True)
class NamingTable:
    """Where a place is, and which of its columns can name somebody."""

    name: str
    key: str
    paths: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    json: tuple[str, ...] = ()  # texts of JSON values; "" is none
    has_lines: bool = False  # a store adds an expression with a path to a line
    others: tuple[str, ...] = ()

    @property
    def naming(self) -> tuple[str, ...]:
        """The columns that are changed."""
        return (*self.paths, *self.texts, *self.json)

    def columns(self, lines: str) -> tuple[str, ...]:
        """Return the columns that are read, with an expression for the paths in lines."""
        return (*self.naming, *((lines,) if self.has_lines else ()), *self.others)

    def names(self, person: Person, values: Row) -> bool:
        """Tell whether a row names the person; its values are in the order of the columns."""
        first, second, third = self._ends
        return (
            any(map(person.is_at, values[:first]))
            or person.is_named_in(*values[first:second])
            or any(map(person.is_named_in_json, values[second:third]))
            or (self.has_lines and any(map(person.is_at, str(values[third]).split("\n"))))
        )

    def without(self, person: Person, mark: str, values: Row) -> list[Any]:
        """Return the columns that are changed, with a mark in place of the person."""
        first, second, third = self._ends
        return [
            *(person.path_without(path, mark) for path in values[:first]),
            *(person.without(text, mark) for text in values[first:second]),
            *(person.json_without(text, mark) for text in values[second:third]),
        ]

    @property
    def _ends(self) -> tuple[int, int, int]:
        """Where the columns of paths, of texts and of JSON end."""
        first = len(self.paths)
        second = first + len(self.texts)
        return first, second, second + len(self.json)


NAMING_TABLES: Final[Mapping[PersonPlace, NamingTable]] = {
    PersonPlace.HELD: NamingTable(
        "message",
        "number",
        paths=("reverse_path",),
        has_lines=True,
        others=("domain_id", "received_at", "size"),
    ),
    PersonPlace.REPORTS: NamingTable(
        "report",
        "number",
        paths=("reverse_path",),
        texts=("content", "reply"),
        others=("domain_id", "made_at"),
    ),
    PersonPlace.DRAINS: NamingTable(
        "past_drain",
        "domain_id",
        texts=("requested_by", "reason", "last_error"),
        others=("started_at", "ended_at"),
    ),
    PersonPlace.OPEN_DRAINS: NamingTable(
        "drain", "domain_id", texts=("requested_by", "stop"), others=("requested_at",)
    ),
    PersonPlace.WAITING_CHANGES: NamingTable(
        "scheduled_change",
        "id",
        texts=("maker", "portal_user", "reason"),
        others=("made_at", "applies_at", "acted_from", "account", "domain"),
    ),
    PersonPlace.UPTIME: NamingTable(
        "presence", "id", texts=("reason",), others=("at", "account", "destination", "seen")
    ),
    PersonPlace.NOTICES: NamingTable(
        "notice", "number", texts=("reply",), json=("facts",), others=("made_at",)
    ),
    PersonPlace.PAST_NOTICES: NamingTable(
        "past_notice", "number", texts=("reply",), json=("facts",), others=("ended_at",)
    ),
    PersonPlace.RELEASES: NamingTable(
        "release",
        "id",
        texts=("actor", "target", "reason"),
        others=("at", "acted_from", "account", "domain", "result", "pending"),
    ),
    PersonPlace.HISTORY: NamingTable(
        "history",
        "id",
        paths=("reverse_path", "forward_path"),
        texts=("reply",),
        json=("origin",),
        others=("at", "outcome", "number", "domain_id", "octets", "client", "message_id"),
    ),
    PersonPlace.AUDIT: NamingTable(
        "audit",
        "id",
        texts=("actor", "subject", "answer", "reason"),
        json=("changes",),
        others=("at", "action", "account", "acted_from", "domain"),
    ),
}


def personal_rows(
    place: PersonPlace, person: Person, rows: Sequence[Row], limit: int
) -> PersonalRows:
    """Return those of some rows that name a person; each begins with its key."""
    table = NAMING_TABLES[place]
    texts = [tuple(map(_as_text, row)) for row in rows]
    found = [
        PersonalRow(row[0], _facts(place, table, row[1:]))
        for row in texts
        if table.names(person, row[1:])
    ]
    return PersonalRows(found, len(rows), rows[-1][0] if len(rows) == limit else None)


def _as_text(value: Any) -> Any:
    """Return the content of a report, which need not be UTF-8, as a text."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _facts(place: PersonPlace, table: NamingTable, values: Row) -> dict[str, Fact]:
    named = dict(zip(table.columns(_LINES), values, strict=True))
    named.pop("content", None)
    if place is PersonPlace.HISTORY:
        named["outcome"] = MOVES[named["outcome"]]
    return named
