"""Looks whether the store can be used: an absence passes by itself, a failure ends the server."""

from collections.abc import Callable

from restante.store.store_errors import StoreError
from restante.store.upkeep_store import UpkeepStore
from restante.telemetry.event_bus import Log
from restante.telemetry.events import ObjectsAway, ObjectsBack, ServerFailing, StoreAway, StoreBack


class StoreWatch:
    """The state of the store at the last look."""

    def __init__(
        self,
        upkeep: UpkeepStore,
        log: Log,
        monotonic: Callable[[], float],
        on_failure: Callable[[str], None],
    ) -> None:
        """`on_failure` is called once with the reason when only reopening the store helps."""
        self._upkeep = upkeep
        self._log = log
        self._monotonic = monotonic
        self._on_failure = on_failure
        self._away_since: float | None = None
        self._objects_away_since: float | None = None
        self._has_failed = False

    def look(self) -> None:
        """Report what has changed since the last look."""
        self._look_for_failure()
        absence, now = self._upkeep.absence, self._monotonic()
        if absence and self._away_since is None:
            self._away_since = now
            self._log.publish(StoreAway(reason=absence))
        elif not absence and self._away_since is not None:
            self._log.publish(StoreBack(seconds=round(now - self._away_since, 3)))
            self._away_since = None

        self._look_for_objects(now)

    def _look_for_objects(self, now: float) -> None:
        absence, since = self._upkeep.content_absence, self._objects_away_since
        if absence and since is None:
            self._objects_away_since = now
            self._log.publish(ObjectsAway(reason=absence))
        elif not absence and since is not None:
            self._objects_away_since = None
            self._log.publish(ObjectsBack(seconds=round(now - since, 3)))

    def _look_for_failure(self) -> None:
        reason = self._upkeep.failure
        if reason and not self._has_failed:
            self._has_failed = True
            self._log.publish(ServerFailing(error=StoreError(reason), reason=reason))
            self._on_failure(reason)
