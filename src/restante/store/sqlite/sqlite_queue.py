"""Held mail as the operator sees and changes it."""

from collections.abc import Sequence
from functools import partial

from restante.mail.message import HeldMessage
from restante.queue.recipient_status import RecipientStatus
from restante.store.queue_store import MessageBounce, QueuedMessage, QueueFilter, QueuePage
from restante.store.sqlite import mail_changes, mail_reading, report_changes
from restante.store.sqlite.store_core import StoreCore
from restante.store.store_errors import Damaged
from restante.tenancy.audit import AuditEntry


class SqliteQueue:
    """A `QueueStore`."""

    def __init__(self, core: StoreCore) -> None:
        self._core = core

    async def list_queue(self, selection: QueueFilter) -> list[QueuedMessage]:
        """Return the messages with matching recipients, by number, with those recipients only."""
        return await self._core.read(partial(mail_reading.queue, selection=selection))

    async def queue_page(self, selection: QueueFilter) -> QueuePage:
        """Return the first messages of a listing, as far as a bounded search comes."""
        return await self._core.read(partial(mail_reading.queue_page, selection=selection))

    async def message(self, number: int) -> HeldMessage | None:
        """Return one message with all its recipients, or None. Raises Damaged, StoreError."""
        found = await self._core.read(partial(mail_reading.message, number=number))
        if isinstance(found, mail_reading.UnreadableMessage):
            await self._core.park([found])
            raise Damaged(found.text)
        return found

    async def delete(self, numbers: Sequence[int], audit: AuditEntry) -> int:
        """Remove whole messages; returns how many were there."""
        count: int = await self._core.write(
            partial(mail_changes.delete, numbers=numbers, audit=audit)
        )
        return count

    async def release_refused(
        self, numbers: Sequence[int], audit: AuditEntry, status: RecipientStatus | None = None
    ) -> int:
        """Hold refused and set-apart recipients again; return how many messages had some."""
        count: int = await self._core.write(
            partial(mail_changes.release_refused, numbers=numbers, audit=audit, status=status)
        )
        return count

    async def bounce(self, bounces: Sequence[MessageBounce], audit: AuditEntry) -> list[int]:
        """Remove these recipients and store the reports on them."""
        numbers: list[int] = await self._core.write(
            partial(report_changes.bounce, bounces=bounces, audit=audit)
        )
        return numbers
