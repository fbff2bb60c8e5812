"""The port of a store for the presence of destinations: when each came up and went away.

Part of the contract in interface.py, whose rules hold here. Each account has its own changes, also
where several have the same destination: none learns what was seen before it had a domain there.
"""

from collections.abc import Sequence
from typing import Protocol

from restante.queue.presence import PresenceChange


class PresenceStore(Protocol):
    """The changes, in the order in which they were recorded."""

    async def record_presence(self, changes: Sequence[PresenceChange]) -> None:
        """Append changes."""

    async def latest_presence(self) -> list[PresenceChange]:
        """Return the newest change of each account's destinations, in any order."""

    async def presence_changes(
        self, account: str, destination: str, *, before: int | None, limit: int
    ) -> list[tuple[int, PresenceChange]]:
        """Return the newest changes with their numbers, newest first.

        With `before`, those next older than the change of that number.
        """

    async def trim_presence(self, before: float, limit: int) -> int:
        """Remove changes from before a time, at most `limit`; return how many were removed.

        The newest one of a destination stays, unless its state is unknown: it holds still.
        """

    async def forget_presence(self, accounts: Sequence[str], limit: int) -> int:
        """Remove at most `limit` changes of accounts that are not among these; return how many."""
