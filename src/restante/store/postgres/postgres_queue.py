"""Held mail as the operator sees and changes it, in the store on PostgreSQL."""

from collections.abc import Sequence
from functools import partial

from restante.mail.message import HeldMessage
from restante.queue.recipient_status import RecipientMove, RecipientStatus
from restante.store.postgres import held_mail_changes, held_reading, mail_statements, queue_reading
from restante.store.postgres.audit_writing import record
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.postgres.report_changing import keep
from restante.store.queue_store import MessageBounce, QueuedMessage, QueueFilter, QueuePage
from restante.store.store_errors import Damaged
from restante.store.stored_form.rows import paths
from restante.tenancy.audit import AuditEntry


class PostgresQueue:
    """A `QueueStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core

    async def list_queue(self, selection: QueueFilter) -> list[QueuedMessage]:
        """Return the messages with matching recipients, by number, with those recipients only."""
        return await self._core.read(partial(queue_reading.listing, selection=selection))

    async def queue_page(self, selection: QueueFilter) -> QueuePage:
        """Return the first messages of a listing, as far as a bounded search comes."""
        return await self._core.read(partial(queue_reading.page, selection=selection))

    async def message(self, number: int) -> HeldMessage | None:
        """Return one message with all its recipients, or None. Raises Damaged, StoreError."""
        question = partial(held_reading.one_message, number=number)
        found = await self._core.read(question, at_once=True)
        if isinstance(found, held_reading.UnfitMessage):
            await held_reading.park(self._core, [found])
            raise Damaged(found.text)
        return found

    async def delete(self, numbers: Sequence[int], audit: AuditEntry) -> int:
        """Remove whole messages; returns how many were there."""
        return await self._core.write(partial(_delete, numbers=numbers, audit=audit))

    async def release_refused(
        self, numbers: Sequence[int], audit: AuditEntry, status: RecipientStatus | None = None
    ) -> int:
        """Hold refused and set-apart recipients again; return how many messages had some."""
        return await self._core.write(
            partial(_release_refused, numbers=numbers, audit=audit, status=status)
        )

    async def bounce(self, bounces: Sequence[MessageBounce], audit: AuditEntry) -> list[int]:
        """Remove these recipients and store the reports on them."""
        return await self._core.write(partial(_bounce, bounces=bounces, audit=audit))


async def _delete(
    transaction: PostgresTransaction, numbers: Sequence[int], audit: AuditEntry
) -> int:
    await record(transaction, [audit])
    await transaction.fetch(mail_statements.LOCK, numbers)
    await held_mail_changes.keep_removed(transaction, numbers, RecipientMove.DELETED, audit.at)
    return await held_mail_changes.remove(transaction, numbers)


async def _release_refused(
    transaction: PostgresTransaction,
    numbers: Sequence[int],
    audit: AuditEntry,
    status: RecipientStatus | None,
) -> int:
    await record(transaction, [audit])
    return await held_mail_changes.release_refused(transaction, numbers, audit, status)


async def _bounce(
    transaction: PostgresTransaction, bounces: Sequence[MessageBounce], audit: AuditEntry
) -> list[int]:
    await record(transaction, [audit])
    await transaction.fetch(mail_statements.LOCK, [bounce.number for bounce in bounces])
    done = [one for one in bounces if await _give_up(transaction, one, audit.at)]
    await keep(transaction, [one.report for one in done if one.report is not None])
    return [one.number for one in done]


async def _give_up(transaction: PostgresTransaction, bounce: MessageBounce, at: float) -> bool:
    rows = await transaction.fetch(mail_statements.WHO_WAITS, bounce.number)
    if not rows or not bounce.forward_paths:
        return False
    domain_id, held = rows[0][0], paths(rows[0][1])
    refused = await transaction.fetch(mail_statements.REFUSED_PATHS, domain_id, bounce.number)
    everybody, named = {*held, *(path for (path,) in refused)}, set(bounce.forward_paths)
    if not named <= everybody:
        return False
    bounced = [(bounce.number, one) for one in bounce.outcomes]
    await held_mail_changes.keep_outcomes(transaction, domain_id, bounced, at)
    if named == everybody:
        await held_mail_changes.remove(transaction, [bounce.number])
        return True
    gone = ([bounce.number] * len(named), sorted(named))
    await transaction.fetch(mail_statements.FORGET_REPLIES, domain_id, *gone)
    left = [path for path in held if path not in named]
    if left != held:
        await held_mail_changes.keep_held_paths(transaction, domain_id, {bounce.number: left})
    return True
