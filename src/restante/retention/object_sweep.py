"""The end of large content in an object store: of mail that left, and of content without a message.

Mail leaves without waiting for its object. So objects are removed here, by one server for all.
Content without a message is rare: a server was killed, or a backup of the database was restored. It
is kept for a grace from when it was first seen, so that an operator can undo such a restore.
"""

from collections.abc import Callable
from typing import Final

from restante.background.rounds import Rounds
from restante.store.duty_store import DutyStore, keep_performing
from restante.store.store_errors import ContentUnreachable
from restante.store.upkeep_store import UpkeepStore
from restante.telemetry.event_bus import Log
from restante.telemetry.events import ObjectsRemoved

LEFT_SECONDS: Final = 5.0  # between two looks for content that left
STRAY_SECONDS: Final = 3600.0  # between two listings of the whole bucket
_HOUR: Final = 3600.0


class ObjectSweep:
    """Keeps the object store free of objects without a message."""

    def __init__(
        self,
        upkeep: UpkeepStore,
        duties: DutyStore,
        rounds: Rounds,
        ages: Callable[[], float],
        *,
        orphan_hours: Callable[[], int | None],
        log: Log,
    ) -> None:
        """`ages` is Unix time (retention/age_clock.py). `orphan_hours`: None without objects."""
        self._upkeep = upkeep
        self._duties = duties
        self._rounds = rounds
        self._ages = ages
        self._orphan_hours = orphan_hours
        self._log = log
        self._stray_due_at = 0.0

    async def run(self) -> None:
        """Sweep until cancelled."""
        await keep_performing(self._duties, "objects", self._sweep_often)

    async def _sweep_often(self) -> None:
        await self._rounds.run_rounds(self.sweep)

    async def sweep(self) -> float:
        """Remove what is due; return the seconds to the next sweep. Raises StoreError."""
        hours = self._orphan_hours()
        if hours is None:
            return STRAY_SECONDS
        if self._upkeep.content_absence:
            return LEFT_SECONDS
        failure = None
        try:
            await self._upkeep.remove_left_content()
        except ContentUnreachable as error:  # perhaps one object that cannot be deleted
            failure = error
        now = self._ages()
        if now >= self._stray_due_at:
            removed = await self._upkeep.remove_stray_content(hours * _HOUR)
            self._stray_due_at = now + STRAY_SECONDS
            if removed:
                self._log.publish(ObjectsRemoved(count=removed))
        if failure is not None:
            raise failure
        return LEFT_SECONDS
