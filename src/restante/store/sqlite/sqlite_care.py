"""The care of a store on SQLite that is not opened."""

from collections.abc import Callable
from pathlib import Path

from restante.store.sqlite.salvage import salvage
from restante.store.sqlite.store_check import check_directory
from restante.store.store_care import SalvageReport, SchemaChange, StoreReport
from restante.store.store_errors import CareUnsupported


class SqliteCare:
    """A `StoreCare` of a data directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def check(self, on_progress: Callable[[int, int], None]) -> StoreReport:
        """Look at everything, and change nothing."""
        return check_directory(self._directory, on_progress)

    def salvage(self, target: Path, on_progress: Callable[[int], None]) -> SalvageReport:
        """Write what can be read into a new store."""
        return salvage(self._directory, target, on_progress)

    def upgrade(self) -> SchemaChange:
        """Raise CareUnsupported: the start of a server does it."""
        raise CareUnsupported(
            f"{self._directory}: a store on SQLite is upgraded by the start of its server, which"
            " copies it first"
        )
