"""The retention port of the store in memory."""

from collections.abc import Mapping, Sequence

from restante.queue.recipient_status import RecipientMove, RecipientStatus
from restante.store.memory.memory_history import record_removed
from restante.store.memory.memory_state import MemoryState
from restante.tenancy.audit import AuditEntry


class MemoryRetention:
    """A `RetentionStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def expired(
        self, domain_id: int, status: RecipientStatus, before: float, limit: int, after: int = 0
    ) -> list[int]:
        """Return messages with a recipient that has this status since before then, oldest first."""
        messages = self._state.of(domain_id)
        if status is RecipientStatus.HELD:
            due = [kept for kept in messages if kept.held and kept.held_since < before]
        else:
            due = [
                kept
                for kept in messages
                if any(kept.times[path] < before for path in kept.refused | kept.damaged)
            ]
        numbers = [kept.message.number for kept in due]
        return [number for number in numbers if number > after][:limit]

    async def expire(
        self,
        domain_id: int,
        numbers: Sequence[int],
        status: RecipientStatus,
        before: float,
        audit: AuditEntry,
    ) -> int:
        """Remove the recipients of these messages that have this status since before then."""
        concerned = [kept for kept in self._state.of(domain_id) if kept.message.number in numbers]
        count = 0
        for kept in concerned:
            paths = kept.all_paths
            count += kept.expire(status, before)
            gone = [path for path in paths if path not in kept.all_paths]
            record_removed(self._state, kept, gone, RecipientMove.EXPIRED, audit.at)
        for kept in concerned:
            if not kept.all_paths:
                self._state.forget(kept.message.number)
        if count:
            self._state.trail.append(audit)
        return count

    async def waiting_since(self, domain_id: int, status: RecipientStatus) -> float | None:
        """Return since when the first recipient with this status has it."""
        if status is RecipientStatus.HELD:
            return next((kept.held_since for kept in self._state.of(domain_id) if kept.held), None)
        return min(
            (
                kept.times[path]
                for kept in self._state.of(domain_id)
                for path in kept.refused | kept.damaged
            ),
            default=None,
        )

    async def marks(
        self, kind: str, domain_ids: Sequence[int] | None = None
    ) -> Mapping[int, float]:
        """Return the marks of a kind, by domain id."""
        return {
            domain_id: value
            for (domain_id, of), value in self._state.marks.items()
            if of == kind and (domain_ids is None or domain_id in domain_ids)
        }

    async def keep_mark(self, domain_id: int, kind: str, value: float | None) -> None:
        """Keep a mark; None forgets it."""
        self._state.check_hosted(domain_id)
        self._state.marks.pop((domain_id, kind), None)
        if value is not None:
            self._state.marks[domain_id, kind] = value
