"""One transaction of a change, and the figures that it moves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from restante.store.drain_book import DrainRecord
from restante.store.figure_store import NO_USAGE, DomainUsage
from restante.store.postgres import usage_queries
from restante.store.postgres.database_session import DatabaseSession, PostgresRow
from restante.store.store_errors import Conflict


class NodeKey(NamedTuple):
    """The slot of this process, and its number among the processes that had it."""

    id: int
    epoch: int


class VersionedDrain(NamedTuple):
    """The drain of a domain, as of a change of its row."""

    version: int  # grows with each change
    record: DrainRecord | None  # None: it is over


@dataclass(slots=True)
class PostgresTransaction:
    """The resources of a change. The figures that it moves are taken over after the commit."""

    session: DatabaseSession
    node: NodeKey
    moves: dict[int, DomainUsage] = field(default_factory=dict)  # by domain id
    written: dict[int, DomainUsage] = field(default_factory=dict)  # of them, those written already
    accounts: dict[int, str] = field(default_factory=dict)  # of domains; "": it was removed
    drains: dict[int, VersionedDrain] = field(default_factory=dict)  # by domain id
    last_number: int = 0  # of the messages that it holds
    has_new_records: bool = False  # whether a record of the operator was changed
    mark: int = 0  # of `change_marks`, if it has one

    async def fetch(self, statement: str, *values: Any) -> list[PostgresRow]:
        """Run one statement and return its rows."""
        return await self.session.fetch(statement, *values)

    async def notify(self, statement: str) -> None:
        """Run a notification, unless plain SQL must do."""
        if not self.session.is_plain:
            await self.session.fetch(statement)

    async def count(self, statement: str, *values: Any) -> int:
        """Run one statement, and return how many rows it returned."""
        return len(await self.session.fetch(statement, *values))

    async def has(self, statement: str, *values: Any) -> bool:
        """Run one statement, and tell whether it returned rows."""
        return bool(await self.session.fetch(statement, *values))

    def move(self, domain_id: int, messages: int, octets: int, refused: int = 0) -> None:
        """Count so many messages and octets more for a domain, or fewer."""
        moved = self.moves.get(domain_id, NO_USAGE)
        self.moves[domain_id] = moved + DomainUsage(messages, octets, refused)

    def note_written(self, domain_id: int, messages: int, octets: int) -> None:
        """Count what a statement has written to the figures by itself."""
        self.move(domain_id, messages, octets)
        written = self.written.get(domain_id, NO_USAGE)
        self.written[domain_id] = written + DomainUsage(messages, octets)

    async def check_hosted(self, domain_id: int) -> None:
        """Raise Conflict if it is no hosted domain; it stays one until the commit."""
        if not await self.has(usage_queries.HOSTED, [domain_id]):
            raise Conflict(f"domain {domain_id} no longer exists")

    async def held(self, domain_id: int) -> int:
        """Return how many messages a release of the domain would hand over."""
        moved = self._unwritten(domain_id)
        [(held,)] = await self.fetch(usage_queries.HELD, domain_id)
        return int(held) + moved.held

    async def write_moves(self) -> None:
        """Write the figures: the last statement, so that others wait for their rows briefly."""
        unwritten = ((key, self._unwritten(key)) for key in sorted(self.moves))
        moved = [(key, usage) for key, usage in unwritten if usage != NO_USAGE]
        if moved:
            columns = zip(*((key, *figures(usage)) for key, usage in moved), strict=True)
            await self.fetch(usage_queries.MOVE, self.node.id, *map(list, columns))

    def _unwritten(self, domain_id: int) -> DomainUsage:
        moved = self.moves.get(domain_id, NO_USAGE)
        return moved - self.written.get(domain_id, NO_USAGE)


def figures(usage: DomainUsage) -> Sequence[int]:
    """Return a usage as columns."""
    return (usage.messages, usage.octets, usage.refused)


def usages_of_rows(rows: Iterable[PostgresRow]) -> dict[Any, DomainUsage]:
    """Read figures by the first column: a domain's id, or an account."""
    return {key: DomainUsage(*columns) for key, *columns in rows}
