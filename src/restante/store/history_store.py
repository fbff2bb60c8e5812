"""The port of a store for the history of mail that left.

Part of the contract in interface.py, whose rules hold here. Entries are made by the other parts, in
the transaction that moves a recipient: `settle`, `bounce`, `delete` and `expire`. An account's
history detail decides how much they keep.
"""

from collections.abc import Sequence
from typing import Protocol

from restante.queue.history import HistoryEntry, HistoryFigures, HistoryFilter, HistoryPage


class HistoryStore(Protocol):
    """The history of mail."""

    async def history(self, selection: HistoryFilter) -> list[HistoryEntry]:
        """Return the entries that match, the newest first. Raises SearchTooLong."""

    async def history_page(self, selection: HistoryFilter) -> HistoryPage:
        """Return the newest entries that match. A search that takes long ends before the limit."""

    async def history_figures(self) -> HistoryFigures:
        """Return how much there is."""

    async def trim_history(self, before: float, octets: int | None, limit: int) -> int:
        """Remove entries older than `before`, and the oldest beyond so many octets, if any.

        At most `limit` entries, so that nobody waits long. Returns how many were removed: call it
        again if that is `limit`.
        """

    async def history_domains(self) -> list[int]:
        """Return the ids of the domains that have entries, also of removed ones."""

    async def forget_history(self, domain_ids: Sequence[int], limit: int) -> int:
        """Remove at most `limit` entries of these domains; return how many were removed."""
