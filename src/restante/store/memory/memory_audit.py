"""The audit trail of a store that forgets."""

from collections.abc import Sequence
from itertools import islice

from restante.store.audit_store import AuditPage, GrantedRequest
from restante.store.memory.memory_state import MemoryState
from restante.tenancy.audit import EVERY_ENTRY, AuditEntry, AuditFilter, is_granted_request


class MemoryAudit:
    """An `AuditStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def record(self, entries: Sequence[AuditEntry]) -> None:
        """Append."""
        self._state.trail.extend(entries)

    async def audit(self, wanted: AuditFilter = EVERY_ENTRY, limit: int = 100) -> list[AuditEntry]:
        """Return the newest of the entries wanted, newest first."""
        return (await self.audit_page(wanted, limit)).entries

    async def audit_page(
        self, wanted: AuditFilter, limit: int, before: int | None = None
    ) -> AuditPage:
        """Return the newest of the entries wanted, or the next older ones."""
        places = range(len(self._state.trail) if before is None else before)
        found = list(
            islice(
                (place for place in reversed(places) if wanted.accepts(self._state.trail[place])),
                limit + 1,
            )
        )
        page = found[:limit]
        return AuditPage(
            [self._state.trail[place] for place in page],
            page[-1] if len(found) > limit else None,
        )

    async def last_requests(self) -> Sequence[GrantedRequest]:
        """Return when each target was last asked for with a positive answer."""
        granted = (one for one in self._state.trail if is_granted_request(one))
        found: dict[tuple[str, str], float] = {}
        for one in granted:
            key = (one.subject.lower(), one.account)
            found[key] = max(one.at, found.get(key, one.at))
        return [GrantedRequest(*key, at) for key, at in sorted(found.items())]
