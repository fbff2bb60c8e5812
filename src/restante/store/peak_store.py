"""The port of a store for the most that each domain held in slots of time.

Part of the contract in interface.py, whose rules hold here. Each account sees only the slots in
which the domain was its own.
"""

from collections.abc import Sequence
from typing import Protocol

from restante.queue.held_peak import HeldPeak


class PeakStore(Protocol):
    """The peaks of domains."""

    async def record_peaks(self, peaks: Sequence[HeldPeak]) -> None:
        """Add peaks; in a slot that has one, the larger number and the larger size stay."""

    async def peaks(
        self, domain_id: int, account: str, width: int, since: float, until: float
    ) -> list[HeldPeak]:
        """Return the peaks of slots of a width that begin from `since` to before `until`.

        In the order of time. At most (until - since) / width of them exist.
        """

    async def trim_peaks(self, width: int, before: float, limit: int) -> int:
        """Remove peaks of slots of a width that begin before a time; return how many.

        At most `limit`.
        """

    async def forget_peaks(self, accounts: Sequence[str], limit: int) -> int:
        """Remove at most `limit` peaks of accounts that are not among these; return how many."""
