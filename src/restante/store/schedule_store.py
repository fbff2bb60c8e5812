"""The port of a store for changes of domains that wait for their time.

Part of the contract in interface.py, whose rules hold here.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from restante.tenancy.audit import AuditEntry
from restante.tenancy.model import HostedDomain
from restante.tenancy.scheduled_change import ScheduledChange

PAGE: Final = 500  # changes that are read at once


class ScheduleStore(Protocol):
    """The changes that wait. Each ends once: it is applied, or dropped."""

    async def schedule_change(self, change: ScheduledChange, audit: AuditEntry) -> ScheduledChange:
        """Keep a change (id 0) with its audit entry, and return it with its id.

        Raises Conflict if another change of one of its parts waits for the domain, or if the domain
        does not exist.
        """

    async def waiting_changes(
        self, *, domain_id: int | None = None, after: int = 0, limit: int = PAGE
    ) -> Sequence[ScheduledChange]:
        """Return at most `limit` that wait, by id, with an id above `after`.

        With `domain_id`, only those of this domain: at most two.
        """

    async def note_announced(self, ids: Sequence[int]) -> None:
        """Record that notices about these changes are stored. Ids that are not there are ignored.

        This is no change of the records.
        """

    async def postpone_change(self, change_id: int, applies_at: float) -> None:
        """Give a change another time (Unix time). An id that is not there is ignored."""

    async def replace_seals(self, change: ScheduledChange) -> None:
        """Keep the destinations of a change as they are here: the same, sealed under another key.

        An id that is not there is ignored. This is no change of the records.
        """

    async def drop_change(self, change_id: int, audit: AuditEntry) -> bool:
        """Forget a change without applying it. False, and no entry, if it no longer waits."""

    async def apply_change(
        self, change_id: int, present: HostedDomain, wanted: HostedDomain, audit: AuditEntry
    ) -> bool:
        """Replace the domain and forget the change. False, and no entry, if it no longer waits.

        Raises Conflict if the record of the domain is not `present`, or if the account does not
        exist.
        """
