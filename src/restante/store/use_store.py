"""The port of a store for how much each account used the server.

Part of the contract in interface.py, whose rules hold here. Uses stay when an account is
removed, for the last bill.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from restante.queue.monthly_use import MonthlyUse, UseMonth


class UseBatch(NamedTuple):
    """The name of some uses that are added together, so that they are added once."""

    key: bytes  # of no other batch
    until: float  # Unix time; the key is kept until then


class UseStore(Protocol):
    """Uses by account and month."""

    async def add_uses(self, uses: Sequence[MonthlyUse], batch: UseBatch | None = None) -> None:
        """Add uses to those of their months, unless this batch was added before.

        So a caller that does not know whether they were added can give the same batch again.
        """

    async def uses(
        self, account: str | None, months: tuple[int, int], after: UseMonth | None, limit: int
    ) -> list[MonthlyUse]:
        """Return the uses of an account or of all, from the first to the last of two months.

        In the order of `UseMonth`, after the given one, at most `limit`.
        """

    async def trim_uses(self, before: int, limit: int) -> int:
        """Remove uses of months before one, at most `limit`; return how many were removed."""
