"""The care of a store on SQLite that is not opened."""

from collections.abc import Callable
from pathlib import Path

import apsw

from restante.phrases import cause_of
from restante.store.sqlite.opening import DATABASE
from restante.store.sqlite.salvage import salvage
from restante.store.sqlite.store_check import check_directory
from restante.store.sqlite.upgrade_plan import plan_upgrade
from restante.store.store_care import SalvageReport, SchemaChange, StoreReport, UpgradePlan
from restante.store.store_errors import CareUnsupported, StoreUnusable


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

    def plan_upgrade(self) -> UpgradePlan:
        """Return what the next start of a server would do."""
        try:
            return plan_upgrade(self._directory / DATABASE)
        except (OSError, apsw.Error) as error:
            raise StoreUnusable(
                f"{self._directory}: {cause_of(error)}; `restante store check` says more"
            ) from error

    def upgrade(self) -> SchemaChange:
        """Raise CareUnsupported: the start of a server does it."""
        raise CareUnsupported(
            f"{self._directory}: a store on SQLite is upgraded by the start of its server, which"
            " copies it first"
        )
