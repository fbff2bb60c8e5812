"""The ports of the two stores of a move. No server has either of them open.

`store_mover` uses them. All methods raise StoreError; then the same move can be run again.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from restante.store.moving.move_mark import MoveMark
from restante.store.moving.moved_tables import MovedTable
from restante.store.moving.row_digest import EMPTY
from restante.store.stored_form.row_type import Row
from restante.tenancy.audit import AuditEntry


class MovedRow(NamedTuple):
    """A row of a table that moves."""

    values: Row  # in the order of the table's columns
    content: str = ""  # the store's own name for the row's large content; "": it has none


@dataclass(frozen=True, slots=True)
class MoveStep:
    """How far the copy, or the check, of one table is."""

    rows: int = 0
    octets: int = 0  # of mail
    after: Row | None = None  # the key of the last row; None: none was taken
    digest: bytes = EMPTY
    is_done: bool = False


class MoveEnd(Protocol):
    """A store that is read."""

    @property
    def place(self) -> str:
        """Its URL."""

    @property
    def mark(self) -> MoveMark | None:
        """The mark that it has now."""

    async def rows(self, table: MovedTable, after: Row | None) -> list[MovedRow]:
        """Return the next rows behind a key, in the order of the key; none: that was all.

        There are so few that they fit into memory.
        """

    def content(self, name: str) -> AsyncIterator[bytes]:
        """Yield large content in blocks, as it is: without its rest, if some of it is lost."""

    async def set_mark(self, mark: MoveMark | None) -> None:
        """Replace the mark; it is durable on return."""

    async def close(self) -> None:
        """Let go of the store."""


class MoveSource(MoveEnd, Protocol):
    """The store that everything is read from. Nothing in it changes but its mark."""

    async def counts(self) -> Mapping[str, int]:
        """Return the number of rows of each table that moves."""

    async def last_ids(self) -> Mapping[str, int]:
        """Return the highest id that each table of `NUMBERED` has given out, 0 for none.

        And the highest number of a message, under the name of its table.
        """


class MoveTarget(MoveEnd, Protocol):
    """The store that everything is written to."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever in it, the beginning of a move included."""

    @property
    def is_whole(self) -> bool:
        """Whether all was taken, and only the mark may not say so yet."""

    async def begin(self, mark: MoveMark) -> Mapping[str, MoveStep]:
        """Mark it, make its tables, and return the steps that an earlier run has noted."""

    async def take(
        self, table: MovedTable, rows: list[MovedRow], name: str, step: MoveStep
    ) -> None:
        """Add rows, whose content is there already, and note a step: both or neither."""

    async def note(self, name: str, step: MoveStep) -> None:
        """Note a step."""

    async def take_content(self, number: int, blocks: AsyncIterator[bytes]) -> str:
        """Write the large content of a message, again if that was interrupted; return its name."""

    async def finish(self, last_ids: Mapping[str, int], entry: AuditEntry) -> None:
        """Count what is counted, note the move in the audit trail, and become a whole store.

        The mark says then that the move has ended. Repeating it changes nothing.
        """

    async def clear(self) -> None:
        """Remove all that was written, and the mark."""
