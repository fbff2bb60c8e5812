"""The retention port of the store on SQLite."""

from collections.abc import Mapping, Sequence
from functools import partial

from restante.queue.recipient_status import RecipientStatus
from restante.store.sqlite import mail_changes, mail_reading, record_changes
from restante.store.sqlite.store_core import StoreCore
from restante.tenancy.audit import AuditEntry


class SqliteRetention:
    """A `RetentionStore`."""

    def __init__(self, core: StoreCore) -> None:
        self._core = core

    async def expired(
        self, domain_id: int, status: RecipientStatus, before: float, limit: int, after: int = 0
    ) -> list[int]:
        """Return messages with a recipient that has this status since before then, oldest first."""
        return await self._core.read(
            partial(
                mail_reading.expired,
                domain_id=domain_id,
                status=status,
                before=before,
                limit=limit,
                after=after,
            )
        )

    async def expire(
        self,
        domain_id: int,
        numbers: Sequence[int],
        status: RecipientStatus,
        before: float,
        audit: AuditEntry,
    ) -> int:
        """Remove the recipients of these messages that have this status since before then."""
        change = partial(
            mail_changes.expire,
            domain_id=domain_id,
            numbers=numbers,
            status=status,
            before=before,
            audit=audit,
        )
        count: int = await self._core.write(change)
        return count

    async def waiting_since(self, domain_id: int, status: RecipientStatus) -> float | None:
        """Return since when the first recipient of a domain with this status has it."""
        return await self._core.read(
            partial(mail_reading.waiting_since, domain_id=domain_id, status=status)
        )

    async def marks(
        self, kind: str, domain_ids: Sequence[int] | None = None
    ) -> Mapping[int, float]:
        """Return the marks of a kind, by domain id."""
        return await self._core.read(partial(mail_reading.marks, kind=kind, domain_ids=domain_ids))

    async def keep_mark(self, domain_id: int, kind: str, value: float | None) -> None:
        """Keep a mark; None forgets it."""
        await self._core.write(
            partial(record_changes.keep_mark, domain_id=domain_id, kind=kind, value=value)
        )
