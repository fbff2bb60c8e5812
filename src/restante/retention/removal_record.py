"""The record of mail that is removed before it was delivered: for the audit trail and the log."""

from collections.abc import Sequence

from restante.store.queue_store import QueuedMessage
from restante.telemetry.events import RecordChanged
from restante.tenancy.audit import AuditEntry
from restante.tenancy.record_change import NOTHING, Change, listed_text


def removal_of(messages: Sequence[QueuedMessage]) -> list[Change]:
    """Return the changes of a removal: states, senders, recipients and Message-IDs of the mail."""
    recipients = [one for listed in messages for one in listed.recipients]
    had = {
        "status": {one.status.value for one in recipients},
        "reverse_path": {f"<{listed.reverse_path}>" for listed in messages},
        "recipients": {one.forward_path for one in recipients},
        "message_id": {listed.message_id for listed in messages if listed.message_id},
    }
    return [
        Change(name, listed_text(sorted(values)), NOTHING) for name, values in had.items() if values
    ]


def change_event(recorded: AuditEntry) -> RecordChanged:
    """Return the event of an entry of the audit trail."""
    return RecordChanged(
        action=str(recorded.action),
        subject=recorded.subject,
        account=recorded.account,
        domain=recorded.domain,
        actor=recorded.actor,
        acted_from=recorded.acted_from,
        reason=recorded.reason,
        changes=tuple(f"{one.field}: {one.before} → {one.after}" for one in recorded.changes),
    )
