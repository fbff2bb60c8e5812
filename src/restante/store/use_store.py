"""The port of a store for how much each account used the server.

Part of the contract in interface.py, whose rules hold here. Uses stay when an account is
removed, for the last bill.
"""

from collections.abc import Sequence
from typing import Protocol

from restante.queue.monthly_use import MonthlyUse, UseMonth


class UseStore(Protocol):
    """Uses by account and month."""

    async def add_uses(self, uses: Sequence[MonthlyUse]) -> None:
        """Add uses to those of their months."""

    async def uses(
        self, account: str | None, months: tuple[int, int], after: UseMonth | None, limit: int
    ) -> list[MonthlyUse]:
        """Return the uses of an account or of all, from the first to the last of two months.

        In the order of `UseMonth`, after the given one, at most `limit`.
        """

    async def trim_uses(self, before: int, limit: int) -> int:
        """Remove uses of months before one, at most `limit`; return how many were removed."""
