"""The peaks port of the store on SQLite."""

import json
from collections.abc import Sequence
from functools import partial
from typing import Final

import apsw

from restante.queue.held_peak import HeldAmount, HeldPeak, PeakPlace
from restante.store.sqlite.engine import fetch
from restante.store.sqlite.store_core import StoreCore
from restante.store.sqlite.write_transaction import WriteTransaction

_RECORD: Final = """
    INSERT INTO held_peak (domain_id, account, width, at, messages, octets)
    VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
        messages = max(messages, excluded.messages), octets = max(octets, excluded.octets)
"""
_PEAKS: Final = """
    SELECT at, messages, octets FROM held_peak
    WHERE domain_id = ? AND account = ? AND width = ? AND at >= ? AND at < ? ORDER BY at
"""
_TRIM: Final = """
    DELETE FROM held_peak WHERE (domain_id, account, width, at) IN (
        SELECT domain_id, account, width, at FROM held_peak WHERE width = ? AND at < ? LIMIT ?
    )
"""
_FORGET: Final = """
    DELETE FROM held_peak WHERE (domain_id, account, width, at) IN (
        SELECT domain_id, account, width, at FROM held_peak
        WHERE account NOT IN (SELECT value FROM json_each(?)) LIMIT ?
    )
"""


class SqlitePeaks:
    """A `PeakStore`."""

    def __init__(self, core: StoreCore) -> None:
        self._core = core

    async def record_peaks(self, peaks: Sequence[HeldPeak]) -> None:
        """Add peaks; the larger number and size of a slot stay."""
        await self._core.write(partial(_record, peaks=peaks))

    async def peaks(
        self, domain_id: int, account: str, width: int, since: float, until: float
    ) -> list[HeldPeak]:
        """Return the peaks of a time in the order of time."""
        bindings = (domain_id, account, width, since, until)
        return await self._core.read(partial(_peaks, bindings=bindings))

    async def trim_peaks(self, width: int, before: float, limit: int) -> int:
        """Remove old peaks."""
        removed: int = await self._core.write(
            partial(_remove, query=_TRIM, bindings=(width, before, limit))
        )
        return removed

    async def forget_peaks(self, accounts: Sequence[str], limit: int) -> int:
        """Remove the peaks of other accounts."""
        removed: int = await self._core.write(
            partial(_remove, query=_FORGET, bindings=(json.dumps(accounts), limit))
        )
        return removed


def _record(transaction: WriteTransaction, peaks: Sequence[HeldPeak]) -> None:
    for place, held in peaks:
        transaction.execute(_RECORD, (*place, *held))


def _remove(transaction: WriteTransaction, query: str, bindings: tuple[object, ...]) -> int:
    transaction.execute(query, bindings)
    return transaction.connection.changes()


def _peaks(
    connection: apsw.Connection, bindings: tuple[int, str, int, float, float]
) -> list[HeldPeak]:
    domain_id, account, width, _, _ = bindings
    return [
        HeldPeak(PeakPlace(domain_id, account, width, at), HeldAmount(messages, octets))
        for at, messages, octets in fetch(connection, _PEAKS, bindings)
    ]
