"""The peaks of domains in the store on PostgreSQL."""

from collections.abc import Sequence
from typing import Final

from restante.queue.held_peak import HeldAmount, HeldPeak, PeakPlace
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction

_RECORD: Final = """
    INSERT INTO held_peak AS old (domain_id, account, width, at, messages, octets)
    SELECT domain_id, account, width, at, max(messages), max(octets)
    FROM unnest(
        $1::integer[], $2::text[], $3::integer[], $4::bigint[], $5::bigint[], $6::bigint[]
    ) AS new (domain_id, account, width, at, messages, octets)
    GROUP BY domain_id, account, width, at ORDER BY domain_id, account, width, at
    ON CONFLICT (domain_id, account, width, at) DO UPDATE SET
        messages = greatest(old.messages, excluded.messages),
        octets = greatest(old.octets, excluded.octets)
"""
_PEAKS: Final = """
    SELECT at, messages, octets FROM held_peak
    WHERE domain_id = $1 AND account = $2 AND width = $3 AND at >= $4::float8 AND at < $5::float8
    ORDER BY at
"""
_TRIM: Final = """
    DELETE FROM held_peak WHERE (domain_id, account, width, at) IN (
        SELECT domain_id, account, width, at FROM held_peak
        WHERE width = $1 AND at < $2::float8 LIMIT $3
    )
    RETURNING 1
"""
_FORGET: Final = """
    DELETE FROM held_peak WHERE (domain_id, account, width, at) IN (
        SELECT domain_id, account, width, at FROM held_peak
        WHERE account <> ALL($1::text[]) LIMIT $2
    )
    RETURNING 1
"""


class PostgresPeaks:
    """A `PeakStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core

    async def record_peaks(self, peaks: Sequence[HeldPeak]) -> None:
        """Add peaks; the larger number and size of a slot stay.

        In one statement: a server that stops adds the peaks of all domains, and must be quick.
        """
        columns = list(map(list, zip(*((*place, *held) for place, held in peaks), strict=True)))

        async def change(transaction: PostgresTransaction) -> None:
            if columns:
                await transaction.fetch(_RECORD, *columns)

        await self._core.write(change)

    async def peaks(
        self, domain_id: int, account: str, width: int, since: float, until: float
    ) -> list[HeldPeak]:
        """Return the peaks of a time in the order of time."""
        rows = await self._core.fetch(_PEAKS, domain_id, account, width, since, until)
        return [
            HeldPeak(PeakPlace(domain_id, account, width, at), HeldAmount(messages, octets))
            for at, messages, octets in rows
        ]

    async def trim_peaks(self, width: int, before: float, limit: int) -> int:
        """Remove old peaks."""
        return await self._remove(_TRIM, width, before, limit)

    async def forget_peaks(self, accounts: Sequence[str], limit: int) -> int:
        """Remove the peaks of other accounts."""
        return await self._remove(_FORGET, accounts, limit)

    async def _remove(self, statement: str, *values: object) -> int:
        async def change(transaction: PostgresTransaction) -> int:
            return await transaction.count(statement, *values)

        return await self._core.write(change)
