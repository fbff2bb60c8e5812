"""Reads a table past its damage: from both ends up to the damage, then the gap from its middle.

The engine ends a question at the first damaged page. So each question is small, and goes on behind
what could be read. It notices no page that is whole and in a wrong place. Rows from there are out
of order, and following them might never end; so they end a question too.

Limitation: rows between two damaged places are found only in a table with numbers as keys. A
readable row must follow the second place.
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import apsw

from restante.store.sqlite import engine
from restante.store.sqlite.engine import fetch, quoted
from restante.store.stored_form.row_type import Row

_BATCH = 64  # rows of one question
_PROBES = 4000  # into the gaps of one table
UNREADABLE = (apsw.CorruptError, apsw.IOError, apsw.NotADBError, UnicodeDecodeError)

RowKey = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class SchemaTable:
    """A table of the schema; the key is its primary key, or the rowid if it has none."""

    name: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnreadableGap:
    """The unreadable rows between two keys; None: from the beginning, or to the end."""

    after: RowKey | None
    before: RowKey | None

    @property
    def text(self) -> str:
        """Return it in words."""
        first = "from the beginning" if self.after is None else f"after {_spelled(self.after)}"
        last = "to the end" if self.before is None else f"before {_spelled(self.before)}"
        return f"{first}, {last}"


def table_of(connection: apsw.Connection, name: str) -> SchemaTable:
    """Look a table up."""
    facts = fetch(connection, f"PRAGMA table_info({quoted(name)})")
    columns = tuple(column for _, column, *_ in facts)
    in_key = sorted((place, column, kind) for _, column, kind, _, _, place in facts if place)
    is_rowid = not in_key or (len(in_key) == 1 and in_key[0][2].upper() == "INTEGER")
    return SchemaTable(
        name, columns, ("rowid",) if is_rowid else tuple(column for _, column, _ in in_key)
    )


class TolerantReader:
    """Reads one table; `gaps` says afterwards what could not be read."""

    def __init__(
        self, connection: apsw.Connection, table: SchemaTable, take: Callable[[Row], None]
    ) -> None:
        """`take` is given each readable row, its columns in the table's order, rows in no order."""
        self._connection = connection
        self._table = table
        self._take = take
        self._probes = 0
        self._ends: set[tuple[RowKey, bool]] = set()  # of questions about keys that are no numbers
        self.gaps: list[UnreadableGap] = []

    def read(self) -> None:
        """Read everything that can be read."""
        left: deque[tuple[RowKey | None, RowKey | None]] = deque([(None, None)])
        while left:
            low, high = left.popleft()  # wide gaps first: probes must not all go into one of them
            low, is_broken = self._run(low, high, is_backward=False)
            if is_broken:
                high, is_broken = self._run(low, high, is_backward=True)
            if not is_broken:
                continue
            middle = self._middle(low, high)
            if middle is None:
                self.gaps.append(UnreadableGap(low, high))
            else:
                left += [(low, (middle,)), ((middle - 1,), high)]
        if self._table.keys == ("rowid",):
            self.gaps = _joined(self.gaps)

    def _middle(self, low: RowKey | None, high: RowKey | None) -> int | None:
        """Return a number in the middle of a gap, None where there is none or enough was tried."""
        first = 0 if low is None and self._table.keys == ("rowid",) else low and low[0]
        last = high and high[0]
        if len(self._table.keys) > 1 or not isinstance(first, int) or not isinstance(last, int):
            return None
        self._probes += 1
        has_two = last - first > 2  # noqa: PLR2004  keys: of a single one both sides have been read
        return (first + last + 1) // 2 if has_two and self._probes <= _PROBES else None

    def _run(
        self, low: RowKey | None, high: RowKey | None, *, is_backward: bool
    ) -> tuple[RowKey | None, bool]:
        """Read on from one side; return the last key read there, and whether damage follows it."""
        count = _BATCH
        while True:
            try:
                rows = self._ask(low, high, count, is_backward=is_backward)
            except UNREADABLE:
                if count == 1:
                    return (high if is_backward else low), True
                count = 1
                continue
            sound = self._in_order(rows, low, high, is_backward=is_backward)
            for row in sound:
                self._take(row[len(self._table.keys) :])
            if sound:
                last = row[: len(self._table.keys)]
                low, high = (low, last) if is_backward else (last, high)
            if len(sound) < len(rows):
                return (high if is_backward else low), True
            if len(rows) < count:
                return (high if is_backward else low), False

    def _in_order(
        self, rows: list[Row], low: RowKey | None, high: RowKey | None, *, is_backward: bool
    ) -> list[Row]:
        """Return the first rows as far as each goes on between the bounds."""
        if self._table.keys != ("rowid",):
            ends = {(row[: len(self._table.keys)], is_backward) for row in rows[-1:]}
            is_circle = bool(ends & self._ends)
            self._ends |= ends
            return [] if is_circle else rows
        least, most = low and low[0], high and high[0]
        for count, (key, *_) in enumerate(rows):
            if (least is not None and key <= least) or (most is not None and key >= most):
                return rows[:count]
            least, most = (least, key) if is_backward else (key, most)
        return rows

    def _ask(
        self, low: RowKey | None, high: RowKey | None, count: int, *, is_backward: bool
    ) -> list[Row]:
        table = self._table
        keys = ", ".join(map(quoted, table.keys)) if table.keys != ("rowid",) else "rowid"
        marks = ", ".join("?" * len(table.keys))
        order = ", ".join(f"{key}{' DESC' * is_backward}" for key in keys.split(", "))
        bounds = [
            f"({keys}) {sign} ({marks})"
            for sign, key in ((">", low), ("<", high))
            if key is not None
        ]
        where = f"WHERE {' AND '.join(bounds)}" if bounds else ""
        columns = ", ".join(map(quoted, table.columns))
        indexed = "NOT INDEXED" if keys == "rowid" else ""
        wanted = f"{keys}, {columns} FROM {quoted(table.name)} {indexed} {where}"
        # Names of the schema and numbers only.
        query = f"SELECT {wanted} ORDER BY {order} LIMIT {count}"
        return engine.fetch(self._connection, query, (*(low or ()), *(high or ())))


def _joined(gaps: list[UnreadableGap]) -> list[UnreadableGap]:
    """Join gaps between numbers with nothing in between: probes cut one into many."""
    joined: list[UnreadableGap] = []
    for gap in sorted(gaps, key=lambda gap: _number(gap.after, -math.inf)):
        last = joined[-1] if joined else None
        if last and _number(gap.after, -math.inf) < _number(last.before, math.inf):
            ends = (last.before, gap.before)
            before = None if None in ends else max(ends, key=lambda end: _number(end, math.inf))
            joined[-1] = UnreadableGap(last.after, before)
        else:
            joined.append(gap)
    return joined


def _number(key: RowKey | None, default: float) -> float:
    return default if key is None else cast(int, key[0])


def _spelled(key: RowKey) -> str:
    return ", ".join(map(str, key))
