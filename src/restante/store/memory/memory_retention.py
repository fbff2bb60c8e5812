"""The retention port of the store in memory."""

from collections.abc import Mapping, Sequence

from restante.queue.recipient_status import Move, RecipientStatus
from restante.store.memory.memory_history import keep_removed
from restante.store.memory.memory_state import MemoryState
from restante.tenancy.audit import AuditEntry


class MemoryRetention:
    """A `RetentionStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def expired(
        self, domain_id: int, status: RecipientStatus, before: float, limit: int
    ) -> list[int]:
        """Return messages with a recipient that has this status since before then, oldest first."""
        records = self._state.of(domain_id)
        if status is RecipientStatus.HELD:
            due = [record for record in records if record.held and record.held_since < before]
        else:
            due = [
                record
                for record in records
                if any(record.times[path] < before for path in record.refused | record.damaged)
            ]
        return [record.message.number for record in due][:limit]

    async def expire(
        self,
        domain_id: int,
        numbers: Sequence[int],
        status: RecipientStatus,
        before: float,
        audit: AuditEntry,
    ) -> int:
        """Remove the recipients of these messages that have this status since before then."""
        concerned = [
            record for record in self._state.of(domain_id) if record.message.number in numbers
        ]
        count = 0
        for record in concerned:
            paths = record.all_paths
            count += record.expire(status, before)
            gone = [path for path in paths if path not in record.all_paths]
            keep_removed(self._state, record, gone, Move.EXPIRED, audit.at)
        for record in concerned:
            if not record.all_paths:
                self._state.forget(record.message.number)
        if count:
            self._state.trail.append(audit)
        return count

    async def waiting_since(self, domain_id: int, status: RecipientStatus) -> float | None:
        """Return since when the first recipient with this status has it."""
        if status is RecipientStatus.HELD:
            return next(
                (record.held_since for record in self._state.of(domain_id) if record.held), None
            )
        return min(
            (
                record.times[path]
                for record in self._state.of(domain_id)
                for path in record.refused | record.damaged
            ),
            default=None,
        )

    async def marks(self, kind: str) -> Mapping[int, float]:
        """Return the marks of a kind, by domain id."""
        return {
            domain_id: value for (domain_id, of), value in self._state.marks.items() if of == kind
        }

    async def keep_mark(self, domain_id: int, kind: str, value: float | None) -> None:
        """Keep a mark; None forgets it."""
        self._state.check_hosted(domain_id)
        self._state.marks.pop((domain_id, kind), None)
        if value is not None:
            self._state.marks[domain_id, kind] = value
