"""The port of a store for the audit trail.

Part of the contract in interface.py, whose rules hold here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from restante.tenancy.audit import EVERY_ENTRY, AuditEntry, AuditFilter


@dataclass(frozen=True, slots=True)
class GrantedRequest:
    """The last request for one target that was granted, as the audit trail records it."""

    target: str  # as it was asked for, in lower case: a domain, `@domain`, `#name`
    account: str  # whose
    at: float  # Unix time


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Some entries of the audit trail, newest first."""

    entries: list[AuditEntry]
    before: int | None  # for `audit_page`, to go on with older ones; None where there are no more


class AuditStore(Protocol):
    """The audit trail. Only ever grows here."""

    async def record(self, entries: Sequence[AuditEntry]) -> None:
        """Append."""

    async def audit(self, wanted: AuditFilter = EVERY_ENTRY, limit: int = 100) -> list[AuditEntry]:
        """Return the newest of the entries wanted, newest first: few, as all are held in memory."""

    async def audit_page(
        self, wanted: AuditFilter, limit: int, before: int | None = None
    ) -> AuditPage:
        """Return the newest of the entries wanted, or those next older than a page's `before`.

        A search that takes long ends before the limit.
        """

    async def last_requests(self) -> Sequence[GrantedRequest]:
        """Return when each target was last asked for with a positive answer, whatever is held.

        Cheap when asked often.
        """
