"""Bounces: which recipients the store must remove, with the report for the sender.

Mail is bounced by hand, or when its retention is over.
"""

from restante.dsn.dsn_writer import DsnWriter
from restante.mail.delivery_report import NewReport, ReportAction, ReportedRecipient, ReportFacts
from restante.mail.message import HeldMessage
from restante.queue.recipient_status import RecipientStatus
from restante.queue.reporting import recipients_to_tell_of
from restante.store.queue_store import MessageBounce, QueuedMessage, QueueStore


async def prepare_bounce(
    queue: QueueStore, dsn_writer: DsnWriter, listed: QueuedMessage, remote: str
) -> MessageBounce | None:
    """Return how the listed recipients are bounced, None if the message has left.

    `remote` is what a report calls the destination. Raises StoreError for a damaged message.
    """
    message = await queue.message(listed.number)
    if message is None:
        return None
    paths = tuple(one.forward_path for one in listed.recipients)
    return MessageBounce(message.number, paths, await _report(dsn_writer, listed, message, remote))


async def _report(
    dsn_writer: DsnWriter, listed: QueuedMessage, message: HeldMessage, remote: str
) -> NewReport | None:
    paths = tuple(one.forward_path for one in listed.recipients)
    told = set(recipients_to_tell_of(ReportAction.FAILED, message.envelope, paths))
    recipients = tuple(
        ReportedRecipient(one.forward_path, one.reply, one.status is RecipientStatus.REFUSED)
        for one in listed.recipients
        if one.forward_path in told
    )
    return (
        await dsn_writer.make(message, ReportFacts(ReportAction.FAILED, recipients, remote))
        if recipients
        else None
    )
