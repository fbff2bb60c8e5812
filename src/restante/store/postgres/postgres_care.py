"""The care of a store on PostgreSQL from outside: PostgreSQL has tools of its own for that."""

from collections.abc import Callable
from pathlib import Path

from restante.store.store_care import SalvageReport, StoreReport
from restante.store.store_errors import CareUnsupported


class PostgresCare:
    """A `StoreCare`."""

    def check(self, on_progress: Callable[[int, int], None]) -> StoreReport:  # noqa: ARG002
        """Raise CareUnsupported."""
        raise CareUnsupported(
            "a store on PostgreSQL is checked with pg_amcheck; servers read all mail once a day"
        )

    def salvage(
        self,
        target: Path,
        on_progress: Callable[[int], None],  # noqa: ARG002
    ) -> SalvageReport:
        """Raise CareUnsupported."""
        raise CareUnsupported(
            f"{target}: a damaged store on PostgreSQL is restored from a backup of PostgreSQL"
        )
