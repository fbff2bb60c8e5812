"""The care of a store that forgets: there is nothing outside of its process."""

from collections.abc import Callable
from pathlib import Path

from restante.store.store_care import SalvageReport, SchemaChange, StoreReport, UpgradePlan
from restante.store.store_errors import CareUnsupported

_EXPORT = "to keep its mail, run `restante queue export` while the server runs"

_NO_UPGRADE = "a store in memory is always of its program's version"


class MemoryCare:
    """A `StoreCare`."""

    def check(self, on_progress: Callable[[int, int], None]) -> StoreReport:  # noqa: ARG002
        """Raise CareUnsupported."""
        raise CareUnsupported("a store in memory cannot be checked from outside; " + _EXPORT)

    def salvage(
        self,
        target: Path,
        on_progress: Callable[[int], None],  # noqa: ARG002
    ) -> SalvageReport:
        """Raise CareUnsupported."""
        raise CareUnsupported(f"{target}: a store in memory ends with its server; {_EXPORT}")

    def plan_upgrade(self) -> UpgradePlan:
        """Raise CareUnsupported."""
        raise CareUnsupported(_NO_UPGRADE)

    def upgrade(self) -> SchemaChange:
        """Raise CareUnsupported."""
        raise CareUnsupported(_NO_UPGRADE)


def no_backup(directory: Path) -> CareUnsupported:
    """Make the error for a backup."""
    return CareUnsupported(f"{directory}: a store in memory has nothing to copy; {_EXPORT}")
