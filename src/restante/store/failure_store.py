"""The port of a store for failed logins: the servers that share it tell each other theirs.

Part of the contract in interface.py, whose rules hold here. A store of one process has nobody to
tell.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class FailureChange(NamedTuple):
    """The failures of one key since they were told last."""

    ledger: str  # the kind of failures
    digest: bytes  # of the key: neither a name nor an address is stored
    failures: int  # negative: so many were none
    was_forgotten: bool = False  # those before it


class AgedFailures(NamedTuple):
    """A change of another process."""

    age: float  # seconds
    change: FailureChange


class FailureStore(Protocol):
    """Failures of all processes. They are no records: nothing else depends on them."""

    @property
    def is_shared(self) -> bool:
        """Whether other processes can have the store open. No I/O."""

    async def tell(self, changes: Sequence[FailureChange]) -> None:
        """Let other processes know of failures here."""

    async def recent(self) -> list[AgedFailures]:
        """Return what others have told since the last call, or in the last 15 minutes."""


class NoFailuresElsewhere:
    """A `FailureStore` of one process."""

    is_shared = False

    async def tell(self, changes: Sequence[FailureChange]) -> None:
        """Tell nobody."""

    async def recent(self) -> list[AgedFailures]:
        """Return nothing."""
        return []
