"""Failed logins that the servers of a store on PostgreSQL tell each other.

A row has all that a process tells at once, so an attempt costs no write of its own. Rows are read
by their time, with some seconds of overlap, and each is taken once. A process that begins reads
those of the last KEPT seconds: its own, from before a restart, are among them.

A process that is alone tells nothing.
"""

import time
from collections.abc import Sequence
from typing import Final

from restante.store.failure_store import AgedFailures, FailureChange
from restante.store.postgres.lane_set import SessionKind
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction

KEPT: Final = 900.0  # seconds
_OVERLAP: Final = 12.0  # seconds: more than a transaction may take
_TRIMMED_AT_ONCE: Final = 64
_TELL: Final = """
    INSERT INTO failed_login
        (node, epoch, number, told_at, ledgers, digests, failures, were_forgotten)
    VALUES ($1, $2, $3, clock_timestamp(), $4, $5, $6, $7)
"""
_TRIM: Final = """
    DELETE FROM failed_login WHERE told_at < clock_timestamp() - make_interval(secs => $1)
"""
_RECENT: Final = """
    SELECT node, epoch, number, extract(epoch FROM clock_timestamp() - told_at)::float8,
        ledgers, digests, failures, were_forgotten
    FROM failed_login
    WHERE told_at > clock_timestamp() - make_interval(secs => $1)
        AND (node, epoch) <> ($2::smallint, $3::bigint)
    ORDER BY told_at
"""

_FailureRow = tuple[int, int, int]  # node, epoch, number


class PostgresFailures:
    """A `FailureStore`."""

    is_shared = True

    def __init__(self, core: PostgresCore) -> None:
        self._core = core
        self._told = 0  # rows
        self._read_at: float | None = None  # monotonic
        self._taken: dict[_FailureRow, float] = {}  # rows, and when they were told

    async def tell(self, changes: Sequence[FailureChange]) -> None:
        """Let other processes know of failures here."""
        if not changes or not self._core.node.others:
            return
        number = self._told + 1
        columns = [list(column) for column in zip(*changes, strict=True)]

        async def change(transaction: PostgresTransaction) -> None:
            await transaction.fetch(_TELL, *transaction.node, number, *columns)
            if number % _TRIMMED_AT_ONCE == 1:
                await transaction.fetch(_TRIM, KEPT)

        await self._core.write(change, SessionKind.WORK)
        self._told = number

    async def recent(self) -> list[AgedFailures]:
        """Return what others have told since the last call."""
        now = time.monotonic()
        if self._read_at is not None and not self._core.node.others:
            return []
        since = KEPT if self._read_at is None else min(KEPT, now - self._read_at + _OVERLAP)
        rows = await self._core.fetch(_RECENT, since, *self._core.node.key)
        found = []
        for node, epoch, number, age, *columns in rows:
            if (row := (node, epoch, number)) not in self._taken:
                self._taken[row] = now - age
                found += [
                    AgedFailures(age, FailureChange(*one)) for one in zip(*columns, strict=True)
                ]
        self._taken = {row: at for row, at in self._taken.items() if now - at <= KEPT}
        self._read_at = now
        return found
