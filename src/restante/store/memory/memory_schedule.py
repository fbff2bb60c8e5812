"""The schedule port of the store in memory."""

from collections.abc import Sequence
from dataclasses import replace

from restante.store.memory.memory_records import MemoryRecords
from restante.store.memory.memory_state import MemoryState
from restante.store.schedule_store import PAGE
from restante.store.store_errors import Conflict
from restante.tenancy.audit import AuditEntry
from restante.tenancy.model import HostedDomain
from restante.tenancy.scheduled_change import ScheduledChange


class MemorySchedule:
    """A `ScheduleStore`."""

    def __init__(self, state: MemoryState, records: MemoryRecords) -> None:
        self._state = state
        self._records = records

    async def schedule_change(self, change: ScheduledChange, audit: AuditEntry) -> ScheduledChange:
        """Keep a change, and return it with its id."""
        self._state.check_hosted(change.domain_id)
        waiting = self._state.scheduled.values()
        if any(one.domain_id == change.domain_id and one.parts & change.parts for one in waiting):
            raise Conflict(f"a change of the {change.parts_text} waits already")
        self._state.last_scheduled_id += 1
        kept = replace(change, id=self._state.last_scheduled_id)
        self._state.scheduled[kept.id] = kept
        self._state.trail.append(audit)
        return kept

    async def waiting_changes(
        self, *, domain_id: int | None = None, after: int = 0, limit: int = PAGE
    ) -> Sequence[ScheduledChange]:
        """Return those that wait, by id."""
        found = [
            change
            for change in self._state.scheduled.values()
            if domain_id in (None, change.domain_id) and change.id > after
        ]
        return found[:limit]

    async def note_announced(self, ids: Sequence[int]) -> None:
        """Record that notices about these changes are stored."""
        for number in ids:
            if number in self._state.scheduled:
                change = self._state.scheduled[number]
                self._state.scheduled[number] = replace(change, is_announced=True)

    async def postpone_change(self, change_id: int, applies_at: float) -> None:
        """Give a change another time."""
        if change_id in self._state.scheduled:
            change = self._state.scheduled[change_id]
            self._state.scheduled[change_id] = replace(change, applies_at=applies_at)

    async def replace_seals(self, change: ScheduledChange) -> None:
        """Keep the destinations of a change, sealed under another key."""
        if change.id in self._state.scheduled:
            kept = self._state.scheduled[change.id]
            self._state.scheduled[change.id] = replace(kept, destination=change.destination)

    async def drop_change(self, change_id: int, audit: AuditEntry) -> bool:
        """Forget a change without applying it."""
        if self._state.scheduled.pop(change_id, None) is None:
            return False
        self._state.trail.append(audit)
        return True

    async def apply_change(
        self, change_id: int, present: HostedDomain, wanted: HostedDomain, audit: AuditEntry
    ) -> bool:
        """Replace the domain and forget the change."""
        if change_id not in self._state.scheduled:
            return False
        if self._state.directory.domain_by_id(present.id) != present:
            raise Conflict(f"the record of domain {present.name} has changed")
        await self._records.put_domain(wanted, audit)
        del self._state.scheduled[change_id]
        return True
