"""The part of the store that keeps the audit trail."""

from collections.abc import Sequence
from functools import partial

from restante.store.audit_store import AuditPage, GrantedRequest
from restante.store.sqlite import record_changes, trail_reading
from restante.store.sqlite.store_core import StoreCore
from restante.tenancy.audit import EVERY_ENTRY, AuditEntry, AuditFilter


class SqliteAudit:
    """An `AuditStore`."""

    def __init__(self, core: StoreCore) -> None:
        self._core = core
        self._requests: dict[tuple[str, str], GrantedRequest] = {}
        self._requests_until = 0  # the entry of the trail up to which they were read

    async def record(self, entries: Sequence[AuditEntry]) -> None:
        """Append."""
        await self._core.write(partial(record_changes.record, entries=entries))

    async def audit(self, wanted: AuditFilter = EVERY_ENTRY, limit: int = 100) -> list[AuditEntry]:
        """Return the newest entries, newest first."""
        page = await self.audit_page(wanted, limit)
        found = page.entries
        while page.before is not None and len(found) < limit:
            page = await self.audit_page(wanted, limit - len(found), page.before)
            found += page.entries
        return found

    async def audit_page(
        self, wanted: AuditFilter, limit: int, before: int | None = None
    ) -> AuditPage:
        """Return the newest of the entries wanted, or the next older ones."""
        return await self._core.read(
            partial(trail_reading.audit_page, wanted=wanted, limit=limit, before=before)
        )

    async def last_requests(self) -> Sequence[GrantedRequest]:
        """Return when each target was last requested with success; only new entries are read."""
        newest, requests = await self._core.read(
            partial(trail_reading.granted_requests, after=self._requests_until)
        )
        for request in requests:
            key = (request.target, request.account)
            known = self._requests.get(key)
            if known is None or known.at < request.at:
                self._requests[key] = request
        self._requests_until = max(newest, self._requests_until)
        return list(self._requests.values())
